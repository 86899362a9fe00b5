"""The line numbers beside a code editor; a mark where something is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

if TYPE_CHECKING:
    from .code_editor import CodeEditor


class Gutter(QWidget):
    """A click goes to the line; what is wrong there is in the tooltip."""

    def __init__(self, editor: CodeEditor) -> None:
        super().__init__(editor)
        self._editor = editor

    def sizeHint(self) -> QSize:
        return QSize(self._editor.gutter_width(), 0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._editor.go_to(self._editor.line_at(event.position().y()), centre=False)
        self._editor.setFocus()

    def event(self, event: QEvent) -> bool:
        """Say over a marked line what is wrong with it."""
        if isinstance(event, QHelpEvent):
            line = self._editor.line_at(event.pos().y())
            QToolTip.showText(event.globalPos(), self._editor.problem_at(line), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the numbers of the lines in sight."""
        editor = self._editor
        c = editor.theme.colours
        wrong = {mark.line for mark in editor.problems()}
        here = editor.textCursor().blockNumber() + 1
        width = self.width() - editor.theme.px(12)
        sides = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), c.panel)
            painter.setFont(editor.font())
            for number, area in editor.visible_lines():
                marked = number in wrong
                painter.setPen(c.error if marked else c.text if number == here else c.faint)
                room = QRectF(0, area.top(), width, area.height())
                painter.drawText(room, sides, editor.line_label(number))
