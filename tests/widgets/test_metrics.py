"""What is summed up over a span of time."""

from __future__ import annotations

import pytest

from app.recording.events import CLIENT, SERVER, WINDOW, Row
from app.recording.store import Store
from app.widgets.metrics import SECOND_NS, Sums, measure, together

from .sample import MS, batch, request

NOW = 10 * SECOND_NS
SINCE = NOW - SECOND_NS


def tick(id_: int, select_ns: int, end_ns: int) -> Row:
    """Return a tick's row."""
    return (id_, select_ns - 10, select_ns, end_ns, 1, 0, 1)


def run(
    id_: int,
    start_ns: int,
    end_ns: int,
    owner: int = SERVER,
    *,
    tick_id: int = 1,
    task: int = 1,
    cause: int = 1,
    waited: int = 0,
) -> Row:
    """Return the row of a run that had been scheduled *waited* ns before."""
    name = None if task else "callback"
    return (id_, tick_id, start_ns, end_ns, name, owner, task, cause, start_ns - waited)


def test_nothing_recorded_is_nothing() -> None:
    sums = measure(Store(), 5 * SECOND_NS)
    assert sums == Sums(SECOND_NS)
    assert sums.busy == 0.0


def test_each_domain_has_the_time_of_its_runs_and_the_loop_the_rest_of_its_ticks() -> None:
    store = Store()
    at = SINCE + 100 * MS
    runs = [
        run(1, at, at + 40 * MS, 7),
        run(2, at + 40 * MS, at + 70 * MS, SERVER),
        run(3, at + 70 * MS, at + 90 * MS, CLIENT),
        run(4, at + 90 * MS, at + 100 * MS, WINDOW),
    ]
    store.apply(batch(ticks=[tick(1, at - 2 * MS, at + 101 * MS)], runs=runs))
    sums = measure(store, NOW)
    assert sums.server_ns == 70 * MS
    assert sums.client_ns == 20 * MS
    assert sums.window_ns == 10 * MS
    assert sums.loop_ns == 3 * MS
    assert sums.runs == 4
    assert sums.busy == pytest.approx(0.103)


def test_only_what_is_within_the_second_counts() -> None:
    store = Store()
    runs = [
        run(1, SINCE - 300 * MS, SINCE - 200 * MS),
        run(2, SINCE - 50 * MS, SINCE + 20 * MS, CLIENT, tick_id=2, waited=MS),
        run(3, NOW - 30 * MS, NOW + 70 * MS, tick_id=3, waited=2 * MS),
        run(4, NOW + 80 * MS, NOW + 90 * MS, tick_id=4),
    ]
    ticks = [tick(row[1], row[2], row[3]) for row in runs]
    requests = [request(1, SINCE - 5), request(2, SINCE), request(3, NOW - 1), request(4, NOW)]
    store.apply(batch(ticks=ticks, runs=runs, requests=requests))
    sums = measure(store, NOW)
    assert (sums.client_ns, sums.server_ns, sums.loop_ns) == (20 * MS, 30 * MS, 0)
    assert (sums.runs, sums.requests, sums.lags) == (1, 2, [2 * MS])


def test_one_long_run_is_the_whole_second() -> None:
    store = Store()
    store.apply(batch(ticks=[tick(1, 0, 20 * SECOND_NS)], runs=[run(1, 0, 20 * SECOND_NS)]))
    sums = measure(store, NOW)
    assert (sums.server_ns, sums.loop_ns, sums.busy) == (SECOND_NS, 0, 1.0)


def test_what_qt_had_of_a_long_tick_is_not_the_loops() -> None:
    store = Store()
    at = SINCE
    # The third handle had to wait for the window's turn of 40 ms.
    runs = [
        run(1, at, at + 4 * MS),
        run(2, at + 4 * MS, at + 7 * MS),
        run(3, at + 47 * MS, at + 50 * MS),
    ]
    store.apply(batch(ticks=[tick(1, at, at + 51 * MS)], runs=runs))
    sums = measure(store, NOW)
    assert (sums.server_ns, sums.loop_ns) == (10 * MS, MS)


def test_the_lag_is_how_long_a_handle_was_ready() -> None:
    store = Store()
    runs = [
        run(1, SINCE, SINCE + 1, waited=3 * MS),
        run(2, SINCE + 1, SINCE + 2, task=0, cause=0, waited=2 * MS),
        run(3, SINCE + 3, SINCE + 4, WINDOW, waited=MS),
    ]
    store.apply(batch(runs=runs))
    assert measure(store, NOW).lags == [3 * MS, 2 * MS, MS]
    assert measure(store, NOW, held=True).lags == [MS]


def test_neighbouring_spans_add_up() -> None:
    store = Store()
    runs = [run(n, SINCE + n * 7 * MS, SINCE + n * 7 * MS + 6 * MS, -(n % 3)) for n in range(1, 99)]
    ticks = [tick(row[0], row[2] - MS // 2, row[3]) for row in runs]
    runs = [(row[0], row[0], *row[2:]) for row in runs]
    waits = [(n, 1, 1, "f", "w", SINCE + n * MS, None, 0) for n in range(1, 9)]
    stages = ("get", SINCE, None, None) * 3
    requests = [(*request(n, SINCE + n * 9 * MS)[:-1], stages) for n in range(1, 99)]
    store.apply(batch(ticks=ticks, runs=runs, waits=waits, requests=requests))
    quarter = SECOND_NS // 4
    parts = [measure(store, SINCE + n * quarter, quarter) for n in (1, 2, 3, 4)]
    assert together(parts) == measure(store, NOW)
    assert (together(parts).stages, together(parts).waits) == (98 * 3, 8)
