"""Which tasks have waited longest, found without going over all of them each time."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from .events import Row

IDLE = "HTTP1ServerConnection._server_request_loop"
"""The coroutine of a connection's own task, which mostly waits for the next request."""
FETCH = "_HTTPConnection.run"
"""The coroutine in which Tornado's simple_httpclient carries out a request."""
_AHEAD = 1_200
"""How many tasks are remembered from one look to the next."""


class Longest:
    """Tasks in the order of their waits, those of connections behind all others.

    Waits are numbered as they begin: those found once stay the longest until they end, and all
    tasks are gone over only when too few are left. *row_of* gives a row to a task that has none.
    """

    def __init__(self, row_of: Callable[[Any], Row]) -> None:
        self._row_of = row_of
        self._ahead: list[tuple[int, weakref.ref[Any]]] = []
        """The waits that were found last, by number, and their tasks."""
        self.fetching: list[weakref.ref[Any]] = []
        """The tasks that carried out HTTP requests when all were gone over: those on which the
        tasks found last may wait."""

    def of(self, loop: asyncio.AbstractEventLoop, limit: int) -> list[Any]:
        """Return up to *limit* tasks of *loop* that have not finished."""
        found = list(islice(self._going_on(), limit))
        return found if len(found) == limit else list(islice(self._all(loop), limit))

    def _going_on(self) -> Iterator[Any]:
        for number, ref in self._ahead:
            task = ref()
            wait = getattr(task, "_loopscope_wait", None)
            if wait is not None and wait[0] == number:
                yield task

    def _all(self, loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
        waiting: tuple[dict[int, Any], dict[int, Any]] = ({}, {})
        ready: tuple[dict[int, Any], dict[int, Any]] = ({}, {})
        self.fetching = []
        for task in asyncio.all_tasks(loop):
            row = getattr(task, "_loopscope", None) or self._row_of(task)
            wait = getattr(task, "_loopscope_wait", None)
            idle = row[2] == IDLE
            if wait is None:
                ready[idle][row[0]] = task
            else:
                waiting[idle][wait[0]] = task
                if row[2] == FETCH:
                    self.fetching.append(weakref.ref(task))
        own = waiting[False]
        self._ahead = [(n, weakref.ref(own[n])) for n in sorted(own)[:_AHEAD]]
        for group in (own, ready[False], waiting[True], ready[True]):
            yield from map(group.__getitem__, sorted(group))
