"""Which of very many tasks have waited longest, and what it costs to ask."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from app.loop import TickLoop
from app.recording import waiting

from .test_waiting_kinds import turn
from .widgets.sample import steps_of


def names(loop: TickLoop, count: int) -> list[str]:
    """Return the names of the first tasks that a test made."""
    # One more is asked for: asyncio.wait_for(), in which tests run, makes a task up to 3.11.
    found = [task.name for task in loop.pending_tasks(count + 1)]
    return [name for name in found if name[0] in "tcn"][:count]


async def wait_for(*futures: asyncio.Future[None]) -> None:
    for future in futures:
        await future


class Crowd:
    """Tasks by name; each waits for two Futures, one after the other."""

    def __init__(self, loop: TickLoop, count: int) -> None:
        self.loop = loop
        self.futures = [(loop.create_future(), loop.create_future()) for _ in range(count)]
        self.tasks = [
            loop.create_task(wait_for(*pair), name=f"t{number}")
            for number, pair in enumerate(self.futures)
        ]

    async def resolve(self, number: int) -> None:
        next(future for future in self.futures[number] if not future.done()).set_result(None)
        await asyncio.sleep(0)

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def test_the_longest_waits_come_first_as_others_end_and_begin(running_loop: TickLoop) -> None:
    async def look() -> list[list[str]]:
        crowd = Crowd(running_loop, 40)
        await asyncio.sleep(0)
        seen = [names(running_loop, 3)]
        await crowd.resolve(1)  # It waits anew: nobody has waited less.
        seen.append(names(running_loop, 3))
        await crowd.resolve(0)
        await crowd.resolve(0)  # It is over.
        seen.append(names(running_loop, 3))
        crowd.tasks[2].cancel()
        await asyncio.sleep(0)
        seen.append(names(running_loop, 3))
        for number in range(3, 39):
            await crowd.resolve(number)
        seen.append(names(running_loop, 4))
        await crowd.end()
        return seen

    assert turn(running_loop, look()) == [
        ["t0", "t1", "t2"],
        ["t0", "t2", "t3"],
        ["t2", "t3", "t4"],
        ["t3", "t4", "t5"],
        ["t39", "t1", "t3", "t4"],
    ]


def test_what_began_since_is_found_when_few_wait(running_loop: TickLoop) -> None:
    async def look() -> list[str]:
        first = Crowd(running_loop, 2)
        await asyncio.sleep(0)
        names(running_loop, 9)
        second = Crowd(running_loop, 1)
        second.tasks[0].set_name("new")
        await asyncio.sleep(0)
        found = names(running_loop, 9)
        await first.end()
        await second.end()
        return found

    found = turn(running_loop, look())
    assert found == ["t0", "t1", "new"]


def test_a_crowd_costs_a_look_no_more_than_a_few(
    running_loop: TickLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_BUDGET_S", 5)  # A busy machine must not end a search.

    async def look(count: int) -> int:
        crowd = Crowd(running_loop, count)
        await asyncio.sleep(0)
        running_loop.pending_tasks(10)
        steps = steps_of(partial(running_loop.pending_tasks, 10))
        await crowd.end()
        return steps

    few, many = (turn(running_loop, look(count)) for count in (100, 3000))
    assert many < 1.5 * few


@pytest.mark.parametrize("own", [0, 3])
def test_connections_come_behind_all_others(running_loop: TickLoop, own: int) -> None:
    class HTTP1ServerConnection:
        async def _server_request_loop(self, future: Any) -> None:
            await future

    HTTP1ServerConnection._server_request_loop.__qualname__ = (
        "HTTP1ServerConnection._server_request_loop"
    )

    async def look() -> list[str]:
        end = running_loop.create_future()
        idle = [
            running_loop.create_task(HTTP1ServerConnection()._server_request_loop(end), name=name)
            for name in ("c0", "c1")
        ]
        await asyncio.sleep(0)
        crowd = Crowd(running_loop, own)
        await asyncio.sleep(0)
        found = names(running_loop, 9)
        end.set_result(None)
        await asyncio.gather(*idle)
        await crowd.end()
        return found

    assert turn(running_loop, look()) == [f"t{number}" for number in range(own)] + ["c0", "c1"]


def test_a_timer_is_known_by_what_its_function_holds_now(running_loop: TickLoop) -> None:
    async def look() -> list[str]:
        future = running_loop.create_future()
        kept: Any = None
        timer = running_loop.call_later(9, lambda: kept.set_result(None))
        task = running_loop.create_task(wait_for(future), name="the one")
        await asyncio.sleep(0)

        def who() -> str:
            found = next(one for one in running_loop.pending_tasks(9) if one.name == "the one")
            return " ".join(map(str, found.resolver))

        seen = [who()]
        kept = future
        seen.append(who())
        kept = None
        seen.append(who())
        timer.cancel()
        future.set_result(None)
        await task
        return seen

    before, meanwhile, after = turn(running_loop, look())
    assert "in " in meanwhile
    assert "in " not in before + after
