"""Named clients that fire real HTTP requests: each with its own cookie jar and connections.

They stand on Tornado's `IOStream` and `HTTP1Connection`, because Tornado's own HTTP client closes
the connection after each request and here keep-alive must be real. What goes over the wire is
what was asked for: header names keep their case, paths are not normalised, nothing is guessed.

Everything a client does runs with the recorder's OWNER set to CLIENT, so that the loop can tell
its runs from the server's.
"""

from __future__ import annotations

import asyncio
import contextvars
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, urljoin, urlsplit

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, StreamClosedError

from app.recording.events import CLIENT
from app.recording.recorder import OWNER
from app.server.jar import Jar, SameSiteContext, Verdict, Withheld, parse_set_cookie, site_of

Pair = tuple[str, str]
T = TypeVar("T")

MAX_REDIRECTS = 10
BODY_CAP = 1 << 20
"""Bytes of a response's body that are read at most, unless a request says otherwise."""
BURST_BODIES = 64 << 20
"""Bytes of bodies that one burst keeps; the bodies after that are read but not kept."""
IDLE_PER_ORIGIN = 16
"""Idle connections that a client keeps open to one origin."""
CONTINUE_SECONDS = 1.0
"""How long a body waits for ``100 Continue`` before it is sent all the same, as in curl."""


class InvalidRequest(ValueError):
    """A request that cannot be sent. *field* names what is wrong with it, for the form."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True)
class ClientRequest:
    """A request to fire. ``url`` is absolute; ``headers`` are sent as given, in this order.

    Host, User-Agent, Accept, Cookie and Content-Length are added when they are missing.
    *timeout* is in seconds, for the whole fetch with its redirects; None waits for ever, which
    a paused server may need. *body_cap* is in bytes.
    """

    url: str
    method: str = "GET"
    headers: tuple[Pair, ...] = ()
    body: bytes = b""
    follow_redirects: bool = True
    timeout: float | None = 60.0
    body_cap: int = BODY_CAP


@dataclass
class ClientResponse:
    """What came of a request. ``status`` is 0 when there was no answer; *error* then says why.

    A body that was cut keeps its status and sets *truncated*; *body_size* is its whole size as
    far as known. *elapsed* is in seconds. *redirects* are the answers that led here. *withheld*
    are cookies that were not sent, *verdicts* what became of each Set-Cookie. *reused* says that
    the connection had served before, *retried* that a stale one was replaced.
    """

    client: str
    method: str
    url: str
    status: int = 0
    reason: str = ""
    version: str = ""
    headers: list[Pair] = field(default_factory=list)
    body: bytes = b""
    body_size: int = 0
    body_cap: int = BODY_CAP
    truncated: bool = False
    elapsed: float = 0.0
    redirects: list[ClientResponse] = field(default_factory=list)
    error: str = ""
    sent_headers: list[Pair] = field(default_factory=list)
    withheld: list[Withheld] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    local_port: int = 0
    reused: bool = False
    retried: bool = False

    def header(self, name: str) -> str | None:
        """Return the first header called *name*, in any case, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Origin(NamedTuple):
    """Where connections go to: ``http`` or ``https``, a host without brackets, a port."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """The value of a Host header: the port is left out when it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


_PORTS = {"http": 80, "https": 443}


class Ports:
    """Which client is behind a local port, from before the server can accept the connection.

    *sockets* is told likewise who is behind a descriptor; see `Recorder.sockets`.
    """

    def __init__(self, sockets: dict[int, str] | None = None) -> None:
        self.sockets = {} if sockets is None else sockets
        self._clients: dict[int, dict[int, Client]] = {}

    def add(self, local: int, remote: int, client: Client) -> None:
        """Note that *client* speaks from port *local* to a server's port *remote*."""
        self._clients.setdefault(local, {})[remote] = client

    def remove(self, local: int, remote: int) -> None:
        """Forget a connection; unknown ones are ignored."""
        clients = self._clients.get(local, {})
        clients.pop(remote, None)
        if not clients:
            self._clients.pop(local, None)

    def client_at(self, local: int, remote: int | None = None) -> Client | None:
        """Return the client at port *local*; *remote* tells apart servers on several ports."""
        clients = self._clients.get(local, {})
        if remote is not None:
            return clients.get(remote)
        return next(iter(clients.values()), None)

    def __len__(self) -> int:
        return sum(len(clients) for clients in self._clients.values())


class Client:
    """One named client: a cookie jar, and connections that are kept alive.

    *keeps_cookies* False refuses and sends no cookies, like a bare script. *origin* is the page
    that the client's requests come from, such as ``http://evil.localhost``: then they carry
    Origin and Sec-Fetch-Site as a browser's form would, and SameSite applies.
    """

    def __init__(
        self,
        name: str,
        *,
        keeps_cookies: bool = True,
        origin: str = "",
        ports: Ports | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.keeps_cookies = keeps_cookies
        self.origin = origin
        self.jar = Jar()
        self.closed = False
        self._clock = clock
        self._ports = ports if ports is not None else Ports()
        self._connections: set[_Connection] = set()
        self._idle: dict[Origin, list[_Connection]] = {}

    async def fetch(self, request: ClientRequest) -> ClientResponse:
        """Send *request*, follow its redirects, and return what came of it.

        What the network or the server does wrong is told in ``error``. Raises InvalidRequest (a
        ValueError) for a request that cannot be sent.
        """
        check(request)
        return await _as_client(self._fetch(request))

    def cookie_header(self, url: str, method: str = "GET") -> tuple[str, list[Withheld]]:
        """Return the Cookie header that a request would carry now, and what it leaves out.

        Raises ValueError for a URL without a host.
        """
        context = self._context(url)
        header, withheld = self.jar.header(
            url, self._clock(), method=method, same_site_context=context
        )
        if self.keeps_cookies:
            return header, withheld
        return "", [
            Withheld(cookie.name, "UserPreferences", cookie) for cookie in self.jar.cookies()
        ]

    def xsrf_header(self, url: str, cookie_name: str = "_xsrf") -> Pair | None:
        """Return the X-Xsrftoken header that repeats the XSRF cookie, or None without a cookie.

        Raises ValueError for a URL without a host.
        """
        value = self.jar.value_of(cookie_name, url, self._clock()) if self.keeps_cookies else None
        return ("X-Xsrftoken", value) if value else None

    @property
    def connections(self) -> int:
        """How many connections are open, idle ones included."""
        return len(self._connections)

    def close_idle(self) -> None:
        """Close the connections that no request is using."""
        for idle in list(self._idle.values()):
            for connection in list(idle):
                connection.close()

    def close(self) -> None:
        """Close every connection; requests under way end with an error. Idempotent."""
        self.closed = True
        for connection in list(self._connections):
            connection.close()

    async def _fetch(self, request: ClientRequest) -> ClientResponse:
        started = time.monotonic()
        hops: list[ClientResponse] = []
        try:
            async with asyncio.timeout(request.timeout):
                await self._follow(request, hops)
        except TimeoutError:
            hops[-1].error = f"no complete answer within {request.timeout:g} s"
        response = hops.pop()
        response.redirects = hops
        response.elapsed = time.monotonic() - started
        return response

    async def _follow(self, request: ClientRequest, hops: list[ClientResponse]) -> None:
        """Send *request* and whatever it is redirected to; leave the responses in *hops*."""
        while True:
            response = ClientResponse(
                self.name, request.method, request.url, body_cap=request.body_cap
            )
            hops.append(response)
            await self._once(request, response)
            if response.error or not request.follow_redirects:
                return
            try:
                following = _redirected(request, response)
            except ValueError as error:
                response.error = f"the redirect leads nowhere: {error}"
                return
            if following is None:
                return
            if len(hops) > MAX_REDIRECTS:
                loop = any(hop.url == following.url for hop in hops)
                what = "a redirect loop" if loop else "too many redirects"
                response.error = f"{what}: given up after {MAX_REDIRECTS}"
                return
            request = following

    async def _once(self, request: ClientRequest, response: ClientResponse) -> None:
        """Send one request and read its answer; once more if a kept connection was stale."""
        started = time.monotonic()
        origin, target = _split(request.url)
        headers, withheld = self._headers(request, origin)
        response.sent_headers, response.withheld = headers, withheld
        exchange = _Exchange(request, target, headers, _Answer(request.body_cap))
        try:
            connection = self._reusable(origin)
            if connection is not None:
                await self._exchange(connection, exchange, response)
                response.retried = exchange.answer.stale and not self.closed
            if connection is None or response.retried:
                exchange = exchange._replace(answer=_Answer(request.body_cap))
                connection = await self._connect(origin)
                await self._exchange(connection, exchange, response)
        except OSError as error:
            response.error = _told(error, origin)
        finally:
            self._fill(response, exchange.answer)
            response.elapsed = time.monotonic() - started

    async def _exchange(
        self, connection: _Connection, exchange: _Exchange, response: ClientResponse
    ) -> None:
        """Run *exchange* over *connection*, then keep that connection or close it."""
        response.local_port, response.reused = connection.local_port, connection.used
        kept = False
        try:
            await connection.run(exchange)
            kept = exchange.answer.keeps_alive and not _wants_close(exchange.headers)
            kept = kept and not connection.stream.closed()
        finally:
            if kept:
                self._release(connection)
            else:
                connection.close()

    def _fill(self, response: ClientResponse, answer: _Answer) -> None:
        response.status, response.reason = answer.status, answer.reason
        response.version, response.headers = answer.version, answer.headers
        response.body, response.body_size = bytes(answer.body), answer.size
        response.truncated = answer.truncated
        response.error = response.error or answer.error
        response.verdicts = [
            self._store(response.url, value)
            for name, value in answer.headers
            if name.lower() == "set-cookie"
        ]

    def _store(self, url: str, set_cookie: str) -> Verdict:
        if not self.keeps_cookies:
            return Verdict(False, "UserPreferences", parse_set_cookie(set_cookie).name)
        return self.jar.store(url, set_cookie, self._clock(), same_site_context=self._context(url))

    def _context(self, url: str) -> SameSiteContext:
        """Return how the client's page stands to *url*; its requests count as forms and links."""
        if not self.origin or site_of(self.origin) == site_of(url):
            return "same-site"
        return "cross-site-navigation"

    def _headers(self, request: ClientRequest, origin: Origin) -> tuple[list[Pair], list[Withheld]]:
        """Return the headers to send, as Latin-1 text, and the cookies that stay behind."""
        given = {name.lower() for name, _ in request.headers}
        added = [("Host", origin.authority), ("User-Agent", "Loopscope"), ("Accept", "*/*")]
        added += self._origin_headers(request, origin)
        pairs = [pair for pair in added if pair[0].lower() not in given]
        pairs += [(name, _wire(value)) for name, value in request.headers]
        withheld: list[Withheld] = []
        if "cookie" not in given:
            cookies, withheld = self.cookie_header(request.url, request.method)
            if cookies:
                pairs.append(("Cookie", cookies))
        framed = given & {"content-length", "transfer-encoding"}
        if not framed and (request.body or request.method.upper() in _BODY_METHODS):
            pairs.append(("Content-Length", str(len(request.body))))
        return pairs, withheld

    def _origin_headers(self, request: ClientRequest, origin: Origin) -> list[Pair]:
        """Return what a browser adds to a form sent from the client's page (Fetch standard)."""
        if not self.origin:
            return []
        own = f"{origin.scheme}://{origin.authority}"
        relation = "same-site" if self._context(request.url) == "same-site" else "cross-site"
        pairs = [("Sec-Fetch-Site", "same-origin" if own == self.origin else relation)]
        if request.method.upper() not in ("GET", "HEAD"):
            pairs.append(("Origin", self.origin))
        return pairs

    def _reusable(self, origin: Origin) -> _Connection | None:
        idle = self._idle.get(origin, [])
        while idle:
            connection = idle.pop()
            if connection.fresh():
                connection.stream.set_close_callback(None)
                return connection
            connection.close()
        return None

    def _release(self, connection: _Connection) -> None:
        idle = self._idle.setdefault(connection.origin, [])
        if self.closed or len(idle) >= IDLE_PER_ORIGIN:
            connection.close()
            return
        connection.used = True
        idle.append(connection)
        # With a close callback the stream listens while it is idle, so that a connection which
        # the server closes is let go at once.
        connection.stream.set_close_callback(connection.close)

    async def _connect(self, origin: Origin) -> _Connection:
        """Connect to the first address of *origin* that answers; raises OSError if none does.

        Tornado's TCPClient is not used: cancelled at the wrong moment it loses a connected
        socket, and the port could be known only after the server may have accepted it.
        """
        failure: OSError = OSError(f"{origin.host} has no address")
        for family, address in await _addresses(origin):
            if self.closed:
                raise OSError("the client is closed")
            try:
                connection = _Connection(self, origin, family)
            except OSError as error:  # a family that this machine does not have
                failure = error
                continue
            try:
                await connection.open(address)
            except OSError as error:
                failure = error
                connection.close()
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise failure


class _Exchange(NamedTuple):
    """One request on its way, ready for the wire, and the answer that is being collected."""

    request: ClientRequest
    target: str
    headers: list[Pair]
    answer: _Answer


class _Connection:
    """One connection of a client, known to the registry of ports for as long as it is open."""

    def __init__(self, client: Client, origin: Origin, family: socket.AddressFamily) -> None:
        self.client = client
        self.origin = origin
        own = socket.socket(family)
        self.stream = IOStream(own)
        self.local_port = 0
        self.used = False
        self._descriptor = own.fileno()
        self._role = ""
        client._connections.add(self)

    async def open(self, address: Any) -> None:
        """Connect, with TLS if the origin asks for it. Raises OSError."""
        connecting = self.stream.connect(address)
        self._register()
        await connecting
        if not self.local_port:
            self._register()
        if self.origin.scheme == "https":
            await self._start_tls()

    async def _start_tls(self) -> None:
        securing = self.stream.start_tls(
            False, ssl.create_default_context(), server_hostname=self.origin.host
        )
        try:
            self.stream = await securing
        except BaseException:
            securing.cancel()
            with suppress(BaseException):
                securing.result().close()
            raise

    def _register(self) -> None:
        """The port is bound as soon as the connection is asked for, before any server sees it."""
        with suppress(OSError, AttributeError):
            self.local_port = self.stream.socket.getsockname()[1]
        if self.local_port:
            ports = self.client._ports
            ports.add(self.local_port, self.origin.port, self.client)
            self._role = f"client {self.client.name} port {self.local_port}"
            ports.sockets[self._descriptor] = self._role

    def fresh(self) -> bool:
        """Return whether an idle connection can serve again: open, and nothing came unasked."""
        if self.stream.closed() or getattr(self.stream, "_read_buffer_size", False):
            return False
        if self.origin.scheme == "https":
            return True
        try:
            self.stream.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    async def run(self, exchange: _Exchange) -> None:
        """Send a request and read its answer; what goes wrong is told in the answer."""
        request, target, headers, answer = exchange
        parameters = HTTP1ConnectionParameters(max_body_size=1 << 62)
        connection = HTTP1Connection(self.stream, True, parameters)
        answer.connection = connection
        waits = "100-continue" in _tokens(headers, "expect")
        body = None if waits else request.body or None
        start_line = RequestStartLine(request.method, target, "HTTP/1.1")
        connection.write_headers(start_line, _WireHeaders(headers), body)
        sending = None
        if waits:
            answer.interim = asyncio.Event()
            sending = asyncio.create_task(_send_later(connection, answer, request.body))
        else:
            connection.finish()
        try:
            await connection.read_response(answer)
        except StreamClosedError as error:
            answer.failed(error, self.origin, self.used)
        finally:
            if sending is not None:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        answer.judge()

    def close(self) -> None:
        """Close the socket and forget the port. Idempotent."""
        self.client._connections.discard(self)
        idle = self.client._idle.get(self.origin, [])
        if self in idle:
            idle.remove(self)
        if self.local_port:
            ports = self.client._ports
            ports.remove(self.local_port, self.origin.port)
            self.local_port = 0
            # A socket that the server closed first has left its number to another by now.
            if ports.sockets.get(self._descriptor) == self._role:
                del ports.sockets[self._descriptor]
        context = contextvars.copy_context()
        context.run(OWNER.set, CLIENT)
        if self.stream.socket is not None:
            self.stream.set_close_callback(None)
            context.run(self.stream.close)


class _Answer(HTTPMessageDelegate):
    """Collects one response, up to a cap."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.connection: HTTP1Connection | None = None
        self.interim: asyncio.Event | None = None
        self.status = 0
        self.reason = self.version = self.error = ""
        self.headers: list[Pair] = []
        self.body = bytearray()
        self.size = 0
        self.truncated = self.complete = self.started = self.stale = self.unsent = False

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        assert isinstance(start_line, ResponseStartLine)
        assert self.connection is not None
        self.started = True
        if 100 <= start_line.code < 200 and start_line.code != 101:
            if self.interim is not None:
                self.interim.set()
            return
        self.status, self.reason = start_line.code, start_line.reason or ""
        self.version = start_line.version
        self.headers = list(headers.get_all())
        if self.interim is not None and not self.interim.is_set():
            self.unsent = True
        if start_line.code == 101:
            self.complete = True
            self.connection.detach()

    def data_received(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.body += chunk[: max(0, self.cap - len(self.body))]
        if self.size > self.cap:
            self.truncated = True
            self._stop()

    def finish(self) -> None:
        self.complete = True
        if self.unsent:
            self._stop()

    def on_connection_close(self) -> None:
        """Nothing to do: `judge` sees what is missing."""

    def _stop(self) -> None:
        if self.connection is not None:
            self.connection.close()

    def failed(self, error: StreamClosedError, origin: Origin, used: bool) -> None:
        """Note that the connection broke. On a used one, before any answer, that means stale.

        Browsers then send any request again, POST included, and so does this client.
        """
        if self.complete or self.truncated:
            return
        self.stale = used and not self.started
        if self.status:
            self.error = "the connection closed in the middle of the answer"
        else:
            self.error = _told(error, origin)

    def judge(self) -> None:
        """Put into words what is missing, once reading has ended."""
        self.connection = None
        length = next((v for name, v in self.headers if name.lower() == "content-length"), "")
        if self.truncated:
            self.size = int(length) if length.isascii() and length.isdecimal() else self.size
            self.error = f"the body was cut after {self.cap} bytes"
        elif not self.complete and not self.error:
            self.error = "the answer is not valid HTTP/1.1"

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection can serve another request (RFC 9112 §9.3)."""
        if not self.complete or self.truncated or self.unsent or self.status == 101:
            return False
        options = _tokens(self.headers, "connection")
        return "keep-alive" in options if self.version == "HTTP/1.0" else "close" not in options


class _WireHeaders(HTTPHeaders):
    """Headers that are written as given: in order, with their names' case kept."""

    def __init__(self, pairs: list[Pair]) -> None:
        self._wire: list[Pair] = []
        super().__init__()
        for name, value in pairs:
            super().__setitem__(name, value)
        self._wire = list(pairs)

    def get_all(self) -> Iterable[Pair]:
        return iter(self._wire)

    def __setitem__(self, name: str, value: str) -> None:
        if name not in self:
            self._wire.append((name, value))
        super().__setitem__(name, value)


async def _send_later(connection: HTTP1Connection, answer: _Answer, body: bytes) -> None:
    """Send *body* when the server says 100 Continue, or when it stays silent (RFC 9110 §10.1.1)."""
    assert answer.interim is not None
    with suppress(TimeoutError):
        async with asyncio.timeout(CONTINUE_SECONDS):
            await answer.interim.wait()
    if answer.unsent or connection.stream is None:
        return
    answer.interim.set()
    if body:
        connection.write(body)
    connection.finish()


class Clients:
    """The clients, in order. Names are unique. *sockets* is told which descriptors are theirs."""

    def __init__(
        self, clock: Callable[[], float] = time.time, sockets: dict[int, str] | None = None
    ) -> None:
        self.ports = Ports(sockets)
        self._clock = clock
        self._clients: dict[str, Client] = {}
        self.add("Alice")
        self.add("Bob")
        self.add("Mallory", origin="http://evil.localhost")
        self.add("script", keeps_cookies=False)

    def add(self, name: str, *, keeps_cookies: bool = True, origin: str = "") -> Client:
        """Add a client at the end. Raises ValueError for a name that is empty or taken."""
        self._check_name(name)
        client = Client(
            name, keeps_cookies=keeps_cookies, origin=origin, ports=self.ports, clock=self._clock
        )
        self._clients[name] = client
        return client

    def rename(self, name: str, new: str) -> None:
        """Rename a client in its place. Raises KeyError, or ValueError as in `add`."""
        client = self._clients[name]
        if name != new:
            self._check_name(new)
        client.name = new
        self._clients = {each.name: each for each in self._clients.values()}

    def remove(self, name: str) -> None:
        """Close and forget a client. Raises KeyError."""
        self._clients.pop(name).close()

    def __getitem__(self, name: str) -> Client:
        return self._clients[name]

    def __iter__(self) -> Iterator[Client]:
        return iter(list(self._clients.values()))

    def __len__(self) -> int:
        return len(self._clients)

    def name_of_peer(self, remote_port: int, server_port: int | None = None) -> str | None:
        """Return the name of the client behind a connection's remote port, or None.

        It is known before the server can accept the connection. *server_port*, the port that was
        connected to, tells apart connections to several servers from one port.
        """
        client = self.ports.client_at(remote_port, server_port)
        return None if client is None else client.name

    async def burst(
        self,
        client: Client,
        request: ClientRequest,
        count: int,
        concurrency: int,
        progress: Callable[[int, int], None] = lambda done, total: None,
        *,
        rate: float | None = None,
    ) -> list[ClientResponse]:
        """Fire *request* *count* times, at most *concurrency* at once; return the responses.

        *rate* limits how many start each second. *progress* hears how many of how many are done,
        in the caller's context. Cancelling ends every request and closes its connection. Raises
        InvalidRequest as `Client.fetch` does, with the field ``count``, ``concurrency`` or
        ``rate`` too.
        """
        check(request)
        for name, number in (("count", count), ("concurrency", concurrency), ("rate", rate)):
            if number is not None and number <= 0:
                raise InvalidRequest(name, f"{name} must be above 0")
        context = contextvars.copy_context()

        def report(done: int) -> None:
            context.copy().run(progress, done, count)

        return await _as_client(_burst(client, request, count, concurrency, report, rate))

    def close(self) -> None:
        """Close all clients."""
        for client in self:
            client.close()

    def _check_name(self, name: str) -> None:
        if not name.strip():
            raise ValueError("a client needs a name")
        if name in self._clients:
            raise ValueError(f"there is a client called {name} already")


async def _burst(
    client: Client,
    request: ClientRequest,
    count: int,
    concurrency: int,
    report: Callable[[int], None],
    rate: float | None,
) -> list[ClientResponse]:
    responses: dict[int, ClientResponse] = {}
    numbers = iter(range(count))
    started = time.monotonic()
    kept = 0

    async def work() -> None:
        nonlocal kept
        for number in numbers:
            if rate is not None:
                await asyncio.sleep(started + number / rate - time.monotonic())
            response = await client._fetch(request)
            kept += len(response.body)
            if kept > BURST_BODIES:
                response.body, response.truncated = b"", True
            responses[number] = response
            report(len(responses))

    workers = [asyncio.create_task(work()) for _ in range(min(count, concurrency))]
    try:
        await asyncio.gather(*workers)
    except BaseException:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        client.close_idle()
        raise
    return [responses[number] for number in range(count)]


async def _as_client(work: Coroutine[Any, Any, T]) -> T:
    """Run *work* with OWNER set to CLIENT, in a task of its own unless it is so already."""
    if OWNER.get() == CLIENT:
        return await work
    context = contextvars.copy_context()
    context.run(OWNER.set, CLIENT)
    return await asyncio.get_running_loop().create_task(work, context=context)


_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BODY_METHODS = ("POST", "PUT", "PATCH")


def check(request: ClientRequest) -> None:
    """Raise InvalidRequest, naming the field, when *request* cannot be sent."""
    if not _TOKEN.fullmatch(request.method):
        raise InvalidRequest("method", f"{request.method!r} is no HTTP method")
    _split(request.url)
    for name, value in request.headers:
        _check_header(name, value)
    _check_framing(request)
    if request.timeout is not None and not request.timeout > 0:
        raise InvalidRequest("timeout", "the timeout must be above 0 seconds")
    if request.body_cap < 0:
        raise InvalidRequest("body_cap", "the cap must not be negative")


def _check_header(name: str, value: str) -> None:
    if re.search(r"[\r\n]", name + value):
        shown = name.splitlines()[0] if name else ""
        raise InvalidRequest("headers", f"header {shown!r} holds a line break (CR or LF)")
    if not _TOKEN.fullmatch(name):
        raise InvalidRequest("headers", f"{name!r} is no header name (RFC 9110 §5.1)")
    if "\0" in value:
        raise InvalidRequest("headers", f"header {name!r} holds a NUL")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRequest("headers", f"header {name!r} cannot be written as UTF-8") from None


def _check_framing(request: ClientRequest) -> None:
    """Refuse headers that say something else about the body than what will be sent."""
    lengths = [value for name, value in request.headers if name.lower() == "content-length"]
    codings = [value for name, value in request.headers if name.lower() == "transfer-encoding"]
    size = len(request.body)
    if any(value.strip() != str(size) for value in lengths) or len(lengths) > 1:
        said = ", ".join(lengths)
        raise InvalidRequest("headers", f"Content-Length says {said}, the body has {size} bytes")
    if not codings:
        return
    if lengths or codings != ["chunked"] or request.method not in _BODY_METHODS:
        text = "Transfer-Encoding can only be chunked, without Content-Length, for POST, PUT, PATCH"
        raise InvalidRequest("headers", text)


def _split(url: str) -> tuple[Origin, str]:
    """Return the origin and the request target of *url*; raises InvalidRequest for ``url``."""
    if re.search(r"[\x00-\x1f\x7f]", url):
        raise InvalidRequest("url", "the URL holds a control character")
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise InvalidRequest("url", f"not a URL: {error}") from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.hostname:
        raise InvalidRequest("url", "a URL begins with http:// or https:// and a host")
    if "@" in parts.netloc:
        raise InvalidRequest("url", "a user name belongs into the header Authorization")
    if port == 0:
        raise InvalidRequest("url", "port 0 cannot be connected to")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Origin(scheme, _ascii_host(parts.hostname), port or _PORTS[scheme]), _visible(target)


def _ascii_host(host: str) -> str:
    if ":" in host:
        return host
    try:
        encoded = host.encode("idna").decode("ascii")
    except UnicodeError:
        raise InvalidRequest("url", f"{host!r} is no host name") from None
    if not re.fullmatch(r"[A-Za-z0-9._~!$&'()*+,;=%-]+", encoded):
        raise InvalidRequest("url", f"{host!r} is no host name")
    return encoded


def _visible(target: str) -> str:
    """Percent-encode what cannot stand in a request line; all else stays as it was typed."""
    try:
        return re.sub(r"[^\x21-\x7e]", lambda match: quote(match[0]), target)
    except UnicodeEncodeError:
        raise InvalidRequest("url", "the URL cannot be written as UTF-8") from None


def _wire(value: str) -> str:
    """Return *value* as UTF-8 bytes in Latin-1 text, as headers go to Tornado."""
    return value.encode().decode("latin-1")


def _redirected(request: ClientRequest, response: ClientResponse) -> ClientRequest | None:
    """Return the request that a redirect asks for (Fetch standard, HTTP-redirect fetch), or None.

    Raises ValueError for a Location that cannot be followed.
    """
    location = response.header("Location")
    if response.status not in (301, 302, 303, 307, 308) or not location:
        return None
    text = location.encode("latin-1").decode("utf-8", "replace")
    url = urljoin(request.url, text).partition("#")[0]
    to_get = response.status == 303 and request.method not in ("GET", "HEAD")
    to_get = to_get or (response.status in (301, 302) and request.method == "POST")
    dropped = {"content-length", "content-type", "transfer-encoding", "expect"} if to_get else set()
    if _split(url)[0] != _split(request.url)[0]:
        dropped |= {"host", "authorization", "cookie"}
    headers = tuple(pair for pair in request.headers if pair[0].lower() not in dropped)
    if to_get:
        return replace(request, url=url, headers=headers, method="GET", body=b"")
    return replace(request, url=url, headers=headers)


async def _addresses(origin: Origin) -> list[tuple[socket.AddressFamily, Any]]:
    """Look a host up; addresses need no look-up, and ``*.localhost`` is this machine (RFC 6761)."""
    try:
        version = ipaddress.ip_address(origin.host).version
    except ValueError:
        host = "localhost" if origin.host.endswith(".localhost") else origin.host
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, origin.port, type=socket.SOCK_STREAM)
        return [(family, address) for family, _, _, _, address in found]
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    return [(family, (origin.host, origin.port))]


def _tokens(headers: list[Pair], name: str) -> set[str]:
    values = ",".join(value for key, value in headers if key.lower() == name)
    return {token.strip().lower() for token in values.split(",")}


def _wants_close(headers: list[Pair]) -> bool:
    return "close" in _tokens(headers, "connection")


def _told(error: OSError, origin: Origin) -> str:
    """Say in words what went wrong on the way to *origin*."""
    cause = error.real_error if isinstance(error, StreamClosedError) else error
    where = origin.authority
    if isinstance(cause, ConnectionRefusedError):
        return f"{where} refused the connection"
    if isinstance(cause, socket.gaierror):
        return f"the host {origin.host} was not found"
    if isinstance(cause, ssl.SSLError):
        return f"TLS with {where} failed: {cause.reason or cause}"
    if cause is None or isinstance(cause, ConnectionResetError | BrokenPipeError):
        return f"{where} closed the connection without an answer"
    return f"{where}: {getattr(cause, 'strerror', None) or cause}"
