"""The end of a program that shares the loop with the window: all that it left there goes."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from app.loop import TickLoop
from app.recording.events import SERVER, WINDOW
from app.recording.recorder import OWNER, Recorder

PATIENCE_S = 3.0
"""How long a cancelled task may take to end."""


async def end_program(loop: TickLoop, recorder: Recorder) -> None:
    """Cancel the tasks, timers, callbacks and watched sockets that belong to the server's domain.

    No server of ours may be listening. Threads go on: nobody can end those.
    """
    tasks = [task for task in asyncio.all_tasks(loop) if _owner_of_task(task) >= SERVER]
    for task in tasks:
        task.cancel()
    if tasks:
        _, stubborn = await asyncio.wait(tasks, timeout=PATIENCE_S)
        for task in stubborn:
            logging.getLogger("loopscope.app").warning("%s does not end", task.get_name())
    handles: list[Any] = [entry[2] for entry in loop._scheduled]
    for handle in (*handles, *loop._ready):
        if handle._context.get(OWNER, WINDOW) >= SERVER:
            handle.cancel()
    for key in list(loop._selector.get_map().values()):
        reader, writer, _ = key.data
        if key.fd in recorder.sockets:
            continue
        if _is_servers(reader):
            loop._remove_reader(key.fd)
        if _is_servers(writer):
            loop._remove_writer(key.fd)


def _owner_of_task(task: asyncio.Task[Any]) -> int:
    row = getattr(task, "_loopscope", None)
    return WINDOW if row is None else int(row[5])


def _is_servers(handle: Any) -> bool:
    return handle is not None and bool(handle._context.get(OWNER, WINDOW) >= SERVER)
