"""An editor for code: line numbers, colours, problems at their line and column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from PySide6.QtCore import QMimeData, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextCursor,
)
from PySide6.QtWidgets import QPlainTextEdit

from . import code_keys
from .code_gutter import Gutter
from .code_keys import INDENT
from .code_marks import Mark, found, underlined, whole_line
from .highlight import Highlighter
from .theme import SMALL, Theme
from .utf16 import utf16_length

_KEEP = QTextCursor.MoveMode.KeepAnchor
_HASHES = ("py", "toml")
"""The kinds of file in which # begins a comment."""
_MOST_FOUND = 2_000
"""How many found places are marked."""
_LEAST_NOTE = 48
"""The width below which a note after a line says nothing, in unzoomed pixels."""


class CodeEditor(QPlainTextEdit):
    """Edits one file. *kind* is the ending of its name and chooses the colours."""

    apply_wanted = Signal()
    """Ctrl+Return was pressed."""

    def __init__(self, theme: Theme, kind: str) -> None:
        super().__init__()
        self._theme = theme
        self._kind = kind
        self._gutter = Gutter(self)
        self._problems: list[tuple[QTextCursor, Mark]] = []
        self._found: list[tuple[int, int]] = []
        self.assist: Callable[[QKeyEvent], bool] = lambda event: False
        """Is asked first about every key; true means that it took it."""
        self.setProperty("bare", True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.highlighter = Highlighter(self.document(), kind, theme)
        self.blockCountChanged.connect(lambda _: self._place_gutter())
        self.updateRequest.connect(self._scrolled)
        self.cursorPositionChanged.connect(self._mark_lines)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        font = self._theme.font(mono=True)
        # The style sheet's font wins over setFont, so it is said there.
        families = ", ".join(f'"{family}"' for family in font.families())
        self.setStyleSheet(
            f"CodeEditor {{ font-family: {families}; font-size: {font.pixelSize()}px; }}"
        )
        self.setFont(font)
        self.setTabStopDistance(INDENT * self.fontMetrics().horizontalAdvance(" "))
        self._place_gutter()
        self._mark_lines()

    # -- Text ------------------------------------------------------------------------------

    def text(self) -> str:
        """What is written, with every character as it is.

        ``toPlainText`` would turn no-break spaces into spaces.
        """
        return self.document().toRawText().replace("\u2029", "\n")

    def replace_text(self, text: str) -> None:
        """Make *text* what is written: one step for undo that touches only what differs."""
        old = self.text()
        start = _common(old, text)
        rest = min(len(old), len(text)) - start
        end = min(_common(old[::-1], text[::-1]), rest)
        cursor = QTextCursor(self.document())
        cursor.setPosition(utf16_length(old[:start]))
        cursor.setPosition(utf16_length(old[: len(old) - end]), _KEEP)
        cursor.insertText(text[start : len(text) - end])

    # -- Problems --------------------------------------------------------------------------

    def show_problems(self, problems: Iterable[tuple[int, str] | Mark]) -> None:
        """Mark what is wrong, at its line and its column; nothing clears the marks.

        Marks move with the text.
        """
        self._problems = []
        for mark in problems:
            self._problems.append(self._placed(Mark(*mark)))
        self._mark_lines()
        self._gutter.update()
        self.viewport().update()

    def _placed(self, mark: Mark) -> tuple[QTextCursor, Mark]:
        block = self.document().findBlockByNumber(max(mark.line, 1) - 1)
        if not block.isValid():
            block = self.document().lastBlock()
        cursor = QTextCursor(block)
        if mark.column:
            cursor.setPosition(block.position() + utf16_length(block.text()[: mark.column - 1]))
        return cursor, mark

    def problems(self) -> list[Mark]:
        """What is wrong, each at the line where it stands now."""
        return [mark._replace(line=c.blockNumber() + 1) for c, mark in self._problems]

    def problem_at(self, line: int) -> str:
        """Return what is wrong in a line (counted from 1); empty when nothing is."""
        return "; ".join(mark.text for mark in self.problems() if mark.line == line)

    def go_to(self, line: int, column: int = 0, *, centre: bool = True) -> None:
        """Put the cursor into a line, counted from 1, at a column, when it is not 0."""
        block = self.document().findBlockByNumber(line - 1)
        if not block.isValid():
            return
        cursor = QTextCursor(block)
        before = block.text()[: max(column - 1, 0)]
        cursor.setPosition(block.position() + utf16_length(before))
        self.setTextCursor(cursor)
        if centre:
            self.centerCursor()

    def show_found(self, places: Sequence[tuple[int, int]]) -> None:
        """Mark what a search found: positions of begins and ends."""
        self._found = list(places[:_MOST_FOUND])
        self._mark_lines()

    def _mark_lines(self) -> None:
        c = self._theme.colours
        here = QColor(c.raised)
        here.setAlpha(150)
        marks = [whole_line(self.textCursor(), here)]
        wrong = QColor(c.error)
        wrong.setAlpha(45)
        marks += [whole_line(cursor, wrong) for cursor, _ in self._problems]
        marks += [underlined(cursor, c.error) for cursor, mark in self._problems if mark.column]
        hit = QColor(c.warn)
        hit.setAlpha(80)
        marks += [found(self.document(), *place, hit) for place in self._found]
        self.setExtraSelections(marks)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the text, and after a line's end what is wrong with it."""
        super().paintEvent(event)
        if not self._problems:
            return
        with QPainter(self.viewport()) as painter:
            painter.setFont(self._theme.font(SMALL))
            painter.setPen(self._theme.colours.error)
            for line in {cursor.blockNumber() for cursor, _ in self._problems}:
                self._paint_problem(painter, self.document().findBlockByNumber(line))

    def _paint_problem(self, painter: QPainter, block: QTextBlock) -> None:
        if not block.isValid() or not block.isVisible():
            return
        area = self._line_area(block)
        end = self.fontMetrics().horizontalAdvance(block.text().replace("\t", "    "))
        left = area.left() + end + self._theme.px(24)
        room = QRectF(left, area.top(), self.viewport().width() - left - 8, area.height())
        if room.width() < self._theme.px(_LEAST_NOTE):
            return
        said = f"✗ {self.problem_at(block.blockNumber() + 1)}"
        text = painter.fontMetrics().elidedText(
            said, Qt.TextElideMode.ElideRight, int(room.width())
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def line_at(self, y: float) -> int:
        """Return the line, counted from 1, at a height of the viewport; the last one below it."""
        lines = (number for number, area in self.visible_lines() if area.bottom() >= y)
        return next(lines, self.blockCount())

    def _line_area(self, block: QTextBlock) -> QRectF:
        return self.blockBoundingGeometry(block).translated(self.contentOffset())

    # -- Gutter ----------------------------------------------------------------------------

    @property
    def theme(self) -> Theme:
        """The looks."""
        return self._theme

    def gutter_width(self) -> int:
        """Return the width of the line numbers in pixels."""
        digits = max(3, len(str(self.blockCount())))
        return self.fontMetrics().horizontalAdvance("9") * digits + self._theme.px(22)

    def line_label(self, line: int) -> str:
        """Return what stands before a line, counted from 1."""
        return f"✗ {line}" if self.problem_at(line) else str(line)

    def visible_lines(self) -> Iterator[tuple[int, QRectF]]:
        """Yield the lines in sight, counted from 1, and where they are."""
        block = self.firstVisibleBlock()
        while block.isValid():
            area = self._line_area(block)
            if area.top() > self.viewport().height():
                return
            yield block.blockNumber() + 1, area
            block = block.next()

    def _place_gutter(self) -> None:
        self.setViewportMargins(self.gutter_width(), 0, 0, 0)
        area = self.contentsRect()
        self._gutter.setGeometry(QRect(area.left(), area.top(), self.gutter_width(), area.height()))

    def _scrolled(self, rect: QRect, dy: int) -> None:
        if dy:
            self._gutter.scroll(0, dy)
        else:
            self._gutter.update(0, rect.y(), self._gutter.width(), rect.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_gutter()

    # -- Keys ------------------------------------------------------------------------------

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        # A folder that is dropped here is for the window: it opens a project.
        return not source.hasUrls() and super().canInsertFromMimeData(source)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Indent by four spaces, keep the indentation of the line before."""
        if not self.assist(event):
            self.type_key(event)

    def type_key(self, event: QKeyEvent) -> None:
        """Do what a key does, without asking `assist`."""
        if not self._own_key(event):
            super().keyPressEvent(event)

    def _own_key(self, event: QKeyEvent) -> bool:
        key, control = event.key(), event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if key == Qt.Key.Key_Home and not control:
            shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            code_keys.home(self, _KEEP if shift else QTextCursor.MoveMode.MoveAnchor)
            return True
        if control and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.apply_wanted.emit()
            return True
        if self.isReadOnly():
            return False
        if key == Qt.Key.Key_Backspace and not event.modifiers():
            return code_keys.backspace_to_stop(self)
        if control and key == Qt.Key.Key_Slash and self._kind in _HASHES:
            code_keys.toggle_comment(self)
            return True
        if control or key not in _KEYS:
            return False
        _KEYS[Qt.Key(key)](self)
        return True


_KEYS: dict[Qt.Key, Callable[[QPlainTextEdit], None]] = {
    Qt.Key.Key_Return: code_keys.new_line,
    Qt.Key.Key_Enter: code_keys.new_line,
    Qt.Key.Key_Tab: code_keys.indent,
    Qt.Key.Key_Backtab: code_keys.outdent,
}


def _common(first: str, second: str) -> int:
    """Return how many characters at the beginning are equal."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(first), len(second)))
