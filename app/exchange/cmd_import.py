"""Reads a command as Windows' cmd.exe would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .command import WHY, Command, CommandError, Word


def is_cmd(text: str) -> bool:
    """Tell whether *text* is written for cmd.exe: by its carets."""
    if re.match(r"\s*curl(\.exe)?\s+(-\S+\s+)*\^\"", text, re.IGNORECASE):
        return True
    continued = re.search(r"[ \t]\^\r?\n", text) is not None
    return continued and re.search(r"\\\r?\n|\s\$?'", text) is None


def split_cmd(text: str) -> Command:
    """Return the words of the one command in *text*; raises CommandError for a second one."""
    return Command(list(_Cmd(text).words()))


class _Letter(NamedTuple):
    """What cmd.exe passes on to a program, where it stood, and whether a caret stood before it."""

    text: str
    at: int
    escaped: bool = False


class _Cmd:
    """Reads words as cmd.exe and then the C runtime of a Windows program would."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.letters = list(self._letters())
        self.at = 0

    def _letters(self) -> Iterator[_Letter]:
        text, at, quoted = self.text, 0, False
        while at < len(text):
            letter = text[at]
            if letter == "^" and not quoted:
                # At the end of a line it joins the next one, whose first letter it escapes.
                for skipped in ("^", "\r", "\n", "\r") if text[at + 1 : at + 2] in "\r\n" else "^":
                    at += text.startswith(skipped, at)
                if at < len(text):
                    yield _Letter(text[at], at, True)
            elif letter in "\r\n":
                rest = text[at:].lstrip()
                if rest:
                    reason = "another command begins here: only one can be imported"
                    raise CommandError(reason, text, len(text) - len(rest))
                return
            elif letter in "&|<>" and not quoted:
                raise CommandError(WHY[letter], text, at)
            else:
                quoted ^= letter == '"'
                yield _Letter(letter, at)
            at += 1

    def words(self) -> Iterator[Word]:
        """Yield each word."""
        letters = self.letters
        while self.at < len(letters):
            if letters[self.at].text in " \t":
                self.at += 1
            else:
                yield self._word()

    def _word(self) -> Word:
        """Read on to the next blank outside quotes (the rules of Microsoft's C runtime)."""
        letters, start = self.letters, self.letters[self.at].at
        found, quoted = "", False
        while self.at < len(letters) and (quoted or letters[self.at].text not in " \t"):
            slashes = self._slashes()
            before_quote = self._is_quote()
            found += "\\" * (
                len(slashes) // 2 if before_quote or _doubled(slashes) else len(slashes)
            )
            if not before_quote:
                if not slashes:
                    found += letters[self.at].text
                    self.at += 1
                continue
            self.at += 1
            if len(slashes) % 2:
                found += '"'
            elif quoted and self._is_quote():
                found += '"'
                self.at += 1
            else:
                quoted = not quoted
        if quoted:
            raise CommandError("this quote is not closed", self.text, start)
        return Word(found, start)

    def _slashes(self) -> list[_Letter]:
        start = self.at
        while self.at < len(self.letters) and self.letters[self.at].text == "\\":
            self.at += 1
        return self.letters[start : self.at]

    def _is_quote(self) -> bool:
        return self.at < len(self.letters) and self.letters[self.at].text == '"'


def _doubled(slashes: list[_Letter]) -> bool:
    """Tell whether a browser wrote these backslashes: it doubles each, though none but those
    before a quote need it, and puts a caret before it."""
    return len(slashes) % 2 == 0 and all(letter.escaped for letter in slashes)
