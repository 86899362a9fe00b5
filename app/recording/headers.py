"""Header blocks and cookies, taken apart from the raw bytes that were recorded."""

from __future__ import annotations

import json
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
    name = name.lower()
    return next((value for key, value in pairs(head) if key.lower() == name), None)


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
    result: list[Cookie] = []
    for name, value in pairs(request_head):
        if name.lower() == "cookie":
            for part in value.split(";"):
                key, equals, content = part.strip().partition("=")
                if equals:
                    result.append(Cookie("in", key, content.strip('"'), ""))
    for name, value in pairs(response_head):
        if name.lower() == "set-cookie":
            first, _, attributes = value.partition(";")
            key, _, content = first.strip().partition("=")
            result.append(Cookie("out", key, content.strip('"'), attributes.strip()))
    return result
