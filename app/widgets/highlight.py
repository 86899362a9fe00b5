"""Colours for code, by Pygments: the whole document is lexed, a moment after the last key."""

from __future__ import annotations

from typing import Any

from pygments.lexer import Lexer
from pygments.lexers import HtmlDjangoLexer, JsonLexer, PythonLexer, TOMLLexer
from pygments.token import Comment, Keyword, Literal, Name, Number, Operator, String, Token
from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QFont, QTextCharFormat, QTextDocument, QTextLayout

from .theme import Theme

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
LONGEST = 400_000
"""Documents with more characters stay uncoloured."""


class Highlighter(QObject):
    """Colours a document. *kind* is the ending of its file's name."""

    def __init__(self, document: QTextDocument, kind: str, theme: Theme) -> None:
        super().__init__(document)
        self._document = document
        self._theme = theme
        self._lexer = LEXERS[kind](stripnl=False, ensurenl=False) if kind in LEXERS else None
        self._formats: dict[Any, QTextCharFormat | None] = {}
        self._done = -1
        self._wait = QTimer(self, singleShot=True, interval=60)
        self._wait.timeout.connect(self.now)
        document.contentsChanged.connect(self._changed)
        theme.changed.connect(self._restyle)
        self._wait.start()

    def _changed(self) -> None:
        if self._document.revision() != self._done:
            self._wait.start()

    def _restyle(self) -> None:
        self._formats.clear()
        self._done = -1
        self._wait.start()

    def now(self) -> None:
        """Colour the document at once."""
        if self._lexer is None or self._document.characterCount() > LONGEST:
            return
        lines = self._ranges(self._document.toPlainText())
        block = self._document.begin()
        for ranges in lines:
            if not block.isValid():
                break
            block.layout().setFormats(ranges)
            block = block.next()
        self._done = self._document.revision()
        self._document.markContentsDirty(0, self._document.characterCount())
        self._done = self._document.revision()

    def _ranges(self, text: str) -> list[list[QTextLayout.FormatRange]]:
        lines: list[list[QTextLayout.FormatRange]] = [[]]
        column = 0
        assert self._lexer is not None
        for token, words in self._lexer.get_tokens(text):
            style = self._format(token)
            for at, part in enumerate(words.split("\n")):
                if at:
                    lines.append([])
                    column = 0
                # Qt counts UTF-16 units, Python characters.
                length = len(part) if part.isascii() else len(part.encode("utf-16-le")) // 2
                if style is not None and length:
                    piece = QTextLayout.FormatRange()
                    piece.start, piece.length, piece.format = column, length, style
                    lines[-1].append(piece)
                column += length
        return lines

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
