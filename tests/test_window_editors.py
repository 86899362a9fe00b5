"""Editing in the real window while clients hold connections: the next request is another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QCheckBox
from pytestqt.qtbot import QtBot

from app.application import Program
from app.widgets.editor_page import FilePage, Page
from app.widgets.routes_editor import RoutesPage
from app.widgets.routes_model import PATTERN
from app.widgets.settings_page import SettingsPage

from .speed import cost
from .swarm import Swarm
from .test_window import Fetch, fetch, program

__all__ = ["fetch", "program"]
KEY, CONTROL = Qt.Key, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def swarm(program: Program, qtbot: QtBot) -> Iterator[Swarm]:
    """50 clients that hold keep-alive connections, each answered at least once."""
    assert program.session.address is not None
    swarm = Swarm(program.session.address, "/story/1", 50)
    qtbot.waitUntil(lambda: min(swarm.answered) >= 1)
    yield swarm
    swarm.close()


def open_file(program: Program, folder: str, name: str) -> FilePage:
    """Open a file's editor."""
    program.window.editors.open_file(folder, name)
    page = program.window.editors.current()
    assert isinstance(page, FilePage)
    return page


def retype(page: FilePage, old: str, new: str) -> None:
    """Select what is written somewhere and type over it."""
    page.editor.moveCursor(QTextCursor.MoveOperation.Start)
    assert page.editor.find(old)
    page.editor.textCursor().insertText(new)


def apply(page: Page, qtbot: QtBot) -> None:
    """Click Apply."""
    qtbot.mouseClick(page.apply_button, Qt.MouseButton.LeftButton)


def test_every_editor_changes_the_running_server_and_nobody_is_dropped(
    program: Program, qtbot: QtBot, fetch: Fetch, swarm: Swarm
) -> None:
    window = program.window
    streaming = swarm.run(swarm.read_stream("/stream?count=60&seconds=0.05"))
    socket_opened = swarm.run(swarm.open_socket("chat/socket"))
    qtbot.waitUntil(lambda: swarm.stream.count(b"\n") >= 2 and socket_opened.done())
    socket = socket_opened.result()

    page = open_file(program, "templates", "story.html")
    retype(page, "{{ repr(story_id) }}", "{{ repr(story_id) }} by template")
    assert "by template" not in fetch("/story/1")[1]
    apply(page, qtbot)
    assert "by template" in fetch("/story/1")[1]

    page = open_file(program, "handlers", "greeting.py")
    retype(page, "story_id=story_id,", 'story_id=story_id + " by handler",')
    apply(page, qtbot)
    assert "by handler" in fetch("/story/1")[1]

    page = open_file(program, "handlers", "stream.py")
    retype(page, 'f"{number}\\n"', 'f"new {number}\\n"')
    apply(page, qtbot)
    assert fetch("/stream?count=1&seconds=0")[1] == "new 1\n"

    window.editors.open_routes()
    routes = window.editors.current()
    assert isinstance(routes, RoutesPage)
    row = next(i for i, route in enumerate(routes.model.routes) if route.pattern == "/error")
    assert routes.model.setData(routes.model.index(row, PATTERN), "/crash")
    apply(routes, qtbot)
    assert fetch("/error")[0] == 404

    assert "content-encoding" not in headers_now(swarm, qtbot)
    window.editors.open_settings("compress_response")
    settings = window.editors.current()
    assert isinstance(settings, SettingsPage)
    box = settings.list.rows["compress_response"].control.findChild(QCheckBox)
    assert box is not None
    box.click()
    apply(settings, qtbot)
    assert headers_now(swarm, qtbot)["content-encoding"] == "gzip"

    page = open_file(program, "handlers", "greeting.py")
    retype(page, "class StoryHandler", "class StoryHandler(")
    apply(page, qtbot)
    assert page.banner.isVisible()
    assert "by handler" in fetch("/story/1")[1]

    qtbot.waitUntil(streaming.done, timeout=30_000)
    assert streaming.result() == 200
    assert swarm.stream == b"".join(b"%d\n" % n for n in range(1, 61))
    before = list(swarm.answered)
    qtbot.waitUntil(lambda: all(map(int.__gt__, swarm.answered, before)))
    answer = swarm.run(talk(socket))
    qtbot.waitUntil(answer.done)
    assert "still here" in answer.result()
    stopped = swarm.stop()
    qtbot.waitUntil(stopped.done)
    assert swarm.dropped == 0
    assert set(swarm.statuses) == {200}


def headers_now(swarm: Swarm, qtbot: QtBot) -> dict[str, str]:
    """Return the headers of a page for somebody who takes gzip."""
    asked = swarm.run(swarm.headers("/", "Accept-Encoding: gzip"))
    qtbot.waitUntil(asked.done)
    return asked.result()


async def talk(socket: object) -> str:
    """Say something over a WebSocket of the chat; return what comes back."""
    await socket.write_message("still here")  # type: ignore[attr-defined]
    while "still here" not in (line := str(await socket.read_message())):  # type: ignore[attr-defined]
        pass
    socket.close()  # type: ignore[attr-defined]
    return line


def test_as_you_type_serves_what_parses_and_only_that(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    page = open_file(program, "handlers", "greeting.py")
    qtbot.mouseClick(page.as_you_type, Qt.MouseButton.LeftButton)
    page.editor.moveCursor(QTextCursor.MoveOperation.End)
    good = program.session.site
    qtbot.keyClicks(page.editor, "class New(")
    qtbot.waitUntil(lambda: page.editor.problems() != [])
    qtbot.wait(800)  # Longer than the pause after which it would be served.
    assert program.session.site is good
    assert page.editor.textCursor().atEnd()
    qtbot.keyClicks(page.editor, "BaseHandler): pass")
    qtbot.waitUntil(lambda: program.session.site is not good)
    assert "class New(BaseHandler)" in program.session.site.handlers["greeting.py"]
    assert not page.modified
    assert fetch("/story/1")[0] == 200
    reopened = open_file(program, "templates", "story.html")
    assert reopened.as_you_type.isChecked()
    reopened.as_you_type.setChecked(False)


def test_an_apply_is_undone_and_redone_across_editors(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    both = CONTROL | Qt.KeyboardModifier.AltModifier
    for folder, name, old, new in (
        ("templates", "story.html", "<h1>", "<h1>First "),
        ("handlers", "greeting.py", "story_id=story_id,", 'story_id=story_id + " second",'),
    ):
        page = open_file(program, folder, name)
        retype(page, old, new)
        qtbot.keyClick(page.editor, KEY.Key_Return, CONTROL)
    assert "First" in fetch("/story/1")[1]
    assert "second" in fetch("/story/1")[1]
    qtbot.keyClick(program.window, KEY.Key_Z, both)
    assert "second" not in fetch("/story/1")[1]
    assert "First" in fetch("/story/1")[1]
    assert "second" not in page.text
    assert not page.modified
    qtbot.keyClick(program.window, KEY.Key_Z, both)
    assert "First" not in fetch("/story/1")[1]
    for _ in range(2):
        qtbot.keyClick(program.window, KEY.Key_Z, both | Qt.KeyboardModifier.ShiftModifier)
    assert "second" in fetch("/story/1")[1]
    page.editor.setFocus()
    page.undo()
    assert "second" not in page.text  # Ctrl+Z in the editor goes on behind what undo brought.


def test_a_version_that_was_undone_is_not_lost(program: Program, fetch: Fetch) -> None:
    editors = program.window.editors
    numbers = []
    for title in ("one", "two"):
        page = open_file(program, "templates", "story.html")
        page.editor.selectAll()
        page.editor.insertPlainText(f"{title} {{{{ story_id }}}}")
        assert editors.apply([page])
        numbers.append(editors.history.versions.current)
        editors.history.undo()
    for number, title in zip(numbers, ("one", "two"), strict=True):
        assert editors.history.serve(number)
        assert fetch("/story/1")[1].startswith(f"{title} 1")


BAD = {
    "35 syntax error": ("import os\ndef f(:\n", 2, 7),
    "35 mixed tabs": ("if 1:\n\tx = 1\n        y = 2\n", 3, 1),
    "36 NUL": ("x = 1\ny = \x00\n", 2, 5),
    "36 no-break space": ("x\u00a0= 1\n", 1, 2),
    "37 5,000 parentheses": ("x = " + "(" * 5000 + ")" * 5000 + "\n", 1, 205),
    "38 100,000 unary minuses": ("x = 1\ny = " + "-" * 100_000 + "1\n", 2, 1),
    "39 an import that fails": ("import os\nimport no_such_module\n", 2, 0),
    "an exception at import": ("a = 1\nb = a / 0\n", 2, 0),
    "sys.exit at import": ("import sys\n\nsys.exit(3)\n", 3, 0),
}


@pytest.mark.parametrize("row", BAD)
def test_bad_handler_code_is_an_error_at_its_place(
    row: str, program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    text, line, column = BAD[row]
    page = open_file(program, "handlers", "greeting.py")
    page.editor.moveCursor(QTextCursor.MoveOperation.End)
    page.editor.insertPlainText("\n")
    usual = cost(lambda: apply(page, qtbot))
    assert page.editor.problems() == []
    good = fetch("/story/1")
    page.editor.selectAll()
    page.editor.textCursor().insertText(text)
    assert cost(lambda: apply(page, qtbot)) < 10 * usual
    [mark] = page.editor.problems()
    assert (mark.line, mark.column) == (line, column)
    assert page.editor.textCursor().blockNumber() + 1 == line
    shown = page.problems.item(0)
    assert shown is not None
    assert shown.text().startswith(f"✗ {line}:{column}" if column else f"✗ {line} ")
    assert page.banner.isVisible()
    assert page.text == text
    assert page.modified
    assert fetch("/story/1") == good


def test_a_lone_surrogate_is_an_error_at_its_place(program: Program, fetch: Fetch) -> None:
    # Qt's text has none: this one comes from elsewhere.
    bad = program.session.site.with_handler("greeting.py", "x = 1\ny = '\ud800'\n")
    [problem] = program.session.apply(bad)
    assert (problem.file, problem.line, problem.column) == ("handlers/greeting.py", 2, 6)
    assert fetch("/story/1")[0] == 200


def test_a_byte_order_mark_within_the_text_is_an_error(program: Program, qtbot: QtBot) -> None:
    page = open_file(program, "handlers", "greeting.py")
    page.editor.moveCursor(QTextCursor.MoveOperation.End)
    page.editor.insertPlainText("x = \ufeff1\n")
    apply(page, qtbot)
    [mark] = page.editor.problems()
    assert (mark.line, mark.column) == (page.text.count("\n"), 5)
    assert "U+FEFF" in mark.text


def test_completion_knows_the_base_class_of_the_site(program: Program, qtbot: QtBot) -> None:
    page = open_file(program, "handlers", "greeting.py")
    page.editor.moveCursor(QTextCursor.MoveOperation.End)
    page.editor.insertPlainText("        ")
    qtbot.keyClicks(page.editor, "self.get_n")
    assert page.completions is not None
    assert page.completions.offered == ["get_number"]
    qtbot.keyClick(page.editor, KEY.Key_Return)
    assert page.editor.textCursor().block().text().endswith("self.get_number")


def test_a_handler_that_raises_answers_500_and_is_a_row_in_the_log(
    program: Program, qtbot: QtBot, fetch: Fetch, caplog: pytest.LogCaptureFixture
) -> None:
    page = open_file(program, "handlers", "greeting.py")
    retype(page, "self.render(", 'raise RuntimeError("row 40"); self.render(')
    apply(page, qtbot)
    assert fetch("/")[0] == 500
    assert "row 40" in caplog.text
    qtbot.waitUntil(lambda: any("row 40" in str(row) for row in program.store.log))
    assert fetch("/story/1")[0] == 200
