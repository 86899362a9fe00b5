"""Reads a command as bash would."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .command import WHY, Command, CommandError, Word

_RUNS = "this would run another command"
_LOOKS_UP = "this would look up a variable: write out its value"
_ANSI_C = re.compile(r"\$'((?:[^'\\]|\\.)*+)'", re.DOTALL)


def split_bash(text: str) -> Command:
    """Return the words of the one command in *text*.

    Raises CommandError for a second command, and for what a shell would run or look up.
    """
    commands: list[list[Word]] = [[]]
    reader = _Bash(text)
    for word in reader.words():
        if word is not None:
            commands[-1].append(word)
            continue
        commands.append([])
        first = commands[0]
        if len(commands) > 2 or len(first) != 2 or first[0].text != "printf":
            raise reader.error(WHY["|"], reader.at - 1)
    if len(commands) == 1:
        return Command(commands[0])
    return Command(commands[1], _printed(commands[0][1], text))


_PRINTF = re.compile(rb"%%|\\([0-7]{1,3})|\\x([0-9A-Fa-f]{1,2})|\\([abfnrtv\\\"'])|([%\\])")
_LETTERS = {
    b: chr(v).encode() for b, v in zip(b"abfnrtv\\\"'", b"\a\b\f\n\r\t\v\\\"'", strict=True)
}


def _printed(word: Word, text: str) -> bytes:
    def value(match: re.Match[bytes]) -> bytes:
        octal, hexadecimal, letter, wrong = match.groups()
        if wrong:
            raise CommandError("the printf holds more than plain escapes", text, word.at)
        if octal or hexadecimal:
            return bytes([int(octal, 8) & 255 if octal else int(hexadecimal, 16)])
        return _LETTERS[letter[0]] if letter else b"%"

    return _PRINTF.sub(value, word.text.encode("utf-8", "surrogateescape"))


class _Bash:
    """Reads words as bash would, one after the other."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def error(self, reason: str, at: int | None = None) -> CommandError:
        """Return the error for a place."""
        return CommandError(reason, self.text, self.at if at is None else at)

    def words(self) -> Iterator[Word | None]:
        """Yield each word, and None for the pipe between two commands."""
        text = self.text
        ended = False
        while self.at < len(text):
            letter = text[self.at]
            if letter in " \t\r" or text.startswith(("\\\n", "\\\r\n"), self.at):
                self.at += 1 + (letter == "\\") + text.startswith("\\\r", self.at)
            elif letter == "\n" or (letter == ";" and text[self.at :].strip() == ";"):
                self.at += 1
                ended = True
            elif letter == "#":
                end = text.find("\n", self.at)
                self.at = len(text) if end < 0 else end
            elif ended:
                raise self.error("another command begins here: only one can be imported")
            elif letter == "|":
                self.at += 1
                yield None
            else:
                yield self._word()

    def _word(self) -> Word:
        start, text = self.at, self.text
        found = bytearray()
        while self.at < len(text) and text[self.at] not in " \t\r\n":
            letter = text[self.at]
            if letter in WHY:
                if letter == "|" or (letter == ";" and text[self.at :].strip() == ";"):
                    break
                raise self.error(WHY[letter])
            if letter == "'":
                found += self._single()
            elif letter == '"':
                found += self._double()
            elif letter in "$`":
                found += self._dollar()
            elif letter == "\\":
                found += self._escaped()
            else:
                found += _utf8(letter)
                self.at += 1
        return Word(found.decode("utf-8", "surrogateescape"), start)

    def _single(self) -> bytes:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise self.error("this quote is not closed")
        start, self.at = self.at + 1, end + 1
        return _utf8(self.text[start:end])

    def _dollar(self) -> bytes:
        text, at = self.text, self.at
        match = _ANSI_C.match(text, at)
        if match:
            self.at = match.end()
            return _ansi_c_value(match[1])
        if text.startswith("$'", at):
            raise self.error("this quote is not closed")
        if text.startswith('$"', at):
            self.at += 1
            return self._double()
        self._refuse_expansion()
        self.at += 1
        return b"$"

    def _refuse_expansion(self) -> None:
        """Raise for ``$(``, a backtick or a variable at this place."""
        rest = self.text[self.at : self.at + 2]
        if rest[:1] == "`" or rest == "$(":
            raise self.error(_RUNS)
        if re.match(r"\$[\w{*@#?!-]", rest):
            raise self.error(_LOOKS_UP)

    def _escaped(self) -> bytes:
        text, at = self.text, self.at
        if text.startswith("\\\r\n", at):
            self.at += 3
            return b""
        self.at += 2
        return b"" if text[at + 1 : at + 2] == "\n" else _utf8(text[at + 1 : at + 2])

    def _double(self) -> bytes:
        start, text = self.at, self.text
        found = bytearray()
        self.at += 1
        while self.at < len(text) and text[self.at] != '"':
            letter = text[self.at]
            if letter == "\\" and text[self.at + 1 : self.at + 2] in ("$", "`", '"', "\\", "\n"):
                found += self._escaped()
                continue
            if letter in "$`":
                self._refuse_expansion()
            found += _utf8(letter)
            self.at += 1
        if self.at >= len(text):
            raise self.error("this quote is not closed", start)
        self.at += 1
        return bytes(found)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


_ESCAPE = re.compile(
    r"\\(?:([abeEfnrtv\\'\"?])|([0-7]{1,3})|x([0-9A-Fa-f]{1,2})"
    r"|u([dD][89abAB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})"
    r"|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c(.))",
    re.DOTALL,
)
_CONTROLS = dict(zip("abeEfnrtv\\'\"?", "\a\b\x1b\x1b\f\n\r\t\v\\'\"?", strict=True))


def _ansi_c_value(text: str) -> bytes:
    """Return what ``$'…'`` stands for. A NUL stays: it is what whoever wrote it meant."""
    result, last = bytearray(), 0
    for match in _ESCAPE.finditer(text):
        result += _utf8(text[last : match.start()])
        result += _escape_value(match)
        last = match.end()
    return bytes(result + _utf8(text[last:]))


def _escape_value(match: re.Match[str]) -> bytes:
    letter, octal, byte, high, low, four, eight, control = match.groups()
    if letter:
        return _CONTROLS[letter].encode()
    if octal:
        return bytes([int(octal, 8) & 255])
    if byte:
        return bytes([int(byte, 16)])
    if control:
        return bytes([ord(control.upper()) & 31])
    if high:  # Two UTF-16 units, as older browsers write them.
        code = 0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF)
    else:
        code = int(four or eight, 16)
    return chr(code).encode("utf-8", "replace") if code < 0x110000 else b"?"
