"""A recorded request, made ready to be sent to the site as it is now."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from .entry import Entry
from .redact import REDACTED
from .request import HttpRequest, origin_of

_LEFT_OUT = frozenset(
    [
        "host",
        "content-length",
        "connection",
        "keep-alive",
        "transfer-encoding",
        "te",
        "proxy-connection",
    ]
)
_TOKENS = frozenset(("x-xsrftoken", "x-csrftoken"))


class Again(NamedTuple):
    """What to send. *attach_xsrf* asks for the token of the client's own cookie."""

    request: HttpRequest
    attach_xsrf: bool


def can_be_sent(entry: Entry) -> bool:
    """Tell whether *entry* is a request that is answered once: no WebSocket, no CONNECT."""
    sockets = entry.response.status == 101 or entry.request.header("Upgrade") is not None
    return not sockets and not entry.messages and entry.request.method != "CONNECT"


def again(entry: Entry, origin: str, *, cookies: bool) -> Again:
    """Return *entry*'s request for the server at *origin*.

    With *cookies* it carries the recorded ones; without, or where they were left out of the file,
    the client's own go with it, and the XSRF token that belongs to those.
    """
    request = entry.request
    recorded_cookie = request.header("Cookie")
    own = not cookies or (recorded_cookie is not None and REDACTED in recorded_cookie)
    own = own or _carries_redacted_token(request)
    parts = urlsplit(request.url)
    query, body = parts.query, request.body
    if own:
        query = _without_token(query)
        body = _form_without_token(request)
    target = parts.path + (f"?{query}" if query else "")
    old = origin_of(request.url)
    headers = tuple(
        (name, origin + value.removeprefix(old) if _names(name, value, old) else value)
        for name, value in request.headers
        if _is_kept(name.lower(), value, own)
    )
    url = origin.rstrip("/") + target
    safe = request.method in ("GET", "HEAD", "OPTIONS")
    return Again(HttpRequest(request.method, url, headers, body), own and not safe)


def _is_kept(name: str, value: str, own: bool) -> bool:
    if name in _LEFT_OUT or REDACTED in value:
        return False
    return not own or name not in _TOKENS | {"cookie"}


def _names(name: str, value: str, origin: str) -> bool:
    """Tell whether a header says that the request came from a page of the same origin."""
    rest = value.removeprefix(origin)
    return name.lower() in ("origin", "referer") and rest != value and rest[:1] in ("", "/", "?")


def _carries_redacted_token(request: HttpRequest) -> bool:
    return f"_xsrf={REDACTED}".encode() in request.url.encode() + b"&" + request.body or any(
        name.lower() in _TOKENS and REDACTED in value for name, value in request.headers
    )


def _without_token(form: str) -> str:
    return re.sub(r"(^|&)_xsrf=[^&]*&?", r"\1", form).rstrip("&")


def _form_without_token(request: HttpRequest) -> bytes:
    kind = request.header("Content-Type") or ""
    text = request.body.decode("latin-1")
    if "urlencoded" in kind:
        text = _without_token(text)
    elif "multipart" in kind:
        pattern = r'^--[^\r\n]+\r\nContent-Disposition: form-data; name="_xsrf"\r\n\r\n[^\r\n]*\r\n'
        text = re.sub(pattern, "", text, flags=re.IGNORECASE | re.MULTILINE)
    return text.encode("latin-1")
