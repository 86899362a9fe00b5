"""Small indexes of a store, so that drawing need not search all of its rows."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from typing import Protocol

_SHORT_BITS = 26
SHORT_NS = 1 << _SHORT_BITS
"""What lasted less than this (67 ms) is found by searching its start time instead."""


class Fields(Protocol):
    """What `ByOwner` asks of a table."""

    def __len__(self) -> int:
        """Return how many rows there are."""

    def position(self, id_: int) -> int:
        """Return the index at which this id stands or would stand."""

    def started(self, time_ns: float) -> int:
        """Return the index of the first row that began at an instant or later."""

    def first_id(self) -> int:
        """Return the id of the oldest row, 0 without any."""

    def id_at(self, at: int) -> int:
        """Return the id of the row at an index."""

    def ids_of(self, owner: int, first: int, end: int) -> list[int]:
        """Return the ids of the owner's rows between two indexes."""


class ByOwner:
    """The ids of an owner's rows, searched for when they are asked for and remembered then.

    Most requests are never looked at; to note each row's owner would cost more than to search.
    The *fields* of the rows, in the order of their ids and of their starts, grow at the end.
    """

    def __init__(self, fields: Fields, capacity: int = 500) -> None:
        self._fields = fields
        self._capacity = capacity
        self._known: dict[int, tuple[list[int], int]] = {}
        """Owner → its ids so far, and the last id that was looked at."""

    def of(self, owner: int, since_ns: int, until_ns: float = math.inf) -> list[int]:
        """Return the ids of the owner's rows from *since_ns* on, oldest first; not to be changed.

        Rows that began after *until_ns* may be missing, those before *since_ns* must not matter.
        """
        fields = self._fields
        oldest, count = fields.first_id(), len(fields)
        known = self._known.pop(owner, None)
        if known is None:
            ids: list[int] = []
            at = fields.started(since_ns)
        else:
            ids = known[0]
            at = fields.position(known[1] + 1)
        end = count if until_ns == math.inf else fields.started(until_ns + 1)
        if at < end:
            ids += fields.ids_of(owner, at, end)
        at = max(at, end)
        if ids and ids[0] < oldest:
            del ids[: bisect_left(ids, oldest)]
        self._known[owner] = (ids, fields.id_at(at - 1) if at else 0)
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
        insort(spans, (end_ns, start_ns, id_))
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
