"""Handlers that block the loop: caught, recorded, interrupted, in the real program."""

from __future__ import annotations

import http.client
import json
import re
import signal
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from app.recording import capture
from app.recording.events import Block
from tests.test_program import Program, program

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")

SITE = """
[[routes]]
pattern = '/fine'
handler = 'handlers.block.Fine'
[[routes]]
pattern = '/(\\w+)'
handler = 'handlers.block.Block'
"""
HANDLERS = """import asyncio
import contextlib
import re
import time

from tornado import gen
from tornado.web import RequestHandler


class Fine(RequestHandler):
    def get(self):
        self.write("fine")


class Block(RequestHandler):
    async def get(self, name):
        result = getattr(self, name)()
        if result is not None:
            await result
        self.write("done")

    def half(self):
        time.sleep(0.5)  # half

    def spin(self):
        while True:  # spin
            pass

    def minute(self):
        time.sleep(60)  # minute

    def regex(self):
        re.match(r"(a+)+$", "a" * 40 + "b")  # regex

    def deaf(self):
        while True:
            try:
                time.sleep(0.01)
            except BaseException:
                pass

    def mute(self):
        while True:
            with contextlib.suppress(BaseException):
                while True:
                    time.sleep(0.01)

    def finally_(self):
        try:
            while True:
                try:
                    time.sleep(0.001)
                except BaseException:
                    pass
        finally:
            time.sleep(0)

    def nested(self):
        while True:
            try:
                self.finally_()
            except BaseException:
                time.sleep(0)

    async def task(self):
        await asyncio.create_task(self.inner())

    async def inner(self):
        await asyncio.sleep(0)
        time.sleep(60)  # task

    @gen.coroutine
    def old(self):
        yield gen.sleep(0.01)
        time.sleep(60)  # old

    def later(self):
        asyncio.get_running_loop().call_soon(self.minute)

    def orphan(self):
        self.application.kept = asyncio.create_task(self.inner())

    def short(self):
        time.sleep(0.05)
"""
LIMIT = 0.3


class Result(NamedTuple):
    """What a program did whose handlers blocked."""

    statuses: dict[str, int]
    """Path → status, each asked for once, in this order, and ``/fine`` after it."""
    fine: list[int]
    seconds: dict[str, float]
    file: Path
    idle: int
    """How often the program woke up in a second in which nothing happened."""


def project(folder: Path) -> Path:
    """Make the project in *folder*."""
    for name in ("handlers", "templates"):
        (folder / name).mkdir(parents=True)
    (folder / "site.toml").write_text(SITE)
    (folder / "handlers" / "block.py").write_text(HANDLERS)
    return folder


def line_of(mark: str) -> int:
    """Return the line of `HANDLERS` that *mark* is written at."""
    return next(n for n, text in enumerate(HANDLERS.splitlines(), 1) if text.endswith(f"# {mark}"))


def wake_ups(it: Program) -> int:
    """Return how often the program's main thread has gone to sleep; 0 where it is not told."""
    try:
        status = Path(f"/proc/{it.process.pid}/task/{it.process.pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.MULTILINE)
    return int(found[1]) if found else 0


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The real program, asked for every kind of block."""
    folder = tmp_path_factory.mktemp("block")
    file = folder / "a.loopscope"
    site = project(folder / "project")
    arguments = (str(site), "--trust", "--block-limit", str(LIMIT), "--capture", str(file))
    with program(*arguments, cwd=folder) as it:
        statuses: dict[str, int] = {}
        fine: list[int] = []
        seconds: dict[str, float] = {}
        for name in (
            *(
                "short",
                "spin",
                "minute",
                "regex",
                "deaf",
                "mute",
                "finally_",
                "nested",
                "task",
                "old",
            ),
            *("later", "orphan"),
        ):
            began = time.monotonic()
            statuses[name] = it.get(f"/{name}")[0]
            seconds[name] = time.monotonic() - began
            fine.append(it.get("/fine")[0])
        time.sleep(1.8)
        for _ in range(8):  # What moves in the window comes to rest.
            before = wake_ups(it)
            time.sleep(1.0)
            idle = wake_ups(it) - before
            if idle <= 4:
                break
        assert it.end() == ""
    return Result(statuses, fine, seconds, file, idle)


@pytest.fixture(scope="module")
def allowed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recording of a program that lets its handlers block: one does while others ask."""
    folder = tmp_path_factory.mktemp("allowed")
    file = folder / "a.loopscope"
    site = project(folder / "project")
    arguments = (str(site), "--trust", "--block-limit", "0", "--capture", str(file))
    with program(*arguments, cwd=folder) as it:
        connected, over = threading.Barrier(4), threading.Event()

        def others() -> None:
            kept = http.client.HTTPConnection("127.0.0.1", it.port, timeout=20)
            with closing(kept):
                kept.connect()
                connected.wait(20)
                while not over.is_set():
                    kept.request("GET", "/fine")
                    assert kept.getresponse().read() == b"fine"

        waiting = [threading.Thread(target=others) for _ in range(3)]
        for thread in waiting:
            thread.start()
        connected.wait(20)
        assert it.get("/half")[0] == 200
        over.set()
        for thread in waiting:
            thread.join()
        assert it.end() == ""
    return file


@pytest.fixture(scope="module")
def block(allowed: Path) -> Block:
    store, _ = capture.read(allowed)
    # On a loaded machine anything may last.
    (half,) = (block for row in store.blocks.rows if (block := Block(*row)).line == line_of("half"))
    return half


@pytest.fixture(scope="module")
def blocks(result: Result) -> list[Block]:
    store, _ = capture.read(result.file)
    return [Block(*row) for row in store.blocks.rows]


def test_a_block_names_its_file_line_function_and_length(block: Block) -> None:
    assert block.file.endswith("project/handlers/block.py")
    assert (block.line, block.function) == (line_of("half"), "Block.half")
    assert (block.end_ns - block.start_ns) / 1e9 >= 0.5  # It is as long as its run: see below.
    assert block.interrupted == 0


def test_the_stack_is_that_of_the_block(block: Block) -> None:
    lines = block.stack.splitlines()
    assert lines[0].startswith("… ")
    assert "library frames" in lines[0]
    assert lines[1].endswith("in Block.get")
    assert lines[-2:] == [
        f"{block.file}:{line_of('half')} in Block.half",
        "    time.sleep(0.5)  # half",
    ]


def test_a_block_names_its_request_and_those_that_waited(allowed: Path, block: Block) -> None:
    with closing(sqlite3.connect(allowed)) as database:
        uris = dict(database.execute("SELECT id, uri FROM requests"))
        domains = database.execute("SELECT DISTINCT domain FROM blocks").fetchall()
    waited = json.loads(block.delayed)
    assert uris[block.owner] == "/half"
    assert block.owner not in waited
    assert block.delayed_count == len(waited) >= 3
    assert {uris[number] for number in waited} == {"/fine"}
    assert domains == [("server",)]


def test_a_block_is_a_run_of_the_recording(result: Result, blocks: list[Block]) -> None:
    store, _ = capture.read(result.file)
    for block in blocks:
        run = store.run(block.run_id)
        assert run is not None
        assert (run.start_ns, run.end_ns, run.owner) == (
            block.start_ns,
            block.end_ns,
            block.owner,
        )
    assert store.block_of(blocks[0].run_id) == blocks[0]
    longer = [row[0] for row in store.runs.rows if row[3] - row[2] > 120e6 and row[5] > 0]
    assert [block.run_id for block in blocks if _is_long_and_served(block)] == longer


def _is_long_and_served(block: Block) -> bool:
    return block.end_ns - block.start_ns > 120e6 and block.owner > 0


def test_no_short_run_is_called_a_block(blocks: list[Block]) -> None:
    assert all(block.end_ns - block.start_ns >= 99e6 for block in blocks)
    assert not any(block.function == "Block.short" for block in blocks)


@pytest.mark.parametrize("name", ["spin", "minute", "regex", "task", "old"])
def test_a_handler_that_blocks_is_interrupted_at_the_limit(
    result: Result, blocks: list[Block], name: str
) -> None:
    assert result.statuses[name] == 503
    assert result.seconds[name] >= LIMIT
    lines = (line_of(name), line_of(name) + 1)
    block = next(block for block in blocks if block.line in lines)
    assert block.interrupted == 1


@pytest.mark.parametrize("name", ["deaf", "mute", "finally_", "nested"])
def test_a_handler_that_swallows_everything_is_interrupted_too(result: Result, name: str) -> None:
    assert result.statuses[name] == 503


def test_the_next_request_is_answered(result: Result) -> None:
    assert set(result.fine) == {200}
    assert result.statuses["short"] == 200


def test_a_callback_and_a_task_of_its_own_are_interrupted_and_the_loop_lives_on(
    result: Result, blocks: list[Block]
) -> None:
    assert (result.statuses["later"], result.statuses["orphan"]) == (200, 200)
    interrupted = [block.function for block in blocks if block.interrupted]
    assert interrupted[-2:] == ["Block.minute", "Block.inner"]
    with closing(sqlite3.connect(result.file)) as database:
        told = database.execute("SELECT text FROM log WHERE logger = 'asyncio'").fetchall()
    assert any("Exception in callback Block.minute" in text for (text,) in told)


def test_the_log_says_what_blocked(allowed: Path, block: Block) -> None:
    with closing(sqlite3.connect(allowed)) as database:
        level, number, text = database.execute(
            "SELECT level, request_id, text FROM log"
            " WHERE logger = 'loopscope' AND text LIKE '%Block.half%'"
        ).fetchone()
        (half,) = database.execute("SELECT id FROM requests WHERE uri = '/half'").fetchone()
    assert (level, number) == ("WARNING", half)
    place = rf"handlers/block\.py:{line_of('half')} in Block\.half"
    others = r"\d+ other requests waited"
    lasted = f"{(block.end_ns - block.start_ns) / 1e9:.2f}"
    first = rf"blocked the loop for {lasted} s: {place} · request #{half} · {others}"
    assert re.fullmatch(first, text.splitlines()[0])


def test_an_idle_program_is_not_woken(result: Result) -> None:
    assert result.idle <= 4


def test_a_recording_without_the_table_opens(result: Result, tmp_path: Path) -> None:
    old = tmp_path / "old.loopscope"
    old.write_bytes(result.file.read_bytes())
    with closing(sqlite3.connect(old)) as database:
        database.execute("DROP TABLE blocks")
        database.commit()
    store, _ = capture.read(old)
    assert len(store.requests) > 10
    assert len(store.blocks) == 0


def test_a_sigalrm_of_the_programs_own_is_left_to_it(tmp_path: Path) -> None:
    site = project(tmp_path / "project")
    (site / "handlers" / "block.py").write_text(
        "import signal, time\n"
        + HANDLERS.replace(
            "time.sleep(0.5)  # half",
            "rung = []\n"
            "        signal.signal(signal.SIGALRM, lambda *_: rung.append(1))\n"
            "        signal.setitimer(signal.ITIMER_REAL, 0.2)\n"
            "        time.sleep(0.4)\n"
            "        assert rung == [1]",
        )
    )
    with program(str(site), "--trust", "--block-limit", "0.3", cwd=tmp_path) as it:
        assert it.get("/half")[0] == 200
        assert it.get("/half")[0] == 200
        assert it.end() == ""


def test_a_block_is_noticed_right_after_another_one(tmp_path: Path) -> None:
    file = tmp_path / "a.loopscope"
    with program("--capture", str(file), cwd=tmp_path) as it:
        for _ in range(3):
            it.get("/block?seconds=0.3")
        assert it.end() == ""
    store, _ = capture.read(file)
    blocks = [Block(*row) for row in store.blocks.rows]
    # On a loaded machine anything may last.
    ours = [block for block in blocks if block.function == "BlockHandler.get"]
    assert [block.end_ns - block.start_ns > 290e6 for block in ours] == [True] * 3, blocks
