"""The page of the selected WebSocket: how it stands, and its messages."""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.recording.events import Request
from app.recording.store import SWITCHING, Store

from .message_words import SERVER_WORDS, state_words
from .messages_view import MessagesView
from .parts import EmptyState, OrEmpty, label
from .theme import Theme

_id = itemgetter(0)
NO_SOCKET = (
    "Not a WebSocket",
    "The messages of a WebSocket appear here: select a request that was answered with 101.",
)


class WebSocketPage(QWidget):
    """The page of one request: how its WebSocket stands, and its messages."""

    def __init__(self, store: Store, theme: Theme) -> None:
        super().__init__()
        self._store = store
        self._theme = theme
        self._request_id = 0
        self._open: set[int] = set()
        """Numbers of messages whose methods had not ended."""
        self.state = label()
        self.state.setWordWrap(True)
        self.state.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.state.setContentsMargins(12, 6, 12, 2)
        self.messages = MessagesView(theme, SERVER_WORDS, "Messages")
        full = QWidget()
        inner = QVBoxLayout(full)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(2)
        inner.addWidget(self.state)
        inner.addWidget(self.messages, 1)
        self._empty = EmptyState(*NO_SOCKET)
        self._or_empty = OrEmpty(full, self._empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._or_empty)

    def show_request(self, request: Request) -> None:
        """Show a request's messages as they are now."""
        if request.id != self._request_id:
            self._request_id = request.id
            self._open.clear()
            self.messages.start_anew()
        socket = request.status == SWITCHING
        self._or_empty.show_empty(not socket)
        if not socket:
            return
        self.messages.origin_ns = self._store.origin_ns
        self._take_in(self._store.message_ids(request.id))
        words, token = state_words(self.messages.rows, request.end_ns is not None)
        if words != self.state.text():
            self.state.setText(words)
            self.state.setStyleSheet(f"color: {self._theme.colour(token).name()}")
        self.messages.refresh()

    def _take_in(self, ids: list[int]) -> None:
        """Bring the rows up to date: they grow at the end, and go from the front."""
        rows, get = self.messages.rows, self._store.messages.get
        first = ids[0] if ids else 0
        gone = next((n for n, row in enumerate(rows) if row[0] >= first), len(rows))
        del rows[:gone]
        self.messages.forgotten += gone
        for id_ in list(self._open):
            row = get(id_)
            if row is not None:
                rows[bisect_left(rows, id_, key=_id)] = row
            if row is None or row[3] is not None:
                self._open.discard(id_)
        for id_ in ids[len(rows) :]:
            row = get(id_)
            if row is not None:
                rows.append(row)
                if row[3] is None:
                    self._open.add(id_)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self._empty.retranslate()
        self.state.clear()
        self.messages.retranslate()
