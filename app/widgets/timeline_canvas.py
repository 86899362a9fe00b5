"""The timeline's drawing surface: which lanes are shown, painting them, and the mouse."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QScrollBar, QSizePolicy, QToolTip, QWidget

from app.recording.events import WINDOW
from app.recording.store import Store

from . import timeline_paint as paint
from . import timeline_words as words
from .i18n import tr
from .theme import Theme
from .timeline_ink import Ink, Layout
from .timeline_lanes import Lane, arrows, lane, run_bars
from .timeline_list import LaneList
from .timeline_strip import Strip
from .timeline_view import View

_DRAG = 4
_CROWD = 4
"""With so many times more lanes than there is room for, a sample of them is followed."""
_CROWD_PACE = 5


class TimelineCanvas(QWidget):
    """Paints the view of a store: ruler, loop, window, and a lane for each request in view."""

    selected = Signal(int)
    """A lane was clicked."""
    zoomed_to = Signal(int)
    """A lane was double-clicked."""
    moved = Signal()
    """The user moved the view: panned (which ends following) or zoomed."""

    def __init__(
        self, store: Store, theme: Theme, scroll: QScrollBar, now: Callable[[], float]
    ) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(280, 160)
        self.setMouseTracking(False)
        self.store = store
        self.view = View()
        self.ink = Ink(theme)
        self.lay = Layout(self.ink, self.width())
        self.strip = Strip(store, self.ink)
        self.request_id = 0
        self.paused_ns: float | None = None
        self.shown: list[tuple[Lane, int]] = []
        """The lanes painted last, and where each one's row begins."""
        self.frames = 0
        """How often it has painted."""
        self._now = now
        self._scroll = scroll
        self._newest = True
        self._step = 0
        self._crowded = False
        self._press: QPoint | None = None
        self._dragging = False
        scroll.actionTriggered.connect(self._scrolled)
        scroll.valueChanged.connect(self.update)

    def renew(self) -> None:
        """Take colours, fonts and sizes from the theme again."""
        self.ink.renew(self.devicePixelRatioF())
        self.strip.forget()
        self._lay_out()
        self.update()

    def _lay_out(self) -> None:
        self.lay = Layout(self.ink, self.width())
        self.view.resize(self.width() - self.lay.label)
        self._scroll.setSingleStep(self.lay.pitch)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()

    def lane_ids(self) -> LaneList:
        """The requests in view."""
        return LaneList(self.store, self.view.start, self.view.end)

    def _scrolled(self) -> None:
        self._newest = self._scroll.sliderPosition() >= self._scroll.maximum()

    def _place_lanes(self) -> tuple[list[Lane], int, int]:
        """Return the lanes that there is room for, the top of the first, and how many are not."""
        lay, ids = self.lay, self.lane_ids()
        count, room = len(ids), self.height() - lay.lanes_top
        overflow = count * lay.pitch > room
        if overflow:
            room -= lay.foot
        most = max(0, count * lay.pitch - room) if overflow else 0
        now, scroll = self._now(), self._scroll
        self._step = self._step if self.view.following else 0
        self._crowded = self.view.following and count * lay.pitch > _CROWD * room
        if self._crowded:
            scroll.hide()
            some, self._step = ids.sample(max(1, room // lay.pitch), self._step)
            return self._lanes(some, now), lay.lanes_top, count - len(some)
        self._step = 0
        if scroll.maximum() != most or scroll.pageStep() != room:
            scroll.blockSignals(True)
            scroll.setRange(0, most)
            scroll.setPageStep(max(1, room))
            scroll.blockSignals(False)
            scroll.setVisible(overflow)
        if self._newest and self.view.following and scroll.value() != most:
            scroll.blockSignals(True)
            scroll.setValue(most)
            scroll.blockSignals(False)
        first = scroll.value() // lay.pitch
        last = min(count, (scroll.value() + room) // lay.pitch + 1)
        lanes = self._lanes(ids.ids(first, last), now)
        hidden = count - max(0, room // lay.pitch) if overflow else 0
        return lanes, lay.lanes_top + first * lay.pitch - scroll.value(), hidden

    def _lanes(self, ids: list[int], now_ns: float) -> list[Lane]:
        found = (lane(self.store, id_, self.view, now_ns) for id_ in ids)
        return [one for one in found if one is not None]

    def renew_frame(self) -> None:
        """Ask for a new frame.

        In a crowd of lanes nobody can follow one: they move at a fifth of the pace, and the
        loop's lane above them as ever, so that the server keeps its share of the time.
        """
        lay = self.lay
        if self._crowded and self.frames % _CROWD_PACE:
            # The ruler stands still while the view follows.
            self.update(lay.label, lay.ruler, self.view.width, lay.lanes_top - lay.ruler)
        else:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        self.frames += 1
        if self.devicePixelRatioF() != self.ink.ratio:
            self.ink.renew(self.devicePixelRatioF())
            self.strip.forget()
        lay = self.lay
        strip = self.strip.draw(self.view, lay.loop_height, self.ink.ratio)
        area = event.rect()
        head_only = area.bottom() < lay.lanes_top
        lanes, top, hidden = ([], 0, 0) if head_only else self._place_lanes()
        foot = lay.foot if hidden else 0
        with QPainter(self) as p:
            p.fillRect(area, self.ink.panel)
            if not head_only:
                self.shown = [(one, top + n * lay.pitch) for n, one in enumerate(lanes)]
                self._rows(p)
            self._paint_head(p, strip, min(area.bottom() + 1, self.height() - foot), area.top())
            if not head_only:
                self._paint_lanes(p, lanes, top, foot)
            p.setClipping(False)
            p.resetTransform()
            if area.left() < lay.label:
                self._names(p, self.height() - foot, [] if head_only else self.shown)
            if self.paused_ns is not None:
                self._pause_line(p, self.height() - foot)
            if hidden:
                rest = QRect(0, self.height() - foot, self.width(), foot)
                paint.paint_more(p, rest, hidden, self._step, self.ink)

    def _paint_head(self, p: QPainter, strip: QPixmap, bottom: int, top: int) -> None:
        """Paint the ruler and its lines down to *bottom*, the loop's lane and the window's."""
        lay, ink, view = self.lay, self.ink, self.view
        p.translate(lay.label, 0)
        p.setClipRect(0, 0, view.width, bottom)
        paint.paint_ruler(p, view, ink, lay, bottom, figures=top < lay.ruler)
        p.drawPixmap(0, lay.loop_top, strip)
        own = run_bars(self.store, WINDOW, view, view.start, view.end)
        paint.paint_bars(p, own, ink.window, lay.window_top, lay.window_height)

    def _paint_lanes(self, p: QPainter, lanes: list[Lane], top: int, foot: int) -> None:
        lay, ink, view = self.lay, self.ink, self.view
        room = QRect(0, lay.lanes_top, view.width, self.height() - lay.lanes_top - foot)
        p.setClipRect(room)
        inset = (lay.pitch - lay.bar) // 2
        for one, y in self.shown:
            paint.paint_lane(p, one, y + inset, view, ink, lay)
        self._arrows(p, lanes, top + inset)
        if not lanes and not len(self.store.requests):
            paint.paint_empty(p, room, ink)

    def _rows(self, p: QPainter) -> None:
        lay, ink, width = self.lay, self.ink, self.width()
        for one, y in self.shown:
            if one.request_id == self.request_id:
                p.fillRect(0, y, width, lay.pitch, ink.selection)
            p.fillRect(0, y + lay.pitch, width, 1, ink.rule)
        p.fillRect(0, 0, width, lay.lanes_top, ink.panel)
        p.fillRect(0, lay.lanes_top, width, 1, ink.rule)

    def _names(self, p: QPainter, bottom: int, shown: list[tuple[Lane, int]]) -> None:
        lay, ink = self.lay, self.ink
        p.setClipRect(0, 0, self.width(), bottom)
        for text, y, height in (
            (tr("loop"), lay.loop_top, lay.loop_height),
            (tr("window"), lay.window_top, lay.window_height),
        ):
            paint.paint_name(p, text, QRect(0, y - 6, lay.label, height + 12), ink)
        p.setClipRect(0, lay.lanes_top, self.width(), bottom - lay.lanes_top)
        for one, y in shown:
            row = QRect(0, y, lay.label, lay.pitch)
            paint.paint_title(p, one, row, ink, selected=one.request_id == self.request_id)
        p.setClipping(False)

    def _arrows(self, p: QPainter, lanes: list[Lane], bar_top: int) -> None:
        lay, ink = self.lay, self.ink
        for arrow in arrows(self.store, lanes, self.view, self.request_id)[:40]:
            to_top = bar_top + arrow.to_lane * lay.pitch
            if arrow.from_lane < 0:
                from_y, down = lay.loop_top + lay.loop_height, True
            else:
                down = arrow.from_lane < arrow.to_lane
                from_y = bar_top + arrow.from_lane * lay.pitch + (lay.bar if down else 0)
            to_y = to_top if down else to_top + lay.bar
            between = (lay.pitch - lay.bar) // 2
            word_y = to_top - between if down else to_top + lay.bar + between
            paint.paint_arrow(p, arrow, from_y, to_y, word_y, self.view, ink)

    def _pause_line(self, p: QPainter, bottom: int) -> None:
        x = round(self.view.x(self.paused_ns or 0.0))
        if 0 <= x <= self.view.width:
            left, top = self.lay.label + x, self.lay.ruler
            paint.paint_mark(p, left, tr("paused here"), self.ink.error, top, bottom, self.ink)

    def lane_at(self, point: QPoint) -> Lane | None:
        """Return the lane under a point of the widget."""
        if point.y() < self.lay.lanes_top:
            return None
        return next((one for one, y in self.shown if y <= point.y() < y + self.lay.pitch), None)

    def bring_into_view(self, place: int) -> None:
        """Scroll until the lane at *place* is seen."""
        top, scroll = place * self.lay.pitch, self._scroll
        room = scroll.pageStep()
        if not scroll.value() <= top <= scroll.value() + room - self.lay.pitch:
            scroll.setValue(top if top < scroll.value() else top + self.lay.pitch - room)
            self._scrolled()

    def words_at(self, point: QPoint) -> str:
        """Return the tooltip for a point of the widget."""
        lay, x = self.lay, point.x() - self.lay.label
        alarm = self.ink.error.name()
        one = self.lane_at(point)
        if one is not None:
            return words.lane_words(self.store, one, self.view, max(-1, x), self._now(), alarm)
        if x < 0:
            return ""
        if lay.loop_top <= point.y() < lay.loop_top + lay.loop_height:
            return words.loop_words(self.store, self.view, x, alarm)
        if lay.window_top - 4 <= point.y() < lay.window_top + lay.window_height + 4:
            return words.window_words(self.store, self.view, x, alarm)
        return ""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.words_at(event.pos())
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn, sideways = event.angleDelta().y(), event.angleDelta().x()
        x = event.position().x() - self.lay.label
        event.accept()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if shift or abs(sideways) > abs(turn):
            self.pan(-round((sideways or turn) * self.view.width / 1600))
        elif x < 0:
            self._scroll.setValue(self._scroll.value() - turn * self.lay.pitch // 60)
            self._scrolled()
        else:
            self.zoom(0.8 ** (turn / 120), x)

    def zoom(self, factor: float, x: float | None = None) -> None:
        """Zoom about *x* in the plot; about the middle when it is not given."""
        self.view.zoom(factor, self.view.width / 2 if x is None else x)
        self.moved.emit()
        self.update()

    def pan(self, pixels: int) -> None:
        """Move by pixels towards later times; this ends following."""
        self.view.following = False
        self.view.pan(pixels)
        self.moved.emit()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._press, self._dragging = event.position().toPoint(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._press is None:
            return
        point = event.position().toPoint()
        step = point - self._press
        if not self._dragging and max(abs(step.x()), abs(step.y())) < _DRAG:
            return
        self._dragging = True
        self._press = point
        if step.y():
            self._scroll.setValue(self._scroll.value() - step.y())
            self._scrolled()
        if step.x():
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.pan(-step.x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._press is not None and not self._dragging:
            one = self.lane_at(event.position().toPoint())
            if one is not None:
                self.selected.emit(one.request_id)
        self._press, self._dragging = None, False
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        one = self.lane_at(event.position().toPoint())
        if one is not None:
            self.zoomed_to.emit(one.request_id)
