"""Ending waits by hand: a Future gets a value or an exception, a task is cancelled.

Each act is a run of its own on the loop and belongs to the window, so the recording shows who
resolved the wait, and the task goes on as it would have done without us.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

from app.recording.events import WINDOW
from app.recording.recorder import OWNER

OVER = "This wait is over: the task has gone on meanwhile."
GONE = "This task has ended meanwhile."
TASK = "A task ends by itself: its result cannot be given to it. Cancel it instead."


class TooLate(Exception):
    """The wait or the task that was meant is not there any more; the text says so."""


class Acts:
    """Acts on the tasks of *loop*; *refused* is told when it became too late in the last moment."""

    def __init__(self, loop: asyncio.AbstractEventLoop, refused: Callable[[str], None]) -> None:
        self._loop = loop
        self._refused = refused

    def resolve(self, task_id: int, wait_id: int, value: object) -> None:
        """Give what the task waits for a value. Raises TooLate."""
        self._end(task_id, wait_id, lambda future: future.set_result(value))

    def fail(self, task_id: int, wait_id: int, error: Exception) -> None:
        """Let what the task waits for raise *error* in it. Raises TooLate."""
        self._end(task_id, wait_id, lambda future: future.set_exception(error))

    def cancel(self, task_id: int) -> None:
        """Cancel a task. Raises TooLate."""
        task = self._task(task_id)

        def cancel_from_the_window() -> None:
            if not task.cancel():
                self._refused(GONE)

        self._soon(cancel_from_the_window)

    def _end(self, task_id: int, wait_id: int, act: Callable[[Any], None]) -> None:
        task = self._task(task_id)
        future = _awaited(task, wait_id)
        if isinstance(future, asyncio.Task):
            raise TooLate(TASK)

        def resolve_from_the_window() -> None:
            try:
                if _awaited(task, wait_id) is future:
                    act(future)
                else:
                    self._refused(OVER)
            except (TooLate, asyncio.InvalidStateError):
                self._refused(OVER)

        self._soon(resolve_from_the_window)

    def _soon(self, callback: Callable[[], None]) -> None:
        context = contextvars.Context()
        context.run(OWNER.set, WINDOW)
        self._loop.call_soon(callback, context=context)

    def _task(self, task_id: int) -> Any:
        for task in asyncio.all_tasks(self._loop):
            row = getattr(task, "_loopscope", None)
            if row is not None and row[0] == task_id:
                return task
        raise TooLate(GONE)


def _awaited(task: Any, wait_id: int) -> Any:
    """Return the Future of a task's wait; raises TooLate when that is over."""
    wait = getattr(task, "_loopscope_wait", None)
    future = task._fut_waiter
    if wait is None or wait[0] != wait_id or future is None or future.done():
        raise TooLate(OVER)
    return future
