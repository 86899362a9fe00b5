"""The store's small indexes."""

from __future__ import annotations

from operator import itemgetter

from app.recording.lookup import SHORT_NS, ByOwner, LongSpans


def test_ids_by_owner_are_found_in_order_and_once() -> None:
    rows = [(1, 7, 10), (2, 8, 20), (3, 7, 30)]
    index = ByOwner(rows, 1, itemgetter(2))
    assert index.of(7, 0) == [1, 3]
    rows += [(4, 7, 40), (5, 7, 50)]
    assert index.of(7, 0, 45) == [1, 3, 4]
    assert index.of(7, 0) == [1, 3, 4, 5]
    assert index.of(9, 0) == []
    del rows[:2]
    assert index.of(7, 0) == [3, 4, 5]


def test_only_the_owners_asked_for_last_are_remembered() -> None:
    rows = [(n, n, n) for n in range(1, 1001)]
    index = ByOwner(rows, 1, itemgetter(2), capacity=10)
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
