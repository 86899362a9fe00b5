"""What is marked in code: whole lines, words and places, each as Qt paints it over the text."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor, QTextDocument, QTextFormat
from PySide6.QtWidgets import QTextEdit

_KEEP = QTextCursor.MoveMode.KeepAnchor


class Mark(NamedTuple):
    """What is wrong in a line, counted from 1; 0 stands for the first. Column 0 is unknown."""

    line: int
    text: str
    column: int = 0


def whole_line(cursor: QTextCursor, colour: QColor) -> QTextEdit.ExtraSelection:
    """Return a mark from edge to edge of the line of *cursor*."""
    mark = QTextEdit.ExtraSelection()
    mark.format.setBackground(colour)
    mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
    mark.cursor = QTextCursor(cursor)
    mark.cursor.clearSelection()
    return mark


def underlined(cursor: QTextCursor, colour: QColor) -> QTextEdit.ExtraSelection:
    """Return a wave below the rest of the word at *cursor*, or below one character."""
    mark = QTextEdit.ExtraSelection()
    mark.format.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
    mark.format.setUnderlineColor(colour)
    mark.cursor = QTextCursor(cursor)
    mark.cursor.movePosition(QTextCursor.MoveOperation.EndOfWord, _KEEP)
    if not mark.cursor.hasSelection():
        way = QTextCursor.MoveOperation
        mark.cursor.movePosition(way.Left if mark.cursor.atBlockEnd() else way.Right, _KEEP)
    return mark


def found(
    document: QTextDocument, start: int, end: int, colour: QColor
) -> QTextEdit.ExtraSelection:
    """Return a mark from one position of *document* to another."""
    mark = QTextEdit.ExtraSelection()
    mark.format.setBackground(colour)
    mark.cursor = QTextCursor(document)
    mark.cursor.setPosition(start)
    mark.cursor.setPosition(end, _KEEP)
    return mark
