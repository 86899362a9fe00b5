"""The rows of runs, kept by column: most of what is recorded, and so most of the memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from struct import Struct
from typing import Any, overload

from .events import Row, Run

_NAME = Run._fields.index("name")
_WIDTH = len(Run._fields)
_NAMES = 100_000
"""How many different names of runs are told apart."""
_BLOCK = 4096


class Names(dict[str | None, int]):
    """Name of a run → its number in `texts`; a new name is added to them."""

    def __init__(self) -> None:
        self.texts: list[str | None] = []

    def __missing__(self, name: str | None) -> int:
        if len(self.texts) > _NAMES:
            name = "…"
            if name in self:
                return self[name]
        self[name] = number = len(self.texts)
        self.texts.append(name)
        return number


class RunLog(Sequence[Row]):
    """Rows of runs as they are recorded: the fields of all of them behind one another.

    A tuple kept for each run would be walked by the garbage collector.
    """

    def __init__(self) -> None:
        self._names = Names()
        self._fields: list[Any] = []
        self.add: Callable[[Row], None] = self._fields.extend
        """Adds a row."""

    def __len__(self) -> int:
        return len(self._fields) // _WIDTH

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        first = range(len(self))[at] * _WIDTH
        return tuple(self._fields[first : first + _WIDTH])

    def drop(self, count: int) -> None:
        """Remove the last *count* rows."""
        del self._fields[len(self._fields) - count * _WIDTH :]

    def take(self) -> RunRows:
        """Return all rows by column, and forget them here."""
        fields, names = self._fields, self._names
        fields[_NAME::_WIDTH] = list(map(names.__getitem__, fields[_NAME::_WIDTH]))
        flat = array("q")
        # Far quicker than an array made of them, and "n" than "q", which is the same.
        flat.frombytes(Struct(f"{len(fields)}n").pack(*fields))
        fields.clear()
        return RunRows(names, [flat[at::_WIDTH] for at in range(_WIDTH)])


class RunRows(Sequence[Row]):
    """Rows of runs in the order of their ids; they are made as they are asked for.

    Machine integers by column take a third of the memory of tuples, and little of the processor's
    cache as they come and go. What only needs one field reads its `column`.
    """

    def __init__(
        self, names: Names | None = None, columns: Sequence[array[int]] | None = None
    ) -> None:
        self._names = Names() if names is None else names
        self._columns = tuple(columns or (array("q") for _ in Run._fields))

    def __len__(self) -> int:
        return len(self._columns[0])

    def column(self, field: str) -> array[int]:
        """Return a field of all rows; ``name`` as a number. It grows and shrinks with them."""
        return self._columns[Run._fields.index(field)]

    def extend(self, rows: Sequence[Row]) -> None:
        """Add *rows* behind the others."""
        if not rows:
            return
        if isinstance(rows, RunRows):
            if not self:
                self._names = rows._names
            if rows._names is self._names:
                for column, more in zip(self._columns, rows._columns, strict=True):
                    column.extend(more)
                return
        fields: list[Any] = list(zip(*rows, strict=True))
        fields[_NAME] = map(self._names.__getitem__, fields[_NAME])
        pack = Struct(f"{len(rows)}n").pack
        for column, values in zip(self._columns, fields, strict=True):
            column.frombytes(pack(*values))

    def forget(self, count: int) -> None:
        """Remove the first *count* rows."""
        for column in self._columns:
            del column[:count]

    def name(self, at: int) -> str:
        """Return the name of the run at an index, empty for a step of a task."""
        return self._names.texts[self.column("name")[at]] or ""

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        id_, tick, start, end, name, owner, task, cause, scheduled = self._columns
        names = self._names.texts
        if isinstance(at, slice):
            return list(
                zip(
                    *(id_[at], tick[at], start[at], end[at]),
                    map(names.__getitem__, name[at]),
                    *(owner[at], task[at], cause[at], scheduled[at]),
                    strict=True,
                )
            )
        return (
            *(id_[at], tick[at], start[at], end[at], names[name[at]]),
            *(owner[at], task[at], cause[at], scheduled[at]),
        )

    def __iter__(self) -> Iterator[Row]:
        for first in range(0, len(self), _BLOCK):
            yield from self[first : first + _BLOCK]


class RunTable:
    """The runs of a recording, bounded: the oldest are forgotten first."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.rows = RunRows()
        self.forgotten = 0
        self._ids = self.rows.column("id")

    def __len__(self) -> int:
        return len(self.rows)

    def position(self, id_: int) -> int:
        """Return the index in `rows` at which this id stands or would stand."""
        ids = self._ids
        # They are consecutive as long as none was dropped.
        guess = id_ - ids[0] if ids else 0
        if 0 <= guess < len(ids) and ids[guess] == id_:
            return guess
        return bisect_left(ids, id_)

    def get(self, id_: int | None) -> Row | None:
        """Return the row with this id, or None when it is unknown or forgotten."""
        if not id_:
            return None
        at = self.position(id_)
        return self.rows[at] if at < len(self._ids) and self._ids[at] == id_ else None

    def started(self, time_ns: float) -> int:
        """Return the index of the first row that began at an instant or later."""
        return bisect_left(self.rows.column("start_ns"), time_ns)

    def ended(self, time_ns: float) -> int:
        """Return the index of the first row that ended at an instant or later."""
        return bisect_left(self.rows.column("end_ns"), time_ns)

    def first_id(self) -> int:
        """Return the id of the oldest row, 0 without any."""
        return self._ids[0] if self._ids else 0

    def id_at(self, at: int) -> int:
        """Return the id of the row at an index."""
        return self._ids[at]

    def ids_of(self, owner: int, first: int, end: int) -> list[int]:
        """Return the ids of the owner's rows between two indexes."""
        owners = self.rows.column("owner")[first:end]
        if owner not in owners:
            return []
        pairs = zip(self._ids[first:end], owners, strict=True)
        return [id_ for id_, own in pairs if own == owner]

    def extend(self, rows: Sequence[Row]) -> bool:
        """Add *rows*, all of them new. Return whether any were forgotten for them."""
        self.rows.extend(rows)
        excess = len(self._ids) - self.capacity
        # In very large steps: removing from the front moves all the rest, and takes many ms.
        if excess <= self.capacity // 2:
            return False
        self.rows.forget(excess)
        self.forgotten += excess
        return True
