"""Checks in order, told step by step; and where in a text its parts are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

State = Literal["passed", "failed", "not reached"]


class Words(NamedTuple):
    """A text with places for values, so that it can be said in any language."""

    text: str
    values: Mapping[str, object] = {}

    def __str__(self) -> str:
        return self.text.format(**self.values) if self.values else self.text


NOTHING = Words("")


class Rung(NamedTuple):
    """One check, its outcome and what was seen."""

    name: str
    state: State
    seen: Words = NOTHING


class Field(NamedTuple):
    """One part of a cookie or token. Offsets count bytes of the UTF-8 text.

    ``start`` includes the length prefix (``10:``), ``value_start`` does not; ``end`` is the
    offset after the last byte.
    """

    name: str
    start: int
    value_start: int
    end: int
    raw: bytes

    @property
    def text(self) -> str:
        """The field as text; what is not UTF-8 is shown as escapes."""
        return self.raw.decode("utf-8", "backslashreplace")


class Ladder:
    """Rungs in order; after the first that fails, the others are not reached."""

    def __init__(self) -> None:
        self.rungs: list[Rung] = []
        self.standing = True

    def step(self, name: str, check: Callable[[], tuple[bool, Words]]) -> None:
        """Run *check* and note its outcome, unless an earlier rung failed."""
        if not self.standing:
            self.rungs.append(Rung(name, "not reached"))
            return
        self.standing, seen = check()
        self.rungs.append(Rung(name, "passed" if self.standing else "failed", seen))


VERSION = re.compile(rb"^([1-9][0-9]*)\|(.*)$")
"""How Tornado tells the version of a signed value or an XSRF token."""


def split_fields(raw: bytes, names: tuple[str, ...]) -> tuple[Field, ...]:
    """Return the parts of *raw* between its pipes, as many as there are *names*."""
    fields, start = [], 0
    for name, part in zip(names, raw.split(b"|"), strict=False):
        fields.append(Field(name, start, start, start + len(part), part))
        start += len(part) + 1
    return tuple(fields)
