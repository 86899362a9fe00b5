"""Requests are parked, resumed and killed over real sockets, while all others go on."""

from __future__ import annotations

import asyncio
import gc
import re
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tornado.web import Application, RequestHandler, StaticFileHandler, stream_request_body
from tornado.websocket import WebSocketHandler, websocket_connect

from app.recording.events import Request
from app.recording.recorder import Recorder
from app.recording.store import Store
from app.server.breakpoints import STAGES, Breakpoint
from app.server.server import Server
from app.server.site import Route, Site

CALLED: list[str] = []


class Base(RequestHandler):
    def initialize(self, **_: Any) -> None:
        CALLED.append("initialize")

    def on_finish(self) -> None:
        CALLED.append("on_finish")


class Sync(Base):
    def get(self) -> None:
        CALLED.append("get")
        self.set_cookie("seen", "yes")
        self.write("sync " * 100)

    def post(self) -> None:
        CALLED.append("post")
        self.write(b"got " + self.request.body)


class Async(Base):
    async def prepare(self) -> None:
        await asyncio.sleep(0)

    async def get(self) -> None:
        CALLED.append("get")
        await asyncio.sleep(0.001)
        self.write("async")


class Explicit(Base):
    async def get(self) -> None:
        body = {"a": 1}
        sent = self.finish(body)
        self.set_status(500)
        self.set_header("X-Late", "1")
        with pytest.raises(RuntimeError, match="twice"):
            self.finish()
        with pytest.raises(RuntimeError, match=r"after finish"):
            self.write("late")
        await sent
        CALLED.append("sent")


class Redirect(Base):
    def prepare(self) -> None:
        self.redirect("/sync")


class Raises(Base):
    def get(self) -> None:
        raise ValueError("on purpose")


class BadFinish(Base):
    def get(self) -> None:
        self.set_status(204)
        self.write("must not be")


class CallsItself(Base):
    """Calls its verb by itself, where nothing awaits the result."""

    def prepare(self) -> None:
        self.get()
        self.finish()

    def get(self) -> None:
        self.write("called")


@stream_request_body
class Streamed(Base):
    def prepare(self) -> None:
        self.parts: list[bytes] = []

    async def data_received(self, chunk: bytes) -> None:
        await asyncio.sleep(0)
        self.parts.append(chunk)

    def put(self) -> None:
        self.write(b"streamed " + b"".join(self.parts))


class Echo(WebSocketHandler):
    def check_origin(self, origin: str) -> bool:
        return True

    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message)


ROUTES = [
    ("/sync", Sync),
    ("/async", Async),
    ("/explicit", Explicit),
    ("/redirect", Redirect),
    ("/raises", Raises),
    ("/bad", BadFinish),
    ("/itself", CallsItself),
    ("/streamed", Streamed),
    ("/echo", Echo),
    ("/static/(.*)", StaticFileHandler, {"path": str(Path(__file__).parent)}),
]


class Bench:
    """A running server, what it recorded, and raw exchanges with it."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.store = Store(self.recorder.origin_ns)
        self.server = Server(self.recorder)
        self.points = self.server.breakpoints

    async def ask(self, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> bytes:
        """Return all bytes of an answer, without its Date; empty when there was none."""
        assert self.server.address is not None
        reader, writer = await asyncio.open_connection(*self.server.address)
        lines = [f"{method} {path} HTTP/1.1", "Host: here", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}"] if body else []
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        try:
            answer = await reader.read(-1)
        except ConnectionError:
            answer = b""
        finally:
            writer.close()
        return re.sub(rb"Date: [^\r]*\r\n", b"", answer)

    async def parked(self, count: int = 1) -> list[int]:
        """Wait until so many requests are parked; return their numbers."""
        await until(lambda: len(self.points.parked()) == count)
        return [each.request_id for each in self.points.parked()]

    def requests(self) -> list[Request]:
        self.store.apply(self.recorder.drain())
        return [Request(*row) for row in self.store.requests.rows]

    def outcomes(self) -> list[str | None]:
        return [request.outcome for request in self.requests()]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


@asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    """Serve; at the end no task and no complaint is left."""
    bench = Bench()
    bench.server.serve(Application(ROUTES))  # type: ignore[arg-type]
    bench.server.start("127.0.0.1", 0)
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
    yield bench
    await bench.server.close()
    assert bench.points.parked() == []
    assert asyncio.all_tasks() == {asyncio.current_task()}
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []


Scene = Callable[[Bench], Awaitable[None]]


def play(scene: Scene) -> None:
    """Run a scene on a bench of its own."""

    async def run() -> None:
        CALLED.clear()
        async with bench() as place:
            await scene(place)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(run())
        gc.collect()


def test_one_of_twenty_is_parked_and_its_answer_is_the_same() -> None:
    async def scene(b: Bench) -> None:
        undisturbed = await b.ask("/async")
        b.points.add(Breakpoint("verb", route="/async"))
        slow = asyncio.create_task(b.ask("/async"))
        [number] = await b.parked()
        others = await asyncio.gather(*(b.ask("/sync") for _ in range(19)))
        assert len(set(others)) == 1
        assert b"sync sync" in others[0]
        assert not slow.done()
        assert b.outcomes().count("finished") == 20
        b.points.resume(number)
        assert await slow == undisturbed
        assert b.points.parked() == []
        assert set(b.outcomes()) == {"finished"}

    play(scene)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    ("path", "method", "body"),
    [
        ("/sync", "GET", b""),
        ("/sync", "HEAD", b""),
        ("/sync", "POST", b"a=1&b=" + b"x" * 200_000),
        ("/async", "GET", b""),
        ("/explicit", "GET", b""),
        ("/redirect", "GET", b""),
        ("/streamed", "PUT", b"y" * 200_000),
        ("/nowhere", "GET", b""),
        ("/static/test_site.py", "GET", b""),
        ("/static/test_site.py", "HEAD", b""),
        ("/static/none", "GET", b""),
        ("/itself", "GET", b""),
        ("/echo", "GET", b""),
    ],
)
def test_an_answer_is_the_same_whatever_stage_it_was_parked_at(
    stage: str, path: str, method: str, body: bytes
) -> None:
    async def scene(b: Bench) -> None:
        undisturbed = await b.ask(path, method, body)
        before, CALLED[:] = list(CALLED), []
        b.points.add(Breakpoint(stage))
        asked = asyncio.create_task(b.ask(path, method, body))
        await until(lambda: asked.done() or bool(b.points.parked()))
        if (stage, path) in {("verb", "/redirect"), ("verb", "/itself"), ("verb", "/nowhere")}:
            assert asked.done()  # No verb is called.
        else:
            [parked] = b.points.parked()
            assert not asked.done()
            assert parked.since_ns <= b.recorder.clock()
            await asyncio.sleep(0.01)
            b.points.resume_all()
        assert await asked == undisturbed
        assert undisturbed
        assert before == CALLED
        assert b.outcomes() == ["finished"] * 2

    play(scene)


@pytest.mark.parametrize("path", ["/raises", "/bad"])
@pytest.mark.parametrize("stage", STAGES)
def test_errors_are_answered_as_ever(
    stage: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(b: Bench) -> None:
        undisturbed = await b.ask(path)
        logged = [record.getMessage()[:20] for record in caplog.records]
        caplog.clear()
        b.points.add(Breakpoint(stage))
        asked = asyncio.create_task(b.ask(path))
        while not asked.done():
            await asyncio.wait([asked], timeout=0.02)
            b.points.resume_all()
        assert asked.result() == undisturbed
        assert [record.getMessage()[:20] for record in caplog.records] == logged

    play(scene)


@pytest.mark.parametrize("stage", STAGES)
def test_a_websocket_opens_after_it_was_parked(stage: str) -> None:
    async def scene(b: Bench) -> None:
        assert b.server.address is not None
        b.points.add(Breakpoint(stage, handler="Echo"))
        url = f"ws://127.0.0.1:{b.server.address[1]}/echo"
        opening = asyncio.ensure_future(websocket_connect(url))
        if stage != "finish":  # Its finish must not be postponed.
            await b.parked()
            b.points.resume_all()
        socket = await opening
        await socket.write_message("hello")
        assert await socket.read_message() == "hello"
        socket.close()
        await until(lambda: b.outcomes() == ["upgraded"])

    play(scene)


def test_a_breakpoint_stops_only_what_it_names() -> None:
    async def scene(b: Bench) -> None:
        for point in (
            Breakpoint("verb", route="/async"),
            Breakpoint("verb", handler="Async"),
            Breakpoint("verb", method="POST"),
            Breakpoint("verb", client="Alice"),
            Breakpoint("verb", route="/sync", enabled=False),
        ):
            b.points.add(point)
        assert b"sync" in await b.ask("/sync")
        asked = asyncio.create_task(b.ask("/sync", "POST", b"x=1"))
        await b.parked()
        assert b.points.parked()[0].before == "post"
        b.points.resume_all()
        assert b"got x=1" in await asked

    play(scene)


def test_a_client_is_known_by_its_port() -> None:
    async def scene(b: Bench) -> None:
        b.server._delegate.client_of_port = lambda port: "Alice"
        b.points.add(Breakpoint("received", client="Alice"))
        asked = asyncio.create_task(b.ask("/sync"))
        await b.parked()
        b.points.resume_all()
        await asked

    play(scene)


def test_a_breakpoint_catches_what_is_under_way() -> None:
    async def scene(b: Bench) -> None:
        b.points.add(Breakpoint("verb", handler="Async"))
        asked = asyncio.create_task(b.ask("/async"))
        [number] = await b.parked()
        b.points.add(Breakpoint("finish", handler="Async"))
        b.points.resume(number)
        await until(lambda: [each.before for each in b.points.parked()] == ["finish"])
        b.points.resume(number)
        assert b"async" in await asked

    play(scene)


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_parked_is_let_go_with_its_breakpoint(stage: str) -> None:
    async def scene(b: Bench) -> None:
        undisturbed = await b.ask("/sync")
        point = Breakpoint(stage)
        for let_go in (
            lambda: b.points.enable(point, False),
            lambda: b.points.remove(point),
        ):
            b.points.add(point)
            asked = [asyncio.create_task(b.ask("/sync")) for _ in range(3)]
            await b.parked(3)
            let_go()
            assert set(await asyncio.gather(*asked)) == {undisturbed}
            assert not b.points.active
        assert b.points.all() == []

    play(scene)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("path", ["/sync", "/async", "/explicit"])
def test_kill_closes_the_connection_and_calls_nothing_more(
    stage: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(b: Bench) -> None:
        b.points.add(Breakpoint(stage))
        asked = asyncio.create_task(b.ask(path))
        [number] = await b.parked()
        called = list(CALLED)
        b.points.kill(number)
        assert await asked == b""
        await asyncio.sleep(0.02)
        assert called == CALLED
        assert b.outcomes() == ["aborted"]
        assert b.points.parked() == []
        b.points.remove(Breakpoint(stage))
        assert b"200 OK" in await b.ask(path)

    play(scene)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("path", ["/sync", "/async", "/streamed"])
def test_a_client_may_leave_while_it_is_parked(stage: str, path: str) -> None:
    async def scene(b: Bench) -> None:
        assert b.server.address is not None
        b.points.add(Breakpoint(stage))
        _, writer = await asyncio.open_connection(*b.server.address)
        method, body = ("PUT", b"body") if path == "/streamed" else ("GET", b"")
        head = f"{method} {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await b.parked()
        writer.close()
        if (stage, path) == ("prepare", "/streamed"):
            b.points.resume_all()  # Tornado does not look at the socket before prepare is over.
            await until(lambda: b.outcomes() == ["finished"])
        else:
            await until(lambda: b.outcomes() == ["aborted"])
        b.points.remove(Breakpoint(stage))
        assert b"200 OK" in await b.ask("/sync")

    play(scene)


@pytest.mark.parametrize("stage", ["received", "finish"])
def test_a_cancelled_wait_leaves_no_connection_hanging(stage: str) -> None:
    async def scene(b: Bench) -> None:
        b.points.add(Breakpoint(stage))
        asked = asyncio.create_task(b.ask("/sync"))
        await b.parked()
        [task] = b.points._tasks
        task.cancel()
        assert await asked == b""
        assert b.outcomes() == ["aborted"]

    play(scene)


@pytest.mark.parametrize("stage", STAGES)
def test_the_server_stops_while_requests_are_parked(stage: str) -> None:
    async def scene(b: Bench) -> None:
        b.points.add(Breakpoint(stage))
        paths = ["/sync", "/async", "/explicit"]
        asked = [asyncio.create_task(b.ask(path)) for path in paths]
        await b.parked(3)
        await b.server.stop()
        assert await asyncio.gather(*asked) == [b""] * 3
        assert b.outcomes() == ["aborted"] * 3
        b.server.start("127.0.0.1", 0)
        again = asyncio.create_task(b.ask("/sync"))
        await b.parked()
        b.points.resume_all()
        assert b"200 OK" in await again

    play(scene)


@pytest.mark.parametrize("stage", STAGES)
def test_the_site_is_exchanged_while_a_request_is_parked(stage: str, tmp_path: Path) -> None:
    text = "import tornado.web\nclass H(tornado.web.RequestHandler):\n    def get(self):\n"

    async def scene(b: Bench) -> None:
        site = Site(tmp_path, "s", routes=(Route("/", "handlers.h.H"),))
        b.server.apply(site.with_handler("h.py", text + "        self.write('old')\n"))
        undisturbed = await b.ask("/")
        b.points.add(Breakpoint(stage, route="/"))
        asked = asyncio.create_task(b.ask("/"))
        await b.parked()
        b.server.apply(site.with_handler("h.py", text + "        self.write('new')\n"))
        b.points.resume_all()
        assert await asked == undisturbed
        again = asyncio.create_task(b.ask("/"))
        await b.parked()
        b.points.remove(Breakpoint(stage, route="/"))
        assert (await again).endswith(b"new")

    play(scene)


def test_a_parked_request_leaves_a_stage() -> None:
    async def scene(b: Bench) -> None:
        b.points.add(Breakpoint("verb"))
        asked = asyncio.create_task(b.ask("/sync"))
        [number] = await b.parked()
        b.requests()
        open_stages = [s.name for s in b.store.stages_of(number) if s.end_ns is None]
        assert open_stages == ["parked before get"]
        b.points.resume_all()
        await asked
        b.requests()
        stages = b.store.stages_of(number)
        names = [stage.name for stage in stages]
        assert names.index("parked before get") + 1 == names.index("get")
        assert all(stage.end_ns is not None for stage in stages)

    play(scene)


def test_keep_alive_goes_on_after_a_parked_request() -> None:
    async def scene(b: Bench) -> None:
        assert b.server.address is not None
        b.points.add(Breakpoint("finish", route="/sync"))
        reader, writer = await asyncio.open_connection(*b.server.address)
        writer.write(b"GET /sync HTTP/1.1\r\nHost: h\r\n\r\nGET /async HTTP/1.1\r\nHost: h\r\n\r\n")
        await b.parked()
        b.points.resume_all()
        assert b"sync sync" in await reader.readuntil(b"sync sync")
        assert b"async" in await reader.readuntil(b"async")
        writer.close()
        await until(lambda: b.outcomes() == ["finished"] * 2)

    play(scene)


def test_the_list_keeps_its_order_and_knows_what_is_equal() -> None:
    changes: list[int] = []
    from app.server.breakpoints import Breakpoints

    points = Breakpoints(lambda: 0, lambda: changes.append(1))
    one, two = Breakpoint("verb", route="/a"), Breakpoint("finish")
    points.add(one)
    points.add(two)
    points.enable(one, False)
    points.add(one)
    assert points.all() == [one, two]
    assert [each.enabled for each in points.all()] == [True, True]
    points.remove(one)
    points.remove(one)
    points.enable(one, True)
    assert points.all() == [two]
    assert len(changes) == 5
    with pytest.raises(ValueError, match="no such stage"):
        replace(one, stage="get")


def test_classes_are_as_they_were_when_no_breakpoint_is_left() -> None:
    async def scene(b: Bench) -> None:
        await b.ask("/sync")
        [cls] = list(b.server._observer._parking._classes)  # type: ignore[union-attr]
        before = dict(vars(cls))
        b.points.add(Breakpoint("finish"))
        assert vars(cls)["finish"] is not before["finish"]
        b.points.remove(Breakpoint("finish"))
        assert dict(vars(cls)) == before

    play(scene)
