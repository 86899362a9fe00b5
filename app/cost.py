"""What recording costs on this machine: tried out at the start, since it cannot be measured later.

It happens inside the runs that are recorded, in pieces shorter than a look at the clock.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Generator
from statistics import median
from types import SimpleNamespace
from typing import Any

from tornado.httputil import RequestStartLine

from app.recording.recorder import OWNER, Recorder
from app.recording.tasks import TaskWatch
from app.server.trace import RequestTrace
from app.widgets.accounting import RecordingCost

ROUNDS, TIMES = 7, 40
_HEAD = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_now = time.monotonic_ns


def calibrate() -> RecordingCost:
    """Return what one run, wait, request and stage take to record, in ns; this takes about 2 ms.

    The garbage collector, and that memory is less near when much goes on, are left out.
    """
    recorder = Recorder()
    return RecordingCost(
        _cost(lambda: _run(recorder)),
        _cost(_waits(recorder)),
        _cost(lambda: _request(recorder)),
        _cost(_stages(recorder)),
    )


def _cost(record: Callable[[], object]) -> float:
    def empty() -> None:
        return None

    return max(0.0, _time(record) - _time(empty))


def _time(call: Callable[[], object]) -> float:
    rounds = []
    for _ in range(ROUNDS):
        start = _now()
        for _ in range(TIMES):
            call()
        rounds.append((_now() - start) / TIMES)
    return median(rounds)


def _run(recorder: Recorder) -> None:
    """What `TickLoop` does for a run besides running it."""
    scheduled, cause = _now(), recorder.run_id
    recorder.run_id = run_id = cause + 1
    end = _now()
    owner = _context.get(OWNER, 0)
    recorder.runs.add((run_id, 1, scheduled, end, "name", owner, 0, cause, scheduled))


_context = contextvars.copy_context()


class _Suspended:
    def __await__(self) -> Generator[None, None, None]:
        yield


async def _inner() -> None:
    await _Suspended()


async def _outer() -> None:
    await _inner()


def _waits(recorder: Recorder) -> Callable[[], object]:
    watch, coroutine = TaskWatch(recorder), _outer()
    coroutine.send(None)
    task: Any = SimpleNamespace(
        get_coro=lambda: coroutine,
        get_name=lambda: "Task-1",
        _fut_waiter=SimpleNamespace(),
        done=lambda: False,
    )
    watch.created(task, 0, 0, coroutine)
    # Each step ends a wait and begins the next.
    return lambda: watch.stepped(task, 0, 1, 2, 3)


def _trace(recorder: Recorder) -> RequestTrace:
    connection: Any = SimpleNamespace(id=1)
    return RequestTrace(recorder, connection, RequestStartLine("GET", "/", "HTTP/1.1"), _HEAD, None)


def _request(recorder: Recorder) -> None:
    trace = _trace(recorder)
    trace.response_head = bytes(_HEAD[: _HEAD.find(b"\r\n\r\n") + 4])
    trace.sent(b"body")
    trace.end("finished")
    trace.row()


def _stages(recorder: Recorder) -> Callable[[], object]:
    trace = _trace(recorder)
    return lambda: trace.add_stage("get", _now(), None)
