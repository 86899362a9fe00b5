"""What the mouse does on the timeline: select, pan, measure, zoom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent

from .timeline_measure import Measure
from .timeline_rows import CONNECTIONS, GROUP

if TYPE_CHECKING:
    from .timeline_canvas import TimelineCanvas

_DRAG = 4
"""How far the pointer moves before a press becomes a drag, in pixels."""


class Mouse:
    """Turns the mouse's events into what the canvas does."""

    def __init__(self, canvas: TimelineCanvas) -> None:
        self._canvas = canvas
        self._press: QPoint | None = None
        self._dragging = False
        self._measuring = False
        self.measures = False
        """Whether dragging measures instead of panning."""

    def press(self, event: QMouseEvent) -> None:
        """Begin to drag."""
        canvas, point = self._canvas, event.position().toPoint()
        if event.button() == Qt.MouseButton.LeftButton:
            self._press, self._dragging = point, False
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._measuring = (self.measures or shift) and point.x() >= canvas.lay.label

    def move(self, event: QMouseEvent) -> None:
        """Pan or measure."""
        canvas, point = self._canvas, event.position().toPoint()
        x = point.x() - canvas.lay.label
        canvas.point_at(x if x >= 0 else None)
        if self._press is None:
            return
        step = point - self._press
        if not self._dragging and max(abs(step.x()), abs(step.y())) < _DRAG:
            return
        if self._measuring:
            if not self._dragging:
                begin = canvas.view.time(self._press.x() - canvas.lay.label)
                canvas.set_measure(Measure(begin, begin))
            self._dragging = True
            if canvas.measure is not None:
                canvas.set_measure(Measure(canvas.measure.from_ns, canvas.view.time(x)))
            return
        self._dragging = True
        self._press = point
        if step.y():
            canvas.scrollbar.setValue(canvas.scrollbar.value() - step.y())
            canvas.scrolled()
        if step.x():
            canvas.setCursor(Qt.CursorShape.ClosedHandCursor)
            canvas.pan(-step.x())

    def release(self, event: QMouseEvent) -> None:
        """Select what was clicked, or fold it."""
        canvas, point = self._canvas, event.position().toPoint()
        if self._press is not None and not self._dragging:
            placed = canvas.row_at(point)
            if placed is not None:
                canvas.focused = placed.row
                canvas.update()
            request_id = canvas.request_at(point)
            if request_id:
                canvas.selected.emit(request_id)
            elif placed is not None and placed.row.kind in (CONNECTIONS, GROUP):
                canvas.toggle(placed.row)
        self._press, self._dragging = None, False
        self.set_cursor()

    def set_cursor(self) -> None:
        """Let the pointer say what dragging does."""
        if self.measures:
            self._canvas.setCursor(Qt.CursorShape.CrossCursor)
        else:
            self._canvas.unsetCursor()

    def double_click(self, event: QMouseEvent) -> None:
        """Show the whole of a request."""
        request_id = self._canvas.request_at(event.position().toPoint())
        if request_id:
            self._canvas.zoomed_to.emit(request_id)

    def wheel(self, event: QWheelEvent) -> None:
        """Zoom about the pointer; with Shift, or sideways: pan; over the names: scroll."""
        canvas = self._canvas
        turn, sideways = event.angleDelta().y(), event.angleDelta().x()
        x = event.position().x() - canvas.lay.label
        event.accept()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if shift or abs(sideways) > abs(turn):
            canvas.pan(-round((sideways or turn) * canvas.view.width / 1600))
        elif x < 0:
            step = turn * canvas.lay.heights.lane // 60
            canvas.scrollbar.setValue(canvas.scrollbar.value() - step)
            canvas.scrolled()
        else:
            canvas.zoom(0.8 ** (turn / 120), x)
