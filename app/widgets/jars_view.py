"""The clients' jars with the columns of browsers' tools, each cookie's time counting down."""

from __future__ import annotations

import time
from typing import cast

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from app.server.jar import Cookie

from .controls import ClientState
from .cookie_words import expiry, reason_words
from .i18n import tr
from .theme import Theme

COLUMNS = (
    *("Name", "Value", "Domain", "Path", "Expires / Max-Age", "Size"),
    *("HttpOnly", "Secure", "SameSite", "Goes along?"),
)
WIDTHS = (112, 150, 84, 50, 116, 48, 68, 58, 74, 130)
_EXPIRES, _SENT = COLUMNS.index("Expires / Max-Age"), COLUMNS.index("Goes along?")
_CLIENT, _COOKIE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
Reasons = dict[tuple[str, Cookie], str]


class JarsView(QTreeWidget):
    """A branch for each client, a row for each cookie."""

    edit_wanted = Signal()
    delete_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setUniformRowHeights(True)
        self.setExpandsOnDoubleClick(False)
        self.setIndentation(14)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.header().setStretchLastSection(True)
        self._shown: object = None
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._count_down)
        self.itemDoubleClicked.connect(lambda: self.edit_wanted.emit())

    def restyle(self) -> None:
        """Take sizes and colours from the theme."""
        for at, width in enumerate(WIDTHS):
            self.setColumnWidth(at, self._theme.px(width))
        self._shown = None

    def show_jars(self, states: list[ClientState], reasons: Reasons) -> None:
        """Show the clients' cookies; *reasons* says which would not go along, and why."""
        shown = ([(state.name, state.cookies) for state in states], reasons)
        if shown == self._shown:
            return
        self._shown = shown
        client, kept = self.client, self.cookie
        key = (kept.name, kept.domain, kept.path) if kept else None
        self.clear()
        for at, state in enumerate(states):
            top = self._client_item(at, state)
            for cookie in state.cookies:
                item = self._cookie_item(cookie, reasons.get((state.name, cookie), ""))
                item.setData(0, _CLIENT, state.name)
                top.addChild(item)
                if state.name == client and key == (cookie.name, cookie.domain, cookie.path):
                    self.setCurrentItem(item)
            top.setExpanded(True)
            if state.name == client and self.currentItem() is None:
                self.setCurrentItem(top)
        self._set_clock()

    def _client_item(self, at: int, state: ClientState) -> QTreeWidgetItem:
        count = len(state.cookies)
        words = tr("{count} cookies", count=count) if count else tr("no cookies")
        top = QTreeWidgetItem([state.name, words])
        top.setData(0, _CLIENT, state.name)
        top.setForeground(0, self._theme.hue(at + 1))
        top.setFont(0, self._theme.font(bold=True))
        top.setForeground(1, self._theme.colours.dim)
        self.addTopLevelItem(top)
        return top

    def _cookie_item(self, cookie: Cookie, reason: str) -> QTreeWidgetItem:
        item = QTreeWidgetItem(_cells(cookie))
        item.setData(0, _COOKIE, cookie)
        mono = self._theme.font(mono=True)
        for column in range(2):
            item.setFont(column, mono)
        item.setToolTip(0, f"{cookie.name} · {reason_words(reason)}" if reason else cookie.name)
        if reason:
            item.setForeground(0, self._theme.colours.faint)
        item.setToolTip(1, cookie.value)
        if cookie.expires is not None:
            item.setToolTip(_EXPIRES, time.strftime("%c", time.localtime(cookie.expires)))
        item.setText(_SENT, f"✗ {reason}" if reason else "✓")
        item.setToolTip(_SENT, reason_words(reason) if reason else tr("It would go along"))
        item.setForeground(_SENT, self._theme.colour("warn" if reason else "ok"))
        return item

    @property
    def client(self) -> str:
        """The client whose branch is chosen; empty for none."""
        item = self.currentItem()
        return str(item.data(0, _CLIENT)) if item is not None else ""

    @property
    def cookie(self) -> Cookie | None:
        """The cookie that is chosen."""
        item = self.currentItem()
        return cast("Cookie | None", item.data(0, _COOKIE)) if item is not None else None

    # -- Counting down -----------------------------------------------------------------------

    def _items(self) -> list[QTreeWidgetItem]:
        tops = [self.topLevelItem(at) for at in range(self.topLevelItemCount())]
        found = [top.child(at) for top in tops if top for at in range(top.childCount())]
        return [item for item in found if item is not None]

    def _set_clock(self) -> None:
        """Wake as often as a cookie's time changes in words, and not at all for none."""
        now, ends = time.time(), [item.data(0, _COOKIE).expires for item in self._items()]
        left = [end - now for end in ends if end is not None and end > now]
        if not left or not self.isVisible():
            self._clock.stop()
        else:
            self._clock.start(1_000 if min(left) < 86_400 else 60_000)

    def _count_down(self) -> None:
        now = time.time()
        for item in self._items():
            text = expiry(item.data(0, _COOKIE), now)
            if item.text(_EXPIRES) != text:
                item.setText(_EXPIRES, text)
        self._set_clock()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._count_down()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._clock.stop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.edit_wanted.emit()
        elif event.key() == Qt.Key.Key_Delete:
            self.delete_wanted.emit()
        else:
            super().keyPressEvent(event)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setHeaderLabels([tr(title) for title in COLUMNS])
        self.setAccessibleName(tr("Cookie jars"))
        self._shown = None


def _cells(cookie: Cookie) -> list[str]:
    return [
        *(cookie.name, cookie.value, cookie.domain, cookie.path),
        *(expiry(cookie, time.time()), str(cookie.size)),
        *("✓" if cookie.http_only else "", "✓" if cookie.secure else "", cookie.same_site),
    ]
