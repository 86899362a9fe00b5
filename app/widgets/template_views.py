"""What becomes of a template: its generated Python, its output, and how that looks."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QMouseEvent,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtWidgets import QTextBrowser, QTextEdit

from app.server.templates.facts import EXPRESSION, CodeLine, Preview

from .code_editor import CodeEditor
from .theme import Theme

Range = tuple[int, int]
"""From which position to before which."""
_WIDEST = 2_000
"""How much of a line of Python is shown."""
_LONG_LINE = re.compile(r"[^\n]{20000}")
"""A line that takes long to lay out: the output is shown up to there."""
_LONGEST_PAGE = 50_000
"""How many characters of HTML are shown as a page."""
_MOST = 1_000
"""How many parts are marked at most."""


class Marks:
    """Marks lines and parts of an editor's text, besides what the editor marks itself."""

    def __init__(self, editor: CodeEditor, theme: Theme) -> None:
        self._editor, self._theme = editor, theme
        self._lines: list[int] = []
        self._parts: list[tuple[Range, str]] = []
        self._linked: list[Range] = []
        editor.cursorPositionChanged.connect(self.apply)
        theme.changed.connect(self.apply)

    def link(self, lines: Sequence[int], parts: Iterable[Range] = ()) -> None:
        """Mark what belongs to the line chosen elsewhere, and bring the first of it into view."""
        self._lines, self._linked = list(lines), _joined(parts)[:_MOST]
        self.apply()
        document = self._editor.document()
        first = min(self._lines, default=0)
        if self._linked:
            first = document.findBlock(min(self._linked)[0]).blockNumber() + 1
        bar = self._editor.verticalScrollBar()
        if first and not bar.value() < first <= bar.value() + bar.pageStep():
            bar.setValue(max(first - 1 - bar.pageStep() // 3, 0))

    @property
    def lines(self) -> list[int]:
        """The lines that are marked, counted from 1."""
        return self._lines

    @property
    def linked(self) -> list[Range]:
        """The parts that are marked."""
        return self._linked

    def show(self, parts: Iterable[tuple[Range, str]]) -> None:
        """Mark parts with the colours of those names, until others are shown."""
        self._parts = list(parts)[:_MOST]
        self.apply()

    def apply(self) -> None:
        """Mark everything again, after the editor has set its own marks."""
        own = [s for s in self._editor.extraSelections() if not s.format.property(_OURS)]
        colours = self._theme.colours
        found = [self._line(number, colours.accent) for number in self._lines]
        found += [self._part(part, self._theme.colour(name), 50) for part, name in self._parts]
        found += [self._part(part, colours.accent, 70) for part in self._linked]
        self._editor.setExtraSelections([*own, *found])

    def _line(self, number: int, colour: QColor) -> QTextEdit.ExtraSelection:
        block = self._editor.document().findBlockByNumber(number - 1)
        mark = self._mark(QTextCursor(block), colour, 48)
        mark.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
        return mark

    def _part(self, part: Range, colour: QColor, alpha: int) -> QTextEdit.ExtraSelection:
        cursor = QTextCursor(self._editor.document())
        last = self._editor.document().characterCount() - 1
        cursor.setPosition(min(part[0], last))
        cursor.setPosition(min(part[1], last), QTextCursor.MoveMode.KeepAnchor)
        return self._mark(cursor, colour, alpha)

    def _mark(self, cursor: QTextCursor, colour: QColor, alpha: int) -> QTextEdit.ExtraSelection:
        faint = QColor(colour)
        faint.setAlpha(alpha)
        mark = QTextEdit.ExtraSelection()
        mark.format.setBackground(faint)
        mark.format.setProperty(_OURS, True)
        mark.cursor = cursor
        return mark


_OURS = int(QTextFormat.Property.UserProperty) + 1


def _joined(parts: Iterable[Range]) -> list[Range]:
    """Return *parts* in order, with those that touch made one."""
    joined: list[Range] = []
    for start, end in sorted(parts):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


class LinkedView(CodeEditor):
    """Text to read; `chosen` says in which line the user is."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, kind: str) -> None:
        super().__init__(theme, kind)
        self.setReadOnly(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.marks = Marks(self, theme)
        self.cursorPositionChanged.connect(self._moved)

    def set_text(self, text: str) -> None:
        """Show *text* as far as it can be laid out quickly; the place in view stays."""
        long = _LONG_LINE.search(text)
        text = text if long is None else text[: long.end()] + " …"
        if text != self.text():
            at = self.verticalScrollBar().value()
            self.setPlainText(text)
            self.verticalScrollBar().setValue(at)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        self._moved()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._moved()

    def _moved(self) -> None:
        if self.window().focusWidget() is self:
            self.chosen.emit(self.textCursor().blockNumber() + 1)


class PageView(QTextBrowser):
    """How the output looks, roughly: Qt runs no scripts, and nothing is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("bare", True)
        self.setOpenLinks(False)

    def show_page(self, html: str) -> None:
        """Show the beginning of a page."""
        self.setHtml(html[:_LONGEST_PAGE])

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Fetch nothing: neither from the net nor from the disk. Pictures are empty."""
        nothing = QImage(1, 1, QImage.Format.Format_ARGB32)
        nothing.fill(Qt.GlobalColor.transparent)
        return nothing if kind == QTextDocument.ResourceType.ImageResource.value else None


def code_text(code: Sequence[CodeLine]) -> str:
    """Return generated Python with the origin of each line behind it, as Tornado writes it."""
    lines = (
        line.text if len(line.text) <= _WIDEST else f"{line.text[:_WIDEST]} …" for line in code
    )
    return "\n".join(
        f"{text}  # {line.file}:{line.line}" if line.file else text
        for text, line in zip(lines, code, strict=True)
    )


def raw_parts(preview: Preview) -> list[Range]:
    """Return the parts of the output that nothing has escaped."""
    code = preview.analysis.code
    raw = {n for n, line in enumerate(code, 1) if line.kind == EXPRESSION and not line.escape}
    return [(span.start, span.end) for span in preview.spans if span.code_line in raw]


def raw_places(text: str, name: str, code: Sequence[CodeLine]) -> list[Range]:
    """Return where in template *name* an expression stands that nothing escapes."""
    lines = text.split("\n")
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    found = []
    for line in code:
        given, _, expression = line.text.partition("_tt_tmp = ")
        mine = line.kind == EXPRESSION and not line.escape and line.file == name
        if not mine or given.strip() or not expression or line.line > len(lines):
            continue
        at = lines[line.line - 1].find(expression)
        if at >= 0:
            start = starts[line.line - 1] + at
            found.append((start, start + len(expression)))
    return found


def units(text: str, parts: Iterable[Range]) -> list[Range]:
    """Return *parts* of *text* in positions as Qt counts them: in UTF-16 units."""
    found = list(parts)
    if text.isascii() or max(text, default="") < "\U00010000":
        return found
    wide = [at for at, char in enumerate(text) if char > "\uffff"]
    return [
        (start + bisect_left(wide, start), end + bisect_left(wide, end)) for start, end in found
    ]
