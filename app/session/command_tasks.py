"""The tasks that the window's commands start."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any

from app.recording.events import CLIENT, WINDOW
from app.recording.recorder import OWNER

Work = Coroutine[Any, Any, None]


class CommandTasks:
    """Starts tasks on *loop*: each is kept until it is done, and *failed* hears why it failed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, failed: Callable[[str], None]) -> None:
        self._loop, self._failed = loop, failed
        self._tasks: set[asyncio.Task[None]] = set()
        self._shots: set[asyncio.Task[None]] = set()
        self._of_client = contextvars.copy_context()
        self._of_client.run(OWNER.set, CLIENT)

    def start(self, work: Work) -> None:
        """Start what belongs to whoever asks."""
        self._start(work, self._tasks, contextvars.copy_context())

    def start_for_window(self, work: Work) -> None:
        """Start what belongs to the window, whoever asks: that may be a program which ends it."""
        context = contextvars.copy_context()
        context.run(OWNER.set, WINDOW)
        self._start(work, self._tasks, context)

    def start_for_client(self, work: Work) -> None:
        """Start what belongs to the clients."""
        self._start(work, self._tasks, self._of_client.copy())

    def shoot(self, work: Work) -> None:
        """Start a client's request, which `cancel_shots` ends."""
        self._start(work, self._shots, self._of_client.copy())

    def cancel_shots(self) -> None:
        """Cancel what is still under way from the clients."""
        for task in self._shots:
            task.cancel()

    async def end(self) -> None:
        """Cancel everything, and return when it has ended."""
        tasks = (*self._shots, *self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(
        self, work: Work, kept: set[asyncio.Task[None]], context: contextvars.Context
    ) -> None:
        task = self._loop.create_task(work, context=context)
        kept.add(task)
        task.add_done_callback(kept.discard)
        task.add_done_callback(self._report)

    def _report(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(f"{type(error).__name__}: {error}")
            context = {"message": "a command failed", "exception": error, "task": task}
            self._loop.call_exception_handler(context)
