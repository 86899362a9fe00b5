"""Rows of one kind, in the order of their ids, as many as there is room for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import itemgetter

from .events import Row

_id = itemgetter(0)
STEPS = 50
"""In how many steps, about, as many rows are forgotten as a table has room for."""


class Table:
    """Rows of one kind in the order of their ids, bounded: the oldest are forgotten first.

    Look-up by id takes constant time as long as ids are consecutive, else logarithmic time.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.rows: list[Row] = []
        self.forgotten = 0
        self.last_forgotten = 0
        """The highest id that was forgotten."""

    def __len__(self) -> int:
        return len(self.rows)

    def index(self, id_: int) -> int | None:
        """Return the index in `rows` of the row with this id, or None."""
        rows = self.rows
        if not rows:
            return None
        guess = id_ - rows[0][0]
        if 0 <= guess < len(rows) and rows[guess][0] == id_:
            return int(guess)
        found = self.position(id_)
        return found if found < len(rows) and rows[found][0] == id_ else None

    def position(self, id_: int) -> int:
        """Return the index in `rows` at which this id stands or would stand."""
        return bisect_left(self.rows, id_, key=_id)

    def get(self, id_: int | None) -> Row | None:
        """Return the row with this id, or None when it is unknown or forgotten."""
        rows = self.rows
        if not id_ or not rows:
            return None
        guess: int = id_ - rows[0][0]
        if 0 <= guess < len(rows) and rows[guess][0] == id_:
            return rows[guess]
        found = self.index(id_)
        return None if found is None else rows[found]

    def extend(self, rows: list[Row]) -> list[Row]:
        """Add *rows*, all of them new. Return those forgotten for them."""
        self.rows.extend(rows)
        return self._trim()

    def upsert(self, rows: list[Row]) -> list[Row]:
        """Add or replace *rows*, which come in the order of their ids. Return those forgotten.

        A row whose first version was forgotten stays forgotten.
        """
        own = self.rows
        known = bisect_right(rows, own[-1][0], key=_id) if own else 0
        first = own[0][0] if own else 0
        for row in rows[:known]:
            id_ = row[0]
            found: int | None = id_ - first
            if not 0 <= id_ - first < len(own) or own[id_ - first][0] != id_:
                found = self.index(id_)
            if found is not None:
                own[found] = row
            elif id_ > self.last_forgotten:
                own.insert(bisect_left(own, id_, key=_id), row)
        own.extend(rows[known:])
        return self._trim()

    def _trim(self) -> list[Row]:
        # Removing from the front of a list moves all the rest, but freeing many rows takes longer.
        excess = len(self.rows) - self.capacity
        return self.forget(excess) if excess > self.capacity // STEPS else []

    def forget(self, count: int) -> list[Row]:
        """Forget the oldest *count* rows and return them."""
        gone = self.rows[:count]
        del self.rows[:count]
        if gone:
            self.forgotten += len(gone)
            self.last_forgotten = gone[-1][0]
        return gone


class OwnedTable(Table):
    """Rows that begin in the order of their ids and belong to someone, as two fields say."""

    def __init__(self, capacity: int, owner: int, start: int) -> None:
        super().__init__(capacity)
        self._owner = owner
        self._start = itemgetter(start)

    def started(self, time_ns: float) -> int:
        """Return the index of the first row that began at an instant or later."""
        return bisect_left(self.rows, time_ns, key=self._start)

    def first_id(self) -> int:
        """Return the id of the oldest row, 0 without any."""
        return self.id_at(0) if self.rows else 0

    def id_at(self, at: int) -> int:
        """Return the id of the row at an index."""
        return int(self.rows[at][0])

    def ids_of(self, owner: int, first: int, end: int) -> list[int]:
        """Return the ids of the owner's rows between two indexes."""
        at = self._owner
        return [row[0] for row in self.rows[first:end] if row[at] == owner]
