"""The filter language: which requests are shown.

``key:value`` as in Chrome (`filter_keys.KEYS`), ``~x value`` as in mitmproxy
(`filter_keys.ALIASES`), any other text is searched for in the URL. Conditions side by side must
all hold, as with ``&``; ``|`` means or and binds less, ``( )`` group. ``!`` negates what follows,
and so does ``-`` right before it. ``/…/`` is a case-insensitive regular expression, quotes hold a
value together that contains spaces or is to be taken literally.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import NamedTuple

from .events import Row
from .filter_keys import ALIASES, KEYS, Key, Sources
from .filter_match import FilterError, Value
from .filter_wire import Test

DEEPEST = 50
"""How many parentheses may stand within each other."""

_KEY = re.compile(r"([A-Za-z][A-Za-z-]*):")
_ALIAS = re.compile(r"~[A-Za-z-]*")
_GLUED = re.compile(rf"[&|](?=[!-]?(?:~[a-z]|(?:{'|'.join(KEYS)}):))")
"""An operator within a word that was surely meant as one."""
_GLUED_OR = re.compile(rf"\||{_GLUED.pattern}")
"""The same, outside of regular expressions."""


class Filter(NamedTuple):
    """A compiled expression. *keys* are those that it uses; of aliases, their names."""

    accepts: Test
    keys: frozenset[str]

    @property
    def changing(self) -> bool:
        """Whether the answer for a row may change while the row stays the same."""
        return any(KEYS[key].changing for key in self.keys if key in KEYS)


class _Condition(NamedTuple):
    cost: int
    test: Test


def compile_filter(text: str, sources: Sources | None = None) -> Filter | None:
    """Compile an expression; None when it is empty. Raises only `FilterError`."""
    parser = _Parser(text, sources or Sources())
    condition = parser.parse()
    return condition and Filter(condition.test, frozenset(parser.keys))


class _Parser:
    """Recursive descent: one method for each level of binding."""

    def __init__(self, text: str, sources: Sources) -> None:
        self._text = text
        self._at = 0
        self._sources = sources
        self._depth = 0
        self.keys: set[str] = set()

    def parse(self) -> _Condition | None:
        if not self._peek():
            return None
        result = self._any()
        if self._peek():
            raise FilterError(self._at, "This parenthesis was never opened")
        return result

    def _peek(self) -> str:
        """Skip spaces; return the next letter, empty at the end."""
        text = self._text
        while self._at < len(text) and text[self._at].isspace():
            self._at += 1
        return text[self._at : self._at + 1]

    def _any(self) -> _Condition:
        """``a | b``"""
        choices = [self._all()]
        while self._peek() == "|":
            self._at += 1
            choices.append(self._all())
        return choices[0] if len(choices) == 1 else _any_of(choices)

    def _all(self) -> _Condition:
        """``a & b``, ``a b``"""
        parts = [self._not()]
        while (letter := self._peek()) not in ("", "|", ")"):
            if letter == "&":
                self._at += 1
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else _all_of(parts)

    def _not(self) -> _Condition:
        """``!a``, ``-a``"""
        negated = False
        while self._peek() == "!":
            self._at += 1
            negated = not negated
        following = self._text[self._at + 1 : self._at + 2]
        if self._peek() == "-" and following not in ("", "-", ")") and not following.isspace():
            self._at += 1
            negated = not negated
        condition = self._one()
        return _none_of(condition) if negated else condition

    def _one(self) -> _Condition:
        letter, start = self._peek(), self._at
        if letter in ("", "&", "|", ")"):
            raise FilterError(start, "A condition is expected here")
        if letter == "(":
            return self._group()
        if letter == "~":
            return self._alias()
        found = _KEY.match(self._text, start)
        name = found[1].lower() if found else ""
        if name in KEYS:
            self._at += len(name) + 1
            return self._keyed(name, KEYS[name])
        if similar := _similar(name):
            expected = "There is no key {name}: did you mean {similar}:?"
            raise FilterError(start, expected, name=name, similar=similar)
        return self._made(KEYS["url"], self._value())

    def _group(self) -> _Condition:
        start = self._at
        self._at += 1
        self._depth += 1
        if self._depth > DEEPEST:
            raise FilterError(start, "Too many parentheses within each other")
        result = self._any()
        if self._peek() != ")":
            raise FilterError(start, "This parenthesis is not closed")
        self._at += 1
        self._depth -= 1
        return result

    def _alias(self) -> _Condition:
        found = _ALIAS.match(self._text, self._at)
        name = found[0].lower() if found else "~"
        alias = ALIASES.get(name)
        if alias is None:
            known = " ".join(ALIASES)
            raise FilterError(self._at, "One of these is expected: {words}", words=known)
        self._at += len(name)
        if isinstance(alias, Key):
            self._peek()
            return self._keyed(name, alias)
        self.keys.add(name)
        return _Condition(1, alias)

    def _keyed(self, name: str, key: Key) -> _Condition:
        after = self._text[self._at : self._at + 1]
        if not after or after.isspace() or after == ")":
            raise FilterError(self._at, "A value for {name} is expected", name=name)
        self.keys.add(name)
        return self._made(key, self._value(pattern=name in ALIASES))

    def _made(self, key: Key, value: Value) -> _Condition:
        return _Condition(key.cost, key.make(value, self._sources))

    def _value(self, *, pattern: bool = False) -> Value:
        """Read a word or a quoted text. A *pattern* is a regular expression as it stands."""
        start = self._at
        if self._text[start] in "\"'":
            return self._quoted()
        word = self._word()
        inside = word[1:-1] if word[0] == word[-1] == "/" and len(word) > 2 else None
        glued = (_GLUED if pattern else _GLUED_OR).search(word)
        if glued and inside is None:
            at = start + glued.start()
            raise FilterError(at, "A space before and after {sign} is expected", sign=glued[0])
        if pattern and inside is not None:
            return Value(inside, start + 1)
        return Value(word, start, regex=inside)

    def _word(self) -> str:
        """Read up to a space, or to a parenthesis that closes what began before the word."""
        text, start, at, depth = self._text, self._at, self._at, 0
        while at < len(text) and not text[at].isspace():
            if text[at] == "\\":
                at += 1
            elif text[at] == "(":
                depth += 1
            elif text[at] == ")":
                if not depth:
                    break
                depth -= 1
            at += 1
        self._at = min(at, len(text))
        return text[start : self._at]

    def _quoted(self) -> Value:
        text, start = self._text, self._at
        quote = text[start]
        found = re.compile(rf"(?:[^\\{quote}]|\\.)*{quote}", re.DOTALL).match(text, start + 1)
        if found is None:
            raise FilterError(start, "This quotation mark is not closed")
        self._at = found.end()
        if self._at < len(text) and not text[self._at].isspace() and text[self._at] != ")":
            raise FilterError(self._at, "A space is expected here")
        return Value(re.sub(rf"\\([\\{quote}])", r"\1", found[0][:-1]), start, quoted=True)


def _similar(name: str) -> str:
    """Return the key that was probably meant by the unknown *name*, or an empty string."""
    if len(name) < 3:
        return ""
    begun = [key for key in KEYS if key.startswith(name)]
    return (begun or get_close_matches(name, KEYS, 1, 0.8) or [""])[0]


def _none_of(condition: _Condition) -> _Condition:
    test = condition.test
    return _Condition(condition.cost, lambda row: not test(row))


def _all_of(parts: list[_Condition]) -> _Condition:
    one, other, *more = tests = _cheapest_first(parts)

    def accepts(row: Row) -> bool:
        for test in tests:  # noqa: SIM110 — all() with a generator takes twice as long
            if not test(row):
                return False
        return True

    both = (lambda row: one(row) and other(row)) if not more else accepts
    return _Condition(sum(part.cost for part in parts), both)


def _any_of(parts: list[_Condition]) -> _Condition:
    one, other, *more = tests = _cheapest_first(parts)

    def accepts(row: Row) -> bool:
        for test in tests:  # noqa: SIM110
            if test(row):
                return True
        return False

    either = (lambda row: one(row) or other(row)) if not more else accepts
    return _Condition(sum(part.cost for part in parts), either)


def _cheapest_first(parts: Iterable[_Condition]) -> tuple[Test, ...]:
    return tuple(part.test for part in sorted(parts, key=lambda part: part.cost))


# -- Completion --------------------------------------------------------------------------------


class Completion(NamedTuple):
    """What may stand at the cursor: *choices* for the text from *start* to *end*.

    *of_value* says that they are values of a key, not keys.
    """

    start: int
    end: int
    choices: list[str]
    of_value: bool


_TOKEN = re.compile(r"[^\s(]*$")
_OPERATOR = re.compile(r"^(?:!|-(?!-))+")


def complete(text: str, cursor: int, seen: Callable[[Key], Iterable[str]]) -> Completion:
    """Return how the word before *cursor* may go on; *seen* gives the values known of a key."""
    before = text[:cursor]
    alias = re.search(r"(~[A-Za-z]+)[ \t]+([^\s]*)$", before)
    if alias and isinstance(key := ALIASES.get(alias[1].lower()), Key):
        return _values(alias[2], cursor, seen(key))
    found = _TOKEN.search(before)
    word = found[0] if found else ""
    word = word[len(operator[0]) :] if (operator := _OPERATOR.match(word)) else word
    named = _KEY.match(word)
    if named and named[1].lower() in KEYS:
        return _values(word[named.end() :], cursor, seen(KEYS[named[1].lower()]))
    names = ALIASES if word.startswith("~") else [f"{key}:" for key in KEYS]
    choices = sorted(name for name in names if name.startswith(word.lower()) and name != word)
    return Completion(cursor - len(word), cursor, choices, of_value=False)


def _values(word: str, cursor: int, seen: Iterable[str]) -> Completion:
    """Return the values that contain *word*, those that begin with it first."""
    begun = word.lower()
    able = [one for one in {quoted(one) for one in seen} if begun in one.lower() and one != word]
    able.sort(key=lambda one: (not one.lower().startswith(begun), one))
    return Completion(cursor - len(word), cursor, able, of_value=True)


def quoted(value: str) -> str:
    """Return *value* as it is written in an expression: in quotes where it must be."""
    operators = re.search(r"[\s|*\\]|[&](?=[!~(-])", value) or _GLUED.search(value)
    plain = value and value[0] not in "\"'" and not operators and _balanced(value)
    if plain and not (len(value) > 2 and value[0] == value[-1] == "/"):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _balanced(text: str) -> bool:
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0
