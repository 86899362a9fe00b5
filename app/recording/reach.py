"""Reading the program's objects without running any of its code."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
)
from typing import Any

_ORDER: Any = type.__dict__["__mro__"]
_MODULE: Any = type.__dict__["__module__"]
_NAME: Any = type.__dict__["__name__"]
_MISSING = object()
_PLAIN = {asyncio.Future, asyncio.Task}
"""Asked for an attribute, these run no code of the program's."""
_BOXES: tuple[Any, ...] = (list, tuple, set, frozenset, deque)
_MOST = 100
"""How many of the objects that another one holds are looked at."""
_DULL: tuple[type, ...] = (
    str,
    bytes,
    bytearray,
    int,
    float,
    bool,
    complex,
    type(None),
    type,
    ModuleType,
    CodeType,
)
_DULL += (FrameType, BuiltinFunctionType, MethodWrapperType)


def attr(target: Any, name: str) -> Any:
    """Return an attribute that *target* really holds, or None; no property is asked."""
    if type(target) in _PLAIN:
        return getattr(target, name, None)
    try:
        found = inspect.getattr_static(target, name, _MISSING)
        if found is _MISSING:  # No descriptor: only a dictionary that cannot be asked for is left.
            found = object.__getattribute__(target, name)
        if type(found) in (GetSetDescriptorType, MemberDescriptorType):
            found = found.__get__(target)
    except Exception:
        return None
    return found


def is_a(target: Any, *names: str) -> bool:
    """Return whether *target* is of one of the classes with these full names."""
    return is_kind(type(target), *names)


def is_kind(kind: type, *names: str) -> bool:
    """Return whether a class is one of those with these full names, or derived from one."""
    order = _ORDER.__get__(kind)
    return any(f"{_MODULE.__get__(cls)}.{_NAME.__get__(cls)}" in names for cls in order)


def is_future(target: Any) -> bool:
    """Return whether *target* is one of asyncio's Futures, tasks among them."""
    return type(target) in _PLAIN or is_a(target, "_asyncio.Future", "asyncio.futures.Future")


def is_task(target: Any) -> bool:
    """Return whether *target* is a task of asyncio's."""
    return type(target) is asyncio.Task or is_a(target, "_asyncio.Task", "asyncio.tasks.Task")


def closure(function: Any) -> dict[str, Any]:
    """Return the values of a function's free variables that are set, by name."""
    names = function.__code__.co_freevars
    cells = function.__closure__ or ()
    return {name: _content(cell) for name, cell in zip(names, cells, strict=False)}


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def held(awaitable: Any) -> list[Any]:
    """Return what a suspended coroutine holds: its locals, and what its cells and lists hold.

    The frame's ``f_locals`` would make a copy that keeps everything alive.
    """
    found = []
    for value in gc.get_referents(awaitable):
        value = _content(value) if type(value) is CellType else value
        found.append(value)
        if type(value) in _BOXES:
            found += islice(value, 500)
    return found


def behind(callback: Any, args: Iterable[Any] | None) -> tuple[str, list[Any]]:
    """Return the name of the function behind a callback, and the objects that it was given."""
    name, found = "", list[Any]()
    left = deque([callback, *(args or ())])
    while left and len(found) < 20:
        target = left.popleft()
        kind = type(target)
        if kind is functools.partial:
            left.extend((target.func, *target.args))
        elif kind is FunctionType:
            name = name or target.__qualname__
            if target.__closure__:
                found += closure(target).values()
        elif kind is MethodType or issubclass(kind, BuiltinFunctionType):
            own = target.__func__.__qualname__ if kind is MethodType else target.__name__
            if not own.endswith("._run_callback"):  # Tornado's IOLoop wraps what it is given.
                name = name or own
            found.append(target.__self__)
        else:
            found.append(target)
    return name, found


def around(start: Iterable[Any], limit: int) -> Iterator[Any]:
    """Yield up to *limit* objects that can be reached from *start*, the nearest first."""
    left, seen = deque(start), set[int]()
    while left and len(seen) < limit:
        target = left.popleft()
        if id(target) in seen or type(target) in _DULL:
            continue
        seen.add(id(target))
        yield target
        if type(target) is not FunctionType:  # Its globals lead everywhere.
            left.extend(_some(target))


def _some(target: Any) -> Iterable[Any]:
    """Return the first of the objects that *target* holds; of thousands not all are touched."""
    kind = type(target)
    if issubclass(kind, dict) and dict.__len__(target) > _MOST:
        return islice(dict.values(target), _MOST)
    for box in _BOXES:
        if issubclass(kind, box) and box.__len__(target) > _MOST:
            return islice(box.__iter__(target), _MOST)
    return gc.get_referents(target)[:_MOST]
