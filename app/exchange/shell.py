"""Words of a command line, quoted for bash and for Windows' cmd."""

from __future__ import annotations

import re

from .request import ExchangeError

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
