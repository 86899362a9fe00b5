"""A table of names and values that grows while it is filled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCompleter,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from .i18n import tr
from .parts import set_property
from .theme import Theme

Pair = tuple[str, str]
_ROW = 26


class _NameEditor(QStyledItemDelegate):
    """Edits a name, and offers those that are known."""

    def __init__(self, known: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent)
        self._known = known

    def createEditor(
        self,
        parent: QWidget,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> QWidget:
        edit = QLineEdit(parent)
        edit.setProperty("cell", True)
        if index.column() == 0 and self._known:
            completer = QCompleter(list(self._known), edit)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            edit.setCompleter(completer)
        return edit


class PairsTable(QTableWidget):
    """Names and values; there is always an empty row at the end. Delete takes a row away.

    *allowed* says which names there may be; others are shown as wrong.
    """

    edited = Signal()
    """The user, or `set_pairs`, changed something."""

    def __init__(
        self, theme: Theme, name: str, known: Sequence[str] = (), allowed: str = r"[\s\S]+"
    ) -> None:
        super().__init__(0, 2)
        self._theme = theme
        self._name = name
        self._allowed = re.compile(allowed)
        self.setItemDelegate(_NameEditor(known, self))
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(
            triggers.DoubleClicked
            | triggers.SelectedClicked
            | triggers.EditKeyPressed
            | triggers.AnyKeyPressed
        )
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.setTabKeyNavigation(False)
        self.setProperty("boxed", True)
        self.cellChanged.connect(self._changed)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.set_pairs([])
        self.retranslate()

    def _restyle(self) -> None:
        self.verticalHeader().setDefaultSectionSize(self._theme.px(_ROW))
        self.horizontalHeader().setFixedHeight(self._theme.px(22))

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(120), self._theme.px(22 + 2 * _ROW + 4))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(80), self._theme.px(22 + 2 * _ROW))

    def pairs(self) -> list[Pair]:
        """Return the rows that have a name or a value."""
        rows = [(self._text(row, 0), self._text(row, 1)) for row in range(self.rowCount())]
        return [pair for pair in rows if any(pair)]

    def set_pairs(self, pairs: Iterable[Pair]) -> None:
        """Show other rows."""
        was = self.blockSignals(True)
        rows = [*pairs, ("", "")]
        self.setRowCount(len(rows))
        for row, pair in enumerate(rows):
            for column, text in enumerate(pair):
                self.setItem(row, column, QTableWidgetItem(text))
        self.blockSignals(was)
        self.check()
        self.edited.emit()

    def wrong(self) -> list[str]:
        """Return the names that may not be."""
        return [name for name, _ in self.pairs() if not self._allowed.fullmatch(name)]

    def check(self) -> bool:
        """Show which names are wrong; return whether there are none."""
        was = self.blockSignals(True)
        for row in range(self.rowCount()):
            item, value = self.item(row, 0), self._text(row, 1)
            if item is not None:
                empty = not item.text().strip() and not value
                bad = not empty and not self._allowed.fullmatch(item.text().strip())
                item.setForeground(self._theme.colour("error" if bad else "text"))
                item.setToolTip(tr("No name like this can be sent") if bad else "")
        self.blockSignals(was)
        wrong = bool(self.wrong())
        set_property(self, "state", "error" if wrong else "")
        return not wrong

    def _text(self, row: int, column: int) -> str:
        item = self.item(row, column)
        return item.text().strip() if item is not None else ""

    def _changed(self, row: int, column: int) -> None:
        name, colon, value = self._text(row, 0).partition(": ")
        if column == 0 and colon and not self._text(row, 1):  # A whole line was pasted.
            was = self.blockSignals(True)
            self.setItem(row, 0, QTableWidgetItem(name))
            self.setItem(row, 1, QTableWidgetItem(value))
            self.blockSignals(was)
        if row == self.rowCount() - 1 and (self._text(row, 0) or self._text(row, 1)):
            self.insertRow(row + 1)
        self.check()
        self.edited.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.currentRow() >= 0:
            if self.currentRow() < self.rowCount() - 1:
                self.removeRow(self.currentRow())
                self.check()
                self.edited.emit()
            return
        super().keyPressEvent(event)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setHorizontalHeaderLabels([tr("Name"), tr("Value")])
        self.setAccessibleName(tr(self._name))
        self.setToolTip(tr("Type into the last row to add one; Delete takes a row away"))
