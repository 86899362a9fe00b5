"""Columns of bars on one axis of time, from the first to the last that is in sight."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from app.recording.events import Row
from app.recording.tables import Table

_START, _END = 9, 10
LEAST = 2
"""How wide a bar is at least, in pixels."""


class Axis(NamedTuple):
    """Where times stand in a cell: *start_ns* at *left*, *end_ns* at its other end."""

    start_ns: int
    end_ns: int
    left: int
    width: int

    def x(self, time_ns: float) -> int:
        """Return the place of a time, within the cell."""
        share = (time_ns - self.start_ns) / max(1, self.end_ns - self.start_ns)
        return self.left + round(min(1, max(0, share)) * self.width)

    def time(self, x: int) -> float:
        """Return the time at a place."""
        share = (x - self.left) / max(1, self.width)
        return self.start_ns + share * (self.end_ns - self.start_ns)


class Bars(NamedTuple):
    """A column that is painted: from when to when a row reaches, and how that is painted.

    The area given to *paint* is the cell without its margins; the axis spans all rows in sight.
    """

    span: Callable[[Row], tuple[int, int]]
    paint: Callable[[QPainter, QRect, Axis, Row], None]

    def axis(self, rows: Sequence[Row], left: int, width: int) -> Axis:
        """Return the axis on which *rows* fit into a width."""
        spans = [self.span(row) for row in rows]
        start, end = min(span[0] for span in spans), max(span[1] for span in spans)
        return Axis(start, end, left, max(1, width - 1))


class Bar(NamedTuple):
    """A request between two pixels."""

    left: int
    right: int
    id: int


def bars(ids: Sequence[int], requests: Table, axis: Axis, now_ns: int) -> Iterator[Bar]:
    """Yield what is seen of requests that follow each other, with the numbers *ids*.

    Where several share a place, the first stands for them: the cost grows with the width, not
    with how many there are.
    """

    def start(id_: int) -> int:
        row = requests.get(id_)
        return 0 if row is None else int(row[_START])

    at = 0
    while at < len(ids):
        row = requests.get(ids[at])
        if row is None:
            at += 1
            continue
        end = now_ns if row[_END] is None else row[_END]
        left = axis.x(row[_START])
        right = max(axis.x(end), left + LEAST)
        yield Bar(left, right, ids[at])
        # The next that begins beyond this pixel; it is seldom far.
        until, low, step = axis.time(right), at + 1, 1
        while low + step <= len(ids) and start(ids[low + step - 1]) <= until:
            low, step = low + step, 2 * step
        at = bisect_right(ids, until, low, min(low + step, len(ids)), key=start)
