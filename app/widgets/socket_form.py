"""A client's WebSocket: connect, see what passes, send, ping, close."""

from __future__ import annotations

import json
from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIntValidator, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.recording.events import Row
from app.recording.websocket import meaning_of

from .controls import Controls
from .i18n import tr
from .message_words import CLIENT_WORDS, message_columns, state_words
from .messages_view import MessagePane
from .parts import ElidedLabel, EmptyState, OrEmpty, set_property
from .rows_model import RowsModel
from .socket_controls import CLOSED, CONNECTING, OPEN, Socket
from .table import RowsView
from .theme import ROW, Theme

_MOST = 1_000
"""In how many routes a WebSocket's is looked for."""

TEXT, JSON, BINARY = "Text", "JSON", "Binary (hex)"
CODES = (1000, 1001, 1003, 1008, 1011, 3000, 4000)
MOST_REASON = 123
"""How many bytes a close frame has for its reason (RFC 6455, section 5.5)."""
MOST_PING = 125


class SocketForm(QWidget):
    """The WebSocket of the client that *client* names, which may name another each time."""

    def __init__(self, controls: Controls, theme: Theme, client: Callable[[], str]) -> None:
        super().__init__()
        self._controls = controls
        self._sockets = controls.sockets
        self._theme = theme
        self._client = client
        self._shown: Socket | None = None
        self.url = QLineEdit()
        self.url.setProperty("mono", True)
        self.connect_button = QPushButton()
        self.connect_button.setProperty("primary", True)
        self.state = ElidedLabel()
        self.model = RowsModel(
            message_columns(lambda: self._socket.origin_ns, CLIENT_WORDS),
            lambda: self._socket.rows,
            lambda: self._socket.forgotten,
            parent=self,
        )
        self.view = RowsView(self.model, theme, "Messages of this client")
        self._empty = EmptyState("No messages yet", "What passes on this WebSocket appears here.")
        self._or_empty = OrEmpty(self.view, self._empty)
        self.message = QPlainTextEdit()
        self.message.setProperty("mono", True)
        self.message.setTabChangesFocus(True)
        self.kind = QComboBox()
        self.kind.addItems([TEXT, JSON, BINARY])
        self.send_button, self.ping_button = QPushButton(), QPushButton()
        self.code = QComboBox()
        self.code.setEditable(True)
        self.code.setValidator(QIntValidator(0, 65535, self))
        self.code.addItems([str(code) for code in CODES])
        self.reason = QLineEdit()
        self.close_button = QPushButton()
        self._arrange()
        self._connect()
        self._learn()
        self._restyle()
        self.retranslate()

    @property
    def _socket(self) -> Socket:
        return self._sockets.of(self._client())

    def _arrange(self) -> None:
        first, sending, closing = QHBoxLayout(), QHBoxLayout(), QGridLayout()
        first.addWidget(self.url, 1)
        first.addWidget(self.connect_button)
        sending.addWidget(self.kind, 1)
        sending.addWidget(self.send_button)
        sending.addWidget(self.ping_button)
        closing.addWidget(self.code, 0, 0)
        closing.addWidget(self.reason, 0, 1)
        closing.addWidget(self.close_button, 0, 2)
        closing.setColumnStretch(1, 1)
        for row in (first, sending, closing):
            row.setSpacing(6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(first)
        layout.addWidget(self.state)
        layout.addWidget(self._or_empty, 1)
        layout.addWidget(self.message)
        layout.addLayout(sending)
        layout.addLayout(closing)

    def _connect(self) -> None:
        self.url.returnPressed.connect(self.connect_button.click)
        self.connect_button.clicked.connect(self._open)
        self.send_button.clicked.connect(self._send)
        self.ping_button.clicked.connect(self._ping)
        self.close_button.clicked.connect(self._close)
        self.view.activated_row.connect(self.open_message)
        self.message.textChanged.connect(lambda: self._complain(self.message, ""))
        self.reason.textChanged.connect(lambda: self._complain(self.reason, ""))
        self.kind.currentIndexChanged.connect(lambda: self._complain(self.message, ""))
        self.code.currentTextChanged.connect(self._explain)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self._send)
        self._sockets.changed.connect(self.refresh)
        self._controls.server_changed.connect(self._learn)
        self._theme.changed.connect(self._restyle)

    def _learn(self) -> None:
        """Offer the site's first route that looks like a WebSocket's."""
        if not self.url.isModified():
            routes = [route for route in self._controls.site.routes[:_MOST] if route.enabled]
            names = (r.pattern for r in routes if "socket" in f"{r.pattern} {r.handler}".lower())
            self.url.setText(next(names, "/"))

    def _restyle(self) -> None:
        px = self._theme.px
        self.message.setFixedHeight(px(48))
        self.code.setFixedWidth(px(74))
        self._or_empty.setMinimumHeight(px(3 * ROW))
        self._shown = None
        self.refresh()

    # -- What is asked ---------------------------------------------------------------------

    def _open(self) -> None:
        if self._socket.phase == CLOSED:
            self._sockets.connect_to(self._client(), self.url.text().strip() or "/")
            self.message.setFocus()
        else:
            self._sockets.close(self._client(), None, "")

    def _send(self) -> None:
        data = self._data()
        if data is None or self._socket.phase != OPEN:
            return
        self._sockets.send(self._client(), data, self.kind.currentIndex() == 2)
        self.message.selectAll()

    def _data(self) -> bytes | None:
        """Return what the field says as bytes; if it is wrong say so, and return None."""
        text, kind = self.message.toPlainText(), self.kind.currentIndex()
        try:
            if kind == 2:
                return bytes.fromhex(text)
            if kind == 1:
                json.loads(text)
            return text.encode()
        except (ValueError, RecursionError) as error:
            expected = tr("Write bytes as pairs of hexadecimal digits") if kind == 2 else ""
            self._complain(self.message, expected or str(error))
            return None

    def _ping(self) -> None:
        data = self._data()
        if data is not None and len(data) > MOST_PING:
            self._complain(self.message, tr("A ping has up to 125 bytes"))
        elif data is not None:
            self._sockets.ping(self._client(), data)

    def _close(self) -> None:
        reason = self.reason.text()
        if len(reason.encode()) > MOST_REASON:
            self._complain(self.reason, tr("A reason has up to 123 bytes"))
            return
        code = self.code.currentText()
        self._sockets.close(self._client(), int(code) if code else None, reason if code else "")

    @staticmethod
    def _complain(field: QWidget, text: str) -> None:
        set_property(field, "state", "error" if text else "")
        field.setToolTip(text or field.accessibleName())

    def _explain(self) -> None:
        code = self.code.currentText()
        meaning = tr(meaning_of(int(code))) if code else tr("without a code")
        self.code.setToolTip(tr("Close code: {meaning}", meaning=meaning))

    # -- What is shown ---------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the client's WebSocket as it is now."""
        socket = self._socket
        if socket is not self._shown:
            self._shown = socket
            self.model.reload()
        words, token = self._state(socket)
        if words != self.state.toolTip():
            self.state.set_full(words)
            self.state.setStyleSheet(f"color: {self._theme.colour(token).name()}")
        closed = socket.phase == CLOSED
        self.connect_button.setText(tr("Connect") if closed else tr("Disconnect"))
        for button in (self.send_button, self.ping_button, self.close_button):
            button.setEnabled(socket.phase == OPEN)
        self.view.refresh()
        self._or_empty.show_empty(not socket.rows)

    @staticmethod
    def _state(socket: Socket) -> tuple[str, str]:
        if socket.note:
            return f"✗ {socket.note}", "error"
        if socket.phase == CONNECTING:
            return f"… {tr('connecting')}", "dim"
        if socket.phase == CLOSED and not socket.url:
            return f"○ {tr('not connected')}", "dim"
        return state_words(socket.rows, socket.phase == CLOSED)

    def open_message(self, row: Row) -> None:
        """Show a message in full."""
        dialog = QDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(tr("Message"))
        pane = MessagePane()
        pane.retranslate()
        pane.show_row(row)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(dialog.close)
        layout = QVBoxLayout(dialog)
        layout.addWidget(pane)
        layout.addWidget(buttons)
        dialog.resize(QSize(self._theme.px(620), self._theme.px(420)))
        dialog.open()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        for at, kind in enumerate((TEXT, JSON, BINARY)):
            self.kind.setItemText(at, tr(kind))
        for widget, text in (
            (self.url, "The WebSocket's path or URL"),
            (self.message, "Message to send"),
            (self.kind, "What kind of message it is"),
            (self.code, "Close code"),
            (self.reason, "Reason for closing"),
        ):
            widget.setAccessibleName(tr(text))
            widget.setToolTip(tr(text))
        self.message.setPlaceholderText(tr("Message to send"))
        self.reason.setPlaceholderText(tr("Reason for closing"))
        self.connect_button.setToolTip(tr("Open a WebSocket as this client, or end it"))
        self.send_button.setText(tr("Send"))
        self.send_button.setToolTip(tr("Send the message (Ctrl+Return)"))
        self.ping_button.setText(tr("Ping"))
        self.ping_button.setToolTip(tr("Send a ping; the message above is its payload"))
        self.close_button.setText(tr("Close"))
        self.close_button.setToolTip(tr("Send a close frame with this code and reason"))
        self.view.retranslate()
        self._empty.retranslate()
        self._explain()
        self._shown = None
        self.refresh()
