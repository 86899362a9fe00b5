"""The form of one request: method, URL, headers, body."""

from __future__ import annotations

import re

from PySide6.QtCore import QSize, QStringListModel, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from app.exchange.curl_import import Imported, read
from app.exchange.request import HttpRequest, origin_of
from app.exchange.shell import CommandError

from .controls import Controls, Shot
from .curl_dialog import looks_like_curl, problem_words
from .i18n import tr
from .parts import set_property
from .theme import Theme

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+:\s*.*")


class _SmallEdit(QPlainTextEdit):
    """A few lines of text that ask for little room."""

    def sizeHint(self) -> QSize:
        return QSize(120, self.fontMetrics().lineSpacing() * 3 + 12)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, self.fontMetrics().lineSpacing() * 2 + 12)


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
        self.body, self.headers = _SmallEdit(), _SmallEdit()
        for edit in (self.body, self.headers):
            edit.setProperty("mono", True)
            edit.setTabChangesFocus(True)
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.addTab("")
        self.tabs.addTab("")
        self._pages = QStackedWidget()
        self._pages.addWidget(self.body)
        self._pages.addWidget(self.headers)
        self.attach, self.follow = QCheckBox(), QCheckBox()
        self._loaded = ("", b"")
        """The text of an imported body, and its bytes: a text has but one kind of line break."""
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
        layout.addWidget(self.attach)
        layout.addWidget(self.follow)
        self.tabs.currentChanged.connect(self._pages.setCurrentIndex)
        self.url.textEdited.connect(self._take_pasted)
        self.url.returnPressed.connect(self.submitted)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self.submitted)
        self.headers.textChanged.connect(self._check)
        controls.server_changed.connect(self.learn_routes)
        self.learn_routes()

    def learn_routes(self) -> None:
        """Offer the site's routes as completions."""
        paths = [example(route.pattern) for route in self._controls.site.routes if route.enabled]
        self._known.setStringList(list(dict.fromkeys(paths)))

    def _header_lines(self) -> list[str]:
        return [line for line in self.headers.toPlainText().splitlines() if line.strip()]

    def _check(self) -> None:
        wrong = [line for line in self._header_lines() if not _HEADER.fullmatch(line.strip())]
        set_property(self.headers, "state", "error" if wrong else "")
        self.headers.setToolTip(tr("Write each header as Name: value") if wrong else "")

    def valid(self) -> bool:
        """Return whether the form can be sent; if not, show where it is wrong."""
        self._check()
        if self.headers.property("state") == "error":
            self.tabs.setCurrentIndex(1)
            self.headers.setFocus()
            return False
        return True

    def shot(self, client: str, count: int, at_once: int) -> Shot:
        """Return what the form says, as *client*'s request."""
        pairs = [line.partition(":") for line in self._header_lines()]
        headers = [(name.strip(), value.strip()) for name, _, value in pairs]
        text, loaded = self._loaded
        body = self.body.toPlainText().encode()
        if self.body.toPlainText() == text:
            body = loaded
        if body and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", guessed_type(body)))
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
        lines = [f"{name}: {value}" for name, value in request.headers]
        self.headers.setPlainText("\n".join(lines).encode("utf-8", "replace").decode())
        self.body.setPlainText(request.body.decode("utf-8", "replace").replace("\0", "\ufffd"))
        self._loaded = (self.body.toPlainText(), request.body)
        self.attach.setChecked(False)
        self.follow.setChecked(request.follow_redirects)
        self.tabs.setCurrentIndex(0 if request.body else 1)
        self.url.setFocus()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.method.setAccessibleName(tr("Method"))
        self.url.setAccessibleName(tr("URL"))
        self.url.setToolTip(tr("A path on this server, or an absolute URL"))
        self.tabs.setTabText(0, tr("Body"))
        self.tabs.setTabText(1, tr("Headers"))
        self.body.setAccessibleName(tr("Body"))
        self.headers.setAccessibleName(tr("Headers"))
        self.body.setPlaceholderText("name=alice&password=…")
        self.headers.setPlaceholderText("Accept: application/json")
        self.follow.setText(tr("Follow redirects"))
        self.follow.setToolTip(tr("Ask for the address in Location as well"))
        self.attach.setText(tr("Attach the XSRF token"))
        self.attach.setToolTip(tr("Send the jar's _xsrf cookie as X-Xsrftoken as well"))


def example(pattern: str) -> str:
    """Return a path for a route's pattern: groups become what they most likely match."""
    path = pattern.rstrip("$").removeprefix("^")
    path = re.sub(r"\((?:\?P<\w+>)?([^()]*)\)\??", lambda m: "1" if "d" in m[1] else "x", path)
    return re.sub(r"\\(.)", r"\1", path).replace("/?", "/").replace(".*", "")


def guessed_type(body: bytes) -> str:
    """Return the Content-Type that *body* looks like."""
    is_json = body.lstrip()[:1] in (b"{", b"[")
    return "application/json" if is_json else "application/x-www-form-urlencoded"
