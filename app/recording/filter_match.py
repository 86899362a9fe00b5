"""How the values of the filter language compare with texts: whole, within, or as a pattern."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import partial
from typing import AnyStr, NamedTuple, TypeVar

Match = Callable[[str], bool]

LONGEST = 64 << 10
"""How many letters of a text, at most, a regular expression is tried on."""


class FilterError(ValueError):
    """An expression is wrong at *position*, counted from 0.

    *expected* is an English sentence with ``{name}`` places for *values*.
    """

    def __init__(self, position: int, expected: str, **values: str) -> None:
        super().__init__(expected.format(**values))
        self.position = position
        self.expected = expected
        self.values = values


class Value(NamedTuple):
    """The value of a key as it was written. *regex* is the inside of ``/…/``, else None."""

    text: str
    position: int
    quoted: bool = False
    regex: str | None = None


_Tried = TypeVar("_Tried", str, bytes, tuple[str, ...])


class Remembered(dict[_Tried, bool]):
    """The answers of a test; each is worked out when it is asked for the first time.

    What requests hold comes again and again. Memory is bounded: to *most* answers, of values no
    longer than *longest*.
    """

    def __init__(
        self, test: Callable[[_Tried], bool], most: int = 4_096, longest: int = 1_000
    ) -> None:
        super().__init__()
        self._test: Callable[[_Tried], bool] = test
        self._most = most
        self._longest = longest

    def __missing__(self, value: _Tried) -> bool:
        answer = self._test(value)
        if len(value) <= self._longest:
            if len(self) >= self._most:
                self.clear()
            self[value] = answer
        return answer


# -- Regular expressions -----------------------------------------------------------------------


def regex(text: str, position: int, flags: int = 0) -> Match:
    """Compile a case-insensitive regular expression that stands at *position*."""
    small = _in_small_letters(text)
    try:
        expression, case = (text.lower(), 0) if small else (text, re.IGNORECASE)
        search = compiled(expression, flags | case).search
    except re.error as error:
        at = position + min(error.pos or 0, len(text))
        raise FilterError(at, "Regular expression: {problem}", problem=error.msg) from None
    except (RecursionError, OverflowError, MemoryError, ValueError) as error:
        raise FilterError(position, "Regular expression: {problem}", problem=str(error)) from None
    if not small:
        return lambda text: search(text, 0, LONGEST) is not None
    needs = Needs(text)
    literals, leading = needs.texts or [""], needs.leading

    def matches(text: str) -> bool:
        text = text.lower()
        for literal in literals:
            at = text.find(literal)
            if at >= 0:
                return search(text, at if leading else 0, LONGEST) is not None
        return False

    return matches


def compiled(expression: AnyStr, flags: int) -> re.Pattern[AnyStr]:
    """Compile a regular expression without warnings about what may once mean something else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return re.compile(expression, flags)


_SMALL = re.compile(
    r"""(?: [^\\\[(] | \((?!\?) | \\[bdsw\W]
    | \[\^? (?: [a-z]-[a-z] | [A-Z]-[A-Z] | \d-\d | \\[dsw\W] | [^]\\[-] )+ -? \] )*""",
    re.ASCII | re.VERBOSE,
)


_REPEATED = re.compile(r"(\\d|\[\^?\]?(?:\\.|[^]\\])*\])(?:\+|\{([1-9][0-9]*)(,?)([0-9]*)\})")


def on_bytes(text: str, flags: int = 0) -> re.Pattern[bytes]:
    """Compile an expression that is `Needs.in_bytes`, for ASCII texts in small letters.

    The `re` module looks for a set of letters without trying the whole expression at each place,
    but only if the set stands once: so the first of a repeated set is taken out.
    """
    text = text.lower()
    found = _REPEATED.match(text)
    if found:
        letters, least, comma, most = found.groups()
        letters = "[0-9]" if letters == r"\d" else letters
        most = str(int(most) - 1) if most else ""
        again = f"{{{int(least) - 1}{comma}{most}}}" if least else "*"
        text = letters + letters + again + text[found.end() :]
    return compiled(text.encode(), flags)


def _in_small_letters(text: str) -> bool:
    """Return whether an expression means the same, in any case, on a text in small letters.

    That is several times as quick. Some escapes, classes and names might tell capitals apart.
    """
    return text.isascii() and _SMALL.fullmatch(text) is not None


_ATOM = re.compile(
    r"(\\.|\[\^?\]?(?:\\.|[^]\\])*\]|[^\\])([*+?]|\{[^}]*\})?[+?]?", re.DOTALL
)  # fmt: skip


class Needs:
    """What can be said of a regular expression without trying it.

    *texts*: one of these stands, in any case, in whatever is found; empty when none is known.
    *leading*: what is found begins with it. *in_bytes*: the expression finds the same in an ASCII
    text and in its bytes. *in_line*: it does, and what is found has no line ends in it.

    *first* returns where ASCII data holds one of the texts or what stands for them; -1 if nothing
    is to be found there. If it is *leading*, nothing is found before; *enough*: there it is found.
    """

    def __init__(self, text: str) -> None:
        small = _in_small_letters(text)
        self.in_bytes = small and r"\s" not in text
        self.in_line = self.in_bytes and re.search(r"\[\^|[\0-\x1f]", text) is None
        self.texts: list[str] = []
        self.leading = False
        whole = re.fullmatch(r"\((.*)\)", text, re.DOTALL)
        choices = (_runs(whole[1]) if whole else []) or _runs(text)
        longest = [max(runs, key=len) for runs in choices]
        if small and all(longest):
            self.texts = longest
            self.leading = len(choices) == 1 and longest[0] == choices[0][0]
        self._raw = [each.encode() for each in self.texts]
        self._marks: bytes | None = None
        if self.in_bytes and not self.texts:
            self._marks, self._raw = _row_of_set(text)
            self.leading = bool(self._raw)
        self.first = _first(self._raw, self._marks)
        self.enough = bool(self._raw) and (
            _REPEATED.fullmatch(text) is not None
            if self._marks
            else max(map(len, choices)) == 1 and "^" not in text and r"\b" not in text
        )

    def lines(self, data: bytes) -> list[bytes]:
        """Return the lines of Latin-1 *data* in which something may be found."""
        if not self._raw or (self._marks and not data.isascii()):
            return data.split(b"\n")
        low, found = data.translate(self._marks) if self._marks else data.lower(), []
        for each in self._raw:
            at = low.find(each)
            while at >= 0:
                first, last = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
                end = last if last >= 0 else len(data)
                found.append(data[first:end])
                at = low.find(each, end)
        return found


_RAREST = b"zjqkwvybfxgupdlmchrsnioaet"
"""Small letters, those that are rare in heads and bodies first."""


def _first(raw: list[bytes], marks: bytes | None) -> Callable[[bytes], int]:
    if not raw:
        return lambda data: 0
    only = raw[0]
    if marks:
        return lambda data: data.translate(marks).find(only)
    if len(raw) == 1:
        return lambda data: data.lower().find(only)

    # One letter is looked for several times as quickly as two, and most data has not the rarest.
    wanted = [(min(each, key=lambda letter: _RAREST.find(letter) % 256), each) for each in raw]

    def first(data: bytes) -> int:
        data = data.lower()
        for letter, each in wanted:
            if letter in data and (at := data.find(each)) >= 0:
                return at
        return -1

    return first


def _row_of_set(text: str) -> tuple[bytes | None, list[bytes]]:
    """Return what to look for when an expression begins with a set of letters several times.

    That is a table that makes the letters of the set 1 and all others 0, and the least row of 1.
    There are none for other expressions.
    """
    found = None if "|" in text else _REPEATED.match(text)
    if found is None or not 2 <= (least := int(found[2] or 1)) <= LONGEST:
        return None, []
    letter = compiled(found[1].encode(), re.IGNORECASE).match
    marks = bytes(letter(bytes([n])) is not None for n in range(256))
    return marks, [b"\1" * least]


def _runs(text: str) -> list[list[str]]:
    """Return the stretches of letters in each choice of an expression, in order.

    The first, perhaps empty, begins the choice. Parentheses are passed over; if they do not fit,
    nothing is returned.
    """
    choices, depth = [[""]], 0
    for atom, repeated in _ATOM.findall(text):
        runs = choices[-1]
        depth += (atom == "(") - (atom == ")")
        if depth < 0:
            return []
        letter = "" if depth else _letter(atom)
        if letter and repeated in ("", "+"):
            runs[-1] += letter
        if atom == "|" and not depth:
            choices.append([""])
        elif (repeated or not letter) and not (atom in ("^", r"\b") and runs == [""]):
            runs.append("")
    return choices


def _letter(atom: str) -> str:
    """Return the letter for which a piece of an expression stands, in small; empty for others."""
    if len(atom) == 1:
        return "" if atom in ".^$|()" else atom.lower()
    return atom[1] if atom[0] == "\\" and not atom[1].isalnum() else ""


# -- Other comparisons -------------------------------------------------------------------------


def whole(value: Value) -> Match:
    """Compare whole texts in any case; ``*`` stands for anything."""
    if value.regex is not None:
        return regex(value.regex, value.position + 1)
    wanted = value.text.lower()
    if "*" not in wanted or value.quoted:
        return lambda text: text.lower() == wanted
    return partial(_wild, wanted.split("*"))


def _wild(parts: list[str], text: str) -> bool:
    """Return whether *parts* stand in *text* in order, the first and last at its ends."""
    text = text.lower()
    first, *middle, last = parts
    at, end = len(first), len(text) - len(last)
    if end < at or not (text.startswith(first) and text.endswith(last)):
        return False
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def within(value: Value) -> Match:
    """Search in texts, in any case."""
    if value.regex is not None:
        return regex(value.regex, value.position + 1)
    wanted = value.text.lower()
    return lambda text: wanted in text.lower()
