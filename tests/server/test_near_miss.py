"""How far a pattern gets is how far any text that it matches agrees with the path."""

from __future__ import annotations

import itertools
import random
import re
from re import _parser  # type: ignore[attr-defined]

import pytest

from app.server.near_miss import furthest

from ..speed import cost


@pytest.mark.parametrize(
    ("pattern", "path", "reached"),
    [
        (r"/story/(\d+)$", "/story/12x", 9),
        (r"/story/(\d+)$", "/stories", 5),
        (r"/story/(\d+)/edit$", "/story/7", 8),
        (r"/(\d{4})/(\d\d)$", "/19/07", 3),
        (r"/(a|bc|bd)e$", "/bdf", 3),
        (r"/(?i:ABC)d$", "/abcD", 4),
        (r"/[^/]+/x$", "/ab/y", 4),
        (r"/(?P<x>\w+?)-(?P=x)$", "/ab-ab!", 4),
        (r"/(?:ab)*c$", "/ababd", 5),
        (r"/(?:ab){2,3}$", "/abababab", 7),
        (r"/a\b/b$", "/a/c", 3),
        (r"(?s)/.+x$", "/a\nb", 4),
        ("x$", "/", 0),
        ("/$", "", 0),
        (r"/(?:){3}a$", "/b", 1),
    ],
)
def test_where_a_pattern_stops(pattern: str, path: str, reached: int) -> None:
    assert furthest(re.compile(pattern), path) == reached


def test_a_match_reaches_the_end() -> None:
    for pattern, path in [("/(.*)$", "/a/b"), (r"/((a|b)+)$", "/abba"), ("/a?b*?$", "/bb")]:
        assert furthest(re.compile(pattern), path) == len(path)


def test_patterns_that_backtrack_take_no_time() -> None:
    assert furthest(re.compile(r"/(a+)+$"), "/" + "a" * 60 + "b") == 61  # By itself for years.

    def follow(parts: int) -> None:
        text = "/" + "ab/" * parts
        assert furthest(re.compile(r"/(.*)/(.*)/((?:a|b|/)*)x$"), text) == len(text)

    assert cost(lambda: follow(1_000), 2) < 80 * cost(lambda: follow(60), 5)


_PARTS = ["a", "b", "/", "[ab]", "[^/]", "(a|/b)", "(?:ab)", "(b/)", "."]
_REPEATS = ["", "", "", "*", "+", "?", "{2}", "{1,2}", "*?"]


def agreement(one: str, other: str) -> int:
    """Return how many characters both begin with."""
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return len(list(pairs))


def test_it_agrees_with_all_short_texts_that_match() -> None:
    rng = random.Random(5)
    texts = ["".join(t) for n in range(9) for t in itertools.product("ab/", repeat=n)]
    for _ in range(80):
        parts = [rng.choice(_PARTS) + rng.choice(_REPEATS) for _ in range(rng.randint(1, 4))]
        if _parser.parse("".join(parts)).getwidth()[0] > 5:
            continue
        regex = re.compile("".join(parts) + "$")
        matching = [text for text in texts if regex.match(text)]
        for path in rng.sample([text for text in texts if len(text) <= 3], 12):
            agrees = max((agreement(path, text) for text in matching), default=0)
            assert furthest(regex, path) == agrees, (regex.pattern, path)
