"""Futures that nobody can resolve are told from those that somebody can, in the real program."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from app.recording.detectors import PATIENCE_NS

from .test_program import program, rows

HANDLERS = """
import asyncio
import threading
import time

from tornado.web import RequestHandler

waiting, tasks, calls = set(), set(), []


async def wait_for(future):
    return await future


async def wait_in_a_task_for(future):
    return await future


class Wait(RequestHandler):
    async def get(self, name):
        loop = asyncio.get_running_loop()
        await getattr(self, name)(loop, loop.create_future())

    async def a_local_name(self, loop, future):
        await future

    async def no_name(self, loop, future):
        await asyncio.Future()

    async def a_list(self, loop, future):
        futures = [future]
        await futures[0]

    async def a_function_that_nobody_calls(self, loop, future):
        def resolve():
            future.set_result(1)

        await future

    async def a_callback_of_its_own(self, loop, future):
        future.add_done_callback(lambda done: done.result())
        await future

    async def a_helper(self, loop, future):
        await wait_for(future)

    async def a_task_that_waits_too(self, loop, future):
        await asyncio.create_task(wait_in_a_task_for(future))

    async def in_a_set(self, loop, future):
        waiting.add(future)
        await future

    async def its_method_in_a_list(self, loop, future):
        calls.append(future.set_result)
        await future

    async def on_the_handler(self, loop, future):
        self.future = future
        await future

    async def a_timer(self, loop, future):
        loop.call_later(60, future.set_result, 1)
        await future

    async def a_timer_calls_a_function(self, loop, future):
        def resolve():
            future.set_result(1)

        loop.call_later(60, resolve)
        await future

    async def a_thread(self, loop, future):
        def resolve(future):
            time.sleep(5)
            loop.call_soon_threadsafe(future.cancel)

        threading.Thread(target=resolve, args=(future,), daemon=True).start()
        await future

    async def another_task(self, loop, future):
        async def resolve():
            await asyncio.sleep(60)
            future.set_result(1)

        task = asyncio.create_task(resolve())
        await future

    async def a_timeout(self, loop, future):
        async with asyncio.timeout(60):
            await future

    async def wait_for_it(self, loop, future):
        await asyncio.wait_for(future, 60)

    async def a_task_that_may_be_cancelled(self, loop, future):
        tasks.add(asyncio.current_task())
        await future

    async def an_executor(self, loop, future):
        await loop.run_in_executor(None, time.sleep, 5)

    async def sleep(self, loop, future):
        await asyncio.sleep(60)

    async def an_event(self, loop, future):
        self.event = asyncio.Event()
        await self.event.wait()

    async def a_queue(self, loop, future):
        self.queue = asyncio.Queue()
        await self.queue.get()

    async def a_lock(self, loop, future):
        self.lock = asyncio.Lock()
        await self.lock.acquire()
        await self.lock.acquire()

    async def a_stream(self, loop, future):
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await reader.read(1)
"""
ENDLESS = [
    *("a_local_name", "no_name", "a_list", "a_function_that_nobody_calls"),
    *("a_callback_of_its_own", "a_helper", "a_task_that_waits_too"),
]
FINE = [
    *("in_a_set", "its_method_in_a_list", "on_the_handler", "a_timer", "a_timer_calls_a_function"),
    *("a_thread", "another_task", "a_timeout", "wait_for_it", "a_task_that_may_be_cancelled"),
    *("an_executor", "sleep", "an_event", "a_queue", "a_lock", "a_stream"),
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What was told of each kind of wait, by its name."""
    folder = tmp_path_factory.mktemp("stuck")
    (folder / "handlers").mkdir()
    (folder / "handlers" / "m.py").write_text(HANDLERS)
    (folder / "site.toml").write_text(
        "[[routes]]\npattern = '/(\\w+)'\nhandler = 'handlers.m.Wait'\n"
    )
    path = folder / "a.loopscope"
    arguments = (str(folder), "--trust", "--capture", str(path))
    with program(*arguments, cwd=folder) as it, contextlib.ExitStack() as stack:
        for name in ENDLESS + FINE:
            asking = socket.create_connection(("127.0.0.1", it.port), timeout=20)
            stack.enter_context(asking)
            asking.sendall(f"GET /{name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        time.sleep(PATIENCE_NS / 1e9 + 1.0)
        it.end()
    found = rows(
        path,
        "SELECT uri, text FROM log JOIN requests ON requests.id = log.request_id"
        " WHERE logger = 'loopscope.mistake.unresolvable-future'",
    )
    assert len(dict(found)) == len(found)
    return {uri[1:]: text for uri, text in found}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_wait_without_an_end_is_told(told: dict[str, str], name: str) -> None:
    assert "m.py:" in told[name]


@pytest.mark.parametrize("name", FINE)
def test_a_wait_that_somebody_may_end_is_left_in_peace(told: dict[str, str], name: str) -> None:
    assert name not in told
