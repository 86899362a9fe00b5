"""A table of whole rows, without a grid, in the theme's sizes."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QItemSelectionModel
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from .theme import ROW, Theme


class PlainTable(QTableView):
    """*widths* are those of columns, in unzoomed pixels; the last column takes what is left."""

    def __init__(self, theme: Theme, widths: tuple[tuple[int, int], ...]) -> None:
        super().__init__()
        self._theme = theme
        self._widths = widths
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setStretchLastSection(True)
        theme.changed.connect(self.restyle)

    def setModel(self, model: QAbstractItemModel | None) -> None:
        super().setModel(model)
        self.restyle()

    def choose_row(self, row: int) -> None:
        """Select a row alone, whatever keys are held: ``selectRow`` heeds Ctrl and Shift."""
        flags = QItemSelectionModel.SelectionFlag
        index = self.model().index(row, 0)
        self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)

    def restyle(self) -> None:
        """Take sizes from the theme."""
        px = self._theme.px
        self.verticalHeader().setDefaultSectionSize(px(ROW))
        self.horizontalHeader().setFixedHeight(px(ROW))
        for column, width in self._widths:
            self.setColumnWidth(column, px(width))
