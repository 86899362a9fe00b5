"""TickLoop as a loop: what a program may rely on, with recording on, and what is recorded."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import logging
import os
import random
import selectors
import signal
import socket
import sys
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, QThread, QTimer

from app.loop import TickLoop
from app.recording.events import Run, Task, Tick, Wait
from app.recording.recorder import Recorder

Loops = Callable[..., TickLoop]

eager = pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are new in 3.12")


@pytest.fixture
def errors() -> list[dict[str, Any]]:
    """What the loops' exception handlers caught; a test that expects something takes it out."""
    return []


@pytest.fixture
def loops(qapp: QCoreApplication, errors: list[dict[str, Any]]) -> Iterator[Loops]:
    """Make loops that are closed at the end, and that must not have caught any exception."""
    made = []

    def make(**options: Any) -> TickLoop:
        loop = TickLoop(**options)
        loop.set_exception_handler(lambda _, context: errors.append(context))
        made.append(loop)
        return loop

    yield make
    for loop in made:
        loop.release()
        if not loop.is_closed():
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
    assert errors == []


@pytest.fixture
def loop(loops: Loops) -> TickLoop:
    return loops()


def turn_qt(seconds: float) -> None:
    """Turn a Qt loop of one's own, as a modal dialog does."""
    nested = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), nested.quit)
    nested.exec()


# -- Starting and stopping -----------------------------------------------------------------


def test_runs_until_complete(loop: TickLoop) -> None:
    async def main() -> str:
        await asyncio.sleep(0.001)
        assert asyncio.get_running_loop() is loop
        return "result"

    assert loop.run_until_complete(main()) == "result"
    assert not loop.is_running()


def test_stop_before_run_runs_what_is_ready_once(loop: TickLoop) -> None:
    seen: list[str] = []

    def first() -> None:
        seen.append("first")
        loop.call_soon(seen.append, "second")

    loop.call_soon(first)
    loop.stop()
    loop.run_forever()
    assert seen == ["first"]
    loop.stop()
    loop.run_forever()
    assert seen == ["first", "second"]


def test_stopping_early_is_an_error_of_run_until_complete(loop: TickLoop) -> None:
    future = loop.create_future()
    loop.call_soon(loop.stop)
    with pytest.raises(RuntimeError, match="stopped before Future completed"):
        loop.run_until_complete(future)


def test_running_twice_is_refused(loop: TickLoop) -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="already running"):
            loop.run_until_complete(loop.create_future())
        with pytest.raises(RuntimeError, match="running event loop"):
            loop.close()

    loop.run_until_complete(main())


def test_a_closed_loop_refuses_work(loop: TickLoop) -> None:
    loop.close()
    loop.close()
    for schedule in (loop.call_soon, loop.call_soon_threadsafe):
        with pytest.raises(RuntimeError, match="closed"):
            schedule(print)
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_later(1, print)
    with pytest.raises(RuntimeError, match="closed"):
        loop.run_forever()


def test_stop_from_a_qt_slot(loop: TickLoop) -> None:
    QTimer.singleShot(10, loop.stop)
    loop.run_forever()


def test_quit_of_the_application_does_not_end_it(loop: TickLoop) -> None:
    turns = 0
    run_once = loop._run_once

    def counting() -> None:
        nonlocal turns
        turns += 1
        run_once()

    loop._run_once = counting  # type: ignore[method-assign]
    loop.call_soon(QCoreApplication.quit)
    loop.call_later(0.05, loop.stop)
    loop.run_forever()
    assert turns == 2


def test_quit_ends_a_loop_inside_a_slot(loop: TickLoop) -> None:
    caught: list[Exception] = []

    def slot() -> None:
        future = loop.create_future()
        loop.call_later(0.01, QCoreApplication.quit)
        try:
            loop.run_until_complete(future)
        except RuntimeError as error:
            caught.append(error)

    QTimer.singleShot(0, slot)
    QCoreApplication.exec()
    assert "stopped before" in str(caught[0])


def test_inside_a_slot(loop: TickLoop) -> None:
    results: list[str] = []

    def slot() -> None:
        results.append(loop.run_until_complete(asyncio.sleep(0.01, "done")))
        QCoreApplication.quit()

    QTimer.singleShot(0, slot)
    QCoreApplication.exec()
    assert results == ["done"]


def test_already_running(loops: Loops) -> None:
    with loops(already_running=True) as loop:
        task = loop.create_task(asyncio.sleep(0.01, "done"))
        assert loop.is_running()
        while not task.done():
            turn_qt(0.01)
        assert task.result() == "done"
    assert loop.is_closed()
    assert asyncio._get_running_loop() is None


def test_an_exit_does_not_end_an_already_running_loop(
    loops: Loops, errors: list[dict[str, Any]]
) -> None:
    seen: list[int] = []

    def leave() -> None:
        raise SystemExit

    with loops(already_running=True) as loop:
        loop.call_soon(leave)
        loop.call_soon(seen.append, 1)
        loop.call_later(0.01, seen.append, 2)
        while 2 not in seen:
            turn_qt(0.01)
    assert isinstance(errors.pop()["exception"], SystemExit)
    assert seen == [1, 2]


def test_release_in_a_callback(loops: Loops) -> None:
    for close in (False, True) * 5:
        loop = loops(already_running=True)

        def end(loop: TickLoop = loop, close: bool = close) -> None:
            loop.release()
            if close:
                loop.close()

        loop.call_later(0.001, end)
        turn_qt(0.01)
        assert not loop.is_running()


def test_closing_with_objects_of_qt_alive(loop: TickLoop) -> None:
    kept = QObject()
    timer = QTimer(kept)
    timer.timeout.connect(lambda: None)
    timer.start(1)
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()
    turn_qt(0.01)
    timer.stop()


@pytest.mark.parametrize("kind", [threading.Thread, QThread])
def test_in_other_threads(loops: Loops, kind: type) -> None:
    results: list[str] = []

    async def main() -> str:
        await asyncio.sleep(0.01)
        return await asyncio.to_thread(lambda: "done")

    def target() -> None:
        loop = TickLoop()
        try:
            results.append(loop.run_until_complete(main()))
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()

    class Worker(QThread):
        def run(self) -> None:
            target()

    workers: list[Any] = [
        threading.Thread(target=target) if kind is threading.Thread else Worker() for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join() if kind is threading.Thread else worker.wait()
    assert results == ["done"] * 3


def test_made_in_one_thread_and_run_in_another(loops: Loops) -> None:
    for selector in (selectors.DefaultSelector(), selectors.SelectSelector()):
        loop = loops(selector=selector)
        thread = threading.Thread(target=loop.run_until_complete, args=[asyncio.sleep(0.01)])
        thread.start()
        thread.join()
        loop.run_until_complete(asyncio.sleep(0))


# -- Scheduling ----------------------------------------------------------------------------


def test_timers_are_never_early_and_in_order(loop: TickLoop) -> None:
    numbers = random.Random(1)
    fired: list[tuple[float, float]] = []
    for _ in range(200):
        when = loop.time() + numbers.random() * 0.2
        loop.call_at(when, lambda when=when: fired.append((when, loop.time())))
    loop.call_later(0.25, loop.stop)
    loop.run_forever()
    assert len(fired) == 200
    assert all(now >= when - loop._clock_resolution for when, now in fired)
    assert fired == sorted(fired)


def test_timers_are_about_as_prompt_as_those_of_asyncio(loop: TickLoop) -> None:
    def lateness(of: asyncio.AbstractEventLoop) -> float:
        """Return the median over some timers, in s."""
        late: list[float] = []

        def fire(when: float) -> None:
            late.append(of.time() - when)

        begin = of.time()
        for number in range(50):
            of.call_at(begin + number / 500, fire, begin + number / 500)
        of.call_at(begin + 0.1, of.stop)
        of.run_forever()
        return sorted(late)[25]

    with contextlib.closing(asyncio.SelectorEventLoop()) as stock:
        # Once at least, other processes leave both of them alone.
        assert any(lateness(loop) < 10 * lateness(stock) for _ in range(10))


def test_cancelled_timers_do_not_pile_up(loop: TickLoop) -> None:
    most = 0

    async def main() -> None:
        nonlocal most
        for number in range(200_000):
            loop.call_later(3600, print).cancel()
            if number % 1000 == 0:
                await asyncio.sleep(0)
                most = max(most, len(loop._scheduled))

    loop.run_until_complete(main())
    assert most < 3000


def test_calls_from_many_threads_wake_it(loop: TickLoop) -> None:
    arrived = 0

    def arrive(seen: threading.Event) -> None:
        nonlocal arrived
        arrived += 1
        seen.set()
        if arrived == 200:
            loop.stop()

    def send() -> None:
        for _ in range(20):
            time.sleep(0.002)  # Meanwhile it goes to sleep.
            seen = threading.Event()
            loop.call_soon_threadsafe(arrive, seen)
            if not seen.wait(20):
                break

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    too_late = loop.call_later(20, loop.stop)
    loop.run_forever()
    too_late.cancel()
    for thread in threads:
        thread.join()
    assert arrived == 200


def test_qt_has_its_turn_under_full_load(loop: TickLoop) -> None:
    fired = 0

    def tick() -> None:
        nonlocal fired
        fired += 1

    def again() -> None:
        if time.thread_time() < until:
            loop.call_soon(again)
        else:
            loop.stop()

    timer = QTimer(interval=10)
    timer.timeout.connect(tick)
    timer.start()
    until = time.thread_time() + 0.3
    again()
    loop.run_forever()
    timer.stop()
    assert fired >= 10


def test_a_turn_ends_in_time_for_what_is_due(
    loop: TickLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.loop.tick_loop.BUDGET_NS", 60 * 10**9)

    def again() -> None:
        loop.call_soon(again)

    timer = QTimer(singleShot=True, interval=20)
    timer.timeout.connect(loop.stop)
    timer.start()
    loop.due_ns = (begin := time.monotonic_ns()) + 21_000_000
    again()
    loop.run_forever()
    assert time.monotonic_ns() - begin < 30 * 10**9


def test_an_idle_loop_sleeps(loop: TickLoop) -> None:
    async def main() -> tuple[float, float]:
        began, used = time.monotonic(), time.thread_time()
        await asyncio.sleep(0.3)
        return time.thread_time() - used, time.monotonic() - began

    used, took = loop.run_until_complete(main())
    assert used < took / 6


def test_contexts(loop: TickLoop) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")
    context = contextvars.copy_context()
    context.run(variable.set, "given")
    seen: list[str] = []

    def look() -> None:
        seen.append(variable.get())

    async def main() -> None:
        variable.set("inherited")
        loop.call_soon(look)
        loop.call_soon(look, context=context)
        loop.call_later(0, look, context=context)
        loop.call_soon_threadsafe(look, context=context)
        await loop.create_task(asyncio.sleep(0.01), context=context)

    loop.run_until_complete(main())
    assert seen == ["inherited", "given", "given", "given"]
    assert variable.get() == "none"


@pytest.mark.parametrize("selector", ["DefaultSelector", "SelectSelector", "PollSelector"])
def test_streams(loops: Loops, selector: str) -> None:
    loop = loops(selector=getattr(selectors, selector)())

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())
        writer.close()

    async def main() -> bytes:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"x" * 1_000_000)
            writer.write_eof()
            received = await reader.read()
            writer.close()
            await writer.wait_closed()
        return received

    assert loop.run_until_complete(main()) == b"x" * 1_000_000


# -- Exceptions and signals ----------------------------------------------------------------


def test_an_exception_in_a_callback_goes_to_the_handler(
    loop: TickLoop, errors: list[dict[str, Any]]
) -> None:
    handle = loop.call_soon(lambda: 1 / 0)
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
    caught = errors.pop()
    assert isinstance(caught["exception"], ZeroDivisionError)
    assert caught["handle"] is handle
    assert "Exception in callback" in caught["message"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_exit_leaves_the_loop_at_once(loop: TickLoop, kind: type[BaseException]) -> None:
    after: list[int] = []

    def leave() -> None:
        raise kind

    loop.call_soon(leave)
    loop.call_soon(after.append, 1)
    with pytest.raises(kind):
        loop.run_forever()
    assert after == []
    loop.call_later(0, loop.stop)
    loop.run_forever()
    assert after == [1]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_contained_loop_stays(
    loops: Loops, errors: list[dict[str, Any]], kind: type[BaseException]
) -> None:
    loop = loops(contained=True)

    def leave() -> None:
        raise kind

    loop.call_soon(leave)
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
    assert isinstance(errors.pop()["exception"], kind)


def interrupt_after(seconds: float) -> threading.Timer:
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    return timer


def test_ctrl_c_while_idle(loop: TickLoop) -> None:
    before = signal.getsignal(signal.SIGINT)
    for _ in range(3):
        timer = interrupt_after(0.03)
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(asyncio.sleep(5))
        timer.join()
    assert signal.getsignal(signal.SIGINT) is before
    assert signal.set_wakeup_fd(-1) == -1
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))


# Python discards what is raised in a weak reference's callback or a __del__, a KeyboardInterrupt
# too; one in some hundreds lands there (a known limit). Then a second Ctrl-C must do.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_while_busy(loop: TickLoop) -> None:
    def again() -> None:
        loop.call_soon(again)

    again()
    timer = interrupt_after(0.03)
    loop.call_later(20, loop.stop)
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    timer.join()


def test_ctrl_c_where_python_would_discard_it(loop: TickLoop) -> None:
    class Dying:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            sum(range(100))  # The signal's handler runs between two bytecodes.

    def drop() -> None:
        Dying()

    hook = sys.unraisablehook
    loop.call_later(0.01, drop)
    loop.call_later(20, loop.stop)
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    assert sys.unraisablehook is hook


def test_ctrl_c_in_a_slot(loop: TickLoop) -> None:
    def slot() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        finished.append(True)

    finished: list[bool] = []
    QTimer.singleShot(10, slot)
    loop.call_later(20, loop.stop)
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    assert finished == [True]


def test_ctrl_c_in_a_runner_cancels_the_main_task(qapp: QCoreApplication) -> None:
    ended: list[str] = []

    async def main() -> None:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    timer = interrupt_after(0.03)
    with asyncio.Runner(loop_factory=TickLoop) as runner, pytest.raises(KeyboardInterrupt):
        runner.run(main())
    timer.join()
    assert ended == ["cancelled"]


def test_a_signal_handler_runs_at_once(loop: TickLoop) -> None:
    async def main() -> float:
        arrived = asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, arrived.set)
        began = time.perf_counter()
        threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        await asyncio.wait_for(arrived.wait(), 20)
        assert loop.remove_signal_handler(signal.SIGUSR1)
        return time.perf_counter() - began

    assert loop.run_until_complete(main()) < 10  # It did not wait for the timer.


def test_ctrl_c_after_a_signal_handler_was_removed(loop: TickLoop) -> None:
    async def main() -> None:
        loop.add_signal_handler(signal.SIGUSR1, print)
        loop.remove_signal_handler(signal.SIGUSR1)
        interrupt_after(0.03)
        await asyncio.sleep(20)

    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(main())
    assert time.perf_counter() - began < 10  # It did not wait for the timer.
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))


def test_debug_mode_names_slow_callbacks(loop: TickLoop, caplog: pytest.LogCaptureFixture) -> None:
    loop.set_debug(True)
    loop.slow_callback_duration = 0.01

    async def slow() -> None:
        time.sleep(0.02)  # noqa: ASYNC251

    with caplog.at_level(logging.WARNING, "asyncio"):
        loop.run_until_complete(slow())
    assert "Executing <Task finished name=" in caplog.text
    assert "seconds" in caplog.text


def test_debug_mode_knows_where_things_were_created(loop: TickLoop) -> None:
    loop.set_debug(True)
    here = sys._getframe().f_code.co_name

    async def main() -> None:
        await asyncio.sleep(0)

    soon = loop.call_soon(print)
    later = loop.call_later(1, print)
    at = loop.call_at(loop.time() + 1, print)
    threadsafe = loop.call_soon_threadsafe(print)
    task = loop.create_task(main())
    for made in (soon, later, at, threadsafe, task):
        assert made._source_traceback[-1].name == here  # type: ignore[union-attr]
    for handle in (soon, later, at, threadsafe):
        handle.cancel()
    loop.run_until_complete(task)


# -- Qt loops within handles ---------------------------------------------------------------


@pytest.mark.parametrize("selector", ["DefaultSelector", "SelectSelector"])
def test_others_go_on_while_a_task_turns_qt(loops: Loops, selector: str) -> None:
    loop = loops(selector=getattr(selectors, selector)())
    seen: list[str] = []

    async def other() -> None:
        for number in range(3):
            await asyncio.sleep(0.005)
            assert asyncio.current_task() is not outer
            seen.append(f"other {number}")

    async def modal() -> str:
        seen.append("opened")
        while len(seen) < 4:
            turn_qt(0.02)
        assert asyncio.current_task() is outer
        seen.append("closed")
        await asyncio.sleep(0.001)
        return "done"

    loop.create_task(other())
    outer = loop.create_task(modal())
    assert loop.run_until_complete(outer) == "done"
    assert seen == ["opened", "other 0", "other 1", "other 2", "closed"]


def test_a_slot_in_a_nested_loop_can_end_it_through_asyncio(loop: TickLoop) -> None:
    async def main() -> None:
        for _ in range(3):
            nested = QEventLoop()
            QTimer.singleShot(5, lambda nested=nested: loop.call_soon(nested.quit))
            nested.exec()
            await asyncio.sleep(0)

    loop.run_until_complete(asyncio.wait_for(main(), 20))


def test_process_events_in_a_callback_does_not_recurse_for_ever(loop: TickLoop) -> None:
    calls = depth = deepest = 0

    def again() -> None:
        nonlocal calls, depth, deepest
        calls += 1
        if calls == 100:
            loop.stop()
        depth += 1
        deepest = max(deepest, depth)
        loop.call_soon(again)
        QCoreApplication.processEvents()
        depth -= 1

    loop.call_soon(again)
    loop.run_forever()
    assert deepest <= 10


def test_a_reader_that_turns_qt_is_not_entered_again(loop: TickLoop) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    reading = 0
    deepest = 0
    ticked = 0

    def tick() -> None:
        nonlocal ticked
        ticked += 1
        loop.call_later(0.01, tick)

    def read() -> None:
        nonlocal reading, deepest
        reading += 1
        deepest = max(deepest, reading)
        ticks, timers = loop.now(0).tick_id, ticked
        turn_qt(0.2)
        meanwhile.append((loop.now(0).tick_id - ticks, ticked - timers))
        received.append(ours.recv(10))
        reading -= 1
        if len(received) == 1:
            theirs.send(b"x")
        else:
            loop.stop()

    received: list[bytes] = []
    meanwhile: list[tuple[int, int]] = []
    loop.add_reader(ours, read)
    theirs.send(b"x")
    tick()
    loop.run_forever()
    loop.remove_reader(ours)
    ours.close()
    theirs.close()
    assert (deepest, received) == (1, [b"x", b"x"])
    # It looks for the reader now and then, about as often as the timer fires.
    assert all(ticks < 20 + 10 * timers for ticks, timers in meanwhile), meanwhile
    assert ticked > 2


def test_a_shared_context_waits_for_its_run(loop: TickLoop) -> None:
    context = contextvars.copy_context()
    seen: list[str] = []

    def outer() -> None:
        loop.call_soon(seen.append, "shared", context=context)
        turn_qt(0.03)
        seen.append("outer")
        loop.call_later(0.01, loop.stop)

    loop.call_soon(outer, context=context)
    loop.run_forever()
    assert seen == ["outer", "shared"]


# -- The observer leaves no trace ----------------------------------------------------------


def test_an_exception_never_retrieved_is_still_reported(
    loop: TickLoop, errors: list[dict[str, Any]]
) -> None:
    async def fail() -> None:
        raise ValueError("x")

    async def main() -> None:
        task = loop.create_task(fail())
        await asyncio.sleep(0)
        del task
        await asyncio.sleep(0)

    loop.run_until_complete(main())
    gc.collect()
    assert errors.pop()["message"] == "Task exception was never retrieved"


def test_nothing_is_kept_alive(loop: TickLoop) -> None:
    class Marked:
        pass

    async def work(thing: Marked) -> Marked:
        await asyncio.sleep(0)
        return thing

    async def main() -> list[weakref.ref[Any]]:
        thing = Marked()
        task = loop.create_task(work(thing))
        handle = loop.call_soon(lambda thing: None, thing)
        timer = loop.call_later(0, lambda thing: None, thing)
        references = [weakref.ref(each) for each in (thing, task, handle, timer)]
        await task
        await asyncio.sleep(0.001)
        return references

    gc.disable()
    try:
        references = loop.run_until_complete(main())
        assert [reference() for reference in references] == [None] * 4
    finally:
        gc.enable()


def run_with_factory(loop: TickLoop, factory: Any) -> None:
    async def child() -> str:
        await asyncio.sleep(0)
        return "child"

    async def main() -> None:
        assert [*await asyncio.gather(child(), loop.create_task(child()))] == ["child"] * 2
        with contextlib.suppress(asyncio.CancelledError):
            task = loop.create_task(asyncio.sleep(5))
            await asyncio.sleep(0)
            task.cancel()
            await task

    loop.set_task_factory(factory)
    loop.run_until_complete(main())


class Slotted(asyncio.Task[Any]):
    __slots__ = ()


class Disguised(asyncio.Task[Any]):
    __class__: Any = property(lambda self: int)


class Jealous(asyncio.Task[Any]):
    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_loopscope"):
            raise RuntimeError("hands off")
        super().__setattr__(name, value)


class Chatty(asyncio.Task[Any]):
    def __getattr__(self, name: str) -> object:
        return 42


PY_TASK: Any = asyncio.tasks._PyTask  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [Slotted, Disguised, Jealous, Chatty, PY_TASK])
def test_tasks_of_any_class(loop: TickLoop, kind: Any) -> None:
    run_with_factory(loop, lambda loop, coro, **options: kind(coro, loop=loop, **options))


@eager
def test_eager_tasks(loop: TickLoop) -> None:
    run_with_factory(loop, asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore]


class Awkward:
    """A callable, and an awaitable, that runs code of its own whatever is asked of it."""

    def __getattribute__(self, name: str) -> Any:
        raise SystemExit

    def __call__(self) -> None:
        pass

    def __await__(self) -> Generator[None, None, None]:
        yield


def test_callables_and_awaitables_of_any_class(loop: TickLoop) -> None:
    async def main() -> None:
        loop.call_soon(Awkward())
        await Awkward()

    loop.run_until_complete(main())


def test_futures_of_any_class(loop: TickLoop) -> None:
    class Bare:
        __slots__ = ("_asyncio_future_blocking", "callbacks")

        def __init__(self) -> None:
            self._asyncio_future_blocking = False
            self.callbacks: list[Any] = []

        def get_loop(self) -> TickLoop:
            return loop

        def add_done_callback(self, callback: Any, *, context: Any) -> None:
            loop.call_soon(callback, self, context=context)

        def result(self) -> str:
            return "result"

        def __await__(self) -> Any:
            self._asyncio_future_blocking = True
            yield self
            return self.result()

    async def main() -> Any:
        return await Bare()

    assert loop.run_until_complete(main()) == "result"


def test_an_exception_is_not_asked_for_its_text(loop: TickLoop) -> None:
    class Secret(Exception):
        def __repr__(self) -> str:
            raise SystemExit

        __str__ = __repr__

    async def fail() -> None:
        raise Secret("text", object())

    with pytest.raises(Secret):
        loop.run_until_complete(fail())
    outcomes = [Task(*row).outcome for row in loop.recorder.drain().tasks]
    assert "Secret('text', <object>)" in outcomes


# -- What is recorded ----------------------------------------------------------------------


def runs_of(recorder: Recorder) -> dict[str, Run]:
    return {run.name: run for row in recorder.runs if (run := Run(*row)).name}


def test_causes_lead_back_to_the_beginning(loop: TickLoop) -> None:
    def first() -> None:
        loop.call_soon(second)

    def second() -> None:
        loop.call_later(0.001, third)

    def third() -> None:
        loop.stop()

    loop.call_soon(first)
    loop.run_forever()
    runs = runs_of(loop.recorder)
    prefix = first.__qualname__.removesuffix("first")
    chain = [runs[prefix + name] for name in ("third", "second", "first")]
    assert [run.cause_run_id for run in chain] == [chain[1].id, chain[2].id, 0]
    for run in chain:
        assert 0 < run.scheduled_ns <= run.start_ns <= run.end_ns


def test_what_other_threads_and_sockets_start_has_no_cause(loop: TickLoop) -> None:
    ours, theirs = socket.socketpair()
    loop.add_reader(ours, lambda: loop.stop())

    def from_thread() -> None:
        theirs.send(b"x")

    threading.Timer(0.01, loop.call_soon_threadsafe, (from_thread,)).start()
    loop.run_forever()
    loop.remove_reader(ours)
    runs = runs_of(loop.recorder)
    assert runs[from_thread.__qualname__].cause_run_id == 0
    assert runs[f"read fd {ours.fileno()}"].cause_run_id == 0
    ours.close()
    theirs.close()


def test_a_wait_ends_with_the_run_that_resolved_it(loop: TickLoop) -> None:
    future = loop.create_future()

    async def wait() -> None:
        await future

    def resolve() -> None:
        future.set_result(None)

    timer = loop.call_later(0.01, resolve)
    loop.run_until_complete(wait())
    resolver = runs_of(loop.recorder)[resolve.__qualname__].id
    (ended,) = (Wait(*row) for row in loop.recorder.drain().waits)
    assert ended.end_ns is not None
    assert ended.future.startswith("Future #")
    assert f"test_loop.py:{wait.__code__.co_firstlineno + 1} in " in ended.where
    assert max(ended.start_ns, timer.when() * 1e9 - 1000) <= ended.end_ns
    assert ended.resolved_by_run_id == resolver


def test_a_wait_is_seen_before_it_ends(loop: TickLoop) -> None:
    future = loop.create_future()

    async def wait() -> None:
        await future

    async def main() -> None:
        task = loop.create_task(wait())
        await asyncio.sleep(0.01)
        rows = [Wait(*row) for row in loop.recorder.drain().waits]
        assert [row.end_ns for row in rows if row.future.startswith("Future #")] == [None]
        future.set_result(None)
        await task
        (again,) = (Wait(*row) for row in loop.recorder.drain().waits if row[0] == rows[-1].id)
        assert again.end_ns is not None

    loop.run_until_complete(main())


def test_a_timer_is_scheduled_when_it_is_due(loop: TickLoop) -> None:
    async def main() -> int:
        due = loop.time() + 0.05
        loop.call_at(due, len, ())
        await asyncio.sleep(0.07)
        return int(due * 1e9)

    due_ns = loop.run_until_complete(main())
    (run,) = (run for row in loop.recorder.runs if (run := Run(*row)).name == "len")
    assert run.scheduled_ns == due_ns
    assert due_ns <= run.start_ns


def test_a_task_is_recorded_from_its_creation_to_its_end(loop: TickLoop) -> None:
    async def child(fate: str) -> None:
        await asyncio.sleep(0)
        if fate == "fails":
            raise ValueError(fate)
        if fate == "cancelled":
            asyncio.current_task().cancel()  # type: ignore[union-attr]
            await asyncio.sleep(0)

    async def main() -> None:
        children = [loop.create_task(child(fate)) for fate in ("done", "fails", "cancelled")]
        await asyncio.gather(*children, return_exceptions=True)

    loop.run_until_complete(main())
    first_step = next(Run(*row) for row in loop.recorder.runs if Run(*row).task_id == 1)
    created = {row[0]: Task(*row) for row in loop.recorder.drain().tasks}
    assert list(created) == [1, 2, 3, 4]
    assert [created[number].outcome for number in (1, 2, 3, 4)] == [
        "done",
        "done",
        "ValueError('fails')",
        "cancelled",
    ]
    assert created[1].created_by_run_id == 0
    assert {created[number].created_by_run_id for number in (2, 3, 4)} == {first_step.id}
    assert created[2].line == child.__code__.co_firstlineno
    assert created[2].coroutine == child.__qualname__


def test_a_task_that_nobody_keeps_ends_with_its_wait_when_it_is_destroyed(
    loop: TickLoop, errors: list[dict[str, Any]]
) -> None:
    async def forever() -> None:
        await loop.create_future()

    async def main() -> None:
        lost = loop.create_task(forever())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        loop.recorder.drain()  # As a frame does meanwhile.
        del lost
        gc.collect()

    loop.run_until_complete(main())
    assert errors.pop()["message"] == "Task was destroyed but it is pending!"
    batch = loop.recorder.drain()
    (task,) = (task for row in batch.tasks if (task := Task(*row)).outcome == "destroyed")
    (wait,) = (wait for row in batch.waits if (wait := Wait(*row)).task_id == task.id)
    assert task.coroutine == forever.__qualname__
    assert task.end_ns == wait.end_ns is not None
    assert wait.resolved_by_run_id == 0


@eager
def test_an_eager_task_is_recorded(loop: TickLoop) -> None:
    async def child() -> None:
        pass

    async def main() -> None:
        await loop.create_task(child())

    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore]
    loop.run_until_complete(main())
    ended = [Task(*row) for row in loop.recorder.tasks if Task(*row).end_ns is not None]
    assert {task.coroutine for task in ended} == {child.__qualname__, main.__qualname__}


def test_a_tick_runs_exactly_what_was_ready_when_it_began(loop: TickLoop) -> None:
    def spawn(children: int) -> None:
        for _ in range(children):
            loop.call_soon(spawn, children - 1)

    loop.call_soon(spawn, 4)
    loop.call_later(0.05, loop.stop)
    loop.run_forever()
    ticks = [Tick(*row) for row in loop.recorder.ticks]
    counts = [tick.ready for tick in ticks]
    assert counts == [1, 4, 12, 24, 24, 1]
    of_tick = [Run(*row).tick_id for row in loop.recorder.runs]
    assert [of_tick.count(tick.id) for tick in ticks] == counts
    ends = [0, *(tick.end_ns for tick in ticks)]
    for tick, previous_end in zip(ticks, ends, strict=False):
        assert previous_end <= tick.start_ns <= tick.select_ns <= tick.end_ns


def test_what_exceeds_the_capacity_is_dropped_and_counted(loops: Loops) -> None:
    loop = loops(recorder=Recorder(capacity=100))

    async def main() -> None:
        for _ in range(5000):
            await asyncio.sleep(0)
            assert len(loop.recorder.runs) < 1000

    loop.run_until_complete(main())
    kept = loop.recorder.drain()
    assert len(kept.runs) == len(kept.ticks) == 100
    assert kept.runs[0][0] == 1
    assert loop.recorder.dropped["runs"] == next(loop._run_ids) - 101
    assert loop.recorder.dropped["ticks"] == loop._tick_id - 100


def test_looking_at_the_loop(loop: TickLoop) -> None:
    async def main() -> None:
        loop.call_later(10, print)
        loop.call_soon(print)
        task = loop.create_task(asyncio.sleep(5))
        await asyncio.sleep(0.01)
        loop.call_soon(print)
        now = loop.now(10)
        assert (now.timer_count, now.ready_count, now.socket_count) == (2, 1, 1)
        assert now.ready[0].text == "print"
        assert now.sockets[0].role == "own"
        pending = {entry.task_id: entry for entry in loop.pending_tasks(10)}
        assert str(pending[2].resolver[0]).startswith("timer, in ")
        assert pending[2].future.startswith("sleep")
        task.cancel()

    loop.run_until_complete(main())


def test_qt_gets_its_turn_within_a_long_tick(loop: TickLoop) -> None:
    qt_turns: list[int] = []
    timer = QTimer(interval=0)
    timer.timeout.connect(lambda: qt_turns.append(len(done)))
    done: list[int] = []

    def busy(number: int) -> None:
        time.sleep(0.002)
        done.append(number)
        if number == 39:
            finished.set()

    finished = asyncio.Event()

    async def main() -> None:
        timer.start()
        for number in range(40):
            loop.call_soon(busy, number)
        await finished.wait()
        timer.stop()

    loop.run_until_complete(main())
    assert done == list(range(40))
    assert [turn for turn in qt_turns if 0 < turn < 40], "Qt waited for the whole tick"
    runs = [Run(*row) for row in loop.recorder.runs]
    assert len({run.tick_id for run in runs if run.name and run.name.endswith("busy")}) == 1
    ticks = {row[0] for row in loop.recorder.ticks}
    assert {run.tick_id for run in runs} == ticks


def test_a_connection_whose_reader_comes_and_goes_costs_no_system_calls(
    loop: TickLoop,
) -> None:
    ours, peer = socket.socketpair()
    ours.setblocking(False)
    fd = ours.fileno()
    loop.recorder.sockets[fd] = "connection #1 peer"
    heard: list[bytes] = []

    async def main() -> None:
        def read() -> None:
            heard.append(ours.recv(10))

        loop.add_reader(fd, read)
        assert loop.remove_reader(fd)
        assert not loop.remove_reader(fd)
        peer.send(b"early")
        await asyncio.sleep(0.02)  # Nobody hears it, and it must not keep the loop busy.
        ticks = len(loop.recorder.ticks)
        await asyncio.sleep(0.05)
        assert len(loop.recorder.ticks) <= ticks + 3
        assert heard == []
        loop.add_reader(fd, read)
        await asyncio.sleep(0.01)
        assert heard == [b"early"]
        loop.remove_reader(fd)
        loop.add_reader(fd, read)
        peer.send(b"again")
        await asyncio.sleep(0.01)
        assert heard == [b"early", b"again"]
        loop.remove_reader(fd)

    with ours, peer:
        loop.run_until_complete(main())


@pytest.mark.parametrize("announced", [True, False])
def test_the_number_of_a_closed_connection_serves_the_next_socket(
    loop: TickLoop, announced: bool
) -> None:
    async def main() -> None:
        for number in range(1, 4):
            ours, peer = socket.socketpair()
            with ours, peer:
                fd = ours.fileno()
                loop.recorder.sockets[fd] = f"connection #{number} peer"
                ours.setblocking(False)
                ready = asyncio.Event()
                loop.add_reader(fd, ready.set)
                loop.remove_reader(fd)
                loop.add_reader(fd, ready.set)
                peer.send(b"x")
                await asyncio.wait_for(ready.wait(), 20)
                loop.remove_reader(fd)
                del loop.recorder.sockets[fd]
                if announced:
                    loop.recorder.closed.append(fd)
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                    assert fd not in [sock.descriptor for sock in loop.now(100).sockets]

    loop.run_until_complete(main())


def test_what_a_handle_leaves_behind_is_gone_before_the_next_one_runs(loop: TickLoop) -> None:
    reported: list[str] = []

    async def fails() -> None:
        raise ValueError

    async def main() -> None:
        loop.set_exception_handler(lambda loop, context: reported.append(context["message"]))
        asyncio.ensure_future(fails())  # noqa: RUF006
        # Runs right behind the task that nobody holds.
        loop.call_soon(lambda: reported.append("next"))
        await asyncio.sleep(0)

    loop.run_until_complete(main())
    assert reported == ["Task exception was never retrieved", "next"]
