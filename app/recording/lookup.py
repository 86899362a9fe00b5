"""Small indexes of a store, so that drawing need not search all of its rows."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from operator import itemgetter

from .events import Row

_SHORT_BITS = 26
SHORT_NS = 1 << _SHORT_BITS
"""What lasted less than this (67 ms) is found by searching its start time instead."""


_id = itemgetter(0)
_Time = Callable[[Row], int]


class ByOwner:
    """The ids of an owner's rows, searched for when they are asked for and remembered then.

    Most requests are never looked at; to note each row's owner would cost more than to search.
    *rows* stay the same list, in the order of their ids and of *start*, and grow at the end.
    """

    def __init__(self, rows: list[Row], owner_field: int, start: _Time, capacity: int = 500):
        self._rows = rows
        self._owner_field = owner_field
        self._start = start
        self._capacity = capacity
        self._known: dict[int, tuple[list[int], int]] = {}
        """Owner → its ids so far, and the last id that was looked at."""

    def of(self, owner: int, since_ns: int, until_ns: float = math.inf) -> list[int]:
        """Return the ids of the owner's rows from *since_ns* on, oldest first; not to be changed.

        Rows that began after *until_ns* may be missing, those before *since_ns* must not matter.
        """
        rows, field = self._rows, self._owner_field
        known = self._known.pop(owner, None)
        if known is None:
            ids: list[int] = []
            at = bisect_left(rows, since_ns, key=self._start)
        else:
            ids = known[0]
            at = bisect_right(rows, known[1], key=_id)
        if at < len(rows) and self._start(rows[at]) <= until_ns:
            end = bisect_right(rows, until_ns, key=self._start)
            ids += [row[0] for row in rows[at:end] if row[field] == owner]
            at = end
        if ids and rows and ids[0] < rows[0][0]:
            del ids[: bisect_left(ids, rows[0][0])]
        self._known[owner] = (ids, rows[at - 1][0] if at else 0)
        if len(self._known) > self._capacity:
            del self._known[next(iter(self._known))]
        return ids


class LongSpans:
    """Finished rows that lasted `SHORT_NS` or longer, to find those that overlap an instant.

    They are kept by powers of two of their duration, each class in the order in which they ended:
    what overlaps an instant ended at most one such duration later.
    """

    def __init__(self, capacity: int = 60_000) -> None:
        self.capacity = capacity
        self._classes: dict[int, list[tuple[int, int, int]]] = {}

    def add(self, id_: int, start_ns: int, end_ns: int) -> None:
        """Note one; they are expected nearly in the order in which they ended."""
        spans = self._classes.setdefault((end_ns - start_ns).bit_length(), [])
        spans.append((end_ns, start_ns, id_))
        if len(spans) > 1 and end_ns < spans[-2][0]:
            spans.sort()
        if len(spans) > self.capacity:
            del spans[: self.capacity // 2]

    def across(self, time_ns: int) -> list[int]:
        """Return the ids of the spans that began before *time_ns* and ended after it, in order."""
        found: list[int] = []
        for bits, spans in self._classes.items():
            first = bisect_right(spans, (time_ns, time_ns, 0))
            last = bisect_left(spans, (time_ns + (1 << bits), 0, 0))
            found += (id_ for _, start, id_ in spans[first:last] if start < time_ns)
        return sorted(found)
