"""XSRF tokens taken apart: version, mask, masked bytes, and the token under the mask.

Source: ``_decode_xsrf_token`` in ``tornado/web.py``, version 6.6.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from operator import xor

from .ladder import NOTHING, VERSION, Field, Words, split_fields


@dataclass(frozen=True)
class XsrfToken:
    """An XSRF token or cookie, taken apart.

    ``token[i] == masked[i] ^ mask[i % 4]``. *token* is None when it cannot be read, and *problem*
    then says why. Version 1 has no mask; text that is no hex counts as its own bytes (*literal*),
    because Tornado takes it so.
    """

    text: str
    version: int
    mask: bytes = b""
    masked: bytes = b""
    token: bytes | None = None
    timestamp: int | None = None
    fields: tuple[Field, ...] = ()
    literal: bool = False
    problem: Words = NOTHING


def xsrf_token(text: str) -> XsrfToken:
    """Take *text* apart as Tornado's ``_decode_xsrf_token`` does; never raises."""
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return XsrfToken(text, 0, problem=Words("the text cannot be written as UTF-8"))
    match = VERSION.match(raw)
    if match is None:
        return _token_1(text, raw)
    if match[1] != b"2":
        version = int(match[1]) if len(match[1]) <= 9 else 0
        shown = {"n": match[1][:9].decode()}
        unknown = Words("version {n} is unknown; 1 and 2 exist", shown)
        return XsrfToken(text, version, problem=unknown)
    return _token_2(text, raw)


def _token_1(text: str, raw: bytes) -> XsrfToken:
    field = (Field("token", 0, 0, len(raw), raw),)
    try:
        token = binascii.a2b_hex(raw)
    except binascii.Error:
        return XsrfToken(text, 1, token=raw, fields=field, literal=True)
    return XsrfToken(text, 1, masked=token, token=token, fields=field)


def _token_2(text: str, raw: bytes) -> XsrfToken:
    fields = split_fields(raw, ("version", "mask", "masked token", "timestamp"))
    parts = text.split("|")
    if len(parts) != 4:
        problem = Words("{count} fields, 4 needed", {"count": len(parts)})
        return XsrfToken(text, 2, fields=fields, problem=problem)
    mask, masked = _hex(parts[1]), _hex(parts[2])
    if mask is None or len(mask) != 4:
        problem = Words("the mask is not 8 hex digits")
        return XsrfToken(text, 2, b"", masked or b"", fields=fields, problem=problem)
    if masked is None:
        problem = Words("the masked token is not hex")
        return XsrfToken(text, 2, mask, fields=fields, problem=problem)
    try:
        timestamp = int(parts[3])
    except ValueError:
        problem = Words("the timestamp is no integer")
        return XsrfToken(text, 2, mask, masked, fields=fields, problem=problem)
    repeated = (mask * (len(masked) // 4 + 1))[: len(masked)]
    plain = bytes(map(xor, masked, repeated))
    problem = NOTHING if plain else Words("the token is empty")
    return XsrfToken(text, 2, mask, masked, plain, timestamp, fields, problem=problem)


def _hex(text: str) -> bytes | None:
    try:
        return binascii.a2b_hex(text.encode())
    except (binascii.Error, ValueError):
        return None
