"""Routes in the real window: what the tester says is what the next request gets."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.application import Program
from app.loop import TickLoop
from app.options import Options
from app.widgets.app_pages import AppRoutesPage
from app.widgets.route_tester import RouteTester
from app.widgets.routes_editor import RoutesPage
from app.widgets.routes_model import PATTERN

from .test_window import Fetch, fetch, finished, program

__all__ = ["fetch", "program"]
APP = """from tornado.web import Application, RequestHandler

class Page(RequestHandler):
    def initialize(self, size):
        pass

    def get(self, year, month=None):
        self.write(f"{year} {month}")

app = Application([(r"/(\\d{4})/(\\d\\d)", Page, {"size": 3}), (r"/.*", Page, {"size": 4})])
"""


def said(tester: RouteTester, url: str, qtbot: QtBot) -> str:
    """Try an address and return the verdict."""
    tester.try_request("GET", url)
    qtbot.waitUntil(lambda: tester.given is not None and tester.given.asked.uri == url)
    return tester.answer.verdict.text()


def test_a_changed_route_is_tried_then_applied(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    assert fetch("/story/7")[0] == 200
    qtbot.waitUntil(lambda: bool(finished(program, "/story/7")))
    program.window.editors.open_routes(1)
    page = program.window.editors.current()
    assert isinstance(page, RoutesPage)
    tester = page.tester
    qtbot.waitUntil(lambda: tester.given is not None)
    assert "StoryHandler.get()" in said(tester, "/story/7", qtbot)
    page.view.setCurrentIndex(page.model.index(1, PATTERN))
    qtbot.keyClick(page.view, Qt.Key.Key_F2)
    field = page.delegate.field
    assert field is not None
    field.selectAll()
    qtbot.keyClicks(field, r"/tale/(?P<story_id>\d+")
    qtbot.waitUntil(page.delegate.bubble.isVisible)
    qtbot.keyClicks(field, ")")
    qtbot.waitUntil(lambda: not page.delegate.bubble.isVisible())
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.modified and tester.edited)
    assert "StoryHandler.get()" in said(tester, "/tale/7", qtbot)
    assert "NotFoundHandler" in said(tester, "/story/7", qtbot)
    qtbot.waitUntil(lambda: "StoryHandler.get()" in tester.answer.now.text())
    tester.tabs.setCurrentIndex(1)
    qtbot.waitUntil(lambda: tester.moved.count == 1)
    assert fetch("/story/7")[0] == 200
    qtbot.mouseClick(page.apply_button, Qt.MouseButton.LeftButton)
    assert fetch("/story/7")[0] == 404
    assert fetch("/tale/7")[0] == 200


def test_what_is_wrong_with_a_pattern_leaves_its_field_readable(
    program: Program, qtbot: QtBot
) -> None:
    program.window.resize(1280, 800)
    program.window.editors.open_routes(1)
    page = program.window.editors.current()
    assert isinstance(page, RoutesPage)
    delegate = page.delegate

    def on_window(widget: QWidget) -> QRect:
        return QRect(widget.mapTo(program.window, QPoint(0, 0)), widget.size())

    for row in range(3):
        page.view.setCurrentIndex(page.model.index(row, PATTERN))
        qtbot.keyClick(page.view, Qt.Key.Key_F2)
        field = delegate.field
        assert field is not None
        field.selectAll()
        qtbot.keyClicks(field, r"/tale/(?P<story_id>\d+")
        qtbot.waitUntil(delegate.bubble.isVisible)
        qtbot.wait(20)
        assert not on_window(field).intersects(on_window(delegate.bubble))
        assert field.visibleRegion().boundingRect() == field.rect()
        bubble = delegate.bubble
        assert bubble.visibleRegion().boundingRect() == bubble.rect()
        qtbot.keyClick(field, Qt.Key.Key_Escape)
        qtbot.waitUntil(lambda: delegate.field is None)
        assert not bubble.isVisible()


def test_an_opened_application_is_tried_too(
    running_loop: TickLoop, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(APP)
    options = Options(app=f"{tmp_path / 'mine.py'}:app", port=0, trust=True, lang="en")
    program = Program(options, running_loop, running_loop.recorder)
    task = running_loop.create_task(program.run())
    qtbot.waitUntil(lambda: program.session.address is not None and program.window.isVisible())
    try:
        program.window.app_site.open_routes()
        (page,) = program.window.app_site.pages.values()
        assert isinstance(page, AppRoutesPage)
        assert said(page.tester, "/1999/12", qtbot) == "✓ rule 1 → Page.get()"
        assert page.tester.answer.capture.accessibleName().endswith("get(year='1999', month='12')")
        assert "initialize(size=3)" in page.tester.answer.facts.text()
        assert "500" in said(page.tester, "/other", qtbot)
    finally:
        program.ended.set()
        qtbot.waitUntil(task.done)
