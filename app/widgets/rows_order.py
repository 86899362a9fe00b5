"""Rows in the order in which a table shows them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from app.recording.events import Row

Placed = tuple[Row, int, Any]
"""A row, its place in the source (see `rows_scan.Scan`), and what it is sorted by."""


class Ordered:
    """Rows sorted by *key*, those alike in the order of their places; by place without a *key*.

    *keys* are what *key* returned for the *rows* when they were found, or nothing without it.
    """

    def __init__(
        self,
        rows: Sequence[Row] = (),
        places: Sequence[int] = (),
        keys: Sequence[Any] = (),
        *,
        key: Callable[[Row], Any] | None = None,
        descending: bool = False,
    ) -> None:
        self.key = key
        self._descending = descending
        self.rows = list(rows)
        self.places = array("q", places)
        self.keys = list(keys)
        if key is not None:
            order = sorted(range(len(keys)), key=keys.__getitem__, reverse=descending)
            self.rows = [rows[at] for at in order]
            self.places = array("q", [places[at] for at in order])
            self.keys = [keys[at] for at in order]

    def find(self, place: int, row: Row) -> int | None:
        """Return the index of what is shown of a place; *row* is what stood there last."""
        at = self._position(place, None if self.key is None else self.key(row))
        return at if at < len(self.places) and self.places[at] == place else None

    def _position(self, place: int, key: Any) -> int:
        """Return the index at which a row stands or would stand."""
        places, keys, descending = self.places, self.keys, self._descending
        if self.key is None:
            return bisect_left(places, place)
        low, high = 0, len(keys)
        while low < high:
            middle = (low + high) // 2
            other = keys[middle]
            if places[middle] < place if other == key else (other < key) != descending:
                low = middle + 1
            else:
                high = middle
        return low

    def before(self, place: int) -> list[int]:
        """Return the indexes of all rows with places below *place*."""
        if self.key is None:
            return list(range(bisect_left(self.places, place)))
        return [at for at, other in enumerate(self.places) if other < place]

    def precedes(self, places: Sequence[int]) -> bool:
        """Return whether rows with *places*, in order, simply come at the end."""
        own = self.places
        return self.key is None and not (own and places and places[0] < own[-1])

    def extend(self, rows: Sequence[Row], places: Sequence[int]) -> None:
        """Add rows that simply come at the end."""
        self.rows += rows
        self.places.extend(places)

    def scattered(self, new: list[Placed]) -> int:
        """Return how many of *new* rows do not simply come at the end."""
        if self.key is not None:
            return len(new)
        last = self.places[-1] if self.places else -1
        return sum(place < last for _, place, _ in new)

    def remove(self, first: int, last: int) -> None:
        """Remove the rows from index *first* to *last*."""
        end = last + 1
        del self.rows[first:end], self.places[first:end], self.keys[first:end]

    def insert(self, at: int, group: Sequence[Placed]) -> None:
        """Insert rows at an index that `groups` gave."""
        rows, places, keys = zip(*group, strict=True)
        self.rows[at:at] = rows
        self.places[at:at] = array("q", places)
        if self.key is not None:
            self.keys[at:at] = keys

    def groups(self, new: list[Placed]) -> list[tuple[int, list[Placed]]]:
        """Return *new* rows in their order, those together that are to be inserted at one index.

        The last group is to be inserted first, as the indexes are those of now.
        """
        new.sort(key=itemgetter(1))
        if self.key is not None:
            new.sort(key=itemgetter(2), reverse=self._descending)
        elif new and (not self.places or new[0][1] > self.places[-1]):
            return [(len(self.places), new)]
        at = {place: self._position(place, key) for _, place, key in new}
        return [(index, list(group)) for index, group in groupby(new, key=lambda one: at[one[1]])]


def merged(numbers: list[int]) -> list[tuple[int, int]]:
    """Return sorted *numbers* as (first, last) ranges without gaps."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and number <= ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges
