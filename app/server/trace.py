"""What is known of connections and of requests while they are under way, and how it is recorded."""

from __future__ import annotations

import sys
import time
from typing import Any

from tornado.httputil import (
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream

from app.recording.events import SERVER, Row
from app.recording.recorder import CONNECTION, Recorder

from .breakpoints import GONE, Place
from .websocket import Passing

_MALFORMED = b"HTTP/1.1 400 Bad Request\r\n\r\n"
"""What Tornado's HTTP1Connection writes by itself, past the application."""
_MOST_STAGES = 4 * 200
"""A WebSocket with more than 200 stages (of four fields each) notes no more failures."""
_now = time.monotonic_ns


class ConnectionTrace:
    """What is known of one accepted socket, recorded when it opens and when it closes."""

    def __init__(self, recorder: Recorder, remote: str, port: int, descriptor: int) -> None:
        recorder.connection_id += 1
        self.id = recorder.connection_id
        self.remote = remote
        self.port = port
        self.descriptor = descriptor
        self.bytes_in = 0
        self.foreign = False
        """Whether it is known to come from none of the built-in clients."""
        self.stream: IOStream | None = None
        self.head: Any = None
        """The latest read of a request's head: resolves to its raw bytes."""
        self.written: bytes | memoryview = b""
        """The latest bytes handed to the stream."""
        self.at_end = False
        """Whether the client has closed its side."""
        self.request: RequestTrace | None = None
        self._recorder = recorder
        self._opened_ns = recorder.clock()
        recorder.owners[descriptor] = SERVER
        recorder.sockets[descriptor] = f"{CONNECTION}{self.id} {remote}"
        recorder.begun_connections[self.id] = self._row(None, None)

    def _row(self, closed_ns: int | None, reason: str | None) -> Row:
        return (
            self.id,
            self.remote,
            self._opened_ns,
            closed_ns,
            self.bytes_in,
            # Tornado counts what it has written, not what it has read.
            self.stream._total_write_done_index if self.stream else 0,
            self.descriptor,
            reason,
        )

    def belongs_to(self, owner: int) -> None:
        """From here on what the socket brings is *owner*'s, as in `events`."""
        if self.stream is not None:  # Else its descriptor may be another socket's by now.
            self._recorder.owners[self.descriptor] = owner

    def closed(self, error: BaseException | None) -> None:
        """The socket is being closed; *error* is what went wrong on it, if anything."""
        self._recorder.owners.pop(self.descriptor, None)
        self._recorder.sockets.pop(self.descriptor, None)
        self._recorder.closed.append(self.descriptor)
        reason = self._reason(error)
        if reason == "malformed request":
            self._refused()
        if self.request is not None:
            self.request.end(self.request.if_closed)
            if self.request.parked is not None:
                self.request.parked.release(GONE)
        self._recorder.begun_connections.pop(self.id, None)
        self._recorder.connections.append(self._row(self._recorder.clock(), reason))
        self.stream = None  # It refers to this.

    def _reason(self, error: BaseException | None) -> str:
        """Return in words who closes the connection, and why; not yet with the request ended."""
        if error is not None:
            reset = isinstance(error, ConnectionResetError | BrokenPipeError)
            return "reset by the client" if reset else repr(error)
        if self.at_end:
            return "closed by the client"
        if self.written == _MALFORMED:
            return "malformed request"
        if isinstance(sys.exception(), TimeoutError):  # Tornado closes while it handles that.
            return "timed out"
        if self.request is None or self.request.if_closed == "upgraded":
            return "closed by the server"
        if self.request.if_closed == "finished":
            return "not kept alive"
        return "closed by the server in the middle of a request"

    def _refused(self) -> None:
        """Tornado has answered what it could not read, without telling the application."""
        if self.request is None:
            head: bytes = self.head.result()
            first = head.lstrip(b"\r\n").partition(b"\n")[0].rstrip(b"\r").decode("latin-1")
            method, _, rest = first.partition(" ")
            if not (method.isascii() and method.isalpha()):
                method, rest = "?", f"{first} "
            uri, _, version = rest.rpartition(" ") if " " in rest else (rest, "", "")
            line = RequestStartLine(method, uri, version)
            self.request = RequestTrace(self._recorder, self, line, head, None)
        if self.request.status is None:
            self.request.status, self.request.response_head = 400, _MALFORMED
            self.request.end("finished")


class RequestTrace:
    """One request while it is under way; `row` gives its row as it stands."""

    # CPython finds neither defaults of a class nor static methods quickly, and all of this is used
    # for every request.
    __slots__ = (
        "_chunks",
        "_head",
        "_recorder",
        "_request_chunks",
        "connection",
        "drained",
        "end_ns",
        "handler",
        "id",
        "if_closed",
        "messages",
        "outcome",
        "parked",
        "request_head",
        "request_size",
        "response_head",
        "response_size",
        "route",
        "run_id",
        "stages",
        "start_ns",
        "status",
    )

    def __init__(
        self,
        recorder: Recorder,
        connection: ConnectionTrace,
        line: RequestStartLine | ResponseStartLine,
        head: bytes,
        client: str | None,
    ) -> None:
        recorder.request_id = self.id = recorder.request_id + 1
        self.connection = connection
        method, uri, version = line
        self._head = (self.id, connection.id, client, method, uri, version)
        self.route: str | None = None
        self.handler: str | None = None
        self.status: int | None = None
        self.request_head = head
        self.request_size = 0
        self._request_chunks: list[bytes] = []
        self.response_head = b""
        self.response_size = 0
        self._chunks: list[bytes] = []
        self.run_id = recorder.run_id
        self.stages: list[Any] = []
        """Of each stage its name, start, end and what it raised."""
        self.parked: Place | None = None
        """Where a breakpoint keeps it waiting."""
        self.if_closed = "aborted"
        """The outcome if the socket is closed now."""
        self.outcome: str | None = None
        self.end_ns: int | None = None
        self.drained = False
        """Whether a row has been made since the last change."""
        self._recorder = recorder
        recorder.changed_requests[self.id] = self
        self.start_ns = _now()

    @property
    def client(self) -> str | None:
        """The built-in client that asks."""
        return self._head[2]

    @property
    def method(self) -> str:
        """The verb, in capitals."""
        return self._head[3]

    def close(self) -> None:
        """Close the connection."""
        if self.connection.stream is not None:
            self.connection.stream.close()

    def received(self, chunk: bytes) -> None:
        """A part of the request's body has arrived."""
        if self.request_size < self._recorder.body_cap:
            self._request_chunks.append(chunk)
        self.request_size += len(chunk)

    def sent(self, chunk: bytes) -> None:
        """A part of the response's body is being sent."""
        if self.response_size < self._recorder.body_cap:
            self._chunks.append(bytes(chunk))
        self.response_size += len(chunk)

    def add_stage(self, name: str, start_ns: int, detail: str | None) -> None:
        """Record a stage that ends now."""
        self.stages.extend((name, start_ns, _now(), detail))
        self.changed()

    def begin_stage(self, name: str, start_ns: int) -> int:
        """Record a stage that goes on; return its place for `end_stage`."""
        place = len(self.stages)
        self.stages.extend((name, start_ns, None, None))
        if self.drained:
            self.changed()
        return place

    def end_stage(self, place: int, detail: str | None) -> None:
        """Record the end of a stage, and what it raised."""
        self.stages[place + 2 : place + 4] = (_now(), detail)
        if self.drained:
            self.changed()

    def begin_message(self, direction: str, opcode: int, data: bytes) -> Passing:
        """Begin to note a message of the WebSocket that this request became."""
        self.messages = getattr(self, "messages", 0) + 1
        return Passing(self._recorder, self.id, direction, opcode, data)

    def add_failure(self, name: str, start_ns: int, detail: str) -> None:
        """Record a message that could not be sent, unless there were many already."""
        if len(self.stages) < _MOST_STAGES:
            self.add_stage(name, start_ns, detail)
        else:
            self._recorder.dropped["stages"] += 1

    def end(self, outcome: str) -> None:
        """The request is over; only the first call counts."""
        if self.end_ns is None:
            self.end_ns = _now()
            self.outcome = outcome
            if self.drained:
                self.changed()

    def changed(self) -> None:
        """Let the row be recorded as it stands at the next drain. Not needed until `drained`."""
        self.drained = False
        self._recorder.changed_requests[self.id] = self

    def row(self) -> Row:
        """Return the row as it stands now."""
        self.drained = True
        over, keep = self.end_ns is not None, self._recorder.keep
        body = keep(b"".join(self._request_chunks)) if over and self._request_chunks else b""
        sent = keep(b"".join(self._chunks)) if over and self._chunks else b""
        so_far = (
            self.route,
            self.handler,
            self.status,
            self.start_ns,
            self.end_ns,
            self.request_head,
            body,
            self.request_size,
            self.response_head,
            sent,
            self.response_size,
            self.run_id,
            self.outcome,
            tuple(self.stages),
        )
        return self._head + so_far
