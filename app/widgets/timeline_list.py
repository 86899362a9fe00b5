"""Which requests have a lane: those that overlap a span, found without touching all the others."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import itemgetter

from app.recording.events import Row
from app.recording.lookup import SHORT_NS
from app.recording.store import Store

_id, _request_start = itemgetter(0), itemgetter(9)


class LaneList:
    """The numbers of the requests that overlap the span, in order, without touching them all."""

    def __init__(self, store: Store, start_ns: float, end_ns: float) -> None:
        rows = store.requests.rows
        self._rows: Sequence[Row] = rows
        self._last = bisect_left(rows, end_ns, key=_request_start)
        self._first = bisect_left(rows, start_ns, 0, self._last, key=_request_start)
        short = bisect_left(rows, start_ns - SHORT_NS, 0, self._first, key=_request_start)
        older = [
            row[0]
            for row in rows[short : self._first]
            if row[10] is not None and row[10] >= start_ns and row[10] - row[9] < SHORT_NS
        ]
        lasting = store.long_requests.across(round(start_ns))
        open_ids = list(store.open_requests)
        if open_ids and self._first:
            lasting += open_ids[: bisect_left(open_ids, rows[self._first - 1][0] + 1)]
            lasting.sort()
        self._lasting = lasting
        self._older = sorted(older + lasting)

    def __len__(self) -> int:
        return len(self._older) + self._last - self._first

    def ids(self, first: int, last: int) -> list[int]:
        """Return the numbers at the places from *first* up to *last*."""
        older = self._older
        begin = self._first - len(older)
        young = self._rows[max(self._first, begin + first) : min(self._last, begin + last)]
        return older[first:last] + ([row[0] for row in young] if last > len(older) else [])

    def sample(self, room: int, step: int) -> tuple[list[int], int]:
        """Return about *room* of the requests, and how far apart they are: every how manieth.

        Those that have lasted long come first. The same requests are chosen from frame to frame,
        as long as the step stays; *step* is that of the frame before. Steps are odd, or all of
        those chosen would have the same hue.
        """
        older = self._lasting[: room // 3]
        room -= len(older)
        count = self._last - self._first
        if not step or not 0.6 * room <= count / step <= room:
            step = int(count / room * 1.15) | 1
        if not count:
            return older, step
        first, last = self._rows[self._first][0], self._rows[self._last - 1][0]
        chosen = range(first + -first % step, last + 1, step)
        return older + list(chosen[-room:]), step

    def place(self, request_id: int) -> int | None:
        """Return the place of a request, or None when it does not overlap the span."""
        found = bisect_left(self._older, request_id)
        if found < len(self._older) and self._older[found] == request_id:
            return found
        found = bisect_left(self._rows, request_id, self._first, self._last, key=_id)
        if found < self._last and self._rows[found][0] == request_id:
            return len(self._older) + found - self._first
        return None
