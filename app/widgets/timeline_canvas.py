"""The timeline's drawing surface: which rows are shown, where they stand, and moving the view."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QScrollBar, QSizePolicy, QToolTip, QWidget

from app.recording.events import request_of
from app.recording.store import Store

from .theme import Theme
from .timeline_ink import Ink, Layout
from .timeline_lanes import Lane
from .timeline_measure import Measure
from .timeline_mouse import Mouse
from .timeline_rows import REQUEST, WEBSOCKET, WINDOW, Placed, Row, Rows
from .timeline_scene import Scene
from .timeline_tips import tip_at
from .timeline_view import View
from .timeline_words import run_at

_CROWD_PACE = 5


class TimelineCanvas(QWidget):
    """Paints the view of a store: ruler, loop, window, and the rows below."""

    selected = Signal(int)
    """A request was clicked."""
    zoomed_to = Signal(int)
    """A request's lane was double-clicked."""
    moved = Signal()
    """The user moved the view: panned (which ends following) or zoomed."""
    measured = Signal()
    """A span is being measured, or no longer."""
    menu_asked = Signal(QPoint)
    """A menu was asked for, at a point of the screen; `focused` is the row that it is about."""

    def __init__(
        self, store: Store, theme: Theme, scroll: QScrollBar, now: Callable[[], float]
    ) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(280, 160)
        self.setMouseTracking(True)
        self.store = store
        self.view = View()
        self.ink = Ink(theme)
        self.lay = Layout(self.ink, self.width(), self.height())
        self.rows = Rows(store)
        self.scene = Scene(self)
        self.request_id = 0
        self.focused: Row | None = None
        """The row that the keys are on."""
        self.paused_ns: float | None = None
        self.measure: Measure | None = None
        self.pointer: int | None = None
        """Where the pointer is in the plot, in pixels from its left."""
        self.placed: list[Placed] = []
        """The rows painted last; their tops count from the widget's own."""
        self.frames = 0
        """How often it has painted."""
        self.now = now
        self.scrollbar = scroll
        self._newest = True
        self.hidden = 0
        """How many rows there was no room for."""
        self.step = 0
        self.mouse = Mouse(self)
        scroll.actionTriggered.connect(self.scrolled)
        scroll.valueChanged.connect(self.update)

    def set_store(self, store: Store) -> None:
        """Show another store."""
        self.store = self.scene.strip.store = store
        self.rows.set_store(store)
        self.scene.strip.forget()
        self.measure, self.focused = None, None

    def renew(self) -> None:
        """Take colours, fonts and sizes from the theme again, or that other lanes are hidden."""
        self.ink.renew(self.devicePixelRatioF())
        self.scene.strip.forget()
        self._lay_out()
        self.update()

    def _lay_out(self) -> None:
        window = WINDOW not in self.rows.choice.hidden
        self.lay = Layout(self.ink, self.width(), self.height(), window=window)
        self.view.resize(self.width() - self.lay.label)
        self.scrollbar.setSingleStep(self.lay.heights.lane)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()

    @property
    def shown(self) -> list[tuple[Lane, int]]:
        """The requests' lanes painted last, and where each one's row begins."""
        lanes = self.scene.lanes
        return [(lanes[p.row], p.top) for p in self.placed if p.row in lanes]

    def scrolled(self) -> None:
        """The user scrolled: at the end the newest is followed."""
        self._newest = self.scrollbar.sliderPosition() >= self.scrollbar.maximum()

    def place_rows(self) -> None:
        """Find out which rows there is room for, and where they stand."""
        lay, scroll = self.lay, self.scrollbar
        self.rows.update(self.view, lay.heights)
        newest, following = self._newest, self.view.following
        room = self.height() - lay.lanes_top
        found = self.rows.arrange(
            room, scroll.value(), lay.heights, newest=newest, following=following
        )
        if newest or scroll.maximum() != found.most or scroll.pageStep() != found.room:
            scroll.blockSignals(True)
            scroll.setRange(0, found.most)
            scroll.setPageStep(max(1, found.room))
            if newest:
                scroll.setValue(found.most)
            scroll.blockSignals(False)
        scroll.setVisible(found.most > 0 and not found.step)
        self.placed = [p._replace(top=p.top + lay.lanes_top) for p in found.rows]
        self.hidden, self.step = found.hidden, found.step

    def renew_frame(self) -> None:
        """Ask for a new frame.

        In a crowd of lanes nobody can follow one: they move at a fifth of the pace, and the
        loop's lane above them as ever, so that the server keeps its share of the time.
        """
        lay = self.lay
        crowded = self.step or (self.rows.grouped and self.view.following)
        if crowded and self.frames % _CROWD_PACE:
            # The ruler stands still while the view follows.
            self.update(lay.label, lay.ruler, self.view.width, lay.lanes_top - lay.ruler)
        else:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        self.frames += 1
        if self.devicePixelRatioF() != self.ink.ratio:
            self.ink.renew(self.devicePixelRatioF())
            self.scene.strip.forget()
        area = event.rect()
        head_only = area.bottom() < self.lay.lanes_top
        if not head_only:
            self.place_rows()
        with QPainter(self) as p:
            self.scene.paint(p, area, head_only=head_only)

    # -- What is where ---------------------------------------------------------------------

    def row_at(self, point: QPoint) -> Placed | None:
        """Return the row under a point of the widget."""
        if point.y() < self.lay.lanes_top:
            return None
        return next((p for p in self.placed if p.top <= point.y() < p.top + p.height), None)

    def lane_at(self, point: QPoint) -> Lane | None:
        """Return the request's lane under a point of the widget."""
        placed = self.row_at(point)
        return self.scene.lanes.get(placed.row) if placed else None

    def request_at(self, point: QPoint) -> int:
        """Return the number of the request at a point: of a lane, or what ran there; else 0."""
        x = point.x() - self.lay.label
        lay, lane, placed = self.lay, self.lane_at(point), self.row_at(point)
        if lane is not None:
            return lane.request_id
        if placed is not None and placed.row in self.scene.connections:
            bars = self.scene.connections[placed.row].requests
            found = [bar.key for bar in bars if bar.left - 2 <= x < bar.right + 2]
            return found[-1] if found else 0
        if x >= 0 and lay.loop_top <= point.y() < lay.loop_top + lay.loop_height:
            run = run_at(self.store, self.view.time(x), 2 * self.view.scale)
            return (request_of(run.owner) if run else None) or 0
        return 0

    def words_at(self, point: QPoint) -> str:
        """Return the tooltip for a point of the widget."""
        return tip_at(self, point)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.words_at(event.pos()), self)
            return True
        return super().event(event)

    def keys_here(self) -> bool:
        """Whether what is typed moves the timeline."""
        panel = self.parentWidget()
        return panel is not None and panel.hasFocus()

    # -- Moving ----------------------------------------------------------------------------

    def focus_on(self, row: Row) -> None:
        """Put the keys on a row, and scroll until it is seen."""
        self.focused = row
        self.place_rows()
        bottom = self.lay.lanes_top + self.scrollbar.pageStep()
        place = self.rows.top_of(row)
        if place is not None and not any(
            p.row == row and p.top >= self.lay.lanes_top and p.top + p.height <= bottom
            for p in self.placed
        ):
            top, height = place
            scroll, room = self.scrollbar, self.scrollbar.pageStep()
            scroll.setValue(top if top < scroll.value() else top + height - room)
            self.scrolled()
        self.update()

    def focus_on_request(self, request_id: int) -> None:
        """Put the keys on a request's lane, if it has one; what is followed goes on."""
        self.rows.update(self.view, self.lay.heights)
        for row in (Row(REQUEST, request_id), Row(WEBSOCKET, request_id)):
            if self.rows.top_of(row) is not None:
                if self.view.following:
                    self.focused = row
                else:
                    self.focus_on(row)

    def toggle(self, row: Row) -> None:
        """Fold a row, or unfold it."""
        self.rows.toggle(row)
        self.update()

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

    def set_measure(self, measure: Measure | None) -> None:
        """Measure a span, which ends following; None measures nothing."""
        self.measure = measure
        if measure is not None and self.view.following:
            self.view.following = False
            self.moved.emit()
        self.measured.emit()
        self.update()

    def point_at(self, x: int | None) -> None:
        """Say on the ruler at what time the pointer is."""
        if x != self.pointer:
            self.pointer = x
            self.update(QRect(0, 0, self.width(), self.lay.ruler))

    # -- The mouse -------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.mouse.wheel(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.mouse.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.mouse.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.mouse.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mouse.double_click(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        placed = self.row_at(event.pos())
        self.focused = placed.row if placed else None
        self.update()
        self.menu_asked.emit(event.globalPos())

    def leaveEvent(self, event: QEvent) -> None:
        self.point_at(None)
