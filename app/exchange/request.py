"""A request as it goes in and out: what commands, code and HAR files say alike."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from app.recording import headers
from app.recording.events import Request

Pair = tuple[str, str]

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""A method or the name of a header (RFC 9110 §5.6.2)."""


class ExchangeError(ValueError):
    """What cannot go out or in; `template` and `values` let the reason be translated."""

    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template.format(**values) if values else template)
        self.template = template
        self.values = values


class HttpRequest(NamedTuple):
    """One request that can be sent. ``url`` is absolute; ``headers`` stand in their order.

    Host and Content-Length follow from the URL and the body: they are listed only where they
    differ. Bytes that are not UTF-8 stand in the texts as lone surrogates (PEP 383).
    """

    method: str
    url: str
    headers: tuple[Pair, ...] = ()
    body: bytes = b""
    follow_redirects: bool = False

    def header(self, name: str) -> str | None:
        """Return the first value of a header, in any case of its name, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def check(request: HttpRequest) -> None:
    """Raise ExchangeError when *request* cannot be written down in one line of HTTP each."""
    if not TOKEN.fullmatch(request.method):
        raise ExchangeError("{method} is no HTTP method", method=repr(request.method[:40]))
    canonical_url(request.url)
    for name, value in request.headers:
        if not TOKEN.fullmatch(name):
            raise ExchangeError("{name} is no header name", name=repr(name[:40]))
        if re.search(r"[\r\n\0]", value):
            raise ExchangeError("the value of {name} holds a line break or a NUL", name=name)


def canonical_url(url: str) -> str:
    """Return *url* with a path, without a fragment, and with what is not ASCII percent-encoded.

    Raises ExchangeError when it is no absolute http or https URL.
    """
    url = url.strip()
    if re.search(r"[\x00-\x1f\x7f]", url):
        raise ExchangeError("the URL holds a control character")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ExchangeError("this is no URL: its host or port is wrong") from None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise ExchangeError("a URL begins with http:// or https:// and a host")
    rest = url.partition("#")[0][url.index("//") + 2 :]
    found = re.search(r"[/?]", rest)
    authority, target = (rest[: found.start()], rest[found.start() :]) if found else (rest, "/")
    if target.startswith("?"):
        target = f"/{target}"
    return f"{parts.scheme.lower()}://{authority}{_visible(target)}"


def _visible(target: str) -> str:
    def encoded(match: re.Match[str]) -> str:
        return quote(match[0].encode("utf-8", "surrogateescape"))

    return re.sub(r"[^\x21-\x7e]", encoded, target)


def without_dots(url: str) -> str:
    """Return *url* without ``.`` and ``..`` in its path (RFC 3986 §5.2.4), as curl sends it."""
    start = url.index("/", url.index("//") + 2)
    path, mark, query = url[start:].partition("?")
    if "/." not in path:
        return url
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return f"{url[:start]}/{'/'.join(kept)}{mark}{query}"


def origin_of(url: str) -> str:
    """Return the scheme and authority of an absolute URL: ``http://127.0.0.1:8888``."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def recorded(request: Request, base: str | None) -> HttpRequest:
    """Return a recorded request so that it can be sent again.

    *base* is the URL of the server, None when it is not known. The Host header decides under
    which name it is asked, unless that name leads elsewhere: then it stays a header. Raises
    ValueError when the request's target is no path and no URL, as that of CONNECT.
    """
    pairs = [(name, _text(value)) for name, value in headers.pairs(request.request_head)]
    host = next((value for name, value in pairs if name.lower() == "host"), "")
    origin = (base or "").rstrip("/")
    if _is_at_home(host) or (host and not origin):
        scheme = urlsplit(base).scheme if base else "http"
        origin = f"{scheme}://{host}"
    uri = _text(request.uri)
    if uri.startswith("/"):
        uri = f"{origin}{uri}"
    try:
        url = canonical_url(uri)
    except ValueError:
        raise ExchangeError(
            "the target {target} cannot be asked for by URL", target=repr(request.uri[:80])
        ) from None
    own = {"content-length"} | ({"host"} if urlsplit(url).netloc == host else set())
    kept = tuple(pair for pair in pairs if pair[0].lower() not in own)
    return HttpRequest(request.method, url, kept, request.request_body)


def _text(latin: str) -> str:
    """Return text that was read as Latin-1 as what its bytes mean."""
    return latin.encode("latin-1", "replace").decode("utf-8", "surrogateescape")


def _is_at_home(host: str) -> bool:
    """Tell whether a Host header names this machine, or an address: those lead to the server."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
