"""Words of a command line, quoted for bash and for Windows' cmd, and read back.

Nothing is ever run and nothing is expanded: what a shell would have to run is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .request import ExchangeError


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


# -- Writing ---------------------------------------------------------------------------------

_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


def bash(text: str) -> str:
    """Return *text* as one word for bash, ksh and zsh; raises ValueError for a NUL.

    What is not printable, or no UTF-8, stands as ``$'\\xhh'``.
    """
    if "\0" in text:
        raise ExchangeError("bash cannot pass a NUL to a command")
    if _PLAIN.fullmatch(text):
        return text
    if "'" not in text and all(letter.isprintable() for letter in text):
        return f"'{text}'"
    return "$'" + "".join(map(_ansi_c, text)) + "'"


_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\", "'": r"\'"}


def _ansi_c(letter: str) -> str:
    if letter in _NAMED:
        return _NAMED[letter]
    if letter.isprintable():
        return letter
    return "".join(f"\\x{byte:02x}" for byte in letter.encode("utf-8", "surrogateescape"))


def printf(data: bytes) -> str:
    """Return the command that writes *data* to a pipe, NULs included, in any POSIX shell."""
    return "printf '" + "".join(map(_octal, data)) + "'"


def _octal(byte: int) -> str:
    letter = chr(byte)
    return letter if 32 <= byte < 127 and letter not in "%\\'" else f"\\{byte:03o}"


def cmd(text: str) -> str:
    """Return *text* as one word for Windows' cmd.exe, in the form that browsers copy.

    A caret stands before what cmd would take for its own; the quotes are for the program's
    runtime. Raises ValueError for what cmd cannot pass on.
    """
    if re.search(r"[\0-\x08\x0b-\x1f\x7f\ud800-\udfff]", text):
        raise ExchangeError("cmd cannot pass control characters or bytes that are not text")
    text = re.sub(r'(\\*)"', r'\1\1\\"', text)
    text = re.sub(r"\\+$", lambda match: match[0] * 2, text)
    text = re.sub(r"[^a-zA-Z0-9\s_\-:=+~'/.,?;()*`\\]", r"^\g<0>", text)
    text = re.sub(r"%(?=[a-zA-Z0-9_])", "%^", text)
    return '^"' + text.replace("\n", "^\n\n") + '^"'


# -- Reading ---------------------------------------------------------------------------------


def split(text: str) -> Command:
    """Return the words of the one command in *text*, from bash or from cmd.

    Raises CommandError for a second command, and for what a shell would run or look up.
    """
    return Command(list(_Cmd(text).words())) if _is_cmd(text) else _split_bash(text)


def _is_cmd(text: str) -> bool:
    """Tell whether *text* is written for cmd.exe: by its carets."""
    if re.match(r"\s*curl(\.exe)?\s+(-\S+\s+)*\^\"", text, re.IGNORECASE):
        return True
    continued = re.search(r"[ \t]\^\r?\n", text) is not None
    return continued and re.search(r"\\\r?\n|\s\$?'", text) is None


_WHY = {
    "|": "a pipe leads into another command",
    "&": "& ends the command here: put the URL into quotes",
    ";": "; ends the command here: put this into quotes",
    "<": "a redirection would read a file",
    ">": "a redirection would write a file",
    "(": "( begins a subshell: put this into quotes",
    ")": ") ends a subshell: put this into quotes",
}
_RUNS = "this would run another command"
_LOOKS_UP = "this would look up a variable: write out its value"
_ANSI_C = re.compile(r"\$'((?:[^'\\]|\\.)*+)'", re.DOTALL)


def _split_bash(text: str) -> Command:
    commands: list[list[Word]] = [[]]
    reader = _Bash(text)
    for word in reader.words():
        if word is not None:
            commands[-1].append(word)
            continue
        commands.append([])
        first = commands[0]
        if len(commands) > 2 or len(first) != 2 or first[0].text != "printf":
            raise reader.error(_WHY["|"], reader.at - 1)
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
            if letter in _WHY:
                if letter == "|" or (letter == ";" and text[self.at :].strip() == ";"):
                    break
                raise self.error(_WHY[letter])
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
                raise CommandError(_WHY[letter], text, at)
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
