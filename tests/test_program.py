"""The program as scripts see it: the command line, the served demo, the recording file."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import re
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


class Program:
    """``main.py`` in a process of its own, serving on a free port."""

    def __init__(self, *arguments: str, cwd: Path = ROOT) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), "--offscreen", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd,
            env=os.environ | {"XDG_CONFIG_HOME": str(cwd), "HOME": str(cwd)},
        )
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline()
        found = re.fullmatch(
            r"Loopscope is serving (.+) at http://127\.0\.0\.1:(\d+)/\n", self.first_line
        )
        if found is None:
            _, errors = self.process.communicate(timeout=20)
            raise AssertionError(f"first line {self.first_line!r}, stderr {errors!r}")
        self.serving = found[1]
        self.port = int(found[2])

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def end(self, number: int = signal.SIGTERM) -> str:
        """End the program; return what it wrote on stderr. It must have ended cleanly."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=20)
        assert self.process.returncode == 0, errors
        return errors


@contextlib.contextmanager
def program(*arguments: str, cwd: Path = ROOT) -> Iterator[Program]:
    running = Program(*arguments, cwd=cwd)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.communicate()


def rows(path: Path, query: str, *values: object) -> list[Any]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute(query, values).fetchall()


def refused(*arguments: str, cwd: Path = ROOT) -> tuple[int, str]:
    """Run the program that should not start; return its status and its one line of stderr."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=cwd,
        env=os.environ | {"XDG_CONFIG_HOME": str(cwd), "HOME": str(cwd)},
    )
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.returncode, done.stderr


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of real requests to the demo: 32 in flight, kept alive, waiting, resolved."""
    folder = tmp_path_factory.mktemp("recording")
    path = folder / "a.loopscope"
    with program("--capture", str(path), "--screenshot", str(folder / "a.png"), cwd=folder) as it:
        assert it.get("/")[0] == 200
        assert it.get("/nowhere")[0] == 404
        assert it.get("/error")[0] == 500
        kept = http.client.HTTPConnection("127.0.0.1", it.port, timeout=20)
        for number in range(5):
            kept.request("GET", f"/story/{number}")
            assert kept.getresponse().read()
        kept.close()
        waiter = threading.Thread(target=it.get, args=("/wait",))
        waiter.start()
        while b'id="waiting">1<' not in it.get("/resolve")[1]:
            pass
        assert it.get("/resolve?value=42")[0] == 200
        waiter.join()
        sleepers = [
            threading.Thread(target=it.get, args=("/sleep?seconds=0.2",)) for _ in range(32)
        ]
        for thread in sleepers:
            thread.start()
        for thread in sleepers:
            thread.join()
        time.sleep(0.1)
        assert it.end() == ""
    assert (folder / "a.png").read_bytes().startswith(b"\x89PNG")
    return path


def test_every_request_is_recorded_with_its_handler_and_status(recording: Path) -> None:
    found = rows(recording, "SELECT uri, route, handler, status, outcome FROM requests ORDER BY id")
    assert [(row[0], row[3]) for row in found[:3]] == [
        ("/", 200),
        ("/nowhere", 404),
        ("/error", 500),
    ]
    assert found[0][1] == "/"
    assert found[1][1] is None
    assert all(row[2] for row in found)
    assert sum(row[0].startswith("/sleep") for row in found) == 32
    assert {row[4] for row in found} == {"finished"}


def test_headers_are_recorded_as_they_were_on_the_wire(recording: Path) -> None:
    sent, received = rows(
        recording, "SELECT request_headers, response_headers FROM requests WHERE id = 1"
    )[0]
    assert '["Accept-Encoding", "identity"]' in sent
    assert '["Content-Type", "text/html; charset=UTF-8"]' in received


def test_stages_stand_in_the_order_in_which_they_ran(recording: Path) -> None:
    stages = [
        name
        for (name,) in rows(recording, "SELECT name FROM stages WHERE request_id = 1 ORDER BY seq")
    ]
    order = ["set_default_headers", "initialize", "prepare", "get", "finish", "on_finish"]
    assert [name for name in stages if name in order] == order
    failed = [
        name
        for (name,) in rows(recording, "SELECT name FROM stages WHERE request_id = 3 ORDER BY seq")
    ]
    assert failed.count("set_default_headers") == 2
    assert failed.index("send_error") < failed.index("write_error") < failed.index("finish")


def test_stage_times_nest(recording: Path) -> None:
    assert not rows(recording, "SELECT * FROM stages WHERE end_ns IS NULL OR end_ns < start_ns")
    assert not rows(
        recording,
        "SELECT * FROM stages JOIN requests r ON r.id = request_id"
        " WHERE stages.start_ns < r.start_ns",
    )


def test_runs_and_waits_carry_the_number_of_their_request(recording: Path) -> None:
    sleeps = rows(recording, "SELECT id, start_ns, end_ns FROM requests WHERE uri LIKE '/sleep%'")
    for number, start, end in sleeps:
        waits = rows(
            recording,
            "SELECT start_ns, end_ns FROM waits WHERE request_id = ? AND future LIKE 'sleep%'",
            number,
        )
        assert len(waits) == 1
        assert start <= waits[0][0] < waits[0][1] <= end
        assert waits[0][1] - waits[0][0] >= 195e6
        runs = rows(
            recording, "SELECT name FROM runs WHERE request_id = ? ORDER BY start_ns", number
        )
        assert 3 <= len(runs) <= 12, runs
    foreign = rows(
        recording,
        "SELECT count(*) FROM runs JOIN requests r ON r.id = runs.request_id"
        # The read that brought the request came first.
        " WHERE runs.end_ns < r.start_ns AND runs.name NOT LIKE 'read fd%'",
    )
    assert foreign == [(0,)]


def test_kept_alive_requests_do_not_inherit_each_others_runs(recording: Path) -> None:
    stories = rows(
        recording,
        "SELECT id, connection_id, start_ns, end_ns FROM requests WHERE uri LIKE '/story/%'"
        " ORDER BY id",
    )
    assert len({connection for _, connection, _, _ in stories}) == 1
    for (number, _, _, _), (_, _, next_start, _) in itertools.pairwise(stories):
        late = rows(
            recording,
            "SELECT * FROM runs WHERE request_id = ? AND start_ns > ?",
            number,
            next_start,
        )
        assert late == []


def test_causes_lead_back_to_a_socket(recording: Path) -> None:
    runs = {
        row[0]: row
        for row in rows(recording, "SELECT id, cause_run_id, name, request_id FROM runs")
    }
    for number, cause, _, request in list(runs.values()):
        if request is None:
            continue
        seen = number
        while cause is not None:
            assert cause < seen, "a cause comes before its effect"
            seen, cause = cause, runs[cause][1]
        assert runs[seen][2].startswith("read fd"), runs[seen]


def test_the_wait_is_resolved_by_a_run_of_the_resolving_request(recording: Path) -> None:
    (waiting,) = rows(recording, "SELECT id FROM requests WHERE uri = '/wait'")[0]
    (resolving,) = rows(recording, "SELECT id FROM requests WHERE uri LIKE '/resolve?%'")[0]
    found = rows(
        recording,
        "SELECT runs.request_id, waits.where_ FROM waits"
        " JOIN runs ON runs.id = waits.resolved_by_run_id"
        " WHERE waits.request_id = ? AND waits.future LIKE 'Future%' AND where_ LIKE '%handlers%'",
        waiting,
    )
    assert [row[0] for row in found] == [resolving]


def test_ticks_hold_exactly_the_handles_that_were_ready(recording: Path) -> None:
    assert not rows(
        recording,
        "SELECT t.id FROM ticks t LEFT JOIN runs r ON r.tick_id = t.id"
        " GROUP BY t.id HAVING count(r.id) > t.ready",
    )
    assert not rows(
        recording,
        "SELECT r.id FROM runs r JOIN ticks t ON t.id = r.tick_id"
        " WHERE r.start_ns < t.select_ns OR r.end_ns > t.end_ns",
    )


def test_the_file_keeps_to_the_contract(recording: Path) -> None:
    assert rows(recording, "PRAGMA user_version") == [(1,)]
    meta = dict(rows(recording, "SELECT key, value FROM meta"))
    assert meta["dropped_runs"] == 0
    assert {"started_at", "version_tornado", "loopscope", "python"} <= meta.keys()
    errors = rows(
        recording, "SELECT request_id, text FROM log WHERE logger = 'tornado.application'"
    )
    assert [request for request, _ in errors] == [3]
    assert "Traceback" in errors[0][1]


def test_a_recording_opens_again(recording: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.loopscope"
    done = subprocess.run(
        [
            sys.executable,
            str(ROOT / "main.py"),
            "--offscreen",
            "--exit-after",
            "0.5",
            "--open",
            str(recording),
            "--capture",
            str(copy),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        env=os.environ | {"HOME": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    for table in ("requests", "runs", "stages", "waits", "tasks", "ticks", "cookies", "log"):
        query = f"SELECT * FROM {table} ORDER BY 1, 2"
        assert rows(copy, query) == rows(recording, query), table


def test_the_users_own_application_is_served(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import asyncio\n"
        "from tornado.web import Application, RequestHandler\n"
        "class Mine(RequestHandler):\n"
        "    async def get(self, name):\n"
        "        await asyncio.sleep(0)\n"
        "        self.write('hello ' + name)\n"
        "async def make_app():\n"
        "    return Application([('/hello/(.*)', Mine)])\n"
    )
    capture = tmp_path / "mine.loopscope"
    arguments = ("--app", "mine.py:make_app", "--trust", "--capture", str(capture))
    with program(*arguments, cwd=tmp_path) as it:
        assert it.serving == "mine.py:make_app"
        assert it.get("/hello/you") == (200, b"hello you")
        it.end(signal.SIGINT)
    found = rows(capture, "SELECT route, handler, response_body FROM requests")
    assert found == [("/hello/(.*)", "Mine", b"hello you")]


CANCELLING = """
import asyncio
from tornado.web import Application, RequestHandler

class Main(RequestHandler):
    def get(self):
        self.write("here")

    def delete(self):
        for task in asyncio.all_tasks():
            task.cancel()

def make_app():
    return Application([("/", Main)])

async def make_late():
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.sleep(0)
    return make_app()
"""


def test_an_application_may_cancel_every_task(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(CANCELLING)
    capture = tmp_path / "a.loopscope"
    arguments = ("--trust", "--app", "own.py:make_app", "--capture", str(capture))
    with program(*arguments, cwd=tmp_path) as it:
        for _ in range(2):
            connection = http.client.HTTPConnection("127.0.0.1", it.port, timeout=20)
            connection.request("DELETE", "/")
            assert connection.getresponse().status == 200
            connection.close()
            assert it.get("/") == (200, b"here")
        it.end()
    assert rows(capture, "SELECT count(*) FROM requests") == [(4,)]


def test_an_application_that_cancels_its_own_start_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(CANCELLING)
    status, line = refused("--offscreen", "--trust", "--app", "own.py:make_late", cwd=tmp_path)
    assert (status, "cancelled every task" in line) == (2, True)


def test_nothing_runs_without_trust(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'written')!r}, 'w')\n")
    status, line = refused("--offscreen", "--app", "evil.py:make_app", cwd=tmp_path)
    assert status == 2
    assert "--trust" in line
    assert not (tmp_path / "written").exists()


def _project(folder: Path, site: str, handler: str = "", template: str = "") -> Path:
    for name in ("handlers", "templates"):
        (folder / name).mkdir(parents=True)
    (folder / "site.toml").write_text(site)
    if handler:
        (folder / "handlers" / "home.py").write_text(handler)
    if template:
        (folder / "templates" / "home.html").write_text(template)
    return folder


ROUTE = "[[routes]]\npattern = '/'\nhandler = 'handlers.home.Home'\n"
HANDLER = "import tornado.web\nclass Home(tornado.web.RequestHandler):\n    pass\n"


@pytest.mark.parametrize(
    ("site", "handler", "template", "told"),
    [
        ("[site\n", "", "", "site.toml"),
        (ROUTE.replace("'/'", "'/('"), HANDLER, "", "site.toml"),
        (ROUTE, "def broken(:\n", "", "home.py"),
        (ROUTE, "1 / 0\n", "", "ZeroDivisionError"),
        (ROUTE, "raise SystemExit(3)\n", "", "home.py"),
        (ROUTE.replace("Home", "Nobody"), HANDLER, "", "Nobody"),
        (ROUTE, HANDLER, "{% if %}", "home.html"),
    ],
)
def test_a_broken_project_is_told_in_one_line(
    tmp_path: Path, site: str, handler: str, template: str, told: str
) -> None:
    folder = _project(tmp_path / "project", site, handler, template)
    status, line = refused("--offscreen", "--trust", str(folder), cwd=tmp_path)
    assert status == 2
    assert told in line


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "70000"], "70000"),
        (["--port", "-1"], "-1"),
        (["--port", "http"], "http"),
        (["--host", ""], "host"),
        (["--exit-after", "soon"], "soon"),
        (["--nonsense"], "--nonsense"),
        (["--lang", "fr"], "fr"),
        (["nowhere"], "nowhere"),
        (["--app", "nothing.py:make", "--trust"], "nothing.py"),
        (["--app", "no_such_module:make", "--trust"], "no_such_module"),
        (["--app", "justaname", "--trust"], "justaname"),
        (["--capture", "no/such/folder/a.loopscope"], "no/such/folder"),
        (["--screenshot", "."], "folder"),
        (["--open", "missing.loopscope"], "missing.loopscope"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(
    tmp_path: Path, arguments: list[str], told: str
) -> None:
    status, line = refused("--offscreen", *arguments, cwd=tmp_path)
    assert status == 2
    assert told in line


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.loopscope").write_text("not a database, but long enough to look like one")
    status, line = refused("--offscreen", "--open", "text.loopscope", cwd=tmp_path)
    assert status == 2
    assert "text.loopscope" in line


SPEAKS = """
import asyncio, logging
from tornado.web import Application, HTTPError, RequestHandler

class Speaks(RequestHandler):
    def get(self):
        def callback(): pass
        callback.__qualname__ = "call\\ud800back"
        asyncio.get_running_loop().call_soon(callback)
        logging.info("file %s", b"a\\xff.txt".decode("utf-8", "surrogateescape"))
        raise HTTPError(400, "unknown colour %s", "\\ud800")

class Huge(RequestHandler):
    def get(self):
        self.set_status(10**20, "huge")

def make_app():
    return Application([("/", Speaks), ("/huge", Huge)])
"""


def test_what_no_file_can_hold_is_recorded_as_near_as_can_be(tmp_path: Path) -> None:
    (tmp_path / "speaks.py").write_text(SPEAKS)
    capture = tmp_path / "a.loopscope"
    arguments = ("--app", "speaks.py:make_app", "--trust", "--capture", str(capture))
    with program(*arguments, cwd=tmp_path) as it:
        assert it.get("/")[0] == 400
        with pytest.raises(http.client.BadStatusLine):
            it.get("/huge")
        assert it.get("/")[0] == 400
        assert it.end() == ""
    assert rows(capture, "SELECT status FROM requests") == [(400,), (2**63 - 1,), (400,)]
    texts = [text for (text,) in rows(capture, "SELECT text FROM log")]
    assert sum(text.endswith("unknown colour \\ud800") for text in texts) == 2
    assert texts.count("file a\\udcff.txt") == 2
    assert rows(capture, "SELECT count(*) FROM runs WHERE name LIKE '%call\\ud800back'") == [(2,)]
    opened = ["--offscreen", "--open", str(capture), "--exit-after", "0.2"]
    done = subprocess.run([sys.executable, str(ROOT / "main.py"), *opened], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_link_to_itself_is_told_in_one_line(tmp_path: Path) -> None:
    folder = _project(tmp_path / "project", "[site]\nschema = 2\n")
    (folder / "handlers" / "loop.py").symlink_to("loop.py")
    status, line = refused("--offscreen", "--trust", str(folder), cwd=tmp_path)
    assert status == 2
    assert "loop.py" in line


def test_the_name_of_a_project_forges_no_first_line(tmp_path: Path) -> None:
    name = r"mine at http://127.0.0.1:1/\nsecond \u001b[31m\u202e 名字"
    folder = _project(tmp_path / "project", "")
    (folder / "site.toml").write_text(f'[site]\nschema = 2\nname = "{name}"\n', "utf-8")
    with program("--trust", str(folder), cwd=tmp_path) as it:
        assert it.serving == r"mine at http://127.0.0.1:1/ second \x1b[31m\u202e 名字"
        assert it.end() == ""


def test_a_port_in_use_is_one_line_and_status_1(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, line = refused("--offscreen", "--port", str(port), cwd=tmp_path)
    assert status == 1
    assert str(port) in line


def test_version(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "--version"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0
    assert re.fullmatch(r"Loopscope \d+\.\d+\.\d+\n", done.stdout)


def test_exit_after_ends_with_status_0(tmp_path: Path) -> None:
    with program("--exit-after", "0.5", cwd=tmp_path) as it:
        it.process.communicate(timeout=20)
        assert it.process.returncode == 0


def test_a_connection_closed_after_its_answer_is_finished(tmp_path: Path) -> None:
    capture = tmp_path / "a.loopscope"
    with program("--capture", str(capture), cwd=tmp_path) as it:
        assert it.get("/story/1", Connection="close")[0] == 200
        it.end()
    assert rows(capture, "SELECT outcome, status FROM requests") == [("finished", 200)]


def test_a_client_that_resets_its_connection_is_recorded_as_aborted(tmp_path: Path) -> None:
    capture = tmp_path / "a.loopscope"
    with program("--capture", str(capture), cwd=tmp_path) as it:
        client = socket.create_connection(("127.0.0.1", it.port))
        client.sendall(b"GET /sleep?seconds=20 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        # What is answered later was also heard later.
        assert it.get("/story/1")[0] == 200
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        assert it.get("/story/2")[0] == 200
        it.end()
    found = rows(capture, "SELECT outcome, status FROM requests WHERE uri LIKE '/sleep%'")
    assert found == [("aborted", None)]
