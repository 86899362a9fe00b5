"""What the loop's lane says when its ticks are wide enough: select, sockets, timers, callbacks."""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter
from typing import NamedTuple

from app.recording.events import Run
from app.recording.store import Store

from .timeline_lanes import LABEL_LEAST, cut
from .timeline_view import View

SELECT, SOCKET, TIMER, CALLBACK = "select", "socket", "timer", "callback"
MANY = 120
"""With more ticks or runs in view, none of them is wide enough for a word."""
_TIMERS = frozenset(
    {
        "_set_result_unless_cancelled",
        "_release_waiter",
        "Timeout._on_timeout",
        "with_timeout.<locals>.timeout_callback",
        "PeriodicCallback._run",
        "sleep.<locals>.<lambda>",
    }
)
"""The callbacks that asyncio and Tornado give to ``call_at`` and ``call_later`` only."""
_tick_start, _tick_end = itemgetter(1), itemgetter(3)


class Part(NamedTuple):
    """One part of a tick: which, where, the name of what ran, and whose it was."""

    kind: str
    left: int
    right: int
    name: str
    owner: int


def parts(store: Store, view: View) -> list[Part]:
    """Return the parts of the ticks in view that are wide enough for a word."""
    rows = store.ticks.rows
    first = bisect_left(rows, view.start, key=_tick_end)
    last = bisect_left(rows, view.end, first, key=_tick_start)
    if last - first > MANY:
        return []
    found = []
    for row in rows[first:last]:
        left, right = cut(view, row[1], row[2])
        if right - left >= LABEL_LEAST:
            found.append(Part(SELECT, left, right, "select", 0))
    runs = store.runs
    first, last = runs.ended(view.start), runs.started(view.end)
    for run_row in runs.rows[first:last] if last - first <= MANY else []:
        left, right = cut(view, run_row[2], run_row[3])
        if right - left >= LABEL_LEAST:
            run = Run(*run_row)
            found.append(Part(kind_of(run), left, right, store.name_of(run), run.owner))
    return found


def kind_of(run: Run) -> str:
    """Return what made a run ready: a socket, a timer, or a callback that was scheduled."""
    if not run.scheduled_ns:
        return SOCKET
    return TIMER if run.name in _TIMERS else CALLBACK
