"""The list of the static files."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from .static_model import PATH, SIZE, TYPE, StaticModel
from .theme import ROW, Theme


class StaticTable(QTableView):
    """Several files can be selected; F2 edits a name."""

    def __init__(self, model: StaticModel, theme: Theme) -> None:
        super().__init__()
        self._files, self._theme = model, theme
        self.setModel(model)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setStretchLastSection(True)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        px = self._theme.px
        self.verticalHeader().setDefaultSectionSize(px(ROW))
        self.horizontalHeader().setFixedHeight(px(ROW))
        for column, width in ((PATH, 150), (SIZE, 76), (TYPE, 118)):
            self.setColumnWidth(column, px(width))
        self._files.repaint()

    def chosen(self) -> list[str]:
        """Return the names of the selected files."""
        rows = self.selectionModel().selectedRows()
        return [self._files.files[index.row()].name for index in rows]

    def choose(self, name: str) -> None:
        """Select a file, if it is there."""
        row = self._files.row_of(name)
        if row >= 0:
            self.selectRow(row)
