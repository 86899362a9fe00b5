"""The figures in the top bar: what happened within the last second."""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter
from typing import NamedTuple

from app.recording.events import Run
from app.recording.store import Store

SECOND_NS = 1_000_000_000
_START, _END = itemgetter(Run._fields.index("start_ns")), itemgetter(Run._fields.index("end_ns"))


class Metrics(NamedTuple):
    """Requests per second, and the share of a second that the loop was running handles."""

    requests_per_second: int
    busy: float


def measure(store: Store, now_ns: int) -> Metrics:
    """Return the figures for the second before *now_ns* (a time on the recorder's clock)."""
    since = now_ns - SECOND_NS
    requests = store.requests.rows
    first = bisect_left(requests, since, key=lambda row: row[9])
    runs = store.runs_between(since, now_ns)
    # In C as far as possible: there may be 30,000 runs in a second.
    busy = sum(map(_END, runs)) - sum(map(_START, runs))
    if runs:
        busy -= max(0, since - runs[0][2]) + max(0, runs[-1][3] - now_ns)
    return Metrics(len(requests) - first, min(busy / SECOND_NS, 1.0))
