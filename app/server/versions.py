"""The versions of a site that were served: what changed with each, and the way back to any."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from .site import SITE_FILE, Route, Site, SiteError, texts

MOST = 500
"""How many versions are kept."""
_POINTER = 8
"""What a route takes that another version has, too."""
MOST_CHARACTERS = 32_000_000
"""How many characters of changed text are kept, at most; the newest version always is."""


Routes = tuple[Route, ...]


class Change(NamedTuple):
    """How a file differs: ``kind`` is ``added``, ``removed`` or ``changed``."""

    kind: str
    file: str
    plus: int
    minus: int
    """How many lines came and went."""


@dataclass(frozen=True)
class Version:
    """A site as it was served from ``time`` on, in seconds since the epoch.

    ``parent`` is the number of the version from which it was made; 0 for the first. ``size`` is
    how many characters it has that the version before had not, or about as much memory.
    """

    number: int
    time: float
    site: Site
    changes: tuple[Change, ...]
    parent: int
    size: int


class Versions:
    """Remembers what was served, in order. Nothing is lost by going back and on from there."""

    current: int
    """The number of the version that is served; 0 before the first."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._versions: dict[int, Version] = {}
        self._following: dict[int, int] = {}
        """By number, the version to which one comes back after undoing it."""
        self._going = self._last = self.current = 0

    def __iter__(self) -> Iterator[Version]:
        return iter(self._versions.values())

    def __len__(self) -> int:
        return len(self._versions)

    def __getitem__(self, number: int) -> Version:
        return self._versions[number]

    def going_to(self, number: int) -> Site:
        """Return the site of a version that is about to be served again.

        It stays in the folder of the current one. Raises KeyError for a forgotten version.
        """
        self._going = number
        return replace(self._versions[number].site, folder=self[self.current].site.folder)

    def note(self, site: Site, time: float) -> bool:
        """Take note that *site* is served; tell whether that is another version than before.

        Another project begins a history of its own; the same one in another folder goes on.
        """
        here, there = self._versions.get(self.current), self._versions.get(self._going)
        self._going = 0
        if here is not None and _same(here.site, site):
            if here.site.folder != site.folder:
                self._versions[here.number] = replace(here, site=site)
            return False
        if here is not None and here.site.folder != site.folder:
            self._begin()
            here = there = None
        if there is not None and _same(there.site, site):
            if here is not None and here.parent == there.number:
                self._following[there.number] = here.number
            self.current = there.number
        else:
            self._add(here, site, time)
        return True

    def _add(self, here: Version | None, site: Site, time: float) -> None:
        self._last += 1
        changes, size = _compared(here.site, site) if here is not None else ((), 0)
        parent = here.number if here is not None else 0
        self._versions[self._last] = Version(self._last, time, site, changes, parent, size)
        self._following[parent] = self.current = self._last
        kept = 0
        for count, version in enumerate(list(self._versions.values())[::-1]):
            kept += version.size
            if count and (count >= MOST or kept > MOST_CHARACTERS):
                del self._versions[version.number]

    def before(self) -> Version | None:
        """The version from which the current one was made, if it is still known."""
        here = self._versions.get(self.current)
        return None if here is None else self._versions.get(here.parent)

    def after(self) -> Version | None:
        """The version made from the current one that was served last."""
        return self._versions.get(self._following.get(self.current, 0))


def files(site: Site) -> dict[str, str]:
    """Return the texts of *site* by file name, as they are saved; what cannot be is left out."""
    found: dict[str, str] = {}
    with contextlib.suppress(SiteError):
        found.update(texts(site))
    return found


def compare(old: Site, new: Site) -> Iterator[Change]:
    """Yield how the files of *new* differ from those of *old*."""
    yield from _compared(old, new)[0]


def _compared(old: Site, new: Site) -> tuple[tuple[Change, ...], int]:
    """Return how *new* differs from *old*, and how many characters it takes to remember that."""
    rerouted = old.routes is not new.routes and old.routes != new.routes
    before, now = _differing(old, new)
    changes, size = [], len(new.routes) * _POINTER if rerouted else 0
    for file in {**before, **now}:
        first, second = before.get(file), now.get(file)
        if first != second or (rerouted and file == SITE_FILE):
            minus, plus = _lines(first, second), _lines(second, first)
            kind = "added" if first is None else "removed" if second is None else "changed"
            changes.append(Change(kind, file, plus, minus))
            size += len(second or "")
    return tuple(changes), size


def _differing(old: Site, new: Site) -> tuple[dict[str, str], dict[str, str]]:
    """Return the files of both sites, without the routes that they have in common.

    The lines that came and went are the same without them, and most edits leave most of them.
    """
    first, second = _inner(old.routes, new.routes)
    both = Counter(map(id, first)) & Counter(map(id, second))
    rest = (_without(first, both), _without(second, both))
    return files(old.with_routes(rest[0])), files(new.with_routes(rest[1]))


def _inner(first: Routes, second: Routes) -> tuple[Routes, Routes]:
    """Return both without what is the same at the beginning and at the end."""
    start = same_at_start(first, second)
    first, second = first[start:], second[start:]
    end = same_at_start(first[::-1], second[::-1])
    return first[: len(first) - end], second[: len(second) - end]


def same_at_start(first: Routes, second: Routes) -> int:
    """Return how many routes are the same objects at the beginning."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (a, b) in pairs if a is not b), min(len(first), len(second)))


def _without(routes: Routes, left_out: Counter[int]) -> Routes:
    """Return *routes* without as many of each as *left_out* says."""
    rest, found = left_out.copy(), []
    for route in routes:
        if rest[id(route)]:
            rest[id(route)] -= 1
        else:
            found.append(route)
    return tuple(found)


def _lines(text: str | None, other: str | None) -> int:
    """Return how many lines of *text* are not in *other*."""
    rest: dict[str, int] = {}
    for line in (other or "").splitlines():
        rest[line] = rest.get(line, 0) + 1
    found = 0
    for line in (text or "").splitlines():
        if rest.get(line):
            rest[line] -= 1
        else:
            found += 1
    return found


def _same(old: Site, new: Site) -> bool:
    return old is new or replace(old, folder=new.folder) == new
