"""Typing into a cell of the routes: completion, and what is wrong right beside."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
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
    """Opens one field at a time; `typed` tells what it holds with every key.

    What is wrong with that stands on *page*, on which the view is.
    """

    typed = Signal(int, int, str)
    """Row, column and text of the field that is open."""
    closed = Signal()
    """No field is open any more."""

    def __init__(
        self, view: QAbstractItemView, model: RoutesModel, theme: Theme, page: QWidget
    ) -> None:
        super().__init__(view)
        self._page = page
        self._model = model
        self._theme = theme
        self.names: list[str] = []
        """The handlers that can be completed."""
        self.field: QLineEdit | None = None
        """The field that is open."""
        self.bubble = QLabel(page)
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
        """Say beside the open field what the model knows to be wrong with it."""
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
        self._put_beside(self.field)

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        super().updateEditorGeometry(editor, option, index)
        self.show_faults()

    def _put_beside(self, field: QLineEdit) -> None:
        """Put the bubble below or above the field; the table may be a single row high."""
        page = self._page.rect()
        width = min(max(field.width(), self._theme.px(360)), page.width())
        self.bubble.setFixedWidth(width)
        self.bubble.adjustSize()
        place = field.mapTo(self._page, QPoint(0, 0))
        below, above = place.y() + field.height(), place.y() - self.bubble.height()
        fits_below = below + self.bubble.height() <= page.height()
        left = max(min(place.x(), page.width() - width), 0)
        self.bubble.move(left, below if fits_below or above < 0 else above)
        self.bubble.show()
        self.bubble.raise_()
