"""What is wrong with a template, told at its place."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tornado.template import ParseError

from .directives import OPENING, TOKEN, gives_up_at, place
from .facts import CONTROL, CodeLine

_INDENTS = 99
"""How many levels of indentation Python takes within a template's function."""
_SURROGATE = re.compile("[\ud800-\udfff]")


class TemplateError(ParseError):
    """A template that cannot be made to Python, with the column (from 1, 0 unknown) too."""

    def __init__(self, message: str, filename: str, lineno: int = 0, column: int = 0) -> None:
        super().__init__(message, filename, lineno)
        self.column = column


def told(
    error: Exception, name: str, texts: Mapping[str, str], lines: tuple[CodeLine, ...]
) -> TemplateError:
    """Return what to tell of *error*, for which template *name* of *texts* is refused.

    *lines* are the Python that was made of it, if it came so far.
    """
    text = texts[name]
    if isinstance(error, SyntaxError):
        return _of_python(error, name, texts, lines)
    if isinstance(error, (RecursionError, MemoryError)):
        return TemplateError("is nested too deeply", name, *_deepest(text))
    if isinstance(error, UnicodeEncodeError):
        found = _SURROGATE.search(text)
        at = place(text, found.start()) if found else (0, 0)
        return TemplateError("holds a lone surrogate, which is no character", name, *at)
    message = error.message if isinstance(error, ParseError) else str(error)
    return _of_parser(message, name, text)


def _of_parser(message: str, name: str, text: str) -> TemplateError:
    """Return *message* at the directive at which Tornado's parser gives up."""
    if message.startswith("Missing {% end %}"):
        opened: list[int] = []
        for token in TOKEN.finditer(text):
            if token[1] in OPENING:
                opened.append(token.start())
            elif token[1] == "end" and opened:
                opened.pop()
        if opened:
            return TemplateError(message, name, *place(text, opened[-1]))
    return TemplateError(message, name, *gives_up_at(name, text))


def _nul(text: str) -> int:
    """Return where the first NUL is that a directive holds; in a text there may be some."""
    tokens = TOKEN.finditer(text)
    return next((at.start() + at[0].index("\0") for at in tokens if "\0" in at[0]), 0)


def _deepest(text: str) -> tuple[int, int]:
    """Return where the directive is at which a template gets too deep for Python.

    Where none is, an expression is nested within itself, and that is a long one.
    """
    depth, longest = 0, None
    for token in TOKEN.finditer(text):
        depth += (token[1] in OPENING) - (token[1] == "end")
        if depth == _INDENTS:
            return place(text, token.start())
        if longest is None or len(token[0]) > len(longest[0]):
            longest = token
    return place(text, longest.start()) if longest else (0, 0)


def _of_python(
    error: SyntaxError, name: str, texts: Mapping[str, str], lines: tuple[CodeLine, ...]
) -> TemplateError:
    if "null byte" in error.msg:  # Python does not say where.
        text = texts[name]
        return TemplateError("holds a NUL character", name, *place(text, _nul(text)))
    number = _blamed(lines, error)
    line = next((each for each in lines[number - 1 :: -1] if each.file), None)
    if line is None:
        return TemplateError(error.msg, name)
    column = _column(line, texts[line.file], error if number == error.lineno else None)
    return TemplateError(error.msg, line.file, line.line, column)


def _blamed(lines: tuple[CodeLine, ...], error: SyntaxError) -> int:
    """Return the number of the line of Python that is wrong.

    Python notices only in the line after its block that a ``try`` lacks what it needs.
    """
    number = min(max(error.lineno or 1, 1), len(lines))
    if "'except' or 'finally'" in error.msg:
        depth = _indentation(lines[number - 1].text)
        for at in range(number - 1, 0, -1):
            if lines[at - 1].text[depth:].startswith("try:"):
                return at
    if lines[number - 1].file:
        return number
    # What is wrong in the frame around the template began before, or in its first line.
    after = (at for at in range(number, len(lines)) if lines[at].file)
    before = (at for at in range(number - 1, -1, -1) if lines[at].file)
    return next(before, next(after, 0)) + 1


def _indentation(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _column(line: CodeLine, text: str, error: SyntaxError | None) -> int:
    """Return the column in the template of what is wrong in a line of Python."""
    source = text.split("\n")[line.line - 1]
    code = line.text.strip().removeprefix("_tt_tmp = ").removeprefix("_tt_modules.")
    code = code.removesuffix(":") if line.kind == CONTROL else code
    at = source.find(code)
    if at < 0 or not code:
        return _indentation(source) + 1
    if error is None or not error.offset:
        return at + 1
    within = error.offset - 1 - line.text.index(code)
    return at + 1 + min(max(within, 0), len(code))


def described(error: BaseException) -> str:
    """Return in words what a template raised when it was rendered."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:
        text = ""
    if isinstance(error, ValueError) and text == "subsection not found":
        text += ": UI modules add to <head> and <body>, and the page has no end of them"
    return f"{name}: {text}" if text else name
