"""The field that narrows the timeline down to lanes with certain words."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from .i18n import tr
from .parts import IconButton
from .theme import Theme

_REST_MS = 120
"""After so much time without typing the lanes are chosen anew."""


class LaneFilter(QWidget):
    """A line of text over the lanes; hidden while nothing is filtered."""

    changed = Signal(str)
    """Only lanes with these words are wanted; empty for all."""
    left = Signal()
    """The user has done with the field."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.field = QLineEdit()
        self.field.setClearButtonEnabled(False)
        self.field.installEventFilter(self)
        self._close = IconButton(theme, "cross", "Show all lanes again (Esc)", self.close_filter)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST_MS)
        self._timer.timeout.connect(lambda: self.changed.emit(self.field.text()))
        self.field.textChanged.connect(lambda _: self._timer.start())
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 5, 10, 5)
        row.setSpacing(4)
        row.addWidget(self.field, 1)
        row.addWidget(self._close)
        self.hide()
        self.retranslate()

    def open_filter(self) -> None:
        """Let the user type."""
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def close_filter(self) -> None:
        """Show all lanes again."""
        self.field.clear()
        self._timer.stop()
        self.hide()
        self.changed.emit("")
        self.left.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape:
                self.close_filter()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down):
                self.left.emit()
                return True
        return False

    def retranslate(self) -> None:
        """Set all texts again in the chosen language."""
        self.field.setPlaceholderText(tr("Words in the path, method, #number, client or handler"))
        tip = tr("Show only lanes in which all these words occur")
        self.field.setToolTip(tip)
        self.field.setAccessibleName(tip)
        self._close.retranslate()
