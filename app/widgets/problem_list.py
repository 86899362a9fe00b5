"""What is wrong in a file, as a list below its editor."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from .code_editor import CodeEditor
from .i18n import tr
from .theme import ROW, Theme

_MOST_ROWS = 4


class ProblemList(QListWidget):
    """Each row is a place: a click or Return goes there."""

    def __init__(self, editor: CodeEditor, theme: Theme) -> None:
        super().__init__()
        self._editor = editor
        self._theme = theme
        self.itemClicked.connect(lambda _: self.go())
        self.itemActivated.connect(lambda _: self.go())
        theme.changed.connect(self.refresh)
        self.setViewportMargins(10, 0, 0, 0)
        self.hide()

    def refresh(self) -> None:
        """Show what is wrong in the editor."""
        self.clear()
        problems = self._editor.problems()
        for mark in problems:
            place = f"{mark.line}:{mark.column}" if mark.column else str(mark.line)
            item = QListWidgetItem(f"✗ {place}   {mark.text}")
            item.setForeground(self._theme.colours.error)
            item.setToolTip(mark.text)
            item.setSizeHint(QSize(10, self._theme.px(ROW)))
            self.addItem(item)
        self.setFixedHeight(min(len(problems), _MOST_ROWS) * self._theme.px(ROW) + 2)
        self.setVisible(bool(problems))

    def go(self) -> None:
        """Go to the place of the current row."""
        problems, row = self._editor.problems(), self.currentRow()
        if 0 <= row < len(problems):
            mark = problems[row]
            self._editor.go_to(mark.line, mark.column)
            self._editor.setFocus()

    def go_next(self) -> None:
        """Go to the next place after the cursor, after the last to the first."""
        here = self._editor.textCursor().blockNumber() + 1
        lines = [mark.line for mark in self._editor.problems()]
        if lines:
            row = next((n for n, line in enumerate(lines) if line > here), 0)
            self.setCurrentRow(row)
            self.go()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setAccessibleName(tr("Problems"))
        self.setToolTip(tr("Return goes to the place; Ctrl+. goes on to the next one"))
