"""The server: starts, stops, and serves the application of the moment, observed."""

from __future__ import annotations

import contextlib
import contextvars
import socket
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakSet

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerConnectionDelegate
from tornado.log import app_log
from tornado.netutil import bind_sockets
from tornado.web import Application

from app.recording.events import SERVER
from app.recording.recorder import OWNER, Recorder

from .bit_by_bit import Work, finish, part
from .breakpoints import Breakpoints
from .build import building
from .delegate import ConnectionDelegate, ObservedIOStream
from .explain import explain_xsrf
from .foreign import Foreign
from .interrupted_routing import answer_interrupted_routing
from .keys import KeyRing
from .modules import HandlerModules
from .observe import Observer
from .parking import Parking
from .rules import known_rules
from .site import Site, SiteError, checking
from .trace import ConnectionTrace

T = TypeVar("T")
_MANY_RULES = 10_000
_AT_ONCE = 100
"""How many rules are freed in one go."""


class _ObservedHTTPServer(HTTPServer):
    recorder: Recorder
    streams: WeakSet[ObservedIOStream]

    def take(self, arguments: dict[str, Any]) -> None:
        """Treat connections from now on as an HTTPServer with *arguments* does."""
        other = HTTPServer(self.request_callback, **arguments)
        self.conn_params, self.xheaders = other.conn_params, other.xheaders
        self.protocol, self.trusted_downstream = other.protocol, other.trusted_downstream
        self.max_buffer_size, self.read_chunk_size = other.max_buffer_size, other.read_chunk_size

    def _handle_connection(self, connection: socket.socket, address: Any) -> None:
        # TCPServer's own names its stream class in its code. Giving an existing stream another
        # class would do too, but makes every later access to its attributes slower.
        try:
            stream = ObservedIOStream(
                connection,
                max_buffer_size=self.max_buffer_size,
                read_chunk_size=self.read_chunk_size,
            )
            remote, port = (f"{address[0]}:{address[1]}", address[1]) if address else ("", 0)
            stream.trace = ConnectionTrace(self.recorder, remote, port, connection.fileno())
            stream.trace.stream = stream
            self.streams.add(stream)
            self.handle_stream(stream, address)
        except Exception:
            app_log.error("Error in connection callback", exc_info=True)


class Server:
    """One HTTP server on the current asyncio loop, serving a site or a user's own application.

    What is served can be exchanged at any time: new requests get the new application, those under
    way finish on the old one, and no connection is dropped. *client_of_port* names the built-in
    client behind a remote port, if it is one. Requests are parked at *breakpoints*.
    """

    def __init__(
        self,
        recorder: Recorder,
        client_of_port: Callable[[int], str | None] = lambda port: None,
        breakpoints: Breakpoints | None = None,
    ) -> None:
        self.recorder = recorder
        self.breakpoints = breakpoints or Breakpoints(recorder.clock)
        self.site: Site | None = None
        self.address: tuple[str, int] | None = None
        """(host, port) while listening."""
        self.settings: dict[str, Any] = {}
        """Those of the application that is served."""
        self.keys = KeyRing()
        self._application: HTTPServerConnectionDelegate = Application()
        self._observer = Observer(recorder, explain_xsrf, Parking(self.breakpoints))
        self._modules = HandlerModules()
        self._delegate = ConnectionDelegate(
            recorder, lambda: self._application, client_of_port, self.breakpoints
        )
        self.foreign = Foreign(
            recorder,
            self._observer,
            client_of_port,
            self.breakpoints,
            _ObservedHTTPServer,
            self._found,
        )
        self._retired: Application | None = None
        self._http_server: _ObservedHTTPServer | None = None
        self._sockets: list[socket.socket] = []
        self._context = contextvars.copy_context()
        self._context.run(OWNER.set, SERVER)

    def apply(self, site: Site) -> None:
        """Serve *site* from the next request on.

        Raises SiteError with everything that is wrong; the last good version then goes on serving.
        """
        finish(self.applying(site))

    def applying(self, site: Site) -> Work[None]:
        """Do as `apply` does, bit by bit; all is exchanged at once in the last bit.

        Nothing is exchanged when this ends early, by an error or because it is given up.
        """
        return self._as_server(self._applying(site))

    def _as_server(self, work: Work[T]) -> Work[T]:
        """Do *work* as `run` would; what is left of it ends with this."""
        context = self._context.copy()
        with contextlib.closing(work):
            while True:
                try:
                    share = context.run(next, work)
                except StopIteration as end:
                    result: T = end.value
                    return result
                yield share

    def _applying(self, site: Site) -> Work[None]:
        problems = yield from part(checking(site), 0, 0.6)
        if problems:
            raise SiteError(problems)
        go_back = self._modules.load(site)
        try:
            old = self._application
            work: Work[Application] = building(site, self._modules, served=old)
            application = yield from part(work, 0.6, 0.9)
            answer_interrupted_routing(application)
            yield from part(self._observer.observing(application), 0.9, 1)
        except BaseException:
            go_back()
            raise
        self._application = application
        self._found(application)
        if isinstance(old, Application) and len(known_rules(old)) > _MANY_RULES:
            self._retired = old
        self.site = site
        if self._http_server is not None:
            self._http_server.take(site.server)

    def letting_go(self) -> Work[None]:
        """Take apart what was served before `apply`, bit by bit, if that has very many rules.

        They would be freed all at once, and that late or never: an Application and its routers
        refer to each other. What it answers still needs none of that, but for the named rules:
        ``reverse_url`` does.
        """
        retired, self._retired = self._retired, None
        if retired is not None:
            for name in ("find_handler", "get_handler_delegate"):  # Those that observe it.
                vars(retired).pop(name, None)
            routers = [rule.target for rule in retired.default_router.rules]
            for router in (retired.default_router, *routers):
                vars(router).pop("application", None)
            rules = retired.wildcard_router.rules
            while rules:
                del rules[-_AT_ONCE:]
                yield 0

    def build(self, site: Site, application_class: type[Application]) -> Application:
        """Build *site* with the handlers that are loaded now, without serving it.

        Raises SiteError.
        """
        return finish(self.building(site, application_class))

    def building(self, site: Site, application_class: type[Application]) -> Work[Application]:
        """Do as `build` does, bit by bit."""
        return self._as_server(self._building(site, application_class))

    def _building(self, site: Site, application_class: type[Application]) -> Work[Application]:
        if site is not self.site:
            problems = yield from part(checking(site), 0, 0.6)
            if problems:
                raise SiteError(problems)
        work = building(site, self._modules, application_class, self._application)
        return (yield from part(work, 0.6, 1))

    @property
    def modules(self) -> HandlerModules:
        """The handler modules of the site that is served."""
        return self._modules

    @property
    def root(self) -> HTTPServerConnectionDelegate:
        """What is asked for handlers now."""
        return self._application

    def serve(self, application: HTTPServerConnectionDelegate) -> None:
        """Serve the user's own *application*, or a router that leads to several."""
        self._application = application
        if isinstance(application, Application):
            answer_interrupted_routing(application)
            self.foreign.observe(application)

    def _found(self, application: Application) -> None:
        self.settings = application.settings
        self.keys.note(self.recorder.clock(), application.settings)

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call *function* as the server: what it starts belongs to the server's domain."""
        return self._context.copy().run(function, *args)

    def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen on *host* and *port*, 0 for a free one; return the address.

        Raises OSError when that is impossible, ValueError for a port out of range.
        """
        if not host:
            raise ValueError("a host is needed: an empty one would listen on every interface")
        if not 0 <= port <= 65535:
            raise ValueError(f"port {port} is not between 0 and 65535")
        sockets = bind_sockets(port, host)
        server = _ObservedHTTPServer(self._delegate, **(self.site.server if self.site else {}))
        server.recorder, server.streams = self.recorder, WeakSet()
        self._context.copy().run(server.add_sockets, sockets)
        bound = sockets[0].getsockname()
        for sock in sockets:
            self.recorder.sockets[sock.fileno()] = f"listen {bound[0]}:{bound[1]}"
            self.recorder.owners[sock.fileno()] = SERVER
        self._http_server, self._sockets = server, sockets
        self.address = (host, bound[1])
        return self.address

    def progress_of(self, request_id: int) -> int:
        """Return a number that grows with each stage or message of a request under way.

        0 for a request that is over or unknown.
        """
        streams = self._http_server.streams if self._http_server is not None else ()
        for stream in (*streams, *self.foreign.streams):
            request = stream.trace.request
            if request is not None and request.id == request_id and request.end_ns is None:
                return 1 + len(request.stages) + getattr(request, "messages", 0)
        return 0

    async def stop(self) -> None:
        """Stop listening and close every connection. Does nothing when stopped."""
        server, self._http_server = self._http_server, None
        if server is None:
            return
        self.address = None
        for sock in self._sockets:
            self.recorder.sockets.pop(sock.fileno(), None)
            self.recorder.owners.pop(sock.fileno(), None)
        self._sockets = []
        server.stop()
        self.breakpoints.kill_all()
        for stream in list(server.streams):
            stream.close()  # WebSockets too, which close_all_connections leaves open.
        await server.close_all_connections()
        await self.breakpoints.settled()

    async def close(self) -> None:
        """Stop and let go of the handler modules."""
        await self.stop()
        self._modules.unload()
