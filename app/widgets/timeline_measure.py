"""A span of time that is measured: how long it is, and what happened in it."""

from __future__ import annotations

from typing import NamedTuple

from app.recording.store import Store

from .timeline_list import InView, requests_in
from .timeline_traffic import Traffic


class Measured(NamedTuple):
    """How long a span is, in ns, and how many runs and requests took place in it."""

    duration_ns: int
    runs: int
    requests: int


class Measure:
    """A span from where the user began to where the pointer is, whichever comes first."""

    def __init__(self, from_ns: float, to_ns: float) -> None:
        self.from_ns = from_ns
        self.to_ns = to_ns

    @property
    def start_ns(self) -> float:
        """The earlier end."""
        return min(self.from_ns, self.to_ns)

    @property
    def end_ns(self) -> float:
        """The later end."""
        return max(self.from_ns, self.to_ns)

    def of(self, store: Store, traffic: Traffic) -> Measured:
        """Return the figures: of runs and requests that lie in the span, at least in part."""
        start, end = self.start_ns, self.end_ns
        runs = max(0, store.runs.started(end) - store.runs.ended(start))
        span = requests_in(store, start, end)
        kinds = (traffic.requests, traffic.websockets)
        requests = sum(len(InView(span, ids)) for ids in kinds)
        return Measured(round(end - start), runs, requests)


def exactly(ns: int) -> str:
    """Return a duration to the nanosecond in groups of three digits: ``1.250 000 000 s``."""
    for unit, digits, name in ((10**9, 9, "s"), (10**6, 6, "ms"), (10**3, 3, "µs")):
        if ns >= unit:
            whole, rest = divmod(ns, unit)
            tail = f"{rest:0{digits}d}"
            groups = " ".join(tail[n : n + 3] for n in range(0, digits, 3))
            return f"{whole:,}.{groups} {name}"
    return f"{ns} ns"
