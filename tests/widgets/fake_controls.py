"""A test double of the program: it remembers what the window asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.exchange.case import App
from app.exchange.entry import Response
from app.exchange.har_import import Har
from app.recording import snapshot
from app.recording.snapshot import LoopNow, PendingTask
from app.server.breakpoints import Breakpoints, Parked
from app.server.site import Problem, Route, Site
from app.widgets.controls import ClientState, Controls, Shot
from app.widgets.hold_controls import HoldControls, HoldState, Step

from .fake_app import FakeApp
from .fake_clients import FakeFiring, FakeJars, FakeSockets
from .fake_projects import FakeProjects
from .fake_routing import FakeRouting
from .fake_static import FakeStatic
from .fake_templates import FakeTemplates

HANDLER = '''from tornado.web import RequestHandler


class HomeHandler(RequestHandler):
    """The first page."""

    async def get(self):
        name = self.get_signed_cookie("user")
        self.render("home.html", name=name or b"stranger", visits=3)
'''
TEMPLATE = """<!doctype html>
<title>{% block title %}Home{% end %}</title>
<h1>Hello {{ name }}</h1>
{% for item in items %}
  <li class="item">{{ escape(item) }}</li>
{% end %}
<form method="post">{% module xsrf_form_html() %}</form>
"""


class FakeHold(HoldControls):
    """A server that is held as it was asked to be."""

    def __init__(self) -> None:
        super().__init__()
        self.held = HoldState(False, 1.0, 0, None)

    def state(self) -> HoldState:
        return self.held

    def pause(self) -> None:
        self.held = self.held._replace(paused=True, paused_ns=1)
        self.changed.emit()

    def resume(self) -> None:
        self.held = self.held._replace(paused=False, paused_ns=None)
        self.changed.emit()

    def step(self, step: Step, request_id: int = 0) -> None:
        self.pause()

    def set_pace(self, pace: float) -> None:
        self.held = self.held._replace(pace=pace)
        self.changed.emit()


class FakeBreakpoints(Breakpoints):
    """A list of breakpoints; what is parked at them is what `places` says, and stays."""

    def __init__(self, clock: Callable[[], int], changed: Callable[[], None]) -> None:
        super().__init__(clock, changed)
        self.places: list[Parked] = []
        self.resumed: list[int | None] = []
        self.killed: list[int] = []

    def parked(self) -> list[Parked]:
        return self.places

    def resume(self, request_id: int) -> None:
        self.resumed.append(request_id)

    def resume_all(self) -> None:
        self.resumed.append(None)

    def kill(self, request_id: int) -> None:
        self.killed.append(request_id)


class FakeControls(Controls):
    """Implements `Controls` without a program; the public lists say what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.shots: list[Shot] = []
        self.asked: list[Shot] = []
        self.answers: list[Callable[[Response], None]] = []
        """Whom to tell the responses to what was asked."""
        self.written: list[tuple[Path, list[int], bool]] = []
        self.fake_static = FakeStatic()
        self.may_edit = True
        self.fake_app = FakeApp()
        self.settings: dict[str, object] = {}
        """What an application that is not edited here has."""
        self.applied: list[Site] = []
        self.problems: list[Problem] = []
        self.saved: list[Path | None] = []
        self.running = True
        self.where = ("127.0.0.1", 8888)
        self.limit: float | None = 5.0
        self.fake_sockets = FakeSockets()
        self.fake_projects = FakeProjects()
        self.fake_firing = FakeFiring()
        self.fake_routing = FakeRouting()
        self.fake_templates = FakeTemplates()
        self.drops: dict[str, int] = {}
        self.now = LoopNow(0, [], [], [], 0, 0, 0)
        self.pending: list[PendingTask] = []
        self.ended: list[tuple[object, ...]] = []
        """What was asked to end waits."""
        self.fake_breakpoints = FakeBreakpoints(lambda: 0, self.breakpoints_changed.emit)
        self.fake_hold = FakeHold()
        self.fake_jars = FakeJars(self.clients_changed.emit)
        self._site = Site(
            Path("demo"),
            "demo",
            routes=(
                Route("/", "handlers.home.HomeHandler", "home"),
                Route("/sleep", "handlers.waits.SleepHandler"),
                Route("/wait", "handlers.waits.WaitHandler"),
                Route(r"/story/(?P<id>\d+)", "handlers.story.StoryHandler", "story"),
                Route("/old", "tornado.web.RedirectHandler", kwargs={"url": "/"}, enabled=False),
                Route("/login", "handlers.login.LoginHandler"),
            ),
            handlers={"home.py": HANDLER, "login.py": "", "story.py": "", "waits.py": ""},
            templates={"base.html": "", "home.html": TEMPLATE},
        )

    @property
    def block_limit(self) -> float | None:
        return self.limit

    def set_block_limit(self, seconds: float | None) -> None:
        self.limit = seconds

    @property
    def site(self) -> Site:
        return self._site

    @property
    def static(self) -> FakeStatic:
        return self.fake_static

    def served_settings(self) -> dict[str, object]:
        return self.settings

    @property
    def editable(self) -> bool:
        return self.may_edit

    @property
    def projects(self) -> FakeProjects:
        return self.fake_projects

    @property
    def address(self) -> str | None:
        return f"http://{self.where[0]}:{self.where[1]}/" if self.running else None

    @property
    def host_and_port(self) -> tuple[str, int]:
        return self.where

    def start_server(self, host: str, port: int) -> None:
        self.where, self.running = (host, port), True
        self.server_changed.emit()

    def stop_server(self) -> None:
        self.running = False
        self.server_changed.emit()

    def apply(self, site: Site) -> list[Problem]:
        self.applied.append(site)
        if not self.problems:
            self._site = replace(site)
            self.server_changed.emit()
        return self.problems

    @property
    def busy(self) -> str:
        return ""

    def stop_work(self) -> None:
        pass

    def save(self, folder: Path | None = None) -> None:
        self.saved.append(folder)

    def clients(self) -> list[ClientState]:
        clients = enumerate(self.fake_jars.held.items(), 1)
        return [ClientState(name, jar, 0, hue) for hue, (name, jar) in clients]

    @property
    def app(self) -> FakeApp:
        return self.fake_app

    @property
    def templates(self) -> FakeTemplates:
        return self.fake_templates

    @property
    def routing(self) -> FakeRouting:
        return self.fake_routing

    @property
    def firing(self) -> FakeFiring:
        return self.fake_firing

    def add_client(self) -> str:
        name = f"Client {len(self.fake_jars.held) + 1}"
        self.fake_jars.held[name] = []
        self.clients_changed.emit()
        return name

    @property
    def jars(self) -> FakeJars:
        return self.fake_jars

    def wall_time(self, time_ns: int) -> float:
        return 1_700_000_000.0

    def fire(self, shot: Shot) -> None:
        self.shots.append(shot)

    @property
    def sockets(self) -> FakeSockets:
        return self.fake_sockets

    def cancel_fire(self) -> None:
        self.fired.emit(1, 1)

    def ask(self, shot: Shot, answered: Callable[[Response], None]) -> None:
        self.asked.append(shot)
        self.answers.append(answered)

    def read_har(self, path: Path, done: Callable[[Har], None]) -> None:
        done(Har([], []))

    def write_har(
        self, path: Path, numbers: list[int], secrets: bool, done: Callable[[int], None]
    ) -> None:
        self.written.append((path, numbers, secrets))
        done(len(numbers))

    def test_app(self) -> App:
        return App((), "make_app()")

    def loop_now(self, limit: int = 200) -> LoopNow:
        return self.now

    def loop_sockets(self, first: int, count: int) -> list[snapshot.Socket]:
        return self.now.sockets[first : first + count]

    def waiting(self, limit: int = 500) -> list[PendingTask]:
        return self.pending

    def resolve_wait(self, task_id: int, wait_id: int, value: object) -> None:
        self.ended.append(("resolve", task_id, wait_id, value))

    def fail_wait(self, task_id: int, wait_id: int, error: Exception) -> None:
        self.ended.append(("fail", task_id, wait_id, repr(error)))

    def cancel_task(self, task_id: int) -> None:
        self.ended.append(("cancel", task_id))

    @property
    def hold(self) -> FakeHold:
        return self.fake_hold

    def dropped(self) -> dict[str, int]:
        return self.drops

    @property
    def breakpoints(self) -> FakeBreakpoints:
        return self.fake_breakpoints
