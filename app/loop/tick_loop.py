"""TickLoop: a complete asyncio event loop on Qt that turns in true ticks and records them.

qasync gives every callback a Qt timer of its own; here asyncio's own ready queue, timer heap and
selector do the work, and Qt only says when: one notifier watches the selector's descriptor, one
timer stands for the earliest deadline, and one zero timer asks for the next turn. Several ticks
run in one turn while there is work, within a time budget, so that Qt always gets its share.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
import logging
import math
import selectors
import sys
import threading
import time
from asyncio import base_events, events, format_helpers
from collections.abc import Callable
from types import FunctionType
from typing import Any

from PySide6.QtCore import QCoreApplication, QEventLoop, QSocketNotifier, Qt, QThread, QTimer

from app.loop.descriptors import Descriptors
from app.loop.handles import (
    STEP,
    TASKS,
    DebugHandle,
    Handle,
    SocketHandle,
    TimerHandle,
    new_handle,
    stepped_task,
)
from app.loop.hold import Hold
from app.loop.looking import Looking
from app.loop.selector import NotifierSelector, default_selector, finder
from app.loop.signals import Signals
from app.recording.events import SERVER, WINDOW
from app.recording.mistakes import TASK_DESTROYED, THREAD_LOGGER
from app.recording.recorder import OWNER, Recorder
from app.recording.tasks import TaskWatch, is_library, label

BUDGET_NS = 6_000_000
"""How long ticks may go on before Qt must get its turn, in ns."""
LINGER_S = 0.001
"""How long to wait in our own selector after work, in s: a reply to a busy peer is often near."""

HELD_S = 0.01
"""How often to look for work while a nested Qt loop keeps handles back, in s."""
MAX_DEPTH = 10
"""How many Qt loops may be nested within handles with asyncio going on in the innermost."""

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_SelectorLoop = asyncio.SelectorEventLoop
_copy_context = contextvars.copy_context
_new: Any = object.__new__
_now = time.monotonic_ns
# Beyond thirty attributes a class loses CPython's quick access to all of them, and asyncio's own
# take most of these.
_SLOTS = (
    "_app",
    "_coming",
    "_contained",
    "_deadline_timer",
    "_depth",
    "_dispatcher_maker",
    "_escaped",
    "_find_key",
    "_held",
    "_local",
    "_notifier",
    "_released",
    "_rest",
    "_run_ids",
    "_tick_id",
    "_timer_id",
    "_turn_ends",
    "_unwatch_signals",
    "_wake_timer",
    "activity",
    "due_ns",
    "hold",
    "nested_ns",
    "recorder",
    "tasks",
    "unwatched",
    "watch",
)


class TickLoop(Descriptors, Signals, Looking):
    """An asyncio event loop that runs inside Qt's, tick by tick, and records what it runs.

    *already_running* makes the loop count as running at once, driven by whatever Qt loop turns
    (as `qasync` does); end that with `release`. Otherwise use it as any asyncio loop. A loop may
    run in any thread; the Qt application must exist. *contained* keeps SystemExit and
    KeyboardInterrupt that a callback raises from ending the program: they go to the exception
    handler like any other error.
    """

    __slots__ = _SLOTS
    _timer_cancelled_count: int

    # asyncio's own machinery, in place of qasync's timer for each callback.
    run_forever = _SelectorLoop.run_forever
    run_until_complete = _SelectorLoop.run_until_complete
    is_running = _SelectorLoop.is_running
    call_later = _SelectorLoop.call_later
    run_in_executor = _SelectorLoop.run_in_executor
    set_default_executor = _SelectorLoop.set_default_executor
    set_exception_handler = _SelectorLoop.set_exception_handler
    default_exception_handler = _SelectorLoop.default_exception_handler
    get_debug = _SelectorLoop.get_debug
    set_debug = _SelectorLoop.set_debug

    def __init__(
        self,
        app: QCoreApplication | None = None,
        *,
        recorder: Recorder | None = None,
        already_running: bool = False,
        contained: bool = False,
        selector: selectors.BaseSelector | None = None,
    ) -> None:
        app = app or QCoreApplication.instance()
        if app is None:
            raise RuntimeError("a TickLoop needs a QCoreApplication")
        self._app = app
        self.recorder = recorder or Recorder()
        self.tasks = TaskWatch(self.recorder)
        self.hold = Hold(self.recorder, self._clock_changed, self._wake)
        self.activity: Callable[[], None] | None = None
        """Called after each turn in which something was run."""
        self.due_ns = 0
        """When Qt has something to do that should not wait for the end of a turn, in ns."""
        self.unwatched = False
        """Whether the next tick is to call `watch` before its handles run."""
        self.watch: Callable[[], None] = lambda: None
        self.nested_ns = 0
        """When a handle last turned a Qt loop of its own, in which everything else goes on."""
        self._contained = contained
        self._tick_id = 0
        self._run_ids = itertools.count(1)
        self._depth = 0
        """How many turns are under way: a handle may turn a Qt loop that gives us another."""
        self._coming = False
        """Whether another tick follows anyway, so that Qt need not be asked for it."""
        self._held: list[asyncio.Handle] = []
        self._escaped: BaseException | None = None
        self._wake_timer: QTimer | None = None
        self._deadline_timer: QTimer | None = None
        self._notifier: QSocketNotifier | None = None
        self._local: QEventLoop | None = None
        self._unwatch_signals: Callable[[], None] | None = None
        self._released: Callable[[], None] | None = None
        selector = selector or default_selector()
        if not hasattr(selector, "fileno"):
            selector = NotifierSelector(selector)
        self._find_key = finder(selector)
        self._timer_id = 0
        self._turn_ends = 0
        """When Qt must get its turn, in ns."""
        self._rest: tuple[tuple[int, int, int, int], int] | None = None
        """A tick that the end of a turn interrupted, and how many of its handles are left."""
        _SelectorLoop.__init__(self, selector)
        if already_running:
            self._take_over()

    # -- Running ---------------------------------------------------------------------------

    def _run_once(self) -> None:
        """Turn Qt's loop until `stop`; asyncio's run_forever calls this, and again if Qt quit."""
        try:
            self._attach()
            thread = QThread.currentThread()
            if thread is self._app.thread() and thread.loopLevel() == 0:
                QCoreApplication.exec()
            else:
                self._local = QEventLoop()
                self._local.exec()
                # Ended by somebody else, it cannot be turned again: its thread is quitting.
                self._stopping = True
        finally:
            self._local = None
            self._detach()
        if self._escaped is not None:
            escaped, self._escaped = self._escaped, None
            raise escaped

    def _leave(self) -> None:
        """End the Qt loop that `_run_once` turns."""
        if self._local is not None:
            self._local.quit()
        elif self._released is None:
            QCoreApplication.exit()
        elif self._escaped is not None:  # Whoever turns Qt's loop cannot be given it.
            escaped, self._escaped = self._escaped, None
            self.call_exception_handler({"message": "Not contained", "exception": escaped})
            self._wake()

    def _attach(self) -> None:
        # QTimer and QSocketNotifier belong to a thread, and the loop's is known only here. In a
        # thread that Qt did not start they need an event dispatcher, which QEventLoop makes.
        self._dispatcher_maker = QEventLoop()
        self._wake_timer = QTimer(singleShot=True, interval=0)
        self._wake_timer.timeout.connect(self._pump)
        self._deadline_timer = QTimer(singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._deadline_timer.timeout.connect(self._pump)
        if not isinstance(self._selector, NotifierSelector):
            self._notifier = QSocketNotifier(self._selector.fileno(), QSocketNotifier.Type.Read)
            self._notifier.activated.connect(self._pump)
        self._listen(True)
        self._watch_signals()
        self._wake()

    def _detach(self) -> None:
        if self._unwatch_signals is not None:
            self._unwatch_signals()
            self._unwatch_signals = None
        for timer in (self._wake_timer, self._deadline_timer):
            if timer is not None:
                timer.stop()
        self._listen(False)
        self._wake_timer = self._deadline_timer = self._notifier = None

    def _listen(self, on: bool) -> None:
        """Let ready descriptors wake the loop, or not."""
        if isinstance(self._selector, NotifierSelector):
            self._selector.attach(self._wake if on else None)
        elif self._notifier is not None:
            self._notifier.setEnabled(on)

    def is_turning(self) -> bool:
        """Return whether ticks are under way."""
        return self._depth > 0

    def _take_over(self) -> None:
        """Count as running from now on, in this thread, until `release`."""
        self._check_running()
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(
            firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook
        )
        self._thread_id = threading.get_ident()
        events._set_running_loop(self)
        self._released = lambda: sys.set_asyncgen_hooks(*hooks)
        self._attach()

    def release(self) -> None:
        """End `already_running`: the loop no longer counts as running and may be closed."""
        if self._released is not None:
            self._detach()
            self._thread_id = None  # type: ignore[assignment]
            self._stopping = False
            events._set_running_loop(None)
            self._released()
            self._released = None

    def stop(self) -> None:
        """Stop after the current tick; as in asyncio, what is ready by then still runs."""
        self._stopping = True
        if not self._coming:
            self._wake()

    def close(self) -> None:
        """Close the loop; it must not be running."""
        _SelectorLoop.close(self)

    def __enter__(self) -> TickLoop:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()
        self.close()

    # -- Scheduling ------------------------------------------------------------------------

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> Any:
        """Run *callback* in the next tick; see `asyncio.loop.call_soon`."""
        if self._closed:
            self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, "call_soon")
            handle: Any = DebugHandle(callback, args, self, context)
        else:
            # As in `new_handle`; spelled out because this runs for every callback.
            handle = _new(Handle)
            handle._context = _copy_context() if context is None else context
            handle._loop = self
            handle._callback = callback
            handle._args = args
            handle._cancelled = False
            handle.cause = self.recorder.run_id
            handle.scheduled_ns = _now()
        self._ready.append(handle)
        if not self._coming:
            self._wake()
        return handle

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        """Run *callback* in the next tick, from any thread; see asyncio."""
        self._check_closed()
        if self._debug:
            self._check_callback(callback, "call_soon_threadsafe")
        handle: Any = (DebugHandle if self._debug else new_handle)(callback, args, self, context)
        if threading.get_ident() != self._thread_id:
            handle.cause = 0  # Whatever the loop runs just now did not schedule this.
        self._ready.append(handle)
        self._write_to_self()
        return handle

    def call_at(
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        """Run *callback* at *when* on the loop's clock, never earlier; see asyncio."""
        if when is None:
            raise TypeError("when cannot be None")
        self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, "call_at")
        timer = TimerHandle(when, callback, args, self, context)
        self._timer_id += 1  # Two timers for one moment: tuples compare no further than this.
        due = when
        if self.hold.moved and self.hold.is_server(timer):
            due = self.hold.loop_time(when)
        heapq.heappush(self._scheduled, (due, self._timer_id, timer))
        timer._scheduled = True
        if not self._coming:
            self._wake()
        return timer

    def _add_callback(self, handle: asyncio.Handle) -> None:
        # A signal's handle is asyncio's own.
        of: Any = handle
        made = new_handle(of._callback, of._args, self, of._context)
        made.cause = 0
        self._ready.append(made)

    def time(self) -> float:
        """Return the loop's clock in s; for code of the server, the server's: it can be held."""
        now = time.monotonic()
        if self.hold.moved and OWNER.get() >= SERVER:
            return self.hold.time(now)
        return now

    def create_task(self, coro: Any, **kwargs: Any) -> Any:
        """Schedule a coroutine; see `asyncio.loop.create_task`."""
        context = kwargs.get("context")
        task: Any
        if self._task_factory is None and not self._debug and not self._closed:
            task = asyncio.Task(coro, loop=self, **kwargs)
        else:
            task = _SelectorLoop.create_task(self, coro, **kwargs)
            if self._debug and self._task_factory is None:
                del task._source_traceback[-1]  # This method.
        if issubclass(type(task), TASKS):
            owner = None if context is None else context.get(OWNER, WINDOW)
            self.tasks.began(task, owner, coro)
        return task

    # -- Turning ---------------------------------------------------------------------------

    def _wake(self) -> None:
        """Ask Qt for a turn."""
        timer = self._wake_timer
        if timer is None:
            return
        if threading.get_ident() != self._thread_id:
            # It forgot call_soon_threadsafe; as in asyncio, that wakes nothing.
            self._warn_of_thread()
        elif not timer.isActive():
            timer.start()

    def _warn_of_thread(self) -> None:
        caller = sys._getframe(2)
        while is_library(caller.f_code) and caller.f_back is not None:
            caller = caller.f_back
        place = f"{caller.f_code.co_filename}:{caller.f_lineno} in {caller.f_code.co_qualname}"
        if is_library(caller.f_code):
            place = threading.current_thread().name
        logging.getLogger(THREAD_LOGGER).warning("%s", place)

    # The slots take no arguments on purpose: to convert those of `activated`, PySide runs Python
    # code, and a signal handler that raises in there crashes the process.
    def _pump(self) -> None:
        """Qt's turn for us: run ticks while there is work, within the budget."""
        try:
            if self._escaped is not None:
                self._leave()
            elif self._wake_timer is not None and self._depth < MAX_DEPTH:
                self._turn() if self._depth == 0 else self._turn_nested()
        except BaseException as exc:
            # Nothing may leave a Qt slot; a KeyboardInterrupt can arrive on any line.
            self._escaped = exc
            self._leave()

    def _turn_nested(self) -> None:
        # A handle runs a Qt loop of its own: a menu, a dialog, processEvents. Everything else
        # goes on inside it; asyncio forbids entering a task within another, so the outer one is
        # left for as long.
        recorder = self.recorder
        run_id = recorder.run_id
        self.nested_ns = _now()
        outer = asyncio.current_task(self)
        if outer is not None:
            asyncio.tasks._leave_task(self, outer)
        try:
            self._turn()
        finally:
            if outer is not None:
                asyncio.tasks._enter_task(self, outer)
            recorder.run_id = run_id

    def _turn(self) -> None:
        wake = self._wake_timer
        assert wake is not None
        wake.start()  # Fires only if a handle turns a Qt loop of its own, or work is left over.
        worked = False
        begin = _now()
        deadline = begin + BUDGET_NS
        if begin < self.due_ns < deadline:
            deadline = self.due_ns
        self._turn_ends = deadline
        timeout = 0.0
        self._depth += 1
        self._coming = True
        try:
            while True:
                ran = self._tick(timeout)
                worked = worked or ran
                if self._held:
                    if self._depth > 1:
                        break
                    self._release_held()
                if (self._stopping and self._rest is None) or self._escaped is not None:
                    self._leave()
                    break
                if _now() >= deadline or not (ran or self._ready) or self._wake_timer is not wake:
                    break
                timeout = 0.0 if self._ready else min(LINGER_S, self._until_next_timer())
        finally:
            self._depth -= 1
            self._coming = False
        if self._wake_timer is wake:
            self._arm(wake)
        if worked and self.activity is not None:
            self.activity()

    def _arm(self, wake: QTimer) -> None:
        """Ask Qt for the next turn: at once while work is left, else at the next deadline."""
        assert self._deadline_timer is not None
        delay = 0.0 if self._ready or self.hold.stepping else self._until_next_timer()
        if self._held:
            delay = max(delay, HELD_S)
        elif self.hold.parked:
            # Sockets that are held back would be reported over and over: look now and then.
            delay = min(delay, HELD_S, self.hold.delay())
        if delay <= 0:
            wake.start()  # Anew, so that timers that fell due meanwhile come first.
            return
        wake.stop()
        if delay < math.inf:
            # Rounded up: a timer must never be early. Qt's int ms reach for 24 days.
            self._deadline_timer.start(min(math.ceil(delay * 1000), 86_400_000))
        else:
            self._deadline_timer.stop()

    def _until_next_timer(self) -> float:
        """Return the seconds until the earliest timer: infinity when there is none."""
        scheduled = self._scheduled
        while scheduled and scheduled[0][2]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(scheduled)[2]._scheduled = False
        return max(0.0, scheduled[0][0] - time.monotonic()) if scheduled else math.inf

    def _tick(self, timeout: float) -> bool:
        """Run one iteration: select, due timers, and the handles ready by then.

        A long one goes on in the next turn, without a new select, until all of them have run.
        Return whether anything was ready.
        """
        if self._rest is not None:
            tick, count = self._rest
            self._rest, jumped = None, False
        else:
            if self.recorder.closed:
                self._forget_closed()
            start = _now()
            events_ = self._selector.select(timeout)
            selected = _now()
            if events_:
                self._process_events(events_, selected)
            if self._scheduled:
                self._queue_due_timers()
            jumped = self._sift() if self.hold.active else False
            count = len(self._ready)
            if not count:
                if self.hold.stepping:
                    self.hold.tick_over(jumped)
                return False
            self._tick_id += 1
            tick = (self._tick_id, start, selected, count)
        if self.unwatched:
            self.watch()
        left = self._run_ready(count, tick[0])
        self.recorder.run_id = 0
        if self._rest is not None:  # Of a tick in a nested Qt loop that was over before it.
            self._record_tick(*self._rest[0])
        self._rest = (tick, left) if left else None
        if not left:
            self._record_tick(*tick)
        if self.hold.active:
            self.hold.tick_over(self.hold.ran(tick[0]) or jumped)
        return True

    def _sift(self) -> bool:
        """Hold back what must not run now; return whether the server's clock had to jump."""
        hold = self.hold
        jumped = False
        if hold.sift(self._ready):
            pending = (timer for _, _, timer in self._scheduled if not timer._cancelled)
            timers = [timer._when for timer in pending if hold.is_server(timer)]
            if timers:
                jumped = True
                hold.jump(min(timers))
                self._clock_changed()
                self._queue_due_timers()
                hold.sift(self._ready)
        self._listen(not (hold.parked or self._held))
        return jumped

    def _clock_changed(self) -> None:
        """The server's clock was set or goes at another rate: its timers are due anew."""
        if self._rest is not None:
            self._record_tick(*self._rest[0])
            self._rest = None
        hold = self.hold
        self._scheduled[:] = [
            (hold.loop_time(timer._when) if hold.is_server(timer) else due, number, timer)
            for due, number, timer in self._scheduled
        ]
        heapq.heapify(self._scheduled)
        self._wake()

    def _record_tick(self, tick_id: int, start: int, selected: int, ready: int) -> None:
        recorder = self.recorder
        descriptors = len(self._selector.get_map()) if self._selector else 0
        timers = len(self._scheduled)
        recorder.ticks.append((tick_id, start, selected, _now(), ready, timers, descriptors))
        if not tick_id & 0xFF:
            recorder.bound()

    def _queue_due_timers(self) -> None:
        scheduled = self._scheduled
        cancelled = self._timer_cancelled_count
        if (
            cancelled > base_events._MIN_SCHEDULED_TIMER_HANDLES  # type: ignore[attr-defined]
            and cancelled > len(scheduled) * base_events._MIN_CANCELLED_TIMER_HANDLES_FRACTION  # type: ignore[attr-defined]
        ):
            for _, _, timer in scheduled:
                if timer._cancelled:
                    timer._scheduled = False
            scheduled[:] = [entry for entry in scheduled if not entry[2]._cancelled]
            heapq.heapify(scheduled)
            self._timer_cancelled_count = 0
        due = time.monotonic() + self._clock_resolution
        while scheduled and (scheduled[0][0] < due or scheduled[0][2]._cancelled):
            due_at, _, timer = heapq.heappop(scheduled)
            timer._scheduled = False
            if timer._cancelled:
                self._timer_cancelled_count -= 1
            else:
                timer.scheduled_ns = int(due_at * 1e9)
                self._ready.append(timer)

    def _run_ready(self, count: int, tick_id: int) -> int:
        """Run *count* handles, or as many as there is time for; return how many are left."""
        ready, recorder = self._ready, self.recorder
        take, record, next_run_id = ready.popleft, recorder.runs.add, self._run_ids.__next__
        stepped, deadline, debug = self.tasks.stepped, self._turn_ends, self._debug
        start = _now()
        # One by one: what a handle leaves behind must be gone before the next one runs.
        for left in range(count - 1, -1, -1):
            if not ready:  # A nested Qt loop has run the rest.
                break
            handle = take()
            if handle._cancelled:
                continue
            recorder.run_id = run_id = next_run_id()
            callback, args, context = handle._callback, handle._args, handle._context
            task = None
            kind = type(callback)
            if kind is STEP:
                name, task = None, callback.__self__
            elif type(handle) is SocketHandle:
                name = handle.name
                self._set_owner(handle.descriptor, context)
            elif kind is FunctionType:
                name = callback.__qualname__
            else:
                task = stepped_task(callback)
                name = label(callback, args) if task is None else None
            if debug:
                self._current_handle = handle
            try:
                if args:
                    context.run(callback, *args)
                else:
                    context.run(callback)
            except BaseException as exc:
                self._contain(handle, exc, callback)
                if self._escaped is not None:
                    deadline = 0
            end = _now()
            owner = context.get(OWNER, WINDOW)
            cause = handle.cause
            task_id = 0 if task is None else stepped(task, owner, start, end, cause)
            record((run_id, tick_id, start, end, name, owner, task_id, cause, handle.scheduled_ns))
            if debug:
                self._warn_if_slow(handle, (end - start) / 1e9)
            if end >= deadline:
                return left if deadline else 0
            start = end
        return 0

    def _set_owner(self, descriptor: int, context: contextvars.Context) -> None:
        """Let a socket's callback belong to whom the socket is busy with."""
        owner = self.recorder.owners.get(descriptor)
        if owner is not None and context.get(OWNER, WINDOW) != owner:
            try:
                context.run(OWNER.set, owner)
            except RuntimeError:  # In use by the run that turns a nested loop.
                return

    def _warn_if_slow(self, handle: asyncio.Handle, seconds: float) -> None:
        self._current_handle = None
        if seconds >= self.slow_callback_duration:
            base_events.logger.warning(  # type: ignore[attr-defined]
                "Executing %s took %.3f seconds",
                base_events._format_handle(handle),  # type: ignore[attr-defined]
                seconds,
            )

    def _contain(self, handle: Any, exc: BaseException, callback: Any) -> None:
        """Hand an exception from a callback to the exception handler."""
        if isinstance(exc, (SystemExit, KeyboardInterrupt)) and not self._contained:
            self._escaped = exc
            return
        trace = exc.__traceback__
        if self._depth > 1 and type(exc) is RuntimeError and trace and trace.tb_next is None:
            self._hold(handle)
            return
        source = format_helpers._format_callback_source(callback, handle._args or ())
        context = {"message": f"Exception in callback {source}", "exception": exc, "handle": handle}
        if handle._source_traceback:
            context["source_traceback"] = handle._source_traceback
        self.call_exception_handler(context)

    def call_exception_handler(self, context: Any) -> None:
        """Report what went wrong; see asyncio. The report belongs to the owner of what failed."""
        task = context.get("task")
        row = getattr(task or context.get("future"), "_loopscope", None)
        if task is not None and context.get("message") == TASK_DESTROYED:
            self.tasks.destroyed(task)
        handle = context.get("handle")
        own = _copy_context()
        if row is not None:
            own.run(OWNER.set, row[5])
        elif isinstance(handle, asyncio.Handle):
            own.run(OWNER.set, self.hold.owner_of(handle))
        own.run(_SelectorLoop.call_exception_handler, self, context)

    def _hold(self, handle: asyncio.Handle) -> None:
        """Keep back a handle whose context the run that turns a nested Qt loop has entered."""
        if handle not in self._held:
            self._held.append(handle)
        # A socket would be reported over and over: until then, look now and then.
        self._listen(False)

    def _release_held(self) -> None:
        # A socket that is still ready is reported again.
        self._ready.extend(held for held in self._held if held.__class__ is not SocketHandle)
        self._held.clear()
        self._listen(True)
