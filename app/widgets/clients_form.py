"""The form of one request: method, URL, headers, body."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from app.exchange.command import CommandError
from app.exchange.curl_import import Imported, read
from app.exchange.request import HttpRequest, origin_of

from .clients_body import BodyPage
from .clients_sending import SendingPage
from .controls import Controls, Shot
from .curl_dialog import looks_like_curl, problem_words
from .i18n import tr
from .pairs_table import PairsTable
from .parts import set_property
from .theme import Theme

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
QUERY, HEADERS, BODY, SENDING = range(4)
_PAGES = ("Query", "Headers", "Body", "Sending")
_MOST = 1_000
"""How many routes are offered."""
NAMES = (
    *("Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control"),
    *("Connection", "Content-Encoding", "Content-Length", "Content-Type", "Cookie", "Expect"),
    *("Forwarded", "Host", "If-Match", "If-Modified-Since", "If-None-Match", "Origin", "Pragma"),
    *("Range", "Referer", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "TE"),
    *("Transfer-Encoding", "Upgrade", "User-Agent", "X-Csrftoken", "X-Forwarded-For"),
    *("X-Forwarded-Proto", "X-Real-Ip", "X-Requested-With", "X-Xsrftoken"),
)
"""Names of headers that are offered."""
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"


class RequestForm(QWidget):
    """What to send. The XSRF token is attached only when asked for."""

    submitted = Signal()
    """Return in the URL, or Ctrl+Return anywhere."""
    pasted = Signal(Imported)
    """A cURL command was pasted into the URL, and is in the form now."""

    def __init__(self, controls: Controls, theme: Theme) -> None:
        super().__init__()
        self._controls = controls
        self.method = QComboBox()
        self.method.addItems(METHODS)
        self.method.setEditable(False)
        self.url = QLineEdit("/")
        self.url.setProperty("mono", True)
        self._known = QStringListModel(self)
        completer = QCompleter(self._known, self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.url.setCompleter(completer)
        self.query = PairsTable(theme, "Query")
        self.headers = PairsTable(theme, "Headers", NAMES, _TOKEN)
        self.content, self.sending = BodyPage(theme), SendingPage()
        self.body = self.content.raw
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(True)
        self._pages = QStackedWidget()
        room = QScrollArea()
        room.setWidgetResizable(True)
        room.setFrameShape(QScrollArea.Shape.NoFrame)
        room.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        room.setWidget(self.sending)
        self.sending.setObjectName("scrolled")
        for page in (self.query, self.headers, self.content, room):
            self.tabs.addTab("")
            self._pages.addWidget(page)
        self.attach, self.follow = QCheckBox(), QCheckBox()
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.method)
        row.addWidget(self.url, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(row)
        layout.addWidget(self.tabs)
        layout.addWidget(self._pages)
        checks = QHBoxLayout()
        checks.addWidget(self.attach)
        checks.addWidget(self.follow)
        checks.addStretch(1)
        layout.addLayout(checks)
        self.tabs.setCurrentIndex(BODY)
        self._pages.setCurrentIndex(BODY)
        self.query.edited.connect(self._query_edited)
        self.url.textChanged.connect(self._url_changed)
        self.tabs.currentChanged.connect(self._pages.setCurrentIndex)
        self.url.textEdited.connect(self._take_pasted)
        self.url.returnPressed.connect(self.submitted)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self.submitted)
        controls.firing.refused.connect(self.point_at)
        self.url.textChanged.connect(lambda: set_property(self.url, "state", ""))
        controls.server_changed.connect(self.learn_routes)
        self.learn_routes()

    def learn_routes(self) -> None:
        """Offer the site's first routes as completions."""
        routes = self._controls.site.routes[:_MOST]
        paths = [example(route.pattern) for route in routes if route.enabled]
        self._known.setStringList(list(dict.fromkeys(paths)))

    def _url_changed(self, text: str) -> None:
        """Show the query of the URL, unless the URL follows the table just now."""
        if not self.query.signalsBlocked():
            query = text.partition("#")[0].partition("?")[2]
            pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
            if pairs != self.query.pairs():
                self.query.blockSignals(True)
                self.query.set_pairs(pairs)
                self.query.blockSignals(False)

    def _query_edited(self) -> None:
        base = self.url.text().partition("#")[0].partition("?")[0]
        query = urlencode(self.query.pairs())
        self.query.blockSignals(True)
        self.url.setText(f"{base}?{query}" if query else base)
        self.query.blockSignals(False)

    def valid(self) -> bool:
        """Return whether the form can be sent; if not, show where it is wrong."""
        if not self.headers.check():
            self.tabs.setCurrentIndex(HEADERS)
            self.headers.setFocus()
            return False
        if not self.content.valid():
            self.tabs.setCurrentIndex(BODY)
            return False
        return True

    def point_at(self, field: str, why: str) -> None:
        """Go to the field that could not be sent."""
        if field == "url":
            set_property(self.url, "state", "error")
            self.url.setFocus()
        elif field == "headers":
            self.tabs.setCurrentIndex(HEADERS)
        elif self.sending.point_at(field):
            self.tabs.setCurrentIndex(SENDING)

    def shot(self, client: str, count: int, at_once: int) -> Shot:
        """Return what the form says, as *client*'s request; raises OSError for a missing file."""
        headers = self.headers.pairs()
        body, kind = self.content.content()
        if body and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", kind))
        return Shot(
            client,
            self.method.currentText(),
            self.url.text().strip() or "/",
            headers,
            body,
            count,
            at_once,
            self.attach.isChecked(),
            self.follow.isChecked(),
            self.sending.sending(),
        )

    def _take_pasted(self, text: str) -> None:
        """Take in a cURL command that was pasted instead of a URL."""
        copied = QGuiApplication.clipboard().text()
        # The field has joined the lines of what was pasted.
        if not looks_like_curl(copied) or copied.split()[:2] != text.split()[:2]:
            return
        try:
            found = read(copied)
        except CommandError as error:
            self._controls.failed.emit(problem_words(error))
            return
        self.load(found.request)
        self.pasted.emit(found)

    def load(self, request: HttpRequest) -> None:
        """Show an imported request, ready to be fired."""
        origin = origin_of(request.url)
        own = origin == (self._controls.address or "").rstrip("/")
        if self.method.findText(request.method) < 0:
            self.method.addItem(request.method)
        self.method.setCurrentText(request.method)
        self.url.setText(request.url.removeprefix(origin) if own else request.url)
        pairs = [
            (name, value.encode("utf-8", "replace").decode()) for name, value in request.headers
        ]
        self.headers.set_pairs(pairs)
        self.content.load(request.body, request.header("Content-Type") or "")
        self.attach.setChecked(False)
        self.follow.setChecked(request.follow_redirects)
        self.tabs.setCurrentIndex(BODY if request.body else HEADERS)
        self.url.setFocus()

    def load_shot(self, shot: Shot) -> None:
        """Show a shot again, with all that was chosen for it."""
        headers = tuple(shot.headers)
        self.load(HttpRequest(shot.method, shot.url, headers, shot.body, shot.follow_redirects))
        self.attach.setChecked(shot.attach_xsrf)
        self.sending.set_sending(shot.sending)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.method.setAccessibleName(tr("Method"))
        self.url.setAccessibleName(tr("URL"))
        self.url.setToolTip(tr("A path on this server, or an absolute URL"))
        for at, page in enumerate(_PAGES):
            self.tabs.setTabText(at, tr(page))
        self.tabs.setAccessibleName(tr("Parts of the request"))
        for part in (self.query, self.headers, self.content, self.sending):
            part.retranslate()
        self.follow.setText(tr("Follow redirects"))
        self.follow.setToolTip(tr("Ask for the address in Location as well"))
        self.attach.setText(tr("Attach XSRF"))
        self.attach.setToolTip(tr("Send the jar's _xsrf cookie as X-Xsrftoken as well"))


def example(pattern: str) -> str:
    """Return a path for a route's pattern: groups become what they most likely match."""
    path = pattern.rstrip("$").removeprefix("^")
    path = re.sub(r"\((?:\?P<\w+>)?([^()]*)\)\??", lambda m: "1" if "d" in m[1] else "x", path)
    return re.sub(r"\\(.)", r"\1", path).replace("/?", "/").replace(".*", "")
