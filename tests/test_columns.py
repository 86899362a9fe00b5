"""The rows of runs, kept by column."""

from __future__ import annotations

import pytest

from app.recording.columns import RunTable
from app.recording.events import Row


def run(id_: int, name: str | None = None) -> Row:
    """Return a run's row."""
    return (id_, id_ // 3, id_ * 10, id_ * 10 + 5, name, id_ - 3, id_, id_ - 1, id_ * 10 - 1)


ROWS = [run(id_, (None, "callback", "read fd 7")[id_ % 3]) for id_ in range(1, 10_001)]


@pytest.fixture
def table() -> RunTable:
    """Return a table with all of the rows, which came in several batches."""
    table = RunTable(20_000)
    for first in range(0, len(ROWS), 777):
        table.extend(ROWS[first : first + 777])
    return table


def test_rows_come_back_as_they_were(table: RunTable) -> None:
    assert list(table.rows) == ROWS
    assert table.rows[17] == ROWS[17]
    assert table.rows[-1] == ROWS[-1]
    assert table.rows[100:2000:7] == ROWS[100:2000:7]
    with pytest.raises(IndexError):
        table.rows[10_000]


def test_nothing_added_is_nothing(table: RunTable) -> None:
    assert not table.extend([])
    assert len(table) == len(ROWS)


def test_rows_are_found_by_id_start_and_end(table: RunTable) -> None:
    assert table.get(5000) == ROWS[4999]
    assert table.get(0) is table.get(None) is table.get(10_001) is None
    assert table.started(500) == 49
    assert table.started(501) == 50
    assert table.ended(505) == 49
    assert table.ended(506) == 50


def test_ids_need_not_be_consecutive() -> None:
    table = RunTable(100)
    table.extend([run(1), run(2), run(8), run(9)])
    assert table.get(8) == run(8)
    assert table.get(5) is None
    assert table.position(5) == 2


def test_the_oldest_are_forgotten_in_steps() -> None:
    table = RunTable(1000)
    forgot = [table.extend([run(id_)]) for id_ in range(1, 2001)]
    assert 1000 <= len(table) <= 1500
    assert forgot.count(True) == 1
    assert table.forgotten + len(table) == 2000
    assert table.get(table.first_id()) == run(table.first_id())
    assert table.get(table.first_id() - 1) is None


def test_names_without_end_need_memory_with_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.recording.columns._NAMES", 3)
    table = RunTable(1000)
    table.extend([run(id_, f"f{id_}") for id_ in range(1, 10)])
    names = [row[4] for row in table.rows]
    assert names[:3] == ["f1", "f2", "f3"]
    assert set(names[4:]) == {"…"}
