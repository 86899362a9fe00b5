"""The figures in the top bar: what happened within the last second."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from app.recording.store import Store

SECOND_NS = 1_000_000_000


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
    busy = sum([row[3] - max(row[2], since) for row in runs])
    return Metrics(len(requests) - first, min(busy / SECOND_NS, 1.0))
