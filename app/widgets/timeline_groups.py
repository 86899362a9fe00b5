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
SAMPLES = 4
"""How many requests of a column are asked whether they failed."""
_start = itemgetter(9)


class Column(NamedTuple):
    """The requests that began in one stretch: how many, and the share of those that failed."""

    left: int
    requests: int
    failed: float


class Columns:
    """The columns of a view, at the same instants from frame to frame."""

    def __init__(self, store: Store, view: View) -> None:
        self._store = store
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

    def of(self, ids: list[int]) -> list[Column]:
        """Return the columns of the requests *ids*, which are in order; the empty ones left out."""
        columns = []
        edges = self._ids
        at = bisect_left(ids, edges[0])
        for n in range(len(edges) - 1):
            if at == len(ids):
                break
            if ids[at] >= edges[n + 1]:
                continue
            end = bisect_left(ids, edges[n + 1], at)
            columns.append(Column(self.lefts[n], end - at, self._failed(ids, at, end)))
            at = end
        return columns

    def _failed(self, ids: list[int], at: int, end: int) -> float:
        some = ids[at : end : (end - at) // SAMPLES + 1]
        rows = [self._store.requests.get(id_) for id_ in some]
        bad = [row for row in rows if row is not None and (row[8] or 0) >= 400]
        return len(bad) / len(some)
