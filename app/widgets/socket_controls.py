"""What the window can ask of the clients' WebSockets."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal

from app.recording.events import Row

CLOSED, CONNECTING, OPEN = "closed", "connecting", "open"


@dataclass
class Socket:
    """A client's WebSocket, and what passed on it, as rows of `Message`.

    ``note`` says why it could not be opened, or how it ended. ``forgotten`` counts the rows that
    went from the front.
    """

    url: str = ""
    phase: str = CLOSED
    note: str = ""
    rows: list[Row] = field(default_factory=list)
    forgotten: int = 0
    origin_ns: int = 0
    """From when times are counted, on the recorder's clock."""


class SocketControls(QObject):
    """Each client has one WebSocket at a time. Commands return at once."""

    changed = Signal(str)
    """A client's WebSocket was opened or closed, or something passed on it."""

    def of(self, client: str) -> Socket:
        """A client's latest WebSocket; it changes with time."""
        raise NotImplementedError

    def connect_to(self, client: str, url: str) -> None:
        """Open a WebSocket to *url*, a path on the running server or an absolute URL."""
        raise NotImplementedError

    def send(self, client: str, message: bytes, binary: bool) -> None:
        """Send a message: UTF-8 unless it is *binary*."""
        raise NotImplementedError

    def ping(self, client: str, data: bytes) -> None:
        """Send a ping with up to 125 bytes."""
        raise NotImplementedError

    def close(self, client: str, code: int | None, reason: str) -> None:
        """Close with a code, or without; the reason has up to 123 bytes as UTF-8."""
        raise NotImplementedError
