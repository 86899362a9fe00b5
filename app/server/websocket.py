"""WebSockets as they are recorded: every message and control frame, in both directions."""

from __future__ import annotations

import functools
import time
from asyncio import Future
from collections.abc import Callable
from typing import Any, Protocol

from tornado.escape import json_encode, utf8
from tornado.websocket import WebSocketProtocol13, _WebSocketParams

from app.recording.events import Row
from app.recording.websocket import OPCODES

IN, OUT = "in", "out"
TEXT, BINARY, CLOSE = OPCODES["text"], OPCODES["binary"], OPCODES["close"]
NAMES = {opcode: name for name, opcode in OPCODES.items()}
UNMASKED = "not masked, as a client's frames must be (RFC 6455, section 5.1)"
HALF_A_CODE = "half a close code: it takes two bytes (RFC 6455, section 5.5.1)"
_now = time.monotonic_ns


class Journal(Protocol):
    """Where messages are noted; a `Recorder` is one."""

    message_id: int
    run_id: int
    begun_messages: dict[int, Row]
    messages: list[Row]

    def keep(self, body: bytes) -> bytes:
        """Return what may be kept of a payload."""


class Passing:
    """A message on its way; it is recorded when it has `begun` or `ended`."""

    def __init__(
        self, journal: Journal, request_id: int, direction: str, opcode: int, data: bytes
    ) -> None:
        journal.message_id += 1
        self._journal = journal
        self._before = (journal.message_id, request_id, _now())
        name = NAMES.get(opcode, f"0x{opcode:X}")
        self.flaw: str | None = None
        """What is wrong with it, though it was delivered."""
        self._after = (direction, name, len(data), journal.keep(data), journal.run_id)

    def begun(self) -> None:
        """It goes on."""
        row = (*self._before, None, *self._after, None)
        self._journal.begun_messages[self._before[0]] = row

    def ended(self, detail: str | None = None) -> None:
        """It is through; *detail* says what went wrong."""
        self._journal.begun_messages.pop(self._before[0], None)
        self._journal.messages.append((*self._before, _now(), *self._after, detail or self.flaw))


Begin = Callable[[str, int, bytes], Passing]
"""Begins to note a message: from its direction (for the server), opcode and payload."""


class NotedProtocol(WebSocketProtocol13):
    """Tornado's protocol, with a note of all that passes but the messages that are delivered.

    Those come to the handler's ``on_message``, which notes them by itself. *received* and *sent*
    are the directions as the recording has them.
    """

    def __init__(
        self,
        handler: Any,
        mask_outgoing: bool,
        params: _WebSocketParams,
        begin: Begin,
        directions: tuple[str, str] = (IN, OUT),
    ) -> None:
        super().__init__(handler, mask_outgoing, params)
        self._begin = begin
        self._received, self._sent = directions
        self.flaw: str | None = None
        """What is wrong with the frame that is being handled."""

    def write_message(
        self, message: str | bytes | dict[str, Any], binary: bool = False
    ) -> Future[None]:
        data = utf8(json_encode(message) if isinstance(message, dict) else message)
        passing = self._begin(self._sent, BINARY if binary else TEXT, data)
        result = super().write_message(data, binary=binary)
        passing.ended()
        return result

    # Tornado's own pings and pongs, and closing, have no other place in common.
    def _write_frame(self, fin: bool, opcode: int, data: bytes, flags: int = 0) -> Future[None]:
        if not opcode & 0x8:
            return super()._write_frame(fin, opcode, data, flags)
        passing = self._begin(self._sent, opcode, data)
        result = super()._write_frame(fin, opcode, data, flags)
        passing.ended()
        return result

    def _handle_message(self, opcode: int, data: bytes) -> Future[None] | None:
        if self.client_terminated:
            return super()._handle_message(opcode, data)
        if not self.mask_outgoing:
            self.flaw = None if self._frame_mask is not None else UNMASKED
            self._frame_mask = None  # It would stand for the next frame too.
        if opcode in (TEXT, BINARY):
            result = super()._handle_message(opcode, data)
            # Only then it may be that Tornado could not decode it.
            if self.client_terminated and opcode == TEXT and not self._frame_compressed:
                self._note_undecodable(data)
            return result
        passing = self._begin(self._received, opcode, data)
        passing.flaw = HALF_A_CODE if opcode == CLOSE and len(data) == 1 else self.flaw
        result = super()._handle_message(opcode, data)
        passing.ended(None if opcode in NAMES else "unknown opcode")
        return result

    def _note_undecodable(self, data: bytes) -> None:
        try:
            data.decode()
        except UnicodeDecodeError as error:
            self._begin(self._received, TEXT, data).ended(f"UnicodeDecodeError: {error}")


def noting(get_websocket_protocol: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the method of handlers that makes their protocol, with one that notes."""

    @functools.wraps(get_websocket_protocol)
    def noted(self: Any) -> Any:
        protocol = get_websocket_protocol(self)
        trace = getattr(self.request, "loopscope_trace", None)
        if trace is None or type(protocol) is not WebSocketProtocol13:
            return protocol
        return NotedProtocol(self, protocol.mask_outgoing, protocol.params, trace.begin_message)

    return noted
