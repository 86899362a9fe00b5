"""The user's own programs, unchanged, as they are served, recorded and taken out again."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import signal
import socket
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
import tornado.autoreload
from pytestqt.qtbot import QtBot
from tornado.httpserver import HTTPServer
from tornado.options import options
from tornado.websocket import websocket_connect

from app.loop import TickLoop
from app.recording.events import Connection, Message, Request
from app.recording.store import Store
from app.server.breakpoints import Breakpoint
from app.server.target import TargetError, split_target
from app.session.projects import DEMO
from app.session.session import Session
from app.widgets.app_controls import AppState
from app.widgets.controls import Shot
from tests.test_program import program, refused, rows

APPS = Path(__file__).resolve().parent.parent / "apps"


class Opened:
    """A session that runs a program, without a window, and what was recorded of it."""

    def __init__(self, loop: TickLoop, qtbot: QtBot) -> None:
        self.loop, self.qtbot = loop, qtbot
        self.store = Store(loop.recorder.origin_ns)
        self.session = Session(loop, loop.recorder, self.store, "127.0.0.1", 0)
        self.pool = concurrent.futures.ThreadPoolExecutor()

    def wait(self, awaitable: Any) -> Any:
        task = self.loop.create_task(awaitable)
        self.qtbot.waitUntil(task.done)
        return task.result()

    def open(self, target: str, arguments: str = "") -> None:
        self.wait(self.session.open_app(str(APPS / target), arguments))
        if self.session.serving_at is None:
            self.session.listen()

    def reload(self) -> None:
        app = self.session.app
        running = lambda: app.state is AppState.RUNNING  # noqa: E731
        with self.qtbot.waitSignal(app.changed, check_params_cb=running):
            app.reload()

    def get(self, path: str) -> str:
        address = (self.session.address or "").rstrip("/")
        return str(self.outside(lambda: _get(address + path)))

    def outside(self, function: Callable[[], Any]) -> Any:
        future = self.pool.submit(function)
        self.qtbot.waitUntil(future.done)
        return future.result()

    def requests(self) -> list[Request]:
        self.store.apply(self.loop.recorder.drain())
        return [Request(*row) for row in self.store.requests.rows]


def _get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=20) as response:
            return str(response.read().decode())
    except urllib.error.HTTPError as error:
        return f"{error.code}"


@pytest.fixture
def opened(running_loop: TickLoop, qtbot: QtBot) -> Iterator[Opened]:
    opened = Opened(running_loop, qtbot)
    before = (list(sys.argv), list(sys.path), signal.getsignal(signal.SIGTERM))
    functions = (asyncio.run, tornado.autoreload.start, HTTPServer.start_request)
    known = set(options._options)
    yield opened
    opened.wait(opened.session.close())
    opened.pool.shutdown()
    assert (sys.argv, sys.path, signal.getsignal(signal.SIGTERM)) == before
    assert (asyncio.run, tornado.autoreload.start, HTTPServer.start_request) == functions
    assert set(options._options) == known


def test_a_program_that_listens_by_itself_is_recorded_on_its_own_port(opened: Opened) -> None:
    opened.open("modern.py:main", "--greeting=moin")
    assert opened.session.app.state is AppState.RUNNING
    assert opened.get("/hello/alice") == "<p>moin alice</p>\n"
    assert opened.get("/broken") == "500"
    hello, broken = opened.requests()
    assert (hello.route, hello.handler, hello.status) == (r"/hello/(\w+)", "Hello", 200)
    assert (broken.handler, broken.status, broken.outcome) == ("Broken", 500, "finished")
    stages = [stage.name for stage in opened.store.stages_of(hello.id)]
    assert [s for s in stages if s in ("get", "render", "template")] == [
        "get",
        "render",
        "template",
    ]


def test_connections_of_a_tcp_server_are_recorded(opened: Opened) -> None:
    opened.open("modern.py:main")
    (place,) = [p for p in opened.session.app.listening if p.scheme == "tcp"]

    def talk() -> bytes:
        with socket.create_connection(("127.0.0.1", place.port), timeout=20) as sock:
            sock.sendall(b"echo\n")
            return sock.recv(100)

    assert opened.outside(talk) == b"echo\n"
    opened.requests()
    (row,) = opened.store.connections.rows
    connection = Connection(*row)
    assert (connection.bytes_in, connection.bytes_out) == (5, 5)
    assert connection.closed_ns is not None


def test_the_old_manner_neither_blocks_nor_ends_anything(opened: Opened) -> None:
    opened.open("classic.py:main")
    module = sys.modules["classic"]
    opened.qtbot.waitUntil(lambda: opened.get("/")[0] in "23456789")
    assert opened.get("/").endswith("['prepared']")
    assert {request.handler for request in opened.requests()} == {"Count"}
    opened.session.app.stop()
    opened.qtbot.waitUntil(lambda: opened.session.app.state is AppState.STOPPED)
    assert module.events == ["prepared", "left"]
    assert opened.session.address is None


@pytest.mark.parametrize("target", ["script.py", "script.py:main", "script.py:__main__"])
def test_a_script_runs_to_where_it_hands_the_loop_over(opened: Opened, target: str) -> None:
    main = sys.modules["__main__"]
    opened.open(target, "a 'b c'")
    name = "script" if target.endswith(":main") else "__main__"
    assert opened.get("/") == f"{name} ['a', 'b c']"
    opened.wait(opened.session.app.close())
    assert sys.modules["__main__"] is main


def test_an_exchanged_callback_does_not_keep_the_name_of_the_one_before(opened: Opened) -> None:
    opened.open("exchanged.py:main")
    assert (opened.get("/"), opened.get("/")) == ("fine", "fine")
    assert [request.handler for request in opened.requests()] == ["function", None]


def test_routers_wsgi_and_static_files_are_served_and_listed(opened: Opened) -> None:
    opened.open("mounted.py:make_router")
    assert opened.get("/inner/7") == "7"
    assert opened.get("/static/style.css").startswith("p {")
    assert opened.get("/wsgi/x") == "from WSGI /wsgi/x"
    handlers = [request.handler for request in opened.requests()]
    assert handlers == ["Inner", "StaticFileHandler", "FallbackHandler"]
    routes = opened.session.app.routes()
    assert [route.kind for route in routes] == ["handler", "static", "fallback", "handler", "other"]
    inner, static, fallback, again, plain = routes
    assert (inner.host, inner.pattern, inner.name) == (
        "127.0.0.1",
        r"/inner/(?P<number>\d+)",
        "inner",
    )
    assert (inner.groups, inner.methods) == (("number",), ("GET",))
    assert Path(inner.file) == APPS / "mounted.py"
    assert "class Inner" in Path(inner.file).read_text().splitlines()[inner.line - 1]
    assert static.detail == str(APPS / "static")
    assert fallback.detail == "WSGIContainer"
    assert (again.shadowed, inner.shadowed) == (inner.pattern, "")
    assert (plain.pattern, plain.handler) == ("/x", "plain")


def test_a_bare_wsgi_server_is_recorded(opened: Opened) -> None:
    opened.open("mounted.py:serve_wsgi")
    assert opened.get("/somewhere") == "from WSGI /somewhere"
    (request,) = opened.requests()
    assert (request.handler, request.status) == ("WSGIContainer", 200)


def test_a_program_may_be_called_app_as_loopscope_is(opened: Opened) -> None:
    opened.open("namesake/app.py:make_app")
    assert opened.get("/") == "the program's own app"
    assert Path(sys.modules["app"].__path__[0]).parent == APPS.parent.parent
    assert [file.name for file in opened.session.app.sources()] == ["app.py", "views.py"]


def test_a_package_handlers_is_the_programs_own_after_a_project(
    opened: Opened, tmp_path: Path
) -> None:
    projects = opened.session.projects
    projects.open(projects.read(DEMO))
    opened.session.listen()
    assert "StoryHandler" in opened.get("/story/1")
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers" / "__init__.py").write_text("")
    (tmp_path / "handlers" / "mine.py").write_text(
        "from tornado.web import RequestHandler\n"
        "class Mine(RequestHandler):\n"
        "    def get(self): self.write('mine')\n"
    )
    file = tmp_path / "with_handlers.py"
    file.write_text(
        "from tornado.web import Application\n"
        "def make_app():\n"
        "    from handlers.mine import Mine\n"
        "    return Application([('/', Mine)])\n"
    )
    opened.wait(opened.session.open_app(f"{file}:make_app", ""))
    assert opened.get("/") == "mine"
    projects.open(projects.read(DEMO))
    opened.qtbot.waitUntil(lambda: opened.session.app.state is AppState.NONE)
    opened.qtbot.waitUntil(lambda: opened.session.address is not None)
    assert "StoryHandler" in opened.get("/story/1")


def test_sources_templates_and_the_place_of_a_handler(opened: Opened) -> None:
    opened.open("modern.py:main")
    app = opened.session.app
    assert app.sources() == [APPS / "modern.py"]
    assert app.templates() == [APPS / "templates" / "page.html"]
    place = app.source_of("Broken", "/broken")
    assert place is not None
    assert "class Broken" in Path(place[0]).read_text().splitlines()[place[1] - 1]
    assert app.source_of("Nobody", None) is None
    assert "127.0.0.1" in {route.host for route in app.routes()}


def test_a_change_is_served_after_a_reload(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "changing.py"
    text = (
        "from tornado.options import define\n"
        "from tornado.web import Application, RequestHandler\n"
        "import helper_of_changing\n"
        "define('changing', default=1)\n"
        "class H(RequestHandler):\n"
        "    def get(self):\n"
        "        self.render('t.html', x=helper_of_changing.VALUE)\n"
        f"def make_app(): return Application([('/', H)], template_path={str(tmp_path)!r})\n"
    )
    file.write_text(text)
    (tmp_path / "helper_of_changing.py").write_text("VALUE = 1\n")
    (tmp_path / "t.html").write_text("old {{ x }}")
    opened.wait(opened.session.open_app(f"{file}:make_app", ""))
    opened.session.listen()
    address = opened.session.address
    assert opened.get("/") == "old 1"
    (tmp_path / "helper_of_changing.py").write_text("VALUE = 'two'\n")
    (tmp_path / "t.html").write_text("new {{ x }}")
    opened.reload()
    assert opened.get("/") == "new two"
    assert opened.session.address == address


def test_a_websocket_on_its_port_is_recorded(opened: Opened) -> None:
    opened.open("modern.py:main")

    async def talk() -> object:
        address = (opened.session.address or "").replace("http", "ws")
        client = await websocket_connect(f"{address}echo")
        await client.write_message("over there")
        answer = await client.read_message()
        client.close()
        await client.read_message()
        return answer

    assert opened.outside(lambda: asyncio.run(talk())) == "over there"
    (request,) = opened.requests()
    assert (request.handler, request.status) == ("Echo", 101)
    messages = [Message(*row) for row in opened.store.messages.rows]
    texts = [(each.direction, each.payload) for each in messages if each.opcode == "text"]
    assert texts == [("in", b"over there"), ("out", b"over there")]


@pytest.mark.parametrize("name", ["secure", "loops"])
def test_tls_and_loops_of_its_own(opened: Opened, name: str) -> None:
    opened.open(f"odd.py:{name}")
    assert (opened.session.address or "").startswith("https://127.0.0.1:")

    def ask() -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        port = opened.session.app.listening[0].port
        with contextlib.closing(HTTPSConnection("127.0.0.1", port, context=context)) as client:
            client.request("GET", "/nowhere")
            client.getresponse().read()

    opened.outside(ask)
    (request,) = opened.requests()
    assert (request.status, request.outcome) == (404, "finished")


def test_a_named_client_is_known_on_the_programs_own_port(opened: Opened) -> None:
    opened.open("modern.py:main")
    opened.session.fire(Shot(opened.session.add_client(), "GET", "/hello/me", [], b""))
    opened.qtbot.waitUntil(lambda: any(each.outcome for each in opened.requests()))
    (request,) = opened.requests()
    assert (request.client, request.status) == ("Client 1", 200)


def test_the_program_is_paused_and_its_requests_are_parked(opened: Opened) -> None:
    opened.open("classic.py:main")
    session = opened.session
    session.hold.pause()
    future = opened.pool.submit(_get, str(session.address))
    opened.qtbot.waitUntil(lambda: session.hold.state().parked > 0)
    assert not future.done()
    session.hold.resume()
    opened.qtbot.waitUntil(future.done)
    session.breakpoints.add(Breakpoint("verb", "/", None))
    future = opened.pool.submit(_get, str(session.address))
    opened.qtbot.waitUntil(lambda: len(session.breakpoints.parked()) == 1)
    assert not future.done()
    session.breakpoints.resume_all()
    opened.qtbot.waitUntil(future.done)
    assert future.result().endswith("['prepared']")


def test_a_program_that_fails_later_is_told(opened: Opened) -> None:
    opened.open("odd.py:fails_later")
    app = opened.session.app
    with opened.qtbot.waitSignal(app.changed, check_params_cb=lambda: app.state is AppState.FAILED):
        opened.get("/fail")
    assert app.failure is not None
    assert app.failure.text.endswith("LookupError: later\n")
    assert opened.session.address is None


def test_a_program_that_stops_its_loop_is_stopped(opened: Opened) -> None:
    opened.open("odd.py:fails_later")
    app = opened.session.app
    stopped = lambda: app.state is AppState.STOPPED  # noqa: E731
    with opened.qtbot.waitSignal(app.changed, check_params_cb=stopped):
        opened.pool.submit(_get, f"{opened.session.address}stop")
    assert app.failure is None


def test_tasks_and_timers_of_the_program_end_with_it(opened: Opened) -> None:
    opened.open("classic.py:main")
    opened.get("/")
    opened.wait(opened.session.app.close())
    now = opened.session.loop_now()
    assert [timer for timer in now.timers if timer.owner >= 0] == []
    assert [sock for sock in now.sockets if sock.role in ("listen", "connection")] == []


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("mounted.py:nothing", "listens nowhere"),
        ("mounted.py:missing", "missing"),
        ("mounted.py:wsgi", "TypeError"),
        ("odd.py:leaves", "SystemExit: nothing to do"),
        ("nowhere.py:main", "no such file"),
    ],
)
def test_what_cannot_start_is_told(opened: Opened, target: str, told: str) -> None:
    with pytest.raises(TargetError, match=told):
        opened.open(target)
    assert opened.session.app.state is AppState.FAILED
    assert opened.session.app.failure is not None
    assert told in opened.session.app.failure.summary


def test_a_failed_start_up_shows_its_way(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "failing.py"
    file.write_text(
        "def make_app():\n    return deeper()\n\ndef deeper():\n    raise OSError('no')\n"
    )
    with pytest.raises(TargetError, match="OSError: no"):
        opened.wait(opened.session.open_app(f"{file}:make_app", ""))
    failure = opened.session.app.failure
    assert failure is not None
    assert [(place.line, place.function) for place in failure.places] == [
        (2, "make_app"),
        (5, "deeper"),
    ]
    assert failure.text.endswith("OSError: no\n")
    assert "failing.py" in failure.summary
    file.write_text("from tornado.web import Application\ndef make_app(): return Application()\n")
    opened.reload()
    assert opened.session.app.failure is None


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("a.b:make", ("a.b", "make")),
        ("x/app.py", ("x/app.py", "__main__")),
        ("C:\\x\\app.py:make.app", ("C:\\x\\app.py", "make.app")),
    ],
)
def test_what_a_target_names(target: str, found: tuple[str, str]) -> None:
    assert split_target(target) == found


def test_the_command_line_gives_a_program_its_own_arguments(tmp_path: Path) -> None:
    capture = tmp_path / "a.loopscope"
    target = str(APPS / "modern.py:main")
    arguments = ("--app", target, "--trust", "--capture", str(capture), "--", "--greeting=hey")
    with program(*arguments, cwd=tmp_path) as it:
        assert it.serving == target
        assert it.get("/hello/you") == (200, b"<p>hey you</p>\n")
        assert it.end(signal.SIGTERM) == ""
    found = rows(capture, "SELECT handler, status, outcome FROM requests")
    assert found == [("Hello", 200, "finished")]


def test_a_start_up_that_fails_without_a_display_is_one_line(tmp_path: Path) -> None:
    target = str(APPS / "odd.py:leaves")
    status, line = refused("--offscreen", "--trust", "--app", target, cwd=tmp_path)
    assert status == 2
    assert "SystemExit: nothing to do" in line


@pytest.mark.parametrize("told", ["raise OSError('no words')", "return 5"])
def test_a_start_up_that_fails_without_words_is_one_line(tmp_path: Path, told: str) -> None:
    (tmp_path / "mute.py").write_text(
        f"class Mute(Exception):\n    def __str__(self): {told}\nraise Mute\n"
    )
    status, line = refused("--offscreen", "--trust", "--app", "mute.py", cwd=tmp_path)
    assert status == 2
    assert "Mute (mute.py, line 3)" in line.replace(str(tmp_path) + "/", "")


def test_what_a_program_called_app_imports_later_is_its_own(tmp_path: Path) -> None:
    target = str(APPS / "namesake/app.py:make_app")
    with program("--app", target, "--trust", cwd=tmp_path) as it:
        assert it.get("/") == (200, b"the program's own app")
        assert it.end(signal.SIGTERM) == ""
