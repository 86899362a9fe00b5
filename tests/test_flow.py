"""Where a run's handle came from, on the real loop."""

from __future__ import annotations

import asyncio
import socket

from PySide6.QtCore import QCoreApplication

from app.loop import TickLoop
from app.recording.flow import Passage, passages, words
from app.recording.recorder import Recorder
from app.recording.store import Store


def test_sockets_timers_and_callbacks_are_told_apart(qapp: QCoreApplication) -> None:
    recorder = Recorder()

    async def work() -> None:
        loop = asyncio.get_running_loop()
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        loop.call_soon(lambda: None)
        loop.call_later(0.1, writer.send, b"x")
        await asyncio.sleep(0.01)
        await loop.sock_recv(reader, 1)
        reader.close()
        writer.close()

    with TickLoop(qapp, recorder=recorder) as loop:
        loop.run_until_complete(work())
    store = Store(recorder.origin_ns)
    store.apply(recorder.drain())
    found = {words(store, one.run): one for one in passages(store, 0, 1000)}
    assert source(found, "send") == "timer"
    assert source(found, "_set_result_unless_cancelled") == "timer"
    assert source(found, "read fd") == "socket"
    assert source(found, "step ") == "ready"
    assert source(found, "<lambda>") == "ready"


def source(found: dict[str, Passage], part: str) -> str:
    return next(one.source for name, one in found.items() if part in name)
