"""The table of the routes, and the list of what is wrong with them."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
)

from app.server.site.route_checking import Fault

from .i18n import tr
from .plain_table import PlainTable
from .routes_model import FIELDS, HANDLER, HOST, KWARGS, NAME, ON, PATTERN, RoutesModel, say
from .theme import ROW, Theme

_MOST_ROWS = 4
_MOST = 200
_WIDTHS = ((ON, 46), (PATTERN, 190), (HANDLER, 230), (NAME, 80), (KWARGS, 80), (HOST, 60))


class RoutesView(PlainTable):
    """Rows are dragged to other places; cells are edited where they are."""

    def __init__(self, model: RoutesModel, theme: Theme) -> None:
        super().__init__(theme, _WIDTHS)
        self.setModel(model)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDragDropOverwriteMode(False)
        self.setDropIndicatorShown(True)

    def restyle(self) -> None:
        super().restyle()
        self.setIconSize(QSize(self._theme.px(13), self._theme.px(13)))
        self.setMinimumHeight(self._theme.px(3 * ROW))
        self.fit_numbers()

    def fit_numbers(self) -> None:
        """Make room for the numbers of the rows."""
        digits = "0" * len(str(self.model().rowCount()))
        width = QFontMetrics(self._theme.font()).horizontalAdvance(digits)
        self.verticalHeader().setFixedWidth(max(self._theme.px(34), width + self._theme.px(18)))

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setAccessibleName(tr("Routes"))


class FaultList(QListWidget):
    """What is wrong with the routes: a click or Return goes to the cell."""

    chosen = Signal(int, int, int)
    """Go to this row and column, at this place in the text (from 1; 0: anywhere)."""

    def __init__(self, model: RoutesModel, theme: Theme) -> None:
        super().__init__()
        self._model = model
        self._theme = theme
        self._places: list[tuple[int, Fault]] = []
        self._columns = {field: column for column, field in FIELDS.items()}
        self.itemClicked.connect(lambda _: self.go(self.currentRow()))
        self.itemActivated.connect(lambda _: self.go(self.currentRow()))
        theme.changed.connect(self.refresh)
        self.setViewportMargins(10, 0, 0, 0)
        self.hide()

    def refresh(self) -> None:
        """Show what the model knows, errors first."""
        faults = [(row, fault) for row, own in self._model.faults.items() for fault in own]
        faults.sort(key=lambda place: (place[1].warning, place[0]))
        more = len(faults) - _MOST
        self._places = faults[:_MOST]
        self.clear()
        for row, fault in self._places:
            glyph, token = ("⚠", "warn") if fault.warning else ("✗", "error")
            values = {"number": row + 1, "fault": say(fault)}
            text = tr("Route {number}: {fault}", **values)
            self._add(f"{glyph} {text}", token)
        if more > 0:
            self._add(tr("… and {count} more", count=more), "dim")
        self.setFixedHeight(min(self.count(), _MOST_ROWS) * self._theme.px(ROW) + 2)
        self.setVisible(bool(faults))

    def _add(self, text: str, token: str) -> None:
        item = QListWidgetItem(text)
        item.setForeground(self._theme.colour(token))
        item.setToolTip(text)
        item.setSizeHint(QSize(10, self._theme.px(ROW)))
        self.addItem(item)

    def go(self, at: int) -> None:
        """Go to the cell of a fault."""
        if 0 <= at < len(self._places):
            row, fault = self._places[at]
            self.setCurrentRow(at)
            self.chosen.emit(row, self._columns.get(fault.field, ON), fault.column)

    def go_next(self) -> None:
        """Go to the next fault, after the last to the first."""
        if self._places:
            self.go((self.currentRow() + 1) % len(self._places))

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setAccessibleName(tr("Problems"))
        self.setToolTip(tr("Return goes to the place; Ctrl+. goes on to the next one"))
        self.refresh()
