"""What keys do to the lines of a code editor: each is one step for undo."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtGui import QTextBlock, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit

INDENT = 4
_KEEP = QTextCursor.MoveMode.KeepAnchor
_LEAVING = ("return", "raise", "pass", "break", "continue")


def new_line(editor: QPlainTextEdit) -> None:
    """Begin a line as deep as the one before; deeper after an opening, less after a ``return``."""
    cursor = editor.textCursor()
    before = cursor.block().text()[: cursor.positionInBlock()]
    indent = before[: len(before) - len(before.lstrip())]
    words = before.split()
    if before.rstrip().endswith((":", "(", "[", "{")):
        indent += " " * INDENT
    elif words and words[0] in _LEAVING and before.count("(") <= before.count(")"):
        indent = indent[:-INDENT]
    cursor.insertText("\n" + indent)
    editor.setTextCursor(cursor)
    editor.ensureCursorVisible()


def indent(editor: QPlainTextEdit) -> None:
    """Insert spaces up to the next stop, or indent all lines of the selection."""
    cursor = editor.textCursor()
    if not cursor.hasSelection():
        cursor.insertText(" " * (INDENT - cursor.positionInBlock() % INDENT))
        return

    def deepen(block: QTextBlock) -> None:
        if block.text().strip():
            QTextCursor(block).insertText(" " * INDENT)

    _each_line(editor, deepen)


def outdent(editor: QPlainTextEdit) -> None:
    """Take one step of indentation from all lines of the selection."""

    def lift(block: QTextBlock) -> None:
        text = block.text()
        spaces = min(len(text) - len(text.lstrip(" ")), INDENT)
        _remove(block, 0, spaces or int(text.startswith("\t")))

    _each_line(editor, lift)


def toggle_comment(editor: QPlainTextEdit) -> None:
    """Put ``# `` before all lines of the selection, or take it away when all have it."""
    lines = [block for block in _lines(editor) if block.text().strip()]
    if not lines:
        return
    depth = min(_depth(block.text()) for block in lines)
    commented = all(block.text().lstrip().startswith("#") for block in lines)

    def change(block: QTextBlock) -> None:
        text = block.text()
        if not text.strip():
            return
        if commented:
            at = _depth(text)
            _remove(block, at, 2 if text[at : at + 2] == "# " else 1)
        else:
            cursor = QTextCursor(block)
            cursor.setPosition(block.position() + depth)
            cursor.insertText("# ")

    _each_line(editor, change)


def backspace_to_stop(editor: QPlainTextEdit) -> bool:
    """Within an indentation, delete back to the last stop; tell whether that was done."""
    cursor = editor.textCursor()
    at = cursor.positionInBlock()
    if cursor.hasSelection() or at < 2 or cursor.block().text()[:at].strip(" "):
        return False
    cursor.movePosition(cursor.MoveOperation.Left, _KEEP, (at - 1) % INDENT + 1)
    cursor.removeSelectedText()
    return True


def home(editor: QPlainTextEdit, mode: QTextCursor.MoveMode) -> None:
    """Go to the first character of the line that is no space; from there to its beginning."""
    cursor = editor.textCursor()
    block = cursor.block()
    depth = _depth(block.text())
    cursor.setPosition(block.position() + (0 if cursor.positionInBlock() == depth else depth), mode)
    editor.setTextCursor(cursor)


def _depth(text: str) -> int:
    return len(text) - len(text.lstrip())


def _lines(editor: QPlainTextEdit) -> Iterator[QTextBlock]:
    """Yield the lines of the selection; one that it only reaches the beginning of is left out."""
    cursor, document = editor.textCursor(), editor.document()
    block = document.findBlock(cursor.selectionStart())
    last = document.findBlock(max(cursor.selectionEnd() - 1, cursor.selectionStart()))
    while block.isValid() and block.blockNumber() <= last.blockNumber():
        yield block
        block = block.next()


def _each_line(editor: QPlainTextEdit, change: Callable[[QTextBlock], None]) -> None:
    cursor = editor.textCursor()
    cursor.beginEditBlock()
    for block in list(_lines(editor)):
        change(block)
    cursor.endEditBlock()


def _remove(block: QTextBlock, at: int, count: int) -> None:
    cursor = QTextCursor(block)
    cursor.setPosition(block.position() + at)
    cursor.setPosition(block.position() + at + count, _KEEP)
    cursor.removeSelectedText()
