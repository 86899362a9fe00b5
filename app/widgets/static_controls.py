"""What the window can ask about static files."""

from __future__ import annotations

from app.server.static_files import StaticFolder


class StaticControls:
    """The folder that is served, and the hashes that Tornado puts into ``static_url``."""

    def folder(self) -> StaticFolder | None:
        """The folder of the static files; None when there is none and none can be made."""
        raise NotImplementedError

    def fault(self) -> str:
        """Why the files must not be changed here, for the user; empty when they may."""
        raise NotImplementedError

    def url(self, name: str) -> str:
        """What ``static_url(name)`` gives now, without making Tornado remember anything."""
        raise NotImplementedError

    def is_stale(self, name: str) -> bool:
        """Whether Tornado remembers the hash of an older content."""
        raise NotImplementedError

    def changed(self) -> None:
        """Files were changed here: Tornado reads their hashes again."""
        raise NotImplementedError
