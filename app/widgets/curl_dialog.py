"""Takes in a cURL command, and shows where it cannot be understood."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.exchange.command import CommandError
from app.exchange.curl_import import Imported, read

from .i18n import tr
from .parts import label, set_property
from .theme import Theme
from .utf16 import utf16_length


def looks_like_curl(text: str) -> bool:
    """Tell whether a text may be a cURL command."""
    words = text.removeprefix("$").split(None, 1)
    first = words[0].lower() if len(words) == 2 else ""
    return first in ("curl", "curl.exe") or text.startswith("printf ")


def problem_words(error: CommandError) -> str:
    """Return what is wrong with a command, and where."""
    where = tr("Line {line}, column {column}", line=error.line, column=error.column)
    return f"{where}: {tr(error.template, **error.values)}"


class CurlDialog(QDialog):
    """A place to paste a command; what is wrong with it is told as it is typed."""

    imported = Signal(Imported)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setWindowTitle(tr("Import cURL"))
        self.setMinimumSize(theme.px(620), theme.px(320))
        self.text = QPlainTextEdit()
        self.text.setProperty("mono", True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(tr("cURL command"))
        self.text.setPlaceholderText("curl 'http://127.0.0.1:8888/login' --data-raw 'name=alice'")
        self.problem = label("", "dim")
        self.problem.setWordWrap(True)
        self.take = QPushButton(tr("Import"))
        self.take.setToolTip(tr("Put the request into the form of the clients"))
        self.take.setProperty("primary", True)
        self.take.setDefault(True)
        self.back = QPushButton(tr("Cancel"))
        self.back.setAutoDefault(False)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.back)
        buttons.addWidget(self.take)
        hint = tr(
            "As browsers copy it, for bash or for Windows. Nothing is run and no file is read."
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 14)
        layout.setSpacing(10)
        layout.addWidget(label(tr("Import cURL"), "verdict"))
        layout.addWidget(label(hint, "dim"))
        layout.addWidget(self.text, 1)
        layout.addWidget(self.problem)
        layout.addLayout(buttons)
        self.text.textChanged.connect(self._check)
        self.take.clicked.connect(self._take)
        self.back.clicked.connect(self.reject)
        self.finished.connect(self.deleteLater)
        copied = QGuiApplication.clipboard().text()
        if looks_like_curl(copied):
            self.text.setPlainText(copied)
        self._check()

    def _check(self) -> Imported | None:
        """Show what the command comes to, or where it is wrong."""
        text = self.text.toPlainText()
        found, error = None, None
        try:
            found = read(text)
        except CommandError as caught:
            error = caught
        if found is not None:
            self.problem.setText(f"{found.request.method} {found.request.url}"[:300])
        elif error is not None and text.strip():
            self.problem.setText(problem_words(error))
        else:
            self.problem.setText("")
        wrong = bool(error and text.strip())
        set_property(self.problem, "role", "error" if wrong else "dim")
        set_property(self.text, "state", "error" if wrong else "")
        self._mark(error.at if error is not None and wrong else None)
        self.take.setEnabled(found is not None)
        return found

    def _mark(self, at: int | None) -> None:
        """Underline the word at which the command cannot be understood."""
        marks: list[QTextEdit.ExtraSelection] = []
        if at is not None:
            mark = QTextEdit.ExtraSelection()
            text = self.text.toPlainText()
            word = "" if text[at : at + 1].isspace() else "".join(text[at:].split(None, 1)[:1])
            cursor = QTextCursor(self.text.document())
            cursor.setPosition(utf16_length(text[:at]))
            cursor.movePosition(
                QTextCursor.MoveOperation.NextCharacter,
                QTextCursor.MoveMode.KeepAnchor,
                max(1, utf16_length(word)),
            )
            mark.cursor = cursor
            mark.format.setUnderlineColor(self._theme.colours.error)
            mark.format.setUnderlineStyle(mark.format.UnderlineStyle.WaveUnderline)
            marks.append(mark)
        self.text.setExtraSelections(marks)

    def _take(self) -> None:
        found = self._check()
        if found is not None:
            self.imported.emit(found)
            self.accept()
