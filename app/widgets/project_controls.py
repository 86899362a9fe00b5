"""What the window can ask about projects: where they come from, and where they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from app.server.site import Site


class Draft(NamedTuple):
    """Texts by file name that were written and not saved, and when, in seconds since the epoch."""

    time: float
    files: dict[str, str]


class Found(NamedTuple):
    """A project that was read and not run."""

    site: Site
    trusted: bool
    """Whether the user trusted exactly this content before."""


class FileChange(NamedTuple):
    """A file that somebody else changed since it was read; None where it is missing."""

    name: str
    theirs: str | None
    mine: str | None


class ProjectControls(QObject):
    """The project that is open, and others. Nothing here runs code but `open` and `take`.

    What takes long turns Qt's loop meanwhile; see `Controls.busy`. It raises GivenUp after
    `Controls.stop_work`.
    """

    opened = Signal()
    """Another project is open."""
    moved = Signal()
    """The open project was saved into another folder, and is open there now."""
    changed_on_disk = Signal()
    """Somebody may have changed files of the open project; `changes` says which."""

    @property
    def read_only(self) -> str:
        """Why the open project cannot be saved where it is, for the user; empty if it can."""
        raise NotImplementedError

    @property
    def notice(self) -> str:
        """What of `read_only` the user must be told as soon as the project is open."""
        raise NotImplementedError

    def read(self, folder: Path) -> Found:
        """Read the project in *folder*. Raises SiteError."""
        raise NotImplementedError

    def open(self, found: Found) -> None:
        """Serve a project that may be run, from the next request on.

        That it may is remembered if *found* says that it is trusted. Raises SiteError; the project
        that was open then stays.
        """
        raise NotImplementedError

    def create(self, folder: Path, demo: bool) -> Found:
        """Write a new project, empty or a copy of the demo, into an empty folder.

        Raises SiteError.
        """
        raise NotImplementedError

    def export(self, site: Site, folder: Path) -> None:
        """Write *site* as a plain Tornado program into an empty folder. Raises SiteError."""
        raise NotImplementedError

    def recent(self) -> list[Path]:
        """The projects that were open last, the latest first."""
        raise NotImplementedError

    def forget_recent(self) -> None:
        """Forget which projects were open."""
        raise NotImplementedError

    def changes(self, mine: Site) -> list[FileChange]:
        """Return which files changed on the disk, beside how *mine* has them. Raises SiteError."""
        raise NotImplementedError

    def merged(self, texts: Mapping[str, str | None]) -> Site:
        """Return the site that is served with *texts* in place of its own files; None is no file.

        Raises SiteError for a ``site.toml`` that cannot be read.
        """
        raise NotImplementedError

    def keep(self, changes: Sequence[FileChange]) -> None:
        """Let *changes* on the disk be: saving will write over them."""
        raise NotImplementedError

    def take(self, changes: Sequence[FileChange]) -> None:
        """Serve the files as *changes* have them. Raises SiteError; all then stays."""
        raise NotImplementedError

    def keep_draft(self, site: Site) -> None:
        """Keep what *site* says and the disk does not, in case this program is killed.

        Raises OSError.
        """
        raise NotImplementedError

    def forget_draft(self) -> None:
        """Forget what was kept: the user does not want it. Raises OSError."""
        raise NotImplementedError

    def draft(self) -> Draft | None:
        """What an earlier run kept of the open project."""
        raise NotImplementedError
