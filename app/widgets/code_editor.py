"""A small editor for code: line numbers, colours, problems at their line."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextCursor,
    QTextFormat,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from .highlight import Highlighter
from .theme import SMALL, Theme

INDENT = 4


class _Gutter(QWidget):
    """The line numbers."""

    def __init__(self, editor: CodeEditor) -> None:
        super().__init__(editor)
        self._editor = editor

    def sizeHint(self) -> QSize:
        return QSize(self._editor.gutter_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            self._editor.paint_gutter(painter, event.rect())


class CodeEditor(QPlainTextEdit):
    """Edits one file. *kind* is the ending of its name and chooses the colours."""

    apply_wanted = Signal()
    """Ctrl+Return was pressed."""

    def __init__(self, theme: Theme, kind: str) -> None:
        super().__init__()
        self._theme = theme
        self._gutter = _Gutter(self)
        self._problems: list[tuple[QTextCursor, str]] = []
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

    # -- Problems --------------------------------------------------------------------------

    def show_problems(self, problems: Iterable[tuple[int, str]]) -> None:
        """Mark lines (counted from 1) with what is wrong there; nothing clears the marks.

        Marks move with the text. Line 0 stands for the first.
        """
        self._problems = []
        for line, text in problems:
            block = self.document().findBlockByNumber(max(line, 1) - 1)
            if not block.isValid():
                block = self.document().lastBlock()
            self._problems.append((QTextCursor(block), text))
        self._mark_lines()
        if self._problems:
            self.go_to(self._problems[0][0].blockNumber() + 1)
        self._gutter.update()
        self.viewport().update()

    def problem_at(self, line: int) -> str:
        """Return what is wrong in a line (counted from 1); empty when nothing is."""
        return "; ".join(t for cursor, t in self._problems if cursor.blockNumber() + 1 == line)

    def go_to(self, line: int) -> None:
        """Put the cursor into a line, counted from 1."""
        block = self.document().findBlockByNumber(line - 1)
        if block.isValid():
            self.setTextCursor(QTextCursor(block))
            self.centerCursor()

    def _mark_lines(self) -> None:
        c = self._theme.colours
        here = QColor(c.raised)
        here.setAlpha(150)
        marks = [self._mark(self.textCursor(), here)]
        wrong = QColor(c.error)
        wrong.setAlpha(45)
        marks += [self._mark(cursor, wrong) for cursor, _ in self._problems]
        self.setExtraSelections(marks)

    def _mark(self, cursor: QTextCursor, colour: QColor) -> QTextEdit.ExtraSelection:
        mark = QTextEdit.ExtraSelection()
        mark.format.setBackground(colour)
        mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
        mark.cursor = QTextCursor(cursor)
        mark.cursor.clearSelection()
        return mark

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
        text = f"✗ {self.problem_at(block.blockNumber() + 1)}"
        if room.width() < painter.fontMetrics().horizontalAdvance(text):
            width = painter.fontMetrics().horizontalAdvance(text) + 8
            room.setLeft(max(self.viewport().width() - width, self._theme.px(30)))
            painter.fillRect(room, self._theme.colours.panel)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def _line_area(self, block: QTextBlock) -> QRectF:
        return self.blockBoundingGeometry(block).translated(self.contentOffset())

    # -- Gutter ----------------------------------------------------------------------------

    def gutter_width(self) -> int:
        """Return the width of the line numbers in pixels."""
        digits = max(3, len(str(self.blockCount())))
        return self.fontMetrics().horizontalAdvance("9") * digits + self._theme.px(22)

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

    def paint_gutter(self, painter: QPainter, rect: QRect) -> None:
        """Paint the line numbers within *rect*."""
        c = self._theme.colours
        painter.fillRect(rect, c.panel)
        painter.setFont(self.font())
        wrong = {cursor.blockNumber() for cursor, _ in self._problems}
        here = self.textCursor().blockNumber()
        block = self.firstVisibleBlock()
        width = self._gutter.width() - self._theme.px(12)
        while block.isValid():
            area = self._line_area(block)
            if area.top() > rect.bottom():
                break
            number = block.blockNumber()
            painter.setPen(c.error if number in wrong else c.text if number == here else c.faint)
            text = f"✗ {number + 1}" if number in wrong else str(number + 1)
            painter.drawText(
                QRectF(0, area.top(), width, area.height()),
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                text,
            )
            block = block.next()

    # -- Keys ------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Indent by four spaces, keep the indentation of the line before."""
        key, control = event.key(), event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if control:
                self.apply_wanted.emit()
            else:
                self._new_line()
        elif key == Qt.Key.Key_Tab and not control and not self.isReadOnly():
            self._indent()
        elif key == Qt.Key.Key_Backtab and not self.isReadOnly():
            self._outdent()
        else:
            super().keyPressEvent(event)

    def _new_line(self) -> None:
        if self.isReadOnly():
            return
        cursor = self.textCursor()
        before = cursor.block().text()[: cursor.positionInBlock()]
        indent = before[: len(before) - len(before.lstrip())]
        if before.rstrip().endswith((":", "(", "[", "{")):
            indent += " " * INDENT
        cursor.insertText("\n" + indent)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def _lines(self) -> tuple[QTextBlock, QTextBlock]:
        cursor, document = self.textCursor(), self.document()
        last = document.findBlock(max(cursor.selectionEnd() - 1, cursor.selectionStart()))
        return document.findBlock(cursor.selectionStart()), last

    def _indent(self) -> None:
        cursor = self.textCursor()
        if not cursor.hasSelection():
            cursor.insertText(" " * (INDENT - cursor.positionInBlock() % INDENT))
            return
        first, last = self._lines()
        cursor.beginEditBlock()
        for number in range(first.blockNumber(), last.blockNumber() + 1):
            QTextCursor(self.document().findBlockByNumber(number)).insertText(" " * INDENT)
        cursor.endEditBlock()

    def _outdent(self) -> None:
        first, last = self._lines()
        cursor = self.textCursor()
        cursor.beginEditBlock()
        for number in range(first.blockNumber(), last.blockNumber() + 1):
            block = self.document().findBlockByNumber(number)
            text = block.text()
            spaces = min(len(text) - len(text.lstrip(" ")), INDENT)
            edge = QTextCursor(block)
            edge.movePosition(
                QTextCursor.MoveOperation.Right, QTextCursor.MoveMode.KeepAnchor, spaces
            )
            edge.removeSelectedText()
        cursor.endEditBlock()
