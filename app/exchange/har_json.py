"""The JSON of a HAR file, read strictly, and its fields, each with its path."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .request import ExchangeError

MOST_PROBLEMS = 100
_SURROGATE = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
"""What no text holds; the other lone surrogates are how we write bytes that are not UTF-8."""


class HarError(ExchangeError):
    """A file that is no HAR file, or has a fault that leaves nothing to show."""


def _decoded(data: bytes) -> str:
    if not data.strip():
        raise HarError("the file is empty")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise HarError("the file is UTF-16; HAR files are UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise HarError("the file is not UTF-8: byte {place}", place=error.start) from None


def parsed(data: bytes) -> Any:
    """Return what *data* holds; raises HarError. A byte order mark is tolerated."""
    text = _decoded(data)
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_short,
        )
    except json.JSONDecodeError as error:
        early = error.pos >= len(text.rstrip()) or "Unterminated" in error.msg
        template = "not valid JSON at line {line}, column {column}: {what}"
        raise HarError(
            "the file ends too early, at line {line}, column {column}" if early else template,
            line=error.lineno,
            column=error.colno,
            what=error.msg,
        ) from None
    except RecursionError:
        raise HarError("the file is nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise HarError("the key {key} stands twice in one object", key=repr(twice[:60]))
    return found


def _refuse_constant(name: str) -> None:
    raise HarError("{word} is no JSON", word=name)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise HarError("the number {number} is too large", number=text[:20])
    return number


def _short(text: str) -> int:
    if len(text) > 20:
        raise HarError(
            "the number {number} has {count} digits", number=text[:12] + "…", count=len(text)
        )
    return int(text)


class Fault(Exception):
    """An entry that cannot be taken over."""


class Node:
    """An object in the file and its path, which problems name."""

    def __init__(self, value: Any, path: str, problems: list[str]) -> None:
        self.value: dict[str, Any] = value if isinstance(value, dict) else {}
        self.path = path
        self._problems = problems
        if value is not None and not isinstance(value, dict):
            self.problem("is no object")

    def problem(self, text: str) -> None:
        """Note what could not be taken over."""
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(f"{self.path}: {text}")

    def child(self, key: str) -> Node:
        """Return the object under *key*; an empty one when it is missing."""
        return Node(self.value.get(key), f"{self.path}.{key}", self._problems)

    def children(self, key: str) -> Iterator[Node]:
        """Yield the objects of the list under *key*."""
        found = self.value.get(key)
        if found is not None and not isinstance(found, list):
            self.problem(f"{key} is no list")
        for number, item in enumerate(found if isinstance(found, list) else ()):
            yield Node(item, f"{self.path}.{key}[{number}]", self._problems)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; raises `Fault` when it is missing and there is no default."""
        found = self.value.get(key)
        if isinstance(found, bool | int | float):
            found = str(found)
        if isinstance(found, str):
            if _SURROGATE.search(found):
                raise Fault(f"{key} holds half of a surrogate pair")
            return found
        if found is not None:
            self.problem(f"{key} is no text")
        if default is None:
            raise Fault(f"{self.path.partition('.')[2] or self.path}.{key} is missing")
        return default

    def number(self, key: str, default: float) -> float:
        """Return a number, or the default when it is missing or none."""
        found = self.value.get(key)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return found
        if found is not None:
            self.problem(f"{key} is no number")
        return default
