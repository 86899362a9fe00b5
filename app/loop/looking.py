"""What a `TickLoop` tells of itself: its sockets, timers, ready handles and pending tasks."""

from __future__ import annotations

import heapq
import math
import selectors
import socket
import time
from collections import deque
from itertools import chain, islice
from typing import Any

import qasync

from app.loop.handles import SocketHandle, stepped_task
from app.loop.hold import Hold
from app.recording.events import WINDOW
from app.recording.recorder import OWNER, Recorder
from app.recording.snapshot import LoopNow, PendingTask, Ready, Socket, Timer
from app.recording.tasks import TaskWatch, label

_LISTED = 300
"""How many timers one look lists at most."""


class Looking(qasync.QSelectorEventLoop):  # type: ignore[misc]
    """Looks at a `TickLoop`; a part of it."""

    __slots__ = ()
    _ready: deque[Any]
    _scheduled: list[Any]
    _selector: Any
    _ssock: socket.socket
    _tick_id: int
    _timer_cancelled_count: int
    hold: Hold
    recorder: Recorder
    tasks: TaskWatch

    def now(self, limit: int) -> LoopNow:
        """Return how the loop stands at this instant; at most *limit* entries of each kind."""
        now = time.monotonic()
        return LoopNow(
            tick_id=self._tick_id,
            sockets=self.sockets(0, limit),
            timers=[
                Timer(
                    max(0.0, timer._when - self.hold.clock_of(timer, now)),
                    label(timer._callback, timer._args),
                    timer._context.get(OWNER, WINDOW),
                )
                for timer in self._next_timers(min(limit, _LISTED))
            ],
            ready=[
                Ready(self._describe(handle), self.hold.owner_of(handle))
                for handle in islice(chain(self.hold.parked, self._ready), limit)
                if not handle._cancelled
            ],
            socket_count=len(self._selector.get_map()) if self._selector else 0,
            timer_count=len(self._scheduled) - self._timer_cancelled_count,
            ready_count=len(self.hold.parked) + len(self._ready),
        )

    def sockets(self, first: int, count: int) -> list[Socket]:
        """Return up to *count* sockets of the selector, in its own order from *first* on."""
        keys = self._selector.get_map() if self._selector else {}
        # The descriptors are gone through in C, of thousands within microseconds.
        return [self._socket(keys[fd]) for fd in islice(keys, first, first + count)]

    def _next_timers(self, count: int) -> list[Any]:
        """Return the timers that are due first; no walk over all of the heap but while paused."""
        heap: list[Any] = self._scheduled
        if not self.hold.rate:  # By the loop's clock the server's are never due then.
            now = time.monotonic()
            behind = now - self.hold.time(now)
            due = (
                (timer._when + behind if at == math.inf else at, number, timer)
                for at, number, timer in heap
                if not timer._cancelled
            )
            return [timer for _, _, timer in heapq.nsmallest(count, due)]
        found: list[Any] = []
        ahead = [(heap[0], 0)] if heap else []
        while ahead and len(found) < count:
            entry, at = heapq.heappop(ahead)
            if not entry[2]._cancelled:
                found.append(entry[2])
            for below in (2 * at + 1, 2 * at + 2):
                if below < len(heap):
                    heapq.heappush(ahead, (heap[below], below))
        return found

    def pending_tasks(self, limit: int) -> list[PendingTask]:
        """Return the tasks that have not finished, longest wait first."""
        loop: Any = self
        return self.tasks.pending(loop, limit)

    def _socket(self, key: selectors.SelectorKey) -> Socket:
        role = self.recorder.sockets.get(key.fd, "other")
        if self._ssock is not None and key.fd == self._ssock.fileno():
            role = "own"
        role, _, text = role.partition(" ")
        flags = "r" * (key.data[0] is not None) + "w" * (key.data[1] is not None)
        return Socket(key.fd, flags, role, self.recorder.owners.get(key.fd, 0), text)

    def _describe(self, handle: Any) -> str:
        task = stepped_task(handle._callback)
        if task is not None:
            row = getattr(task, "_loopscope", None)
            return f"step {row[2] if row else task.get_name()}"
        if handle.__class__ is SocketHandle:
            return str(handle.name)
        return label(handle._callback, handle._args)
