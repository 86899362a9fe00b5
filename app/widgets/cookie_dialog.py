"""A cookie of a client's jar: its value taken apart, its attributes, its history."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.recording.store import Store
from app.server.jar import Cookie
from app.server.signed_cookies import looks_signed
from app.server.xsrf_token import xsrf_token

from .anatomy_view import AnatomyView, CookieText
from .controls import Controls, Shot
from .cookie_form import CookieForm
from .cookie_history_view import CookieHistoryView
from .cookie_words import quoted_like, unquoted
from .i18n import tr
from .parts import Banner, label
from .theme import Theme
from .xor_view import Side, XorView


class CookieDialog(QDialog):
    """Edits one cookie, or makes one. It stays open, so that its effects can be watched."""

    fired = Signal()
    """A request was fired from here."""
    request_selected = Signal(int)

    def __init__(
        self,
        controls: Controls,
        store: Store,
        theme: Theme,
        client: str,
        cookie: Cookie,
        parent: QWidget,
        *,
        new: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._controls, self._store, self._theme = controls, store, theme
        self._client = client
        self._kept = None if new else cookie
        self._model = cookie.value
        self.form = CookieForm(cookie)
        self.banner = Banner(theme)
        self.anatomy: AnatomyView | None = None
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.history = CookieHistoryView(theme)
        self.url = QLineEdit(self._latest_path())
        self.url.setProperty("mono", True)
        self.delete, self.save, self.send = QPushButton(), QPushButton(), QPushButton()
        self.send.setProperty("primary", True)
        self.text = self._make_value_page(cookie)
        self._add_pages(new)
        self._arrange()
        self._connect()
        self._name_all(cookie.name)
        self.resize(theme.px(640), theme.px(730))

    # -- Building --------------------------------------------------------------------------

    def _make_value_page(self, cookie: Cookie) -> CookieText:
        page = QWidget()
        page.setObjectName("scrolled")
        layout = QVBoxLayout(page)
        layout.setContentsMargins(14, 12, 14, 12)
        value = unquoted(cookie.value)
        if looks_signed(value):
            self.anatomy = AnatomyView(self._controls, self._theme)
            keys = self._controls.jars.keys()
            self.anatomy.show_cookie(cookie.name, value, time.time(), keys)
            layout.addWidget(self.anatomy)
            text = self.anatomy.text
        else:
            text = CookieText(self._theme)
            text.setAccessibleName(tr("The cookie's bytes"))
            text.setPlainText(value)
            layout.addWidget(text)
            if xsrf_token(value).version == 2:
                layout.addWidget(self._unmasked(text))
            else:
                plain = label(tr("Not signed: whoever has the cookie can change it."), "dim")
                plain.setWordWrap(True)
                layout.addWidget(plain)
        layout.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        self.tabs.addTab(scroll, tr("Value"))
        return text

    def _unmasked(self, text: CookieText) -> XorView:
        view = XorView(self._theme)

        def show() -> None:
            view.show_sides(Side(tr("Cookie"), xsrf_token(text.value)))

        text.textChanged.connect(show)
        show()
        return view

    def _add_pages(self, new: bool) -> None:
        holder = QWidget()
        holder.setObjectName("page")
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.addWidget(self.form)
        layout.addStretch(1)
        self.tabs.addTab(holder, tr("Attributes"))
        self.tabs.addTab(self.history, tr("History"))
        if new:
            self.tabs.setCurrentIndex(1)

    def _arrange(self) -> None:
        send = QHBoxLayout()
        send.setSpacing(6)
        send.addWidget(self.delete)
        send.addStretch(1)
        send.addWidget(self.save)
        send.addWidget(self.url, 1)
        send.addWidget(self.send)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 12)
        layout.setSpacing(8)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.banner)
        layout.addLayout(send)

    def _connect(self) -> None:
        self.save.clicked.connect(self.keep)
        self.send.clicked.connect(self._send)
        self.url.returnPressed.connect(self._send)
        self.delete.clicked.connect(self._delete)
        self.history.request_selected.connect(self.request_selected)
        self.tabs.currentChanged.connect(self._turned)
        shortcut = QShortcut(QKeySequence("Ctrl+S"), self)
        shortcut.activated.connect(self.keep)
        for button in (self.delete, self.save, self.send):
            button.setAutoDefault(False)

    def _name_all(self, name: str) -> None:
        title = f"{self._client} · {name}" if name else f"{self._client} · {tr('New cookie')}"
        self.setWindowTitle(title)
        self.tabs.setAccessibleName(title)
        self.delete.setText(tr("Delete"))
        self.delete.setToolTip(tr("Forget this cookie"))
        self.delete.setEnabled(self._kept is not None)
        self.save.setText(tr("Save"))
        self.save.setToolTip(tr("Put it into the jar as it stands here (Ctrl+S)"))
        self.send.setText(tr("Save and send"))
        self.send.setToolTip(tr("Put it into the jar and send a GET with it"))
        self.url.setAccessibleName(tr("URL"))
        self.url.setToolTip(tr("A path on this server, or an absolute URL"))

    def _latest_path(self) -> str:
        for row in reversed(self._store.requests.rows[-2_000:]):
            if row[2] == self._client and row[3] == "GET":
                return str(row[4])
        return "/"

    # -- Doing -----------------------------------------------------------------------------

    def _turned(self, at: int) -> None:
        if self.tabs.widget(at) is self.history:
            name = self.form.name.text().strip()
            self.history.show_history(self._store, self._client, name)

    def keep(self) -> bool:
        """Put the cookie into the jar; return whether it could be."""
        try:
            cookie = self.form.cookie(quoted_like(self.text.value, self._model))
        except ValueError as error:
            self.banner.say(tr(str(error)))
            return False
        self.banner.hide()
        self._controls.jars.put(self._client, cookie, self._kept)
        self._kept = cookie
        self._name_all(cookie.name)
        return True

    def _send(self) -> None:
        if self.keep():
            url = self.url.text().strip() or "/"
            self._controls.fire(Shot(self._client, "GET", url, [], b""))
            self.fired.emit()

    def _delete(self) -> None:
        if self._kept is not None:
            self._controls.jars.remove(self._client, self._kept)
        self.close()
