"""The store's small indexes."""

from __future__ import annotations

from app.recording.columns import RunTable
from app.recording.events import Row
from app.recording.lookup import SHORT_NS, ByOwner, LongSpans


def run(id_: int, owner: int, start: int) -> Row:
    """Return a run's row."""
    return (id_, 1, start, start + 1, None, owner, 0, 0, start)


def test_ids_by_owner_are_found_in_order_and_once() -> None:
    table = RunTable(1000)
    table.extend([run(1, 7, 10), run(2, 8, 20), run(3, 7, 30)])
    index = ByOwner(table)
    assert index.of(7, 0) == [1, 3]
    table.extend([run(4, 7, 40), run(5, 7, 50)])
    assert index.of(7, 0, 45) == [1, 3, 4]
    assert index.of(7, 0) == [1, 3, 4, 5]
    assert index.of(9, 0) == []
    table.rows.forget(2)
    assert index.of(7, 0) == [3, 4, 5]


def test_only_the_owners_asked_for_last_are_remembered() -> None:
    table = RunTable(10_000)
    table.extend([run(n, n, n) for n in range(1, 1001)])
    index = ByOwner(table, capacity=10)
    for owner in range(1, 1001):
        assert index.of(owner, 0) == [owner]
    assert len(index._known) == 10


def test_long_spans_across_an_instant_are_found() -> None:
    spans = LongSpans()
    long = SHORT_NS * 10
    for id_, start, end in ((1, 0, long), (4, 0, long * 100), (5, long, long * 3)):
        spans.add(id_, start, end)
    assert spans.across(long // 2) == [1, 4]
    assert spans.across(long * 2) == [4, 5]
    assert spans.across(long * 200) == []
