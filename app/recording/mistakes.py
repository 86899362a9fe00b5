"""Mistakes that are often made with asyncio and Tornado, in words; and recognised from the log.

A finding is a log record of its own: its logger is ``loopscope.mistake.KIND``, its lines are what
happened and where, why, and the repair. One that explains another record comes right after it.
"""

from __future__ import annotations

import inspect
import logging
import re
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import NamedTuple

from .recorder import Recorder
from .tasks import is_library

LOGGER = "loopscope.mistake."
TASK_DESTROYED = "Task was destroyed but it is pending!"
"""What asyncio says of a task that is collected as garbage while it waits."""
THREAD_LOGGER = "loopscope.thread"
_AGAIN_NS = 5_000_000_000
"""How long after a report the same may be reported again, in ns."""


class Mistake(NamedTuple):
    """A kind of mistake: what happened, why that is one, and the repair."""

    what: str
    why: str
    repair: str
    level: str = "WARNING"


MISTAKES = {
    "blocking-call": Mistake(
        "A call blocked the loop",
        "There is one thread: as long as a call keeps it, nobody else is served.",
        "Await what takes time: asyncio.sleep(), an async client; loop.run_in_executor() for what"
        " cannot be awaited.",
    ),
    "unresolvable-future": Mistake(
        "A Future that nobody can resolve is awaited",
        "Nobody but the code that waits for it has a reference to it, so the wait has no end.",
        "Keep the Future where the code finds it that is to resolve it, and call set_result()"
        " there.",
    ),
    "sequential-awaits": Mistake(
        "Awaits that do not depend on each other ran one after another",
        "Each began only when the one before it had ended, though none needs what another gives.",
        "Await them together with asyncio.gather(), unless their order matters.",
        "INFO",
    ),
    "never-awaited": Mistake(
        "A coroutine was never awaited",
        "Calling an async function only makes a coroutine; nothing of it runs until it is awaited.",
        "Write await before the call, or asyncio.create_task() to let it run beside.",
    ),
    "other-thread": Mistake(
        "The loop was used from another thread",
        "The loop does not notice what another thread schedules: it sleeps on until something"
        " else wakes it.",
        "Use loop.call_soon_threadsafe() or IOLoop.add_callback() in the other thread.",
    ),
    "after-finish": Mistake(
        "The response was finished already",
        "After finish(), after render() and when the method returns, the response is on its way"
        " and can take no more.",
        "Return after the first finish(), and await everything that writes before it.",
    ),
    "write-after-redirect": Mistake(
        "The response was finished by redirect()",
        "redirect() sends the response, but the method goes on with its next line.",
        "Return right after redirect().",
    ),
    "callback-in-plain-method": Mistake(
        "A callback came after the response was finished",
        "The response is finished when the method returns; a callback that comes later is too"
        " late.",
        "Make the method async and await the result instead of using a callback.",
    ),
    "lost-exception": Mistake(
        "An exception was never looked at",
        "A task or Future failed and nobody awaited it, so nobody was told.",
        "Keep the task and await it, or add a done-callback that asks for its exception.",
    ),
    "lost-task": Mistake(
        "A task was lost while it was pending",
        "The loop keeps only a weak reference to a task; without another it may vanish.",
        "Keep a reference to the task until it is done.",
    ),
}

_NEVER_AWAITED = re.compile(r"coroutine '(?P<name>[^']+)' was never awaited")
_MADE = re.compile(r"coro=<(?P<name>\S+?)(?:\(\))? .*?at (?P<place>[^>]+:\d+)>")
_PLACE = re.compile(r"^(?P<file>.+):(?P<line>\d+): RuntimeWarning: ", re.MULTILINE)
_FINISHED = ("Cannot write() after finish()", "finish() called twice")
_LOST = {
    "Task exception was never retrieved": "lost-exception",
    "Future exception was never retrieved": "lost-exception",
    TASK_DESTROYED: "lost-task",
}


def finding(record: logging.LogRecord, stages: Sequence[object] | None) -> tuple[str, str] | None:
    """Return the kind and the text of the mistake that a log record tells of, or None.

    *stages* are those of the request that the record belongs to, as in `Request.stages`.
    """
    kind, place = _recognised(record, stages)
    if kind is None:
        return None
    return kind, _words(kind, place)


class Reports:
    """Puts mistakes that no log record tells of into a recorder's log.

    One that is made at the same place again is reported again after some seconds at the earliest.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._due: dict[tuple[str, str], int] = {}

    def report(self, kind: str, request_id: int, place: str, detail: str = "") -> None:
        """Report a mistake at ``file:line in function``; *detail* may differ each time."""
        now = self._recorder.clock()
        if now < self._due.get((kind, place), 0):
            return
        self._due[kind, place] = now + _AGAIN_NS
        words = _words(kind, f"{place} · {detail}" if detail else place)
        row = (now, MISTAKES[kind].level, LOGGER + kind, request_id, words)
        self._recorder.log.append(row)


def _words(kind: str, place: str) -> str:
    mistake = MISTAKES[kind]
    what = f"{mistake.what}: {place}" if place else mistake.what
    return "\n".join((what, mistake.why, mistake.repair))


def _recognised(
    record: logging.LogRecord, stages: Sequence[object] | None
) -> tuple[str | None, str]:
    if record.name == "py.warnings":
        found = _NEVER_AWAITED.search(record.getMessage())
        where = _PLACE.search(record.getMessage())
        place = f"{found['name']} · {where['file']}:{where['line']}" if found and where else ""
        return ("never-awaited" if found else None), place
    if record.name == THREAD_LOGGER:
        return "other-thread", record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, RuntimeError) and error.args[:1] and error.args[0] in _FINISHED:
        return _after_finish(record, error, stages), _place_of(error)
    if record.name == "asyncio":
        first_line = record.getMessage().partition("\n")[0]
        made = _MADE.search(record.getMessage())
        place = f"{made['name']} · {made['place']}" if made else ""
        return _LOST.get(first_line), _place_of(error) or place
    return None, ""


def _after_finish(
    record: logging.LogRecord, error: BaseException, stages: Sequence[object] | None
) -> str:
    if str(record.msg).startswith("Uncaught exception"):  # So Tornado tells of a handler's errors.
        return "write-after-redirect" if stages and "redirect" in stages[::4] else "after-finish"
    own = _own_frames(error)
    is_task = any(frame.f_code.co_flags & inspect.CO_COROUTINE for frame, _ in own)
    return "after-finish" if is_task else "callback-in-plain-method"


def _place_of(error: BaseException | None) -> str:
    """Return the innermost place of an exception in the user's own code, with its line."""
    own = _own_frames(error) if error else []
    if not own:
        return ""
    frame, line = own[-1]
    return f"{frame.f_code.co_filename}:{line} in {frame.f_code.co_qualname}"


def _own_frames(error: BaseException) -> list[tuple[FrameType, int]]:
    frames = traceback.walk_tb(error.__traceback__)
    return [(frame, line) for frame, line in frames if not is_library(frame.f_code)]
