"""Tables that follow what is recorded: keys, scrolling, columns that make room."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from .i18n import tr
from .rows_model import RowsModel
from .table_delegate import RowDelegate
from .theme import ROW, Theme


class RowsView(QTableView):
    """The table itself: follows the newest row while scrolled to the end; keys j, k, Space, D…"""

    activated_row = Signal(tuple)
    """A row was double-clicked, or Return pressed on it."""
    current_row = Signal(tuple)
    """The user went to this row."""

    def __init__(self, model: RowsModel, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._name = name
        self.rows_model = model
        self._moving = False
        self._bottom = -1
        """Where the last refresh scrolled to; -1 when the newest row was not followed."""
        self.setModel(model)
        self._delegate = RowDelegate(model, theme, self)
        self.setItemDelegate(self._delegate)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        self.doubleClicked.connect(lambda at: self.activated_row.emit(model.row(at.row())))
        self.selectionModel().currentRowChanged.connect(self._current_changed)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.retranslate()

    def _restyle(self) -> None:
        px = self._theme.px
        self.verticalHeader().setMinimumSectionSize(1)
        self.verticalHeader().setDefaultSectionSize(px(ROW))
        header = self.horizontalHeader()
        header.setFixedHeight(px(ROW))
        header.setMinimumSectionSize(px(56))
        for at, column in enumerate(self.rows_model.columns):
            if column.stretch:
                header.setSectionResizeMode(at, QHeaderView.ResizeMode.Stretch)
            else:
                self.setColumnWidth(at, px(column.width))
        self._make_room()
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self.viewport()) as painter:
            self._delegate.paint_rows(painter, event.rect())

    def _make_room(self) -> None:
        """Hide columns that can be spared until the others fit."""
        columns, room = self.rows_model.columns, self.viewport().width() / self._theme.zoom
        width = sum(column.width for column in columns)
        for at in sorted(range(len(columns)), key=lambda at: -columns[at].spare):
            if columns[at].spare:
                hide = width > room
                self.setColumnHidden(at, hide)
                width -= columns[at].width if hide else 0

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setAccessibleName(tr(self._name))
        self.rows_model.retranslate()
        self.viewport().update()

    @property
    def following(self) -> bool:
        """Whether the newest row is kept in sight."""
        # A table that gets less room is no longer at its end, but nobody has scrolled it.
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum() - 2 or bar.value() == self._bottom

    def refresh(self) -> None:
        """Show what was recorded since the last call."""
        following, bar = self.following, self.verticalScrollBar()
        gone = self.rows_model.refresh()
        if following:
            self.scrollToBottom()
        self._bottom = bar.value() if following else -1
        if gone and not following:
            bar.setValue(bar.value() - gone * self.verticalHeader().defaultSectionSize())

    def show_row(self, id_: int) -> None:
        """Mark the row whose first field is *id_* as current, or none when it is not here."""
        at = self.rows_model.find(id_) if id_ else None
        self._moving = True
        try:
            if at is None:
                self.clearSelection()
                self.selectionModel().setCurrentIndex(
                    QModelIndex(), QItemSelectionModel.SelectionFlag.NoUpdate
                )
            elif at != self.currentIndex().row():
                self.selectRow(at)
        finally:
            self._moving = False

    def _current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if current.isValid() and not self._moving:
            self.current_row.emit(self.rows_model.row(current.row()))

    def _go(self, row: int) -> None:
        last = self.rows_model.rowCount() - 1
        if last >= 0:
            row = min(max(row, 0), last)
            self.selectRow(row)
            self.scrollTo(self.rows_model.index(row, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by j k ↑ ↓ Space Home End; Return activates."""
        here, last = self.currentIndex().row(), self.rows_model.rowCount() - 1
        key, keys = event.key(), Qt.Key
        plain = event.modifiers() in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.KeypadModifier,
        )
        moves = {
            keys.Key_J: here + 1,
            keys.Key_Down: here + 1,
            keys.Key_K: here - 1,
            keys.Key_Up: here - 1 if here >= 0 else last,
            keys.Key_Space: here + 10,
            keys.Key_Home: 0,
            keys.Key_End: last,
        }
        if plain and key in moves:
            self._go(moves[keys(key)])
        elif plain and key in (keys.Key_Return, keys.Key_Enter) and here >= 0:
            self.activated_row.emit(self.rows_model.row(here))
        else:
            super().keyPressEvent(event)
