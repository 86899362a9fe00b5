"""A command that was written for a shell: its words, and why it cannot be read.

Nothing is ever run and nothing is expanded: what a shell would have to run is an error.
"""

from __future__ import annotations

from typing import NamedTuple

from .request import ExchangeError

WHY = {
    "|": "a pipe leads into another command",
    "&": "& ends the command here: put the URL into quotes",
    ";": "; ends the command here: put this into quotes",
    "<": "a redirection would read a file",
    ">": "a redirection would write a file",
    "(": "( begins a subshell: put this into quotes",
    ")": ") ends a subshell: put this into quotes",
}
"""What is wrong with what ends a command, by its letter."""


class CommandError(ExchangeError):
    """A command that cannot be read; `at` is the place in its text, `line` and `column` from 1."""

    def __init__(self, template: str, text: str, at: int, **values: object) -> None:
        super().__init__(template, **values)
        self.at = min(at, len(text))
        self.line = text.count("\n", 0, self.at) + 1
        self.column = self.at - (text.rfind("\n", 0, self.at) + 1) + 1

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {super().__str__()}"


class Word(NamedTuple):
    """One argument and where it begins. Bytes that are not UTF-8 are lone surrogates."""

    text: str
    at: int


class Command(NamedTuple):
    """The words of one command, and what a ``printf`` before it would pipe into it."""

    words: list[Word]
    piped: bytes | None = None
