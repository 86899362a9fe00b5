"""The static files as a table; every change is one step on an undo stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from app.server.site import SiteError
from app.server.static_files import StaticFile, StaticFolder

from .i18n import tr
from .rows_model import Index
from .static_controls import StaticControls
from .theme import Theme

COLUMNS = ("Path", "Size", "Type", "static_url")
PATH, SIZE, TYPE, URL = range(4)
_UNDO_STEPS = 20
_LARGEST_LISTED = 4 * 1024 * 1024
"""Larger files are hashed only when they are chosen, in bytes."""

Contents = dict[str, bytes | None]


class _Change(QUndoCommand):
    """Several files get other contents, or none."""

    def __init__(self, write: Callable[[Contents], Contents], contents: Contents) -> None:
        super().__init__()
        self._write, self._contents = write, contents

    def redo(self) -> None:
        self._contents = self._write(self._contents)

    undo = redo


class StaticModel(QAbstractTableModel):
    """What is in the folder now."""

    failed = Signal(str)
    """A file could not be written or read; the text says why."""

    def __init__(self, controls: StaticControls, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._controls, self._theme = controls, theme
        self._folder: StaticFolder | None = None
        self.files: list[StaticFile] = []
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(_UNDO_STEPS)
        self.refresh()

    @property
    def folder(self) -> StaticFolder | None:
        """The folder, if there is one."""
        return self._folder

    def refresh(self) -> bool:
        """Read the folder again; return whether anything changed."""
        folder = self._controls.folder()
        if (folder and folder.root) != (self._folder and self._folder.root):
            self.undo_stack.clear()
        self._folder = folder
        files = [] if folder is None else folder.files()
        if files == self.files:
            return False
        if [file.name for file in files] == [file.name for file in self.files]:
            self.files = files
            self.repaint()
            return True
        self.beginResetModel()
        self.files = files
        self.endResetModel()
        return True

    def repaint(self) -> None:
        """Ask for everything again: hashes, colours."""
        if self.files:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.files) - 1, URL))

    def row_of(self, name: str) -> int:
        """Return the row of a file, -1 when there is none."""
        return next((row for row, file in enumerate(self.files) if file.name == name), -1)

    # -- Changes ---------------------------------------------------------------------------

    def put(self, contents: Contents) -> None:
        """Give files contents, None for no such file, as one step."""
        self.undo_stack.push(_Change(self._write, contents))

    def _write(self, contents: Contents) -> Contents:
        """Write, and return what was there; what cannot be written is said and left out."""
        before: Contents = {}
        if self._folder is None:
            return contents
        for name, data in contents.items():
            try:
                before[name] = self._folder.write(name, data)
            except SiteError as error:
                self.failed.emit(error.problems[0].text)
        self._controls.changed()
        self.refresh()
        self.repaint()
        return before

    def rename(self, old: str, new: str) -> bool:
        """Give a file another name; a file that has it already stays. Return whether it went."""
        if old == new or self._folder is None:
            return False
        try:
            if self._folder.exists(new):
                self.failed.emit(tr("{name} is there already", name=new))
                return False
            data = self._folder.read(old)
        except SiteError as error:
            self.failed.emit(error.problems[0].text)
            return False
        self.put({new: data, old: None})
        return True

    # -- The table -------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.files)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if index.isValid() and index.column() == PATH and not self._controls.fault():
            return flags | Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.files):
            return None
        file, column, roles = self.files[index.row()], index.column(), Qt.ItemDataRole
        if role in (roles.DisplayRole, roles.EditRole):
            return self._text(file, column)
        if role == roles.ToolTipRole:
            return self._tip(file, column)
        if role == roles.FontRole:
            return self._theme.font(mono=column in (PATH, URL))
        if role == roles.TextAlignmentRole and column == SIZE:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == roles.ForegroundRole:
            if column == URL and self._is_stale(file):
                return self._theme.colours.warn
            return self._theme.colours.text if column == PATH else self._theme.colours.dim
        return None

    def _text(self, file: StaticFile, column: int) -> str:
        if column == URL:
            return "…" if file.size > _LARGEST_LISTED else self._controls.url(file.name)
        return (file.name, f"{file.size:,}", file.type)[column]

    def _is_stale(self, file: StaticFile) -> bool:
        return file.size <= _LARGEST_LISTED and self._controls.is_stale(file.name)

    def _tip(self, file: StaticFile, column: int) -> str:
        if column == URL and self._is_stale(file):
            return tr("The file changed, but Tornado remembers the hash of its older content")
        return self._text(file, column)

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not index.isValid() or index.column() != PATH:
            return False
        return self.rename(self.files[index.row()].name, str(value).strip())

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        horizontal = orientation == Qt.Orientation.Horizontal
        if role == Qt.ItemDataRole.DisplayRole and horizontal:
            return tr(COLUMNS[section]) if section != URL else COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section == SIZE else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None
