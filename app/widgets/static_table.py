"""The list of the static files."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractItemView

from .plain_table import PlainTable
from .static_model import PATH, SIZE, TYPE, StaticModel
from .theme import Theme


class StaticTable(PlainTable):
    """Several files can be selected; F2 edits a name."""

    def __init__(self, model: StaticModel, theme: Theme) -> None:
        super().__init__(theme, ((PATH, 150), (SIZE, 76), (TYPE, 118)))
        self._files = model
        self.setModel(model)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        theme.changed.connect(model.repaint)

    def chosen(self) -> list[str]:
        """Return the names of the selected files."""
        rows = self.selectionModel().selectedRows()
        return [self._files.files[index.row()].name for index in rows]

    def choose(self, name: str) -> None:
        """Select a file, if it is there."""
        row = self._files.row_of(name)
        if row >= 0:
            self.choose_row(row)
