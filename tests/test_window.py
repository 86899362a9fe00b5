"""The real window against the real server: clicks and keys in, rows and pages out."""

from __future__ import annotations

import concurrent.futures
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QApplication, QLayout, QMessageBox, QTreeWidget, QWidget
from pytestqt.qtbot import QtBot

from app.application import Program
from app.loop import TickLoop
from app.options import Options
from app.recording.events import WINDOW, Request
from app.session.projects import DEMO
from app.widgets.editor_page import FilePage
from app.widgets.routes_editor import RoutesPage
from app.widgets.routes_model import PATTERN
from app.widgets.theme import ZOOMS
from app.widgets.waiting_acts import ActDialog
from app.widgets.waiting_item import TaskItem

Fetch = Callable[[str], tuple[int, str]]


@pytest.fixture
def program(running_loop: TickLoop, qtbot: QtBot, tmp_path: Path) -> Iterator[Program]:
    """The whole program with a copy of the demo, serving on a free port."""
    folder = tmp_path / "demo"
    shutil.copytree(DEMO, folder)
    options = Options(project=folder, port=0, trust=True, lang="en")
    program = Program(options, running_loop, running_loop.recorder)
    task = running_loop.create_task(program.run())
    qtbot.waitUntil(lambda: program.session.address is not None and program.window.isVisible())
    yield program
    program.ended.set()
    qtbot.waitUntil(task.done)
    assert task.result() == 0


@pytest.fixture
def fetch(program: Program, qtbot: QtBot) -> Iterator[Fetch]:
    """Fetch a path from outside, in a thread of its own, while the window goes on."""
    with concurrent.futures.ThreadPoolExecutor() as pool:

        def get(path: str) -> tuple[int, str]:
            future = pool.submit(_get, f"{program.session.address}{path.lstrip('/')}")
            qtbot.waitUntil(future.done)
            return future.result()

        yield get


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def finished(program: Program, uri: str) -> list[Request]:
    """The finished requests to a URI that the window knows of."""
    rows = [Request(*row) for row in program.store.requests.rows]
    return [request for request in rows if request.uri == uri and request.outcome]


def click(qtbot: QtBot, tree: QTreeWidget, text: str) -> None:
    """Click the item of a list that carries *text*."""
    item = tree.findItems(text, Qt.MatchFlag.MatchExactly)[0]
    tree.scrollToItem(item)
    place = tree.visualItemRect(item).center()
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)


def fire(program: Program, qtbot: QtBot, method: str, url: str, body: str = "") -> Request:
    """Fire from the client panel with keys and clicks; return the request when it is over.

    It is over when the server has recorded it and the client has its answer.
    """
    form = program.window.clients.form
    known = len(finished(program, url))
    history = program.session.firing.history
    fired = len(history())
    form.method.setCurrentText(method)
    form.url.setText(url)  # Keys would open the completer, which takes the keyboard.
    form.body.setPlainText(body)
    qtbot.mouseClick(program.window.clients.fire, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(finished(program, url)) > known)
    qtbot.waitUntil(lambda: len(history()) > fired and history()[-1].over)
    return finished(program, url)[-1]


def test_a_fired_request_shows_its_row_and_its_stages(program: Program, qtbot: QtBot) -> None:
    window = program.window
    request = fire(program, qtbot, "GET", "/story/7")
    qtbot.waitUntil(lambda: window.selection.request_id == request.id)
    window.selection.select(0)
    assert (request.client, request.status, request.handler) == ("Alice", 200, "StoryHandler")
    view = window.requests.view
    qtbot.waitUntil(lambda: view.model().rowCount() == 1)
    place = view.visualRect(view.model().index(0, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: bool(window.detail.lifecycle.steps_model.steps))
    names = [
        step.name for step in window.detail.lifecycle.steps_model.steps if step.kind == "stage"
    ]
    shown = [name for name in names if name in {"initialize", "prepare", "get", "on_finish"}]
    assert shown == ["initialize", "prepare", "get", "on_finish"]


def test_login_by_form_with_its_token_leaves_cookies_in_the_jar(
    program: Program, qtbot: QtBot
) -> None:
    refused = fire(program, qtbot, "POST", "/login", "name=alice&password=tornado")
    assert refused.status == 403
    assert program.store.xsrf[refused.id][0][1] == "no-token"
    fire(program, qtbot, "GET", "/login")
    form = program.window.clients.form
    form.attach.setChecked(True)
    form.headers.set_pairs([("Content-Type", "application/x-www-form-urlencoded")])
    accepted = fire(program, qtbot, "POST", "/login", "name=alice&password=tornado")
    assert accepted.status == 302
    assert program.store.xsrf[accepted.id][0][1] == "passed"
    jar = next(state for state in program.session.clients() if state.name == "Alice")
    assert {"_xsrf", "user"} <= {cookie.name for cookie in jar.cookies}
    others = [state for state in program.session.clients() if state.name != "Alice"]
    assert not any(state.cookies for state in others)


def test_a_waiting_request_is_shown_until_another_resolves_it(
    program: Program, qtbot: QtBot
) -> None:
    window = program.window
    form = window.clients.form
    form.url.setText("/wait")
    qtbot.mouseClick(window.clients.fire, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: any(task.owner > 0 for task in program.session.waiting()))
    waiting = next(iter(program.store.open_requests or [1]))
    resolving = fire(program, qtbot, "GET", "/resolve?value=42")
    qtbot.waitUntil(lambda: bool(finished(program, "/wait")))
    assert b"42" in finished(program, "/wait")[0].response_body
    waits = [wait for wait in program.store.waits_of(waiting) if "handlers" in wait.where]
    resolver = program.store.run(waits[-1].resolved_by_run_id)
    assert resolver is not None
    assert resolver.owner == resolving.id


def select_waiting(program: Program, qtbot: QtBot, url: str) -> TaskItem:
    """Fire a request from the client panel and select its waiting task in the panel."""
    window = program.window
    window.traffic.tabs.setCurrentIndex(1)
    window.clients.form.url.setText(url)
    qtbot.mouseClick(window.clients.fire, Qt.MouseButton.LeftButton)
    tree = window.waiting.tree

    def item() -> TaskItem | None:
        found = (tree.topLevelItem(n) for n in range(tree.topLevelItemCount()))
        handlers = (one for one in found if isinstance(one, TaskItem))
        return next((one for one in handlers if "WaitHandler.get" in one.text(0)), None)

    qtbot.waitUntil(lambda: item() is not None)
    found = item()
    assert found is not None
    tree.scrollToItem(found)
    place = tree.visualItemRect(found).center()
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.selection.request_id == found.task.owner if found.task else False
    return found


def press(program: Program, qtbot: QtBot, act: str) -> ActDialog | None:
    """Press one of the small buttons in the row of the current task."""
    panel = program.window.waiting
    qtbot.mouseClick(panel.bar.buttons[act], Qt.MouseButton.LeftButton)
    return panel.acts.dialog


def test_a_future_is_resolved_from_the_window_with_a_typed_value(
    program: Program, qtbot: QtBot
) -> None:
    item = select_waiting(program, qtbot, "/wait")
    assert item.task is not None
    assert (item.task.kind, item.task.resolver, item.task.machinery) == ("future", (), "")
    dialog = press(program, qtbot, "resolve")
    assert dialog is not None
    qtbot.keyClicks(dialog.value, "42")
    qtbot.keyClick(dialog.value, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(finished(program, "/wait")))
    request = finished(program, "/wait")[0]
    assert (request.status, request.response_body) == (200, b'{"value": 42}')
    waits = [wait for wait in program.store.waits_of(request.id) if "handlers" in wait.where]
    resolver = program.store.run(waits[-1].resolved_by_run_id)
    assert resolver is not None
    assert resolver.owner == WINDOW


def test_a_future_is_failed_from_the_window(
    program: Program, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    select_waiting(program, qtbot, "/wait")
    dialog = press(program, qtbot, "fail")
    assert dialog is not None
    dialog.error.setCurrentText("ValueError")
    qtbot.keyClicks(dialog.message, "from the window")
    qtbot.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(finished(program, "/wait")))
    assert finished(program, "/wait")[0].status == 500
    assert "ValueError: from the window" in caplog.text


def test_a_line_is_opened_from_the_waiting_task(program: Program, qtbot: QtBot) -> None:
    select_waiting(program, qtbot, "/wait")
    qtbot.keyClick(program.window.waiting.tree, Qt.Key.Key_Return)
    page = program.window.editors.current()
    assert isinstance(page, FilePage)
    assert "await self.future" in page.editor.textCursor().block().text()
    press(program, qtbot, "cancel")


def test_a_burst_shows_its_progress_to_the_end(program: Program, qtbot: QtBot) -> None:
    window = program.window
    window.clients.form.url.setText("/story/1")
    window.clients.count.setValue(60)
    window.clients.at_once.setValue(20)
    progress: list[tuple[int, int]] = []
    program.session.fired.connect(lambda done, total: progress.append((done, total)))
    qtbot.mouseClick(window.clients.burst, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(finished(program, "/story/1")) == 60)
    qtbot.waitUntil(lambda: progress[-1] == (60, 60))
    assert len({done for done, _ in progress}) > 10


def test_an_edited_template_is_served_from_the_next_request_on(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    window = program.window
    window.site.tabs.setCurrentIndex(2)
    click(qtbot, window.tree.templates, "story.html")
    page = window.editors.current()
    assert isinstance(page, FilePage)
    page.editor.setFocus()
    qtbot.keyClick(page.editor, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(page.editor, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    text = page.editor.toPlainText().replace("{% end %}", "edited live{% end %}")
    page.editor.selectAll()
    page.editor.insertPlainText(text)
    assert "edited live" not in fetch("/story/1")[1]
    qtbot.keyClick(page.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert "edited live" in fetch("/story/1")[1]
    assert "edited live" not in (DEMO / "templates" / "story.html").read_text()


def test_a_broken_edit_shows_its_line_and_the_last_good_page_is_served(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    window = program.window
    good = fetch("/story/1")
    for folder, name, broken, line in (
        ("templates", "story.html", "<p>\n{% if %}\n</p>", 2),
        ("handlers", "greeting.py", "import tornado\n\ndef broken(:\n", 3),
        ("handlers", "greeting.py", "import tornado\n1 / 0\n", 2),
    ):
        window.editors.open_file(folder, name)
        page = window.editors.current()
        assert isinstance(page, FilePage)
        before = page.text
        page.editor.selectAll()
        page.editor.insertPlainText(broken)
        qtbot.mouseClick(page.apply_button, Qt.MouseButton.LeftButton)
        assert page.banner.isVisible()
        assert page.editor.problem_at(line)
        assert page.modified
        assert fetch("/story/1") == good
        page.undo()
        page.undo()
        assert page.text == before


def test_an_edited_route_answers_at_its_new_path(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    window = program.window
    assert fetch("/tale/3")[0] == 404
    window.editors.open_routes()
    page = window.editors.current()
    assert isinstance(page, RoutesPage)
    row = next(i for i, route in enumerate(page.model.routes) if "story" in route.pattern)
    index = page.model.index(row, PATTERN)
    assert page.model.setData(index, r"/tale/(?P<story_id>\d+)")
    qtbot.mouseClick(page.apply_button, Qt.MouseButton.LeftButton)
    assert fetch("/tale/3")[0] == 200
    assert fetch("/story/3")[0] == 404
    page.undo()
    qtbot.mouseClick(page.apply_button, Qt.MouseButton.LeftButton)
    assert fetch("/story/3")[0] == 200


def test_saving_writes_the_project_and_nothing_else(
    program: Program, qtbot: QtBot, tmp_path: Path
) -> None:
    window = program.window
    before = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}
    window.editors.open_file("templates", "story.html")
    page = window.editors.current()
    assert isinstance(page, FilePage)
    page.editor.insertPlainText("{# saved #}")
    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    after = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}
    changed = [path.name for path in after if after[path] != before.get(path)]
    assert changed == ["story.html"]
    assert after.keys() == before.keys()


def test_the_demo_itself_is_never_overwritten(
    running_loop: TickLoop, qtbot: QtBot, tmp_path: Path
) -> None:
    program = Program(Options(port=0, lang="en"), running_loop, running_loop.recorder)
    task = running_loop.create_task(program.run())
    qtbot.waitUntil(lambda: program.session.address is not None and program.window.isVisible())
    before = (DEMO / "templates" / "story.html").read_bytes()
    editors = program.window.editors
    editors.open_file("templates", "story.html")
    page = editors.current()
    assert isinstance(page, FilePage)
    page.editor.insertPlainText("{# mine #}")
    qtbot.keyClick(program.window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    told = program.window.findChild(QMessageBox)
    assert told is not None
    assert "Save as" in told.informativeText()
    told.accept()
    copy = tmp_path / "copy"
    copy.mkdir()
    editors.save(copy)
    assert "{# mine #}" in (copy / "templates" / "story.html").read_text()
    assert (copy / "static" / "style.css").exists()
    assert program.session.site.folder == copy
    assert (DEMO / "templates" / "story.html").read_bytes() == before
    program.ended.set()
    qtbot.waitUntil(task.done)


def test_the_server_stops_and_starts_again(program: Program, qtbot: QtBot, fetch: Fetch) -> None:
    session = program.session
    window = program.window
    qtbot.mouseClick(window.top_bar.switch, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.address is None)
    qtbot.mouseClick(window.top_bar.switch, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.address is not None)
    assert fetch("/")[0] == 200


def test_language_theme_and_zoom_change_at_once(program: Program, qtbot: QtBot) -> None:
    window = program.window
    before = window.grab().toImage()
    qtbot.mouseClick(window.top_bar.scheme, Qt.MouseButton.LeftButton)
    assert window.grab().toImage().pixelColor(2, 200) != before.pixelColor(2, 200)
    qtbot.mouseClick(window.top_bar.language, Qt.MouseButton.LeftButton)
    assert window.clients.fire.text() == "发送"
    size = QApplication.font().pixelSize()
    qtbot.mouseClick(window.top_bar.larger, Qt.MouseButton.LeftButton)
    assert QApplication.font().pixelSize() > size
    qtbot.mouseClick(window.top_bar.smaller, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(window.top_bar.language, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(window.top_bar.scheme, Qt.MouseButton.LeftButton)


def test_no_card_asks_for_more_room_than_it_needs_once_it_is_dressed(program: Program) -> None:
    window = program.window
    asked = [dock.minimumSizeHint() for dock in window.docks]
    for widget in window.findChildren(QWidget):
        widget.updateGeometry()
    for layout in window.findChildren(QLayout):
        layout.invalidate()
    assert [dock.minimumSizeHint() for dock in window.docks] == asked


def test_the_window_keeps_the_size_that_the_user_gave_it(program: Program, qtbot: QtBot) -> None:
    window, control = program.window, Qt.KeyboardModifier.ControlModifier
    size = QSize(1280, 800)
    window.resize(size)

    def unchanged() -> bool:
        qtbot.wait(50)
        return window.size() == size == window.minimumSizeHint().expandedTo(size)

    assert unchanged()
    qtbot.keyClick(window, Qt.Key.Key_S, control)
    assert window.banner.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_L, control)
    assert window.charts.isVisible()
    assert unchanged()
    window.editors.open_file("templates", "story.html")
    template = window.editors.current()
    assert isinstance(template, FilePage)
    template.editor.moveCursor(QTextCursor.MoveOperation.End)
    qtbot.keyClicks(template.editor, "{% if x %}")
    qtbot.keyClick(template.editor, Qt.Key.Key_Return, control)
    qtbot.waitUntil(lambda: bool(template.editor.problems()))
    assert unchanged()
    window.editors.open_routes(1)
    routes = window.editors.current()
    assert isinstance(routes, RoutesPage)
    routes.view.setCurrentIndex(routes.model.index(1, PATTERN))
    qtbot.keyClick(routes.view, Qt.Key.Key_F2)
    assert routes.delegate.field is not None
    qtbot.keyClicks(routes.delegate.field, "(")
    qtbot.keyClick(routes.delegate.field, Qt.Key.Key_Return)
    qtbot.mouseClick(routes.apply_button, Qt.MouseButton.LeftButton)
    assert routes.faults.isVisible()
    assert unchanged()
    qtbot.keyClick(window, Qt.Key.Key_Plus, control)
    assert window.theme.zoom > 1
    assert unchanged()
    for zoom in (1.6, 2, ZOOMS[-1]):
        window.theme.set_zoom(zoom)
        assert unchanged()
    qtbot.keyClick(window, Qt.Key.Key_0, control)
    assert unchanged()
    window.reset_layout()


def test_where_one_types_stays_in_sight_when_a_page_needs_more_room_than_its_card(
    program: Program, qtbot: QtBot
) -> None:
    window = program.window
    window.resize(1280, 800)
    window.theme.set_zoom(2)
    window.clients.form.url.setFocus()
    room = window.cards.clients.room
    bar = room.verticalScrollBar()
    qtbot.waitUntil(bar.isVisible)
    bar.setValue(bar.maximum())
    assert window.clients.form.url.visibleRegion().isEmpty()
    qtbot.keyClick(window.clients.form.url, Qt.Key.Key_End)
    assert not window.clients.form.url.visibleRegion().isEmpty()
    window.theme.set_zoom(1)
    window.reset_layout()


def test_a_click_in_the_timeline_selects_the_request(program: Program, qtbot: QtBot) -> None:
    window = program.window
    request = fire(program, qtbot, "GET", "/sleep?seconds=0.1")
    canvas = window.timeline.canvas

    def places() -> list[QPoint]:
        points = [QPoint(20, y) for y in range(canvas.height())]
        lanes = [(point, canvas.lane_at(point)) for point in points]
        return [
            point for point, lane in lanes if lane is not None and lane.request_id == request.id
        ]

    qtbot.waitUntil(lambda: bool(places()))
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=places()[4])
    assert window.selection.request_id == request.id


def test_closing_the_window_ends_the_program(program: Program, qtbot: QtBot) -> None:
    program.window.close()
    qtbot.waitUntil(program.ended.is_set)


def test_a_handler_that_exits_answers_500_and_the_program_lives(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    site = program.session.site
    text = (
        "import sys, tornado.web\n"
        "class Exit(tornado.web.RequestHandler):\n"
        "    def get(self):\n"
        "        sys.exit(3)\n"
    )
    from app.server.site import Route

    changed = site.with_handler("exit.py", text).with_routes(
        (Route("/exit", "handlers.exit.Exit"), *site.routes)
    )
    assert program.session.apply(changed) == []
    assert fetch("/exit")[0] == 500
    assert fetch("/")[0] == 200


def test_the_centre_gets_all_the_room_and_gives_it_back(program: Program, qtbot: QtBot) -> None:
    window = program.window
    shown = [dock for dock in window.docks if dock.isVisible()]
    centre = window.centralWidget()
    assert centre is not None
    assert len(shown) == 5

    def stands() -> bool:
        before = centre.width()
        qtbot.wait(100)
        return before == centre.width()

    qtbot.waitUntil(stands)
    room = centre.width()
    qtbot.keyClick(window, Qt.Key.Key_F11)
    qtbot.waitUntil(lambda: not any(dock.isVisible() for dock in window.docks))
    qtbot.waitUntil(lambda: centre.width() > room)
    qtbot.keyClick(window, Qt.Key.Key_F11)
    qtbot.waitUntil(lambda: all(dock.isVisible() for dock in shown))
    qtbot.waitUntil(lambda: centre.width() == room)
    assert not window.arrangement.alone
