"""What a client sends and what comes of it: requests, their checks, and responses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from app.server.jar import Verdict, Withheld

Pair = tuple[str, str]

BODY_CAP = 1 << 20
"""Bytes of a response's body that are read at most, unless a request says otherwise."""
CHUNK = 1024
"""Bytes in each chunk of a body that is sent in chunks."""
BODY_METHODS = ("POST", "PUT", "PATCH")
"""The methods whose requests say that their body is empty when it is."""


class InvalidRequest(ValueError):
    """A request that cannot be sent. *field* names what is wrong with it, for the form."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True)
class Wire:
    """How a request goes over the wire, where that is not the usual way.

    *version* is the one that the request line names. Without *keep_alive* the request asks for the
    connection to be closed, and does not use one that has served before. *chunked* sends the body
    in chunks of `CHUNK` bytes; *expect_continue* sends it when the server says 100 Continue.
    *bytes_per_second* sends head and body that slowly. After *close_after* bytes, or after all when
    there are fewer, the client hangs up without waiting for an answer.
    """

    version: str = "HTTP/1.1"
    keep_alive: bool = True
    chunked: bool = False
    expect_continue: bool = False
    bytes_per_second: float | None = None
    close_after: int | None = None


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
    wire: Wire = Wire()

    def header(self, name: str) -> str | None:
        """Return the first header called *name*, in any case, or None."""
        return _first(self.headers, name)


@dataclass
class ClientResponse:
    """What came of a request. ``status`` is 0 when there was no answer; *error* then says why.

    A body that was cut keeps its status and sets *truncated*; *body_size* is its whole size as
    far as known. *elapsed* is in seconds. *redirects* are the answers that led here, *following*
    is the request that a redirect asks for which was not followed, *interim* the status codes that
    came before the answer. *withheld* are cookies that were not sent, *verdicts* what became of
    each Set-Cookie. *reused* says that the connection had served before, *retried* that a stale one
    was replaced.
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
    following: ClientRequest | None = None
    interim: list[int] = field(default_factory=list)
    error: str = ""
    sent_headers: list[Pair] = field(default_factory=list)
    withheld: list[Withheld] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    local_port: int = 0
    reused: bool = False
    retried: bool = False

    def header(self, name: str) -> str | None:
        """Return the first header called *name*, in any case, or None."""
        return _first(self.headers, name)


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

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


_PORTS = {"http": 80, "https": 443}
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def check(request: ClientRequest) -> None:
    """Raise InvalidRequest, naming the field, when *request* cannot be sent."""
    if not _TOKEN.fullmatch(request.method):
        raise InvalidRequest("method", f"{request.method!r} is no HTTP method")
    split(request.url)
    for name, value in request.headers:
        _check_header(name, value)
    _check_framing(request)
    _check_wire(request.wire)
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
    if (lengths and is_chunked(request)) or codings not in ([], ["chunked"]):
        text = "Transfer-Encoding can only be chunked, without Content-Length"
        raise InvalidRequest("headers", text)


def _check_wire(wire: Wire) -> None:
    if wire.version not in ("HTTP/1.0", "HTTP/1.1"):
        raise InvalidRequest("version", f"{wire.version!r} is neither HTTP/1.0 nor HTTP/1.1")
    if wire.bytes_per_second is not None and not wire.bytes_per_second > 0:
        raise InvalidRequest("bytes_per_second", "bytes per second must be above 0")
    if wire.close_after is not None and wire.close_after < 0:
        raise InvalidRequest("close_after", "the bytes to hang up after must not be negative")


def is_chunked(request: ClientRequest) -> bool:
    """Return whether the body of *request* is sent in chunks."""
    return request.wire.chunked or request.header("Transfer-Encoding") == "chunked"


def split(url: str) -> tuple[Origin, str]:
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


def redirected(request: ClientRequest, response: ClientResponse) -> ClientRequest | None:
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
    if split(url)[0] != split(request.url)[0]:
        dropped |= {"host", "authorization", "cookie"}
    headers = tuple(pair for pair in request.headers if pair[0].lower() not in dropped)
    if to_get:
        return replace(request, url=url, headers=headers, method="GET", body=b"")
    return replace(request, url=url, headers=headers)


def tokens(headers: list[Pair], name: str) -> set[str]:
    """Return the elements of the comma-separated header called *name* (in lower case)."""
    values = ",".join(value for key, value in headers if key.lower() == name)
    return {token.strip().lower() for token in values.split(",")}


def _first(headers: tuple[Pair, ...] | list[Pair], name: str) -> str | None:
    return next((value for key, value in headers if key.lower() == name.lower()), None)
