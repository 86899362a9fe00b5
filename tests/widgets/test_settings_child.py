"""debug and autoreload run in a child process, never in ours."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QProcess, Qt
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.recording.store import Store
from app.server.site import Route, Site
from app.widgets.main_window import MainWindow
from app.widgets.settings_child import DebugChild
from app.widgets.theme import Theme

from .fake_controls import FakeControls

HANDLER = """from tornado.web import RequestHandler

class Page(RequestHandler):
    def get(self):
        self.write(f"{self.settings['debug']} {1 / int(self.get_argument('n'))}")
"""


@pytest.fixture
def child(qtbot: QtBot, tmp_path: Path) -> Iterator[DebugChild]:
    """The dialog over a small site."""
    controls = FakeControls()
    site = Site(tmp_path, "s", handlers={"page.py": HANDLER})
    controls._site = site.with_routes([Route("/", "handlers.page.Page")])
    window = MainWindow(Store(), controls, Theme())
    qtbot.addWidget(window)
    window.show()
    window.editors.open_debug_child()
    child = window.findChild(DebugChild)
    assert child is not None
    qtbot.waitUntil(lambda: child.address.text() != "", timeout=20_000)
    yield child
    if isValid(child):
        child.stop()


def fetch(child: DebugChild, query: str) -> str:
    try:
        with urllib.request.urlopen(child.address.text() + query, timeout=10) as response:
            return str(response.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.read().decode())


def test_debug_is_the_whole_of_it_in_another_process(child: DebugChild, qtbot: QtBot) -> None:
    assert child.process.processId() != os.getpid()
    assert fetch(child, "?n=2") == "True 0.5"
    assert "ZeroDivisionError" in fetch(child, "?n=0")
    qtbot.waitUntil(lambda: "500 GET /?n=0" in child.output.toPlainText())
    pid = child.process.processId()
    window = child.parentWidget()
    assert window is not None
    with qtbot.waitSignal(child.destroyed):
        window.hide()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_is_applied_starts_it_again_and_a_mistake_waits_for_its_repair(
    child: DebugChild, qtbot: QtBot
) -> None:
    controls = child._controls

    def until(text: str, times: int, handler: str) -> None:
        """Save until autoreload, which looks twice a second, has seen a change."""

        def seen() -> bool:
            controls.apply(replace(controls.site, handlers={"page.py": handler}))
            child.touch_handler()
            return child.output.toPlainText().count(text) >= times

        qtbot.waitUntil(seen, timeout=20_000)

    qtbot.mouseClick(child.touch, Qt.MouseButton.LeftButton)
    until("modified; restarting", 1, HANDLER)
    until("was never closed", 1, HANDLER + "x = (\n")
    addresses = child.output.toPlainText().count("http://127")
    until("http://127", addresses + 1, HANDLER.replace("debug", "autoreload"))
    assert "debug=True" in child.output.toPlainText()
    assert "times" in child.state.text()
    qtbot.mouseClick(child.run_button, Qt.MouseButton.LeftButton)
    assert child.process.state() == QProcess.ProcessState.NotRunning
    assert child.run_button.text() == "Start"
    assert not child.browse.isEnabled()
