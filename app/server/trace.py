"""Connections and requests as they are recorded: on the socket, on the wire, in the delegate."""

from __future__ import annotations

import contextlib
from asyncio import Future
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.http1connection import HTTP1Connection
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, SSLIOStream

from app.recording.events import SERVER, Row
from app.recording.recorder import OWNER, Recorder

_END_OF_HEAD = b"\r\n\r\n"


class ConnectionTrace:
    """What is known of one accepted socket, recorded when it opens and when it closes."""

    def __init__(self, recorder: Recorder, remote: str, port: int, descriptor: int) -> None:
        recorder.connection_id += 1
        self.id = recorder.connection_id
        self.remote = remote
        self.port = port
        self.descriptor = descriptor
        self.bytes_in = 0
        self.bytes_out = 0
        self.head: Any = None
        """The latest read of a request's head: resolves to its raw bytes."""
        self.written: bytes = b""
        """The latest bytes handed to the stream."""
        self.request: RequestTrace | None = None
        self._recorder = recorder
        self._opened_ns = recorder.clock()
        recorder.owners[descriptor] = SERVER
        recorder.sockets[descriptor] = f"connection #{self.id} {remote}"
        self._record(None, None)

    def _record(self, closed_ns: int | None, reason: str | None) -> None:
        self._recorder.connections.append(
            (
                self.id,
                self.remote,
                self._opened_ns,
                closed_ns,
                self.bytes_in,
                self.bytes_out,
                self.descriptor,
                reason,
            )
        )

    def free(self) -> None:
        """From here until the next headers the connection belongs to no request."""
        self._recorder.owners[self.descriptor] = SERVER

    def closed(self, error: BaseException | None) -> None:
        """The socket is being closed; *error* is what went wrong on it, if anything."""
        self._recorder.owners.pop(self.descriptor, None)
        self._recorder.sockets.pop(self.descriptor, None)
        if self.request is not None:
            self.request.end("upgraded" if self.request.status == 101 else "aborted")
        self._record(self._recorder.clock(), repr(error) if error else "closed")


class RequestTrace:
    """One request while it is under way; `row` gives its row as it stands."""

    __slots__ = (
        "_chunks",
        "_recorder",
        "_request_chunks",
        "client",
        "connection",
        "end_ns",
        "handler",
        "id",
        "method",
        "outcome",
        "request_head",
        "request_size",
        "response_head",
        "response_size",
        "route",
        "run_id",
        "seq",
        "start_ns",
        "status",
        "uri",
        "version",
    )

    def __init__(
        self,
        recorder: Recorder,
        connection: ConnectionTrace,
        line: RequestStartLine | ResponseStartLine,
        head: bytes,
        client: str | None,
    ) -> None:
        recorder.request_id += 1
        self.id = recorder.request_id
        self.connection = connection
        self.client = client
        self.method, self.uri, self.version = map(str, line)
        self.route: str | None = None
        self.handler: str | None = None
        self.status: int | None = None
        self.start_ns = recorder.clock()
        self.end_ns: int | None = None
        self.request_head = head
        self.request_size = 0
        self.response_head = b""
        self.response_size = 0
        self.run_id = recorder.run_id
        self.outcome: str | None = None
        self.seq = 0
        """How many stages have begun."""
        self._request_chunks: list[bytes] = []
        self._chunks: list[bytes] = []
        self._recorder = recorder

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

    def end(self, outcome: str) -> None:
        """The request is over; only the first call counts."""
        if self.end_ns is None:
            self.end_ns = self._recorder.clock()
            self.outcome = outcome
            self._recorder.changed_requests.pop(self.id, None)
            self._recorder.requests.append(self.row())

    def changed(self) -> None:
        """Let the row be recorded as it stands at the next drain."""
        if self.end_ns is None:
            self._recorder.changed_requests[self.id] = self

    def row(self) -> Row:
        """Return the row as it stands now."""
        keep = self._recorder.keep
        ended = self.end_ns is not None
        chunks, request_chunks = self._chunks, self._request_chunks
        return (
            self.id,
            self.connection.id,
            self.client,
            self.method,
            self.uri,
            self.version,
            self.route,
            self.handler,
            self.status,
            self.start_ns,
            self.end_ns,
            self.request_head,
            keep(b"".join(request_chunks)) if ended and request_chunks else b"",
            self.request_size,
            self.response_head,
            keep(b"".join(chunks)) if ended and chunks else b"",
            self.response_size,
            self.run_id,
            self.outcome,
        )


def _observed(base: Any) -> Any:
    """Return a subclass of a stream class that counts bytes and notices the end.

    It overrides the hooks that Tornado gives subclasses. They are called for each read and write,
    so the base's methods are looked up once, here.
    """
    read_from_fd, write_to_fd = base.read_from_fd, base.write_to_fd
    read_until_regex, write, close_fd = base.read_until_regex, base.write, base.close_fd

    class Observed(base):  # type: ignore[misc]
        trace: ConnectionTrace

        def read_from_fd(self, buf: Any) -> int | None:
            count: int | None = read_from_fd(self, buf)
            if count:
                self.trace.bytes_in += count
            return count

        def write_to_fd(self, data: memoryview) -> int:
            count: int = write_to_fd(self, data)
            self.trace.bytes_out += count
            return count

        def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
            self.trace.head = future = read_until_regex(self, regex, max_bytes)
            return future  # type: ignore[no-any-return]

        def write(self, data: Any) -> Any:
            self.trace.written = data
            return write(self, data)

        def close_fd(self) -> None:
            self.trace.closed(self.error)
            close_fd(self)

    return Observed


_ObservedIOStream, _ObservedSSLIOStream = _observed(IOStream), _observed(SSLIOStream)


def observe_stream(stream: IOStream, recorder: Recorder, address: Any) -> ConnectionTrace:
    """Turn an accepted *stream* into an observed one, in place; return its trace.

    Tornado's TCPServer and HTTP1ServerConnection name their classes in their code, so an object
    can only be given the subclass after it was made.
    """
    remote, port = (f"{address[0]}:{address[1]}", address[1]) if address else ("", 0)
    trace = ConnectionTrace(recorder, remote, port, stream.socket.fileno())
    is_tls = isinstance(stream, SSLIOStream)
    stream.__class__ = _ObservedSSLIOStream if is_tls else _ObservedIOStream
    stream.trace = trace  # type: ignore[attr-defined]
    return trace


_write_headers = HTTP1Connection.write_headers
_write = HTTP1Connection.write
_finish = HTTP1Connection.finish


class ObservedConnection(HTTP1Connection):
    """One exchange on a connection: notes the response as it goes to the stream."""

    trace: RequestTrace

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> Future[None]:
        trace = self.trace
        connection = trace.connection
        connection.written = b""
        future = _write_headers(self, start_line, headers, chunk)
        written = connection.written
        trace.response_head = bytes(written[: written.find(_END_OF_HEAD) + 4])
        trace.status = start_line[1]  # type: ignore[assignment]
        if chunk:
            trace.sent(chunk)
        trace.changed()
        return future

    def write(self, chunk: bytes) -> Future[None]:
        self.trace.sent(chunk)
        return _write(self, chunk)

    def finish(self) -> None:
        _finish(self)
        trace = self.trace
        if trace.status == 101:  # A WebSocket lasts until its socket closes.
            return
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
    ) -> None:
        self.recorder = recorder
        self.application = application
        self.client_of_port = client_of_port

    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
        connection: ConnectionTrace = request_conn.stream.trace
        OWNER.set(SERVER)
        connection.free()
        connection.request = None
        return _RequestDelegate(self, connection, server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        self.application().on_close(server_conn)


class _RequestDelegate(HTTPMessageDelegate):
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
        client = parent.client_of_port(connection.port)
        trace = RequestTrace(parent.recorder, connection, start_line, head, client)
        connection.request = trace
        OWNER.set(trace.id)
        parent.recorder.owners[connection.descriptor] = trace.id
        self._request_conn.__class__ = ObservedConnection
        self._request_conn.trace = trace
        self._trace = trace
        self._inner = parent.application().start_request(self._server_conn, self._request_conn)
        try:
            return self._inner.headers_received(start_line, headers)
        finally:
            trace.changed()

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._trace.received(chunk)
        assert self._inner is not None
        return self._inner.data_received(chunk)

    def finish(self) -> None:
        assert self._inner is not None
        self._inner.finish()

    def on_connection_close(self) -> None:
        with contextlib.suppress(AttributeError):
            self._trace.end("aborted")
        if self._inner is not None:
            self._inner.on_connection_close()
