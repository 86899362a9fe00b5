"""Recorded requests that would go elsewhere with the routes as they are written."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from app.server.trial import Moved

from .i18n import tr
from .theme import ROW, Theme

COLUMNS = ("Requests", "Path", "Went to", "Would go to")
MOST = 500
"""How many rows are shown at most."""


class MovedView(QTreeWidget):
    """One row for each path, with how many requests it stands for."""

    asked = Signal(str, str)
    """Try this method and path."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._items: dict[tuple[object, ...], QTreeWidgetItem] = {}
        self.count = 0
        """How many requests would go elsewhere."""
        self.setColumnCount(len(COLUMNS))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.header().setStretchLastSection(True)
        self.itemActivated.connect(self._activated)
        self.itemClicked.connect(self._activated)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        for column, width in enumerate((90, 200, 260)):
            self.setColumnWidth(column, self._theme.px(width))

    def begin(self) -> None:
        """Forget what is shown."""
        self.clear()
        self._items, self.count = {}, 0

    def add(self, more: Iterable[Moved | None]) -> None:
        """Show more requests."""
        for one in more:
            if one is not None:
                self.count += 1
                self._add(one)

    def _add(self, one: Moved) -> None:
        key = (one.method, one.path, one.was, one.now)
        item = self._items.get(key)
        if item is None:
            if len(self._items) >= MOST:
                return
            item = QTreeWidgetItem(
                ["0", f"{one.method} {one.path}", _place(one.was), _place(one.now)]
            )
            item.setData(0, Qt.ItemDataRole.UserRole, (one.method, one.path))
            item.setFont(1, self._theme.font(mono=True))
            item.setForeground(2, self._theme.colours.dim)
            item.setForeground(3, self._theme.colours.warn)
            item.setSizeHint(0, QSize(10, self._theme.px(ROW)))
            for column in range(len(COLUMNS)):
                item.setToolTip(column, item.text(column))
            self._items[key] = item
            self.addTopLevelItem(item)
        item.setText(0, str(int(item.text(0)) + 1))

    def _activated(self, item: QTreeWidgetItem) -> None:
        self.asked.emit(*item.data(0, Qt.ItemDataRole.UserRole))

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setHeaderLabels([tr(title) for title in COLUMNS])
        self.setAccessibleName(tr("Recorded requests that would go elsewhere"))
        self.setToolTip(tr("A click or Return tries the request on the routes"))


def _place(place: tuple[str, str | None]) -> str:
    """Return a handler and its route for people."""
    handler, route = place
    name = handler.rpartition(".")[2]
    if name == "ErrorHandler":
        return "404"
    return f"{name}   {route}" if route is not None else name
