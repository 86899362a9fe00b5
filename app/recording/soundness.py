"""Whether a recording holds what it must: a file may hold anything in any column."""

from __future__ import annotations

import sqlite3
from typing import Any, get_args, get_type_hints

from .cut_off import select, whole

_TYPES = {int: "integer", str: "text", bytes: "blob"}
_COLUMNS = {"where": "where_"}
_LONGEST_NS = 1 << 60
"""No recording lasts for decades, and sums of such times are still machine integers."""
_LATEST_S = 1 << 34
"""Long before the last instant of which every platform knows the date."""


def check_table(database: sqlite3.Connection, table: str, cls: Any, cut_off: bool) -> None:
    """Raise sqlite3.DataError unless the columns of *table* hold what the fields of *cls* say.

    Columns may be missing, and values may be NULL.
    """
    there = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
    tests = " ".join(
        f"WHEN {_is_wrong(column, kind)} THEN '{column}'"
        for column, kind in _kinds(cls).items()
        if column in there
    )
    if not tests:
        return
    query = f"SELECT rowid, CASE {tests} END AS fault FROM {table} WHERE fault IS NOT NULL LIMIT 1"
    for row, column in whole(select(database, query), cut_off):
        raise sqlite3.DataError(f"{table}.{column} in row {row} is not valid")


def _kinds(cls: Any) -> dict[str, str]:
    """Return SQLite's name of the type of each column that *cls* is read from."""
    kinds: dict[str, str] = {}
    for name, hint in get_type_hints(cls).items():
        for kind in (hint, *get_args(hint)):
            if kind in _TYPES:
                kinds[_COLUMNS.get(name, name)] = _TYPES[kind]
    if kinds.pop("owner", None):
        kinds |= {"request_id": "integer", "domain": "text"}
    return kinds


def _is_wrong(column: str, kind: str) -> str:
    wrong = f"typeof({column}) <> '{kind}' AND {column} IS NOT NULL"
    if column.endswith("_ns"):
        wrong += f" OR {column} NOT BETWEEN -{_LONGEST_NS} AND {_LONGEST_NS}"
    return wrong


def check_meta(meta: dict[Any, object]) -> None:
    """Raise sqlite3.DataError unless *meta* has names, and numbers where they are needed."""
    for key, value in meta.items():
        if not isinstance(key, str):
            raise sqlite3.DataError(f"the key {key!r} of meta is no text")
        if key == "started_at":
            sound = isinstance(value, (int, float)) and 0 <= value < _LATEST_S
        else:
            sound = not key.startswith("dropped_") or (isinstance(value, int) and value >= 0)
        if not sound:
            raise sqlite3.DataError(f"{key} in meta is not valid")
