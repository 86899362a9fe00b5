"""Pause, steps and pace, from the real window on the real server."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.application import Program
from app.recording.events import SERVER, Connection
from app.widgets.hold_bar import PACES

from .test_hold import SERVERS
from .test_window import _get, fetch, finished, program

__all__ = ["fetch", "program"]

Begin = Callable[[str], "concurrent.futures.Future[tuple[int, str]]"]


@pytest.fixture
def begin(program: Program) -> Begin:
    """Fetch a path from outside in a thread; the result comes later."""
    pool = concurrent.futures.ThreadPoolExecutor()
    address = program.session.address
    return lambda path: pool.submit(_get, f"{address}{path.lstrip('/')}")


def server_runs(program: Program) -> int:
    program.frame(settle_ns=0)
    return sum(row[5] >= SERVER for row in program.store.runs.rows)


def step(program: Program, qtbot: QtBot, modifier: Qt.KeyboardModifier) -> None:
    qtbot.keyClick(program.window, Qt.Key.Key_F7, modifier)


def over(program: Program, uri: str) -> int:
    """Return how many requests to *uri* are over."""
    program.frame(settle_ns=0)
    return len(finished(program, uri))


def steps_until_done(program: Program, qtbot: QtBot, uri: str) -> int:
    """Step one run at a time; return how many steps it took, each of exactly one run."""
    known = over(program, uri)
    hold = program.session.hold
    for count in range(100):
        qtbot.waitUntil(lambda: over(program, uri) > known or hold.state().parked > 0)
        if over(program, uri) > known:
            return count
        before = server_runs(program)
        step(program, qtbot, Qt.KeyboardModifier.NoModifier)
        qtbot.waitUntil(lambda before=before: server_runs(program) > before)  # type: ignore[misc]
        assert server_runs(program) == before + 1
    raise AssertionError("it takes too many steps")


def until_closed(program: Program, qtbot: QtBot, count: int) -> None:
    """Step until so many connections have closed and left nothing to be run for the next one."""

    def held() -> int:
        passed: list[bool] = []
        program.loop.call_soon(passed.append, True)
        qtbot.waitUntil(lambda: bool(passed))  # What was ready before it is held back by now.
        return program.session.hold.state().parked

    def closed() -> int:
        program.frame(settle_ns=0)
        rows = program.store.connections.rows
        return sum(Connection(*row).closed_ns is not None for row in rows)

    while held() or closed() < count:
        if held():
            step(program, qtbot, Qt.KeyboardModifier.ShiftModifier)


def test_paused_a_request_takes_a_countable_number_of_steps(
    program: Program, qtbot: QtBot, begin: Begin, fetch: Callable[[str], tuple[int, str]]
) -> None:
    undisturbed = fetch("/story/7")
    until_closed(program, qtbot, 1)
    qtbot.keyClick(program.window, Qt.Key.Key_F8)
    assert program.session.hold.state().paused
    counts = []
    for number in (2, 3):
        future = begin("/story/7")
        counts.append(steps_until_done(program, qtbot, "/story/7"))
        qtbot.waitUntil(future.done)
        assert future.result() == undisturbed
        until_closed(program, qtbot, number)
    assert counts[0] == counts[1]
    assert counts[0] >= 3


def test_paused_requests_queue_and_finish_on_resume(
    program: Program, qtbot: QtBot, begin: Begin
) -> None:
    bar = program.window.top_bar.hold
    qtbot.mouseClick(bar.pause, Qt.MouseButton.LeftButton)
    futures = [begin("/story/1") for _ in range(10)]
    qtbot.wait(300)
    assert not any(future.done() for future in futures)
    assert bar.state.isVisible()
    qtbot.mouseClick(bar.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: all(future.done() for future in futures))
    assert {future.result()[0] for future in futures} == {200}
    assert len({future.result()[1] for future in futures}) == 1
    assert not bar.state.isVisible()


def test_a_step_to_the_next_stage(program: Program, qtbot: QtBot, begin: Begin) -> None:
    future = begin("/wait")
    qtbot.waitUntil(lambda: bool(program.store.open_requests))
    (waiting,) = program.store.open_requests
    program.window.selection.select(waiting)
    qtbot.keyClick(program.window, Qt.Key.Key_F8)

    def stages() -> int:
        program.frame(settle_ns=0)
        return len(program.store.stages_of(waiting))

    before = stages()
    resolving = begin("/resolve?value=42")
    qtbot.waitUntil(lambda: program.session.hold.state().parked > 0)
    step(program, qtbot, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: stages() > before)
    assert program.session.hold.state().paused
    qtbot.keyClick(program.window, Qt.Key.Key_F8)
    qtbot.waitUntil(lambda: future.done() and resolving.done())
    assert "42" in future.result()[1]


def test_of_a_request_that_is_over_no_stage_can_be_stepped_to(
    program: Program, qtbot: QtBot, fetch: Callable[[str], tuple[int, str]]
) -> None:
    fetch("/story/3")
    qtbot.waitUntil(lambda: bool(finished(program, "/story/3")))
    (request,) = finished(program, "/story/3")
    program.window.selection.select(request.id)
    until_closed(program, qtbot, 1)
    program.loop.call_later(1000, print, context=SERVERS.copy())
    qtbot.keyClick(program.window, Qt.Key.Key_F8)
    runs, hold = server_runs(program), program.session.hold
    clock = program.loop.hold.time(time.monotonic())
    step(program, qtbot, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: f"#{request.id} is over" in program.window.banner.label.text())
    qtbot.wait(100)
    assert server_runs(program) == runs
    assert program.loop.hold.time(time.monotonic()) == clock
    # Nor does it pause a server that goes on.
    qtbot.keyClick(program.window, Qt.Key.Key_F8)
    step(program, qtbot, Qt.KeyboardModifier.ControlModifier)
    assert not hold.state().paused


def test_at_a_slow_pace_a_sleep_is_as_many_times_as_long(
    program: Program, qtbot: QtBot, begin: Begin
) -> None:
    program.window.top_bar.hold.pace.setCurrentIndex(PACES.index(10))
    program.window.top_bar.hold.pace.activated.emit(PACES.index(10))
    assert program.session.hold.state().pace == 1 / 10
    began = time.monotonic()
    future = begin("/sleep?seconds=0.2")
    qtbot.waitUntil(future.done)
    assert time.monotonic() - began >= 2
    for _ in range(3):
        qtbot.keyClick(program.window, Qt.Key.Key_BracketRight, Qt.KeyboardModifier.ControlModifier)
    assert program.session.hold.state().pace == 1


def test_the_server_can_be_stopped_while_it_is_paused(
    program: Program, qtbot: QtBot, begin: Begin
) -> None:
    qtbot.keyClick(program.window, Qt.Key.Key_F8)
    future = begin("/story/1")
    qtbot.waitUntil(lambda: program.session.hold.state().parked > 0)
    program.session.stop_server()
    qtbot.waitUntil(lambda: program.session.address is None)
    qtbot.waitUntil(future.done)
    assert not program.session.hold.state().paused
