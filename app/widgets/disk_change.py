"""Asks what to do when somebody else changed files of the open project."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from .difference_view import MarkHighlighter
from .i18n import language, tr
from .parts import label
from .project_controls import FileChange
from .theme import Theme

_MOST_LINES = 4_000
_LONGEST = 2_000


class DiskChangeDialog(QDialog):
    """Shows how files on the disk differ from those in the editors, until one side is chosen.

    Closed without a choice, nothing is lost: it asks again before anything is saved.
    """

    keep_mine = Signal()
    take_theirs = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._changes: Sequence[FileChange] = ()
        self.heading, self.text = label("", "verdict"), label("", "dim")
        self.text.setWordWrap(True)
        self.view = QPlainTextEdit()
        self.view.setReadOnly(True)
        self.view.setTabChangesFocus(True)
        self.view.setProperty("mono", True)
        self.view.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._highlighter = MarkHighlighter(self.view.document(), theme)
        theme.changed.connect(self._highlighter.rehighlight)
        self.mine, self.theirs, self.later = QPushButton(), QPushButton(), QPushButton()
        self.mine.setProperty("primary", True)
        self.mine.clicked.connect(self._keep)
        self.theirs.clicked.connect(self._take)
        self.later.clicked.connect(self.reject)
        for keys, button in (("Alt+M", self.mine), ("Alt+T", self.theirs)):
            QShortcut(QKeySequence(keys), self).activated.connect(button.click)
        buttons = QHBoxLayout()
        buttons.addWidget(self.later)
        buttons.addStretch(1)
        buttons.addWidget(self.theirs)
        buttons.addWidget(self.mine)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        for widget in (self.heading, self.text, self.view):
            layout.addWidget(widget)
        layout.addLayout(buttons)
        language.changed.connect(self.retranslate)
        self.retranslate()
        self.resize(theme.px(820), theme.px(560))
        self.mine.setFocus()

    def show_changes(self, changes: Sequence[FileChange]) -> None:
        """Show how *changes* differ."""
        self._changes = changes
        self.retranslate()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setWindowTitle(tr("Changed on the disk"))
        names = ", ".join(change.name for change in self._changes)
        self.heading.setText(tr("Somebody else changed files of this project"))
        self.text.setText(
            tr("{names}. Lines with + are yours, those with − are on the disk.", names=names)
        )
        self.view.setAccessibleName(tr("Difference"))
        self.view.setPlainText("\n".join(self._difference()))
        for button, name, tip in (
            (
                self.mine,
                "Keep mine",
                "Nothing is written now; saving will write over theirs (Alt+M)",
            ),
            (self.theirs, "Take theirs", "Run their files, and forget mine of them (Alt+T)"),
            (self.later, "Later", "Decide before the next save (Esc)"),
        ):
            button.setText(tr(name))
            button.setToolTip(tr(tip))
            button.setAutoDefault(False)

    def _difference(self) -> list[str]:
        lines: list[str] = []
        for change in self._changes:
            lines += [f"@ {change.name}", *_lines(change), ""]
        return [line[:_LONGEST] for line in lines[:_MOST_LINES]]

    def _keep(self) -> None:
        self.accept()
        self.keep_mine.emit()

    def _take(self) -> None:
        self.accept()
        self.take_theirs.emit()


def _lines(change: FileChange) -> Iterator[str]:
    if change.theirs is None:
        yield f"- {tr('This file is gone from the disk.')}"
    if change.mine is None:
        yield f"+ {tr('There is no such file here.')}"
    theirs, mine = (change.theirs or "").splitlines(), (change.mine or "").splitlines()
    yield from list(difflib.unified_diff(theirs, mine, lineterm="", n=3))[2:]
