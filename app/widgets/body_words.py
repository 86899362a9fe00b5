"""Bodies in words: text in its charset, JSON indented, forms and their files, bytes as a dump."""

from __future__ import annotations

import codecs
import json
import re
from typing import NamedTuple
from urllib.parse import parse_qsl

from app.recording.headers import unpacked, value_of, values

from .i18n import tr
from .words import size

SHOWN = 64 << 10
"""How many bytes of a body are shown, at most."""
PART = 2 << 10
"""How many bytes of a file within a form are shown."""
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/x-icon")
"""The types that are shown as pictures; SVG is not: it may ask for other things."""
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_TEXTS = re.compile(
    r"utf-?(8|16|32)([_-]?[bl]e)?|(us-)?ascii|latin-?\d+|iso[_-]?8859[_-]?\d+|windows-?\d+|cp\d+|"
    r"koi8[_-]?[ru]|gbk?|gb2312|gb18030|big5(-?hkscs)?|shift[_-]?jis|sjis|euc[_-]?(jp|kr)|"
    r"iso-2022-(jp|kr)|mac(intosh)?",
    re.IGNORECASE,
)
"""Charsets as pages name them. Python knows codecs besides that are none, or take for ever."""
_BOUNDARY = re.compile(r"boundary\s*=\s*(?:\"([^\"]{1,200})\"|([^;\s]{1,200}))", re.IGNORECASE)
_FIELD = re.compile(
    r";\s*(name|filename)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^;\s]*))", re.IGNORECASE
)


def hex_dump(data: bytes, limit: int = 4096) -> str:
    """Return *data* as offsets, hexadecimal and letters, up to *limit* bytes."""
    lines = []
    for at in range(0, min(len(data), limit), 16):
        part = data[at : at + 16]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in part)
        lines.append(f"{at:06x}  {part.hex(' '):<47}  {letters}")
    if len(data) > limit:
        lines.append("…")
    return "\n".join(lines)


def as_text(body: bytes, charset: str = "utf-8") -> str | None:
    """Return *body*, which may be cut anywhere, as text, or None when it is binary."""
    try:
        text = codecs.getincrementaldecoder(charset)().decode(body)
    except (UnicodeError, LookupError):
        return None
    return None if "\x00" in text else text


def charset_of(content_type: str) -> str:
    """Return the charset that a Content-Type names, UTF-8 for none that is known."""
    found = _CHARSET.search(content_type)
    return found[1] if found and _TEXTS.fullmatch(found[1]) else "utf-8"


def body_text(head: bytes, body: bytes) -> str | None:
    """Return *body* as text in the charset that its *head* names, None when it is binary."""
    charset = charset_of(value_of(head, "Content-Type") or "")
    text = as_text(body, charset)
    return as_text(body) if text is None and charset != "utf-8" else text


def image_of(head: bytes, body: bytes) -> bytes | None:
    """Return the picture that a body is, None when it is something else."""
    kind = (value_of(head, "Content-Type") or "").partition(";")[0].strip().lower()
    return unpacked(head, body, 8 << 20) if kind in IMAGES and body else None


def pretty(head: bytes, body: bytes) -> str:
    """Return *body* as it is best read: JSON indented, forms decoded, binary as a dump."""
    body = unpacked(head, body, SHOWN)
    kind = value_of(head, "Content-Type") or ""
    if "multipart/form-data" in kind.lower() and (parts := multipart(kind, body)):
        return "\n".join(map(_part_words, parts))
    text = body_text(head, body)
    if text is None:
        return hex_dump(body)
    if "json" in kind.lower():
        try:
            return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return text
    if "x-www-form-urlencoded" in kind.lower():
        return _fields(parse_qsl(text, keep_blank_values=True)) or text
    return text


def _fields(fields: list[tuple[str, str]]) -> str:
    width = min(max((len(name) for name, _ in fields), default=0), 24)
    return "\n".join(f"{name:<{width}} = {value}" for name, value in fields)


class Part(NamedTuple):
    """A part of a form (RFC 7578). *filename* is None where it is no file."""

    name: str
    filename: str | None
    head: bytes
    body: bytes
    whole: bool
    """Whether it ends within what was kept."""


def multipart(content_type: str, body: bytes) -> list[Part]:
    """Take a form's body apart, as far as it goes; empty when it is none."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        return []
    mark = b"--" + (found[1] or found[2]).encode("latin-1", "replace")
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)
    parts = []
    for at, piece in enumerate(pieces[1:], 2):
        head, blank, content = piece.partition(b"\r\n\r\n")
        if not blank:
            continue  # the end, or cut within its head
        # As a head it needs a first line, which the boundary was.
        head += b"\r\n\r\n"
        said = next(iter(values(head, "Content-Disposition")), "")
        named = {match[1].lower(): match[2] or match[3] or "" for match in _FIELD.finditer(said)}
        name, filename = (_utf8(named.get(key)) for key in ("name", "filename"))
        parts.append(Part(name or "", filename, head, content, at < len(pieces)))
    return parts


def _utf8(text: str | None) -> str | None:
    return None if text is None else text.encode("latin-1").decode("utf-8", "replace")


def _part_words(part: Part) -> str:
    cut = "" if part.whole else " …"
    if part.filename is None:
        text = body_text(part.head, part.body)
        return f"{part.name} = {hex_dump(part.body, PART) if text is None else text}{cut}"
    kind = value_of(part.head, "Content-Type") or tr("no type")
    shown = pretty(part.head, part.body[:PART]) + (" …" if len(part.body) > PART else "")
    title = f"{part.name} = ▸ {part.filename} · {kind} · {size(len(part.body))}{cut}"
    return "\n".join([title, *(f"    {line}" for line in shown.split("\n"))])
