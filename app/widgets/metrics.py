"""What happened in a span of time: requests, whose runs took it, and how late they ran."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import itemgetter, sub
from typing import NamedTuple

from app.recording.columns import RunTable
from app.recording.events import CLIENT, SERVER, WINDOW, Message, Request, Row, Tick, Wait
from app.recording.store import Store

from .timeline_strip import late_left

SECOND_NS = 1_000_000_000
LONG_NS = 5_000_000
"""A tick that lasted longer may have been interrupted for Qt's turn: the loop's budget is 6 ms."""
LOOKED = 2_500
"""Of more runs than this, every so many is looked at for its lag. While one of them keeps the
others waiting for long, there are not that many."""

_tick_select, _tick_end = (itemgetter(Tick._fields.index(name)) for name in ("select_ns", "end_ns"))
_request_start = itemgetter(Request._fields.index("start_ns"))
_stages = itemgetter(Request._fields.index("stages"))
_wait_start = itemgetter(Wait._fields.index("start_ns"))
_message_time = itemgetter(Message._fields.index("time_ns"))


class Sums(NamedTuple):
    """What happened in a span of time. `together` adds up spans that do not overlap.

    ``server_ns``, ``client_ns`` and ``window_ns`` are how long runs of each domain lasted,
    ``loop_ns`` how long the loop was busy between them; ``requests``, ``runs``, ``waits`` and
    ``stages`` count what began, the messages of WebSockets among the stages.

    ``lags`` are the times for which handles were ready before they ran, in ns.
    """

    span_ns: int = 0
    requests: int = 0
    server_ns: int = 0
    client_ns: int = 0
    window_ns: int = 0
    loop_ns: int = 0
    runs: int = 0
    waits: int = 0
    stages: int = 0
    lags: Sequence[int] = ()

    @property
    def busy(self) -> float:
        """The share of the span in which the loop ran what was ready."""
        busy = self.server_ns + self.client_ns + self.window_ns + self.loop_ns
        return min(1.0, busy / self.span_ns) if self.span_ns else 0.0


def together(parts: Iterable[Sums]) -> Sums:
    """Return the sums over all *parts*."""
    *counts, lags = zip(Sums(), *parts, strict=True)
    return Sums._make((*map(sum, counts), list(chain.from_iterable(lags))))


def measure(store: Store, now_ns: int, span_ns: int = SECOND_NS, *, held: bool = False) -> Sums:
    """Return what happened in the span before *now_ns* (a time on the recorder's clock).

    *held* says that the server was held back meanwhile: what it waited for that is no lag.
    """
    since = now_ns - span_ns
    requests = _begun(store.requests.rows, _request_start, since, now_ns)
    runs = _Runs(store.runs, since, now_ns)
    ticks = _overlapping(store.ticks.rows, _tick_select, _tick_end, since, now_ns)
    if not (runs.starts or ticks or requests):
        return Sums(span_ns)
    window, client = runs.times_of(WINDOW, CLIENT)
    return Sums(
        span_ns,
        len(requests),
        max(0, runs.total - window - client),
        client,
        window,
        max(0, _ticks_time(ticks, runs, since, now_ns) - runs.total),
        runs.begun,
        len(_begun(store.waits.rows, _wait_start, since, now_ns)),
        sum(map(len, map(_stages, requests))) // 4
        + len(_begun(store.messages.rows, _message_time, since, now_ns)),
        runs.lags(held),
    )


class _Runs:
    """The runs in a span, by column: in C as far as possible, there may be 30,000 in a second."""

    def __init__(self, table: RunTable, since: int, until: int) -> None:
        first, last = table.ended(since + 1), table.started(until)
        self._since, self._until = since, until
        self.ticks, self.starts, self.ends, self._owners, self._due = (
            table.rows.column(field)[first:last]
            for field in ("tick_id", "start_ns", "end_ns", "owner", "scheduled_ns")
        )
        self.total = sum(self.ends) - sum(self.starts)
        """How long they lasted within the span."""
        self.begun = len(self.starts)
        """How many began within the span."""
        if self.starts:
            before, after = since - self.starts[0], self.ends[-1] - until
            self.total -= max(0, before) + max(0, after)
            self.begun -= before > 0

    def times_of(self, *owners: int) -> list[int]:
        """Return how long the runs of owners other than the server lasted within the span."""
        times = dict.fromkeys(owners, 0)
        for at in [at for at, owner in enumerate(self._owners) if owner < SERVER]:
            lasted = min(self.ends[at], self._until) - max(self.starts[at], self._since)
            times[self._owners[at]] += lasted
        return list(times.values())

    def lags(self, held: bool) -> list[int]:
        """Return how long handles were ready before they ran; of many runs, of some."""
        some = slice(len(self.starts) - self.begun, None, self.begun // LOOKED + 1)
        lags = map(sub, self.starts[some], self._due[some])
        if not held:
            return list(lags)
        return [lag for lag, owner in zip(lags, self._owners[some], strict=True) if owner < SERVER]


def _begun(rows: list[Row], start: Callable[[Row], int], since: int, until: int) -> list[Row]:
    first = late_left(rows, since, start)
    return rows[first : late_left(rows, until, start)]


def _overlapping(
    rows: list[Row],
    start: Callable[[Row], int],
    end: Callable[[Row], int],
    since: int,
    until: int,
) -> list[Row]:
    first = late_left(rows, since + 1, end)
    return rows[first : late_left(rows, until, start)]


def _ticks_time(ticks: list[Row], runs: _Runs, since: int, until: int) -> int:
    """Return how long the ticks lasted within a span, without what Qt had of it in between."""
    if not ticks:
        return 0
    lasted = list(map(sub, map(_tick_end, ticks), map(_tick_select, ticks)))
    total: int = sum(lasted)
    total -= max(0, since - _tick_select(ticks[0])) + max(0, _tick_end(ticks[-1]) - until)
    for id_ in [tick[0] for tick, ns in zip(ticks, lasted, strict=True) if ns > LONG_NS]:
        first = bisect_left(runs.ticks, id_)
        last = bisect_left(runs.ticks, id_ + 1, first)
        # Within a turn a run begins when the one before it ends.
        between = map(sub, runs.starts[first + 1 : last], runs.ends[first:last])
        total -= sum(gap for gap in between if gap > 0)
    return total
