"""Mistakes are named when they happen; their clean twins, and the demo, are left in peace."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from .test_program import program, rows

HANDLERS = """
import asyncio
import gc
import threading

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
        threading.Timer(0.1, future.set_result, (1,)).start()
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
"""
PAIRS = {
    "never-awaited": ("NeverAwaited", "Awaited", "helper()"),
    "other-thread": ("OtherThread", "ThreadSafe", ""),
    "after-finish": ("FinishTwice", "FinishOnce", 'self.finish("twice")'),
    "write-after-redirect": ("RedirectThenWrite", "Redirect", 'self.write("more")'),
    "callback-in-plain-method": ("Callback", "NoCallback", ""),
    "lost-exception": ("LostException", "KeptException", 'raise ValueError("lost")'),
    "lost-task": ("LostTask", "KeptTask", ""),
}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every mistake and every clean twin, once each, recorded by the real program."""
    folder = tmp_path_factory.mktemp("mistakes")
    (folder / "handlers").mkdir()
    (folder / "handlers" / "m.py").write_text(HANDLERS)
    names = [name for pair in PAIRS.values() for name in pair[:2]]
    routes = "".join(
        f'[[routes]]\npattern = "/{name}"\nhandler = "handlers.m.{name}"\n' for name in names
    )
    (folder / "site.toml").write_text(routes)
    path = folder / "a.loopscope"
    with program(str(folder), "--trust", "--capture", str(path), cwd=folder) as it:
        for name in names:
            it.get(f"/{name}")
        time.sleep(0.3)
        it.end()
    return path


@pytest.mark.parametrize("kind", PAIRS)
def test_a_mistake_is_named_with_its_place(recording: Path, kind: str) -> None:
    bad, _, source = PAIRS[kind]
    found = rows(
        recording,
        "SELECT log.text FROM log JOIN requests ON requests.id = log.request_id"
        " WHERE logger = ? AND uri = ?",
        f"loopscope.mistake.{kind}",
        f"/{bad}",
    )
    if kind == "other-thread":  # The thread's own context knows of no request.
        found = rows(recording, "SELECT text FROM log WHERE logger LIKE 'loopscope.mistake.other%'")
    assert len(found) == 1
    what, why, repair = found[0][0].split("\n")
    assert why
    assert repair
    if source:
        line = HANDLERS.split("\n").index(next(x for x in HANDLERS.split("\n") if source in x)) + 1
        line = next(
            n
            for n, text in enumerate(HANDLERS.split("\n"), 1)
            if text.strip() == source and n >= line
        )
        assert f"m.py:{line}" in what


def test_the_clean_twins_are_left_in_peace(recording: Path) -> None:
    found = rows(recording, "SELECT logger, text FROM log WHERE logger LIKE 'loopscope.mistake%'")
    assert len(found) == len(PAIRS), found


def test_the_demo_is_left_in_peace(tmp_path: Path) -> None:
    path = tmp_path / "a.loopscope"
    with program("--capture", str(path), cwd=tmp_path) as it:
        for uri in (
            "/",
            "/story/1",
            "/sleep?seconds=0.01",
            "/login",
            "/form",
            "/error",
            "/nowhere",
        ):
            it.get(uri)
        it.get("/stream")
        it.end()
    assert rows(path, "SELECT text FROM log WHERE logger LIKE 'loopscope.mistake%'") == []
