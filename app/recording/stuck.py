"""Futures that nobody resolves: a request waits for one that nobody else can get hold of.

Shown by counting: whoever is to resolve a Future, now or later, holds a reference to it. Where all
of them come from what itself waits for the Future, the wait has no end. Nothing is guessed: with
one reference that is not accounted for, the Future is taken to be in good hands.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import sys
import weakref
from collections import Counter
from typing import Any

from .events import Row, Wait
from .reach import attr, is_task

REQUEST = "RequestHandler._execute"
"""The coroutine of a request's own task, which Tornado keeps one reference to."""
_MOST = 50
"""How many waits are looked at in one go."""
_FOUND = 1 << 30
"""The count of looks at a wait that was found."""
_LIMIT = 300
"""How many objects are looked at for one wait."""
_OWNER, _NAME, _START = map(Wait._fields.index, ("owner", "future", "start_ns"))
_FUTURES = {asyncio.Future, getattr(asyncio.futures, "_PyFuture", asyncio.Future)}


class Stuck:
    """Finds the waits of requests that will never end, each once."""

    def __init__(self) -> None:
        self._looks: dict[int, int] = {}
        """How often a wait was looked at, by its number."""

    def look(self, loop: asyncio.AbstractEventLoop, before_ns: int) -> list[Row]:
        """Return those found among the waits that began before an instant."""
        waiting = _waiting(loop, before_ns)
        # What was found once is looked at no more; of the others those first that had no look yet.
        self._looks = looks = {number: self._looks.get(number, 0) for number in waiting}
        found = []
        for number in heapq.nsmallest(_MOST, looks, key=lambda number: (looks[number], number)):
            looks[number] += 1
            wait, task = waiting[number]
            if looks[number] <= _FOUND and _is_abandoned(task):
                found.append(wait)
                looks[number] = _FOUND
        return found


def _waiting(
    loop: asyncio.AbstractEventLoop, before_ns: int
) -> dict[int, tuple[Row, weakref.ref[Any]]]:
    """Return the waits of requests for a Future in their own code, by number, with their tasks."""
    found = {}
    for task in asyncio.all_tasks(loop):
        wait = getattr(task, "_loopscope_wait", None)
        if wait is None or wait[_START] > before_ns or wait[_OWNER] <= 0:
            continue
        if wait[_NAME].startswith("Future #"):  # Else it goes by the name of a library's code.
            found[wait[0]] = (wait, weakref.ref(task))
    return found


def _is_abandoned(task: weakref.ref[Any]) -> bool:
    """Return whether only what waits for a task's Future, and what that owns, leads to it.

    Here a variable is a reference too: objects are held by the two collections alone.
    """
    owned: list[Any] = [task()]
    owned.append(attr(owned[0], "_fut_waiter"))
    if type(owned[1]) not in _FUTURES or weakref.getweakrefcount(owned[1]):
        return False
    others: dict[int, Any] = {}
    held = Counter[int]()
    looked_at = 0
    while looked_at < len(owned):
        if len(owned) > _LIMIT:
            return False
        for one in filter(gc.is_tracked, gc.get_referents(owned[looked_at])):
            held[id(one)] += 1
            others[id(one)] = one
        one = None
        looked_at += 1
        if looked_at == len(owned):
            for given in owned:
                others.pop(id(given), None)
            given = None
            for key in [key for key in others if _has_no_other(others, key, held)]:
                owned.append(others.pop(key))
    if any(weakref.getweakrefcount(one) and not is_task(one) for one in owned[2:]):
        return False
    return all(_has_no_other(owned, at, held) for at in (0, 1))


def _has_no_other(objects: Any, key: int, held: Counter[int]) -> bool:
    """Return whether an object is referred to only as often as it is *held*."""
    others = sys.getrefcount(objects[key]) - _OURS - held[id(objects[key])]
    return others <= 0 or (others == 1 and is_task(objects[key]) and _is_request(objects[key]))


def _is_request(task: Any) -> bool:
    row = attr(task, "_loopscope")
    return row is not None and row[2] == REQUEST


_PROBE = [object()]
_OURS = sys.getrefcount(_PROBE[0])
"""How many references there are to an object that only a collection of ours holds."""
