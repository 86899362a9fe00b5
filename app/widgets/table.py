"""Tables that follow what is recorded: keys, scrolling, columns that make room."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from .i18n import tr
from .rows_model import RowsModel
from .table_delegate import RowDelegate
from .theme import ROW, Theme
from .time_bars import Axis


class RowsView(QTableView):
    """The table itself: follows the newest row while scrolled to the end; keys j, k, Space, F…

    A click on a heading sorts. The current row stays the current one wherever it goes, and comes
    back when it was gone for a while.
    """

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
        self._chosen = 0
        """The first field of the current row; 0 for none."""
        self._held = False
        """Whether following was switched off."""
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
        header.setSectionsClickable(any(column.key is not None for column in model.columns))
        header.sectionClicked.connect(self._sort_by)
        if any(column.bars is not None for column in model.columns):
            # What is in sight decides on the axis: scrolled pixels would stand on another.
            self.verticalScrollBar().valueChanged.connect(lambda: self.viewport().update())
        model.modelReset.connect(self._after_reset)
        model.behind.connect(self.refresh)
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

    def axis(self, column: int) -> Axis | None:
        """Return the axis of a column of bars, for the rows that are in sight."""
        return self._delegate.axes().get(column)

    @property
    def following(self) -> bool:
        """Whether the newest row is kept in sight."""
        if self._held or self.rows_model.order is not None:
            return False
        # A table that gets less room is no longer at its end, but nobody has scrolled it.
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum() - 2 or bar.value() == self._bottom

    def set_following(self, following: bool) -> None:
        """Keep the newest row in sight, which gives up sorting; or let the table stand still."""
        self._held = not following
        if following:
            if self.rows_model.order is not None:
                self.rows_model.set_order(None)
            self.scrollToBottom()
            self._bottom = self.verticalScrollBar().value()

    def _sort_by(self, column: int) -> None:
        """Sort by a column upwards, or downwards if that is so, or no more if that is so."""
        if self.rows_model.columns[column].key is None:
            return
        model = self.rows_model
        if model.order is None or model.order[0] != column:
            model.set_order((column, False))
        else:
            model.set_order(None if model.order[1] else (column, True))

    def _sort_beside(self, step: int) -> None:
        """Sort by the next column to the right or, with -1, to the left."""
        columns, order = self.rows_model.columns, self.rows_model.order
        able = [
            at
            for at, column in enumerate(columns)
            if column.key is not None and not self.isColumnHidden(at)
        ]
        if able:
            here = able.index(order[0]) if order is not None and order[0] in able else -1
            self.rows_model.set_order((able[max(here + step, 0) % len(able)], False))

    def refresh(self) -> None:
        """Show what was recorded since the last call."""
        following, bar = self.following, self.verticalScrollBar()
        self._moving = True
        try:
            gone = self.rows_model.refresh()
        finally:
            self._moving = False
        self._restore()
        if following:
            self.scrollToBottom()
        self._bottom = bar.value() if following else -1
        if gone and not following:
            bar.setValue(bar.value() - gone * self.verticalHeader().defaultSectionSize())
        if self._delegate.outdated:
            self.viewport().update()

    def _after_reset(self) -> None:
        following = self.following
        self._restore()
        if following:
            self.scrollToBottom()
            self._bottom = self.verticalScrollBar().value()
        elif self.currentIndex().isValid():
            self.scrollTo(self.currentIndex())

    def _restore(self) -> None:
        """Go back to the current row, wherever it is now, without scrolling."""
        self.setAutoScroll(False)
        self.show_row(self._chosen)
        self.setAutoScroll(True)

    def show_row(self, id_: int) -> None:
        """Mark the row whose first field is *id_* as current, or none when it is not here."""
        self._chosen = id_
        at = self.rows_model.find(id_) if id_ else None
        self._moving = True
        try:
            if at is None:
                self.clearSelection()
                self.selectionModel().setCurrentIndex(
                    QModelIndex(), QItemSelectionModel.SelectionFlag.NoUpdate
                )
            elif at != self.currentIndex().row() or not self.selectionModel().hasSelection():
                self.selectRow(at)
        finally:
            self._moving = False

    def _current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if current.isValid() and not self._moving:
            row = self.rows_model.row(current.row())
            self._chosen = row[0]
            self.current_row.emit(row)

    def _go(self, row: int) -> None:
        last = self.rows_model.rowCount() - 1
        if last >= 0:
            row = min(max(row, 0), last)
            self.selectRow(row)
            self.scrollTo(self.rows_model.index(row, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by j k ↑ ↓ Space Home End; Return activates, F follows or stops, < > s sort."""
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
        elif key == keys.Key_F and event.modifiers() == Qt.KeyboardModifier.ShiftModifier:
            self.set_following(not self.following)
        elif key in (keys.Key_Less, keys.Key_Greater):
            self._sort_beside(1 if key == keys.Key_Greater else -1)
        elif plain and key == keys.Key_S:
            self._sort_by(self.rows_model.order[0] if self.rows_model.order else 0)
        else:
            super().keyPressEvent(event)
