"""Recordings as files: SQLite, readable by any tool; `SCHEMA` is the contract."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from . import headers
from .cut_off import CUT_OFF, connect, select, whole
from .events import (
    CLIENT,
    KINDS,
    SERVER,
    WINDOW,
    Batch,
    Message,
    Request,
    Row,
    domain_of,
    request_of,
    stages_of,
)
from .soundness import check_meta, check_table
from .store import Capacity, Store
from .websocket import close_of

USER_VERSION = 1

SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value);
CREATE TABLE ticks(id INTEGER PRIMARY KEY, start_ns, select_ns, end_ns, ready, timers, descriptors);
CREATE TABLE runs(id INTEGER PRIMARY KEY, tick_id, start_ns, end_ns, name, domain, request_id,
  task_id, cause_run_id, scheduled_ns);
CREATE TABLE connections(id INTEGER PRIMARY KEY, remote, opened_ns, closed_ns, bytes_in, bytes_out,
  descriptor, reason);
CREATE TABLE requests(id INTEGER PRIMARY KEY, connection_id, client, method, uri, version, route,
  handler, status, start_ns, end_ns, request_headers, request_body, response_headers,
  response_body, request_size, response_size, run_id, outcome, request_head, response_head);
CREATE TABLE stages(request_id, seq, name, start_ns, end_ns, detail, PRIMARY KEY(request_id, seq));
CREATE TABLE tasks(id INTEGER PRIMARY KEY, name, coroutine, created_by_run_id, start_ns, end_ns,
  outcome, request_id, file, line);
CREATE TABLE waits(id INTEGER PRIMARY KEY, task_id, request_id, future, where_, start_ns, end_ns,
  resolved_by_run_id);
CREATE TABLE cookies(request_id, seq, direction, name, value, attributes, verdict,
  PRIMARY KEY(request_id, seq));
CREATE TABLE xsrf(request_id, verdict, detail);
CREATE TABLE log(time_ns, level, logger, request_id, text);
CREATE TABLE blocks(id INTEGER PRIMARY KEY, run_id, domain, request_id, file, line, function,
  start_ns, end_ns, stack, interrupted, delayed_count, delayed);
CREATE TABLE messages(id INTEGER PRIMARY KEY, request_id, time_ns, end_ns, direction, opcode, size,
  payload, run_id, detail, close_code, close_reason);
CREATE INDEX runs_by_request ON runs(request_id);
"""


class Fates(NamedTuple):
    """What a client did about one request's cookies, in the words of browsers: *verdicts* on each
    Set-Cookie in the order of the headers, and name, value and reason of each one *withheld*."""

    verdicts: Sequence[str] = ()
    withheld: Sequence[tuple[str, str, str]] = ()


def write(
    store: Store,
    path: Path,
    meta: dict[str, object],
    body_cap: int,
    fates: Callable[[int], Fates] = lambda request_id: Fates(),
) -> None:
    """Write the recording that *store* holds to *path*, replacing it once all is written.

    *fates* tells what became of a request's cookies. Lone surrogates are written as escapes, and
    numbers beyond 64 bits as the nearest within. Raises OSError when it cannot be written; the old
    file is then as it was.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb"):  # sqlite3's own error would not say why.
            pass
        _write(store, partial, meta, body_cap, fates)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except sqlite3.Error as error:
        raise OSError(f"cannot write {path}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _write(
    store: Store,
    path: Path,
    meta: dict[str, object],
    body_cap: int,
    fates: Callable[[int], Fates],
) -> None:
    since = _since(store.origin_ns)
    database = sqlite3.connect(path, isolation_level=None)
    try:
        # So large that the first page of a table leads to all others, wherever the file is cut.
        database.execute("PRAGMA page_size = 16384")
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.executescript(SCHEMA)
        database.execute(f"PRAGMA user_version = {USER_VERSION}")
        database.execute("BEGIN")
        # What matters most comes first: a file is cut off at its end.
        tables: dict[str, Iterable[Row]] = {
            "meta": (_meta(store, meta, body_cap)).items(),
            "requests": _requests(store, since),
            "stages": (
                (row[0], seq, stage.name, since(stage.start_ns), since(stage.end_ns), stage.detail)
                for row in store.requests.rows
                for seq, stage in enumerate(stages_of(row[-1]), 1)
            ),
            "connections": (
                (i, remote, since(a), since(b), *rest)
                for i, remote, a, b, *rest in _rows(store.connections)
            ),
            "cookies": _cookies(store, fates),
            "xsrf": (row for rows in store.xsrf.values() for row in rows),
            "messages": _messages(store, since),
            "log": (
                (since(time), level, logger, request or None, text)
                for time, level, logger, request, text in store.log
            ),
            "blocks": _blocks(store, since),
            "tasks": (
                (
                    i,
                    name,
                    coroutine,
                    cause or None,
                    since(a),
                    since(b),
                    end,
                    request_of(owner),
                    file,
                    line,
                )
                for i, name, coroutine, file, line, owner, cause, a, b, end in _rows(store.tasks)
            ),
            "waits": (
                (i, task, request_of(owner), future, where, since(a), since(b), cause or None)
                for i, task, owner, future, where, a, b, cause in _rows(store.waits)
            ),
            "ticks": (
                (i, since(a), since(b), since(c), *rest) for i, a, b, c, *rest in _rows(store.ticks)
            ),
            "runs": _runs(store, since),
        }
        for table, rows in tables.items():
            _insert(database, table, rows)
        database.execute("COMMIT")
    finally:
        database.close()


def _insert(database: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    columns = len(database.execute(f"PRAGMA table_info({table})").fetchall())
    insert = f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * columns)})"
    rest = iter(rows)
    while batch := list(islice(rest, _TOGETHER)):
        before = database.total_changes
        try:
            database.executemany(insert, batch)
        except (UnicodeEncodeError, OverflowError):
            left = batch[database.total_changes - before :]
            database.executemany(insert, [tuple(map(_storable, row)) for row in left])


_TOGETHER = 1_000
"""How many rows are written together: to look at each value takes longer than to write it."""
_LARGEST = (1 << 63) - 1


def _storable(value: object) -> object:
    """Return *value* as SQLite can hold it: without lone surrogates, in 64 bits."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, int):
        return max(-_LARGEST - 1, min(value, _LARGEST))
    return value


def _since(origin_ns: int) -> Callable[[int | None], int | None]:
    def since(time_ns: int | None) -> int | None:
        return None if time_ns is None else time_ns - origin_ns

    return since


def _rows(table: Any) -> Iterator[Row]:
    return iter(table.rows)


def _meta(store: Store, extra: dict[str, object], body_cap: int) -> dict[str, object]:
    return {
        "format": "loopscope recording",
        "python": platform.python_version(),
        "platform": platform.platform(),
        "body_cap": body_cap,
        "end_ns": store.end_ns - store.origin_ns,
        "written": datetime.now(UTC).isoformat(),
        **{f"forgotten_{kind}": count for kind, count in store.forgotten().items()},
        **extra,
    }


def _runs(store: Store, since: Callable[[int | None], int | None]) -> Iterator[Row]:
    names = {row[0]: row[2] for row in store.tasks.rows}
    for i, tick, start, end, name, owner, task, cause, scheduled in store.runs.rows:
        yield (
            i,
            tick,
            since(start),
            since(end),
            name if name is not None else names.get(task, f"task #{task}"),
            domain_of(owner),
            request_of(owner),
            task or None,
            cause or None,
            since(scheduled) if scheduled else None,
        )


def _requests(store: Store, since: Callable[[int | None], int | None]) -> Iterator[Row]:
    for row in store.requests.rows:
        r = Request(*row)
        yield (
            *(r.id, r.connection_id, r.client, r.method, r.uri, r.version, r.route, r.handler),
            *(r.status, since(r.start_ns), since(r.end_ns)),
            *(headers.as_json(r.request_head), r.request_body),
            *(headers.as_json(r.response_head), r.response_body),
            *(r.request_size, r.response_size, r.run_id, r.outcome),
            *(r.request_head, r.response_head),
        )


def _blocks(store: Store, since: Callable[[int | None], int | None]) -> Iterator[Row]:
    for id_, run, owner, file, line, function, start, end, *rest in store.blocks.rows:
        place = (file, line, function)
        whose = (domain_of(owner), request_of(owner))
        yield (id_, run, *whose, *place, since(start), since(end), *rest)


def _messages(store: Store, since: Callable[[int | None], int | None]) -> Iterator[Row]:
    for row in store.messages.rows:
        id_, request, start, end, *rest = row
        closing = close_of(Message(*row))
        yield (id_, request, since(start), since(end), *rest, *(closing or (None, None)))


def _cookies(store: Store, fates: Callable[[int], Fates]) -> Iterator[Row]:
    for row in store.requests.rows:
        request = Request(*row)
        fate = fates(request.id)
        came = headers.cookies(request.request_head, b"")
        went = headers.set_cookies(request.response_head)
        told = [*fate.verdicts, *[None] * len(went)]
        found: list[tuple[str | None, ...]] = [
            (*cookie, None if headers.is_name(cookie.name) else "ignored") for cookie in came
        ]
        found += [(*cookie, verdict) for cookie, verdict in zip(went, told, strict=False)]
        found += [("withheld", name, value, "", reason) for name, value, reason in fate.withheld]
        ignored = headers.ignored_cookies(request.request_head)
        found += [("in", "", part, "", "ignored") for part in ignored if "=" not in part]
        for seq, cookie in enumerate(found, 1):
            yield (request.id, seq, *cookie)


def read(path: Path) -> tuple[Store, dict[str, object]]:
    """Read a recording; return its store and its ``meta`` table.

    Columns that this version does not know are ignored, missing ones are empty. Of a file that
    lost its end, each table is read up to the last whole row; ``meta`` then has `CUT_OFF`. Raises
    OSError when the file cannot be read, and ValueError when it is no recording or a newer one, or
    when a column holds what none can.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    try:
        database, cut_off = connect(path)
    except sqlite3.Error as error:
        raise ValueError(f"{path} is not a readable recording: {error}") from error
    try:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version != USER_VERSION:
            raise ValueError(f"{path} is not a recording of version {USER_VERSION}")
        meta = dict(whole(select(database, "SELECT key, value FROM meta"), cut_off))
        check_meta(meta)
        if cut_off:
            meta[CUT_OFF] = True
        store = Store(capacity=_EVERYTHING)
        store.apply(_batch(database, cut_off))
        return store, meta
    except sqlite3.Error as error:
        raise ValueError(f"{path} is not a readable recording: {error}") from error
    finally:
        database.close()


_EVERYTHING = Capacity(*(sys.maxsize for _ in Capacity._fields))


class _StageOf(NamedTuple):
    """A stage with the request that it belongs to, as files hold it; for the rest see `Stage`."""

    request_id: int
    name: str
    start_ns: int
    end_ns: int | None
    detail: str | None


def _batch(database: sqlite3.Connection, cut_off: bool) -> Batch:
    rows = {kind: _read_rows(database, kind, cls, cut_off) for kind, cls in KINDS.items()}
    stages: dict[int, list[Any]] = {}
    for request, *stage in _read_rows(database, "stages", _StageOf, cut_off):
        stages.setdefault(request, []).extend(stage)
    rows["requests"] = [(*row[:-1], tuple(stages.get(row[0], ()))) for row in rows["requests"]]
    return Batch(**rows)


_ADDED = frozenset({"blocks", "messages"})
"""The tables that older recordings of this version do not have."""


def _read_rows(database: sqlite3.Connection, kind: str, cls: Any, cut_off: bool) -> list[Row]:
    if kind in _ADDED and not database.execute(f"PRAGMA table_info({kind})").fetchall():
        return []
    check_table(database, kind, cls, cut_off)
    return list(whole(_select_rows(database, kind, cls), cut_off))


def _select_rows(database: sqlite3.Connection, kind: str, cls: Any) -> Iterator[Row]:
    database.row_factory = sqlite3.Row
    plain = (int, str, bytes)
    empty = {name: hint() for name, hint in get_type_hints(cls).items() if hint in plain}
    for found in select(database, f"SELECT * FROM {kind} ORDER BY rowid"):
        known = dict(found)
        values = dict(known)
        if "owner" in cls._fields:
            values["owner"] = known.get("request_id") or _OWNERS.get(known.get("domain", ""), 0)
        values["where"] = known.get("where_")
        found_values = ((name, values.get(name)) for name in cls._fields)
        yield tuple(empty.get(name) if value is None else value for name, value in found_values)


_OWNERS = {"server": SERVER, "window": WINDOW, "client": CLIENT}
