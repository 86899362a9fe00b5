"""The difference between two versions of a site: read-only, coloured, with both line numbers."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QTextBlockFormat, QTextCharFormat, QTextCursor

from app.server.difference import CAME, FILE, GAP, GONE, Row, difference

from .code_editor import CodeEditor
from .i18n import tr
from .theme import Theme

_MOST_ROWS = 2_000
"""How many rows are shown: to show more takes long, and nobody reads them."""


class VersionsDifference(CodeEditor):
    """What came is green and has a +, what went is red and has a −; words are marked stronger."""

    open_wanted = Signal()
    """Return: open the file at the line."""

    def __init__(self, theme: Theme) -> None:
        self._rows: list[Row] = []
        self._texts: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {})
        super().__init__(theme, "")
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        theme.changed.connect(self._fill)

    def show_texts(self, old: Mapping[str, str], new: Mapping[str, str]) -> int:
        """Show how *new* differs from *old*; return how many files differ."""
        self._texts = old, new
        self._rows = difference(old, new)
        self._fill()
        return sum(row.kind == FILE for row in self._rows)

    def line_label(self, line: int) -> str:
        if line > min(len(self._rows), _MOST_ROWS):
            return ""
        row = self._rows[line - 1]
        if row.kind in (FILE, GAP):
            return ""
        old, new = (str(number) if number else "" for number in (row.old, row.new))
        sign = {GONE: "−", CAME: "+"}.get(row.kind, " ")
        return f"{old:>4} {new:>4} {sign}"

    def gutter_width(self) -> int:
        return self.fontMetrics().horizontalAdvance("9" * 11) + self.theme.px(22)

    def _mark_lines(self) -> None:
        """The line of the cursor is not marked: the colours say something else here."""

    def _fill(self) -> None:
        self.clear()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        for at, row in enumerate(self._rows[:_MOST_ROWS]):
            if at:
                cursor.insertBlock()
            cursor.setBlockFormat(self._block_format(row))
            self._insert(cursor, row)
        if len(self._rows) > _MOST_ROWS:
            cursor.insertBlock(QTextBlockFormat())
            more = len(self._rows) - _MOST_ROWS
            cursor.insertText(tr("⋯ {count} more lines", count=more), self._plain("dim"))
        if not self._rows:
            cursor.insertText(tr("No difference"), self._plain("dim"))
        cursor.endEditBlock()
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def _insert(self, cursor: QTextCursor, row: Row) -> None:
        if row.kind == FILE:
            text = row.text
            if not row.old or not row.new:
                text += f"   {tr('removed') if row.old else tr('added')}"
            form = self._plain("accent")
            form.setFontWeight(600)
            cursor.insertText(text, form)
            return
        if row.kind == GAP:
            cursor.insertText("⋯", self._plain("faint"))
            return
        at = 0
        strong = self._plain("text")
        strong.setBackground(self._tint(row.kind, 90))
        for start, end in row.spans:
            cursor.insertText(row.text[at:start], self._plain("text"))
            cursor.insertText(row.text[start:end], strong)
            at = end
        cursor.insertText(row.text[at:], self._plain("text"))

    def _plain(self, token: str) -> QTextCharFormat:
        form = QTextCharFormat()
        form.setForeground(self.theme.colour(token))
        return form

    def _tint(self, kind: str, alpha: int) -> QColor:
        colour = QColor(self.theme.colours.ok if kind == CAME else self.theme.colours.error)
        colour.setAlpha(alpha)
        return colour

    def _block_format(self, row: Row) -> QTextBlockFormat:
        form = QTextBlockFormat()
        if row.kind in (CAME, GONE):
            form.setBackground(self._tint(row.kind, 32))
        elif row.kind == FILE:
            form.setBackground(self.theme.colours.raised)
        return form

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_wanted.emit()
        else:
            super().keyPressEvent(event)

    def place(self) -> tuple[str, int]:
        """The file and the line of the new text where the cursor is; an empty name for none."""
        here = self.textCursor().blockNumber()
        name, line = "", 0
        for row in self._rows[: here + 1]:
            if row.kind == FILE:
                name, line = row.text, 1
            line = row.new or line
        return name, line

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setAccessibleName(tr("Difference"))
        self._fill()
