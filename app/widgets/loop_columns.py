"""The columns of the loop's panel: chips for sockets, rows for timers, handles and runs."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter

from app.recording.flow import words
from app.recording.snapshot import LoopNow, Socket
from app.recording.store import Store

from .i18n import tr
from .loop_heat import HeatMap
from .loop_tokens import GLOW_S, Ran
from .loop_words import (
    Spot,
    brief,
    called,
    chip,
    fit,
    of_ready,
    of_run,
    of_socket,
    of_timer,
    remaining,
)
from .theme import SMALL, Theme
from .timeline_ink import mix
from .timeline_text import Type
from .timeline_view import duration

CHIPS = 300
"""From more sockets than this on, a heat map takes the place of the chips."""
NOTHING = LoopNow(0, [], [], [], 0, 0, 0)
_EDGES = (0.37, 0.59, 0.8)
_CROWDED_EDGES = (0.47, 0.65, 0.83)


class Columns:
    """Lays out and paints one `LoopNow` and the latest runs in an area of *size*."""

    def __init__(self, store: Store, theme: Theme) -> None:
        self._store = store
        self._theme = theme
        self.state = NOTHING
        self.size = QSize()
        self.heat = HeatMap()
        self.spots: list[Spot] = []
        """What was painted last and can be pointed at, but for runs and the heat map's cells."""

    def restyle(self, ratio: float) -> None:
        """Take fonts from the theme again, for a screen with that many pixels in each."""
        self.mono = Type(self._theme.font(SMALL + 1, mono=True), ratio)
        self._small = Type(self._theme.font(SMALL), ratio)

    @property
    def crowded(self) -> bool:
        """Whether there are too many sockets for chips."""
        return self.state.socket_count > CHIPS

    def place_of(self, key: tuple[object, ...]) -> QRect:
        """Return where a socket, timer or handle is painted; an empty rectangle for nowhere."""
        if key and key[0] == "socket" and self.crowded:
            return self.heat.cell_of(int(str(key[1])))
        return next((spot.area for spot in self.spots if spot.key == key), QRect())

    def areas(self) -> list[QRect]:
        """Return the four columns."""
        px, width = self._theme.px, self.size.width()
        shares = _CROWDED_EDGES if self.crowded else _EDGES
        edges = [int(width * share) for share in shares]
        starts = [px(12), *(edge + px(12) for edge in edges)]
        ends = [*(edge - px(10) for edge in edges), width - px(8)]
        return [
            QRect(start, 0, end - start, self.size.height())
            for start, end in zip(starts, ends, strict=True)
        ]

    def row(self, area: QRect, number: int) -> QRect:
        """Return a row of a column."""
        high = self._theme.px(24)
        return QRect(area.left(), self._theme.px(30) + number * high, area.width(), high)

    def fitting(self, area: QRect, count: int) -> int:
        """Return how many rows fit into a column; one less when the rest must be counted."""
        fits = max(1, (area.bottom() - self.row(area, 0).top()) // self._theme.px(24))
        return count if count <= fits else max(1, fits - 1)

    def colour_of(self, owner: int, role: str = "") -> QColor:
        """Return the colour of a dot: a request's hue, or that of a socket's role."""
        if owner > 0:
            return self._theme.hue(owner)
        roles = {"listen": "ok", "connection": "dim", "client": "accent"}
        return self._theme.colour(roles.get(role, "faint"))

    def paint(self, p: QPainter) -> None:
        """Paint all that stands still, and find out where everything is."""
        self.spots = []
        px, state = self._theme.px, self.state
        p.fillRect(QRect(QPoint(), self.size), self._theme.colours.panel)
        sockets, timers, ready, ran = self.areas()
        for area in (timers, ready, ran):
            line = self._theme.colours.line
            p.fillRect(area.left() - px(12), px(10), 1, self.size.height() - px(20), line)
        self._head(p, sockets, tr("sockets in the selector"), state.socket_count)
        self._head(p, timers, tr("timers"), state.timer_count)
        self._head(p, ready, tr("ready queue"), state.ready_count)
        self._head(p, ran, tr("just ran"), 0)
        self._sockets(p, sockets)
        self._timers(p, timers)
        self._ready(p, ready)

    def _head(self, p: QPainter, area: QRect, text: str, count: int) -> None:
        text = f"{text} · {count:,}" if count else text
        text = self._small.cut(text, area.width())
        middle = area.top() + self._theme.px(20) - self._small.metrics.capHeight() // 2
        self._small.write(p, area.left(), middle, text, self._theme.colour("dim"))

    def paint_waits(self, p: QPainter) -> None:
        """Say that nothing is ready."""
        self._empty(p, self.areas()[2], tr("Nothing is ready: the loop waits in select()."))

    def _empty(self, p: QPainter, area: QRect, text: str) -> None:
        p.setFont(self._small.font)
        p.setPen(self._theme.colour("faint"))
        top = self.row(area, 0).top() + self._theme.px(2)
        rest = QRect(area.left(), top, area.width(), area.bottom() - top)
        p.drawText(rest, Qt.TextFlag.TextWordWrap, text)

    def _more(self, p: QPainter, left: int, middle: int, count: int) -> None:
        text = tr("… and {count} more", count=f"{count:,}")
        self._small.write(p, left, middle, text, self._theme.colour("dim"))

    def _sockets(self, p: QPainter, area: QRect) -> None:
        px, state = self._theme.px, self.state
        top = self.row(area, 0).top()
        if not state.sockets:
            self._empty(p, area, tr("No socket is watched: the server does not run."))
        elif state.socket_count > CHIPS:
            field = QRect(area.left(), top, area.width(), area.bottom() - top - px(24))
            said = self.heat.paint(p, field, state.sockets, self._theme)
            p.setFont(self._small.font)
            p.setPen(self._theme.colour("dim"))
            p.drawText(area.left(), area.bottom() - px(8), said)
        else:
            self._chips(p, QRect(area.left(), top, area.width(), area.bottom() - top))

    def _chips(self, p: QPainter, area: QRect) -> None:
        px, count = self._theme.px, self.state.socket_count
        chips: list[tuple[Socket, str, QRect]] = []
        x, y, high = area.left(), area.top(), px(22)
        for socket in sorted(self.state.sockets):
            text = self.mono.cut(chip(socket), min(px(230), area.width() - px(30)))
            wide = self.mono.width(text) + px(30)
            if x > area.left() and x + wide > area.right():
                x, y = area.left(), y + high + px(5)
            if y + high > area.bottom() + 1:
                break
            chips.append((socket, text, QRect(x, y, wide, high)))
            x += wide + px(6)
        narrow = area.width() < px(260)
        shown, room = len(chips), area.right() - px(34 if narrow else 95)
        while 1 < shown < count and chips[shown - 1][2].right() > room:
            shown -= 1
        for socket, text, place in chips[:shown]:
            self._paint_chip(p, socket, text, place)
        if 0 < shown < count:
            last = chips[shown - 1][2]
            left, middle = last.right() + px(10), last.center().y()
            if narrow:
                self._small.write(p, left, middle, f"+{count - shown:,}", self._theme.colour("dim"))
            else:
                self._more(p, left, middle, count - shown)

    def _paint_chip(self, p: QPainter, socket: Socket, text: str, place: QRect) -> None:
        radius, raised = place.height() / 2, self._theme.colour("raised")
        if socket.owner > 0:  # It is busy: the eye should find it among the idle ones.
            raised = mix(self._theme.hue(socket.owner), raised, 0.18)
        p.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(raised)
        p.drawRoundedRect(QRectF(place), radius, radius)
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        inside = place.adjusted(self._theme.px(9), 0, 0, 0)
        self._dotted(p, inside, self.colour_of(socket.owner, socket.role), text)
        known = of_socket(self._store, socket)
        self.spots.append(Spot(place, socket.owner, known, ("socket", socket.descriptor)))

    def _dotted(self, p: QPainter, row: QRect, colour: QColor, text: str) -> None:
        px = self._theme.px
        middle = row.top() + row.height() // 2
        centre = QRectF(row.left(), middle - px(4), px(8), px(8)).center()
        self._theme.paint_dot(p, centre, colour)
        self.mono.write(p, row.left() + px(15), middle, text, self._theme.colour("text"))

    def _timers(self, p: QPainter, area: QRect) -> None:
        px, state = self._theme.px, self.state
        if not state.timers:
            self._empty(p, area, tr("No timer is set."))
            return
        figures = self.mono.width("00.0 min")
        fits = self.fitting(area, state.timer_count)
        for number, timer in enumerate(state.timers[:fits]):
            row = self.row(area, number)
            left = remaining(timer.remaining)
            begin = row.left() + figures - self.mono.width(left)
            self.mono.write(p, begin, row.center().y(), left, self._theme.colour("text"))
            self._timer_text(p, row.adjusted(figures + px(10), 0, 0, 0), timer.text, timer.owner)
            same = sum(spot.key[:3] == ("timer", timer.text, timer.owner) for spot in self.spots)
            key = ("timer", timer.text, timer.owner, same)
            self.spots.append(Spot(row, timer.owner, of_timer(self._store, timer), key))
        if state.timer_count > fits:
            row = self.row(area, fits)
            self._more(p, row.left(), row.center().y(), state.timer_count - fits)

    def _timer_text(self, p: QPainter, rest: QRect, text: str, owner: int) -> None:
        # Of both fonts the capitals stand on the line of the first.
        drop = self.mono.metrics.capHeight() // 2 - self._small.metrics.capHeight() // 2
        whose = f"#{owner} " if owner > 0 else ""
        shown = fit(self._small, whose + called(text), rest.width())
        colour = self._theme.hue(owner) if owner > 0 else self._theme.colour("dim")
        self._small.write(p, rest.left(), rest.center().y() + drop, shown, colour)

    def _ready(self, p: QPainter, area: QRect) -> None:
        state = self.state
        fits = self.fitting(area, state.ready_count)
        for number, ready in enumerate(state.ready[:fits]):
            row = self.row(area, number)
            text = brief(ready.text, ready.owner)
            shown = fit(self.mono, text, row.width() - self._theme.px(16))
            self._dotted(p, row, self.colour_of(ready.owner), shown)
            key = ("ready", number)
            self.spots.append(Spot(row, ready.owner, of_ready(self._store, ready), key))
        if state.ready_count > fits:
            row = self.row(area, fits)
            self._more(p, row.left(), row.center().y(), state.ready_count - fits)

    def paint_runs(self, p: QPainter, runs: Iterable[Ran], now: float) -> None:
        """Paint the latest runs, those lit that have just arrived."""
        px, area = self._theme.px, self.areas()[3]
        for number, (passage, at) in enumerate(runs):
            row = self.row(area, number)
            if row.bottom() > area.bottom():
                break
            run = passage.run
            colour = self.colour_of(run.owner)
            glow = 1 - (now - at) / GLOW_S
            if glow > 0:
                back = mix(colour, self._theme.colour("panel"), 0.22 * glow)
                p.fillRect(row.adjusted(-px(4), px(1), 0, -px(1)), back)
            took = duration(run.end_ns - run.start_ns)
            took = f"×{passage.runs:,}" if passage.runs > 1 else took
            # Where room is scarce, what ran says more than how long it took.
            roomy = passage.runs > 1 or area.width() > px(170)
            wide = self._small.width(took) if roomy else 0
            text = brief(words(self._store, run), run.owner)
            self._dotted(p, row, colour, fit(self.mono, text, row.width() - px(24) - wide))
            if wide:
                left, dim = row.right() - wide - px(2), self._theme.colour("dim")
                self._small.write(p, left, row.center().y(), took, dim)

    def run_spots(self, runs: Iterable[Ran]) -> list[Spot]:
        """Return where the latest runs are painted."""
        area = self.areas()[3]
        return [
            Spot(row, passage.run.owner, of_run(self._store, passage), ("run", passage.run.id))
            for number, (passage, _) in enumerate(runs)
            if (row := self.row(area, number)).bottom() <= area.bottom()
        ]
