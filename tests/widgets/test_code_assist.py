"""Keys that help while writing code: completion, find and replace, comments, going to lines."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from app.recording.store import Store
from app.server.snippets import SNIPPETS
from app.widgets.code_editor import CodeEditor
from app.widgets.completion import CompletionPopup
from app.widgets.editor_page import FilePage
from app.widgets.find_bar import FindBar
from app.widgets.go_to_line import GoToLine, parse
from app.widgets.i18n import language, load, missing
from app.widgets.main_window import MainWindow
from app.widgets.new_handler import NewHandler
from app.widgets.theme import Theme

from .fake_controls import FakeControls

KEY, CONTROL = Qt.Key, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    """The window over an empty store."""
    window = MainWindow(Store(), FakeControls(), Theme())
    qtbot.addWidget(window, before_close_func=lambda w: w.editors.forget_changes())
    window.resize(1400, 900)
    window.show()
    return window


@pytest.fixture
def page(window: MainWindow) -> FilePage:
    """The editor of a handler."""
    window.editors.open_file("handlers", "home.py")
    page = window.editors.current()
    assert isinstance(page, FilePage)
    return page


@pytest.fixture
def editor(page: FilePage) -> CodeEditor:
    """Its text."""
    return page.editor


def popup(page: FilePage) -> CompletionPopup:
    """The list of completions."""
    assert page.completions is not None
    return page.completions


def test_overriding_writes_the_parameters(page: FilePage, qtbot: QtBot) -> None:
    editor = page.editor
    editor.moveCursor(QTextCursor.MoveOperation.End)
    editor.insertPlainText("\n    ")
    qtbot.keyClicks(editor, "def write_e")
    assert popup(page).offered == ["write_error"]
    qtbot.keyClick(editor, KEY.Key_Tab)
    line = editor.textCursor().block().text()
    assert line == "    def write_error(self, status_code, **kwargs):"
    assert popup(page).offered == []
    qtbot.keyClick(editor, KEY.Key_Return)
    assert editor.textCursor().block().text() == " " * 8


def test_the_list_opens_narrows_moves_and_closes(page: FilePage, qtbot: QtBot) -> None:
    editor = page.editor
    assert editor.find("self.render")
    editor.textCursor().insertText("self.render")
    editor.textCursor().insertText("; self")
    qtbot.keyClicks(editor, ".")
    everything = popup(page).offered
    assert {"render", "write", "request"} <= set(everything)
    qtbot.keyClicks(editor, "redi")
    assert popup(page).offered == ["redirect"]
    qtbot.keyClick(editor, KEY.Key_Backspace)
    qtbot.keyClick(editor, KEY.Key_Backspace)
    offered = popup(page).offered
    assert len(offered) > 2
    qtbot.keyClick(editor, KEY.Key_Down)
    page.grab()
    qtbot.keyClick(editor, KEY.Key_Return)
    assert f"self.{offered[1]}" in editor.textCursor().block().text()
    qtbot.keyClicks(editor, "(se")
    assert "self" in popup(page).offered
    qtbot.keyClicks(editor, ")")
    assert popup(page).offered == []
    qtbot.keyClick(editor, KEY.Key_Space, CONTROL)
    qtbot.keyClick(editor, KEY.Key_Escape)
    assert popup(page).offered == []
    qtbot.keyClicks(editor, ".")
    editor.moveCursor(QTextCursor.MoveOperation.Start)
    assert popup(page).offered == []


def test_return_after_a_whole_name_is_a_new_line(page: FilePage, qtbot: QtBot) -> None:
    editor = page.editor
    editor.setPlainText(
        "import tornado.web\nclass A(tornado.web.RequestHandler):\n    def get(self):\n        "
    )
    editor.moveCursor(QTextCursor.MoveOperation.End)
    qtbot.keyClicks(editor, "self.render")
    assert popup(page).offered[0] == "render"
    assert "render_string" in popup(page).offered
    qtbot.keyClick(editor, KEY.Key_Return)
    assert editor.text().endswith("        self.render\n        ")


def bar(page: FilePage, qtbot: QtBot, find: str, instead: str) -> FindBar:
    """Open the bar with Ctrl+H and fill it."""
    page.search.open(replacing=True)
    page.search.field.setText(find)
    page.search.instead.setText(instead)
    return page.search


def test_replace_all_is_one_step_for_undo(page: FilePage, qtbot: QtBot) -> None:
    before = page.text
    search = bar(page, qtbot, "SELF", "this")
    qtbot.mouseClick(search.all, Qt.MouseButton.LeftButton)
    assert page.text == before.replace("self", "this")
    page.undo()
    assert page.text == before
    search.case.setChecked(True)
    assert search.count.text() == "not found"
    qtbot.mouseClick(search.all, Qt.MouseButton.LeftButton)
    assert page.text == before


def test_regular_expressions_with_groups(page: FilePage, qtbot: QtBot) -> None:
    page.editor.setPlainText("a1 = 🌪\nb22 = a1\n")
    search = bar(page, qtbot, r"^(\w)(\d+)", r"\2\1\n")
    search.regex.setChecked(True)
    assert search.count.text() == "1 of 2"
    qtbot.mouseClick(search.one, Qt.MouseButton.LeftButton)
    assert page.text == "1a\n = 🌪\nb22 = a1\n"
    qtbot.mouseClick(search.all, Qt.MouseButton.LeftButton)
    assert page.text == "1a\n = 🌪\n22b\n = a1\n"
    search.field.setText("(")
    assert search.field.property("state") == "error"
    assert search.count.text() == "not valid"


def test_find_goes_round_both_ways(page: FilePage, qtbot: QtBot) -> None:
    page.editor.setPlainText("x 1\nx 2\nx 3\n")
    search = bar(page, qtbot, "x", "")
    lines = []
    for _ in range(3):
        search.find_next()
        lines.append(page.editor.textCursor().blockNumber())
    for _ in range(2):
        search.find_next(back=True)
        lines.append(page.editor.textCursor().blockNumber())
    assert lines == [1, 2, 0, 2, 1]
    search.close_bar()
    assert search.isHidden()


def test_a_regular_expression_that_explodes_comes_to_an_end(page: FilePage, qtbot: QtBot) -> None:
    page.editor.setPlainText("a" * 60 + "b")
    search = bar(page, qtbot, "(a|aa)+$", "")
    search.regex.setChecked(True)
    assert search.count.text() == "not found"


def test_comments_come_and_go(editor: CodeEditor, qtbot: QtBot) -> None:
    before = editor.text()
    editor.selectAll()
    qtbot.keyClick(editor, KEY.Key_Slash, CONTROL)
    lines = [line for line in editor.text().split("\n") if line.strip()]
    assert all(line.startswith("# ") for line in lines)
    editor.selectAll()
    qtbot.keyClick(editor, KEY.Key_Slash, CONTROL)
    assert editor.text() == before
    editor.go_to(7)
    qtbot.keyClick(editor, KEY.Key_Slash, CONTROL)
    assert editor.text().split("\n")[6].startswith("    # async def")
    editor.undo()
    assert editor.text() == before


def test_keys_that_know_the_indentation(editor: CodeEditor, qtbot: QtBot) -> None:
    editor.setPlainText("    def f():\n        return 1")
    editor.moveCursor(QTextCursor.MoveOperation.End)
    qtbot.keyClick(editor, KEY.Key_Home)
    assert editor.textCursor().positionInBlock() == 8
    qtbot.keyClick(editor, KEY.Key_Backspace)
    assert editor.text().endswith("\n    return 1")
    qtbot.keyClick(editor, KEY.Key_Home)
    assert editor.textCursor().positionInBlock() == 0
    editor.moveCursor(QTextCursor.MoveOperation.End)
    qtbot.keyClick(editor, KEY.Key_Return)
    assert editor.text().endswith("return 1\n")


def test_mistakes_are_marked_while_typing_and_cleared(page: FilePage, qtbot: QtBot) -> None:
    editor = page.editor
    editor.moveCursor(QTextCursor.MoveOperation.End)
    editor.insertPlainText("\n🌪 = (1\n")
    qtbot.waitUntil(page.problems.isVisible)
    [mark] = editor.problems()
    item = page.problems.item(0)
    assert item is not None
    assert item.text().startswith(f"✗ {mark.line}:{mark.column} ")
    editor.moveCursor(QTextCursor.MoveOperation.Start)
    page.problems.go_next()
    assert editor.textCursor().blockNumber() + 1 == mark.line
    editor.undo()
    qtbot.waitUntil(page.problems.isHidden)
    assert editor.problems() == []


def test_odd_characters_stay_as_they_are(page: FilePage, window: MainWindow) -> None:
    text = "x = 'a\u00a0b\u2028c'\n"
    page.editor.setPlainText(text)
    page.editor.document().setModified(True)
    assert page.text == text
    assert window.editors.apply([page])
    assert window.controls.site.handlers["home.py"] == text


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("12", ("", 12, 0)),
        ("12:5", ("", 12, 5)),
        (" home.py : 7 ", ("home.py", 7, 0)),
        ("handlers/home.py:7:3:", ("handlers/home.py", 7, 3)),
        ("home.py", ("home.py", 0, 0)),
        ("file12", ("file12", 0, 0)),
        ("", ("", -1, 0)),
        ("1:2:3", ("1", -1, 0)),
        ("a:b", ("a", -1, 0)),
    ],
)
def test_places_are_read(text: str, place: tuple[str, int, int]) -> None:
    if place[1] < 0:
        assert parse(text)[1] < 0
    else:
        assert parse(text) == place


def go(window: MainWindow, qtbot: QtBot, text: str) -> bool:
    """Press Ctrl+G anywhere and type a place; tell whether it was found."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, KEY.Key_G, CONTROL)
    [dialog] = window.findChildren(GoToLine)
    assert isinstance(dialog, QDialog)
    dialog.field.setText(text)
    dialog.accept()
    went = not dialog.isVisible()
    dialog.reject()
    qtbot.waitUntil(lambda: not window.findChildren(GoToLine))
    return went


def test_go_to_a_line_of_any_file(window: MainWindow, qtbot: QtBot) -> None:
    assert not go(window, qtbot, "3")  # No editor is seen.
    assert go(window, qtbot, "home.py:7:5")
    page = window.editors.current()
    assert isinstance(page, FilePage)
    cursor = page.editor.textCursor()
    assert (page.key, cursor.blockNumber(), cursor.positionInBlock()) == ("handlers/home.py", 6, 4)
    assert go(window, qtbot, "2")
    assert page.editor.textCursor().blockNumber() == 1
    assert not go(window, qtbot, "9999")
    assert not go(window, qtbot, "nowhere.py:1")
    assert go(window, qtbot, "templates/home.html")


def test_snippets_are_told_in_chinese() -> None:
    texts = {text for snippet in SNIPPETS for text in (snippet.title, snippet.text)}
    assert texts - load("zh").keys() == set()


def test_everything_of_the_editors_is_told_in_chinese(window: MainWindow, qtbot: QtBot) -> None:
    missing.clear()
    try:
        language.choose("zh")
        assert go(window, qtbot, "home.py:1")
        page = window.editors.current()
        assert isinstance(page, FilePage)
        page.search.open(replacing=True)
        qtbot.keyClicks(page.search.field, "self")
        page.search.replace_all()
        for key in (KEY.Key_D, KEY.Key_N):
            window.activateWindow()
            qtbot.waitUntil(window.isActiveWindow)
            qtbot.keyClick(window, key, CONTROL | Qt.KeyboardModifier.AltModifier)
        [dialog] = window.findChildren(NewHandler)
        assert isinstance(dialog, NewHandler)
        for row in range(dialog.list.count()):
            dialog.list.setCurrentRow(row)
        dialog.name.setText("class")
        dialog.reject()
        window.editors.history.undo()
        assert missing == set()
    finally:
        language.choose("en")
