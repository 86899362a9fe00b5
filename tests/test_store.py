"""The store as a fold: whatever the order in which things become known."""

from __future__ import annotations

from app.recording.recorder import Recorder
from app.recording.store import Capacity, Store

from .widgets.sample import batch, request


def test_a_request_known_only_after_a_later_one_is_open_until_it_ends() -> None:
    store = Store()
    store.apply(batch(requests=[request(6, 10, 20, 200)]))
    store.apply(batch(requests=[request(5, 5)]))
    assert list(store.open_requests) == [5]
    assert [row[0] for row in store.requests.rows] == [5, 6]
    store.apply(batch(requests=[request(5, 5, 40, 200)]))
    assert not store.open_requests
    assert store.requests.get(5)[8] == 200  # type: ignore[index]


def test_bytes_are_counted_once_and_given_back() -> None:
    def with_body(id_: int, size: int) -> tuple[object, ...]:
        row = list(request(id_, id_, id_ + 1, 200))
        row[12] = b"x" * size
        return tuple(row)

    store = Store(capacity=Capacity(requests=10, bytes=1000))
    for id_ in range(1, 101):
        store.apply(batch(requests=[with_body(id_, 10)]))
        store.apply(batch(requests=[with_body(id_, 10)]))  # Its last stages came later.
    assert store.bytes == 10 * len(store.requests)
    store.apply(batch(requests=[with_body(101, 995)]))
    assert store.bytes <= 1000
    assert store.requests.rows[-1][0] == 101


def test_requests_are_forgotten_a_few_at_a_time() -> None:
    # To free thousands at once would hold up a frame.
    store, kept = Store(capacity=Capacity(requests=1_000)), []
    for id_ in range(1, 2_001):
        store.apply(batch(requests=[request(id_, id_, id_ + 1, 200)]))
        kept.append(len(store.requests))
    assert max(kept) <= 1_021
    assert min(kept[1_000:]) == 1_000


def test_ticks_are_forgotten_with_their_runs() -> None:
    store = Store(capacity=Capacity(runs=100))
    for n in range(1, 301):
        tick = (n, n * 10, n * 10, n * 10 + 5, 1, 0, 0)
        run = (n, n, n * 10 + 1, n * 10 + 4, "f", 0, 0, 0, 0)
        store.apply(batch(ticks=[tick], runs=[run]))
    assert len(store.runs) <= 150
    assert store.ticks.rows[0][0] == store.runs.rows[0][1]


class Young:
    """A request under way."""

    def __init__(self, recorder: Recorder, id_: int) -> None:
        self.stages: list[object] = []
        self.id = id_
        self.start_ns = recorder.clock()
        self.end_ns: int | None = None
        recorder.changed_requests[id_] = self

    def row(self) -> tuple[object, ...]:
        """Return its row."""
        return request(self.id, self.start_ns, self.end_ns)


def test_what_has_just_begun_is_left_for_a_later_drain() -> None:
    recorder = Recorder()
    young = Young(recorder, 1)
    assert recorder.drain(settle_ns=10**9).requests == []
    young.end_ns = recorder.clock()
    assert [row[0] for row in recorder.drain(settle_ns=10**9).requests] == [1]
    assert recorder.drain().requests == []


def test_nothing_is_drained_before_what_began_earlier() -> None:
    recorder = Recorder()
    requests = [Young(recorder, id_) for id_ in (1, 2, 3)]
    requests[1].end_ns = recorder.clock()
    assert [row[0] for row in recorder.drain(settle_ns=10**9).requests] == [1, 2]
    assert [row[0] for row in recorder.drain().requests] == [3]
