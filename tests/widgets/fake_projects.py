"""A test double of the projects: it remembers what the window asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.server.site import Site, merged
from app.widgets.project_controls import Draft, FileChange, Found, ProjectControls


class FakeProjects(ProjectControls):
    """Every folder is a trusted project; the public lists say what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[object, ...]] = []
        self.drafts: list[Site] = []
        self.found: list[FileChange] = []

    @property
    def read_only(self) -> str:
        return ""

    @property
    def notice(self) -> str:
        return ""

    def read(self, folder: Path) -> Found:
        return Found(Site(folder), True)

    def open(self, found: Found) -> None:
        self.asked.append(("open", found.site.folder))
        self.opened.emit()

    def create(self, folder: Path, demo: bool) -> Found:
        self.asked.append(("create", folder, demo))
        return Found(Site(folder), True)

    def export(self, site: Site, folder: Path) -> None:
        self.asked.append(("export", folder))

    def recent(self) -> list[Path]:
        return []

    def forget_recent(self) -> None:
        self.asked.append(("forget",))

    def changes(self, mine: Site) -> list[FileChange]:
        return self.found

    def merged(self, texts: Mapping[str, str | None]) -> Site:
        return merged(Site(Path()), texts)

    def keep(self, changes: Sequence[FileChange]) -> None:
        self.asked.append(("keep",))

    def take(self, changes: Sequence[FileChange]) -> None:
        self.asked.append(("take",))

    def keep_draft(self, site: Site) -> None:
        self.drafts.append(site)

    def forget_draft(self) -> None:
        self.asked.append(("forget draft",))

    def draft(self) -> Draft | None:
        return None
