"""Awaits that could run together: advice, from what requests waited for and from their source."""

from __future__ import annotations

import ast
import inspect
import linecache
import re
import sys
from types import CodeType, FunctionType, ModuleType
from typing import Any

from .awaits import Statement, sequences
from .events import Request, Row, Wait
from .reach import attr
from .store import Store
from .stuck import REQUEST
from .tasks import is_library

LONG_NS = 50_000_000
"""A wait that lasts longer is worth to be saved, in ns."""
_AGAIN_NS = 1_000_000_000
"""How long after a look at a handler the next one follows, in ns."""
_HANDLER, _METHOD, _START, _END = map(
    Request._fields.index, ("handler", "method", "start_ns", "end_ns")
)
_WHERE = re.compile(r"(?P<file>.+):(?P<line>\d+) in (?P<function>.+)")
_NAME: Any = type.__dict__["__module__"]


class Together:
    """Finds awaits that could have run together; of each handler's method at most once a second."""

    def __init__(self) -> None:
        self._due: dict[tuple[str, str], int] = {}
        self._known: dict[tuple[str, str], tuple[CodeType, list[list[Statement]]]] = {}
        """What is in the code of a handler's method; what was told is taken out."""

    def look(self, store: Store, requests: list[Row], now_ns: int) -> list[tuple[int, str, str]]:
        """Return what *requests*, just recorded, could have had sooner.

        That is the number of one, a place, and how long it took and would have taken.
        """
        slow = {
            (row[_HANDLER], row[_METHOD]): row[0]
            for row in requests
            if row[_END] is not None and row[_END] - row[_START] >= 2 * LONG_NS and row[_HANDLER]
        }
        found = []
        for key, number in slow.items():
            if now_ns >= self._due.get(key, 0):
                self._due[key] = now_ns + _AGAIN_NS
                found += [(number, *place) for place in self._places(store, number, key)]
        return found

    def _places(self, store: Store, number: int, key: tuple[str, str]) -> list[tuple[str, str]]:
        waits = _long_waits(store, number)
        function = _function(*key) if len(waits) > 1 else None
        if function is None:
            return []
        code, groups = self._known.get(key, (None, []))
        if code is not function.__code__:
            code = function.__code__
            groups = _read(function)
            self._known[key] = (code, groups)
        places = []
        for group in groups[:]:
            matched = _matched(group, waits, code.co_filename)
            if len(matched) > 1:
                groups.remove(group)
                lasted = [(wait.end_ns or 0) - wait.start_ns for _, wait in matched]
                times = f"{sum(lasted) / 1e9:.2f} s → {max(lasted) / 1e9:.2f} s"
                line = matched[0][0].first
                places.append((f"{code.co_filename}:{line} in {code.co_qualname}", times))
        return places


def _long_waits(store: Store, number: int) -> list[Wait]:
    """Return the long waits of a request's own task, in order."""
    found = []
    for wait in store.waits_of(number):
        if wait.end_ns is not None and wait.end_ns - wait.start_ns >= LONG_NS:
            task = store.task(wait.task_id)
            if task is not None and task.coroutine == REQUEST:
                found.append(wait)
    return found


def _matched(group: list[Statement], waits: list[Wait], file: str) -> list[tuple[Statement, Wait]]:
    """Return the statements of a group during which there was a long wait, with that wait."""
    found = []
    left = waits
    for statement in group:
        for at, wait in enumerate(left):
            if _is_within(wait, statement, file):
                found.append((statement, wait))
                left = left[at + 1 :]
                break
    return found


def _is_within(wait: Wait, statement: Statement, file: str) -> bool:
    where = _WHERE.fullmatch(wait.where)
    if where is None:
        return False
    if where["file"] == file and statement.first <= int(where["line"]) <= statement.last:
        return True
    return where["function"].rpartition(".")[2] in statement.calls


def _function(handler: str, method: str) -> FunctionType | None:
    """Return the method of a handler class, if that is the program's own and can be told apart."""
    found = []
    for name, module in list(sys.modules.items()):
        if type(module) is not ModuleType:
            continue
        target: Any = vars(module)
        target = target.get(handler.partition(".")[0])
        if not isinstance(target, type) or _NAME.__get__(target) != name:
            continue
        for part in handler.split(".")[1:]:
            target = attr(target, part)
        verb = attr(target, method.lower())
        while type(verb) is FunctionType and "__wrapped__" in vars(verb):
            verb = vars(verb)["__wrapped__"]
        if type(verb) is FunctionType and not is_library(verb.__code__):
            found.append(verb)
    one = found[0] if len(found) == 1 else None
    return one if one and one.__code__.co_flags & inspect.CO_COROUTINE else None


def _read(function: FunctionType) -> list[list[Statement]]:
    """Return the groups of independent awaits in a coroutine function's source."""
    names, code = function.__globals__, function.__code__
    try:
        # Not from the disk where it is edited: there it may be another one.
        source = names["__loader__"].get_source(names["__name__"])
    except Exception:
        source = "".join(linecache.getlines(code.co_filename))
    try:
        return sequences(ast.parse(source or ""), code.co_firstlineno, names)
    except (SyntaxError, ValueError, RecursionError):
        return []
