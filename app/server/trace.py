"""Connections and requests as they are recorded: on the socket, on the wire, in the delegate."""

from __future__ import annotations

import contextlib
import time
from asyncio import Future
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.http1connection import HTTP1Connection
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream
from tornado.log import app_log

from app.recording.events import SERVER, Row
from app.recording.recorder import CONNECTION, OWNER, Recorder

from .breakpoints import GONE, KILLED, Breakpoints, Place, parked_at_breakpoint
from .websocket import Passing

_END_OF_HEAD = b"\r\n\r\n"
_MALFORMED = b"HTTP/1.1 400 Bad Request\r\n\r\n"
"""What Tornado's HTTP1Connection writes by itself, past the application."""
_MOST_STAGES = 4 * 200
"""A WebSocket with more than 200 stages (of four fields each) notes no more failures."""
_now = time.monotonic_ns
_set_owner = OWNER.set


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

    def free(self) -> None:
        """From here until the next headers the connection belongs to no request."""
        self._recorder.owners[self.descriptor] = SERVER

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
        body = self._request_chunks and self._joined(self._request_chunks)
        sent = self._chunks and self._joined(self._chunks)
        so_far = (
            self.route,
            self.handler,
            self.status,
            self.start_ns,
            self.end_ns,
            self.request_head,
            body or b"",
            self.request_size,
            self.response_head,
            sent or b"",
            self.response_size,
            self.run_id,
            self.outcome,
            tuple(self.stages),
        )
        return self._head + so_far

    def _joined(self, chunks: list[bytes]) -> bytes:
        return self._recorder.keep(b"".join(chunks)) if self.end_ns is not None else b""


class ObservedIOStream(IOStream):
    """An accepted stream that counts its bytes and notices its end, in Tornado's own hooks."""

    trace: ConnectionTrace

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        count = _read_from_fd(self, buf)
        if count:
            self.trace.bytes_in += count
        elif count == 0:
            self.trace.at_end = True
        return count

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        self.trace.head = future = _read_until_regex(self, regex, max_bytes)
        return future

    def write(self, data: bytes | memoryview) -> Future[None]:
        self.trace.written = data
        return _write(self, data)

    def close_fd(self) -> None:
        self.trace.closed(self.error)
        super().close_fd()


# Called for each read and write: super() would look them up every time.
_read_from_fd = IOStream.read_from_fd
_read_until_regex, _write = IOStream.read_until_regex, IOStream.write


class ObservedConnection(HTTPConnection):
    """One exchange on a connection, as the application sees it: notes the response on its way.

    It stands before Tornado's HTTP1Connection and passes everything on.
    """

    __slots__ = ("context", "inner", "stream", "trace")

    def __init__(self, inner: HTTP1Connection, trace: RequestTrace) -> None:
        self.inner = inner
        self.trace = trace
        self.stream = inner.stream
        self.context = inner.context

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Let *callback* be called when the connection closes; see HTTP1Connection."""
        self.inner.set_close_callback(callback)

    def detach(self) -> IOStream:
        """Take the stream from the connection; see HTTP1Connection."""
        return self.inner.detach()

    def set_body_timeout(self, timeout: float) -> None:
        """Set how long the body may take, in s; see HTTP1Connection."""
        self.inner.set_body_timeout(timeout)

    def set_max_body_size(self, max_body_size: int) -> None:
        """Set the limit of the body, in bytes; see HTTP1Connection."""
        self.inner.set_max_body_size(max_body_size)

    @property
    def no_keep_alive(self) -> bool:
        """Whether the connection closes after this exchange; a handler may set it."""
        return self.inner.no_keep_alive

    @no_keep_alive.setter
    def no_keep_alive(self, value: bool) -> None:
        self.inner.no_keep_alive = value

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> Future[None]:
        trace = self.trace
        connection = trace.connection
        connection.written = b""
        future = self.inner.write_headers(start_line, headers, chunk)
        written = connection.written
        trace.response_head = bytes(written[: written.find(_END_OF_HEAD) + 4])
        trace.status = start_line[1]  # type: ignore[assignment]
        if chunk:
            trace.sent(chunk)
        if trace.drained:
            trace.changed()
        return future

    def write(self, chunk: bytes) -> Future[None]:
        self.trace.sent(chunk)
        return self.inner.write(chunk)

    def finish(self) -> None:
        trace = self.trace
        if trace.status == 101:  # A WebSocket lasts until its socket closes.
            trace.if_closed = "upgraded"
            self.inner.finish()
            return
        trace.if_closed = "finished"  # Tornado closes in finish() what is not kept alive.
        self.inner.finish()
        trace.end("finished")
        if not self.stream.writing():
            # All is sent: what the socket brings from now on is the next request's.
            trace.connection.free()


class ConnectionDelegate(HTTPServerConnectionDelegate):
    """Stands between Tornado's HTTP server and the application; numbers each request.

    *application* is asked for each request anew, once its headers are there: the delegate of a
    kept-alive connection is made long before.
    """

    def __init__(
        self,
        recorder: Recorder,
        application: Callable[[], HTTPServerConnectionDelegate],
        client_of_port: Callable[[int], str | None],
        breakpoints: Breakpoints,
    ) -> None:
        self.recorder = recorder
        self.breakpoints = breakpoints
        self.application = application
        self.client_of_port = client_of_port

    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
        connection: ConnectionTrace = request_conn.stream.trace
        _set_owner(SERVER)
        connection.free()
        connection.request = None
        return _RequestDelegate(self, connection, server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        self.application().on_close(server_conn)


class _RequestDelegate(HTTPMessageDelegate):
    __slots__ = ("_connection", "_inner", "_parent", "_request_conn", "_server_conn", "_trace")

    def __init__(
        self, parent: ConnectionDelegate, connection: ConnectionTrace, server: object, request: Any
    ) -> None:
        self._parent = parent
        self._connection = connection
        self._server_conn = server
        self._request_conn = request
        self._inner: HTTPMessageDelegate | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        parent, connection = self._parent, self._connection
        head: bytes = connection.head.result()
        client = None if connection.foreign else parent.client_of_port(connection.port)
        connection.foreign = client is None
        trace = RequestTrace(parent.recorder, connection, start_line, head, client)
        connection.request = trace
        _set_owner(trace.id)
        parent.recorder.owners[connection.descriptor] = trace.id
        self._trace = trace
        self._inner = parent.application().start_request(
            self._server_conn, ObservedConnection(self._request_conn, trace)
        )
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._trace.received(chunk)
        assert self._inner is not None
        return self._inner.data_received(chunk)

    def finish(self) -> None:
        assert self._inner is not None
        if self._parent.breakpoints.active:
            points, trace = self._parent.breakpoints, self._trace
            # A handler to which the body is streamed is there by now.
            before = trace.method.lower() if "initialize" in trace.stages else "__init__"
            place = points.park("received", trace, before)
            if place is not None:
                points.spawn(self._finish_when_released(place))
                return
        self._inner.finish()

    async def _finish_when_released(self, place: Place) -> None:
        assert self._inner is not None
        try:
            if await parked_at_breakpoint(place) in (GONE, KILLED):
                return  # The inner delegate knows that its connection is closed.
        except BaseException:
            self._trace.close()  # Somebody cancelled or failed the wait: there is no answer.
            raise
        try:
            self._inner.finish()
        except Exception:
            # As HTTP1Connection does, which calls it as a rule.
            app_log.error("Uncaught exception", exc_info=True)
            self.on_connection_close()
            self._request_conn.close()

    def on_connection_close(self) -> None:
        with contextlib.suppress(AttributeError):
            self._trace.end("aborted")
        if self._inner is not None:
            self._inner.on_connection_close()
