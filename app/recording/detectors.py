"""Detectors of mistakes that nobody logs: they look at what was recorded, and at who waits."""

from __future__ import annotations

import asyncio

from .events import Batch, Request, Wait
from .mistakes import Reports
from .recorder import Recorder
from .store import Store
from .stuck import Stuck
from .together import Together

PATIENCE_NS = 3_000_000_000
"""How long a request must have lasted for its waits to be looked at, and the time between looks."""
_LONG_NS = 1_500_000_000
"""How long those waits must have lasted, in ns."""
_REST = 500
"""How many times as long as a look takes there is none."""
_START = Request._fields.index("start_ns")


class Detectors:
    """Looks for mistakes after each batch; what takes time is done seldom, and only with cause."""

    def __init__(self, recorder: Recorder, loop: asyncio.AbstractEventLoop) -> None:
        self._recorder = recorder
        self._loop = loop
        self._reports = Reports(recorder)
        self._together = Together()
        self._stuck = Stuck()
        self._stuck_due_ns = 0

    def look(self, store: Store, batch: Batch) -> None:
        """Report what can be told now that *store* holds *batch*."""
        if batch.requests:
            now = self._recorder.clock()
            for number, place, times in self._together.look(store, batch.requests, now):
                self._reports.report("sequential-awaits", number, place, times)
        if store.open_requests:
            self._look_at_waits(store)

    def _look_at_waits(self, store: Store) -> None:
        now = self._recorder.clock()
        oldest = next(iter(store.open_requests.values()))
        if now < self._stuck_due_ns or now - oldest[_START] < PATIENCE_NS:
            return
        for row in self._stuck.look(self._loop, now - _LONG_NS):
            wait = Wait(*row)
            self._reports.report("unresolvable-future", wait.owner, wait.where, wait.future)
        after = self._recorder.clock()
        self._stuck_due_ns = after + max(PATIENCE_NS, _REST * (after - now))
