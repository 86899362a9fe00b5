"""A recorded request with another cookie: how a forger sends it."""

from __future__ import annotations

from app.recording.events import Request
from app.recording.headers import pairs, sent_cookies

from .controls import Shot

_OWN = frozenset(
    ("host", "cookie", "content-length", "connection", "transfer-encoding", "accept-encoding")
)
"""What the client writes itself."""


def with_cookie(request: Request, client: str, name: str, value: str) -> Shot:
    """Return *request* as *client* would send it with the cookie *name* set to *value*."""
    sent = dict(sent_cookies(request.request_head))
    sent[name] = value
    cookie = "; ".join(f"{each}={_quoted(text)}" for each, text in sent.items())
    headers = [
        (key, _text(found)) for key, found in pairs(request.request_head) if key.lower() not in _OWN
    ]
    headers.append(("Cookie", _text(cookie)))
    return Shot(client, request.method, request.uri, headers, request.request_body)


def _quoted(value: str) -> str:
    """Signed values go in quotation marks, as Tornado sends them out."""
    return f'"{value}"' if "|" in value and ":" in value else value


def _text(value: str) -> str:
    """Return a header's value, which was read as Latin-1, as the text that it is in UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value
