"""Header blocks and cookies, taken apart from the raw bytes that were recorded."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

_SPACE = " \t\r\n"
"""What may be around a value. Bytes from 0x80 on belong to it (RFC 9110 §5.5), though some of them
are spaces in Latin-1."""


def start_line(head: bytes) -> str:
    """Return the first line of a raw *head*, for example ``HTTP/1.1 200 OK``."""
    return head.lstrip(b"\r\n").split(b"\n", 1)[0].rstrip(b"\r").decode("latin-1")


def pairs(head: bytes) -> list[tuple[str, str]]:
    """Return the (name, value) pairs of a raw *head*, in order, with names as they were sent.

    Continuation lines (obsolete folding) are joined to the value before them.
    """
    result: list[tuple[str, str]] = []
    block = head.lstrip(b"\r\n").split(b"\r\n\r\n", 1)[0]
    for line in block.decode("latin-1").split("\n")[1:]:
        if line[:1] in (" ", "\t") and result:
            name, value = result[-1]
            result[-1] = (name, f"{value} {line.strip(_SPACE)}")
            continue
        name, colon, value = line.partition(":")
        if colon:
            result.append((name, value.strip(_SPACE)))
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
    return [_short(raw) if len(raw) < _LONG else unfolded(raw) for raw in finder(name)(head)]


_LONG = 1_000
"""Values of so many bytes are not remembered."""


@lru_cache(maxsize=1024)
def _short(raw: bytes) -> str:
    return unfolded(raw)


def unfolded(raw: bytes) -> str:
    """Return the text of a value as `finder` finds it: continuation lines are joined to it."""
    text = raw.decode("latin-1").strip(_SPACE)
    return " ".join(line.strip(_SPACE) for line in text.split("\n")) if "\n" in text else text


@lru_cache(maxsize=256)
def lines(name: str) -> re.Pattern[bytes]:
    """Return what finds all headers *name* (any case) in a head; their raw values are group 1."""
    line = rb"\n(?i:%s)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)"
    return re.compile(line % re.escape(name.encode("latin-1", "replace")))


def finder(name: str) -> Callable[[bytes], list[bytes]]:
    """Return what finds the raw values of all headers *name* (any case) in a head, in order."""
    return lines(name).findall


PACKED = frozenset((0x1F, *(each << 4 | 8 for each in range(8))))
"""The first bytes of bodies that may be packed (RFC 1952 §2.3.1, RFC 1950 §2.2): quicker to look
at than the head."""


def unpacked(head: bytes, body: bytes, limit: int) -> bytes:
    """Return *body* without its content coding, as far as it goes, *limit* bytes at most."""
    coding = value_of(head, "Content-Encoding") if body[:1] and body[0] in PACKED else None
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


def sent_cookies(head: bytes) -> list[tuple[str, str]]:
    """Return names and values of the cookies in a request's *head*, in order."""
    return [pair for header in values(head, "Cookie") for pair in _sent(header)]


def cookie_pairs(header: str) -> list[tuple[str, str]]:
    """Return names and values of the cookies in one Cookie header, in order."""
    return [
        (name.strip(_SPACE), value.strip(_SPACE).strip('"'))
        for part in header.split(";")
        for name, equals, value in (part.partition("="),)
        if equals
    ]


_sent = lru_cache(maxsize=1024)(cookie_pairs)
"""Remembered, as a client's requests carry the same cookies again and again."""


def ignored_cookies(head: bytes) -> list[str]:
    """Return the parts of a request's Cookie headers that Tornado ignores, in order.

    They have no name, or one that Python's `http.cookies` does not allow.
    """
    parts = [part.strip(_SPACE) for header in values(head, "Cookie") for part in header.split(";")]
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
    return [set_cookie(header) for header in values(head, "Set-Cookie")]


@lru_cache(maxsize=1024)
def set_cookie(header: str) -> Cookie:
    """Return the cookie that one Set-Cookie header sets."""
    first, _, attributes = header.partition(";")
    name, _, value = first.strip(_SPACE).partition("=")
    return Cookie("out", name, value.strip('"'), attributes.strip(_SPACE))
