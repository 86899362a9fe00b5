"""How far into a text a regular expression that does not match it gets.

Python's ``re`` tells of a failure nothing but that. So its own parser takes the pattern apart, and
all positions that can be reached are followed at once; that takes no longer for patterns that
backtrack. Assertions and conditions are taken for met, back references for anything.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Iterable
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

Positions = frozenset[int]
_CATEGORIES = {
    codes.CATEGORY_DIGIT: re.compile(r"\d"),
    codes.CATEGORY_NOT_DIGIT: re.compile(r"\D"),
    codes.CATEGORY_SPACE: re.compile(r"\s"),
    codes.CATEGORY_NOT_SPACE: re.compile(r"\S"),
    codes.CATEGORY_WORD: re.compile(r"\w"),
    codes.CATEGORY_NOT_WORD: re.compile(r"\W"),
}
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)


def furthest(regex: re.Pattern[str], text: str) -> int:
    """Return how many characters of *text* can begin a text that *regex* matches."""
    begins = _begins(regex.pattern, regex.flags)
    if not text.startswith(begins):
        return next(at for at, letter in enumerate(begins) if text[at : at + 1] != letter)
    return _Walk(text, regex.flags).furthest(_parsed(regex.pattern, regex.flags))


_PLAIN = re.compile(r"\^?([^\\.^$*+?{}\[\]|()]*)(?![*+?{])")


def _begins(pattern: str, flags: int) -> str:
    """Return plain letters with which all that *pattern* matches begins; maybe not all of them."""
    if "|" in pattern or flags != re.UNICODE:
        return ""
    found = _PLAIN.match(pattern)
    return found[1] if found else ""


@functools.lru_cache(4096)
def _parsed(pattern: str, flags: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _parser.parse(pattern, flags & ~re.DEBUG)


class _Walk:
    """One text, and the furthest position that was reached in it."""

    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags
        self._furthest = 0
        self._groups: dict[int, tuple[int, int]] = {}

    def furthest(self, parsed: Any) -> int:
        """Follow the whole pattern from the start of the text."""
        self._sequence(parsed, frozenset((0,)), self._flags)
        return self._furthest

    def _sequence(self, nodes: Iterable[Any], starts: Positions, flags: int) -> Positions:
        for code, argument in nodes:
            if not starts:
                break
            starts = self._node(code, argument, starts, flags)
        return starts

    def _node(self, code: Any, argument: Any, starts: Positions, flags: int) -> Positions:
        if code in _REPEATS:
            return self._repeat(argument, starts, flags)
        if code is codes.SUBPATTERN:
            _, on, off, nodes = argument
            return self._sequence(nodes, starts, (flags | on) & ~off)
        if code is codes.ATOMIC_GROUP:
            return self._sequence(argument, starts, flags)
        if code is codes.BRANCH:
            return frozenset().union(*(self._sequence(b, starts, flags) for b in argument[1]))
        if code is codes.AT:
            return self._at(argument, starts)
        if code is codes.GROUPREF_EXISTS:
            _, yes, no = argument
            return self._sequence(yes, starts, flags) | self._sequence(no or (), starts, flags)
        if code is codes.GROUPREF:  # Whatever was captured: nothing here, or anything.
            return frozenset(range(min(starts), len(self._text) + 1))
        if code in (codes.ASSERT, codes.ASSERT_NOT):
            return starts
        return self._character(code, argument, starts, flags)

    def _repeat(self, argument: Any, starts: Positions, flags: int) -> Positions:
        least, most, nodes = argument
        ends = starts if least == 0 else frozenset()
        here, count = starts, 0
        while here and count < most:
            after = self._sequence(nodes, here, flags)
            count += 1
            if count >= least:
                here = after - ends  # Where it has been it has gone on already.
                ends |= after
            elif after == here:  # It takes nothing, however often.
                return after
            else:
                here = after
        return ends

    def _at(self, where: Any, starts: Positions) -> Positions:
        text, last = self._text, len(self._text)
        if where in (codes.AT_BEGINNING, codes.AT_BEGINNING_STRING):
            return starts & {0}
        if where is codes.AT_END:
            return frozenset(at for at in starts if at == last or text[at:] == "\n")
        if where is codes.AT_END_STRING:
            return starts & {last}
        return starts

    def _character(self, code: Any, argument: Any, starts: Positions, flags: int) -> Positions:
        text = self._text
        ends = frozenset(
            at + 1 for at in starts if at < len(text) and _takes(code, argument, text[at], flags)
        )
        self._furthest = max(self._furthest, *ends, 0)
        return ends


def _takes(code: Any, argument: Any, letter: str, flags: int) -> bool:
    """Tell whether a node that stands for one character takes *letter*."""
    if code is codes.ANY:
        return letter != "\n" or bool(flags & re.DOTALL)
    letters = {letter, letter.lower(), letter.upper()} if flags & re.IGNORECASE else {letter}
    if code is codes.LITERAL:
        return chr(argument) in letters
    if code is codes.NOT_LITERAL:
        return chr(argument) not in letters
    return code is codes.IN and any(_in(argument, each) for each in letters if len(each) == 1)


def _in(items: Any, letter: str) -> bool:
    negated = items[0][0] is codes.NEGATE
    return negated != any(_one_of(code, argument, letter) for code, argument in items)


def _one_of(code: Any, argument: Any, letter: str) -> bool:
    if code is codes.LITERAL:
        return bool(ord(letter) == argument)
    if code is codes.RANGE:
        return bool(argument[0] <= ord(letter) <= argument[1])
    return code is codes.CATEGORY and _CATEGORIES[argument].match(letter) is not None
