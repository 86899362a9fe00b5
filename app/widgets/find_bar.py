"""Find and replace below an editor."""

from __future__ import annotations

import re
from typing import NamedTuple

from PySide6.QtCore import QRegularExpression, QRegularExpressionMatch, Qt
from PySide6.QtGui import QKeySequence, QShortcut, QTextCursor
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QToolButton, QWidget

from .code_editor import CodeEditor
from .i18n import tr
from .parts import IconButton, label, set_property
from .theme import Theme

_OPTION = QRegularExpression.PatternOption
_ESCAPE = re.compile(r"\\(\d|n|t|\\)")


class Found(NamedTuple):
    """One place: positions in the document, and what stands there when it is replaced."""

    start: int
    end: int
    instead: str


class FindBar(QWidget):
    """Finds in an editor: Return goes on, Shift+Return back, Escape closes.

    Ctrl+F opens it from anywhere in *host*, Ctrl+H with the line for what to put instead.
    """

    def __init__(self, editor: CodeEditor, theme: Theme, host: QWidget) -> None:
        super().__init__()
        self._editor = editor
        self._found: list[Found] = []
        self.field, self.instead = QLineEdit(), QLineEdit()
        for field in (self.field, self.instead):
            field.setProperty("mono", True)
        self.count = label(role="dim")
        self.case = self._toggle("Aa", "Alt+C")
        self.regex = self._toggle(".*", "Alt+X")
        self._icons = (
            IconButton(theme, "up", "Previous", lambda: self.find_next(back=True)),
            IconButton(theme, "down", "Next", self.find_next),
            IconButton(theme, "cross", "Close", self.close_bar),
        )
        self.one, self.all = QPushButton(), QPushButton()
        self.one.clicked.connect(self.replace)
        self.all.clicked.connect(self.replace_all)
        self._lay_out()
        self.field.textChanged.connect(lambda: self._search(jump=True))
        editor.textChanged.connect(self._text_changed)
        self._add_keys(host)
        self.hide()

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(10, 2, 10, 2)
        grid.setSpacing(6)
        grid.addWidget(self.field, 0, 0)
        first = QHBoxLayout()
        for widget in (self.count, self.case, self.regex, *self._icons):
            first.addWidget(widget)
        grid.addLayout(first, 0, 1)
        self._second = QWidget()
        buttons = QHBoxLayout(self._second)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.addWidget(self.one)
        buttons.addWidget(self.all)
        buttons.addStretch(1)
        grid.addWidget(self.instead, 1, 0)
        grid.addWidget(self._second, 1, 1)
        grid.setColumnStretch(0, 1)

    def _toggle(self, text: str, key: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setCheckable(True)
        button.setProperty("flat", True)
        button.setShortcut(QKeySequence(key))
        button.toggled.connect(lambda: self._search(jump=True))
        return button

    def _add_keys(self, host: QWidget) -> None:
        for owner, keys, slot in (
            (host, "Ctrl+F", self.open),
            (host, "Ctrl+H", lambda: self.open(replacing=True)),
            (host, "F3", self.find_next),
            (host, "Shift+F3", lambda: self.find_next(back=True)),
            (self.field, "Return", self.find_next),
            (self.field, "Shift+Return", lambda: self.find_next(back=True)),
            (self.instead, "Return", self.replace),
            (self.instead, "Ctrl+Return", self.replace_all),
            (self, "Escape", self.close_bar),
        ):
            shortcut = QShortcut(QKeySequence(keys), owner)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)

    # -- Opening and closing ---------------------------------------------------------------

    def open(self, *, replacing: bool = False) -> None:
        """Show the bar with what is selected."""
        chosen = self._editor.textCursor().selectedText()
        for widget in (self.instead, self._second):
            widget.setVisible(replacing and not self._editor.isReadOnly())
        self.show()
        if chosen and "\u2029" not in chosen:
            self.field.setText(QRegularExpression.escape(chosen) if self._by_regex else chosen)
        self._search()
        self.field.setFocus()
        self.field.selectAll()

    def close_bar(self) -> None:
        """Hide the bar and go back to the text."""
        self.hide()
        self._found = []
        self._editor.show_found([])
        self._editor.setFocus()

    # -- Finding ---------------------------------------------------------------------------

    @property
    def _by_regex(self) -> bool:
        return self.regex.isChecked()

    def _expression(self) -> QRegularExpression:
        words = self.field.text()
        options = _OPTION.MultilineOption | _OPTION.UseUnicodePropertiesOption
        if not self.case.isChecked():
            options |= _OPTION.CaseInsensitiveOption
        return QRegularExpression(
            words if self._by_regex else QRegularExpression.escape(words), options
        )

    def _search(self, *, jump: bool = False) -> None:
        """Find all places; *jump* selects the first one from where the cursor is."""
        expression = self._expression()
        self._found = []
        valid = expression.isValid()
        set_property(self.field, "state", "" if valid else "error")
        if valid and self.field.text():
            places = expression.globalMatch(self._editor.text())
            while places.hasNext():
                match = places.next()
                if match.capturedLength():
                    self._found.append(
                        Found(match.capturedStart(), match.capturedEnd(), self._replacement(match))
                    )
        self._editor.show_found([(place.start, place.end) for place in self._found])
        if jump and self._found:
            self._select(self._at_or_after(self._editor.textCursor().selectionStart()))
        self._say(expression)

    def _text_changed(self) -> None:
        if self.isVisible():
            self._search()

    def _replacement(self, match: QRegularExpressionMatch) -> str:
        """Return what to put in place of *match*: ``\\1``, ``\\n`` stand for something in it."""
        if not self._by_regex:
            return self.instead.text()
        known = {"n": "\n", "t": "\t", "\\": "\\"}
        return _ESCAPE.sub(
            lambda one: known[one[1]] if one[1] in known else match.captured(int(one[1])),
            self.instead.text(),
        )

    def _at_or_after(self, position: int) -> int:
        places = (n for n, place in enumerate(self._found) if place.start >= position)
        return next(places, 0)

    def find_next(self, *, back: bool = False) -> None:
        """Select the next place, or the one before; after the last comes the first."""
        self._search()
        if not self._found:
            return
        cursor = self._editor.textCursor()
        if back:
            at = self._at_or_after(cursor.selectionStart()) - 1
            if self._found[-1].start < cursor.selectionStart():
                at = len(self._found) - 1
        else:
            at = self._at_or_after(cursor.selectionEnd())
        self._select(at % len(self._found))
        self._say(self._expression())

    def _select(self, at: int) -> None:
        place = self._found[at]
        cursor = self._editor.textCursor()
        cursor.setPosition(place.start)
        cursor.setPosition(place.end, QTextCursor.MoveMode.KeepAnchor)
        self._editor.setTextCursor(cursor)

    def _here(self) -> int:
        """The number of the place that is selected; -1 for none."""
        cursor = self._editor.textCursor()
        here = (cursor.selectionStart(), cursor.selectionEnd())
        return next((n for n, p in enumerate(self._found) if (p.start, p.end) == here), -1)

    def _say(self, expression: QRegularExpression) -> None:
        if not expression.isValid():
            text = tr("not valid")
            self.field.setToolTip(expression.errorString())
        else:
            self.field.setToolTip(tr("Find (Ctrl+F)"))
            here, total = self._here() + 1, len(self._found)
            text = tr("{here} of {total}", here=here, total=total)
            if not here:
                text = tr("{total} found", total=total) if total else tr("not found")
        self.count.setText(text if self.field.text() else "")

    # -- Replacing -------------------------------------------------------------------------

    def replace(self) -> None:
        """Replace the place that is selected and select the next."""
        self._search()
        here = self._here()
        if here >= 0 and not self._editor.isReadOnly():
            self._editor.textCursor().insertText(self._found[here].instead)
        self.find_next()

    def replace_all(self) -> None:
        """Replace every place, as one step for undo."""
        self._search()
        places = self._found
        if not places or self._editor.isReadOnly():
            return
        cursor = QTextCursor(self._editor.document())
        cursor.beginEditBlock()
        for place in reversed(places):
            cursor.setPosition(place.start)
            cursor.setPosition(place.end, QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(place.instead)
        cursor.endEditBlock()
        self.count.setText(tr("{count} replaced", count=len(places)))

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        for field, name in ((self.field, tr("Find")), (self.instead, tr("Replace with"))):
            field.setPlaceholderText(name)
            field.setAccessibleName(name)
        self.instead.setToolTip(
            tr("What to put there. With regular expressions \\1 is the first group, \\n a new line")
        )
        for button, tip in (
            (self.case, tr("Match case (Alt+C)")),
            (self.regex, tr("Regular expression (Alt+X)")),
            (self.one, tr("Replace what is selected and go to the next (Return)")),
            (self.all, tr("Replace every place, as one step for undo (Ctrl+Return)")),
        ):
            button.setToolTip(tip)
            button.setAccessibleName(tip)
        self.one.setText(tr("Replace"))
        self.all.setText(tr("Replace all"))
        for icon in self._icons:
            icon.retranslate()
