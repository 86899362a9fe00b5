"""The connections as a table."""

from __future__ import annotations

from collections import Counter

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.recording.events import Row
from app.recording.store import Store

from .i18n import tr
from .parts import EmptyState, OrEmpty
from .rows_model import Column, RowsModel
from .table import RowsView
from .theme import Theme
from .words import duration, since, size


class ConnectionsPanel(QWidget):
    """All TCP connections that are still known, newest at the end."""

    def __init__(self, store: Store, theme: Theme) -> None:
        super().__init__()
        self._store = store
        self._counts: Counter[int] = Counter()
        self._versions: dict[int, str] = {}
        self._counted = 0
        self.model = RowsModel(
            self._columns(),
            lambda: store.connections.rows,
            lambda: store.connections.forgotten,
            settled=lambda row: row[3] is not None,
            parent=self,
        )
        self.view = RowsView(self.model, theme, "Connections")
        self._empty = EmptyState(
            "No connections yet", "Each TCP connection that the server accepts appears here."
        )
        self._or_empty = OrEmpty(self.view, self._empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._or_empty)

    def _columns(self) -> list[Column]:
        return [
            Column("#", 70, lambda row: str(row[0]), mono=True),
            Column("Remote", 150, lambda row: row[1], mono=True),
            Column("Opened", 90, self._opened, mono=True, right=True, spare=3),
            Column("Age", 90, self._age, mono=True, right=True, spare=1),
            Column("Requests", 82, self._requests, mono=True, right=True, spare=2),
            Column("Version", 70, lambda row: self._versions.get(row[0], "—"), mono=True, spare=4),
            Column("In", 80, lambda row: _bytes(row, 4), right=True),
            Column("Out", 80, lambda row: _bytes(row, 5), right=True),
            Column("State", 90, _state, lambda row: "ok" if row[3] is None else "dim"),
            Column("Reason", 110, lambda row: tr(row[7] or ""), lambda row: "dim", stretch=True),
        ]

    def _opened(self, row: Row) -> str:
        return since(row[2], self._store.origin_ns)

    def _age(self, row: Row) -> str:
        end = row[3] if row[3] is not None else max(self._store.end_ns, row[2])
        return duration(end - row[2])

    def _requests(self, row: Row) -> str:
        return str(self._counts[row[0]])

    def _count(self) -> None:
        """Count the requests that came since the last call, by connection; keep their version."""
        table = self._store.requests
        for row in table.rows[max(0, self._counted - table.forgotten) :]:
            self._counts[row[1]] += 1
            self._versions[row[1]] = row[5].removeprefix("HTTP/") or "—"
        self._counted = table.forgotten + len(table.rows)

    def refresh(self) -> None:
        """Show what was recorded since the last call."""
        self._count()
        self.view.refresh()
        self._or_empty.show_empty(self.model.rowCount() == 0)
        if self._store.open_connections:
            self.view.viewport().update()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.view.retranslate()
        self._empty.retranslate()


def _bytes(row: Row, field: int) -> str:
    """Bytes are counted when the connection is over."""
    return "…" if row[3] is None else size(row[field])


def _state(row: Row) -> str:
    return f"● {tr('open')}" if row[3] is None else f"○ {tr('closed')}"
