"""Recordings that lost their end: what came before it is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

CUT_OFF = "cut_off"
"""The key in ``meta`` of a recording that lost its end. No file holds it."""
_HEAD = 100
T = TypeVar("T")


def connect(path: Path) -> tuple[sqlite3.Connection, bool]:
    """Open the recording at *path* for reading; tell whether it lost its end.

    SQLite refuses a file that has fewer pages than its head says. In memory, the head is made to
    fit; what refers to a page that is gone is an error then, at which `whole` stops. Raises OSError
    and sqlite3.Error.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    size = int.from_bytes(head[16:18], "big")
    size = 65536 if size == 1 else size
    there = path.stat().st_size // size if size else 0
    if not there or there >= int.from_bytes(head[28:32], "big"):
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True), False
    data = bytearray(path.read_bytes()[: there * size])
    data[28:32] = there.to_bytes(4, "big")
    database = sqlite3.connect(":memory:")
    try:
        database.deserialize(bytes(data))
    except BaseException:
        database.close()
        raise
    return database, True


def select(database: sqlite3.Connection, query: str) -> Iterator[Any]:
    """Yield the rows of *query*; whatever is wrong is raised as they are asked for."""
    yield from database.execute(query)  # It reads the first row at once, and may fail at that.


def whole(rows: Iterable[T], cut_off: bool) -> Iterator[T]:
    """Yield *rows* as far as they can be read; if not *cut_off*, all must."""
    try:
        yield from rows
    except sqlite3.DatabaseError:
        if not cut_off:
            raise
