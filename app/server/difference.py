"""The difference between two versions of files, as rows to be read."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

FILE, GAP, SAME, GONE, CAME = "file", "gap", " ", "-", "+"
CONTEXT = 3
"""How many lines that are the same are shown around a change."""
_LONGEST = 400
"""Lines with more characters are not compared within."""
_MOST_PAIRS = 200
"""How many lines of a file are compared within: that takes long."""
_MOST_LINES = 2_000
"""If more lines lie between the first change and the last, all of them count as changed."""
_ALIKE = 0.4
"""From which share of equal characters on two lines count as one that was changed."""


class Row(NamedTuple):
    """One line. ``old`` and ``new`` are its numbers from 1, 0 where it is not there.

    ``spans`` are the begins and ends of what differs within the line.
    """

    kind: str
    old: int
    new: int
    text: str
    spans: tuple[tuple[int, int], ...] = ()


def difference(old: Mapping[str, str], new: Mapping[str, str]) -> list[Row]:
    """Return how the files *new* differ from *old*: for each its name, then its lines."""
    rows: list[Row] = []
    for file in {**old, **new}:
        before, now = old.get(file), new.get(file)
        if before != now:
            rows.append(Row(FILE, int(before is not None), int(now is not None), file))
            rows += _file_rows((before or "").split("\n"), (now or "").split("\n"))
    return rows


def _file_rows(old: list[str], new: list[str]) -> Iterator[Row]:
    head = _equal(old, new)
    tail = min(_equal(old[::-1], new[::-1]), min(len(old), len(new)) - head)
    # The matcher's time grows with the square of what it is given.
    start = max(head - CONTEXT, 0)
    end = max(tail - CONTEXT, 0)
    first, second = old[start : len(old) - end], new[start : len(new) - end]
    pairs = itertools.count()
    for count, group in enumerate(_groups(first, second)):
        if count:
            yield Row(GAP, 0, 0, "")
        for kind, a, b, c, d in group:
            if kind == "equal":
                yield from (
                    Row(SAME, start + a + n + 1, start + c + n + 1, first[a + n])
                    for n in range(b - a)
                )
            else:
                yield from _changed(first[a:b], second[c:d], start + a + 1, start + c + 1, pairs)


def _groups(first: list[str], second: list[str]) -> Iterable[list[tuple[str, int, int, int, int]]]:
    """Return what is equal and what is not, in groups with some context around."""
    if len(first) + len(second) > _MOST_LINES:
        return [[("replace", 0, len(first), 0, len(second))]]
    return SequenceMatcher(None, first, second).get_grouped_opcodes(CONTEXT)


def _equal(first: Sequence[str], second: Sequence[str]) -> int:
    pairs = enumerate(zip(first, second, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(first), len(second)))


def _changed(
    gone: list[str], came: list[str], old: int, new: int, count: Iterator[int]
) -> Iterator[Row]:
    both = zip(gone, came, strict=False)
    pairs = [_spans(a, b) if next(count) < _MOST_PAIRS else ((), ()) for a, b in both]
    none: list[tuple[_Spans, _Spans]] = [((), ())] * (max(len(gone), len(came)) - len(pairs))
    pairs += none
    for n, line in enumerate(gone):
        yield Row(GONE, old + n, 0, line, pairs[n][0])
    for n, line in enumerate(came):
        yield Row(CAME, 0, new + n, line, pairs[n][1])


_Spans = tuple[tuple[int, int], ...]


def _spans(old: str, new: str) -> tuple[_Spans, _Spans]:
    """Return what differs within a line, before and now; nothing when it is another line."""
    if max(len(old), len(new)) > _LONGEST:
        return (), ()
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return (), ()
    codes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    return (
        tuple((a, b) for _, a, b, _, _ in codes if a != b),
        tuple((c, d) for _, _, _, c, d in codes if c != d),
    )
