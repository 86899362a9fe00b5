"""Breakpoints: which requests are parked, before which stage, and until when.

A request that is parked awaits a Future, like any other that waits; nothing else is held up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

STAGES = ("received", "prepare", "verb", "finish")
"""Where a request can be parked: when it is received in full, before its handler is made; before
``prepare``; before the method of its verb; before ``finish``."""

PARKED = "parked before "
"""How the stages are called that parked requests leave; a method's name follows."""
RESUMED, GONE, KILLED = "resumed", "gone", "killed"
"""Why a request is parked no longer: it may go on, its connection is closed, it must not go on."""


class Breakable(Protocol):
    """What a breakpoint asks of a request."""

    id: int
    route: str | None
    handler: str | None
    end_ns: int | None
    parked: Place | None

    @property
    def client(self) -> str | None:
        """The built-in client that asks."""

    @property
    def method(self) -> str:
        """The verb, in capitals."""

    def begin_stage(self, name: str, start_ns: int) -> int:
        """Record a stage that goes on; return its place."""

    def end_stage(self, place: int, detail: str | None) -> None:
        """Record the end of a stage."""

    def close(self) -> None:
        """Close the connection."""


@dataclass(frozen=True)
class Breakpoint:
    """Parks requests before a stage; None stands for any. Two that stop the same are equal.

    *route* is the pattern that leads to the handler, *handler* the name of its class, *client* the
    name of a built-in client. Raises ValueError for an unknown stage.
    """

    stage: str
    route: str | None = None
    handler: str | None = None
    client: str | None = None
    method: str | None = None
    enabled: bool = field(default=True, compare=False)

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise ValueError(f"no such stage: {self.stage}")

    def matches(self, request: Breakable) -> bool:
        """Return whether it concerns *request*, whatever its stage."""
        return (
            (self.route is None or self.route.removesuffix("$") == request.route)
            and (self.handler is None or self.handler == request.handler)
            and (self.client is None or self.client == request.client)
            and (self.method is None or self.method == request.method)
        )


class Parked(NamedTuple):
    """A request that is parked. ``before`` names the method that would be called next."""

    request_id: int
    before: str
    since_ns: int
    breakpoint: Breakpoint


class Place:
    """Where one request is parked. `release` it once; `parked_at_breakpoint` awaits that."""

    def __init__(self, points: Breakpoints, request: Breakable, parked: Parked) -> None:
        self.parked = parked
        self.request = request
        self.future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._points = points
        self._stage = request.begin_stage(PARKED + parked.before, parked.since_ns)
        request.parked = self

    def release(self, why: str) -> None:
        """Let the request go; *why* is one of RESUMED, GONE, KILLED. Only the first call counts."""
        if not self.future.done():
            self.future.set_result(why)
        self.leave()

    def leave(self) -> None:
        """Take the request off the list."""
        if self.request.parked is self:
            self.request.parked = None
            self.request.end_stage(self._stage, None)
            self._points.left(self)


async def parked_at_breakpoint(place: Place) -> str:
    """Wait until *place* is released; return why. The waiting tree shows this function's name."""
    try:
        return await place.future
    finally:
        place.leave()  # The task may have been cancelled.


class Breakpoints:
    """The list of breakpoints, and the requests that are parked at them.

    *changed* is called when either changes; *switched* is set by whoever must know when the first
    breakpoint is enabled and when there is none left.
    """

    def __init__(
        self, clock: Callable[[], int], changed: Callable[[], None] = lambda: None
    ) -> None:
        self.active = False
        """Whether any breakpoint is enabled: the one thing that is asked for each request."""
        self.switched: Callable[[bool], None] = lambda active: None
        self._clock = clock
        self._changed = changed
        self._list: list[Breakpoint] = []
        self._places: dict[int, Place] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    # -- The list ------------------------------------------------------------------------------

    def all(self) -> list[Breakpoint]:
        """Return the breakpoints in the order in which they were added."""
        return list(self._list)

    def add(self, breakpoint_: Breakpoint) -> None:
        """Add a breakpoint. One that is there already is enabled or disabled."""
        if breakpoint_ in self._list:
            self.enable(breakpoint_, breakpoint_.enabled)
        else:
            self._list.append(breakpoint_)
            self._update()

    def remove(self, breakpoint_: Breakpoint) -> None:
        """Delete a breakpoint and let go what is parked at it."""
        if breakpoint_ in self._list:
            self._list.remove(breakpoint_)
            self._let_go(breakpoint_)
            self._update()

    def enable(self, breakpoint_: Breakpoint, enabled: bool) -> None:
        """Enable a breakpoint, or disable it and let go what is parked at it."""
        if breakpoint_ in self._list:
            self._list[self._list.index(breakpoint_)] = replace(breakpoint_, enabled=enabled)
            if not enabled:
                self._let_go(breakpoint_)
            self._update()

    def _let_go(self, breakpoint_: Breakpoint) -> None:
        for place in list(self._places.values()):
            if place.parked.breakpoint == breakpoint_:
                place.release(RESUMED)

    def _update(self) -> None:
        active = any(each.enabled for each in self._list)
        if active != self.active:
            self.active = active
            self.switched(active)
        self._changed()

    # -- The parked requests -------------------------------------------------------------------

    def parked(self) -> list[Parked]:
        """Return the requests that are parked, longest first."""
        return [place.parked for place in self._places.values()]

    def resume(self, request_id: int) -> None:
        """Let one request go on; it does nothing when that is not parked."""
        self._release(request_id, RESUMED)

    def resume_all(self) -> None:
        """Let all parked requests go on."""
        for request_id in list(self._places):
            self._release(request_id, RESUMED)

    def kill(self, request_id: int) -> None:
        """Close a parked request's connection; nothing more of its handler is called."""
        place = self._places.get(request_id)
        if place is not None:
            place.release(KILLED)
            place.request.close()

    def _release(self, request_id: int, why: str) -> None:
        place = self._places.get(request_id)
        if place is not None:
            place.release(why)

    def kill_all(self) -> None:
        """Kill all parked requests."""
        for request_id in list(self._places):
            self.kill(request_id)

    async def settled(self) -> None:
        """Wait until no task of ours is left, once nothing is parked any more."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    # -- What the server asks ------------------------------------------------------------------

    def park(self, stage: str, request: Breakable, before: str) -> Place | None:
        """Park *request* if a breakpoint says so. Whoever gets a place must await it."""
        if request.end_ns is not None or request.parked is not None:
            return None
        for each in self._list:
            if each.enabled and each.stage == stage and each.matches(request):
                place = Place(self, request, Parked(request.id, before, self._clock(), each))
                self._places[request.id] = place
                self._changed()
                return place
        return None

    def left(self, place: Place) -> None:
        """A place is empty again."""
        self._places.pop(place.parked.request_id, None)
        self._changed()

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start what goes on when a request is released, as a task that `settled` waits for."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
