"""The list of what can be written here: it opens while typing, or with Ctrl+Space."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QKeyEvent, QPainter, QTextCursor
from PySide6.QtWidgets import (
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
)

from app.server.completion import NOTHING, Completion
from app.server.source_names import Name

from .code_editor import CodeEditor
from .i18n import tr
from .parts import ElidedLabel
from .theme import Theme

_MOST = 300
"""How many names are offered."""
_ROWS = 9
_LETTERS = 2
"""After how many letters of a word the list opens by itself."""
_HUES = {"class": 5, "function": 0, "method": 0, "attribute": 6, "module": 1, "keyword": 2}
_LETTER = {"class": "C", "function": "f", "method": "m", "attribute": "a", "module": "M"}
_KEY = Qt.Key
_WORD = re.compile(r"[^\W\d]\w*$")
Index = QModelIndex | QPersistentModelIndex


class _Names(QAbstractListModel):
    """The names that are offered."""

    def __init__(self, parent: QListView) -> None:
        super().__init__(parent)
        self.names: tuple[Name, ...] = ()

    def show(self, names: tuple[Name, ...]) -> None:
        self.beginResetModel()
        self.names = names[:_MOST]
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.names)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        name = self.names[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return name.name
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return f"{name.name}({name.signature})" if _called(name) else name.name
        return None


class _Row(QStyledItemDelegate):
    """Paints a letter for the kind, the name, and faintly what stands between the brackets."""

    def __init__(self, parent: QListView, theme: Theme) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(10, self._theme.px(24))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, model = self._theme, index.model()
        assert isinstance(model, _Names)
        name, c = model.names[index.row()], theme.colours
        area: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, c.selection)
        painter.setFont(theme.font(mono=True))
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.setPen(theme.hue(_HUES.get(name.kind, 3) + 1))
        left = area.adjusted(theme.px(8), 0, 0, 0)
        painter.drawText(left, middle, _LETTER.get(name.kind, "·"))
        left.adjust(theme.px(20), 0, 0, 0)
        painter.setPen(c.text)
        painter.drawText(left, middle, name.name)
        if _called(name):
            left.adjust(painter.fontMetrics().horizontalAdvance(name.name), 0, -theme.px(6), 0)
            painter.setPen(c.dim)
            text = painter.fontMetrics().elidedText(
                f"({name.signature})", Qt.TextElideMode.ElideRight, left.width()
            )
            painter.drawText(left, middle, text)
        painter.restore()


class CompletionPopup(QFrame):
    """Offers names below the cursor; the keyboard stays in the editor.

    *ask* gives what can be written at a position of a text, in characters.
    """

    def __init__(
        self, editor: CodeEditor, theme: Theme, ask: Callable[[str, int], Completion]
    ) -> None:
        super().__init__(editor)
        self._editor, self._theme, self._ask = editor, theme, ask
        self._found = NOTHING
        self._word = ""
        self.setObjectName("popup")
        self.view = QListView()
        self.view.setObjectName("completions")
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setUniformItemSizes(True)
        self.view.setItemDelegate(_Row(self.view, theme))
        self._names = _Names(self.view)
        self.view.setModel(self._names)
        self.view.clicked.connect(lambda _: self.accept())
        self.view.selectionModel().currentChanged.connect(lambda *_: self._explain())
        self.note = ElidedLabel()
        self.note.setProperty("role", "small")
        self.note.setContentsMargins(8, 0, 8, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 4, 1, 4)
        column.setSpacing(2)
        column.addWidget(self.view)
        column.addWidget(self.note)
        editor.assist = self._key
        editor.installEventFilter(self)
        editor.cursorPositionChanged.connect(self._moved)
        self._typing = False
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Close when the editor loses the keyboard."""
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        return super().eventFilter(watched, event)

    def _moved(self) -> None:
        if not self._typing:
            self.hide()

    @property
    def offered(self) -> list[str]:
        """The names in the list; none while it is closed."""
        return [name.name for name in self._names.names] if self.isVisible() else []

    # -- Keys ------------------------------------------------------------------------------

    def _key(self, event: QKeyEvent) -> bool:
        """Take the keys that belong to the list; ask again after those that are text."""
        key, control = event.key(), event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if control and key == _KEY.Key_Space:
            self.offer()
            return True
        if self.isVisible() and not control and self._in_list(Qt.Key(key)):
            return True
        text = event.text()
        if control or self._editor.isReadOnly():
            self.hide()
        elif (text and text.isprintable()) or (key == _KEY.Key_Backspace and self.isVisible()):
            self._type(event, text)
            return True
        elif key not in (_KEY.Key_Shift, _KEY.Key_Alt, _KEY.Key_Control):
            self.hide()
        return False

    def _in_list(self, key: Qt.Key) -> bool:
        moves = {
            _KEY.Key_Down: 1,
            _KEY.Key_Up: -1,
            _KEY.Key_PageDown: _ROWS,
            _KEY.Key_PageUp: -_ROWS,
        }
        if key in moves:
            self._move(moves[key])
        elif key in (_KEY.Key_Return, _KEY.Key_Enter, _KEY.Key_Tab):
            if self._is_written():
                self.hide()
                return False
            self.accept()
        elif key == _KEY.Key_Escape:
            self.hide()
        else:
            return False
        return True

    def _is_written(self) -> bool:
        """Whether the chosen name is there already, and nothing comes after it."""
        name = self._names.names[self.view.currentIndex().row()]
        return name.name == self._word and not self._found.defines

    def _type(self, event: QKeyEvent, text: str) -> None:
        self._typing = True
        self._editor.type_key(event)
        self._typing = False
        cursor = self._editor.textCursor()
        before = cursor.block().text()[: cursor.positionInBlock()]
        word = _WORD.search(before)
        wanted = text == "." or (word is not None and len(word[0]) >= _LETTERS)
        wanted = wanted or (text == " " and before.split()[-1:] in (["def"], ["import"]))
        if wanted or (self.isVisible() and word is not None):
            self.offer()
        else:
            self.hide()

    def _move(self, by: int) -> None:
        count = self._names.rowCount()
        row = self.view.currentIndex().row() + by
        row = row % count if abs(by) == 1 else min(max(row, 0), count - 1)
        self.view.setCurrentIndex(self._names.index(row, 0))

    # -- Offering --------------------------------------------------------------------------

    def offer(self) -> None:
        """Show what can be written at the cursor; hide when there is nothing."""
        text, cursor = self._editor.text(), self._editor.textCursor()
        above = text.encode("utf-16-le")[: 2 * cursor.position()].decode("utf-16-le", "ignore")
        self._found = self._ask(text, len(above))
        names = self._found.names
        self._word = above[len(above) - self._found.length :]
        if not names or (len(names) == 1 and names[0].name == self._word):
            self.hide()
            return
        self._names.show(tuple(sorted(names, key=lambda name: name.name != self._word)))
        self.view.setCurrentIndex(self._names.index(0, 0))
        self._place()
        self.show()
        self.raise_()

    def _place(self) -> None:
        px = self._theme.px
        rows = min(self._names.rowCount(), _ROWS)
        # Without a frame and with room for a scroll bar.
        self.view.setFixedHeight(rows * px(24) + 2)
        width = min(px(460), self._editor.width() - px(20))
        height = self.view.height() + self.note.sizeHint().height() + px(12)
        cursor = self._editor.cursorRect()
        origin = self._editor.viewport().mapTo(self._editor, cursor.bottomLeft())
        top = origin.y() + px(2)
        above = origin.y() - cursor.height() - height - px(2)
        if top + height > self._editor.height() and above > top + height - self._editor.height():
            top = max(above, 0)
        left = max(min(origin.x(), self._editor.width() - width - px(12)), 0)
        self.setGeometry(left, top, width, height)

    def _explain(self) -> None:
        row = self.view.currentIndex().row()
        names = self._names.names
        self.note.set_full(names[row].doc if 0 <= row < len(names) else "")

    def accept(self) -> None:
        """Write the chosen name; after ``def`` with its parameters."""
        row = self.view.currentIndex().row()
        if not 0 <= row < len(self._names.names):
            return
        name = self._names.names[row]
        self.hide()
        cursor = self._editor.textCursor()
        cursor.movePosition(
            QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.KeepAnchor, self._found.length
        )
        rest = f"({name.signature}):" if self._found.defines else ""
        cursor.insertText(name.name + rest)
        self._editor.setTextCursor(cursor)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.view.setAccessibleName(tr("Completions"))


def _called(name: Name) -> bool:
    return name.kind in ("method", "function") and bool(name.signature or name.kind == "method")
