"""The store's small indexes."""

from __future__ import annotations

from app.recording.lookup import SHORT_NS, ByOwner, LongSpans


def test_ids_by_owner_are_in_order_and_noted_once() -> None:
    index = ByOwner(1)
    index.add([(1, 7), (2, 8), (3, 7)])
    index.add([(3, 7), (4, 7)])
    assert list(index.of(7)) == [1, 3, 4]
    assert list(index.of(9)) == []
    index.forget_before(8)
    assert list(index.of(7)) == []
    assert list(index.of(8)) == [2]


def test_one_owner_cannot_fill_the_memory() -> None:
    index = ByOwner(1, capacity=100)
    index.add([(n, -1) for n in range(1, 1001)])
    assert 50 <= len(index.of(-1)) <= 101
    assert index.of(-1)[-1] == 1000


def test_long_spans_across_an_instant_are_found() -> None:
    spans = LongSpans(1, 2)
    long = SHORT_NS * 10
    spans.add([(1, 0, long), (2, 0, None), (3, 5, 10), (4, 0, long * 100), (5, long, long * 3)])
    spans.add([(1, 0, long)])
    assert spans.across(long // 2) == [1, 4]
    assert spans.across(long * 2) == [4, 5]
    assert spans.across(long * 200) == []
