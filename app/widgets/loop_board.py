"""How the loop between two ticks is painted: chips for sockets, rows for timers and handles."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from app.recording.snapshot import LoopNow, Socket

from .i18n import tr
from .loop_heat import HeatMap
from .theme import SMALL, Theme
from .timeline_text import Type

CHIPS = 300
"""From more sockets than this on, a heat map takes the place of the chips."""
NOTHING = LoopNow(0, [], [], [], 0, 0, 0)


class Spot(NamedTuple):
    """Something on the panel that can be pointed at."""

    area: QRect
    owner: int
    words: str


class Board(QWidget):
    """Paints one `LoopNow` in three columns."""

    chosen = Signal(int)
    """Something that belongs to a request was clicked."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._theme = theme
        self.state = NOTHING
        self.spots: list[Spot] = []
        """What was painted last and can be pointed at."""
        self._heat = HeatMap()
        self.restyle()

    def restyle(self) -> None:
        """Take fonts from the theme again."""
        theme, self._ratio = self._theme, self.devicePixelRatioF()
        self._mono = Type(theme.font(SMALL + 1, mono=True), self._ratio)
        self._small = Type(theme.font(SMALL), self._ratio)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(600), self._theme.px(130))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(300), self._theme.px(90))

    def show_state(self, state: LoopNow) -> None:
        """Show another state; repaints only when something differs."""
        if state != self.state:
            self.state = state
            self.update()

    def colour_of(self, owner: int, role: str = "") -> QColor:
        """Return the colour of a dot: a request's hue, or that of a socket's role."""
        if owner > 0:
            return self._theme.hue(owner)
        return self._theme.colour({"listen": "ok", "connection": "dim"}.get(role, "faint"))

    def paintEvent(self, event: QPaintEvent) -> None:
        c, px, width = self._theme.colours, self._theme.px, self.width()
        if self.devicePixelRatioF() != self._ratio:
            self.restyle()
        crowded = self.state.socket_count > CHIPS
        first = int(width * (0.56 if crowded else 0.44))
        second = int(width * (0.77 if crowded else 0.69))
        self.spots = []
        with QPainter(self) as p:
            p.fillRect(self.rect(), c.panel)
            for x in (first, second):
                p.fillRect(x, px(10), 1, self.height() - px(20), c.line)
            pad, gap = px(12), px(14)
            bottom = self.height()
            self._sockets(p, QRect(pad, 0, first - pad - gap, bottom))
            self._timers(p, QRect(first + gap, 0, second - first - 2 * gap, bottom))
            self._ready(p, QRect(second + gap, 0, width - second - gap - pad, bottom))

    def _head(self, p: QPainter, area: QRect, text: str, count: int) -> int:
        """Paint a column's head and return where its rows begin."""
        px = self._theme.px
        text = f"{text} · {count:,}" if count else text
        text = self._small.cut(text, area.width())
        middle = area.top() + px(20) - self._small.metrics.capHeight() // 2
        self._small.write(p, area.left(), middle, text, self._theme.colour("dim"))
        return area.top() + px(30)

    def _empty(self, p: QPainter, area: QRect, top: int, text: str) -> None:
        p.setFont(self._small.font)
        p.setPen(self._theme.colour("faint"))
        rest = QRect(area.left(), top + self._theme.px(2), area.width(), area.bottom() - top)
        p.drawText(rest, Qt.TextFlag.TextWordWrap, text)

    def _more(self, p: QPainter, left: int, middle: int, count: int) -> None:
        text = tr("… and {count} more", count=f"{count:,}")
        self._small.write(p, left, middle, text, self._theme.colour("dim"))

    def _sockets(self, p: QPainter, area: QRect) -> None:
        px, state = self._theme.px, self.state
        top = self._head(p, area, tr("sockets in the selector"), state.socket_count)
        if not state.sockets:
            self._empty(p, area, top, tr("No socket is watched: the server does not run."))
        elif state.socket_count > CHIPS:
            field = QRect(area.left(), top, area.width(), area.bottom() - top - px(24))
            said = self._heat.paint(p, field, state.sockets, self._theme)
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
            text = self._mono.cut(_chip(socket), px(230))
            wide = self._mono.width(text) + px(30)
            if x > area.left() and x + wide > area.right():
                x, y = area.left(), y + high + px(5)
            if y + high > area.bottom() + 1:
                break
            chips.append((socket, text, QRect(x, y, wide, high)))
            x += wide + px(6)
        shown, room = len(chips), area.right() - px(95)
        while 1 < shown < count and chips[shown - 1][2].right() > room:
            shown -= 1
        for socket, text, chip in chips[:shown]:
            self._paint_chip(p, socket, text, chip)
        if 0 < shown < count:
            last = chips[shown - 1][2]
            self._more(p, last.right() + px(10), last.center().y(), count - shown)

    def _paint_chip(self, p: QPainter, socket: Socket, text: str, chip: QRect) -> None:
        radius = chip.height() / 2
        p.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(self._theme.colour("raised"))
        p.drawRoundedRect(QRectF(chip), radius, radius)
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self._dotted(p, chip.adjusted(self._theme.px(9), 0, 0, 0), socket.owner, text, socket.role)
        self.spots.append(Spot(chip, socket.owner, _words(socket)))

    def _dotted(self, p: QPainter, row: QRect, owner: int, text: str, role: str = "") -> None:
        px = self._theme.px
        middle = row.top() + row.height() // 2
        centre = QRectF(row.left(), middle - px(4), px(8), px(8)).center()
        self._theme.paint_dot(p, centre, self.colour_of(owner, role))
        self._mono.write(p, row.left() + px(15), middle, text, self._theme.colour("text"))

    def _timers(self, p: QPainter, area: QRect) -> None:
        px, state = self._theme.px, self.state
        top = self._head(p, area, tr("timers"), state.timer_count)
        if not state.timers:
            self._empty(p, area, top, tr("No timer is set."))
            return
        figures = self._mono.width("00.0 min")
        # Of both fonts the capitals stand on the line of the first.
        drop = self._mono.metrics.capHeight() // 2 - self._small.metrics.capHeight() // 2
        fits = self._fitting(area, top, state.timer_count)
        for number, timer in enumerate(state.timers[:fits]):
            row = QRect(area.left(), top + number * px(24), area.width(), px(24))
            middle = row.center().y()
            left = remaining(timer.remaining)
            wide = self._mono.width(left)
            self._mono.write(
                p, row.left() + figures - wide, middle, left, self._theme.colour("text")
            )
            rest = row.adjusted(figures + px(10), 0, 0, 0)
            text, dim = f"{timer.text}", self._theme.colour("dim")
            if timer.owner > 0:
                text += f" · #{timer.owner}"
                dim = self._theme.hue(timer.owner)
            text = self._small.cut(text, rest.width())
            self._small.write(p, rest.left(), middle + drop, text, dim)
            self.spots.append(Spot(row, timer.owner, f"{timer.text} · {left}"))
        if state.timer_count > fits:
            self._more(p, area.left(), top + fits * px(24) + px(12), state.timer_count - fits)

    def _ready(self, p: QPainter, area: QRect) -> None:
        px, state = self._theme.px, self.state
        top = self._head(p, area, tr("ready queue"), state.ready_count)
        if not state.ready:
            self._empty(p, area, top, tr("Nothing is ready: the loop waits in select()."))
            return
        fits = self._fitting(area, top, state.ready_count)
        for number, ready in enumerate(state.ready[:fits]):
            row = QRect(area.left(), top + number * px(24), area.width(), px(24))
            text = f"#{ready.owner} {ready.text}" if ready.owner > 0 else ready.text
            self._dotted(p, row, ready.owner, self._mono.cut(text, row.width() - px(16)))
            self.spots.append(Spot(row, ready.owner, text))
        if state.ready_count > fits:
            self._more(p, area.left(), top + fits * px(24) + px(12), state.ready_count - fits)

    def _fitting(self, area: QRect, top: int, count: int) -> int:
        """Return how many rows fit below *top*; one less when the rest must be counted."""
        fits = max(1, (area.bottom() - top) // self._theme.px(24))
        return count if count <= fits else max(1, fits - 1)

    def spot_at(self, point: QPoint) -> Spot | None:
        """Return what is painted at a point."""
        for spot in self.spots:
            if spot.area.contains(point):
                return spot
        socket = self._heat.socket_at(point) if self.state.socket_count > CHIPS else None
        if socket is None:
            return None
        return Spot(QRect(point, point), socket.owner, f"{_chip(socket)} · {_words(socket)}")

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            spot = self.spot_at(event.pos())
            words = f"<qt>{escape(spot.words)}</qt>" if spot else ""
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        spot = self.spot_at(event.position().toPoint())
        if spot is not None and spot.owner > 0:
            self.chosen.emit(spot.owner)


def _chip(socket: Socket) -> str:
    if socket.owner > 0:
        return f"fd {socket.descriptor} #{socket.owner}"
    role = "idle" if socket.role == "connection" else socket.role
    return f"fd {socket.descriptor} {tr(role)}"


def _words(socket: Socket) -> str:
    """Return all that is known of a socket, for its tooltip."""
    parts = [tr(socket.role), tr("watched for {events}", events=socket.events), socket.text]
    return " · ".join(part for part in parts if part)


def remaining(seconds: float) -> str:
    """Return the time until a timer is due, in a few digits: ``31 ms``, ``3.6 s``, ``59 min``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds >= 599.5 else f"{seconds / 60:.1f} min"
