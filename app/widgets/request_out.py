"""A recorded request on its way out: copied as a command or as code, its bodies as files."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.exchange import curl, files
from app.exchange.case import async_http_test_case
from app.exchange.entry import response_of
from app.exchange.request import ExchangeError, HttpRequest, recorded
from app.exchange.snippets import async_http_client, httpie
from app.recording.events import Request
from app.recording.headers import value_of
from app.recording.store import Store

from .controls import Controls
from .i18n import tr
from .words import size

_FORMS: dict[str, Callable[[HttpRequest], str]] = {
    "cURL (bash)": partial(curl.for_bash, exact=True),
    "cURL (Windows cmd)": partial(curl.for_cmd, exact=True),
    "HTTPie": httpie,
    "Tornado: AsyncHTTPClient": async_http_client,
}
TEST_CASE = "Tornado: AsyncHTTPTestCase"
FORMS = (*_FORMS, TEST_CASE)
"""How a request can be copied; names that are not translated."""
_SAVES = {"request": "Save request body…", "response": "Save response body…"}
_COPY_TIP = "Sends the same method, URL, headers and body again"
_TEST_TIP = "A test that repeats this request, with the login and the XSRF token it needs"
_SUFFIXES = {
    "text/html": ".html",
    "text/plain": ".txt",
    "text/css": ".css",
    "application/json": ".json",
    "application/javascript": ".js",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/svg+xml": ".svg",
    "application/pdf": ".pdf",
}


class RequestOut(QObject):
    """What can be taken out of one request."""

    said = Signal(str, str)
    """What came of it, in words, and ``ok`` or ``error``."""

    def __init__(self, store: Store, controls: Controls, window: QWidget) -> None:
        super().__init__(window)
        self._store = store
        self._controls = controls
        self._window = window

    def add_to(self, menu: QMenu, number: Callable[[], int]) -> None:
        """Add the commands for a request to *menu*; *number* is asked whenever it opens."""
        menu.setToolTipsVisible(True)
        copies = menu.addMenu("")
        copies.setToolTipsVisible(True)
        forms = {form: copies.addAction(form) for form in FORMS}
        for form, action in forms.items():
            action.triggered.connect(lambda _, form=form: self.copy(number(), form))
        saves = {which: menu.addAction("") for which in _SAVES}
        for which, action in saves.items():
            action.triggered.connect(lambda _, which=which: self.ask_where(number(), which))

        def show() -> None:
            # Here, to be read in the language of now.
            request = self._store.request(number())
            copies.setTitle(tr("Copy as"))
            copies.setEnabled(request is not None)
            for form, action in forms.items():
                action.setToolTip(tr(_TEST_TIP if form == TEST_CASE else _COPY_TIP))
            for which, action in saves.items():
                action.setText(tr(_SAVES[which]))
                action.setToolTip(tr("Write the body to a file, without its content coding"))
                action.setEnabled(request is not None and bool(_body(request, which)))

        menu.aboutToShow.connect(show)
        show()

    def copy(self, number: int, form: str) -> None:
        """Put a request on the clipboard in one of `FORMS`; `said` tells what is to be known."""
        request = self._store.request(number)
        if request is None:
            return
        try:
            text = self._text(request, form)
        except ExchangeError as error:
            reason = tr(error.template, **error.values)
            self.said.emit(tr("Not copied: {reason}", reason=reason), "error")
            return
        QGuiApplication.clipboard().setText(text)
        kept, whole = len(request.request_body), request.request_size
        if kept < whole:
            words = tr(
                "Copied, but only the first {kept} of the body's {whole} were recorded",
                kept=size(kept),
                whole=size(whole),
            )
            self.said.emit(words, "error")
        else:
            self.said.emit(tr("Copied as {form}", form=form), "ok")

    def _text(self, request: Request, form: str) -> str:
        if form == TEST_CASE:
            app = self._controls.test_app()
            return async_http_test_case(request, self._store.requests.rows, app)
        return _FORMS[form](recorded(request, self._controls.address))

    def ask_where(self, number: int, which: str) -> None:
        """Ask for a file and write the body of the ``request`` or the ``response`` into it."""
        request = self._store.request(number)
        if request is None:
            return
        dialog = QFileDialog(self._window, tr("Save body"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(file_name(request, which))
        dialog.fileSelected.connect(lambda path: self.save(Path(path), number, which))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def save(self, path: Path, number: int, which: str) -> None:
        """Write a body to *path*."""
        request = self._store.request(number)
        if request is None:
            return
        body = _body(request, which)
        try:
            files.write(path, body)
        except OSError as error:
            reason = error.strerror or str(error)
            self.said.emit(tr("Not saved: {reason}", reason=f"{path}: {reason}"), "error")
            return
        sent = which == "request"
        kept = len(request.request_body if sent else request.response_body)
        whole = request.request_size if sent else request.response_size
        if kept < whole:
            words = tr(
                "Saved, but only the first {kept} of the body's {whole} were recorded",
                kept=size(kept),
                whole=size(whole),
            )
            self.said.emit(words, "error")
        else:
            self.said.emit(tr("Saved {name}", name=path.name), "ok")


def _body(request: Request, which: str) -> bytes:
    return request.request_body if which == "request" else response_of(request).body


def file_name(request: Request, which: str) -> str:
    """Return a name for the file of a body, from the request's path and the body's type."""
    head = request.request_head if which == "request" else request.response_head
    kind = (value_of(head, "Content-Type") or "").partition(";")[0].strip().lower()
    path = unquote(urlsplit(f"http://h{request.uri}").path if request.uri[:1] == "/" else "")
    name = re.sub(r"[^\w.-]+", "_", path.rstrip("/").rpartition("/")[2]).strip("._")[:60] or "body"
    return name if "." in name else name + _SUFFIXES.get(kind, ".bin")
