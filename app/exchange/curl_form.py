"""Fields of a form, as curl takes them with -F and sends them as multipart/form-data."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence


def form_word(text: str) -> tuple[str, str]:
    """Return the value that *text* begins with, in quotes or up to a semicolon, and the rest."""
    quoted = re.match(r'"((?:[^"\\]|\\.)*+)"\s*(?=;|$)', text, re.DOTALL)
    if quoted:
        return re.sub(r'\\(["\\])', r"\1", quoted[1]), text[quoted.end() :]
    value, semicolon, rest = text.partition(";")
    return value, semicolon + rest


def part(name: str, content: str, kind: str = "", filename: str | None = None) -> bytes:
    """Return the head and the content of one field."""
    lines = [f'Content-Disposition: form-data; name="{_escaped(name)}"']
    if filename is not None:
        lines[0] += f'; filename="{_escaped(filename)}"'
    if kind:
        lines.append(f"Content-Type: {kind}")
    return "\r\n".join([*lines, "", content]).encode("utf-8", "surrogateescape")


def _escaped(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def multipart(parts: Sequence[bytes]) -> tuple[str, bytes]:
    """Return the boundary and the body; the boundary is that of curl in length, and no chance."""
    digest = hashlib.sha256(b"\0".join(parts)).hexdigest()
    boundary = "-" * 24 + digest[:22]
    mark = b"--" + boundary.encode()
    return boundary, b"".join(mark + b"\r\n" + each + b"\r\n" for each in parts) + mark + b"--\r\n"
