"""Mistakes that are often made with asyncio and Tornado, recognised from what Python logs.

A finding is a log record of its own, right after the one that it explains: its logger is
``loopscope.mistake.KIND``, its lines are what happened and where, why, and the repair.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Sequence
from typing import NamedTuple

from .tasks import is_library

LOGGER = "loopscope.mistake."
THREAD_LOGGER = "loopscope.thread"


class Mistake(NamedTuple):
    """A kind of mistake: what happened, why that is one, and the repair."""

    what: str
    why: str
    repair: str


MISTAKES = {
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
        "After finish(), or render() which finishes, the response is on its way and can take no"
        " more.",
        "Return after the first finish(); write everything before it.",
    ),
    "write-after-redirect": Mistake(
        "The response was finished by redirect()",
        "redirect() sends the response, but the method goes on with its next line.",
        "Return right after redirect().",
    ),
    "callback-in-plain-method": Mistake(
        "A callback came after the response was finished",
        "A plain method finishes the response when it returns; a callback that comes later is"
        " too late.",
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
    "Task was destroyed but it is pending!": "lost-task",
}


def finding(record: logging.LogRecord, stages: Sequence[object] | None) -> tuple[str, str] | None:
    """Return the kind and the text of the mistake that a log record tells of, or None.

    *stages* are those of the request that the record belongs to, as in `Request.stages`.
    """
    kind, place = _recognised(record, stages)
    if kind is None:
        return None
    mistake = MISTAKES[kind]
    what = f"{mistake.what}: {place}" if place else mistake.what
    return kind, "\n".join((what, mistake.why, mistake.repair))


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
    if record.name == "asyncio":
        first_line = record.getMessage().partition("\n")[0]
        made = _MADE.search(record.getMessage())
        place = f"{made['name']} · {made['place']}" if made else ""
        return _LOST.get(first_line), _place_of(error) or place
    if isinstance(error, RuntimeError) and error.args[:1] and error.args[0] in _FINISHED:
        return _after_finish(record, stages), _place_of(error)
    return None, ""


def _after_finish(record: logging.LogRecord, stages: Sequence[object] | None) -> str:
    if not str(record.msg).startswith("Uncaught exception"):
        return "callback-in-plain-method"  # Of the handler's own errors Tornado says so.
    return "write-after-redirect" if stages and "redirect" in stages[::4] else "after-finish"


def _place_of(error: BaseException | None) -> str:
    """Return the innermost place of an exception in the user's own code, with its line."""
    if error is None:
        return ""
    frames = list(traceback.walk_tb(error.__traceback__))
    own = [(frame, line) for frame, line in frames if not is_library(frame.f_code)]
    if not own:
        return ""
    frame, line = own[-1]
    return f"{frame.f_code.co_filename}:{line} in {frame.f_code.co_qualname}"
