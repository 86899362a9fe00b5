"""TickLoop: a complete asyncio event loop on Qt that turns in true ticks and records them.

qasync gives every callback a Qt timer of its own; here asyncio's own ready queue, timer heap and
selector do the work, and Qt only says when: one notifier watches the selector's descriptor, one
timer stands for the earliest deadline, and one zero timer asks for the next turn. Several ticks
run in one turn while there is work, within a time budget, so that Qt always gets its share.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import heapq
import math
import selectors
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import BuiltinMethodType
from typing import Any

from PySide6.QtCore import QCoreApplication, QEventLoop, QSocketNotifier, Qt, QThread, QTimer

import qasync  # isort: skip  # After PySide6, or it would take an installed PyQt.
from asyncio import base_events, events, format_helpers

from app.recording.events import WINDOW
from app.recording.recorder import OWNER, Recorder
from app.recording.snapshot import LoopNow, PendingTask, Ready, Socket, Timer
from app.recording.tasks import TaskWatch, label

BUDGET_NS = 8_000_000
"""How long ticks may go on before Qt must get its turn, in ns."""
LINGER_S = 0.001
"""How long to wait in our own selector after work, in s: a reply to a busy peer is often near."""

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_PY_TASK: type = getattr(asyncio.tasks, "_PyTask", asyncio.Task)
_copy_context = contextvars.copy_context
_now = time.monotonic_ns


class _Handle(asyncio.Handle):
    """A handle that remembers which run scheduled it, and when."""

    __slots__ = ("cause", "scheduled_ns")

    def __init__(
        self, callback: Any, args: Any, loop: TickLoop, context: contextvars.Context | None = None
    ) -> None:
        # Spelled out instead of calling super(): this runs once for every callback of the loop.
        self._context = _copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = (
            format_helpers.extract_stack(sys._getframe(2)) if loop._debug else None
        )
        self.cause = loop.recorder.run_id
        self.scheduled_ns = _now()


class _TimerHandle(asyncio.TimerHandle):
    """A timer that remembers which run set it, and when."""

    __slots__ = ("cause", "scheduled_ns")

    def __init__(self, when: float, callback: Any, args: Any, loop: TickLoop, context: Any) -> None:
        super().__init__(when, callback, args, loop, context)
        self.cause = loop.recorder.run_id
        self.scheduled_ns = _now()


class _SocketHandle(asyncio.Handle):
    """A reader or writer callback; the same object is queued each time its descriptor is ready."""

    __slots__ = ("cause", "descriptor", "name", "scheduled_ns")

    def __init__(self, callback: Any, args: Any, loop: TickLoop, fd: int, verb: str) -> None:
        super().__init__(callback, args, loop, None)
        self.descriptor = fd
        self.name = f"{verb} fd {fd}"
        self.cause = 0
        self.scheduled_ns = 0


class _NotifierSelector(selectors.SelectSelector):
    """A selector whose own descriptor cannot be watched: a Qt notifier stands by each descriptor.

    The notifiers only wake the loop, as in qasync; what is ready is still asked of select().
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self._wake = wake
        self._notifiers: dict[int, list[QSocketNotifier]] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = super().register(fileobj, events, data)
        kinds = ((_READ, QSocketNotifier.Type.Read), (_WRITE, QSocketNotifier.Type.Write))
        self._notifiers[key.fd] = [
            self._notifier(key.fd, kind) for mask, kind in kinds if events & mask
        ]
        return key

    def _notifier(self, fd: int, kind: QSocketNotifier.Type) -> QSocketNotifier:
        notifier = QSocketNotifier(fd, kind)
        notifier.activated.connect(self._wake)
        return notifier

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = super().unregister(fileobj)
        for notifier in self._notifiers.pop(key.fd, ()):
            notifier.setEnabled(False)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        self.unregister(fileobj)
        return self.register(fileobj, events, data)


class TickLoop(qasync.QSelectorEventLoop):  # type: ignore[misc]
    """An asyncio event loop that runs inside Qt's, tick by tick, and records what it runs.

    *already_running* makes the loop count as running at once, driven by whatever Qt loop turns
    (as `qasync` does); end that with `release`. Otherwise use it as any asyncio loop. A loop may
    run in any thread; the Qt application must exist. *contained* keeps SystemExit and
    KeyboardInterrupt that a callback raises from ending the program: they go to the exception
    handler like any other error.
    """

    # asyncio's own machinery, in place of qasync's timer for each callback.
    run_forever = asyncio.SelectorEventLoop.run_forever
    run_until_complete = asyncio.SelectorEventLoop.run_until_complete
    is_running = asyncio.SelectorEventLoop.is_running
    call_later = asyncio.SelectorEventLoop.call_later
    time = asyncio.SelectorEventLoop.time
    run_in_executor = asyncio.SelectorEventLoop.run_in_executor
    set_default_executor = asyncio.SelectorEventLoop.set_default_executor
    set_exception_handler = asyncio.SelectorEventLoop.set_exception_handler
    default_exception_handler = asyncio.SelectorEventLoop.default_exception_handler
    call_exception_handler = asyncio.SelectorEventLoop.call_exception_handler
    get_debug = asyncio.SelectorEventLoop.get_debug
    set_debug = asyncio.SelectorEventLoop.set_debug
    _add_callback = asyncio.SelectorEventLoop._add_callback  # type: ignore[attr-defined]
    _remove_reader = asyncio.SelectorEventLoop._remove_reader  # type: ignore[attr-defined]
    _remove_writer = asyncio.SelectorEventLoop._remove_writer  # type: ignore[attr-defined]

    def __init__(
        self,
        app: QCoreApplication | None = None,
        *,
        recorder: Recorder | None = None,
        already_running: bool = False,
        contained: bool = False,
        selector: selectors.BaseSelector | None = None,
    ) -> None:
        self._app = app or QCoreApplication.instance()
        if self._app is None:
            raise RuntimeError("a TickLoop needs a QCoreApplication")
        self.recorder = recorder or Recorder()
        self.tasks = TaskWatch(self.recorder)
        self.activity: Callable[[], None] | None = None
        """Called after each turn in which something was run."""
        self._contained = contained
        self._tick_id = 0
        self._next_run_id = 0
        self._pumping = False
        self._running_handle = False
        self._escaped: BaseException | None = None
        self._wake_timer: QTimer | None = None
        self._deadline_timer: QTimer | None = None
        self._notifier: QSocketNotifier | None = None
        self._released: Callable[[], None] | None = None
        if selector is None:
            selector = selectors.DefaultSelector()
            if not hasattr(selector, "fileno"):
                selector.close()
                selector = _NotifierSelector(self._wake)
        asyncio.SelectorEventLoop.__init__(self, selector)
        if already_running:
            self._take_over()

    # -- Running ---------------------------------------------------------------------------

    def _run_once(self) -> None:
        """Turn Qt's loop until `stop`; asyncio's run_forever calls this, and again if Qt quit."""
        self._attach()
        self._wake()
        try:
            with self._signals_wake():
                thread = QThread.currentThread()
                if thread is self._app.thread() and thread.loopLevel() == 0:
                    QCoreApplication.exec()
                else:
                    self._local = QEventLoop()
                    self._local.exec()
                    del self._local
        finally:
            self._detach()
        if self._escaped is not None:
            escaped, self._escaped = self._escaped, None
            raise escaped

    def _leave(self) -> None:
        local = getattr(self, "_local", None)
        if local is not None:
            local.quit()
        elif self._released is None:
            QCoreApplication.exit()

    def _attach(self) -> None:
        # QTimer and QSocketNotifier belong to a thread, and the loop's is known only here. In a
        # thread that Qt did not start they need an event dispatcher, which QEventLoop makes.
        self._dispatcher_maker = QEventLoop()
        self._wake_timer = QTimer(singleShot=True, interval=0)
        self._wake_timer.timeout.connect(self._pump)
        self._deadline_timer = QTimer(singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._deadline_timer.timeout.connect(self._pump)
        fileno = getattr(self._selector, "fileno", None)
        if fileno is not None:
            self._notifier = QSocketNotifier(fileno(), QSocketNotifier.Type.Read)
            self._notifier.activated.connect(self._pump)

    def _detach(self) -> None:
        for timer in (self._wake_timer, self._deadline_timer):
            if timer is not None:
                timer.stop()
        if self._notifier is not None:
            self._notifier.setEnabled(False)
        self._wake_timer = self._deadline_timer = self._notifier = None

    @contextlib.contextmanager
    def _signals_wake(self) -> Iterator[None]:
        # Python runs its signal handlers between bytecodes, and Qt's poll runs none: a signal must
        # make the selector readable, so that `_pump` runs.
        if threading.current_thread() is not threading.main_thread() or self._csock is None:
            yield
            return
        previous = signal.set_wakeup_fd(self._csock.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            # close() in a callback, or remove_signal_handler, may have reset it already.
            with contextlib.suppress(ValueError, OSError):
                signal.set_wakeup_fd(previous)

    def _take_over(self) -> None:
        """Count as running from now on, in this thread, until `release`."""
        self._check_running()
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(
            firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook
        )
        self._thread_id = threading.get_ident()
        events._set_running_loop(self)
        self._attach()
        self._wake()
        self._released = lambda: sys.set_asyncgen_hooks(*hooks)

    def release(self) -> None:
        """End `already_running`: the loop no longer counts as running and may be closed."""
        if self._released is not None:
            self._detach()
            self._thread_id = None
            self._stopping = False
            events._set_running_loop(None)
            self._released()
            self._released = None

    def stop(self) -> None:
        """Stop after the current tick; as in asyncio, what is ready by then still runs."""
        self._stopping = True
        if not self._pumping:
            self._wake()

    def close(self) -> None:
        """Close the loop; it must not be running."""
        asyncio.SelectorEventLoop.close(self)

    def __enter__(self) -> TickLoop:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()
        self.close()

    # -- Scheduling ------------------------------------------------------------------------

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        """Run *callback* in the next tick; see `asyncio.loop.call_soon`."""
        if self._closed:
            self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, "call_soon")
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)
        if not self._pumping:
            self._wake()
        return handle

    def call_soon_threadsafe(
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        """Run *callback* in the next tick, from any thread; see asyncio."""
        self._check_closed()
        if self._debug:
            self._check_callback(callback, "call_soon_threadsafe")
        handle = _Handle(callback, args, self, context)
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
        timer = _TimerHandle(when, callback, args, self, context)
        if timer._source_traceback:
            del timer._source_traceback[-1]
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        if not self._pumping:
            self._wake()
        return timer

    def create_task(self, coro: Any, **kwargs: Any) -> Any:
        """Schedule a coroutine; see `asyncio.loop.create_task`."""
        context = kwargs.get("context")
        task = asyncio.SelectorEventLoop.create_task(self, coro, **kwargs)
        if isinstance(task, asyncio.Task) and getattr(task, "_loopscope", None) is None:
            self.tasks.created(task, None if context is None else context.get(OWNER, WINDOW))
            if task.done() or task._fut_waiter is not None:
                # An eager task has taken its first step inside the run that created it.
                self.tasks.suspended(task, OWNER.get(), _now())
        return task

    def _add_reader(self, fd: Any, callback: Any, *args: Any) -> asyncio.Handle:
        return self._watch(fd, _READ, "read", callback, args)

    def _add_writer(self, fd: Any, callback: Any, *args: Any) -> asyncio.Handle:
        return self._watch(fd, _WRITE, "write", callback, args)

    def _watch(self, fd: Any, event: int, verb: str, callback: Any, args: Any) -> asyncio.Handle:
        self._check_closed()
        handle = _SocketHandle(
            callback, args, self, fd if isinstance(fd, int) else fd.fileno(), verb
        )
        try:
            key = self._selector.get_key(fd)
        except KeyError:
            mask, reader, writer = 0, None, None
        else:
            mask, (reader, writer) = key.events, key.data
        replaced = reader if event == _READ else writer
        data = (handle, writer) if event == _READ else (reader, handle)
        if mask:
            self._selector.modify(fd, mask | event, data)
        else:
            self._selector.register(fd, event, data)
        if replaced is not None:
            replaced.cancel()
        return handle

    # -- Turning ---------------------------------------------------------------------------

    def _wake(self, *_: object) -> None:
        """Ask Qt for a turn."""
        timer = self._wake_timer
        # Another thread that forgot call_soon_threadsafe wakes nothing, as in asyncio.
        if timer is not None and threading.get_ident() == self._thread_id and not timer.isActive():
            timer.start()

    def _pump(self, *_: object) -> None:
        """Qt's turn for us: run ticks while there is work, within the budget."""
        if self._wake_timer is None:
            return
        try:
            if self._running_handle:
                self._pump_nested()
            else:
                self._turn()
        except BaseException as exc:
            # Nothing may leave a Qt slot; a KeyboardInterrupt can arrive on any line.
            self._escaped = exc
            self._leave()

    def _pump_nested(self) -> None:
        # A handle runs a Qt loop of its own: a menu, a dialog, processEvents. Everything else
        # goes on inside it; asyncio forbids entering a task within another, so the outer one is
        # left for as long.
        recorder = self.recorder
        run_id, pumping = recorder.run_id, self._pumping
        outer = asyncio.current_task(self)
        if outer is not None:
            asyncio.tasks._leave_task(self, outer)
        self._running_handle = False
        try:
            self._turn()
        finally:
            self._running_handle = True
            if outer is not None:
                asyncio.tasks._enter_task(self, outer)
            recorder.run_id = run_id
            self._pumping = False if pumping else self._pumping

    def _turn(self) -> None:
        wake = self._wake_timer
        assert wake is not None
        wake.start()  # Fires only if a handle turns a Qt loop of its own, or work is left over.
        self._pumping = True
        worked = False
        deadline = _now() + BUDGET_NS
        timeout = 0.0
        try:
            while True:
                ran = self._tick(timeout)
                worked = worked or ran
                if self._stopping or self._escaped is not None:
                    self._leave()
                    break
                if _now() >= deadline or not (ran or self._ready):
                    break
                timeout = 0.0 if self._ready else min(LINGER_S, self._until_next_timer())
        finally:
            self._pumping = False
        if self._wake_timer is wake:
            self._arm(wake)
        if worked and self.activity is not None:
            self.activity()

    def _arm(self, wake: QTimer) -> None:
        """Ask Qt for the next turn: at once while work is left, else at the next deadline."""
        delay = 0.0 if self._ready else self._until_next_timer()
        assert self._deadline_timer is not None
        if delay <= 0:
            if not wake.isActive():
                wake.start()
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
        while scheduled and scheduled[0]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(scheduled)._scheduled = False
        return max(0.0, scheduled[0]._when - self.time()) if scheduled else math.inf

    def _tick(self, timeout: float) -> bool:
        """Run one iteration: select, due timers, and the handles ready by then.

        Return whether anything was ready.
        """
        start = _now()
        events_ = self._selector.select(timeout)
        selected = _now()
        if events_:
            self._process_events(events_, selected)
        if self._scheduled:
            self._queue_due_timers()
        ready = len(self._ready)
        if not ready:
            return False
        recorder = self.recorder
        self._tick_id = tick_id = self._tick_id + 1
        self._run_ready(ready, tick_id)
        recorder.run_id = 0
        end = _now()
        if self._selector is not None:
            recorder.ticks.append(
                (
                    tick_id,
                    start,
                    selected,
                    end,
                    ready,
                    len(self._scheduled),
                    len(self._transports_map()),
                )
            )
        if len(recorder.runs) > recorder.capacity or len(recorder.stages) > recorder.capacity:
            recorder.bound()
        return True

    def _transports_map(self) -> Any:
        return self._selector.get_map()

    def _process_events(self, event_list: Any, now_ns: int = 0) -> None:
        ready = self._ready
        for key, mask in event_list:
            reader, writer = key.data
            if mask & _READ and reader is not None:
                if reader._cancelled:
                    self._remove_reader(key.fileobj)
                else:
                    reader.scheduled_ns = now_ns
                    ready.append(reader)
            if mask & _WRITE and writer is not None:
                if writer._cancelled:
                    self._remove_writer(key.fileobj)
                else:
                    writer.scheduled_ns = now_ns
                    ready.append(writer)

    def _queue_due_timers(self) -> None:
        scheduled = self._scheduled
        cancelled = self._timer_cancelled_count
        if (
            cancelled > base_events._MIN_SCHEDULED_TIMER_HANDLES  # type: ignore[attr-defined]
            and cancelled > len(scheduled) * base_events._MIN_CANCELLED_TIMER_HANDLES_FRACTION  # type: ignore[attr-defined]
        ):
            for timer in scheduled:
                if timer._cancelled:
                    timer._scheduled = False
            scheduled[:] = [timer for timer in scheduled if not timer._cancelled]
            heapq.heapify(scheduled)
            self._timer_cancelled_count = 0
        due = self.time() + self._clock_resolution
        while scheduled and (scheduled[0]._cancelled or scheduled[0]._when < due):
            timer = heapq.heappop(scheduled)
            timer._scheduled = False
            if timer._cancelled:
                self._timer_cancelled_count -= 1
            else:
                self._ready.append(timer)

    def _run_ready(self, count: int, tick_id: int) -> None:
        ready = self._ready
        recorder = self.recorder
        record = recorder.runs.append
        resumed, suspended = self.tasks.resumed, self.tasks.suspended
        start = _now()
        # A nested Qt loop may have run some of these already.
        while count and ready:
            count -= 1
            handle = ready.popleft()
            if handle._cancelled:
                continue
            self._next_run_id = run_id = self._next_run_id + 1
            recorder.run_id = run_id
            callback, args, context = handle._callback, handle._args, handle._context
            kind = handle.__class__
            cause = scheduled = 0
            if kind is not asyncio.Handle:
                cause, scheduled = handle.cause, handle.scheduled_ns
            task = _stepped_task(callback)
            task_id = 0
            if task is not None:
                name = None
                task_id = resumed(task, start, cause)
            elif kind is _SocketHandle:
                name = handle.name
                owner = recorder.owners.get(handle.descriptor)
                if owner is not None and context.get(OWNER, WINDOW) != owner:
                    context.run(OWNER.set, owner)
            else:
                name = label(callback, args)
            self._running_handle = True
            try:
                context.run(callback, *args)
            except BaseException as exc:
                self._contain(handle, exc, callback, args)
            self._running_handle = False
            end = _now()
            owner = context.get(OWNER, WINDOW)
            if task is not None:
                suspended(task, owner, end)
            record((run_id, tick_id, start, end, name, owner, task_id, cause, scheduled))
            if self._debug and end - start >= self.slow_callback_duration * 1e9:
                base_events.logger.warning(  # type: ignore[attr-defined]
                    "Executing %s took %.3f seconds",
                    base_events._format_handle(handle),  # type: ignore[attr-defined]
                    (end - start) / 1e9,
                )
            start = end

    def _contain(self, handle: Any, exc: BaseException, callback: Any, args: Any) -> None:
        """Hand an exception from a callback to the exception handler."""
        if isinstance(exc, (SystemExit, KeyboardInterrupt)) and not self._contained:
            self._escaped = exc
            return
        if isinstance(exc, RuntimeError) and "cannot enter context" in str(exc):
            # The handle shares its context with the run that holds a nested Qt loop open. It can
            # run when that one is over.
            self.call_later(0.01, lambda: self._ready.append(handle))
            return
        source = format_helpers._format_callback_source(callback, args)
        context = {"message": f"Exception in callback {source}", "exception": exc, "handle": handle}
        if handle._source_traceback:
            context["source_traceback"] = handle._source_traceback
        self.call_exception_handler(context)

    # -- Looking ---------------------------------------------------------------------------

    def now(self, limit: int) -> LoopNow:
        """Return how the loop stands at this instant; at most *limit* entries of each kind."""
        keys = list(self._selector.get_map().values()) if self._selector else []
        clock = self.time()
        timers = [timer for timer in self._scheduled if not timer._cancelled]
        return LoopNow(
            tick_id=self._tick_id,
            sockets=[self._socket(key) for key in keys[:limit]],
            timers=[
                Timer(
                    max(0.0, timer._when - clock),
                    label(timer._callback, timer._args),
                    timer._context.get(OWNER, WINDOW),
                )
                for timer in heapq.nsmallest(limit, timers)
            ],
            ready=[
                Ready(self._describe(handle), handle._context.get(OWNER, WINDOW))
                for handle in list(self._ready)[:limit]
                if not handle._cancelled
            ],
            socket_count=len(keys),
            timer_count=len(timers),
            ready_count=len(self._ready),
        )

    def pending_tasks(self, limit: int) -> list[PendingTask]:
        """Return the tasks that have not finished, longest wait first."""
        return self.tasks.pending(self, limit)

    def _socket(self, key: selectors.SelectorKey) -> Socket:
        role = self.recorder.sockets.get(key.fd, "other")
        if self._ssock is not None and key.fd == self._ssock.fileno():
            role = "own"
        role, _, text = role.partition(" ")
        flags = "r" * bool(key.events & _READ) + "w" * bool(key.events & _WRITE)
        return Socket(key.fd, flags, role, self.recorder.owners.get(key.fd, 0), text)

    def _describe(self, handle: Any) -> str:
        task = _stepped_task(handle._callback)
        if task is not None:
            row = getattr(task, "_loopscope", None)
            return f"step {row[2] if row else task.get_name()}"
        if handle.__class__ is _SocketHandle:
            return str(handle.name)
        return label(handle._callback, handle._args)


def _stepper_type() -> type:
    """Return the type of the callback with which a C task schedules its step."""
    return next(
        (cls for cls in object.__subclasses__() if cls.__name__ == "TaskStepMethWrapper"),
        type(None),
    )


_STEP = _stepper_type()


def _stepped_task(callback: Any) -> Any:
    """Return the task that *callback* steps or wakes, or None when it does something else."""
    kind = callback.__class__
    if kind is _STEP:
        return callback.__self__
    if kind is BuiltinMethodType:
        owner = callback.__self__
        return owner if isinstance(owner, asyncio.Task) and "wakeup" in callback.__name__ else None
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, _PY_TASK) and callback.__name__ in ("__step", "__wakeup"):
        return owner
    return None
