"""One cookie through the requests of a client."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QTreeWidget, QTreeWidgetItem

from app.recording.cookie_history import history
from app.recording.store import Store

from .cookie_words import unquoted
from .i18n import tr
from .theme import Theme

SHOWN = 1_000
"""How many of the latest sightings are listed."""


class CookieHistoryView(QTreeWidget):
    """Newest first; a value that changed stands out."""

    request_selected = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHeaderLabels(
            [tr(title) for title in ("Request", "Cookie", "Path", "Value", "Attributes")]
        )
        self.setAccessibleName(tr("History of this cookie"))
        for at, width in enumerate((70, 90, 140, 220)):
            self.setColumnWidth(at, theme.px(width))
        for signal in (self.itemClicked, self.itemActivated):
            signal.connect(self._select)

    def _select(self, item: QTreeWidgetItem) -> None:
        self.request_selected.emit(item.data(0, Qt.ItemDataRole.UserRole))

    def show_history(self, store: Store, client: str | None, name: str) -> None:
        """List where the cookie *name* came and was set in a client's requests."""
        self.clear()
        found = history(store.requests.rows, client, name)
        for seen in reversed(found[-SHOWN:]):
            arrow = tr("← came") if seen.direction == "in" else tr("→ set")
            place = f"{seen.method} {seen.uri}"
            cells = [f"#{seen.request_id}", arrow, place, unquoted(seen.value), seen.attributes]
            item = QTreeWidgetItem(cells)
            item.setData(0, Qt.ItemDataRole.UserRole, seen.request_id)
            item.setForeground(0, self._theme.hue(seen.request_id))
            item.setFont(3, self._theme.font(mono=True, bold=seen.changed))
            item.setForeground(3, self._theme.colour("text" if seen.changed else "faint"))
            item.setForeground(4, self._theme.colours.dim)
            for column in (2, 3, 4):
                item.setToolTip(column, cells[column])
            self.addTopLevelItem(item)
