"""How a response differs from the one that was recorded."""

from __future__ import annotations

import difflib
import re
from dataclasses import replace
from typing import NamedTuple

from .entry import CUT, Response
from .redact import REDACTED, masked

_MOST_LINES = 2_000
"""Lines of a body that are compared one by one: the time grows with their square."""
_USUAL = frozenset(
    [
        "date",
        "age",
        "expires",
        "last-modified",
        "etag",
        "content-length",
        "server",
        "connection",
        "keep-alive",
        "transfer-encoding",
        "content-encoding",
        "x-request-id",
    ]
)
"""Headers that differ by themselves, or with the body."""


class Difference(NamedTuple):
    """One difference. *what* is ``status``, ``header`` or ``body``; None stands for absence.

    A *usual* one is no reason to worry: a date, or a token that is new each time.
    """

    what: str
    name: str
    recorded: str | None
    now: str | None
    usual: bool = False


def differences(recorded: Response, now: Response) -> list[Difference]:
    """Return how *now* differs from *recorded*: status, headers by name, body."""
    found: list[Difference] = []
    if recorded.status != now.status:
        old, new = (f"{one.status} {one.reason}".strip() for one in (recorded, now))
        found.append(Difference("status", "", old, new))
    found += _headers(recorded, now)
    now = as_far_as(recorded, now)
    if recorded.body != now.body:
        old, new = (f"{len(one.body)} B" for one in (recorded, now))
        found.append(Difference("body", "", old, new, _same_text(recorded, now)))
    return found


def as_far_as(recorded: Response, now: Response) -> Response:
    """Return *now* with its body cut where the recorded one was cut."""
    if not recorded.note.startswith(CUT):
        return now
    return replace(now, body=now.body[: len(recorded.body)])


def _headers(recorded: Response, now: Response) -> list[Difference]:
    found = []
    names = {name.lower(): name for name, _ in (*now.headers, *recorded.headers)}
    for lower, name in names.items():
        old, new = (
            [value for key, value in one.headers if key.lower() == lower] for one in (recorded, now)
        )
        if old != new:
            usual = lower in _USUAL or (
                lower == "set-cookie" and sorted(map(_cookie, old)) == sorted(map(_cookie, new))
            )
            found.append(Difference("header", name, _joined(old), _joined(new), usual))
    return found


def _joined(values: list[str]) -> str | None:
    return ", ".join(values) if values else None


def _cookie(value: str) -> str:
    """Return a Set-Cookie header without its value and without when it expires."""
    without = re.sub(r"^([^=;]*)=[^;]*", r"\1=", value)
    return re.sub(r"(?i);\s*expires=[^;]*", "; expires", without).lower()


def _same_text(recorded: Response, now: Response) -> bool:
    """Tell whether the bodies differ only in what is new each time, or was hidden."""
    old, new = (masked(one.body.decode("latin-1")) for one in (recorded, now))
    if old == new:
        return True
    return REDACTED in old and _fits(old.split(REDACTED), new)


def _fits(parts: list[str], text: str) -> bool:
    """Tell whether *text* is *parts* with a word or nothing in each gap between them."""
    if not text.startswith(parts[0]):
        return False
    at = len(parts[0])
    for number, part in enumerate(parts[1:], 2):
        last = number == len(parts)
        found = len(text) - len(part) if last else text.find(part, at)
        if found < at or re.search(r"[\"'&\s<>]", text[at:found]):
            return False
        at = found + len(part)
    return text.endswith(parts[-1])


def body_lines(recorded: Response, now: Response) -> list[str]:
    """Return the bodies' differing lines as a unified diff, with three lines around each.

    Bodies that are no text, or have too many lines, are only told apart by their first difference.
    """
    now = as_far_as(recorded, now)
    texts = [_text(one.body) for one in (recorded, now)]
    old, new = ([] if text is None else text.splitlines() for text in texts)
    if None in texts or len(old) > _MOST_LINES or len(new) > _MOST_LINES:
        return [_first_difference(recorded.body, now.body)]
    return list(difflib.unified_diff(old, new, lineterm=""))[2:]


def _text(body: bytes) -> str | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _first_difference(old: bytes, new: bytes) -> str:
    pairs = zip(old, new, strict=False)
    place = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(old), len(new)))
    return f"@@ byte {place} @@"
