"""Why a task waits: the kind of what it is suspended on, and who can resolve that.

Decided on demand, from the outside: by the types of Futures, the names of the library's frames and
callbacks, and the loop's timers. Libraries are known by their names only.
"""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Iterable
from types import CoroutineType, FunctionType, GeneratorType
from typing import Any, NamedTuple

from .reach import around, attr, behind, closure, held, is_a, is_future, is_kind, is_task
from .snapshot import PendingTask, Phrase
from .waiting_kinds import (
    CHANGING,
    CONNECTION,
    FRAMES,
    KEEPERS,
    OUTER,
    SLEEPS,
    STREAM,
    TIMEOUTS,
    WITH_TIMEOUT,
)

_BUDGET_S = 0.004
"""How long one look may search, in s; what was not found by then is sought in the next."""
_NEAR = 400
"""How many objects around a coroutine are looked at."""
_TIMERS = 2_000
"""How many timers are looked at."""


class Why(NamedTuple):
    """What a task waits for; ``library`` says whether library code made the Future."""

    kind: str
    who: tuple[Phrase, ...]
    library: bool = True
    timer: int = 0
    """The id of the object whose timer ends the wait as it should; 0 for none."""


class Step(NamedTuple):
    """One awaitable in the chain of a task: ``place`` is its module and name."""

    awaitable: Any
    place: str
    library: bool


def phrase(text: str, **values: object) -> Phrase:
    """Return words with values in them."""
    return Phrase(text, tuple((name, str(value)) for name, value in values.items()))


class Known:
    """What one look leaves to the next.

    By the number of a wait: ``waits`` is what was found, ``tasks`` how its task was shown, and
    ``open`` those that are to be looked at again. By the number of a timer: ``timers`` is the name
    of what it calls, and the ids of the Futures that it was given.
    """

    def __init__(self) -> None:
        self.waits: dict[int, Why] = {}
        self.open: set[int] = set()
        self.tasks: dict[int, PendingTask] = {}
        self.timers: dict[int, tuple[str, tuple[int, ...]]] = {}

    def keep(self, waits: set[int]) -> None:
        """Forget all waits but these."""
        self.waits = {id_: why for id_, why in self.waits.items() if id_ in waits}
        self.tasks = {id_: task for id_, task in self.tasks.items() if id_ in waits}
        self.open &= waits


class Explainer:
    """Explains waits as they stand at one instant; made anew for each look.

    *fetching* are the tasks that carry out HTTP requests, see `longest.FETCH`.
    """

    def __init__(
        self, loop: Any, sockets: dict[int, str], fetching: Iterable[Any], known: Known
    ) -> None:
        self._loop = loop
        self._sockets = sockets
        self._fetching_tasks = fetching
        self._memory = known
        self._spent = 0.0
        self._keepers: dict[int, bool] = {}
        self._timers: dict[int, tuple[float, str, Any]] | None = None
        self._fetches: dict[int, Why] | None = None

    def why(self, task: Any, waiter: Any, steps: list[Step], wait_id: int = 0) -> Why:
        """Return why *task*, whose chain is *steps*, waits for *waiter*.

        Of a wait that it `knows` it needs no chain.
        """
        known = self._memory
        if self.knows(wait_id):
            found = known.waits[wait_id]
        else:
            found = self._found(waiter, steps)
            if wait_id:
                known.waits[wait_id] = found
                open_ = found.kind in CHANGING or (not found.who and self._is_late())
                (known.open.add if open_ else known.open.discard)(wait_id)
        due = self._timer(found.timer)
        if due is not None:
            return found._replace(who=(self._in("timer, in {time}", due[0]),))
        timers = (self._timer(id(waiter)), self._timer(id(task)))
        ends = tuple(self._in("timeout, in {time}", timer[0]) for timer in timers if timer)
        return found._replace(who=(*found.who, *ends)) if ends else found

    def knows(self, wait_id: int) -> bool:
        """Return whether what was found for a wait holds, or there is no time to find more."""
        found = self._memory.waits.get(wait_id)
        if found is None or wait_id not in self._memory.open:
            return found is not None
        return found.kind not in CHANGING and self._is_late()

    def _found(self, waiter: Any, steps: list[Step]) -> Why:
        found = self._known(waiter, steps) or self._searched(waiter, steps)
        if found is not None:
            return found
        inner = bool(_library_part(steps))
        if self._timer(id(waiter)) is not None:
            return Why("timer", (), inner, id(waiter))
        return Why("library" if inner else "future", (), inner)

    def _is_late(self) -> bool:
        return self._spent > _BUDGET_S

    def _known(self, waiter: Any, steps: list[Step]) -> Why | None:
        return self._recognised(waiter, steps) or self._by_timer(waiter)

    def _recognised(self, waiter: Any, steps: list[Step]) -> Why | None:
        inner = _library_part(steps)
        if is_task(waiter):
            return Why("task", (_task(waiter),))
        if is_a(waiter, "asyncio.tasks._GatheringFuture"):
            return Why("gather", _several(attr(waiter, "_children") or ()))
        return (
            self._by_outer_frame(waiter, inner, steps)
            or self._by_stream(waiter, inner)
            or self._by_frame(inner)
            or self._by_callback(waiter)
            or self._fetching().get(id(waiter))
        )

    # -- By the library's frames ---------------------------------------------------------------

    @staticmethod
    def _by_outer_frame(waiter: Any, inner: list[Step], steps: list[Step]) -> Why | None:
        for number, step in enumerate(inner, len(steps) - len(inner)):
            if step.place.startswith(("asyncio.subprocess ", "asyncio.base_subprocess ")):
                return Why("subprocess", (_process(step.awaitable),))
            kind, who = OUTER.get(step.place, ("", ""))
            if not kind:
                continue
            if who:
                return Why(kind, (Phrase(who),))
            # The loop over as_completed() is in the coroutine outside of it.
            outer = number - 1 if "_wait_for_one" in step.place and number else number
            others = [one for one in _inside(steps[outer].awaitable) if one is not waiter]
            return Why(kind, _several(others))
        return None

    def _by_frame(self, inner: list[Step]) -> Why | None:
        for step in reversed(inner):
            kind, who = FRAMES.get(step.place, ("", ""))
            if kind == "sleep":
                keys = (id(one) for one in held(step.awaitable))
                return Why(kind, (), True, next((key for key in keys if self._timer(key)), 0))
            if kind:
                return Why(kind, (Phrase(who),) if who else (self._socket(_fd(step.awaitable)),))
        return None

    def _by_stream(self, waiter: Any, inner: list[Step]) -> Why | None:
        """Tornado's streams and connections: found among what the innermost frames hold."""
        websocket = any(step.place.startswith("tornado.websocket ") for step in inner)
        for step in reversed(inner):
            if not step.place.startswith("tornado."):
                continue
            for one in held(step.awaitable):
                found = self._of(one, waiter)
                if found is not None:
                    reads = websocket and found.kind == "read"
                    return found._replace(kind="websocket") if reads else found
        return None

    def _of(self, one: Any, waiter: Any) -> Why | None:
        """Return what *waiter* means to an object of Tornado's, if it is its own."""
        if is_a(one, STREAM):
            return self._of_stream(one, waiter)
        if is_a(one, CONNECTION):
            if attr(one, "_finish_future") is waiter:
                return Why("response", (Phrase("RequestHandler.finish"),))
            stream = attr(one, "stream")
            if attr(one, "_write_future") is waiter:
                return Why("write", (self._socket(_number(attr(stream, "socket"))),))
            return self._of_stream(stream, waiter)
        if is_a(one, "tornado.websocket.WebSocketProtocol"):
            return self._of_stream(attr(one, "stream"), waiter)
        if is_a(one, "tornado.websocket.WebSocketClientConnection"):
            queue = attr(one, "read_queue")
            if _among(waiter, attr(queue, "_getters")):
                return Why("websocket", (self._socket(None),))
        if is_a(one, "tornado.queues.Queue"):
            if _among(waiter, attr(one, "_getters")):
                return Why("queue", (Phrase("Queue.put"),))
            if _among(waiter, [pair[1] for pair in attr(one, "_putters") or ()]):
                return Why("queue", (Phrase("Queue.get"),))
        for name in ("Condition", "Semaphore"):
            if is_a(one, f"tornado.locks.{name}") and _among(waiter, attr(one, "_waiters")):
                verb = "notify" if name == "Condition" else "release"
                return Why(name.lower(), (Phrase(f"{name}.{verb}"),))
        return None

    def _of_stream(self, stream: Any, waiter: Any) -> Why | None:
        kinds = {"_read_future": "read", "_connect_future": "connect", "_ssl_connect_future": "tls"}
        kind = next((kinds[name] for name in kinds if attr(stream, name) is waiter), "")
        writes = [pair[1] for pair in attr(stream, "_write_futures") or ()]
        if not kind and _among(waiter, writes):
            kind = "write"
        return Why(kind, (self._socket(_number(attr(stream, "socket"))),)) if kind else None

    # -- By the Future's callbacks, timers and surroundings --------------------------------------

    def _by_callback(self, waiter: Any) -> Why | None:
        for callback, _ in attr(waiter, "_callbacks") or ():
            if type(callback) is not FunctionType:
                continue
            name, values = callback.__qualname__, closure(callback)
            if name == "_chain_future.<locals>._call_check_cancel":
                queued = attr(values.get("source"), "_state") == "PENDING"
                who = "executor: queued until a thread is free" if queued else "executor thread"
                return Why("thread", (Phrase(who),))
            if name == "shield.<locals>._outer_done_callback":
                inner = values.get("inner")
                if inner is not None:
                    return self._known(inner, []) or Why("library", ())
            if name == "Event.wait.<locals>.<lambda>" and "self" in values:
                return Why("event", (Phrase("Event.set"),))
        return None

    def _by_timer(self, waiter: Any) -> Why | None:
        timer = self._timer(id(waiter))
        if timer is None:
            return None
        _, name, handle = timer
        if name in SLEEPS:
            return Why("sleep", (), True, id(waiter))
        kind, who = TIMEOUTS.get(name, ("", ""))
        if kind:
            return Why(kind, (Phrase(who),))
        if name == WITH_TIMEOUT:
            for one in behind(handle._callback, handle._args)[1]:
                if one is not waiter and is_future(one):
                    # The timer is this one's as well.
                    return self._recognised(one, []) or Why("timeout", ())
        return None

    def _searched(self, waiter: Any, steps: list[Step]) -> Why | None:
        """Look for who keeps *waiter* around the coroutines, for as long as there is time."""
        if self._is_late():
            return None
        began = time.perf_counter()
        try:
            return self._near_to(waiter, steps)
        finally:
            self._spent += time.perf_counter() - began

    def _near_to(self, waiter: Any, steps: list[Step]) -> Why | None:
        start = [one for step in reversed(steps[-3:]) for one in held(step.awaitable)]
        own = next((step.awaitable for step in reversed(steps) if not step.library), None)
        if type(own) is CoroutineType and own.cr_frame is not None:
            start += list(own.cr_frame.f_globals.values())[:200]
        for one in around(start, _NEAR):
            found = self._of(one, waiter) if self._may_keep(type(one)) else None
            if found is not None:
                return found
        return None

    def _may_keep(self, cls: type) -> bool:
        """Return whether objects of a class are looked into by `_of`."""
        known = self._keepers.get(id(cls))
        if known is None:
            self._keepers[id(cls)] = known = is_kind(cls, *KEEPERS)
        return known

    def _timer(self, key: int) -> tuple[float, str, Any] | None:
        """Return the timer that was given a Future: when it is due, what it calls, and itself."""
        if self._timers is None:
            self._timers = self._given()
        return self._timers.get(key)

    def _given(self) -> dict[int, tuple[float, str, Any]]:
        found: dict[int, tuple[float, str, Any]] = {}
        before, self._memory.timers = self._memory.timers, {}
        for due, number, timer in self._loop._scheduled[:_TIMERS]:
            if timer._cancelled:
                continue
            facts = before.get(number)
            if facts is None:
                name, objects = behind(timer._callback, timer._args)
                if name == "Timeout._on_timeout":  # Of asyncio.timeout().
                    objects += [attr(one, "_task") for one in objects]
                facts = name, tuple(id(one) for one in objects if is_future(one))
            # A variable of a function around may be given another object meanwhile.
            if "<locals>" not in facts[0] or facts[0] == WITH_TIMEOUT:
                self._memory.timers[number] = facts
            for one in facts[1]:
                found.setdefault(one, (due, facts[0], timer))
        return found

    def _fetching(self) -> dict[int, Why]:
        """Return the Futures of HTTP requests under way, from the tasks that carry them out."""
        if self._fetches is None:
            self._fetches = {}
            for task in self._fetching_tasks:
                for one in held(task.get_coro()):
                    if is_a(one, "tornado.simple_httpclient._HTTPConnection"):
                        self._add_fetch(attr(one, "final_callback"), attr(one, "request"))
                        waiting = attr(attr(one, "client"), "waiting") or {}
                        for request, callback, _ in list(waiting.values()):
                            self._add_fetch(callback, request)
        return self._fetches

    def _add_fetch(self, callback: Any, request: Any) -> None:
        assert self._fetches is not None
        _, objects = behind(callback, ())
        url = attr(request, "url") or attr(attr(request, "request"), "url")
        where = phrase("answer from {url}", url=url if type(url) is str else "?")
        for one in objects:
            self._fetches[id(one)] = Why("http", (where,))

    # -- Who -----------------------------------------------------------------------------------

    def _in(self, text: str, due: float) -> Phrase:
        if due == math.inf:
            return Phrase("timer, held")
        return phrase(text, time=f"{max(0.0, due - time.monotonic()):.2f} s")

    def _socket(self, fd: int | None) -> Phrase:
        if fd is None or fd < 0:
            return Phrase("socket")
        role, _, rest = self._sockets.get(fd, "").partition(" ")
        if role == "connection":
            return phrase("socket fd {fd} of connection {id}", fd=fd, id=rest.partition(" ")[0])
        return phrase("socket fd {fd}", fd=fd)


def _library_part(steps: list[Step]) -> list[Step]:
    """Return the steps behind the last one that is not a library's."""
    first = next((n for n in range(len(steps), 0, -1) if not steps[n - 1].library), 0)
    return steps[first:]


def _task(task: Any) -> Phrase:
    row = attr(task, "_loopscope")
    return phrase("task #{id} {name}", id=row[0], name=row[2]) if row else Phrase("a task")


def _several(futures: Iterable[Any]) -> tuple[Phrase, ...]:
    """Say which tasks of several are still to come."""
    pending = [one for one in futures if is_future(one) and attr(one, "_state") == "PENDING"]
    tasks = [_task(one) for one in pending if attr(one, "_loopscope")][:3]
    if len(pending) > len(tasks):
        return (*tasks, phrase("{count} more", count=len(pending) - len(tasks)))
    return tuple(tasks)


def _inside(awaitable: Any) -> list[Any]:
    """Return the Futures that a coroutine holds, also in what it holds."""
    found: dict[int, Any] = {}
    for one in held(awaitable):
        group = [one]
        if is_a(one, "asyncio.taskgroups.TaskGroup"):
            group = attr(one, "_tasks")
        elif is_a(one, "asyncio.tasks._AsCompletedIterator"):
            group = attr(one, "_todo")
        elif type(one) is GeneratorType and one.__qualname__ == "as_completed":
            group = held(one)
        found |= {id(each): each for each in group or () if is_future(each)}
    return list(found.values())


def _among(future: Any, values: Any) -> bool:
    return any(one is future for one in values or ())


def _process(awaitable: Any) -> Phrase:
    for one in around(held(awaitable), 60):
        if is_a(one, "asyncio.base_subprocess.BaseSubprocessTransport"):
            return phrase("process {pid}", pid=attr(one, "_pid"))
    return Phrase("process")


def _number(sock: Any) -> int | None:
    return socket.socket.fileno(sock) if is_a(sock, "socket.socket") else None


def _fd(awaitable: Any) -> int | None:
    """Return the descriptor that a coroutine of asyncio's reads or writes."""
    for one in held(awaitable):
        if is_a(one, "socket.socket"):
            return _number(one)
        transport = attr(one, "_transport")
        fd = attr(transport, "_sock_fd")
        if type(fd) is int:
            return fd
    return None
