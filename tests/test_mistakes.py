"""Mistakes are named when they happen; their clean twins, and the demo, are left in peace."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.websocket import websocket_connect

from app.recording.detectors import PATIENCE_NS
from app.server.site import load
from app.session.projects import DEMO

from .test_program import Program, program, rows

HANDLERS = """
import asyncio
import gc
import threading
import time

from tornado.ioloop import IOLoop
from tornado.web import RequestHandler


async def helper():
    return 1


async def fail():
    raise ValueError("lost")


class NeverAwaited(RequestHandler):
    async def get(self):
        helper()


class Awaited(RequestHandler):
    async def get(self):
        await helper()


class OtherThread(RequestHandler):
    async def get(self):
        future = asyncio.get_running_loop().create_future()

        def resolve():
            future.set_result(1)

        threading.Timer(0.1, resolve).start()
        await asyncio.wait([future], timeout=0.5)


class ThreadSafe(RequestHandler):
    async def get(self):
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        threading.Timer(0.1, loop.call_soon_threadsafe, (future.set_result, 1)).start()
        await future


class FinishTwice(RequestHandler):
    def get(self):
        self.finish("once")
        self.finish("twice")


class FinishOnce(RequestHandler):
    def get(self):
        self.finish("once")


class RedirectThenWrite(RequestHandler):
    def get(self):
        self.redirect("/once")
        self.write("more")


class Redirect(RequestHandler):
    def get(self):
        self.redirect("/once")


class Callback(RequestHandler):
    def get(self):
        IOLoop.current().call_later(0.05, self.write, "late")


class NoCallback(RequestHandler):
    async def get(self):
        await asyncio.sleep(0.05)
        self.write("in time")


class LostException(RequestHandler):
    async def get(self):
        asyncio.create_task(fail())
        await asyncio.sleep(0.01)
        gc.collect()


class KeptException(RequestHandler):
    async def get(self):
        task = asyncio.create_task(fail())
        try:
            await task
        except ValueError:
            pass


class LostTask(RequestHandler):
    async def get(self):
        async def wait():
            await asyncio.get_running_loop().create_future()

        asyncio.create_task(wait())
        await asyncio.sleep(0.01)
        gc.collect()


class KeptTask(RequestHandler):
    async def get(self):
        task = asyncio.create_task(asyncio.sleep(0.01))
        await task
        gc.collect()


class Blocking(RequestHandler):
    def get(self):
        time.sleep(0.3)


class NotBlocking(RequestHandler):
    async def get(self):
        await asyncio.sleep(0.3)
        await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.2)


class Unresolvable(RequestHandler):
    async def get(self):
        future = asyncio.get_running_loop().create_future()
        await future


waiting = set()


class Resolvable(RequestHandler):
    async def get(self):
        future = asyncio.get_running_loop().create_future()
        waiting.add(future)
        await future


async def fetch(key):
    await asyncio.sleep(0.1)
    return key


class InSequence(RequestHandler):
    async def get(self):
        user = await fetch("user")
        news = await fetch("news")
        self.write({"user": user, "news": news})


class Dependent(RequestHandler):
    async def get(self):
        user = await fetch("user")
        news = await fetch(user)
        self.write({"user": user, "news": news})


class LateTask(RequestHandler):
    async def get(self):
        asyncio.create_task(self.later())

    async def later(self):
        await asyncio.sleep(0.05)
        self.write("too late")


class TaskInTime(RequestHandler):
    async def get(self):
        await asyncio.create_task(self.now())

    async def now(self):
        await asyncio.sleep(0.05)
        self.write("in time")


class LoopCallback(RequestHandler):
    def get(self):
        def late():
            self.write("late, too")

        asyncio.get_running_loop().call_later(0.05, late)


class LoopCallbackInTime(RequestHandler):
    async def get(self):
        done = asyncio.Event()

        def call():
            self.write("in time")
            done.set()

        asyncio.get_running_loop().call_later(0.05, call)
        await done.wait()
"""
PAIRS = {
    "blocking-call": ("Blocking", "NotBlocking", "time.sleep(0.3)"),
    "never-awaited": ("NeverAwaited", "Awaited", "helper()"),
    "unresolvable-future": ("Unresolvable", "Resolvable", "await future"),
    "other-thread": ("OtherThread", "ThreadSafe", "future.set_result(1)"),
    "after-finish": ("FinishTwice", "FinishOnce", 'self.finish("twice")'),
    "after-finish by a task": ("LateTask", "TaskInTime", 'self.write("too late")'),
    "write-after-redirect": ("RedirectThenWrite", "Redirect", 'self.write("more")'),
    "callback-in-plain-method": ("Callback", "NoCallback", ""),
    "callback-in-plain-method of the loop": (
        *("LoopCallback", "LoopCallbackInTime"),
        'self.write("late, too")',
    ),
    "lost-exception": ("LostException", "KeptException", 'raise ValueError("lost")'),
    "lost-task": (
        *("LostTask", "KeptTask"),
        "async def wait():",
    ),
    "sequential-awaits": ("InSequence", "Dependent", 'user = await fetch("user")'),
}
ENDLESS = ("Unresolvable", "Resolvable")


def project(folder: Path, source: str, names: Iterable[str]) -> Path:
    """Write a project whose handlers are served under their names."""
    (folder / "handlers").mkdir(parents=True)
    (folder / "handlers" / "m.py").write_text(source)
    routes = "".join(
        f'[[routes]]\npattern = "/{name}"\nhandler = "handlers.m.{name}"\n' for name in names
    )
    (folder / "site.toml").write_text(routes)
    return folder


@contextlib.contextmanager
def hanging(it: Program, *paths: str) -> Iterator[None]:
    """Ask for what is never answered, for as long as that must last to be told."""
    with hanging_up(it, *paths):
        began = time.monotonic()
        yield
        time.sleep(max(0.0, began + PATIENCE_NS / 1e9 + 1.0 - time.monotonic()))


@contextlib.contextmanager
def hanging_up(it: Program, *paths: str) -> Iterator[None]:
    """Ask, and leave before the answer has come."""
    with contextlib.ExitStack() as stack:
        for path in paths:
            asking = socket.create_connection(("127.0.0.1", it.port), timeout=20)
            stack.enter_context(asking)
            asking.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        yield


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every mistake and every clean twin, once each, recorded by the real program."""
    folder = tmp_path_factory.mktemp("mistakes")
    names = [name for pair in PAIRS.values() for name in pair[:2]]
    site = project(folder / "project", HANDLERS, names)
    path = folder / "a.loopscope"
    arguments = (str(site), "--trust", "--capture", str(path))
    with program(*arguments, cwd=folder) as it:
        with hanging(it, *(f"/{name}" for name in ENDLESS)):
            for name in names:
                if name not in ENDLESS:
                    it.get(f"/{name}")
        it.end()
    return path


@pytest.mark.parametrize("pair", PAIRS)
def test_a_mistake_is_named_with_its_place(recording: Path, pair: str) -> None:
    kind = pair.partition(" ")[0]
    bad, _, source = PAIRS[pair]
    lines = HANDLERS.split("\n")
    first = 0 if kind == "lost-exception" else lines.index(f"class {bad}(RequestHandler):")
    line = next((n for n in range(first, len(lines)) if lines[n].strip() == source), 0) + 1
    found = rows(
        recording,
        "SELECT uri, log.text FROM log LEFT JOIN requests ON requests.id = log.request_id"
        " WHERE logger = ?",
        f"loopscope.mistake.{kind}",
    )
    place = f"m.py:{line}" if source else ""
    # Another thread's context, and the loop's own report of a callback, know of no request.
    texts = [
        text for uri, text in found if uri == f"/{bad}" or (uri is None and place and place in text)
    ]
    assert len(texts) == 1, found
    what, why, repair = texts[0].split("\n")
    assert place in what
    assert why
    assert repair


def test_the_clean_twins_are_left_in_peace(recording: Path) -> None:
    found = rows(recording, "SELECT logger, text FROM log WHERE logger LIKE 'loopscope.mistake%'")
    assert len([each for each in found if not is_stall(*each)]) == len(PAIRS), found
    assert not [text for _, text in found if "NotBlocking" in text]


def test_what_was_lost_by_waiting_in_sequence_is_told(recording: Path) -> None:
    ((level, text),) = rows(
        recording,
        "SELECT level, text FROM log WHERE logger = 'loopscope.mistake.sequential-awaits'",
    )
    assert level == "INFO"
    before, after = map(float, re.findall(r"(\d+\.\d\d) s", text))
    # The sum of two waits, each of a tenth of a second at least, and the longer one.
    assert after + 0.09 <= before <= 2 * after + 0.01


class Visitor:
    """Walks through the demo as a browser does, with cookies and the forms' tokens."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        self.opener.addheaders = [("Origin", self.origin)]

    def get(self, path: str) -> str:
        with self._open(path) as response:
            return str(response.read().decode())

    def post(self, path: str, **fields: str) -> None:
        token = re.search(r'name="_xsrf" value="([^"]+)"', self.get(path))
        assert token
        body = urllib.parse.urlencode({"_xsrf": token[1], **fields})
        self._open(path, body.encode()).close()

    def _open(self, path: str, body: bytes | None = None) -> Any:
        try:
            return self.opener.open(self.origin + path, body, timeout=20)
        except urllib.error.HTTPError as error:
            return error

    async def chat(self) -> None:
        url = f"ws{self.origin.removeprefix('http')}/chat/socket"
        one, other = await websocket_connect(url), await websocket_connect(url)
        await one.write_message("hello")
        while "hello" not in str(await other.read_message()):
            pass
        one.close()
        while "left" not in str(await other.read_message()):
            pass
        other.close()
        for each in (one, other):
            while await each.read_message() is not None:
                pass


def test_the_demo_is_left_in_peace(tmp_path: Path) -> None:
    path = tmp_path / "a.loopscope"
    with program("--capture", str(path), cwd=tmp_path) as it:
        visitor = Visitor(it.port)
        with hanging(it, "/wait"):
            with hanging_up(it, "/wait", "/stream?count=50&seconds=0.1", "/sleep?seconds=1"):
                for page in ("", "story/1", "old", "login", "upload", "chat", "error", "nowhere"):
                    visitor.get(f"/{page}")
            assert "0.4" in visitor.get("/sleep?seconds=0.4")
            assert visitor.get("/stream?count=5&seconds=0.1") == "1\n2\n3\n4\n5\n"
            visitor.get("/block?seconds=0.5")
            visitor.post("/login", name="Ann")
            assert "Ann" in visitor.get("/profile")
            visitor.get("/logout")
            visitor.post("/form", name="Ann", message="Hello")
            visitor.post("/form", name="", message="")
            visitor.post("/upload", file="none")
            visitor._open("/form", b"no=token").close()
            asyncio.run(visitor.chat())
        visitor.get("/resolve?value=1")
        it.end()
    routes = {route for (route,) in rows(path, "SELECT DISTINCT route FROM requests")}
    assert {route.pattern for route in load(DEMO).routes} - routes == set()
    found = rows(path, "SELECT logger, text FROM log WHERE logger LIKE 'loopscope.mistake%'")
    block = r"blocked the loop: \S+sleeping.py:\d+ in BlockHandler.get · (\S+) s"
    assert sum(bool(re.search(block, text)) for _, text in found) == 1, found
    assert [each for each in found if not is_stall(*each)] == []


def is_stall(logger: str, text: str) -> bool:
    """Return whether a mistake may tell of the machine: it can stop anything for a moment."""
    return logger == "loopscope.mistake.blocking-call" and "Blocking.get" not in text
