"""What the window can ask of the user's own application, opened with ``--app`` or from the menu."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from app.server.app_route import AppRoute


class AppState(Enum):
    """How an opened application stands."""

    NONE = "none"
    STARTING = "starting"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"


class TraceLine(NamedTuple):
    """A line that a traceback passes, the innermost last; ``function`` may be empty."""

    file: str
    line: int
    function: str
    source: str


class Failure(NamedTuple):
    """Why an application could not be started, or ended: in one line, and the whole way there."""

    summary: str
    places: list[TraceLine]
    text: str


class AppControls(QObject):
    """One application at a time. Commands return at once; `changed` tells what became of them."""

    changed = Signal()
    """Another application was opened, or it goes on in another state."""

    @property
    def target(self) -> str:
        """What is open, as it was named; empty when a project is."""
        raise NotImplementedError

    @property
    def arguments(self) -> str:
        """The program's own arguments, as typed in a shell."""
        raise NotImplementedError

    @property
    def state(self) -> AppState:
        """How it stands."""
        raise NotImplementedError

    @property
    def failure(self) -> Failure | None:
        """Why it failed, if it did."""
        raise NotImplementedError

    @property
    def addresses(self) -> list[str]:
        """Where the program accepts connections by itself; empty if Loopscope does it for it."""
        raise NotImplementedError

    def routes(self) -> list[AppRoute]:
        """Its rules in the order in which they are tried."""
        raise NotImplementedError

    def sources(self) -> list[Path]:
        """The files of its own modules."""
        raise NotImplementedError

    def templates(self) -> list[Path]:
        """The files of its templates."""
        raise NotImplementedError

    def source_of(self, handler: str, route: str | None) -> tuple[str, int] | None:
        """Return file and line of the handler of a recorded request, if they are known."""
        raise NotImplementedError

    def ask_trust(self, target: str) -> str:
        """Return for what the user must be asked whether to trust it; empty if it is trusted.

        Raises ValueError, with the reason, when *target* cannot be opened at all.
        """
        raise NotImplementedError

    def open(self, target: str, arguments: str) -> None:
        """Run *target* in place of what is served now; the user trusts it from now on."""
        raise NotImplementedError

    def reload(self) -> None:
        """End the program and run it anew, with its own modules read anew from their files."""
        raise NotImplementedError

    def restart(self) -> None:
        """End Loopscope and start it anew with the same application, in a fresh interpreter."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the program; `reload` starts it again."""
        raise NotImplementedError
