"""What a task waits for and who can resolve it: real waits of each kind on a real loop."""

from __future__ import annotations

import asyncio
import datetime
import functools
import re
import socket
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import tornado.gen
import tornado.httpclient
import tornado.httpserver
import tornado.iostream
import tornado.locks
import tornado.netutil
import tornado.queues
import tornado.tcpclient
import tornado.tcpserver
import tornado.web
import tornado.websocket

from app.loop import TickLoop
from app.recording import waiting, waiting_kinds
from app.recording.snapshot import PendingTask

NINE = datetime.timedelta(seconds=9)
Wait = Callable[[], Awaitable[Any]]


@pytest.fixture
def loop(running_loop: TickLoop, monkeypatch: pytest.MonkeyPatch) -> TickLoop:
    monkeypatch.setattr(waiting, "_BUDGET_S", 5)  # A busy machine must not end a search.
    return running_loop


def turn(loop: TickLoop, coroutine: Any, seconds: float = 30) -> Any:
    """Turn Qt until a coroutine on the running loop is done, and return its result."""
    from PySide6.QtTest import QTest

    task = loop.create_task(asyncio.wait_for(coroutine, seconds))
    while not task.done():
        QTest.qWait(1)
    return task.result()


async def look(
    loop: TickLoop, wait: Wait, ready: Callable[[PendingTask], bool] = lambda _: True
) -> PendingTask:
    """Start a task that waits, return how it is shown, if possible when *ready*, and end it."""

    async def waits() -> None:
        await wait()

    task = loop.create_task(waits(), name="the waiting one")
    end = loop.time() + 20
    while True:
        await asyncio.sleep(0.02)
        shown = next(one for one in loop.pending_tasks(100) if one.name == "the waiting one")
        if ready(shown) or loop.time() > end:
            break
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return shown


def who(task: PendingTask) -> str:
    return re.sub(r"in [1-9]\.\d\d", "in 8.99", " | ".join(map(str, task.resolver)))


async def on_asyncio_lock() -> None:
    lock = asyncio.Lock()
    await lock.acquire()
    await lock.acquire()


async def on_condition() -> None:
    condition = asyncio.Condition()
    async with condition:
        await condition.wait()


async def on_queue_join() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()
    queue.put_nowait(1)
    await queue.join()


async def on_full_queue() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue(1)
    await queue.put(1)
    await queue.put(2)


async def on_task_group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(9))


async def on_first_of_several() -> None:
    for one in asyncio.as_completed([asyncio.sleep(9), asyncio.sleep(9)]):
        await one


async def on_timer() -> None:
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(9, future.set_result, 1)
    await future


async def under_timeout() -> None:
    async with asyncio.timeout(9):
        await asyncio.get_running_loop().create_future()


async def under_tornados_timeout() -> None:
    await tornado.gen.with_timeout(NINE, asyncio.get_running_loop().create_future())


async def on_shielded() -> None:
    await asyncio.shield(asyncio.ensure_future(asyncio.sleep(9)))


async def on_tornado_lock() -> None:
    lock = tornado.locks.Lock()
    await lock.acquire()
    await lock.acquire()


everywhere: tornado.queues.Queue[int] = tornado.queues.Queue()


async def on_global_queue() -> None:
    await everywhere.get()


async def on_full_tornado_queue() -> None:
    queue: tornado.queues.Queue[int] = tornado.queues.Queue(1)
    await queue.put(1)
    await queue.put(2)


async def on_pair(read: bool) -> None:
    one, other = map(tornado.iostream.IOStream, socket.socketpair())
    try:
        await (one.read_bytes(9) if read else one.write(bytes(9_000_000)))
    finally:
        one.close()
        other.close()


async def on_stream_reader() -> None:
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    try:
        await reader.read(1)
    finally:
        writer.close()
        theirs.close()


async def on_socket() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        await asyncio.get_running_loop().sock_recv(ours, 1)


async def on_process() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=-1)
    try:
        await process.wait()
    finally:
        process.kill()
        await process.wait()
        process._transport.close()  # type: ignore[attr-defined]


async def on_wait() -> None:
    tasks = [asyncio.ensure_future(asyncio.sleep(9)) for _ in range(5)]
    try:
        await asyncio.wait(tasks)
    finally:
        for task in tasks:
            task.cancel()


@pytest.mark.parametrize(
    ("wait", "kind", "resolver"),
    [
        (lambda: asyncio.sleep(9), "sleep", "timer, in 8"),
        (lambda: tornado.gen.sleep(9), "sleep", "timer, in 8"),
        (on_timer, "timer", "timer, in 8"),
        (lambda: asyncio.Event().wait(), "event", "Event.set"),
        (on_asyncio_lock, "lock", "Lock.release"),
        (on_condition, "condition", "Condition.notify"),
        (lambda: asyncio.Semaphore(0).acquire(), "semaphore", "Semaphore.release"),
        (lambda: asyncio.Barrier(2).wait(), "barrier", "Barrier.wait"),
        (lambda: asyncio.Queue[int]().get(), "queue", "Queue.put"),
        (on_full_queue, "queue", "Queue.get"),
        (on_queue_join, "queue", "Queue.task_done"),
        (lambda: asyncio.ensure_future(asyncio.sleep(9)), "task", "task #"),
        (lambda: asyncio.gather(asyncio.sleep(9), asyncio.sleep(9)), "gather", " | task #"),
        (on_wait, "gather", " | 2 more"),
        (on_task_group, "gather", "task #"),
        (on_first_of_several, "gather", " | task #"),
        (lambda: asyncio.wait_for(asyncio.Event().wait(), 9), None, "timeout, in 8"),
        (under_timeout, "future", "timeout, in 8"),
        (under_tornados_timeout, "timeout", "timeout, in 8"),
        (on_shielded, "task", "task #"),
        (on_process, "subprocess", "process "),
        (on_stream_reader, "read", "socket fd "),
        (on_socket, "read", "socket fd "),
        (lambda: tornado.locks.Event().wait(), "event", "Event.set"),
        (lambda: tornado.locks.Event().wait(NINE), "event", "Event.set | timeout, in 8"),
        (lambda: tornado.locks.Condition().wait(NINE), "condition", "notify | timeout, in 8"),
        (on_tornado_lock, "semaphore", "Semaphore.release"),
        (on_full_tornado_queue, "queue", "Queue.get"),
        (on_global_queue, "queue", "Queue.put"),
        (functools.partial(on_pair, True), "read", "socket fd "),
        (functools.partial(on_pair, False), "write", "socket fd "),
        (lambda: asyncio.get_running_loop().create_future(), "future", ""),
    ],
)
def test_kinds(
    loop: TickLoop, caught: list[dict[str, Any]], wait: Wait, kind: str | None, resolver: str
) -> None:
    def ready(shown: PendingTask) -> bool:
        return shown.kind == (kind or shown.kind) and resolver in who(shown)

    shown = turn(loop, look(loop, wait, ready))
    assert shown.kind == kind or kind is None
    assert shown.kind in waiting_kinds.KINDS
    assert resolver in who(shown), who(shown)
    assert (shown.machinery == "") == (shown.kind in ("future", "timer"))
    assert shown.resolvable == (shown.kind != "task" or wait is on_shielded) or kind is None
    assert shown.wait_id
    turn(loop, asyncio.sleep(0.05))
    if shown.kind == "write":
        caught.clear()  # Tornado's own callback trips over a write that was cancelled.


def test_a_queue_of_tornado_is_found_where_the_program_keeps_it(loop: TickLoop) -> None:
    class Shop:
        def __init__(self) -> None:
            self.orders: dict[str, Any] = {"new": tornado.queues.Queue()}

        async def serve(self) -> None:
            await self.orders["new"].get()

    shown = turn(loop, look(loop, Shop().serve))
    assert (shown.kind, who(shown)) == ("queue", "Queue.put")


def test_executor_threads_and_their_queue(loop: TickLoop) -> None:
    go = threading.Event()

    async def main() -> list[PendingTask]:
        import concurrent.futures

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            works = [functools.partial(loop.run_in_executor, pool, go.wait) for _ in range(2)]

            async def first() -> None:
                await works[0]()

            task = loop.create_task(first(), name="first")
            shown = await look(loop, works[1])
            other = next(one for one in loop.pending_tasks(9) if one.name == "first")
            go.set()
            await task
            return [other, shown]

    running, queued = turn(loop, main())
    assert (running.kind, who(running)) == ("thread", "executor thread")
    assert (queued.kind, who(queued)) == ("thread", "executor: queued until a thread is free")


def test_requests_connections_and_websockets(loop: TickLoop) -> None:
    class Hanging(tornado.web.RequestHandler):
        async def get(self) -> None:
            await hang

    class Chat(tornado.websocket.WebSocketHandler):
        def on_message(self, message: str | bytes) -> None:
            return

    hang = loop.create_future()

    async def main() -> dict[str, PendingTask]:
        app = tornado.web.Application([("/", Hanging), ("/chat", Chat)])
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        server = tornado.httpserver.HTTPServer(app)
        server.add_sockets(sockets)
        port = sockets[0].getsockname()[1]
        client = tornado.httpclient.AsyncHTTPClient()
        chat = await tornado.websocket.websocket_connect(f"ws://127.0.0.1:{port}/chat")
        url = f"http://127.0.0.1:{port}/"

        async def fetch() -> bytes:
            return (await client.fetch(url)).body

        fetching = loop.create_task(fetch(), name="fetching")
        message = loop.create_task(_message(chat), name="message")
        await asyncio.sleep(0.1)
        shown = {f"{one.name} {one.coroutine}": one for one in loop.pending_tasks(50)}
        message.cancel()
        hang.set_result(None)
        await fetching
        chat.close()
        await asyncio.sleep(0.05)
        client.close()
        server.stop()
        await server.close_all_connections()
        return shown

    shown = turn(loop, main())
    by_name = {name.split(" ")[-1]: one for name, one in shown.items()}
    fetching = next(one for one in shown.values() if one.name == "fetching")
    assert fetching.kind == "http"
    assert who(fetching).startswith("answer from http://127.0.0.1:")
    assert "timeout" not in who(fetching)
    kinds = {(one.kind, one.machinery) for one in shown.values()}
    assert {("future", ""), ("response", "connection"), ("websocket", "connection")} <= kinds
    assert by_name["_HTTPConnection.run"].machinery == "library"
    assert next(one for one in shown.values() if one.name == "message").kind == "websocket"


async def _message(chat: Any) -> None:
    await chat.read_message()


def test_frames_carry_their_source_line(loop: TickLoop) -> None:
    shown = turn(loop, look(loop, on_condition))
    assert "await condition.wait()" in [frame.source for frame in shown.frames]


def test_looking_runs_none_of_the_programs_code(loop: TickLoop) -> None:
    class Trap(asyncio.Future[None]):
        def __getattribute__(self, name: str) -> Any:
            if name in ("_callbacks", "_children", "_state", "__class__", "__dict__"):
                touched.append(name)
            return super().__getattribute__(name)

        def __eq__(self, other: object) -> bool:
            touched.append("==")
            return False

        __hash__ = asyncio.Future.__hash__

    touched: list[str] = []

    async def wait() -> None:
        trap = Trap()
        everything = [trap, trap]
        await everything[0]

    async def main() -> PendingTask:
        async def waits() -> None:
            await wait()

        task = loop.create_task(waits(), name="trap")
        await asyncio.sleep(0.02)
        touched.clear()
        shown = next(one for one in loop.pending_tasks(9) if one.name == "trap")
        assert touched == []
        task.cancel()
        return shown

    assert turn(loop, main()).kind == "future"


def test_looking_keeps_nothing_alive(loop: TickLoop) -> None:
    class Thing:
        pass

    async def main() -> bool:
        thing = Thing()
        gone = weakref.ref(thing)
        go = loop.create_future()

        async def uses(thing: Thing) -> None:
            await go
            del thing
            await asyncio.sleep(9)

        task = loop.create_task(uses(thing))
        del thing
        await asyncio.sleep(0.01)
        loop.pending_tasks(9)
        assert gone() is not None
        go.set_result(None)
        await asyncio.sleep(0.01)
        loop.pending_tasks(9)
        task.cancel()
        return gone() is None

    assert turn(loop, main())


def test_what_was_resolved_is_no_longer_waited_for(loop: TickLoop) -> None:
    async def main() -> None:
        future = loop.create_future()

        async def waits() -> None:
            await future

        task = loop.create_task(waits(), name="the waiting one")
        await asyncio.sleep(0)
        future.set_result(None)
        shown = next(one for one in loop.pending_tasks(100) if one.name == "the waiting one")
        assert (shown.kind, shown.future, shown.since_ns, shown.resolvable) == ("", "", None, False)
        await task

    turn(loop, main())


def test_the_programs_own_tasks_come_before_idle_connections(loop: TickLoop) -> None:
    async def main() -> None:
        server = tornado.httpserver.HTTPServer(tornado.web.Application())
        (sock,) = tornado.netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets([sock])
        idle = [await asyncio.open_connection(*sock.getsockname()) for _ in range(5)]
        await asyncio.sleep(0.05)
        own = loop.create_task(asyncio.sleep(9), name="own")
        await asyncio.sleep(0.01)
        names = [task.name for task in loop.pending_tasks(3)]
        assert "own" in names
        own.cancel()
        server.stop()
        for _, writer in idle:
            writer.close()
            await writer.wait_closed()
        await server.close_all_connections()

    turn(loop, main())
