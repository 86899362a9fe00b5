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
    since = now_ns - SECOND_NS
    requests = store.requests.rows
    first = bisect_left(requests, since, key=_REQUEST_START)
    ticks = store.ticks.rows
    ticks = ticks[bisect_left(ticks, since, key=_END) :]
    # In C as far as possible: there may be thousands of ticks in a second.
    busy = sum(map(_END, ticks)) - sum(map(_SELECTED, ticks))
    if ticks:
        busy -= max(0, since - _SELECTED(ticks[0])) + max(0, _END(ticks[-1]) - now_ns)
    return Metrics(len(requests) - first, min(max(busy / SECOND_NS, 0.0), 1.0))
