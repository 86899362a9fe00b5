"""Typing into a cell of the routes: completion, and what is wrong right below."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCompleter,
    QLabel,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from .i18n import tr
from .parts import set_property
from .routes_model import COLUMNS, HANDLER, KWARGS, PATTERN, RoutesModel, say
from .theme import Theme

Index = QModelIndex | QPersistentModelIndex
_EXAMPLES = {KWARGS: '{"url": "/"}', PATTERN: r"/story/(\d+)"}


class RoutesDelegate(QStyledItemDelegate):
    """Opens one field at a time; `typed` tells what it holds with every key."""

    typed = Signal(int, int, str)
    """Row, column and text of the field that is open."""
    closed = Signal()
    """No field is open any more."""

    def __init__(self, view: QAbstractItemView, model: RoutesModel, theme: Theme) -> None:
        super().__init__(view)
        self._view = view
        self._model = model
        self._theme = theme
        self.names: list[str] = []
        """The handlers that can be completed."""
        self.field: QLineEdit | None = None
        """The field that is open."""
        self.bubble = QLabel(view.viewport())
        """What is wrong with what is typed."""
        self.bubble.setObjectName("bubble")
        self.bubble.setTextFormat(Qt.TextFormat.PlainText)
        self.bubble.setWordWrap(True)
        self.bubble.hide()
        self._place = (0, 0)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setProperty("mono", True)
        editor.setFrame(False)
        editor.setMaxLength(
            max(editor.maxLength(), len(index.data(Qt.ItemDataRole.EditRole) or ""))
        )
        row, column = index.row(), index.column()
        editor.setAccessibleName(tr(COLUMNS[column]))
        editor.setPlaceholderText(_EXAMPLES.get(column, ""))
        if column == HANDLER:
            completer = QCompleter(self.names, editor)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            editor.setCompleter(completer)
        self.field, self._place = editor, (row, column)
        editor.textEdited.connect(lambda text: self.typed.emit(row, column, text))
        editor.destroyed.connect(self._gone)
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if not (isinstance(editor, QLineEdit) and editor.isModified()):
            super().setEditorData(editor, index)

    def _gone(self, editor: object) -> None:
        self.field = None
        self.bubble.hide()
        self.closed.emit()

    def show_faults(self) -> None:
        """Say below the open field what the model knows to be wrong with it."""
        if self.field is None:
            return
        faults = self._model.faults_at(*self._place)
        if not faults:
            self.bubble.hide()
            return
        self.bubble.setText("\n".join(map(say, faults)))
        self.bubble.setAccessibleName(self.bubble.text())
        self.field.setAccessibleDescription(self.bubble.text())
        set_property(self.bubble, "kind", "warn" if faults[0].warning else "error")
        self._put_below(self.field)

    def _put_below(self, field: QLineEdit) -> None:
        room = self._view.viewport().rect()
        width = min(max(field.width(), self._theme.px(360)), room.width())
        self.bubble.setFixedWidth(width)
        self.bubble.adjustSize()
        left = min(field.x(), room.width() - width)
        below = field.geometry().bottom() + 1
        top = (
            below
            if below + self.bubble.height() <= room.height()
            else (field.y() - self.bubble.height())
        )
        self.bubble.move(max(left, 0), max(top, 0))
        self.bubble.show()
        self.bubble.raise_()
