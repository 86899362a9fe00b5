"""Typing, colours and problems in the code editor."""

from __future__ import annotations

from random import Random

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage, QTextCursor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.widgets.code_editor import CodeEditor
from app.widgets.theme import Theme

from ..speed import cost

KEY = Qt.Key


@pytest.fixture
def editor(qapp: QApplication, qtbot: QtBot) -> CodeEditor:
    """A shown editor for Python."""
    theme = Theme()
    editor = CodeEditor(theme, "py")
    qtbot.addWidget(editor)
    editor.resize(500, 300)
    editor.show()
    return editor


def test_a_new_line_keeps_the_indentation_and_a_colon_adds_to_it(
    editor: CodeEditor, qtbot: QtBot
) -> None:
    qtbot.keyClicks(editor, "def f():")
    qtbot.keyClick(editor, KEY.Key_Return)
    qtbot.keyClicks(editor, "a = 1")
    qtbot.keyClick(editor, KEY.Key_Return)
    qtbot.keyClicks(editor, "b")
    assert editor.toPlainText() == "def f():\n    a = 1\n    b"


def test_tab_is_four_spaces_and_indents_what_is_selected(editor: CodeEditor, qtbot: QtBot) -> None:
    editor.setPlainText("a\nb\nc")
    editor.selectAll()
    qtbot.keyClick(editor, KEY.Key_Tab)
    assert editor.toPlainText() == "    a\n    b\n    c"
    editor.undo()
    assert editor.toPlainText() == "a\nb\nc"
    editor.redo()
    editor.selectAll()
    qtbot.keyClick(editor, KEY.Key_Backtab)
    assert editor.toPlainText() == "a\nb\nc"
    editor.moveCursor(QTextCursor.MoveOperation.End)
    qtbot.keyClick(editor, KEY.Key_Tab)
    assert editor.toPlainText() == "a\nb\nc   "


def test_control_return_asks_to_apply_and_types_nothing(editor: CodeEditor, qtbot: QtBot) -> None:
    with qtbot.waitSignal(editor.apply_wanted):
        qtbot.keyClick(editor, KEY.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert editor.toPlainText() == ""


def test_problems_stand_at_their_lines_and_move_with_the_text(
    editor: CodeEditor, qtbot: QtBot
) -> None:
    editor.setPlainText("a\nb\nc\nd")
    editor.show_problems([(3, "wrong"), (0, "first"), (99, "last")])
    assert editor.problem_at(3) == "wrong"
    assert editor.problem_at(1) == "first"
    assert editor.problem_at(4) == "last"
    editor.grab()
    cursor = QTextCursor(editor.document())
    cursor.insertText("\n")
    assert editor.problem_at(4) == "wrong"
    editor.show_problems([])
    assert editor.problem_at(4) == ""


def colours_of(editor: CodeEditor, line: int) -> list[tuple[int, int, str]]:
    """Return (start, length, colour) of the coloured parts of a line."""
    formats = editor.document().findBlockByNumber(line).layout().formats()
    return [(f.start, f.length, f.format.foreground().color().name()) for f in formats]


def test_colours_span_lines_and_count_characters_as_qt_does(editor: CodeEditor) -> None:
    editor.setPlainText('x = """one\ntwo"""\n# 🌪 storm\ny = "🌪" # end')
    editor.highlighter.now()
    parts = colours_of(editor, 1)
    assert sum(length for _, length, _ in parts) == 6
    assert len({colour for _, _, colour in parts}) == 1
    start, length, _ = colours_of(editor, 3)[-1]
    assert editor.document().findBlockByNumber(3).text().encode("utf-16-le")[
        2 * start : 2 * (start + length)
    ] == "# end".encode("utf-16-le")


PIECES = (
    "x = 1",
    '"',
    '"""',
    "'''",
    "\n",
    "# end\n",
    "def f(a):\n    return 'b'\n",
    "class",
    "f'''{",
)


def test_colours_after_edits_are_those_of_a_fresh_look(editor: CodeEditor, qtbot: QtBot) -> None:
    random = Random(5)
    editor.setPlainText('import os\n\n\nclass A:\n    """doc\n    more\n    """\n' * 12)
    fresh = CodeEditor(editor.theme, "py")
    qtbot.addWidget(fresh)
    editor.highlighter.now()
    for _ in range(60):
        cursor = QTextCursor(editor.document())
        cursor.setPosition(random.randrange(editor.document().characterCount()))
        way = QTextCursor.MoveOperation.Right
        cursor.movePosition(way, QTextCursor.MoveMode.KeepAnchor, random.randrange(20))
        cursor.insertText(random.choice(PIECES))
        editor.highlighter.now()
        fresh.setPlainText(editor.text())
        fresh.highlighter.now()
        for line in range(editor.blockCount()):
            assert colours_of(editor, line) == colours_of(fresh, line)


@pytest.mark.parametrize(
    "text", ["x = 1\n" * 10_000, "y = " + "-" * 50_000, "x = " + "[1]," * 9_000]
)
def test_a_long_file_is_coloured_without_a_pause(editor: CodeEditor, text: str) -> None:
    editor.setPlainText(f"{text}\n# end")
    turns = [0.0]
    while not colours_of(editor, editor.blockCount() - 1):
        turns.append(cost(QApplication.processEvents))
    assert max(turns) < sum(turns) / 4


def test_colouring_does_not_modify_the_document(editor: CodeEditor, qtbot: QtBot) -> None:
    editor.setPlainText("import os\n")
    editor.document().setModified(False)
    editor.highlighter.now()
    qtbot.wait(150)  # It begins anew after a while.
    qtbot.waitUntil(lambda: bool(colours_of(editor, 0)))
    assert not editor.document().isModified()
    assert not editor.document().isUndoAvailable()


@pytest.mark.parametrize(
    "text", ["\x00", "\u2028a\u2029b", "{% if", "🌪" * 1000, "a" * 50_000, "\r\n\r\n", '"""' * 99]
)
def test_odd_texts_do_no_harm(editor: CodeEditor, text: str) -> None:
    editor.setPlainText(text)
    editor.highlighter.now()
    editor.show_problems([(1, text[:50])])
    editor.grab()


def test_the_editor_zooms_with_the_theme(editor: CodeEditor, qapp: QApplication) -> None:
    theme = editor._theme
    before = editor.gutter_width(), editor.fontMetrics().height()
    theme.set_zoom(2.0)
    assert editor.gutter_width() > before[0]
    assert editor.fontMetrics().height() > before[1]
    theme.set_zoom(1.0)


@pytest.mark.parametrize("width", [230, 330, 500])
def test_what_is_wrong_with_a_line_is_never_written_over_it(editor: CodeEditor, width: int) -> None:
    editor.resize(width, 300)
    editor.setPlainText("{% if x %}" + "x" * 10)
    end = editor.fontMetrics().horizontalAdvance(editor.toPlainText()) + 8

    def line() -> QImage:
        return editor.viewport().grab(QRect(0, 0, end, 40)).toImage()

    editor.show_problems([(1, "")])
    short = line()
    editor.show_problems([(1, "Missing {% end %} block for if, which begins here")])
    assert line() == short
