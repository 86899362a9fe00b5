"""Which things have a lane: those that overlap a span, found without touching all the others."""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter

from app.recording.events import Row
from app.recording.lookup import SHORT_NS
from app.recording.store import Store


class Span:
    """The numbers of the rows that overlap a span of time, without touching them all.

    Rows that began in the span have the numbers from ``first`` up to ``last``; ``older`` are the
    others, in order, and ``lasting`` those of them that take long. Of the latter those that may
    be in the span are given, in order.
    """

    def __init__(
        self,
        rows: list[Row],
        fields: tuple[int, int],
        lasting: list[int],
        span: tuple[float, float],
    ) -> None:
        start_ns, end_ns = span
        begin_field, end_field = fields
        begin = itemgetter(begin_field)
        last = bisect_left(rows, end_ns, key=begin)
        first = bisect_left(rows, start_ns, 0, last, key=begin)
        short = bisect_left(rows, start_ns - SHORT_NS, 0, first, key=begin)
        self.first: int = rows[first][0] if first < len(rows) else rows[-1][0] + 1 if rows else 0
        self.last: int = rows[last - 1][0] + 1 if last > first else self.first
        self.lasting = lasting[: bisect_left(lasting, self.first)]
        older = [
            row[0]
            for row in rows[short:first]
            if (end := row[end_field]) is not None
            and end >= start_ns
            and end - row[begin_field] < SHORT_NS
        ]
        self.older = sorted(older + self.lasting) if older else self.lasting


def requests_in(store: Store, start_ns: float, end_ns: float) -> Span:
    """Return the requests that overlap a span."""
    lasting = sorted([*store.long_requests.across(round(start_ns)), *store.open_requests])
    return Span(store.requests.rows, (9, 10), lasting, (start_ns, end_ns))


class InView:
    """Of *ids*, which are in order, those within a `Span`. *whole*: there are no others."""

    def __init__(self, span: Span, ids: list[int], *, whole: bool = False) -> None:
        self._ids = ids
        self._lasting = span.lasting if whole else _both(span.lasting, ids)
        self._older = span.older if whole else self._lasting
        if span.older is not span.lasting and not whole:
            self._older = _both(span.older, ids)
        self._first = bisect_left(ids, span.first)
        self._last = bisect_left(ids, span.last, self._first)

    def __len__(self) -> int:
        return len(self._older) + self._last - self._first

    @property
    def lasting(self) -> list[int]:
        """Those that began before the span and take long."""
        return self._lasting

    def part(self, first: int, last: int) -> list[int]:
        """Return the numbers at the places from *first* up to *last*."""
        older, begin = self._older, self._first - len(self._older)
        young = self._ids[max(self._first, begin + first) : min(self._last, begin + last)]
        return older[first:last] + (young if last > len(older) else [])

    def sample(self, room: int, step: int) -> tuple[list[int], int]:
        """Return about *room* of them, and how far apart they are: every how manieth.

        Those that have lasted long come first. The same are chosen from frame to frame,
        as long as the step stays; *step* is that of the frame before. Steps are odd, or all of
        those chosen would have the same hue.
        """
        older = self._lasting[: room // 3]
        room -= len(older)
        count = self._last - self._first
        if not step or not 0.6 * room <= count / step <= room:
            step = int(count / room * 1.15) | 1
        first = self._first + -self._first % step
        return older + self._ids[first : self._last : step][-room:], step

    def place(self, id_: int) -> int | None:
        """Return the place of one, or None when it is not among them."""
        found = _index(self._older, id_)
        if found is not None:
            return found
        found = _index(self._ids, id_)
        if found is not None and self._first <= found < self._last:
            return len(self._older) + found - self._first
        return None


def _index(ids: list[int], id_: int) -> int | None:
    at = bisect_left(ids, id_)
    return at if at < len(ids) and ids[at] == id_ else None


def _both(few: list[int], ids: list[int]) -> list[int]:
    if not few or not ids:
        return []
    first = bisect_left(ids, few[0])
    if ids[first : first + len(few)] == few:  # Of a crowd that waits, usually.
        return few
    if len(ids) <= len(few):
        known = set(few)
        return [id_ for id_ in ids if id_ in known]
    return [id_ for id_ in few if _index(ids, id_) is not None]
