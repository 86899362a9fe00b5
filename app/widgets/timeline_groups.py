"""The lane of a group of requests: how many began in each stretch of time, and how many failed."""

from __future__ import annotations

import math
from bisect import bisect_left
from operator import itemgetter
from typing import NamedTuple

from app.recording.store import Store

from .timeline_view import View

COLUMN = 4
"""How wide a column is, in pixels."""
_start = itemgetter(9)


class Column(NamedTuple):
    """The requests that began in one stretch: how many, and how many of them failed."""

    left: int
    requests: int
    failed: int


class Columns:
    """The columns of a view, at the same instants from frame to frame."""

    def __init__(self, store: Store, view: View) -> None:
        rows = store.requests.rows
        length = COLUMN * view.scale
        first = math.floor(view.start / length)
        self.lefts: list[int] = []
        self._ids: list[int] = []
        at = 0
        newest = rows[-1][0] + 1 if rows else 0
        for number in range(first, math.ceil(view.end / length) + 1):
            at = bisect_left(rows, number * length, at, key=_start)
            self._ids.append(rows[at][0] if at < len(rows) else newest)
            self.lefts.append(round(view.x(number * length)))

    def of(self, ids: list[int], failed: list[int]) -> list[Column]:
        """Return the columns of the requests *ids*, which are in order; the empty ones left out."""
        columns = []
        edges, at, bad = self._ids, bisect_left(ids, self._ids[0]), 0
        for left, edge in zip(self.lefts, edges[1:], strict=False):
            if at == len(ids):
                break
            if ids[at] >= edge:
                continue
            end = bisect_left(ids, edge, at)
            bad = bisect_left(failed, ids[at], bad)
            columns.append(Column(left, end - at, bisect_left(failed, edge, bad) - bad))
            at = end
        return columns


def lasting(store: Store, ids: list[int], view: View, now_ns: float) -> int:
    """Return how far into the view the requests *ids* last, in pixels; they began before it."""
    rows = [row for id_ in ids if (row := store.requests.get(id_)) is not None]
    ends = (now_ns if row[10] is None else row[10] for row in rows)
    return round(min(view.width, max((view.x(end) for end in ends), default=0)))
