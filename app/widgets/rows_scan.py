"""Goes over recorded rows in slices of time: which are shown, and by what they are sorted."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from itertools import compress, islice
from typing import Any, NamedTuple

from app.recording.events import Row
from app.recording.limit import TooSlow, cpu_limit

SLICE_S = 0.008
"""How long one slice takes, about, in s."""
STUCK_S = 0.15
"""A test that takes longer is stuck on its row, in s."""
RECENT = 200
"""How many of the newest rows are looked at again for a late change."""
_LOOK_AGAIN = 2_000
"""How many unsettled rows are looked at again at each refresh, at most."""


class Wanted(NamedTuple):
    """Which rows are shown, and in what order; None for all, and for that in which they came.

    *changing* says that the answer for an unsettled row may change while the row stays the same.
    Rows before *floor* are not shown; see `Scan` on places.
    """

    accept: Callable[[Row], bool] | None = None
    changing: bool = False
    key: Callable[[Row], Any] | None = None
    descending: bool = False
    floor: int = 0


class Change(NamedTuple):
    """A row that is no longer what it was when it was looked at. *shown*: whether it is wanted."""

    place: int
    old: Row
    new: Row
    shown: bool


class Scan:
    """Tests each row of a source once, and those again that change.

    A row's *place* is its index in the source plus the number of rows that were forgotten from the
    source's front, so it stays the same. What was found waits in `rows`, `places` and `keys`.
    """

    def __init__(self, wanted: Wanted, settled: Callable[[Row], bool]) -> None:
        self.wanted = wanted
        self._settled = settled
        self.next = wanted.floor
        """The first place that was not tested yet."""
        self._watched: dict[int, Row] = {}
        """Rows that may change, as they were when last looked at: not settled, or recent."""
        self._chunk = 32
        self.rows: list[Row] = []
        self.places: array[int] = array("q")
        self.keys: list[Any] = []

    def slice(self, source: list[Row], forgotten: int) -> bool:
        """Test rows for a while; return whether none is left. Raises `TooSlow`."""
        self.next = max(self.next, forgotten)
        end = forgotten + len(source)
        now = time.perf_counter()
        deadline = now + SLICE_S
        try:
            while self.next < end and now < deadline:
                if self.wanted.accept is None and self.wanted.key is None:
                    self._chunk = end - self.next
                start = now
                at = self.next - forgotten
                self._try(source[at : at + self._chunk])
                now = time.perf_counter()
                quick = now - start < SLICE_S / 8
                self._chunk = min(self._chunk * 2, 4096) if quick else max(self._chunk // 2, 1)
        finally:
            for place in range(max(self.next - RECENT, forgotten, self.wanted.floor), self.next):
                self._watched.setdefault(place, source[place - forgotten])
        return self.next >= end

    def _limit(self, seconds: float) -> AbstractContextManager[None]:
        return nullcontext() if self.wanted.accept is None else cpu_limit(seconds)

    def _try(self, chunk: list[Row]) -> None:
        """Test rows; of several that take too long none, so that they come one by one."""
        before, found = self.next, len(self.rows)
        try:
            with self._limit(STUCK_S if len(chunk) == 1 else SLICE_S * 3):
                self._test(chunk)
        except TooSlow:
            del self.rows[found:], self.places[found:], self.keys[found:]
            if len(chunk) == 1:
                raise
            self.next, self._chunk = before, 1

    def _test(self, chunk: list[Row]) -> None:
        accept, key, settled = self.wanted.accept, self.wanted.key, self._settled
        first, self.next = self.next, self.next + len(chunk)
        rows: list[Row] = chunk
        places: Iterable[int] = range(first, self.next)
        if accept is not None:
            shown = list(map(accept, chunk))
            rows, places = list(compress(chunk, shown)), compress(places, shown)
        if key is not None:
            self.keys += map(key, rows)
        self.rows += rows
        self.places.extend(places)
        if not all(map(settled, chunk)):
            self._watched.update(one for one in enumerate(chunk, first) if not settled(one[1]))

    def take(self) -> tuple[list[Row], array[int], list[Any]]:
        """Return rows, places and keys of what was found since the last call."""
        found = self.rows, self.places, self.keys
        self.rows, self.places, self.keys = [], array("q"), []
        return found

    def changed(self, source: list[Row], forgotten: int) -> list[Change]:
        """Return what changed among the rows that were tested. Raises `TooSlow`."""
        result: list[Change] = []
        accept, changing = self.wanted.accept, self.wanted.changing
        deadline = time.perf_counter() + SLICE_S
        with self._limit(SLICE_S + STUCK_S):
            for place in list(islice(self._watched, _LOOK_AGAIN)):
                if accept is not None and time.perf_counter() > deadline:
                    break  # The others come first the next time.
                old = self._watched.pop(place)
                if place < forgotten:
                    continue
                new = source[place - forgotten]
                settled = self._settled(new)
                if new is not old or (changing and not settled):
                    result.append(Change(place, old, new, accept is None or accept(new)))
                if not settled or place >= self.next - RECENT:
                    self._watched[place] = new  # at the end: others are looked at next time
        return result

    def seen(self, place: int) -> Row | None:
        """Return a row as it was when it was looked at last; None: it has not changed since."""
        return self._watched.get(place)

    def unshifted(self, source: list[Row], forgotten: int) -> int | None:
        """Return the place before which no row was inserted late; None when that is long ago.

        Rows have ids in their first fields, which do not change.
        """
        if self.next > forgotten + len(source):
            return None
        place = self.next
        while place > max(forgotten, self.wanted.floor):
            old = self._watched.get(place - 1)
            if old is None:
                return None
            if source[place - 1 - forgotten][0] == old[0]:
                return place
            place -= 1
        return place if place == self.wanted.floor or self.next <= forgotten else None

    def go_back(self, place: int) -> list[tuple[int, Row]]:
        """Forget all from *place* on, to test it again; return what was tested there last."""
        gone = [(at, row) for at, row in self._watched.items() if at >= place]
        for at, _ in gone:
            del self._watched[at]
        self.next = place
        kept = bisect_left(self.places, place)
        del self.rows[kept:], self.places[kept:], self.keys[kept:]
        return gone
