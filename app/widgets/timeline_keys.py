"""The timeline by keyboard: every way of moving about, measuring and folding has a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent

from .timeline_measure import Measure
from .timeline_menu import set_thin
from .timeline_rows import CONNECTION, CONNECTIONS, GROUP, REQUEST, WEBSOCKET

if TYPE_CHECKING:
    from .timeline import TimelinePanel

ZOOM = 1.6
_STEP = 8
"""By how many pixels a key moves the end of the measured span."""
_NONE, _SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
_Action = Callable[[], object]


class Keys:
    """What each key does to the panel."""

    def __init__(self, panel: TimelinePanel) -> None:
        self._panel = panel
        self._canvas = canvas = panel.canvas
        key, view, moves = Qt.Key, canvas.view, panel.moves
        self._plain: dict[int, _Action] = {
            key.Key_F: lambda: panel.set_following(not panel.following),
            key.Key_Plus: lambda: moves.zoom(1 / ZOOM),
            key.Key_Equal: lambda: moves.zoom(1 / ZOOM),
            key.Key_Minus: lambda: moves.zoom(ZOOM),
            key.Key_0: moves.fit,
            key.Key_J: moves.jump,
            key.Key_M: panel.tools.measure.click,
            key.Key_L: self.menu,
            key.Key_S: self._toggle_stages,
            key.Key_Slash: panel.filter.open_filter,
            key.Key_Escape: self._escape,
            key.Key_Left: lambda: canvas.pan(-max(1, view.width // 8)),
            key.Key_Right: lambda: canvas.pan(max(1, view.width // 8)),
            key.Key_PageUp: lambda: canvas.pan(-view.width),
            key.Key_PageDown: lambda: canvas.pan(view.width),
            key.Key_Home: moves.to_start,
            key.Key_End: lambda: panel.set_following(True),
            key.Key_Up: lambda: self._go(-1),
            key.Key_Down: lambda: self._go(1),
            key.Key_Return: self._enter,
            key.Key_Enter: self._enter,
        }
        self._shifted: dict[int, _Action] = {
            key.Key_F: self._plain[key.Key_F],
            key.Key_Left: lambda: self._measure(-_STEP),
            key.Key_Right: lambda: self._measure(_STEP),
            key.Key_S: lambda: set_thin(canvas),
            key.Key_Plus: self._plain[key.Key_Plus],
            key.Key_Slash: panel.filter.open_filter,
        }

    def press(self, event: QKeyEvent) -> bool:
        """Do what a key stands for; return whether it stands for anything."""
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        actions = {_NONE: self._plain, _SHIFT: self._shifted}.get(held, {})
        action = actions.get(event.key())
        if action is not None:
            action()
        return action is not None

    def menu(self) -> None:
        """Open the menu of lanes at the row that the keys are on, else under its button."""
        canvas = self._canvas
        placed = next((p for p in canvas.placed if p.row == canvas.focused), None)
        if placed is None:
            self._panel.tools.lanes.showMenu()
        else:
            point = QPoint(canvas.lay.label, placed.top + placed.height)
            canvas.menu_asked.emit(canvas.mapToGlobal(point))

    def _escape(self) -> None:
        canvas, tools = self._canvas, self._panel.tools
        if canvas.measure is not None:
            canvas.set_measure(None)
        elif tools.measure.isChecked():
            tools.measure.click()
        elif self._panel.filter.isVisible():
            self._panel.filter.close_filter()

    def _measure(self, pixels: int) -> None:
        """Move the end of the measured span; it begins in the middle, or at the pointer."""
        canvas = self._canvas
        view, known = canvas.view, canvas.measure
        if known is None:
            x = view.width / 2 if canvas.pointer is None else canvas.pointer
            known = Measure(view.time(x), view.time(x))
        canvas.set_measure(Measure(known.from_ns, known.to_ns + pixels * view.scale))

    def _go(self, step: int) -> None:
        canvas = self._canvas
        canvas.place_rows()
        row = canvas.rows.beside(canvas.focused, step)
        if row is None:
            return
        canvas.focus_on(row)
        if row.kind in (REQUEST, WEBSOCKET):
            self._panel.select_and_tell(int(row.key))

    def _toggle_stages(self) -> None:
        row = self._canvas.focused
        if row is not None and row.kind == REQUEST:
            self._canvas.toggle(row)

    def _enter(self) -> None:
        canvas, row = self._canvas, self._canvas.focused
        if row is None:
            return
        if row.kind in (CONNECTIONS, GROUP):
            canvas.toggle(row)
        elif row.kind == CONNECTION:
            lane = canvas.scene.connections.get(row)
            if lane is not None and lane.requests:
                self._panel.select_and_tell(lane.requests[-1].key)
        else:
            self._panel.moves.show_request(int(row.key))
