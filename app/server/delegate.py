"""What stands between Tornado's HTTP server and an application, and notes all that passes."""

from __future__ import annotations

import contextlib
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

from app.recording.events import SERVER
from app.recording.recorder import OWNER, Recorder

from .breakpoints import GONE, KILLED, Breakpoints, Place, parked_at_breakpoint
from .trace import ConnectionTrace, RequestTrace

_END_OF_HEAD = b"\r\n\r\n"
_set_owner = OWNER.set


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

    __slots__ = ("context", "inner", "set_close_callback", "stream", "trace")

    def __init__(self, inner: HTTP1Connection, trace: RequestTrace) -> None:
        self.inner = inner
        self.trace = trace
        self.stream = inner.stream
        self.context = inner.context
        self.set_close_callback = inner.set_close_callback
        """Lets a function be called when the connection closes; see HTTP1Connection."""

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
        if written:  # Nothing is while the client is gone.
            trace.response_head = bytes(written[: written.find(_END_OF_HEAD) + 4])
            trace.status = start_line[1]  # type: ignore[assignment]
            if chunk:
                trace.sent(chunk)
        if trace.drained:
            trace.changed()
        return future

    def write(self, chunk: bytes) -> Future[None]:
        if not self.stream.closed():
            self.trace.sent(chunk)
        return self.inner.write(chunk)

    def finish(self) -> None:
        trace = self.trace
        if trace.status == 101:  # A WebSocket lasts until its socket closes.
            trace.if_closed = "upgraded"
            self.inner.finish()
            return
        # Tornado closes in finish() what is not kept alive, and what falls short of its length.
        if not self.inner._expected_content_remaining:
            trace.if_closed = "finished"
        self.inner.finish()
        trace.end("finished")
        if not self.stream.writing():
            # All is sent: what the socket brings from now on is the next request's.
            trace.connection.belongs_to(SERVER)


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
        connection.belongs_to(SERVER)
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
        connection.belongs_to(trace.id)
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
