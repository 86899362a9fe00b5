"""The wire of a client: connections, the bytes of a request, and the answer that is collected."""

from __future__ import annotations

import asyncio
import contextvars
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

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

from .client_messages import CHUNK, ClientRequest, Origin, Pair, is_chunked, tokens

CONTINUE_SECONDS = 1.0
"""How long a body waits for ``100 Continue`` before it is sent all the same, as in curl."""
_PACE_S = 0.05
"""How often a request that is sent slowly sends a little, in s, unless a byte takes longer."""


class Exchange(NamedTuple):
    """One request on its way, ready for the wire, and the answer that is being collected."""

    request: ClientRequest
    target: str
    headers: list[Pair]
    answer: Answer

    def head(self) -> bytes:
        """Return the request line and the headers as they stand on the wire."""
        first = f"{self.request.method} {self.target} {self.request.wire.version}"
        lines = [first, *(f"{name}: {value}" for name, value in self.headers)]
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")

    def body(self) -> bytes:
        """Return the body as it stands on the wire: in chunks, if that is asked for."""
        body = self.request.body
        if not is_chunked(self.request):
            return body
        starts = range(0, len(body), CHUNK)
        parts = [b"%x\r\n%b\r\n" % (len(part := body[at : at + CHUNK]), part) for at in starts]
        return b"".join([*parts, b"0\r\n\r\n"])


class Connection:
    """One connection to *origin*. *opened* hears its port before any server can accept it, and
    *closed* hears when it is over."""

    def __init__(
        self,
        origin: Origin,
        family: socket.AddressFamily,
        opened: Callable[[Connection], None],
        closed: Callable[[Connection], None],
    ) -> None:
        self.origin = origin
        own = socket.socket(family)
        self.stream = IOStream(own)
        self.local_port = 0
        self.used = False
        self.role = ""
        """What the recorder calls its descriptor."""
        self.descriptor = own.fileno()
        self._opened = opened
        self._closed = closed

    async def open(self, address: Any) -> None:
        """Connect, with TLS if the origin asks for it. Raises OSError."""
        connecting = self.stream.connect(address)
        self._tell_port()
        await connecting
        if not self.local_port:
            self._tell_port()
        self.stream.set_nodelay(True)
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

    def _tell_port(self) -> None:
        """The port is bound as soon as the connection is asked for, before any server sees it."""
        with suppress(OSError, AttributeError):
            self.local_port = self.stream.socket.getsockname()[1]
        if self.local_port:
            self._opened(self)

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

    async def run(self, exchange: Exchange) -> None:
        """Send a request and read its answer; what goes wrong is told in the answer."""
        request, target, _, answer = exchange
        parameters = HTTP1ConnectionParameters(max_body_size=1 << 62)
        connection = HTTP1Connection(self.stream, True, parameters)
        # All is written here, byte by byte if need be; Tornado reads, and a HEAD has no body.
        connection._request_start_line = RequestStartLine(request.method, target, "")
        connection.finish()
        answer.connection = connection
        sending = asyncio.create_task(_send(self.stream, exchange)) if _is_paced(exchange) else None
        if sending is None:
            self.stream.write(exchange.head() + exchange.body())
            answer.sent = True
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
        """Close the socket. Idempotent."""
        self._closed(self)
        context = contextvars.copy_context()
        context.run(OWNER.set, CLIENT)
        if self.stream.socket is not None:
            self.stream.set_close_callback(None)
            context.run(self.stream.close)


class Answer(HTTPMessageDelegate):
    """Collects one response, up to a cap."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.connection: HTTP1Connection | None = None
        self.interim: list[int] = []
        self.continued = asyncio.Event()
        """Set when the server has said anything: 100 Continue, or its answer."""
        self.status = 0
        self.reason = self.version = self.error = ""
        self.headers: list[Pair] = []
        self.body = bytearray()
        self.size = 0
        self.sent = False
        """Whether all of the request has been given to the socket."""
        self.hung_up: int | None = None
        """After how many bytes of the request the client hung up."""
        self.truncated = self.complete = self.stale = False

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        assert isinstance(start_line, ResponseStartLine)
        assert self.connection is not None
        self.continued.set()
        if 100 <= start_line.code < 200 and start_line.code != 101:
            self.interim.append(start_line.code)
            return
        self.status, self.reason = start_line.code, start_line.reason or ""
        self.version = start_line.version
        self.headers = list(headers.get_all())
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
        if not self.sent:
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
        if self.hung_up is not None:
            self.error = f"hung up after {self.hung_up} bytes of the request, as asked for"
            return
        self.stale = used and not self.continued.is_set()
        if self.status:
            self.error = "the connection closed in the middle of the answer"
        else:
            self.error = told(error, origin)

    def judge(self) -> None:
        """Put into words what is missing, once reading has ended."""
        self.connection = None
        length = next((v for name, v in self.headers if name.lower() == "content-length"), "")
        if self.truncated:
            self.size = int(length) if length.isascii() and length.isdecimal() else self.size
            self.error = f"the body was cut after {self.cap} bytes"
        elif not self.complete and not self.error:
            self.error = "the answer is not valid HTTP/1.1"

    def keeps_alive(self, exchange: Exchange) -> bool:
        """Whether the connection can serve another request (RFC 9112 §9.3)."""
        if not self.complete or self.truncated or not self.sent or self.status == 101:
            return False
        options = tokens(self.headers, "connection")
        if "close" in options or "close" in tokens(exchange.headers, "connection"):
            return False
        old = "HTTP/1.0" in (self.version, exchange.request.wire.version)
        return "keep-alive" in options if old else True


def _is_paced(exchange: Exchange) -> bool:
    wire = exchange.request.wire
    waits = "100-continue" in tokens(exchange.headers, "expect")
    return waits or wire.bytes_per_second is not None or wire.close_after is not None


async def _send(stream: IOStream, exchange: Exchange) -> None:
    """Send a request as its `Wire` asks for; a body may wait to be wanted (RFC 9110 §10.1.1)."""
    answer, wire = exchange.answer, exchange.request.wire
    head, body = exchange.head(), exchange.body()
    end = len(head) + len(body)
    if wire.close_after is not None:
        end = min(end, wire.close_after)
    with suppress(StreamClosedError):
        await _write(stream, head[:end], wire.bytes_per_second)
        if end > len(head) and "100-continue" in tokens(exchange.headers, "expect"):
            with suppress(TimeoutError):
                async with asyncio.timeout(CONTINUE_SECONDS):
                    await answer.continued.wait()
            if answer.status:
                return
        await _write(stream, body[: max(0, end - len(head))], wire.bytes_per_second)
        if wire.close_after is None:
            answer.sent = True
        else:
            answer.hung_up = end
            stream.close()


async def _write(stream: IOStream, data: bytes, bytes_per_second: float | None) -> None:
    if bytes_per_second is None:
        await stream.write(data)
        return
    started = time.monotonic()
    step = max(1, round(bytes_per_second * _PACE_S))
    for at in range(0, len(data), step):
        part = data[at : at + step]
        await asyncio.sleep(started + (at + len(part)) / bytes_per_second - time.monotonic())
        await stream.write(part)


async def addresses(origin: Origin) -> list[tuple[socket.AddressFamily, Any]]:
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


def told(error: OSError, origin: Origin) -> str:
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
