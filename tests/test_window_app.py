"""The user's own application in the window: opened, looked at, stopped, changed, run anew."""

from __future__ import annotations

import concurrent.futures
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.application import Program
from app.loop import TickLoop
from app.options import Options, parse
from app.recording.events import Request
from app.widgets.app_controls import AppState
from app.widgets.app_dialog import OpenAppDialog, candidates
from app.widgets.app_pages import AppRoutesPage, FailurePage, SourcePage
from app.widgets.i18n import language
from app.widgets.project_controls import Found
from app.widgets.request_menu import RequestMenu

from .test_window import _get

APPS = Path(__file__).resolve().parent / "apps"
Fetch = Callable[[str], tuple[int, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the programs, to be changed."""
    return Path(shutil.copytree(APPS, tmp_path / "apps"))


@pytest.fixture
def program(running_loop: TickLoop, qtbot: QtBot) -> Iterator[Program]:
    """The whole program with the demo, serving on a free port."""
    program = Program(Options(port=0, trust=True, lang="en"), running_loop, running_loop.recorder)
    task = running_loop.create_task(program.run())
    qtbot.waitUntil(lambda: program.session.address is not None and program.window.isVisible())
    yield program
    program.ended.set()
    qtbot.waitUntil(task.done)
    assert task.result() == 0


@pytest.fixture
def fetch(program: Program, qtbot: QtBot) -> Iterator[Fetch]:
    with concurrent.futures.ThreadPoolExecutor() as pool:

        def get(path: str) -> tuple[int, str]:
            future = pool.submit(_get, f"{program.session.address}{path.lstrip('/')}")
            qtbot.waitUntil(future.done)
            return future.result()

        yield get


def wait_for(program: Program, qtbot: QtBot, state: AppState, act: Callable[[], object]) -> None:
    app = program.session.app
    with qtbot.waitSignal(app.changed, check_params_cb=lambda: app.state is state):
        act()


def press(
    program: Program,
    qtbot: QtBot,
    key: Qt.Key,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """Press a key in the window; dialogs do not give the keyboard back by themselves here."""
    program.window.activateWindow()
    qtbot.waitUntil(program.window.isActiveWindow)
    qtbot.keyClick(program.window, key, modifiers)


def open_app(program: Program, qtbot: QtBot, file: Path, name: str, state: AppState) -> None:
    """Open an application with the keyboard; trust it, if that is asked."""
    window = program.window
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    press(program, qtbot, Qt.Key.Key_A, both)
    dialog = cast("OpenAppDialog", window.findChild(OpenAppDialog))
    dialog.place.setEditText(str(file))
    dialog.what.setEditText(name)

    def answer() -> None:
        qtbot.keyClick(dialog.arguments, Qt.Key.Key_Return)
        box = cast("QMessageBox", window.findChild(QMessageBox))
        for button in box.buttons():
            if button.text() == "Trust and run":
                qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    wait_for(program, qtbot, state, answer)


def texts(tree: QAbstractItemView, column: int = 0) -> list[str]:
    model = tree.model()
    return [str(model.index(at, column).data()) for at in range(model.rowCount())]


def test_an_application_is_opened_looked_at_changed_and_run_anew(
    program: Program, qtbot: QtBot, folder: Path, fetch: Fetch
) -> None:
    window, app = program.window, program.session.app
    open_app(program, qtbot, folder / "modern.py", "main", AppState.RUNNING)
    assert fetch("/hello/you") == (200, "<p>hello you</p>\n")
    assert texts(window.tree.routes)[:2] == ["/added", r"/hello/(\w+)"]
    assert texts(window.tree.handlers) == ["modern.py"]
    assert texts(window.tree.templates) == ["page.html"]
    assert not program.session.editable

    window.app_site.open_routes(1)
    routes = window.app_site.pages["routes"]
    assert isinstance(routes, AppRoutesPage)
    does = texts(routes.table, 5)
    assert does[1] == "Calls get(group 1)"
    assert does[0].startswith("Hello: the groups of the pattern do not fit get(): missing")
    qtbot.keyClick(routes.table, Qt.Key.Key_Return)
    page = window.centre.stack.currentWidget()
    assert isinstance(page, SourcePage)
    assert page.editor.textCursor().block().text() == "class Hello(RequestHandler):"
    qtbot.keyClicks(page.editor, "x")
    assert page.editor.toPlainText() == (folder / "modern.py").read_text()

    text = (folder / "modern.py").read_text().replace('"hello"', '"goodbye"')
    (folder / "modern.py").write_text(text)
    qtbot.waitUntil(lambda: "goodbye" in page.editor.toPlainText())
    assert "reload" in page.note.toolTip()
    wait_for(program, qtbot, AppState.RUNNING, lambda: press(program, qtbot, Qt.Key.Key_F5))
    assert fetch("/hello/you") == (200, "<p>goodbye you</p>\n")
    assert "read-only" in page.note.toolTip()

    wait_for(program, qtbot, AppState.STOPPED, window.top_bar.toggle_server)
    assert program.session.address is None
    wait_for(program, qtbot, AppState.RUNNING, window.top_bar.toggle_server)
    assert fetch("/hello/you")[0] == 200
    assert app.failure is None


def test_the_source_of_a_request_and_of_a_traceback(
    program: Program, qtbot: QtBot, folder: Path, fetch: Fetch
) -> None:
    window = program.window
    open_app(program, qtbot, folder / "modern.py", "main", AppState.RUNNING)
    assert fetch("/broken")[0] == 500
    qtbot.waitUntil(lambda: window.requests.view.model().rowCount() == 1)
    requests = cast("RequestMenu", window.requests.view.findChild(RequestMenu))
    menu = requests.menu(program.store.requests.rows[-1])
    next(a for a in menu.actions() if a.text() == "Open the source of Broken").trigger()
    menu.close()
    page = window.centre.stack.currentWidget()
    assert isinstance(page, SourcePage)
    assert page.editor.textCursor().block().text() == "class Broken(RequestHandler):"
    record = next(row for row in program.store.log if "on purpose" in row[4])
    window.log.open_record(record)
    (lead,) = (b for b in window.log.findChildren(QPushButton) if b.text() == "Open the line")
    qtbot.mouseClick(lead, Qt.MouseButton.LeftButton)
    assert page.editor.textCursor().block().text() == '        raise ValueError("on purpose")'


def test_a_failed_start_shows_its_traceback_and_can_be_repaired(
    program: Program, qtbot: QtBot, folder: Path, fetch: Fetch
) -> None:
    window = program.window
    file = folder / "failing.py"
    file.write_text("def make_app():\n    return deeper()\n\n\ndef deeper():\n    1 / 0\n")
    open_app(program, qtbot, file, "make_app", AppState.FAILED)
    page = window.centre.stack.currentWidget()
    assert isinstance(page, FailurePage)
    assert page.headline.text() == "ZeroDivisionError: division by zero"
    assert texts(page.table) == ["failing.py:2", "failing.py:6"]
    language.choose("zh")
    assert window.centre.tabs.tabText(window.centre.stack.currentIndex()) == "启动失败"
    language.choose("en")
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    source = window.centre.stack.currentWidget()
    assert isinstance(source, SourcePage)
    assert source.editor.textCursor().blockNumber() + 1 == 6
    file.write_text("from tornado.web import Application\n\n\nmake_app = Application()\n")
    wait_for(
        program,
        qtbot,
        AppState.RUNNING,
        lambda: qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton),
    )
    assert "failure" not in window.app_site.pages
    assert fetch("/")[0] == 404


def test_a_project_takes_the_place_of_an_application(
    program: Program, qtbot: QtBot, folder: Path, fetch: Fetch
) -> None:
    site = program.session.site
    open_app(program, qtbot, folder / "classic.py", "main", AppState.RUNNING)
    assert fetch("/")[1].endswith("['prepared']")
    assert program.session.apply(site) != []
    assert not program.window.tree.foot.isVisible()
    press(program, qtbot, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    assert program.window.editors.current() is None
    found = Found(site, True)
    wait_for(program, qtbot, AppState.NONE, lambda: program.session.projects.open(found))
    qtbot.waitUntil(lambda: program.session.address is not None)
    assert fetch("/story/1")[0] == 200
    assert program.session.editable
    qtbot.waitUntil(lambda: len(program.store.requests.rows) == 2)
    handlers = [Request(*row).handler for row in program.store.requests.rows]
    assert handlers == ["Count", "StoryHandler"]


def test_a_restart_names_the_same_program(program: Program, qtbot: QtBot, folder: Path) -> None:
    open_app(program, qtbot, folder / "modern.py", "main", AppState.RUNNING)
    assert program.again() == []
    modifier = Qt.KeyboardModifier.ShiftModifier
    with qtbot.waitSignal(program.window.closed):
        press(program, qtbot, Qt.Key.Key_F5, modifier)
    arguments = program.again()
    assert parse(arguments).app == f"{folder / 'modern.py'}:main"
    assert parse(arguments).trust


def test_candidates_are_found_without_running_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(
        "import tornado.web\nopen('written', 'w')\n"
        "def helper(x): pass\nasync def main(): pass\ndef other(): pass\n"
        "class Mine(tornado.web.Application): pass\n"
        "application = tornado.web.Application([])\ndef make_app(debug=False): pass\n"
    )
    assert candidates(file) == ["make_app", "application", "main", "other", "Mine"]
    file.write_text("def broken(:\n")
    assert candidates(file) == []
