"""Where a request's time went: each instant counts once, and all add up to the whole."""

from __future__ import annotations

import random

from app.recording import phases
from app.recording.events import Request, Row
from app.recording.phases import merged, total, without
from app.recording.store import Store

from .widgets.sample import MS, batch, request


def run(id_: int, start: int, end: int, owner: int) -> Row:
    """Return a run's row; times in ms."""
    return (id_, id_, start * MS, end * MS, "step", owner, 0, 0, start * MS)


def wait(id_: int, start: int, end: int | None, owner: int = 1) -> Row:
    """Return the row of a wait of the handler."""
    until = None if end is None else end * MS
    return (id_, id_, owner, "sleep", "h.py:1 in get", start * MS, until, 0)


def split(store: Store, now: int = 0) -> dict[str, float]:
    """Return the phases of request 1, in ms."""
    row = store.requests.get(1)
    assert row is not None
    found = phases.phases(store, Request(*row), now * MS)
    assert sum(phase.time_ns for phase in found) == (row[10] or now * MS) - row[9]
    return {phase.name: phase.time_ns / MS for phase in found if phase.time_ns}


def recorded(stages: tuple[object, ...], end: int | None = 100) -> Row:
    """Return the row of request 1, from 0 ms on; *stages* in ms."""
    row = request(1, 0, None if end is None else end * MS, 200)
    times = [part * MS if isinstance(part, int) else part for part in stages]
    return (*row[:-1], tuple(times))


STAGES = ("initialize", 10, 12, None, "get", 12, 70, None, "finish", 80, 90, None)


def test_a_request_is_received_runs_waits_is_blocked_and_sent() -> None:
    store = Store()
    runs = [run(1, 0, 2, 1), run(2, 10, 20, 1), run(3, 50, 65, 2), run(4, 70, 72, 1)]
    store.apply(batch(requests=[recorded(STAGES)], runs=runs, waits=[wait(1, 20, 55)]))
    assert split(store) == {
        "received": 8,
        "running": 14,
        "waiting": 35,
        "blocked": 10,  # from 55 on, when it could have gone on
        "rest": 13,
        "sending": 20,
    }


def test_a_body_in_parts_is_being_received_until_the_last() -> None:
    store = Store()
    stages = ("prepare", 5, 6, None, "data_received", 40, 41, None, "post", 60, 61, None)
    store.apply(batch(requests=[recorded(stages)]))
    assert split(store) == {"received": 41, "rest": 59}


def test_what_never_arrived_whole_was_being_received() -> None:
    store = Store()
    store.apply(batch(requests=[recorded((), 30)]))
    assert split(store) == {"received": 30}


def test_a_request_under_way_is_shown_until_now() -> None:
    store = Store()
    stages = ("get", 10, None, None)
    store.apply(batch(requests=[recorded(stages, None)], waits=[wait(1, 20, None)]))
    assert split(store, 50) == {"received": 10, "rest": 10, "waiting": 30}


def test_spans_agree_with_counting_instants() -> None:
    chance = random.Random(9)
    for _ in range(300):
        spans = [
            (at, at + chance.randrange(6)) for at in chance.sample(range(40), chance.randrange(8))
        ]
        taken = [
            (at, at + chance.randrange(6)) for at in chance.sample(range(40), chance.randrange(8))
        ]
        ours = {n for start, end in spans for n in range(start, end)}
        theirs = {n for start, end in taken for n in range(start, end)}
        left = without(merged(spans), merged(taken))
        assert {n for start, end in left for n in range(start, end)} == ours - theirs
        assert total(left) == len(ours - theirs)
