"""Holding the server: pause, single steps, a slower pace, and the clock that goes with them.

Only what belongs to the server is held back; the window and the clients live on the same loop and
go on. `TickLoop` asks a `Hold` in each tick while it is `active`, and not at all otherwise.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from app.loop.handles import SocketHandle
from app.recording.events import SERVER, WINDOW
from app.recording.recorder import OWNER, Recorder

SLOWEST = 1 / 100
"""The slowest pace."""


class Hold:
    """What is held back of the server, and how its clock stands.

    The server's clock is the loop's until the first hold; from then on it lags behind by the time
    that was held. Times are in seconds on the loop's clock unless they say otherwise. *changed* is
    called when the clock's rate changes, *wake* when something may run.
    """

    def __init__(
        self, recorder: Recorder, changed: Callable[[], None], wake: Callable[[], None]
    ) -> None:
        self.paused = False
        self.pace = 1.0
        """How fast the server goes, as a share of its own speed."""
        self.parked: deque[Any] = deque()
        """The handles that are ready and held back, in the order in which they became ready."""
        self.moved = False
        """Whether the server's clock ever left the loop's."""
        self._recorder = recorder
        self._changed = changed
        self._wake = wake
        self._anchor = (0.0, 0.0)
        """An instant on the loop's clock, and the server's time then."""
        self._steps = 0
        self._until: Callable[[], bool] | None = None
        self._next_ns = 0
        """When the next handle may run at a slow pace."""

    @property
    def active(self) -> bool:
        """Whether something is or may have to be held back."""
        return self.paused or self.pace != 1 or bool(self.parked)

    # -- What the user does --------------------------------------------------------------------

    def pause(self) -> None:
        """Let nothing of the server run, and stop its clock."""
        self._set(True, self.pace)

    def resume(self) -> None:
        """Let the server go on at its pace."""
        self._set(False, self.pace)

    def set_pace(self, pace: float) -> None:
        """Let the server and its clock go at *pace*, from `SLOWEST` to 1. Raises ValueError."""
        if not SLOWEST <= pace <= 1:
            raise ValueError(f"a pace is between {SLOWEST} and 1")
        self._set(self.paused, pace)

    def step_run(self) -> None:
        """Let one handle run. Where none is ready, the clock jumps to the next timer."""
        self._step(1)

    def step_tick(self) -> None:
        """Let all handles run that are ready."""
        self._step(max(1, len(self.parked)))

    def step_until(self, reached: Callable[[], bool]) -> None:
        """Let handles run, one in each tick, until *reached* says so after one of them."""
        self._step(1)
        self._until = reached

    def _step(self, count: int) -> None:
        if not self.paused:
            self.pause()
        self._steps = count
        self._wake()

    def _set(self, paused: bool, pace: float) -> None:
        now = time.monotonic()
        self._anchor = (now, self.time(now))
        self.moved = self.moved or paused or pace != 1
        self.paused, self.pace = paused, pace
        self._steps, self._until, self._next_ns = 0, None, 0
        self._changed()

    # -- The server's clock --------------------------------------------------------------------

    @property
    def rate(self) -> float:
        """How fast the server's clock goes: 0 while it is paused."""
        return 0.0 if self.paused else self.pace

    def time(self, now: float) -> float:
        """Return what the server's clock shows when the loop's shows *now*."""
        if not self.moved:
            return now
        since, then = self._anchor
        return then + (now - since) * self.rate

    def loop_time(self, when: float) -> float:
        """Return the loop's time at which the server's clock shows *when*; infinity for never."""
        if not self.moved:
            return when
        since, then = self._anchor
        if when <= then:
            return since
        return since + (when - then) / self.rate if self.rate else math.inf

    def jump(self, when: float) -> None:
        """Set the server's clock on to *when*, in its own time."""
        now = time.monotonic()
        self._anchor = (now, max(when, self.time(now)))

    # -- What the loop asks --------------------------------------------------------------------

    def is_server(self, handle: Any) -> bool:
        """Return whether a handle belongs to the server."""
        return self.owner_of(handle) >= SERVER

    def owner_of(self, handle: Any) -> int:
        """Return whom a handle belongs to, as in `events`."""
        owner = None
        if type(handle) is SocketHandle:
            owner = self._recorder.owners.get(handle.descriptor)
        return handle._context.get(OWNER, WINDOW) if owner is None else owner

    def clock_of(self, handle: Any, now: float) -> float:
        """Return what the clock that *handle* goes by shows when the loop's shows *now*."""
        return self.time(now) if self.is_server(handle) else now

    def sift(self, ready: deque[Any]) -> bool:
        """Take from *ready* what belongs to the server, and put back what of it may run now.

        Return whether a step is to be taken and nothing is ready for it.
        """
        parked = self.parked
        # A socket that is ready is reported in every tick.
        sockets = {id(handle) for handle in parked if type(handle) is SocketHandle}
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not self.is_server(handle):
                ready.append(handle)
            elif id(handle) not in sockets:
                parked.append(handle)
        while parked and parked[0]._cancelled:
            parked.popleft()
        count = min(self._allowed(), len(parked))
        ready.extend(parked.popleft() for _ in range(count))
        return self.stepping and not count

    def _allowed(self) -> int:
        if self.paused:
            return self._steps
        if self.pace == 1:
            return len(self.parked)
        return int(time.monotonic_ns() >= self._next_ns)

    @property
    def stepping(self) -> bool:
        """Whether a step is being taken."""
        return self._steps > 0

    def ran(self, tick_id: int) -> bool:
        """Take note of the tick that was just recorded; return whether it ran anything held."""
        held = False
        for run in reversed(self._recorder.runs):
            if run[1] != tick_id:
                break
            start, end, owner = run[2], run[3], run[5]
            if owner >= SERVER:
                held = True
                self._next_ns = end + int((end - start) * (1 / self.pace - 1))
        return held

    def tick_over(self, progress: bool) -> None:
        """The tick is over: what is left of a step is forgotten, unless it has a goal.

        *progress* says whether something of the server ran, or its clock jumped.
        """
        self._steps = 0
        if self._until is not None:
            if not progress or self._until():
                self._until = None
            else:
                self._steps = 1
                self._wake()

    def delay(self) -> float:
        """Return how soon what is parked may run, in s: infinity when it must be let go first."""
        if not self.parked or (self.paused and not self._steps):
            return math.inf
        return max(0.0, (self._next_ns - time.monotonic_ns()) / 1e9)
