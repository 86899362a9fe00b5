"""Static files without a server."""

from __future__ import annotations

from app.server.static_files import StaticFolder
from app.widgets.static_controls import StaticControls


class FakeStatic(StaticControls):
    """A folder, or none; ``url`` numbers what was changed."""

    def __init__(self) -> None:
        self.root: StaticFolder | None = None
        self.refusal = ""
        self.changes = 0

    def folder(self) -> StaticFolder | None:
        return self.root

    def fault(self) -> str:
        return self.refusal

    def url(self, name: str) -> str:
        return f"/static/{name}?v={self.changes}"

    def is_stale(self, name: str) -> bool:
        return False

    def changed(self) -> None:
        self.changes += 1
