"""The loop as a picture: columns that stand still, tokens that move over them, a pointer."""

from __future__ import annotations

import time
from html import escape

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QHelpEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from app.recording.flow import Passage, words
from app.recording.snapshot import LoopNow
from app.recording.store import Store

from .loop_columns import Columns
from .loop_tokens import TO_READY_S, Token, Tokens, paint_glow, paint_token
from .loop_words import Spot, brief, fit, of_socket
from .theme import Theme

FRAME_MS = 33
"""How far apart frames are while something moves, in ms."""
_STEPS = {
    Qt.Key.Key_Left: QPoint(-1, 0),
    Qt.Key.Key_Right: QPoint(1, 0),
    Qt.Key.Key_Up: QPoint(0, -1),
    Qt.Key.Key_Down: QPoint(0, 1),
}
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


class Board(QWidget):
    """Shows one `LoopNow` and what has just run.

    What does not move is painted once for each state; tokens are laid over it while they move.
    The arrow keys go from one thing to the next, and Return selects the request that has it.
    """

    chosen = Signal(int)
    """Something that belongs to a request was clicked, or chosen with the keyboard."""

    def __init__(self, store: Store, theme: Theme) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._store = store
        self._theme = theme
        self.tokens = Tokens()
        self.current: Spot | None = None
        """What the keyboard is at."""
        self._columns = Columns(store, theme)
        self._picture: QPixmap | None = None
        self._motion = QTimer(self)
        self._motion.setInterval(FRAME_MS)
        self._motion.timeout.connect(self._move)
        self.restyle()

    @property
    def state(self) -> LoopNow:
        """What is shown."""
        return self._columns.state

    @property
    def spots(self) -> list[Spot]:
        """What can be pointed at, but for the cells of a heat map."""
        self._still()
        return self._columns.spots + self._columns.run_spots(self.tokens.ran)

    def restyle(self) -> None:
        """Take fonts from the theme again."""
        self._ratio = self.devicePixelRatioF()
        self._columns.restyle(self._ratio)
        self.refresh()

    def refresh(self) -> None:
        """Paint everything anew."""
        self._picture = None
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(600), self._theme.px(130))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(300), self._theme.px(90))

    def show_state(self, state: LoopNow) -> None:
        """Show another state; repaints only when something differs."""
        if state != self.state:
            self._columns.state = state
            self.refresh()

    # -- What moves ----------------------------------------------------------------------------

    def send(self, passages: list[Passage]) -> None:
        """Let a token set out for each run, from where the state shown has its handle."""
        self._still()
        for passage in passages:
            self.tokens.moving.append(self._token(passage))
        if passages and not self._motion.isActive():
            self._motion.start()

    def set_interval(self, ms: int) -> None:
        """Paint what moves every so many ms."""
        if self._motion.interval() != ms:
            self._motion.setInterval(ms)

    def settle(self, passages: list[Passage]) -> None:
        """List these runs, and those under way, without moving anything."""
        self.tokens.settle(passages)
        self._motion.stop()
        self.update()

    @property
    def moves(self) -> bool:
        """Whether anything moves."""
        return self._motion.isActive()

    def _move(self) -> None:
        if not self.tokens.advance(time.monotonic()):
            self._motion.stop()
        self.update()

    def _token(self, passage: Passage) -> Token:
        columns, run = self._columns, passage.run
        sockets, timers, queue, _ = columns.areas()
        lane = len(self.tokens.moving) % columns.fitting(queue, len(self.tokens.moving) + 1)
        ready = columns.row(queue, lane)
        text, source, start = words(self._store, run), QRect(), ready
        if passage.source == "socket":
            text = f"fd {passage.descriptor}"
            source = columns.place_of(("socket", passage.descriptor))
            start = columns.row(sockets, lane) if source.isEmpty() else source
        elif passage.source == "timer":
            source = columns.place_of(("timer", run.name, run.owner, 0))
            start = columns.row(timers, 0) if source.isEmpty() else source
        many = f" ×{passage.runs:,}" if passage.runs > 1 else ""
        room = queue.width() - self._theme.px(32) - columns.mono.width(many)
        return Token(
            passage,
            fit(columns.mono, brief(text, run.owner), room) + many,
            columns.colour_of(run.owner, "client"),
            source,
            QPoint(start.left(), start.center().y()),
            QPoint(ready.left(), ready.center().y()),
            self.tokens.begins(time.monotonic()),
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.devicePixelRatioF() != self._ratio:
            self.restyle()
        now, columns, radius = time.monotonic(), self._columns, self._theme.px(11)
        with QPainter(self) as p:
            p.drawPixmap(0, 0, self._still())
            if not self.state.ready and not self.tokens.moving:
                columns.paint_waits(p)
            columns.paint_runs(p, self.tokens.ran, now)
            place = columns.row(columns.areas()[3], 0)
            end = QPoint(place.left(), place.center().y())
            for token, at, since in self.tokens.placed(now, end):
                paint_glow(p, token.source, token.colour, 1 - since / TO_READY_S / 2, radius)
                paint_token(p, self._theme, columns.mono, token, at)
            if self.hasFocus() and (spot := self._now_at()) is not None:
                paint_glow(p, spot.area, self._theme.colour("accent"), 1, radius / 2)

    def _still(self) -> QPixmap:
        """Return the picture of all that stands still."""
        if self._picture is None:
            self._columns.size = self.size()
            self._picture = QPixmap(self.size() * self._ratio)
            self._picture.setDevicePixelRatio(self._ratio)
            with QPainter(self._picture) as p:
                self._columns.paint(p)
        return self._picture

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.settle([])
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        self.settle([])

    # -- Pointing ------------------------------------------------------------------------------

    def spot_at(self, point: QPoint) -> Spot | None:
        """Return what is painted at a point."""
        for spot in self.spots:
            if spot.area.contains(point):
                return spot
        socket = self._columns.heat.socket_at(point) if self._columns.crowded else None
        return None if socket is None else self._cell(socket.descriptor)

    def _cell(self, descriptor: int) -> Spot | None:
        heat = self._columns.heat
        area = heat.cell_of(descriptor)
        socket = heat.socket_at(area.center())
        if socket is None:
            return None
        return Spot(area, socket.owner, of_socket(self._store, socket), ("socket", descriptor))

    def _now_at(self) -> Spot | None:
        """Return what the keyboard is at, where it is now."""
        if self.current is None:
            return None
        kind, number, *_ = key = self.current.key
        if kind == "socket" and self._columns.crowded:
            return self._cell(int(str(number)))
        return next((spot for spot in self.spots if spot.key == key), None)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._tell(self.spot_at(event.pos()), event.globalPos())
            return True
        return super().event(event)

    def _tell(self, spot: Spot | None, at: QPoint) -> None:
        text = spot.words if spot else self.toolTip()
        QToolTip.showText(at, f"<qt>{escape(text)}</qt>", self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        spot = self.spot_at(event.position().toPoint())
        self._go(spot)
        if spot is not None and spot.owner > 0:
            self.chosen.emit(spot.owner)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _STEPS.get(Qt.Key(event.key()))
        spot = self._now_at()
        if step is not None:
            self._go(self._beside(spot, step) or spot)
        elif event.key() in _ENTER and spot is not None:
            if spot.owner > 0:
                self.chosen.emit(spot.owner)
        else:
            super().keyPressEvent(event)
            return
        if (spot := self._now_at()) is not None:
            self._tell(spot, self.mapToGlobal(spot.area.bottomLeft()))

    def _go(self, spot: Spot | None) -> None:
        self.current = spot
        self.setAccessibleDescription(spot.words if spot else "")
        self.update()

    def _beside(self, spot: Spot | None, step: QPoint) -> Spot | None:
        """Return the nearest thing in the direction of *step*."""
        columns, others = self._columns, self.spots
        if columns.crowded and columns.state.sockets:
            others.append(self._first_cell())
        if spot is None:
            return min(others, key=lambda one: (one.area.left(), one.area.top()), default=None)
        if spot.key[0] == "socket" and columns.crowded:
            next_ = columns.heat.beside(int(str(spot.key[1])), step)
            if next_ is not None:
                return self._cell(next_.descriptor)
        here = spot.area.center()

        def distance(one: Spot) -> int:
            way = one.area.center() - here
            ahead = QPoint.dotProduct(way, step)
            return ahead + 3 * abs(QPoint.dotProduct(way, step.transposed())) if ahead > 0 else -1

        ahead = [one for one in others if one.key != spot.key and distance(one) > 0]
        return min(ahead, key=distance, default=None)

    def _first_cell(self) -> Spot:
        cell = self._cell(self._columns.state.sockets[0].descriptor)
        assert cell is not None
        return cell
