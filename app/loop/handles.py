"""The handles of `TickLoop`: asyncio's own, which also remember by what they were scheduled."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import time
from asyncio import format_helpers
from types import BuiltinMethodType, MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.loop import TickLoop

_copy_context = contextvars.copy_context
_new: Any = object.__new__
_now = time.monotonic_ns


class Handle(asyncio.Handle):
    """A handle that remembers which run scheduled it, and when."""

    __slots__ = ("cause", "scheduled_ns")
    # Only debug mode has use for these two; here they need not be set for every handle.
    _repr = None
    _source_traceback = None

    def cancel(self) -> None:
        """Cancel the callback; see `asyncio.Handle.cancel`."""
        if not self._cancelled:
            self._cancelled = True
            self._callback = None
            self._args = None  # type: ignore[assignment]


def new_handle(callback: Any, args: Any, loop: TickLoop, context: Any) -> Any:
    """Return a new `Handle`."""
    # No constructor: this runs for every callback, and one in Python takes twice the time.
    made = _new(Handle)
    made._context = _copy_context() if context is None else context
    made._loop = loop
    made._callback = callback
    made._args = args
    made._cancelled = False
    made.cause = loop.recorder.run_id
    made.scheduled_ns = _now()
    return made


class DebugHandle(asyncio.Handle):
    """The same for debug mode: it also remembers where in the code it was scheduled."""

    __slots__ = ("cause", "scheduled_ns")

    def __init__(
        self, callback: Any, args: Any, loop: TickLoop, context: contextvars.Context | None = None
    ) -> None:
        super().__init__(callback, args, loop, context)
        self._source_traceback = format_helpers.extract_stack(sys._getframe(2))
        self.cause = loop.recorder.run_id
        self.scheduled_ns = _now()

    def _repr_info(self) -> list[str]:
        # What debug mode prints should look as it does in asyncio.
        return ["Handle", *super()._repr_info()[1:]]  # type: ignore[misc]


class TimerHandle(asyncio.TimerHandle):
    """A timer that remembers which run set it, and when."""

    __slots__ = ("cause", "scheduled_ns")

    def __init__(self, when: float, callback: Any, args: Any, loop: TickLoop, context: Any) -> None:
        self._context = _copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = (
            format_helpers.extract_stack(sys._getframe(2)) if loop._debug else None
        )
        self._when = when
        self._scheduled = False
        self.cause = loop.recorder.run_id
        self.scheduled_ns = _now()


class SocketHandle(asyncio.Handle):
    """A reader or writer callback; the same object is queued each time its descriptor is ready."""

    __slots__ = ("cause", "descriptor", "name", "scheduled_ns")

    def __init__(self, callback: Any, args: Any, loop: TickLoop, fd: int, verb: str) -> None:
        self._context = _copy_context()
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = (
            format_helpers.extract_stack(sys._getframe(2)) if loop._debug else None
        )
        self.descriptor = fd
        self.name = f"{verb} fd {fd}"
        self.cause = 0
        self.scheduled_ns = 0


_PY_TASK: type = getattr(asyncio.tasks, "_PyTask", asyncio.Task)
TASKS = (asyncio.Task, _PY_TASK)
STEP = next(
    (cls for cls in object.__subclasses__() if cls.__name__ == "TaskStepMethWrapper"), type(None)
)
"""The type of the callback with which a C task schedules its step."""


def stepped_task(callback: Any) -> Any:
    """Return the task that *callback* steps or wakes, or None when it does something else."""
    kind = type(callback)
    if kind is STEP:
        return callback.__self__
    if kind is BuiltinMethodType:
        owner = callback.__self__
        return owner if isinstance(owner, asyncio.Task) and "wakeup" in callback.__name__ else None
    if kind is MethodType and issubclass(type(callback.__self__), _PY_TASK):
        return callback.__self__ if callback.__name__ in ("__step", "__wakeup") else None
    return None
