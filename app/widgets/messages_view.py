"""A WebSocket's messages: a table, and one message in full."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSplitter,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from app.recording.events import Message, Row

from .i18n import tr
from .message_words import HEX, JSON, TEXT, forms_of, holds, message_columns
from .parts import ElidedLabel, EmptyState, IconButton, OrEmpty
from .rows_model import RowsModel
from .table import RowsView
from .theme import Theme
from .words import size

NO_MESSAGES = ("No messages yet", "Each message, ping, pong and close frame appears here.")


class MessagePane(QWidget):
    """One message in full: as text, as indented JSON, or in hexadecimal."""

    def __init__(self) -> None:
        super().__init__()
        self._row: Row | None = None
        self._forms: dict[str, str] = {}
        self._wanted = JSON
        self.forms = QTabBar()
        self.forms.setDrawBase(False)
        self.forms.setExpanding(False)
        for _ in (TEXT, JSON, HEX):
            self.forms.addTab("")
        self.note = ElidedLabel()
        self.note.setProperty("role", "dim")
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setProperty("mono", True)
        row = QHBoxLayout()
        row.addWidget(self.forms)
        row.addWidget(self.note, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 6)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.text, 1)
        self.forms.tabBarClicked.connect(self._want)
        self.forms.currentChanged.connect(self._turn)

    def sizeHint(self) -> QSize:
        return QSize(200, self.fontMetrics().lineSpacing() * 10)

    def _want(self, at: int) -> None:
        if at >= 0 and self.forms.isTabEnabled(at):
            self._wanted = (TEXT, JSON, HEX)[at]

    def _turn(self, at: int) -> None:
        self.text.setPlainText(self._forms.get((TEXT, JSON, HEX)[at], ""))

    def show_row(self, row: Row | None) -> None:
        """Show a message's row, or nothing."""
        if row is self._row:
            return
        self._row = row
        self._forms = {} if row is None else forms_of(row)
        forms = (TEXT, JSON, HEX)
        for at, form in enumerate(forms):
            self.forms.setTabEnabled(at, form in self._forms)
        form = next((f for f in (self._wanted, TEXT, HEX) if f in self._forms), TEXT)
        self.forms.setCurrentIndex(forms.index(form))
        self._turn(forms.index(form))
        self.note.set_full("" if row is None else self._note(Message(*row)))

    @staticmethod
    def _note(message: Message) -> str:
        words = f"{message.opcode} · {size(message.size)}"
        if len(message.payload) < message.size:
            words += " · " + tr("the first {size} were kept", size=size(len(message.payload)))
        if message.detail:
            words += f" · ✗ {tr(message.detail)}"
        return words

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        tips = ("Show the message as text", "Show it as indented JSON", "Show its bytes")
        for at, (form, tip) in enumerate(zip((TEXT, JSON, HEX), tips, strict=True)):
            self.forms.setTabText(at, tr(form))
            self.forms.setTabToolTip(at, tr(tip))
        self.forms.setAccessibleName(tr("Form"))
        self.text.setAccessibleName(tr("Message"))
        row, self._row = self._row, None
        self.show_row(row)


class MessagesView(QWidget):
    """A table of messages with a pane for the current one; follows the newest, finds words.

    *words* are those for the directions. `rows` are shown as they stand at each `refresh`.
    """

    def __init__(self, theme: Theme, words: dict[str, str], name: str) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.forgotten = 0
        self.origin_ns = 0
        self.model = RowsModel(
            message_columns(lambda: self.origin_ns, words),
            lambda: self.rows,
            lambda: self.forgotten,
            settled=lambda row: row[3] is not None,
            parent=self,
        )
        self.view = RowsView(self.model, theme, name)
        self.pane = MessagePane()
        self.search = QLineEdit()
        self.search.setClearButtonEnabled(True)
        self.follow = IconButton(theme, "down", "Keep the newest message in sight (Shift+F)")
        self.follow.setCheckable(True)
        self.empty = EmptyState(*NO_MESSAGES)
        self._or_empty = OrEmpty(self.view, self.empty)
        self._wait = QTimer(self, singleShot=True, interval=150)
        self._wait.timeout.connect(self._filter)
        self.search.textChanged.connect(lambda: self._wait.start())
        self.follow.clicked.connect(self.view.set_following)
        scrolled = self.view.verticalScrollBar().valueChanged
        scrolled.connect(lambda: self.follow.setChecked(self.view.following))
        self.view.current_row.connect(self._show)
        row = QHBoxLayout()
        row.setContentsMargins(8, 2, 8, 2)
        row.setSpacing(6)
        row.addWidget(self.search, 1)
        row.addWidget(self.follow)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self._or_empty)
        self.splitter.addWidget(self.pane)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.pane.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.splitter, 1)
        self.retranslate()

    def _filter(self) -> None:
        words = self.search.text().lower().split()
        self.model.set_filter((lambda row: holds(row, words)) if words else None)
        self.refresh()

    def start_anew(self) -> None:
        """Show other messages from now on."""
        self.rows, self.forgotten = [], 0
        self.view.show_row(0)
        self._show(None)
        self.model.reload()

    def refresh(self) -> None:
        """Show what came since the last call."""
        self.view.refresh()
        self._or_empty.show_empty(not self.rows)
        self.follow.setChecked(self.view.following)
        at = self.view.currentIndex().row()
        self._show(self.model.row(at) if at >= 0 else None)

    def _show(self, row: Row | None) -> None:
        self.pane.show_row(row)
        self.pane.setVisible(row is not None)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.search.setPlaceholderText(tr("Search the messages"))
        self.search.setAccessibleName(tr("Search the messages"))
        self.search.setToolTip(tr("Show the messages that hold these words"))
        for part in (self.follow, self.view, self.empty, self.pane):
            part.retranslate()
