"""Holding back the server while everything else on the loop goes on."""

from __future__ import annotations

import asyncio
import contextvars
import operator
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from app.loop import TickLoop, tick_loop
from app.loop.hold import Hold
from app.loop.tick_loop import HELD_S
from app.recording.recorder import OWNER

SERVERS = contextvars.Context()
SERVERS.run(OWNER.set, 7)


@pytest.fixture
def loop(qapp: QCoreApplication) -> Iterator[TickLoop]:
    errors: list[object] = []
    with TickLoop(already_running=True) as loop:
        loop.set_exception_handler(lambda _, context: errors.append(context))
        yield loop
        loop.hold.resume()
        for _ in range(3):
            QCoreApplication.processEvents()
    assert errors == []


def serve(loop: TickLoop, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Run *coroutine* as the server would."""
    task: asyncio.Task[None] = loop.create_task(coroutine, context=SERVERS.copy())
    return task


def test_a_pause_holds_the_server_and_nothing_else(loop: TickLoop, qtbot: QtBot) -> None:
    seen: list[str] = []
    loop.hold.pause()
    loop.call_soon(seen.append, "server", context=SERVERS.copy())
    loop.call_soon(seen.append, "window")
    qtbot.waitUntil(lambda: seen == ["window"])
    qtbot.wait(50)
    assert seen == ["window"]
    loop.hold.resume()
    qtbot.waitUntil(lambda: seen == ["window", "server"])
    assert not loop.hold.active


def test_each_step_runs_one_handle(loop: TickLoop, qtbot: QtBot) -> None:
    seen: list[int] = []
    loop.hold.pause()
    for n in range(5):
        loop.call_soon(seen.append, n, context=SERVERS.copy())
    for so_far in ([0], [0, 1], [0, 1, 2]):
        loop.hold.step_run()
        qtbot.waitUntil(partial(operator.eq, seen, so_far))
        qtbot.wait(30)
        assert seen == so_far
    loop.hold.step_tick()
    qtbot.waitUntil(lambda: seen == [0, 1, 2, 3, 4])


def test_a_step_of_a_tick_leaves_what_it_schedules(loop: TickLoop, qtbot: QtBot) -> None:
    seen: list[str] = []

    def first() -> None:
        seen.append("first")
        loop.call_soon(seen.append, "second")

    loop.hold.pause()
    loop.call_soon(first, context=SERVERS.copy())
    qtbot.wait(10)
    loop.hold.step_tick()
    qtbot.waitUntil(lambda: seen == ["first"])
    qtbot.wait(30)
    assert seen == ["first"]
    loop.hold.step_tick()
    qtbot.waitUntil(lambda: seen == ["first", "second"])


def test_a_sleep_keeps_its_remaining_time(loop: TickLoop, qtbot: QtBot) -> None:
    times: list[tuple[float, float]] = []
    woken: list[str] = []

    async def sleeper() -> None:
        times.append((loop.time(), time.monotonic()))
        await asyncio.sleep(1.2)
        times.append((loop.time(), time.monotonic()))
        woken.append("sleeper")

    serve(loop, sleeper())
    qtbot.waitUntil(lambda: len(times) == 1)
    qtbot.wait(250)
    paused = time.monotonic()
    loop.hold.pause()
    qtbot.wait(400)
    assert len(times) == 1
    loop.hold.resume()
    held = time.monotonic() - paused
    # However late all of them are, timers fire in their order.
    for name, moment in (("after", 1.35), ("before", 1.05)):
        loop.call_at(times[0][0] + moment, woken.append, name, context=SERVERS.copy())
    qtbot.waitUntil(lambda: len(woken) == 3)
    assert woken == ["before", "sleeper", "after"]
    (begin, began), (end, ended) = times
    assert end - begin >= 1.2
    assert ended - began >= 1.2 + held - 0.01


def test_a_slow_pace_stretches_sleeps_and_keeps_the_order(loop: TickLoop, qtbot: QtBot) -> None:
    order: list[str] = []

    async def worker(name: str, *sleeps: float) -> None:
        for seconds in sleeps:
            await asyncio.sleep(seconds)
            order.append(name)

    async def in_the_window(slower: float) -> None:
        await asyncio.sleep(0.08 * slower)
        await asyncio.sleep(0.12 * slower)

    def all_of_them(slower: float) -> float:
        """Let the workers sleep; they must be done before one who sleeps for as much longer."""
        order.clear()
        begin = time.monotonic()
        last = loop.create_task(in_the_window(slower))
        tasks = [serve(loop, worker("a", 0.02, 0.12)), serve(loop, worker("b", 0.08, 0.12))]
        qtbot.waitUntil(lambda: all(task.done() for task in tasks))
        assert not last.done()
        last.cancel()
        assert order == ["a", "b", "a", "b"]
        return time.monotonic() - begin

    assert all_of_them(5) >= 0.2
    loop.hold.set_pace(1 / 10)
    assert all_of_them(20) >= 2
    loop.hold.set_pace(1)
    assert all_of_them(5) >= 0.2


def test_a_step_with_nothing_ready_jumps_to_the_next_timer(loop: TickLoop, qtbot: QtBot) -> None:
    begun: list[float] = []
    woken: list[float] = []

    async def sleeper() -> None:
        begun.append(loop.time())
        await asyncio.sleep(1000)
        woken.append(loop.time() - begun[0])

    serve(loop, sleeper())
    qtbot.waitUntil(lambda: bool(begun))
    loop.hold.pause()
    loop.hold.step_run()  # The timer resolves the Future.
    qtbot.waitUntil(lambda: len(loop.hold.parked) == 1)
    assert woken == []
    loop.hold.step_run()
    qtbot.waitUntil(lambda: len(woken) == 1)
    assert 1000 <= woken[0] < 1001


@pytest.mark.parametrize("step", [Hold.step_run, Hold.step_tick])
def test_a_step_that_takes_all_that_is_ready_leaves_the_clock(
    loop: TickLoop, qtbot: QtBot, step: Callable[[Hold], None]
) -> None:
    seen: list[str] = []
    hold = loop.hold
    context = SERVERS.copy()
    context.run(loop.call_later, 3600, seen.append, "an hour later")
    hold.pause()
    loop.call_soon(seen.append, "ready", context=context)
    before = hold.time(time.monotonic())
    step(hold)
    qtbot.waitUntil(lambda: "ready" in seen)
    qtbot.wait(30)
    assert seen == ["ready"]
    assert hold.time(time.monotonic()) == before


def test_paused_the_timers_are_told_in_the_order_in_which_they_are_due(loop: TickLoop) -> None:
    def server(seconds: float) -> asyncio.TimerHandle:
        return loop.call_later(seconds, print, context=SERVERS.copy())

    timers = [server(3000), server(60), loop.call_later(600, print), server(9)]
    loop.hold.pause()
    timers += [server(300), loop.call_later(20, print)]
    timers[3].cancel()
    told = loop.now(10).timers
    assert [round(timer.remaining) for timer in told] == [20, 60, 300, 600, 3000]
    assert [round(timer.remaining) for timer in loop.now(2).timers] == [20, 60]
    for timer in timers:
        timer.cancel()


@pytest.mark.parametrize("budget_ns", [0, tick_loop.BUDGET_NS])
def test_a_step_may_have_a_goal(
    loop: TickLoop, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, budget_ns: int
) -> None:
    monkeypatch.setattr(tick_loop, "BUDGET_NS", budget_ns)  # Without any, each tick is a turn.
    seen: list[int] = []

    async def worker() -> None:
        for n in range(100):
            seen.append(n)
            await asyncio.sleep(0.01 * (n % 3))

    serve(loop, worker())
    loop.hold.pause()
    loop.hold.step_until(lambda: len(seen) >= 10)
    qtbot.waitUntil(lambda: len(seen) == 10)
    qtbot.wait(50)
    assert len(seen) == 10


def test_a_step_with_a_goal_pauses_first(loop: TickLoop, qtbot: QtBot) -> None:
    seen: list[int] = []

    def add() -> None:
        seen.append(len(seen))
        loop.call_soon(add)

    loop.call_soon(add, context=SERVERS.copy())
    loop.hold.step_until(lambda: len(seen) >= 5)
    qtbot.waitUntil(lambda: len(seen) == 5)
    qtbot.wait(50)
    assert len(seen) == 5
    assert loop.hold.paused
    loop.hold.step_until(lambda: len(seen) >= 8)
    qtbot.waitUntil(lambda: len(seen) == 8)
    qtbot.wait(50)
    assert len(seen) == 8
    loop.hold.parked.clear()


def test_a_goal_that_cannot_be_reached_ends(loop: TickLoop, qtbot: QtBot) -> None:
    seen: list[int] = []
    loop.hold.pause()
    loop.call_soon(seen.append, 1, context=SERVERS.copy())
    loop.hold.step_until(lambda: False)
    qtbot.waitUntil(lambda: seen == [1])
    qtbot.wait(30)
    loop.call_soon(seen.append, 2, context=SERVERS.copy())
    qtbot.wait(50)
    assert seen == [1]


def test_sockets_held_back_cost_little_and_lose_nothing(
    loop: TickLoop, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def look(timeout: float) -> list[Any]:
        nonlocal looks
        looks += 1
        return select(timeout)

    select: Callable[[float], list[Any]] = loop._selector.select
    monkeypatch.setattr(loop._selector, "select", look)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    got: list[bytes] = []
    SERVERS.copy().run(loop.add_reader, ours, lambda: got.append(ours.recv(10)))
    loop.hold.pause()
    theirs.send(b"x")
    qtbot.wait(50)
    ticks, looked, began = loop._tick_id, looks, time.monotonic()
    qtbot.wait(200)
    assert loop._tick_id == ticks
    assert looks - looked <= 2 + (time.monotonic() - began) / HELD_S
    assert got == []
    loop.hold.resume()
    qtbot.waitUntil(lambda: got == [b"x"])
    theirs.send(b"y")
    qtbot.waitUntil(lambda: got == [b"x", b"y"])
    loop.remove_reader(ours)
    ours.close()
    theirs.close()


def test_what_is_cancelled_while_held_does_not_run(loop: TickLoop, qtbot: QtBot) -> None:
    seen: list[int] = []
    loop.hold.pause()
    first, _ = (loop.call_soon(seen.append, n, context=SERVERS.copy()) for n in (1, 2))
    qtbot.wait(20)
    first.cancel()
    loop.hold.step_run()
    qtbot.waitUntil(lambda: seen == [2])


@pytest.mark.parametrize("pace", [0, 0.001, 1.5, float("nan")])
def test_a_pace_out_of_range_is_refused(loop: TickLoop, pace: float) -> None:
    with pytest.raises(ValueError, match="pace"):
        loop.hold.set_pace(pace)
