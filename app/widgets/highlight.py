"""Colours for code, by Pygments, a moment after the last key."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import Any

from pygments.lexer import Lexer
from pygments.lexers import HtmlDjangoLexer, JsonLexer, PythonLexer, TOMLLexer
from pygments.token import Comment, Keyword, Literal, Name, Number, Operator, String, Token
from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QFont, QTextBlock, QTextCharFormat, QTextDocument, QTextLayout

from .theme import Theme
from .utf16 import utf16_length

LEXERS: dict[str, type[Lexer]] = {
    "py": PythonLexer,
    "html": HtmlDjangoLexer,
    "json": JsonLexer,
    "toml": TOMLLexer,
}
_COLOURS: tuple[tuple[Any, str, int], ...] = (
    (Comment.Preproc, "hue2", 0),
    (Comment, "faint", 1),
    (String.Doc, "dim", 1),
    (Keyword, "hue2", 0),
    (Operator.Word, "hue2", 0),
    (Name.Tag, "hue0", 0),
    (Name.Attribute, "hue6", 0),
    (Name.Decorator, "hue1", 0),
    (Name.Function, "hue0", 0),
    (Name.Class, "hue5", 0),
    (Name.Builtin, "hue6", 0),
    (Name.Exception, "hue4", 0),
    (Name.Variable, "hue1", 0),
    (String, "hue3", 0),
    (Number, "hue1", 0),
    (Literal, "hue3", 0),
)
LONGEST = 1_000_000
"""`Highlighter.longest`, unless told otherwise."""
LONGEST_WHOLE = 30_000
"""The same for templates, which Pygments reads in one piece."""
_MOST_PIECES = 2_000
"""How many pieces of a line are coloured: Qt takes long for lines with more."""
_SLICE_S = 0.006
"""For how long colours are worked out before others have their turn, in s."""
_BRACES = {"{": 1, "}": -1}
_SAFE, _INSIDE, _DIRTY = 1, 2, -1
"""What is known of a line that is coloured: whether it begins outside of any string."""


class Highlighter(QObject):
    """Colours a document. *kind* is the ending of its file's name.

    After an edit, Python is read from a line before it that is in no string, and only until a
    line that begins as it did. All this is done in slices, so that a long file holds nobody up.
    """

    def __init__(self, document: QTextDocument, kind: str, theme: Theme) -> None:
        super().__init__(document)
        self._document = document
        self._theme = theme
        self._lexer = LEXERS[kind](stripnl=False, ensurenl=False) if kind in LEXERS else None
        self._has_safe_lines = kind == "py"
        self.longest = LONGEST_WHOLE if kind == "html" else LONGEST
        """Documents with more characters stay uncoloured."""
        self._formats: dict[Any, QTextCharFormat | None] = {}
        self._work: Iterator[None] | None = None
        self._wait = QTimer(self, singleShot=True, interval=60)
        self._wait.timeout.connect(self._begin)
        self._next = QTimer(self, singleShot=True, interval=1)
        self._next.timeout.connect(self._go_on)
        document.contentsChange.connect(self._changed)
        theme.changed.connect(self._restyle)
        self._wait.start()

    def _changed(self, position: int, removed: int, added: int) -> None:
        block = self._document.findBlock(position)
        end = position + added
        while block.isValid() and block.position() <= end:
            if block.userState() != _DIRTY:
                block.setUserState(_DIRTY)
            block = block.next()
        self._work = None
        self._wait.start()

    def _restyle(self) -> None:
        self._formats.clear()
        self._changed(0, 0, self._document.characterCount())

    def now(self) -> None:
        """Colour the document at once."""
        self._begin()
        for _ in self._work or ():
            pass
        self._work = None

    def _begin(self) -> None:
        if self._lexer is not None and self._document.characterCount() <= self.longest:
            self._work = self._colour_all()
            self._go_on()

    def _go_on(self) -> None:
        """Work for one slice."""
        if self._work is None:
            return
        end = time.perf_counter() + _SLICE_S
        for _ in self._work:
            if time.perf_counter() > end:
                self._next.start()
                return
        self._work = None

    def _colour_all(self) -> Iterator[None]:
        """Colour all lines that are not; give others a turn at each ``yield``."""
        block = self._document.begin()
        while block.isValid():
            if block.userState() in (_SAFE, _INSIDE):
                block = block.next()
                continue
            while block.previous().isValid() and block.userState() != _SAFE:
                block = block.previous()
            block = yield from self._colour_from(block)

    def _colour_from(self, block: QTextBlock) -> Generator[None, None, QTextBlock]:
        """Colour from a line on, until one that is known; return the line after the last."""
        assert self._lexer is not None
        text = self._document.toRawText()[block.position() :].replace("\u2029", "\n")
        state, ranges, column = _SAFE, list[QTextLayout.FormatRange](), 0
        before, braces = Token.Text, 0
        for token, words in self._lexer.get_tokens(text):
            style = self._format(token)
            braces += _BRACES.get(words, 0) if token in String.Interpol else 0
            for at, part in enumerate(words.split("\n")):
                if at:
                    self._finish(block, state, ranges)
                    block, ranges, column = block.next(), [], 0
                    # After a keyword such as ``class`` Pygments waits for a name.
                    is_open = braces or token in String or before in Keyword
                    is_safe = self._has_safe_lines and not is_open
                    state = _SAFE if is_safe else _INSIDE
                    if is_safe and block.userState() == _SAFE:
                        return block
                length = utf16_length(part)
                if style is not None and length and len(ranges) < _MOST_PIECES:
                    piece = QTextLayout.FormatRange()
                    piece.start, piece.length, piece.format = column, length, style
                    ranges.append(piece)
                column += length
            if words.strip():
                before = token
            yield
        self._finish(block, state, ranges)
        return block.next()

    def _finish(self, block: QTextBlock, state: int, ranges: list[QTextLayout.FormatRange]) -> None:
        block.layout().setFormats(ranges)
        block.setUserState(state)
        self._document.markContentsDirty(block.position(), block.length())

    def _format(self, token: Any) -> QTextCharFormat | None:
        if token not in self._formats:
            self._formats[token] = self._make(token)
        return self._formats[token]

    def _make(self, token: Any) -> QTextCharFormat | None:
        if token is Token.Text:
            return None
        for kind, colour, slanted in _COLOURS:
            if token in kind:
                style = QTextCharFormat()
                theme = self._theme
                is_hue = colour.startswith("hue")
                style.setForeground(
                    theme.hue(int(colour[3:]) + 1) if is_hue else theme.colour(colour)
                )
                style.setFontItalic(bool(slanted))
                style.setFontWeight(QFont.Weight.Normal)
                return style
        return None
