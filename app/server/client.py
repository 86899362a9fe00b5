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
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from app.recording.events import CLIENT
from app.recording.recorder import OWNER
from app.server.cookie_log import CookieLog
from app.server.jar import Jar, SameSiteContext, Verdict, Withheld
from app.server.set_cookie import parse_set_cookie

from .browser import Browser
from .client_burst import burst, check_burst
from .client_messages import (
    BODY_METHODS,
    ClientRequest,
    ClientResponse,
    Origin,
    Pair,
    check,
    is_chunked,
    redirected,
    split,
)
from .client_pool import Pool, Ports
from .client_wire import Answer, Connection, Exchange, told

T = TypeVar("T")

MAX_REDIRECTS = 10


class Client:
    """One named client: a cookie jar, and connections that are kept alive.

    *keeps_cookies* False refuses and sends no cookies. With a *browser* its requests say where
    they come from, as that browser's would, and SameSite applies; without one it is a bare script.
    *hue* is the number of its colour, from 1 on.
    """

    def __init__(
        self,
        name: str,
        *,
        keeps_cookies: bool = True,
        browser: Browser | None = None,
        hue: int = 1,
        ports: Ports | None = None,
        clock: Callable[[], float] = time.time,
        log: CookieLog | None = None,
    ) -> None:
        self.name = name
        self.keeps_cookies = keeps_cookies
        self.browser = browser
        self.hue = hue
        self.jar = Jar()
        self._clock = clock
        self._log = log
        self._pool = Pool(self, Ports() if ports is None else ports)

    async def fetch(self, request: ClientRequest) -> ClientResponse:
        """Send *request*, follow its redirects, and return what came of it.

        What the network or the server does wrong is told in ``error``. Raises InvalidRequest (a
        ValueError) for a request that cannot be sent.
        """
        check(request)
        return await _as_client(self._fetch(request))

    async def burst(
        self,
        request: ClientRequest,
        count: int,
        concurrency: int,
        heard: Callable[[int, ClientResponse], None] = lambda done, response: None,
        *,
        rate: float | None = None,
    ) -> list[ClientResponse]:
        """Fire *request* *count* times, at most *concurrency* at once; return the responses.

        *rate* limits how many start each second. *heard* is told how many are done and the latest
        response, in the caller's context. Cancelling ends every request and closes its connection.
        Raises InvalidRequest as `fetch` does, with the field ``count``, ``concurrency`` or
        ``rate`` too.
        """
        check(request)
        check_burst(count, concurrency, rate)
        context = contextvars.copy_context()

        def report(done: int, response: ClientResponse) -> None:
            context.copy().run(heard, done, response)

        work = burst(lambda: self._fetch(request), count, concurrency, report, rate)
        try:
            return await _as_client(work)
        except BaseException:
            self.close_idle()
            raise

    async def upgrade(self, request: ClientRequest) -> tuple[ClientResponse, Connection | None]:
        """Send *request* over a connection of its own; return that too if the answer is 101.

        Raises OSError when there is no connection, and InvalidRequest as `fetch` does.
        """
        check(request)
        return await _as_client(self._upgrade(request))

    async def _upgrade(self, request: ClientRequest) -> tuple[ClientResponse, Connection | None]:
        started = time.monotonic()
        response = ClientResponse(self.name, request.method, request.url)
        origin, target = split(request.url)
        response.sent_headers, response.withheld = self._headers(request, origin, [])
        exchange = Exchange(request, target, response.sent_headers, Answer(request.body_cap))
        try:
            connection = await self._pool.connect(origin)
        except OSError as error:
            raise OSError(told(error, origin)) from error
        response.local_port, upgraded = connection.local_port, False
        try:
            await connection.run(exchange)
            upgraded = exchange.answer.status == 101 and not connection.stream.closed()
        finally:
            if not upgraded:
                connection.close()
        self._fill(request, response, exchange.answer)
        self._note_cookies(response, started)
        return response, connection if upgraded else None

    def cookie_header(
        self, url: str, method: str = "GET", headers: tuple[Pair, ...] = ()
    ) -> tuple[str, list[Withheld]]:
        """Return the Cookie header that a request would carry now, and what it leaves out.

        Raises ValueError for a URL without a host.
        """
        context = self._context(ClientRequest(url, method, headers))
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
        return len(self._pool)

    def close_idle(self) -> None:
        """Close the connections that no request is using."""
        self._pool.close_idle()

    def close(self) -> None:
        """Close every connection; requests under way end with an error. Idempotent."""
        self._pool.close()

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
            came_by = [hop.url for hop in hops]
            hops.append(response)
            await self._once(request, came_by, response)
            if response.error:
                return
            try:
                following = redirected(request, response)
            except ValueError as error:
                if request.follow_redirects:
                    response.error = f"the redirect leads nowhere: {error}"
                return
            if following is None:
                return
            if not request.follow_redirects:
                response.following = following
                return
            if len(hops) > MAX_REDIRECTS:
                loop = any(hop.url == following.url for hop in hops)
                what = "a redirect loop" if loop else "too many redirects"
                response.error = f"{what}: given up after {MAX_REDIRECTS}"
                return
            request = following

    async def _once(
        self, request: ClientRequest, came_by: list[str], response: ClientResponse
    ) -> None:
        """Send one request and read its answer; once more if a kept connection was stale."""
        started = time.monotonic()
        origin, target = split(request.url)
        headers, withheld = self._headers(request, origin, came_by)
        response.sent_headers, response.withheld = headers, withheld
        exchange = Exchange(request, target, headers, Answer(request.body_cap))
        try:
            connection = self._pool.reusable(origin) if request.wire.keep_alive else None
            if connection is not None:
                await self._exchange(connection, exchange, response)
                response.retried = exchange.answer.stale and not self._pool.closed
            if connection is None or response.retried:
                exchange = exchange._replace(answer=Answer(request.body_cap))
                connection = await self._pool.connect(origin)
                await self._exchange(connection, exchange, response)
        except OSError as error:
            response.error = told(error, origin)
        finally:
            self._fill(request, response, exchange.answer)
            response.elapsed = time.monotonic() - started
            self._note_cookies(response, started)

    def _note_cookies(self, response: ClientResponse, started: float) -> None:
        if self._log is not None and (response.withheld or response.verdicts):
            self._log.add(response.local_port, started, response.withheld, response.verdicts)

    async def _exchange(
        self, connection: Connection, exchange: Exchange, response: ClientResponse
    ) -> None:
        """Run *exchange* over *connection*, then keep that connection or close it."""
        response.local_port, response.reused = connection.local_port, connection.used
        kept = False
        try:
            await connection.run(exchange)
            kept = exchange.answer.keeps_alive(exchange) and not connection.stream.closed()
        finally:
            if kept:
                self._pool.release(connection)
            else:
                connection.close()

    def _fill(self, request: ClientRequest, response: ClientResponse, answer: Answer) -> None:
        response.status, response.reason = answer.status, answer.reason
        response.version, response.headers = answer.version, answer.headers
        response.body, response.body_size = bytes(answer.body), answer.size
        response.truncated, response.interim = answer.truncated, answer.interim
        response.error = response.error or answer.error
        response.verdicts = [
            self._store(request, value)
            for name, value in answer.headers
            if name.lower() == "set-cookie"
        ]

    def _store(self, request: ClientRequest, set_cookie: str) -> Verdict:
        if not self.keeps_cookies:
            return Verdict(False, "UserPreferences", parse_set_cookie(set_cookie).name)
        context = self._context(request)
        return self.jar.store(request.url, set_cookie, self._clock(), same_site_context=context)

    def _context(self, request: ClientRequest) -> SameSiteContext:
        return "same-site" if self.browser is None else self.browser.context(request)

    def _headers(
        self, request: ClientRequest, origin: Origin, came_by: list[str]
    ) -> tuple[list[Pair], list[Withheld]]:
        """Return the headers to send, as Latin-1 text, and the cookies that stay behind."""
        given = {name.lower() for name, _ in request.headers}
        added = [("Host", origin.authority), ("User-Agent", "Loopscope"), ("Accept", "*/*")]
        if self.browser is not None:
            added += self.browser.headers(request, came_by)
        pairs = [pair for pair in added if pair[0].lower() not in given]
        pairs += [(name, value.encode().decode("latin-1")) for name, value in request.headers]
        withheld: list[Withheld] = []
        if "cookie" not in given:
            cookies, withheld = self.cookie_header(request.url, request.method, request.headers)
            if cookies:
                pairs.append(("Cookie", cookies))
        pairs += [pair for pair in _wire_headers(request) if pair[0].lower() not in given]
        return pairs, withheld


def _wire_headers(request: ClientRequest) -> list[Pair]:
    """Return the headers that say how *request* goes over the wire."""
    wire, pairs = request.wire, []
    if is_chunked(request):
        pairs.append(("Transfer-Encoding", "chunked"))
    elif request.body or request.method.upper() in BODY_METHODS:
        pairs.append(("Content-Length", str(len(request.body))))
    if wire.keep_alive == (wire.version == "HTTP/1.0"):  # Where it is not as the version has it.
        pairs.append(("Connection", "keep-alive" if wire.keep_alive else "close"))
    if wire.expect_continue:
        pairs.append(("Expect", "100-continue"))
    return pairs


async def _as_client(work: Coroutine[Any, Any, T]) -> T:
    """Run *work* with OWNER set to CLIENT, in a task of its own unless it is so already."""
    if OWNER.get() == CLIENT:
        return await work
    context = contextvars.copy_context()
    context.run(OWNER.set, CLIENT)
    return await asyncio.get_running_loop().create_task(work, context=context)
