"""The figures of the last second."""

from __future__ import annotations

from app.recording.store import Store
from app.widgets.metrics import SECOND_NS, Metrics, measure

from .sample import batch, request


def tick(id_: int, select_ns: int, end_ns: int) -> tuple[object, ...]:
    """Return a tick's row."""
    return (id_, select_ns - 10, select_ns, end_ns, 1, 0, 1)


def test_nothing_recorded_is_nothing() -> None:
    assert measure(Store(), 5 * SECOND_NS) == Metrics(0, 0.0)


def test_only_the_last_second_counts() -> None:
    store = Store()
    now = 10 * SECOND_NS
    since = now - SECOND_NS
    ticks = [
        tick(1, 0, SECOND_NS),
        tick(2, since - 50, since + 200_000_000),
        tick(3, since + 300_000_000, since + 400_000_000),
    ]
    requests = [request(1, 0, 5), request(2, since + 1, None), request(3, since + 2, None)]
    store.apply(batch(ticks=ticks, requests=requests))
    figures = measure(store, now)
    assert figures.requests_per_second == 2
    assert abs(figures.busy - 0.3) < 1e-6
    assert measure(store, now + 2 * SECOND_NS) == Metrics(0, 0.0)


def test_one_long_tick_is_the_whole_second() -> None:
    store = Store()
    store.apply(batch(ticks=[tick(1, 0, 20 * SECOND_NS)]))
    assert measure(store, 10 * SECOND_NS).busy == 1.0
