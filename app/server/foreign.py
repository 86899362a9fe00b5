"""Servers that the user's program starts by itself: observed on their own ports."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from weakref import WeakSet

import tornado.tcpserver
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPMessageDelegate, HTTPServerConnectionDelegate
from tornado.iostream import IOStream, SSLIOStream
from tornado.tcpserver import TCPServer
from tornado.template import Template
from tornado.web import Application

from app.recording.events import SERVER
from app.recording.recorder import OWNER, Recorder

from .breakpoints import Breakpoints
from .delegate import ConnectionDelegate, ObservedConnection, ObservedIOStream
from .error_words import error_words
from .observe import Observer
from .patches import Patches
from .trace import ConnectionTrace

_DELEGATE = "_loopscope_delegate"
"""The attribute of an observed server that holds what stands before it."""
_OBSERVED = "get_handler_delegate"
"""What an observed application has of its own, see `Observer`."""
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where to reach a server that listens on every interface."""


class Listening(NamedTuple):
    """A socket on which the program accepts connections. ``scheme`` is ``http``, ``https``, or
    ``tcp`` for a server that speaks no HTTP; ``host`` is a path for a Unix socket, with port 0."""

    scheme: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """The address, as a browser on this computer would reach it."""
        host = _EVERYWHERE.get(self.host, self.host)
        if not self.port:
            return f"unix:{host}"
        return f"{self.scheme}://[{host}]:{self.port}/" if ":" in host else self._url(host)

    def _url(self, host: str) -> str:
        return f"{self.scheme}://{host}:{self.port}/"


class Foreign:
    """Observes each TCPServer and HTTPServer that the server's own code lets listen.

    *own* is the class of the servers that are observed anyway. *found* is called with each
    Application when its first request comes. Nothing is observed but between `watch` and `unwatch`.
    """

    def __init__(
        self,
        recorder: Recorder,
        observer: Observer,
        client_of_port: Callable[[int], str | None],
        breakpoints: Breakpoints,
        own: type[HTTPServer],
        found: Callable[[Application], None],
    ) -> None:
        self._recorder = recorder
        self._observer = observer
        self._client_of_port = client_of_port
        self._breakpoints = breakpoints
        self._own = own
        self._found = found
        self._patches = Patches()
        self.servers: dict[TCPServer, list[Listening]] = {}
        """Those that listen, in the order in which they began to."""
        self.streams: WeakSet[IOStream] = WeakSet()
        self.kept: Callable[[], bool] = lambda: False
        """Whether servers go on, though the program stops them."""

    @property
    def listening(self) -> list[Listening]:
        """Where the program accepts connections by itself; HTTP first."""
        places = [place for places in self.servers.values() for place in places]
        return sorted(places, key=lambda place: (place.scheme == "tcp", not place.port))

    def watch(self) -> None:
        """Observe what begins to listen from now on."""
        put = self._patches.put_for_server
        put(tornado.tcpserver, "IOStream", self._plain_stream)
        put(tornado.tcpserver, "SSLIOStream", self._secure_stream)
        put(TCPServer, "add_sockets", self._add_sockets)
        put(TCPServer, "stop", self._stop)
        put(Template, "generate", _generate)
        # These two are called for each request.
        self._patches.put(Application, "find_handler", self._finding)
        self._patches.put(HTTPServer, "start_request", _starting)

    def unwatch(self) -> None:
        """Leave Tornado as it was."""
        self._patches.undo()

    async def close(self) -> None:
        """Stop all servers, and close their connections."""
        servers = list(self.servers)
        for server in servers:
            server.stop()
        for stream in list(self.streams):
            stream.close()
        for server in servers:
            if isinstance(server, HTTPServer):
                await server.close_all_connections()
        self.servers.clear()

    # -- Sockets -------------------------------------------------------------------------------

    def _add_sockets(
        self, original: Callable[..., None], server: TCPServer, sockets: Iterable[socket.socket]
    ) -> None:
        sockets = list(sockets)
        original(server, sockets)
        if isinstance(server, self._own):
            return
        if isinstance(server, HTTPServer):
            application = _Inner(server, _original_start_request)
            vars(server)[_DELEGATE] = ConnectionDelegate(
                self._recorder, lambda: application, self._client_of_port, self._breakpoints
            )
        scheme = "tcp"
        if isinstance(server, HTTPServer):
            scheme = "https" if server.ssl_options is not None else "http"
        places = self.servers.setdefault(server, [])
        for sock in sockets:
            name = sock.getsockname()
            host, port = (str(name), 0) if isinstance(name, str | bytes) else name[:2]
            places.append(Listening(scheme, host, port))
            self._recorder.sockets[sock.fileno()] = f"listen {host}:{port}"
            self._recorder.owners[sock.fileno()] = SERVER

    def _stop(self, original: Callable[..., None], server: TCPServer) -> None:
        if server in self.servers and self.kept():
            return
        if self.servers.pop(server, None) is not None:
            for descriptor in server._sockets:
                self._recorder.sockets.pop(descriptor, None)
                self._recorder.owners.pop(descriptor, None)
        original(server)

    # -- Connections ---------------------------------------------------------------------------

    def _plain_stream(self, original: object, sock: socket.socket, **kwargs: Any) -> IOStream:
        return self._traced(ObservedIOStream(sock, **kwargs), sock)

    def _secure_stream(self, original: object, sock: socket.socket, **kwargs: Any) -> IOStream:
        return self._traced(_ObservedSSLIOStream(sock, **kwargs), sock)

    def _traced(
        self, stream: ObservedIOStream | _ObservedSSLIOStream, sock: socket.socket
    ) -> IOStream:
        remote, port = "", 0
        try:
            name = sock.getpeername()
        except OSError:
            name = None  # It is gone again; the first read will tell.
        if isinstance(name, tuple):
            remote, port = f"{name[0]}:{name[1]}", name[1]
        stream.trace = ConnectionTrace(self._recorder, remote, port, sock.fileno())
        stream.trace.stream = stream
        self.streams.add(stream)
        return stream

    # -- Requests ------------------------------------------------------------------------------

    def _finding(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def find_handler(application: Application, request: Any, **kwargs: Any) -> Any:
            if _OBSERVED not in application.__dict__ and OWNER.get() >= SERVER:
                self.observe(application)
            return original(application, request, **kwargs)

        return find_handler

    def observe(self, application: Application) -> None:
        """Let the requests to *application* leave stages; the second time does nothing."""
        if _OBSERVED not in vars(application):
            self._observer.observe(application)
            self._found(application)


_original_start_request = HTTPServer.start_request


def _starting(original: Callable[..., HTTPMessageDelegate]) -> Callable[..., Any]:
    def start_request(server: HTTPServer, server_conn: object, request_conn: Any) -> Any:
        delegate = server.__dict__.get(_DELEGATE)
        if delegate is None or type(request_conn) is ObservedConnection:
            return original(server, server_conn, request_conn)
        return delegate.start_request(server_conn, request_conn)

    return start_request


class _Inner(HTTPServerConnectionDelegate):
    """What the server would have done with a request by itself."""

    def __init__(self, server: HTTPServer, start_request: Callable[..., Any]) -> None:
        self._server = server
        self._start_request = start_request
        self._callback: object = None
        self._handler = ""

    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
        callback = self._server.request_callback
        if callback is not self._callback:
            self._callback, self._handler = callback, ""
            if not isinstance(callback, HTTPServerConnectionDelegate):
                kind = callback if isinstance(callback, type) else type(callback)
                self._handler = kind.__qualname__  # Such as WSGIContainer.
        if self._handler:
            request_conn.trace.handler = self._handler
        inner: HTTPMessageDelegate = self._start_request(self._server, server_conn, request_conn)
        return inner


class _ObservedSSLIOStream(SSLIOStream):
    """As `ObservedIOStream`, with TLS: what is counted are the bytes of HTTP."""

    trace: ConnectionTrace

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        count = super().read_from_fd(buf)
        if count:
            self.trace.bytes_in += count
        elif count == 0:
            self.trace.at_end = True
        return count

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Any:
        self.trace.head = future = super().read_until_regex(regex, max_bytes)
        return future

    def write(self, data: bytes | memoryview) -> Any:
        self.trace.written = data
        return super().write(data)

    def close_fd(self) -> None:
        self.trace.closed(self.error)
        super().close_fd()


def _generate(original: Callable[..., bytes], template: Template, **kwargs: Any) -> bytes:
    """Leave a stage for each template that a handler fills."""
    request = getattr(kwargs.get("handler"), "request", None)
    trace = getattr(request, "loopscope_trace", None)
    if trace is None:
        return original(template, **kwargs)
    place = trace.begin_stage("template", time.monotonic_ns())
    detail = str(template.name)
    try:
        return original(template, **kwargs)
    except Exception as error:
        detail = f"{error_words(error)} ({template.name})"
        raise
    finally:
        trace.end_stage(place, detail)
