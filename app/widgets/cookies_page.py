"""The cookies of one request: those that came, were set, and stayed behind; each taken apart."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.recording.events import Request
from app.recording.headers import ignored_cookies, is_name, sent_cookies, set_cookies
from app.server.signed_cookies import looks_signed

from .anatomy_view import AnatomyView, CookieText
from .controls import Controls
from .cookie_resend import with_cookie
from .cookie_words import reason_words
from .i18n import tr
from .parts import label
from .theme import Theme


class Shown(NamedTuple):
    """A cookie in the list: its arrow (``←`` came, ``→`` set, ``⊘`` withheld), what became of it
    or what its attributes are, and the colour of that."""

    arrow: str
    name: str
    value: str
    detail: str
    token: str = "dim"


class CookiesPage(QSplitter):
    """Above the list, below it the chosen cookie, which can be edited and sent again."""

    fired = Signal()
    """A request was fired from here."""

    def __init__(self, controls: Controls, theme: Theme) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._controls = controls
        self._theme = theme
        self._request: Request | None = None
        self._cookies: list[Shown] = []
        self._stale = False
        """Whether texts or colours changed since they were shown."""
        self.list = QTreeWidget()
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.header().setStretchLastSection(True)
        self.anatomy = AnatomyView(controls, theme)
        self.plain = CookieText(theme)
        self.note = label(role="dim")
        self.note.setWordWrap(True)
        self.resend = QPushButton()
        self._arrange()
        self.list.currentItemChanged.connect(self._show_chosen)
        self.resend.clicked.connect(self._resend)
        self.retranslate()

    def _arrange(self) -> None:
        page = QWidget()
        page.setObjectName("scrolled")
        layout = QVBoxLayout(page)
        layout.setContentsMargins(12, 8, 12, 10)
        layout.setSpacing(6)
        layout.addWidget(self.note)
        layout.addWidget(self.anatomy)
        layout.addWidget(self.plain)
        layout.addWidget(self.resend)
        layout.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(page)
        self.addWidget(self.list)
        self.addWidget(self._scroll)
        self.setSizes([110, 490])
        self.setChildrenCollapsible(False)

    def show_request(self, request: Request) -> None:
        """Show a request's cookies."""
        cookies, before = self._cookies_of(request), self._cookies
        same = self._request is not None and self._request.id == request.id
        if same and cookies == before and not self._stale:
            return
        chosen = self.list.currentIndex().row() if same else -1
        self._request, self._cookies, self._stale = request, cookies, False
        at = chosen if 0 <= chosen < len(cookies) else self._first(cookies)
        with QSignalBlocker(self.list):
            self._fill_list()
            self.list.setCurrentIndex(self.list.model().index(at, 0))
        if same and [each[:3] for each in cookies] == [each[:3] for each in before]:
            self._show_note()  # The value may have been edited.
        else:
            self._show_chosen()

    def _fill_list(self) -> None:
        self.list.clear()
        mono = self._theme.font(mono=True)
        for cookie in self._cookies:
            item = QTreeWidgetItem([f"{cookie.arrow} {cookie.name}", cookie.value, cookie.detail])
            for column in range(3):
                item.setToolTip(column, item.text(column))
            for column in range(2):
                item.setFont(column, mono)
            item.setForeground(2, self._theme.colour(cookie.token))
            self.list.addTopLevelItem(item)
        for at, width in enumerate((100, 110)):
            self.list.setColumnWidth(at, self._theme.px(width))

    @staticmethod
    def _first(cookies: list[Shown]) -> int:
        """Return which to choose first: a signed one, which has most to show."""
        return next((at for at, each in enumerate(cookies) if looks_signed(each.value)), 0)

    def _cookies_of(self, request: Request) -> list[Shown]:
        notes = self._controls.jars.notes(request.id)
        shown = [
            Shown("←", name, value, tr("came with the request"))
            for name, value in sent_cookies(request.request_head)
            if is_name(name)
        ]
        shown += [
            Shown("⊘", "", part, tr("no cookie that Tornado reads: it ignores this"), "warn")
            for part in ignored_cookies(request.request_head)
        ]
        verdicts = notes.verdicts if notes else ()
        for at, cookie in enumerate(set_cookies(request.response_head)):
            verdict = verdicts[at] if at < len(verdicts) else None
            detail = cookie.attributes or "—"
            if verdict is not None:
                detail = f"{reason_words(verdict.reason)} · {detail}"
            token = "error" if verdict is not None and not verdict.stored else "dim"
            shown.append(Shown("→", cookie.name, cookie.value, detail, token))
        shown += [
            Shown("⊘", left.name, left.cookie.value, reason_words(left.reason), "warn")
            for left in (notes.withheld if notes else ())
        ]
        return shown

    # -- The chosen one --------------------------------------------------------------------

    def _chosen(self) -> Shown | None:
        at = self.list.currentIndex().row()
        return self._cookies[at] if 0 <= at < len(self._cookies) else None

    def _show_chosen(self) -> None:
        cookie, request = self._chosen(), self._request
        signed = cookie is not None and looks_signed(cookie.value)
        self.anatomy.setVisible(signed)
        self.plain.setVisible(cookie is not None and not signed)
        self.resend.setVisible(cookie is not None)
        self.note.setVisible(not signed)
        if cookie is not None and request is not None and signed:
            at, keys = request.start_ns, self._controls.jars.keys(request.start_ns)
            self.anatomy.show_cookie(cookie.name, cookie.value, self._controls.wall_time(at), keys)
        elif cookie is not None:
            self.plain.setPlainText(cookie.value)
        self._show_note()

    def _show_note(self) -> None:
        cookie = self._chosen()
        words = "Not signed: whoever has the cookie can change it."
        if cookie is None:
            words = "No cookie came, and none was set."
        elif cookie.name == "_xsrf":
            words = "The XSRF token of this browser; its page takes it apart."
        self.note.setText(tr(words))

    def _resend(self) -> None:
        cookie, request = self._chosen(), self._request
        if cookie is None or request is None:
            return
        text = self.plain if self.anatomy.isHidden() else self.anatomy.text
        clients = [state.name for state in self._controls.clients()]
        client = request.client if request.client in clients else (*clients, "")[0]
        if not client:
            client = self._controls.add_client()
        self._controls.fire(with_cookie(request, client, cookie.name, text.value))
        self.fired.emit()

    def retranslate(self) -> None:
        """Set the texts again, after the language or the theme changed."""
        self.list.setHeaderLabels([tr(title) for title in ("Name", "Value", "What became of it")])
        self.list.setAccessibleName(tr("Cookies of this request"))
        self.plain.setAccessibleName(tr("The cookie's bytes"))
        self.resend.setText(tr("Send the request again with this value"))
        self.resend.setToolTip(
            tr("The same request, with what stands above in place of this cookie: a forgery")
        )
        self.anatomy.retranslate()
        self._stale = True
