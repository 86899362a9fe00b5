"""Header blocks and cookies, taken apart from the raw bytes that were recorded."""

from __future__ import annotations

import json
import re
import zlib
from functools import lru_cache
from typing import NamedTuple


def start_line(head: bytes) -> str:
    """Return the first line of a raw *head*, for example ``HTTP/1.1 200 OK``."""
    return head.lstrip(b"\r\n").split(b"\n", 1)[0].rstrip(b"\r").decode("latin-1")


def pairs(head: bytes) -> list[tuple[str, str]]:
    """Return the (name, value) pairs of a raw *head*, in order, with names as they were sent.

    Continuation lines (obsolete folding) are joined to the value before them.
    """
    result: list[tuple[str, str]] = []
    block = head.lstrip(b"\r\n").split(b"\r\n\r\n", 1)[0]
    for line in block.decode("latin-1").splitlines()[1:]:
        if line[:1] in (" ", "\t") and result:
            name, value = result[-1]
            result[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if colon:
            result.append((name, value.strip()))
    return result


def as_json(head: bytes) -> str:
    """Return the headers of *head* as a JSON array of [name, value] pairs."""
    return json.dumps(pairs(head), ensure_ascii=False)


def value_of(head: bytes, name: str) -> str | None:
    """Return the first value of header *name* (any case) in *head*, or None."""
    return next(iter(values(head, name)), None)


def values(head: bytes, name: str) -> list[str]:
    """Return the values of all headers *name* (any case) in *head*, in order.

    The others are not taken apart, which makes this quick enough to ask of every request.
    """
    return [_short(raw) if len(raw) < 200 else _value(raw) for raw in _lines(name).findall(head)]


@lru_cache(maxsize=1024)
def _short(raw: bytes) -> str:
    return _value(raw)


def _value(raw: bytes) -> str:
    return " ".join(map(str.strip, raw.decode("latin-1").strip().split("\n")))


@lru_cache(maxsize=256)
def _lines(name: str) -> re.Pattern[bytes]:
    return re.compile(
        rb"\n(?i:%s)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)"
        % re.escape(name.encode("latin-1", "replace"))
    )


_PACKED = (b"\x1f\x8b", *(bytes([each << 4 | 8]) for each in range(8)))
"""How packed bodies begin (RFC 1952 §2.3.1, RFC 1950 §2.2): quicker to ask than the head."""


def unpacked(head: bytes, body: bytes, limit: int) -> bytes:
    """Return *body* without its content coding, as far as it goes, *limit* bytes at most."""
    coding = value_of(head, "Content-Encoding") if body.startswith(_PACKED) else None
    if coding and coding.lower() in ("gzip", "deflate"):
        try:
            return zlib.decompressobj(47).decompress(body, limit)
        except zlib.error:
            pass
    return body[:limit]


class Cookie(NamedTuple):
    """One cookie of a request (``in``) or of a response (``out``), as it stood in the header.

    *attributes* are those of Set-Cookie, names as sent: ``Path=/; HttpOnly``.
    """

    direction: str
    name: str
    value: str
    attributes: str


def cookies(request_head: bytes, response_head: bytes) -> list[Cookie]:
    """Return the cookies of a request and its response, in order (RFC 6265 §4)."""
    came = [Cookie("in", name, value, "") for name, value in sent_cookies(request_head)]
    return came + set_cookies(response_head)


_PAIR = re.compile("([^;=]*)=([^;]*)")


def sent_cookies(head: bytes) -> list[tuple[str, str]]:
    """Return names and values of the cookies in a request's *head*, in order."""
    return [pair for header in values(head, "Cookie") for pair in _sent(header)]


@lru_cache(maxsize=1024)
def _sent(header: str) -> tuple[tuple[str, str], ...]:
    # Remembered, as a client's requests carry the same cookies again and again.
    found = _PAIR.findall(header)
    return tuple((name.strip(), value.strip().strip('"')) for name, value in found)


def ignored_cookies(head: bytes) -> list[str]:
    """Return the parts of a request's Cookie headers that Tornado ignores, in order.

    They have no name, or one that Python's `http.cookies` does not allow.
    """
    parts = [part.strip() for header in values(head, "Cookie") for part in header.split(";")]
    return [part for part in parts if part and not _is_read(part)]


def _is_read(part: str) -> bool:
    name, equals, _ = part.partition("=")
    return bool(equals) and is_name(name.strip())


def is_name(text: str) -> bool:
    """Return whether Tornado reads cookies of this name."""
    return _NAME.fullmatch(text) is not None and text.lower() not in _RESERVED


_NAME = re.compile(r"[\w!#$%&'*+\-.^`|~:]+", re.ASCII)
_RESERVED = frozenset(
    ("expires", "path", "comment", "domain", "max-age", "secure", "httponly", "version", "samesite")
)


def set_cookies(head: bytes) -> list[Cookie]:
    """Return the cookies that a response's *head* sets, in order."""
    return [_set(header) for header in values(head, "Set-Cookie")]


@lru_cache(maxsize=1024)
def _set(header: str) -> Cookie:
    first, _, attributes = header.partition(";")
    name, _, value = first.strip().partition("=")
    return Cookie("out", name, value.strip('"'), attributes.strip())
