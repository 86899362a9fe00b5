"""Settings in the real window: applied they change the next response, saved they stay."""

from __future__ import annotations

import http.client
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLineEdit
from pytestqt.qtbot import QtBot

from app.application import Program
from app.server.site import load
from app.widgets.settings_page import SettingsPage
from tests.test_window import Fetch, fetch, program

__all__ = ["fetch", "program"]


def in_thread(qtbot: QtBot, connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
    """Ask for a page in a thread, so that the window can serve it."""

    def ask() -> http.client.HTTPResponse:
        connection.request("GET", "/", headers={"Accept-Encoding": "gzip"})
        response = connection.getresponse()
        response.read()
        return response

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(ask)
        qtbot.waitUntil(future.done)
        return future.result()


def test_an_applied_setting_changes_the_next_response_on_the_same_connection(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    editors = program.window.editors
    editors.open_settings()
    page = editors.current()
    assert isinstance(page, SettingsPage)
    assert program.session.address is not None
    connection = http.client.HTTPConnection(urlsplit(program.session.address).netloc, timeout=10)
    assert in_thread(qtbot, connection).getheader("Content-Encoding") is None
    kept = connection.sock
    box = page.list.rows["compress_response"].control.findChild(QCheckBox)
    assert box is not None
    qtbot.keyClick(box, Qt.Key.Key_Space)
    limit = page.list.rows["max_header_size"].control.findChild(QLineEdit)
    assert limit is not None
    qtbot.keyClicks(limit, "600")
    qtbot.mouseClick(page.apply_button, Qt.MouseButton.LeftButton)
    assert not page.modified
    assert in_thread(qtbot, connection).getheader("Content-Encoding") == "gzip"
    assert connection.sock is kept
    connection.close()
    editors.save()
    saved = load(program.session.site.folder)
    assert saved.settings["compress_response"] is True
    assert saved.server == {"max_header_size": 600}
    editors.history.undo()
    assert page.model.values.get("compress_response") is None
    assert fetch("/story/1")[0] == 200
