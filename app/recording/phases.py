"""Where the time of a request went, from what was recorded of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .events import Request, Stage
from .store import Store

Span = tuple[int, int]

RECEIVED, WAITING, RUNNING = "received", "waiting", "running"
BLOCKED, SENDING, REST = "blocked", "sending", "rest"
MOST = 50_000
"""How many runs of others are looked at, at most, in one gap."""


class Phase(NamedTuple):
    """A share of a request's time, in ns, and of how many parts it consists."""

    name: str
    time_ns: int
    parts: int = 0


def phases(store: Store, request: Request, now_ns: int) -> list[Phase]:
    """Return how a request spent its time until its end or *now_ns*; they add up to the whole.

    Each instant counts once, for the first of these that holds: one of its runs went on; its
    handler waited; its body was being received; its answer was being sent; others ran.
    """
    end = max(now_ns, request.start_ns) if request.end_ns is None else request.end_ns
    runs, waits = store.runs_of(request.id), store.handler_waits_of(request.id)
    stages = store.stages_of(request.id)
    free: list[Span] = [(request.start_ns, end)]
    found: dict[str, Phase] = {}

    def take(name: str, spans: Iterable[Span], parts: int = 0) -> None:
        nonlocal free
        left = without(free, merged(spans))
        found[name] = Phase(name, total(free) - total(left), parts)
        free = left

    take(RUNNING, [(run.start_ns, run.end_ns) for run in runs], len(runs))
    waited = [(wait.start_ns, end if wait.end_ns is None else wait.end_ns) for wait in waits]
    take(WAITING, waited, len(waits))
    take(RECEIVED, [(request.start_ns, _received(stages, end))])
    take(SENDING, [(_answered(stages, end), end)])
    take(BLOCKED, [span for gap in free for span in _others(store, gap)])
    found[REST] = Phase(REST, total(free))
    return [found[name] for name in (RECEIVED, WAITING, RUNNING, BLOCKED, SENDING, REST)]


def _received(stages: Sequence[Stage], end: int) -> int:
    """Return when the body was there: Tornado calls a handler then, or hands it the parts."""
    if not stages:
        return end
    parts = [stage for stage in stages if stage.name == "data_received"]
    return (parts[-1].end_ns or end) if parts else stages[0].start_ns


def _answered(stages: Sequence[Stage], end: int) -> int:
    """Return when the handler gave its last word."""
    return next((stage.start_ns for stage in stages if stage.name == "finish"), end)


def _others(store: Store, gap: Span) -> list[Span]:
    """Return the runs within a time in which none of the request's own went on."""
    first, last = store.runs.ended(gap[0]), store.runs.started(gap[1])
    if last - first > MOST:
        return []
    rows = store.runs.rows
    starts, ends = rows.column("start_ns")[first:last], rows.column("end_ns")[first:last]
    return list(zip(starts, ends, strict=True))


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return *spans* in order, those joined that overlap."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        elif end > start:
            result.append((start, end))
    return result


def without(spans: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """Return what is left of *spans* outside of *taken*; both in order and apart."""
    result: list[Span] = []
    first = 0
    for start, end in spans:
        while first < len(taken) and taken[first][1] <= start:
            first += 1
        at = first
        while at < len(taken) and taken[at][0] < end:
            if taken[at][0] > start:
                result.append((start, taken[at][0]))
            start = max(start, taken[at][1])
            at += 1
        if start < end:
            result.append((start, end))
    return result


def total(spans: Iterable[Span]) -> int:
    """Return how long *spans* last together."""
    return sum(end - start for start, end in spans)
