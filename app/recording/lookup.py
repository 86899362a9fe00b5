"""Small indexes that a store keeps up to date in constant time, so that drawing need not search."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import groupby
from operator import itemgetter

from .events import Row

_SHORT_BITS = 26
SHORT_NS = 1 << _SHORT_BITS
"""What lasted less than this (67 ms) is found by searching its start time instead."""


_id = itemgetter(0)


class ByOwner:
    """The ids of rows by owner, oldest first. At most *capacity* ids are kept for one owner."""

    def __init__(self, owner_field: int, capacity: int = 40_000) -> None:
        self.owner_field = owner_field
        self.capacity = capacity
        self.ids: dict[int, list[int]] = {}

    def add(self, rows: list[Row]) -> None:
        """Note new rows; those already known (a later version of the same row) are passed over."""
        ids = self.ids
        by_owner = itemgetter(self.owner_field)
        # Sorted and grouped in C: there may be tens of thousands of rows in a second.
        for owner, group in groupby(sorted(rows, key=by_owner), by_owner):
            new = list(map(_id, group))
            known = ids.setdefault(owner, [])
            known += new[bisect_right(new, known[-1]) if known else 0 :]
            if len(known) > self.capacity:
                del known[: len(known) - self.capacity // 2]

    def of(self, owner: int) -> list[int]:
        """Return the ids of an owner's rows, oldest first. Not to be changed."""
        return self.ids.get(owner) or []

    def forget_before(self, owner: int) -> None:
        """Forget all requests numbered below *owner*; other owners stay."""
        for stale in [known for known in self.ids if 0 < known < owner]:
            del self.ids[stale]


class LongSpans:
    """Finished rows that lasted `SHORT_NS` or longer, to find those that overlap an instant.

    They are kept by powers of two of their duration, each class in the order in which they ended:
    what overlaps an instant ended at most one such duration later.
    """

    def __init__(self, start_field: int, end_field: int, capacity: int = 60_000) -> None:
        self.start_field = start_field
        self.end_field = end_field
        self.capacity = capacity
        self._classes: dict[int, list[tuple[int, int, int]]] = {}

    def add(self, rows: list[Row]) -> None:
        """Note the rows that have ended; rows are expected in the order in which they ended."""
        start_field, end_field = self.start_field, self.end_field
        for row in [
            row for row in rows if row[end_field] and row[end_field] - row[start_field] >= SHORT_NS
        ]:
            end = row[end_field]
            bits = int(end - row[start_field]).bit_length()
            spans = self._classes.setdefault(bits, [])
            spans.append((end, row[start_field], row[0]))
            if len(spans) > 1 and end < spans[-2][0]:
                spans.sort()
            if len(spans) > self.capacity:
                del spans[: self.capacity // 2]

    def across(self, time_ns: int) -> list[int]:
        """Return the ids of the spans that began before *time_ns* and ended after it, in order."""
        found: set[int] = set()  # A row that changed after its end has been noted twice.
        for bits, spans in self._classes.items():
            first = bisect_right(spans, (time_ns, time_ns, 0))
            last = bisect_left(spans, (time_ns + (1 << bits), 0, 0))
            found.update(id_ for _, start, id_ in spans[first:last] if start < time_ns)
        return sorted(found)
