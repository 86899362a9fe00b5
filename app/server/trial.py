"""A request that is tried on routes without being sent, as data: each rule, and the answer."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from .ladder import NOTHING, Words


class Outcome(Enum):
    """What became of a rule."""

    MATCH = "match"
    NEAR = "near miss"
    """It does not match, but at least half of the path fits."""
    NO = "no match"
    OTHER_HOST = "other host"
    SLOW = "too slow"
    """Matching was given up; the server would be blocked."""
    HIDDEN = "would match too"
    """An earlier rule has taken the request; this one would have."""
    LATER = "not tried"
    """An earlier rule has taken the request."""
    BROKEN = "cannot be served"
    OFF = "disabled"


class Rule(NamedTuple):
    """One rule of an application. ``number`` is its place in the order in which Tornado tries them.

    ``route`` is the index of the site's route that it was made from; -1 where Tornado or the
    program has added it. ``arguments`` are those of ``initialize``, in words.
    """

    number: int
    route: int
    host: str
    pattern: str
    target: str
    name: str
    arguments: str


class Group(NamedTuple):
    """A group of the pattern and what it caught of the path; -1 and None where it took no part.

    ``value`` is decoded as Tornado does, and None too for bytes that are not UTF-8.
    """

    name: str
    start: int
    end: int
    value: str | None


class Tried(NamedTuple):
    """A rule and what became of it. ``reached`` counts the characters of the path that fit."""

    rule: Rule
    outcome: Outcome
    reached: int = 0
    groups: tuple[Group, ...] = ()
    words: Words = NOTHING


class Argument(NamedTuple):
    """A parameter and its value in Python's notation; ``group`` is the index of its group or -1."""

    name: str
    value: str
    group: int = -1


class Answer(NamedTuple):
    """What follows from the rules. ``status`` is None where the handler decides.

    ``rule`` is None when no rule matches. ``target`` is the class that answers, ``method`` the
    method of it; ``words`` say what comes of that.
    """

    asked: Asked
    status: int | None
    words: Words
    rule: Rule | None = None
    target: str = ""
    method: str = ""
    groups: tuple[Group, ...] = ()
    arguments: tuple[Argument, ...] = ()
    initialize: tuple[Argument, ...] = ()
    notes: tuple[Words, ...] = ()


class Asked(NamedTuple):
    """A request line and a Host header as a client sends them."""

    method: str
    host: str
    uri: str

    @property
    def path(self) -> str:
        """What patterns are matched against."""
        return self.uri.partition("?")[0]


class Moved(NamedTuple):
    """A recorded request that would go elsewhere; handlers and routes before and now.

    A handler is named as in the recording, a route is None for none.
    """

    request_id: int
    method: str
    path: str
    was: tuple[str, str | None]
    now: tuple[str, str | None]


_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def asked(method: str, host: str, url: str) -> Asked:
    """Return what a client sends for *url*: a path, or a whole address with a host of its own.

    Spaces and letters beyond ASCII are percent-encoded, a fragment stays at home. Raises ValueError
    for a method or an address that cannot be sent.
    """
    if not _TOKEN.fullmatch(method):
        raise ValueError("a method is one word")
    url = url.strip().partition("#")[0]
    if "://" in url.partition("?")[0]:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        url = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not url.startswith("/") and url != "*":
        url = f"/{url}"
    return Asked(method, host.strip(), re.sub(r"[^!-~]", lambda found: quote(found[0]), url))
