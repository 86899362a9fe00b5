"""Waits ended by hand: values, failures, cancels, and what comes too late."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from PySide6.QtTest import QTest

from app.loop import TickLoop
from app.recording.events import WINDOW, Run, Wait
from app.recording.snapshot import PendingTask
from app.session.act import GONE, OVER, TASK, Acts, TooLate


class Bench:
    """A task that waits for a Future, and the acts on it."""

    def __init__(self, loop: TickLoop) -> None:
        self.loop = loop
        self.refused: list[str] = []
        self.acts = Acts(loop, self.refused.append)
        self.future: asyncio.Future[Any] = loop.create_future()
        self.task: asyncio.Task[Any] = loop.create_task(self.wait(), name="bench")
        self.turn()

    async def wait(self) -> Any:
        return await self.future

    def turn(self) -> None:
        QTest.qWait(20)

    @property
    def shown(self) -> PendingTask:
        return next(one for one in self.loop.pending_tasks(9) if one.name == "bench")

    @property
    def wait_id(self) -> int:
        return self.shown.wait_id


@pytest.fixture
def bench(running_loop: TickLoop) -> Bench:
    return Bench(running_loop)


def test_a_value_arrives_and_the_window_is_the_resolver(bench: Bench) -> None:
    shown = bench.shown
    bench.acts.resolve(shown.task_id, shown.wait_id, {"a": [1, 2]})
    assert not bench.task.done()
    bench.turn()
    assert bench.task.result() == {"a": [1, 2]}
    batch = bench.loop.recorder.drain()
    ended = next(wait for row in batch.waits if (wait := Wait(*row)).id == shown.wait_id)
    resolver = next(run for row in batch.runs if (run := Run(*row)).id == ended.resolved_by_run_id)
    assert resolver.owner == WINDOW
    assert "from_the_window" in str(resolver.name)


def test_a_failure_is_raised_where_it_waits(bench: Bench) -> None:
    shown = bench.shown
    bench.acts.fail(shown.task_id, shown.wait_id, OSError("the disk is full"))
    bench.turn()
    assert repr(bench.task.exception()) == "OSError('the disk is full')"


def test_cancel_cancels(bench: Bench) -> None:
    bench.acts.cancel(bench.shown.task_id)
    bench.turn()
    assert bench.task.cancelled()


def test_what_is_over_is_refused(bench: Bench) -> None:
    shown = bench.shown
    with pytest.raises(TooLate, match=OVER):
        bench.acts.resolve(shown.task_id, shown.wait_id + 1, 1)
    bench.acts.resolve(shown.task_id, shown.wait_id, 1)
    bench.acts.resolve(shown.task_id, shown.wait_id, 2)
    bench.acts.cancel(shown.task_id)
    bench.turn()
    assert bench.task.cancelled()  # It had not yet seen the value.
    assert OVER in bench.refused
    for act in (bench.acts.cancel, lambda id_: bench.acts.resolve(id_, shown.wait_id, 1)):
        with pytest.raises(TooLate, match=GONE):
            act(shown.task_id)


def test_resolved_by_the_program_in_the_last_moment(bench: Bench) -> None:
    shown = bench.shown
    bench.loop.call_soon(bench.future.set_result, "theirs")
    bench.acts.fail(shown.task_id, shown.wait_id, ValueError("ours"))
    bench.turn()
    assert bench.task.result() == "theirs"
    assert bench.refused == [OVER]


def test_a_task_cannot_be_given_a_result(running_loop: TickLoop) -> None:
    async def outer() -> None:
        await running_loop.create_task(asyncio.sleep(9))

    task = running_loop.create_task(outer(), name="bench")
    QTest.qWait(20)
    shown = next(one for one in running_loop.pending_tasks(9) if one.name == "bench")
    assert not shown.resolvable
    with pytest.raises(TooLate, match=TASK):
        Acts(running_loop, print).resolve(shown.task_id, shown.wait_id, 1)
    task.cancel()
    QTest.qWait(20)


def test_it_works_while_the_server_is_paused(bench: Bench) -> None:
    bench.loop.hold.pause()
    shown = bench.shown
    bench.acts.resolve(shown.task_id, shown.wait_id, 1)
    bench.turn()
    assert bench.future.done()
    bench.loop.hold.resume()
    bench.turn()
    assert bench.task.result() == 1
