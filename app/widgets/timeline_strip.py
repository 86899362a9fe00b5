"""The loop's lane: every run as a bar, kept in a pixmap of which only what is new is drawn."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter, QPixmap

from app.recording.columns import RunRows
from app.recording.events import Row
from app.recording.store import Store

from .timeline_ink import Ink
from .timeline_view import View

_TICK_START, _TICK_END = itemgetter(1), itemgetter(3)

SAMPLES = 8
"""How many runs of one column are looked at, at most. The cost follows pixels, not history."""
CROWDED = 3
"""With more runs than this in a pixel, columns are two pixels wide."""


class Strip:
    """Draws the ticks and runs of a view into a pixmap and scrolls it while the view follows."""

    def __init__(self, store: Store, ink: Ink) -> None:
        self.store = store
        self._ink = ink
        self._pixmap = QPixmap()
        self._key: tuple[object, ...] = ()
        self._start = 0.0
        self._seen = 0
        self._phase = 0
        self.columns = 0
        """How many columns the last `draw` drew anew."""

    def forget(self) -> None:
        """Draw everything anew next time: colours or the store have changed."""
        self._key = ()
        self._seen = 0

    def draw(self, view: View, height: int, ratio: float) -> QPixmap:
        """Return the pixmap for *view*, brought up to date."""
        key = (view.width, view.scale, height, ratio)
        shift = (view.start - self._start) / view.scale
        columns = round(shift)
        first = self._first_new(view)
        if (
            key != self._key
            or abs(shift - columns) > 0.02
            or abs(columns) >= view.width
            or columns * ratio % 1
        ):
            if not self._key or self._key[:1] + self._key[2:] != key[:1] + key[2:]:
                self._pixmap = QPixmap(round(view.width * ratio), round(height * ratio))
                self._pixmap.setDevicePixelRatio(ratio)
            self._key = key
            self._start = view.start
            self._phase = 0
            self._paint(view, 0, view.width, height)
            return self._pixmap
        # The sum of many shifts drifts; the view's own start is the truth.
        self._start = view.start
        if columns:
            self._phase = (self._phase + columns) % 2
            self._pixmap.scroll(round(-columns * ratio), 0, self._pixmap.rect())
        if columns < 0:
            self._paint(view, 0, -columns, height)
            columns = 0
        first = min(first, view.width - columns)
        if first < view.width:
            self._paint(view, max(0, first), view.width, height)
        else:
            self.columns = -min(0, columns)
        return self._pixmap

    def _first_new(self, view: View) -> int:
        """Return the column in which the first run stands that has not been drawn."""
        runs = self.store.runs
        if not runs or runs.id_at(-1) == self._seen:
            return view.width
        row = runs.rows[runs.position(self._seen + 1)]
        tick = self.store.ticks.get(row[1])
        self._seen = runs.id_at(-1)
        return int(max(-1.0, min(view.width, view.x(min(row[2], tick[1] if tick else row[2])))))

    def _paint(self, view: View, first: int, last: int, height: int) -> None:
        runs = self.store.runs
        at, until = runs.ended(view.time(first)), runs.started(view.time(last))
        wide = 1
        if until - at > CROWDED * (last - first):
            wide = 2
            first = max(0, first - (first + self._phase) % 2)
            at = runs.ended(view.time(first))
        self.columns = last - first
        with QPainter(self._pixmap) as p:
            p.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
            p.fillRect(QRect(first, 0, last - first, height), self._ink.raised)
            self._ticks(p, view, first, last, height)
            columns = _columns(runs.rows, at, until, view, first, wide, self._phase)
            self._runs(p, columns, first, last, height)

    def _ticks(self, p: QPainter, view: View, first: int, last: int, height: int) -> None:
        rows = self.store.ticks.rows
        at = late_left(rows, view.time(first), _TICK_END)
        until = late_left(rows, view.time(last), _TICK_START)
        if (until - at) * 5 > last - first:
            return  # Too close to be told apart.
        x, frame, inside = view.x, self._ink.tick, self._ink.tick_inside
        for row in rows[at:until]:
            left = max(first - 2, int(x(row[1])))
            right = min(last + 2, int(x(row[3])) + 1)
            if right - left > 2:
                p.fillRect(left, 0, right - left, height, inside)
            p.fillRect(left, 0, 1, height, frame)

    def _runs(
        self, p: QPainter, columns: Iterable[Column], first: int, last: int, height: int
    ) -> None:
        fill = self._ink.fill
        begun, end, before, high = first, first, 0, 0
        for a, b, owner, busy in columns:
            tall = int(height * (0.45 + 0.55 * busy)) if busy < 1 else height
            if owner == before and tall == high and a <= end:
                end = max(b, end)
                continue
            if end > begun:
                p.fillRect(begun, height - high, end - begun, high, fill(before))
            begun, end, before, high = a, b, owner, tall
        p.fillRect(begun, height - high, min(last, end) - begun, high, fill(before))


def late_left(rows: Sequence[Row], value: float, key: Callable[[Row], float]) -> int:
    """Return what ``bisect_left`` does, looking from the end on: the place is most often there.

    The newest rows are in the processor's cache, those in the middle of a long history are not.
    """
    last, step = len(rows), 32
    while step < len(rows) and key(rows[-step]) >= value:
        last = len(rows) - step
        step *= 4
    return bisect_left(rows, value, max(0, len(rows) - step), last, key=key)


Column = tuple[int, int, int, float]
"""From a pixel up to a pixel; whose run is the longest there; how busy it is, 0 to 1."""


def _columns(
    rows: RunRows, at: int, until: int, view: View, first: int, wide: int, phase: int
) -> Iterator[Column]:
    """Yield what to draw for the runs from *at* up to *until*.

    Of the runs within one column at most about `SAMPLES` are looked at. Columns are *wide* pixels
    wide; they begin where pixel plus *phase* is a multiple of it, and so stay whole in scrolling.
    """
    start, scale = view.start, view.scale
    starts, ends, owners = map(rows.column, ("start_ns", "end_ns", "owner"))
    while at < until:
        a = int((starts[at] - start) / scale)
        b = int((ends[at] - start) / scale)
        if a < first:
            a = first
        if b - a >= 2:
            yield a, b, owners[at], 1.0
            at += 1
            continue
        a -= (a + phase) % wide
        then = at + 1
        limit = start + (a + wide) * scale
        if then < until and starts[then] < limit:
            then = bisect_left(starts, limit, then, until)
        busy, longest, owner = 0, -1, 0
        stride = (then - at) // SAMPLES + 1
        for each in range(at, then, stride):
            time = ends[each] - starts[each]
            busy += time
            if time > longest:
                longest, owner = time, owners[each]
        yield a, a + wide, owner, busy * stride / (wide * scale)
        at = then
