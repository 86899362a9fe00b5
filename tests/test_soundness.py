"""Files that look like recordings and hold what none can: refused in words."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from app.recording import capture
from app.recording.store import Store

from .test_program import refused
from .widgets.sample import batch, message, request

DERIVED = {"seq", "request_headers", "response_headers", "close_code", "close_reason"}
"""Columns that are for other readers."""
ODD = {"real": "1.5", "text": "'abc'", "blob": "x'ff00'", "number": "7", "inf": "9e999"}


def _change(file: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        for statement in statements:
            database.execute(statement)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording with one row of each kind."""
    store = Store()
    store.apply(
        batch(
            ticks=[(1, 0, 1, 9, 1, 0, 4)],
            runs=[(1, 1, 2, 8, "f", 1, 1, 1, 1)],
            connections=[(1, "127.0.0.1:5", 0, 9, 10, 20, 5, "closed")],
            requests=[(*request(1, 1, 8, 200)[:-1], ("get", 2, 7, "done"))],
            tasks=[(1, "Task-1", "main", "a.py", 3, 1, 1, 1, 8, "done")],
            waits=[(1, 1, 1, "sleep", "a.py:4", 3, 6, 1)],
            xsrf=[(1, "passed", "{}")],
            log=[(4, "INFO", "a", 1, "hello")],
            blocks=[(1, 1, 1, "a.py", 3, "f", 2, 8, "stack", 0, 0, "[]")],
            messages=[message(1, 1, 5, "in")],
        )
    )
    path = tmp_path_factory.mktemp("sound") / "sound.loopscope"
    capture.write(store, path, {"started_at": 1.7e9, "dropped_runs": 0}, 1000)
    return path


def _columns(file: Path) -> list[tuple[str, str, object]]:
    """Return table, column and the value that it has."""
    with contextlib.closing(sqlite3.connect(file)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        found = []
        for (table,) in tables:
            rows = database.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in rows.description]
            found += [(table, *pair) for pair in zip(names, rows.fetchone() or (), strict=False)]
    return [each for each in found if each[1] not in DERIVED]


def test_a_value_of_another_type_is_refused_in_any_column(sound: Path, tmp_path: Path) -> None:
    file, seen = tmp_path / "odd.loopscope", 0
    for table, column, value in _columns(sound):
        if table in ("meta", "cookies") or column == "id" or value is None:
            continue
        for kind, odd in ODD.items():
            if kind == {str: "text", bytes: "blob", int: "number"}.get(type(value)):
                continue
            shutil.copy(sound, file)
            _change(file, f"UPDATE {table} SET {column} = {odd}")
            with pytest.raises(ValueError, match=rf"odd\.loopscope .*{table}\.{column}\b"):
                capture.read(file)
            seen += 1
    assert seen > 200


def test_empty_columns_are_read(sound: Path, tmp_path: Path) -> None:
    file = tmp_path / "empty.loopscope"
    shutil.copy(sound, file)
    for table, column, _ in _columns(sound):
        if table != "meta" and column != "id":
            _change(file, f"UPDATE {table} SET {column} = NULL")
    store, _ = capture.read(file)
    assert len(store.requests.rows) == 1


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE requests SET status = 'abc'", "requests.status"),
        ("UPDATE runs SET end_ns = 9223372036854775807", "runs.end_ns"),
        ("UPDATE log SET time_ns = -9223372036854775808", "log.time_ns"),
        ("UPDATE meta SET value = 'many' WHERE key = 'dropped_runs'", "dropped_runs"),
        ("UPDATE meta SET value = NULL WHERE key = 'dropped_runs'", "dropped_runs"),
        ("UPDATE meta SET value = 9e999 WHERE key = 'started_at'", "started_at"),
        ("UPDATE meta SET value = 'nan' WHERE key = 'started_at'", "started_at"),
        ("INSERT INTO meta VALUES (x'ff', 1)", "meta"),
    ],
)
def test_what_cannot_be_shown_is_told_in_one_line(
    sound: Path, tmp_path: Path, statement: str, told: str
) -> None:
    shutil.copy(sound, tmp_path / "odd.loopscope")
    _change(tmp_path / "odd.loopscope", statement)
    status, line = refused("--offscreen", "--open", "odd.loopscope", cwd=tmp_path)
    assert status == 2
    assert "odd.loopscope" in line
    assert told in line
