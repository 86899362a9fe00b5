"""The list itself: breakpoints with a box to tick, and under each what is parked at it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from app.recording.store import Store
from app.server.breakpoints import Breakpoint, Parked

from .breakpoints_form import place_words, stage_words
from .i18n import tr
from .request_columns import path_of
from .theme import ROW, Theme
from .waiting_item import age, dot

_KEY = Qt.ItemDataRole.UserRole
"""The breakpoint of an item, or the number of its request."""
MANY = 100
"""How many parked requests are listed; the others are counted."""
_TICKED, _OPEN = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class BreakpointsTree(QTreeWidget):
    """Space ticks a breakpoint's box, Delete removes it, Return lets a request go on."""

    resume = Signal()
    remove = Signal()
    chosen = Signal()
    ticked = Signal(Breakpoint, bool)

    def __init__(self, store: Store, theme: Theme) -> None:
        super().__init__()
        self._store = store
        self._theme = theme
        self._filling = False
        self._parked: dict[int, QTreeWidgetItem] = {}
        self.setColumnCount(4)
        self.setUniformRowHeights(True)
        self.setRootIsDecorated(False)
        self.setItemsExpandable(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setAllColumnsShowFocus(True)
        header = self.header()
        header.setStretchLastSection(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.itemChanged.connect(self._changed)
        self.currentItemChanged.connect(self._went)
        theme.changed.connect(self._restyle)
        self._restyle()

    def chosen_one(self) -> tuple[Breakpoint | None, int]:
        """Return the breakpoint that is current, or the number of the request that is, or 0."""
        item = self.currentItem()
        key = item.data(0, _KEY) if item is not None else None
        return (key, 0) if isinstance(key, Breakpoint) else (None, key or 0)

    def show_all(self, points: list[Breakpoint], parked: list[Parked]) -> None:
        """Show these breakpoints and what is parked at each; what was current stays so."""
        current = self.currentItem()
        key: Any = current.data(0, _KEY) if current is not None else None
        self._filling = True
        self.clear()
        items = {point: self._point_item(point) for point in points}
        self._parked = {place.request_id: self._parked_item(place) for place in parked[:MANY]}
        for place in parked[:MANY]:
            items[place.breakpoint].addChild(self._parked[place.request_id])
        counts = Counter(place.breakpoint for place in parked)
        for point, item in items.items():
            self.addTopLevelItem(item)
            count = counts[point]
            item.setText(3, tr("{count} parked", count=count) if count else "")
            more = count - item.childCount()
            if more:
                item.addChild(QTreeWidgetItem([tr("… and {count} more", count=more)]))
            item.setExpanded(True)
        # What was parked first is most likely wanted next.
        first = next(iter(self._parked.values()), None)
        wanted = items.get(key) or self._parked.get(key) or first
        if wanted is not None:
            self.setCurrentItem(wanted)
        self._filling = False

    def _point_item(self, point: Breakpoint) -> QTreeWidgetItem:
        client = point.client or tr("any client")
        item = QTreeWidgetItem([stage_words(point), place_words(point), client, ""])
        item.setData(0, _KEY, point)
        item.setCheckState(0, _TICKED if point.enabled else _OPEN)
        item.setFont(1, self._theme.font(mono=True))
        item.setSizeHint(0, QSize(10, self._theme.px(ROW)))
        if not point.enabled:
            for column in range(3):
                item.setForeground(column, self._theme.colours.faint)
        return item

    def _parked_item(self, place: Parked) -> QTreeWidgetItem:
        request = self._store.request(place.request_id)
        line = f"{request.method} {path_of(request.uri)}" if request is not None else ""
        client = (request.client if request is not None else None) or "—"
        words = tr("before {stage}", stage=place.before)
        item = QTreeWidgetItem([f"#{place.request_id}  {words}", line, client, ""])
        item.setData(0, _KEY, place.request_id)
        item.setIcon(0, dot(self._theme, self._theme.hue(place.request_id)))
        item.setFont(1, self._theme.font(mono=True))
        item.setSizeHint(0, QSize(10, self._theme.px(ROW)))
        item.setForeground(0, self._theme.colours.warn)
        item.setToolTip(1, line)
        return item

    def show_ages(self, parked: list[Parked], now: int) -> None:
        """Show how long the requests have been parked at the instant *now*."""
        self._filling = True
        for place in parked:
            item = self._parked.get(place.request_id)
            if item is not None:
                item.setText(3, age(now - place.since_ns))
        self._filling = False

    def _went(self) -> None:
        if not self._filling:
            self.chosen.emit()

    def _changed(self, item: QTreeWidgetItem) -> None:
        key = item.data(0, _KEY)
        if not self._filling and isinstance(key, Breakpoint):
            self.ticked.emit(key, item.checkState(0) == _TICKED)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.resume.emit()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove.emit()
        else:
            super().keyPressEvent(event)

    def _restyle(self) -> None:
        px = self._theme.px
        for column, width in ((0, 200), (2, 90), (3, 84)):
            self.setColumnWidth(column, px(width))
        self.setIndentation(px(18))
        self.setIconSize(QSize(px(16), px(16)))

    def retranslate(self) -> None:
        """Set the headings again, after the language changed."""
        self.setAccessibleName(tr("Breakpoints"))
        self.setHeaderLabels([tr("Stops"), tr("Where"), tr("Client"), tr("Parked")])
