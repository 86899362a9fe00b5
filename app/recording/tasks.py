"""Tasks watched from outside: their beginnings and ends, and what each one waits for."""

from __future__ import annotations

import asyncio
import functools
import linecache
import os
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import (
    AsyncGeneratorType,
    BuiltinMethodType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
)
from typing import Any

from .events import Row
from .longest import IDLE, Longest
from .reach import attr, is_task
from .recorder import OWNER, Recorder
from .snapshot import Frame, PendingTask
from .waiting import Explainer, Known, Step, Why

_OWN = os.path.join(Path(__file__).resolve().parents[1], "")
_INSTALLED = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")]
# What Python and PySide carry within themselves has no path: PySide's is run at each import.
_LIBRARY = (
    *{os.path.join(folder, "") for path in _INSTALLED for folder in (path, os.path.realpath(path))},
    *(_OWN, "<frozen", "shibokensupport"),
)
_CONNECTIONS = (IDLE, "RequestHandler._execute")
DESTROYED = "destroyed"
"""The outcome of a task that was collected as garbage while it waited."""
_LINE = 200
"""How much of a source line is kept, in characters."""
_NAMED = frozenset((FunctionType, MethodType, BuiltinMethodType, type))
_ARGS: Any = BaseException.__dict__["args"]
_now = time.monotonic_ns
_ATOMS = frozenset((str, bytes, int, float, bool, type(None)))


class TaskWatch:
    """Records tasks and waits for a `Recorder`, called by the loop around each step of a task.

    What is known of a task is kept on the task itself, so it goes when the task goes. A wait is
    read from ``_fut_waiter`` right after a step: exact, and true for every kind of Future.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._task_id = 0
        self._wait_id = 0
        self._future_id = 0
        self._places: dict[tuple[int, int], tuple[CodeType, str]] = {}
        self._lines: dict[tuple[int, int], tuple[CodeType, str]] = {}
        self._longest = Longest(self.created)
        self._known = Known()

    def created(
        self,
        task: Any,
        owner: int | None = None,
        cause_run_id: int | None = None,
        coroutine: Any = None,
    ) -> Row:
        """Record a new task; return its row, which is also kept on the task."""
        recorder = self._recorder
        self._task_id = id_ = self._task_id + 1
        # An eager task that has finished knows its coroutine no longer, and CPython 3.12.1 crashes.
        coroutine = coroutine or task.get_coro()
        if type(coroutine) is CoroutineType:
            code: Any = coroutine.cr_code
            name = coroutine.__qualname__
        else:
            code = getattr(coroutine, "cr_code", None) or getattr(coroutine, "gi_code", None)
            name = getattr(coroutine, "__qualname__", None) or type(coroutine).__name__
        row = (
            id_,
            task.get_name(),
            name,
            code.co_filename if code else "",
            code.co_firstlineno if code else 0,
            OWNER.get() if owner is None else owner,
            recorder.run_id if cause_run_id is None else cause_run_id,
            _now(),
            None,
            None,
        )
        task._loopscope_wait = None
        task._loopscope = recorder.begun_tasks[id_] = row
        return row

    # The two below must not disturb the program, whatever its tasks and Futures are: one that
    # cannot be watched is left alone.

    def began(self, task: Any, owner: int | None, coroutine: Any) -> None:
        """The program has made *task*, which runs *coroutine*."""
        try:
            self.created(task, owner, None, coroutine)
            if task.done() or task._fut_waiter is not None:
                # An eager task has taken its first step inside the run that created it.
                self.stepped(task, OWNER.get(), 0, _now(), 0)
        except Exception:
            return

    def stepped(self, task: Any, owner: int, start_ns: int, end_ns: int, cause_run_id: int) -> int:
        """A step of *task* is over: its wait ended as the step began, and the next one begins.

        Return the task's id, 0 if it has none.
        """
        try:
            try:
                row, wait = task._loopscope, task._loopscope_wait
            except AttributeError:  # Made without the loop's create_task.
                row, wait = self.created(task, owner, cause_run_id), None
            recorder = self._recorder
            if wait is not None:
                task._loopscope_wait = None
                recorder.begun_waits.pop(wait[0], None)
                recorder.waits.append((*wait[:6], start_ns, cause_run_id))
            waiter = task._fut_waiter
            if waiter is not None:
                self._wait_id = id_ = self._wait_id + 1
                future, where = self._describe(task, waiter)
                wait = (id_, row[0], owner, future, where, end_ns, None, 0)
                task._loopscope_wait = recorder.begun_waits[id_] = wait
            elif task.done():
                recorder.begun_tasks.pop(row[0], None)
                recorder.tasks.append((*row[:8], end_ns, _outcome(task)))
            return row[0]  # type: ignore[no-any-return]
        except Exception:
            return 0

    def destroyed(self, task: Any) -> None:
        """A pending task was collected as garbage: nobody kept it, and nothing will resume it."""
        row = getattr(task, "_loopscope", None)
        if row is None or task.done():
            return
        recorder, now = self._recorder, _now()
        wait, task._loopscope_wait = task._loopscope_wait, None
        if wait is not None:
            recorder.begun_waits.pop(wait[0], None)
            recorder.waits.append((*wait[:6], now, 0))
        recorder.begun_tasks.pop(row[0], None)
        recorder.tasks.append((*row[:8], now, DESTROYED))

    def future_name(self, future: Any) -> str:
        """Return a name for *future* that stays the same for its life: ``Future #12``."""
        row = getattr(future, "_loopscope", None)
        if row is not None and isinstance(future, asyncio.Task):
            return f"Task #{row[0]} {row[2]}"
        number = getattr(future, "_loopscope_number", None)
        if number is None:
            self._future_id += 1
            number = self._future_id
            try:
                future._loopscope_number = number
            except Exception:  # A Future class with slots: it cannot be told apart later.
                return "Future"
        return f"Future #{number}"

    def _describe(self, task: Any, waiter: Any) -> tuple[str, str]:
        """Return what *task* waits for, and the place in the code that is nearest to the user.

        A Future that library code made inside goes by the name of that code.
        """
        awaitable, place, code, library = task.get_coro(), None, None, False
        known = _in_library
        while True:
            kind = type(awaitable)
            if kind is CoroutineType:
                code, inner = awaitable.cr_code, awaitable.cr_await
            elif kind is GeneratorType:
                code, inner = awaitable.gi_code, awaitable.gi_yieldfrom
            elif kind is AsyncGeneratorType:
                code, inner = awaitable.ag_code, awaitable.ag_await
            else:
                break
            library = known[code.co_filename]
            if not library or place is None:
                place = awaitable
            awaitable = inner
        where = "" if place is None else self._place(place)
        if library and code is not None and not isinstance(waiter, asyncio.Task):
            return code.co_qualname, where
        return self.future_name(waiter), where

    def _place(self, awaitable: Any) -> str:
        is_coroutine = type(awaitable) is CoroutineType
        frame = awaitable.cr_frame if is_coroutine else next(_chain(awaitable))[1]
        code = frame.f_code
        # By id, since a code object is hashed anew each time; the entry keeps the object alive.
        key = (id(code), frame.f_lasti)
        known = self._places.get(key)
        if known is None:
            if len(self._places) > 10_000:
                self._places.clear()
            text = f"{code.co_filename}:{frame.f_lineno} in {code.co_qualname}"
            self._places[key] = known = (code, text)
        return known[1]

    def pending(self, loop: asyncio.AbstractEventLoop, limit: int) -> list[PendingTask]:
        """Return up to *limit* tasks of *loop* that have not finished, longest wait first.

        Those of connections come behind all others.
        """
        found = self._longest.of(loop, limit)
        self._known.keep({task._loopscope_wait[0] for task in found if task._loopscope_wait})
        fetching = [task for ref in self._longest.fetching if (task := ref()) is not None]
        explainer = Explainer(loop, self._recorder.sockets, fetching, self._known)
        return [self._pending(explainer, task) for task in found]

    def _pending(self, explainer: Explainer, task: Any) -> PendingTask:
        wait, waiter = task._loopscope_wait, task._fut_waiter
        if waiter is not None and attr(waiter, "_state") not in (None, "PENDING"):
            waiter = wait = None  # Its wake-up is on the way.
        id_ = wait[0] if wait else 0
        before = self._known.tasks.get(id_)
        if before is None or before.name != task.get_name() or not explainer.knows(id_):
            found = self._found(explainer, task, waiter, wait)
            if id_ in self._known.waits:
                self._known.tasks[id_] = found
            return found
        who = explainer.why(task, waiter, [], id_).who  # While it waits, only time goes on.
        return before if who == before.resolver else before._replace(resolver=who)

    def _found(self, explainer: Explainer, task: Any, waiter: Any, wait: Row | None) -> PendingTask:
        row = task._loopscope
        chain = list(_chain(task.get_coro()))
        frames = [self._frame(frame) for _, frame in chain]
        why = Why("", ())
        if waiter is not None:
            steps = [
                Step(one, f"{frame.f_globals.get('__name__')} {frame.f_code.co_qualname}", library)
                for (one, frame), library in zip(chain, (f.library for f in frames), strict=True)
            ]
            try:
                why = explainer.why(task, waiter, steps, wait[0] if wait else 0)
            except Exception:  # A Future or a library of a kind that nobody has seen yet.
                why = Why("future", ())
        plain = waiter is not None and not is_task(waiter)
        return PendingTask(
            task_id=row[0],
            name=task.get_name(),
            coroutine=row[2],
            owner=wait[2] if wait else row[5],
            frames=frames,
            future=wait[3] if wait else "",
            resolver=why.who,
            since_ns=wait[5] if wait else None,
            kind=why.kind,
            wait_id=wait[0] if wait else 0,
            future_id=getattr(waiter, "_loopscope_number", 0) if plain else 0,
            resolvable=plain and bool(wait),
            machinery=_machinery(frames) or ("future" if why.kind and why.library else ""),
        )

    def _frame(self, frame: FrameType) -> Frame:
        code, line = frame.f_code, frame.f_lineno
        key = (id(code), line)
        known = self._lines.get(key)
        if known is None:
            if len(self._lines) > 10_000:
                self._lines.clear()
            text = linecache.getline(code.co_filename, line or 0).strip()
            self._lines[key] = known = (code, text[:_LINE])
        return Frame(code.co_filename, line, code.co_qualname, is_library(code), known[1])


def _machinery(frames: list[Frame]) -> str:
    """Say whose a task is that none of the program's own code stands in."""
    if not frames:
        return ""
    if frames[0].file.startswith(_OWN):
        return "loopscope"
    if not all(frame.library for frame in frames):
        return ""
    if frames[0].function in _CONNECTIONS:
        return "connection"
    return "library"


def _outcome(task: Any) -> str:
    if task.cancelled():
        return "cancelled"
    # task.exception() would mark the exception as retrieved and silence asyncio's warning.
    error = task._exception
    if error is None:
        return "done"
    # repr(error) would run the program's own code.
    arguments = (
        repr(argument)[:200] if type(argument) in _ATOMS else f"<{type(argument).__name__}>"
        for argument in _ARGS.__get__(error)
    )
    return f"{type(error).__name__}({', '.join(arguments)})"


def _chain(awaitable: Any) -> Iterator[tuple[Any, FrameType]]:
    """Yield the suspended coroutines with their frames, from the outermost to the innermost."""
    while True:
        kind, this = type(awaitable), awaitable
        if kind is CoroutineType:
            frame, awaitable = this.cr_frame, this.cr_await
        elif kind is GeneratorType:
            frame, awaitable = this.gi_frame, this.gi_yieldfrom
        elif kind is AsyncGeneratorType:
            frame, awaitable = this.ag_frame, this.ag_await
        else:
            return
        if frame is None:
            return
        yield this, frame


class _InLibrary(dict[str, bool]):
    """File → whether it belongs to Python, to an installed package, or to Loopscope."""

    def __missing__(self, file: str) -> bool:
        if len(self) > 10_000:
            self.clear()
        self[file] = found = file.startswith(_LIBRARY)
        return found


_in_library = _InLibrary()


def is_library(code: CodeType) -> bool:
    """Return whether *code* belongs to Python, to an installed package, or to Loopscope."""
    return _in_library[code.co_filename]


def is_library_file(file: str) -> bool:
    """Return the same of a file, as a traceback names it."""
    return _in_library[file]


def label(callback: Callable[..., object] | None, args: tuple[Any, ...] | None) -> str:
    """Return a name for what a handle will do: the qualified name of the function behind it."""
    target: Any = callback
    # Only of types known to run no code of the program's when asked for an attribute.
    if args and type(target) in _NAMED and target.__name__ == "_run_callback":
        target = args[0]  # Tornado's IOLoop wraps whatever it is given.
    while type(target) is functools.partial:
        target = target.func
    if type(target) in _NAMED:
        return str(target.__qualname__)
    return type(target).__qualname__
