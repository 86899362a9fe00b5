"""The figures in the top bar: what happened within the last second."""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter
from typing import NamedTuple

from app.recording.events import Request, Tick
from app.recording.store import Store

SECOND_NS = 1_000_000_000
_REQUEST_START = itemgetter(Request._fields.index("start_ns"))
_SELECTED, _END = (
    itemgetter(Tick._fields.index("select_ns")),
    itemgetter(Tick._fields.index("end_ns")),
)


class Metrics(NamedTuple):
    """Requests per second, and the share of a second in which the loop ran what was ready."""

    requests_per_second: int
    busy: float


def measure(store: Store, now_ns: int) -> Metrics:
    """Return the figures for the second before *now_ns* (a time on the recorder's clock)."""
    requests = store.requests.rows
    first = bisect_left(requests, now_ns - SECOND_NS, key=_REQUEST_START)
    return Metrics(len(requests) - first, busy(store, now_ns))


def busy(store: Store, now_ns: int, span_ns: int = SECOND_NS) -> float:
    """Return the share of the span before *now_ns* in which the loop ran what was ready."""
    since = now_ns - span_ns
    ticks = store.ticks.rows
    ticks = ticks[bisect_left(ticks, since, key=_END) :]
    # In C as far as possible: there may be thousands of ticks in a second.
    total = sum(map(_END, ticks)) - sum(map(_SELECTED, ticks))
    if ticks:
        total -= max(0, since - _SELECTED(ticks[0])) + max(0, _END(ticks[-1]) - now_ns)
    return float(min(max(total / span_ns, 0.0), 1.0))
