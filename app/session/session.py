"""One run of the program: the server, the clients and the window's commands to them."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin

from PySide6.QtCore import QSettings

from app.exchange.case import App
from app.exchange.entry import Response
from app.exchange.har_import import Har
from app.exchange.request import ExchangeError
from app.loop import TickLoop
from app.recording.recorder import Recorder
from app.recording.snapshot import LoopNow, PendingTask, Socket
from app.recording.store import Store
from app.server.attack.attack_range import AttackRange
from app.server.breakpoints import Breakpoints
from app.server.client_messages import ClientRequest
from app.server.clients import Clients
from app.server.server import Server
from app.server.settings import readable
from app.server.site import SITE_FILE, Problem, Site, SiteError
from app.session.act import Acts, TooLate
from app.session.attacks import Attacks
from app.session.command_tasks import CommandTasks
from app.session.firing import Firing
from app.session.holding import Holding
from app.session.in_out import InOut, answer_of, app_of
from app.session.jars import Jars
from app.session.long_work import LongWork
from app.session.opened import OpenedApp
from app.session.previews import Previews
from app.session.projects import Projects
from app.session.routing import Routing
from app.session.sockets import Sockets
from app.session.static_files import StaticFiles
from app.watchdog import LIMIT_S, Watchdog
from app.widgets.app_controls import AppState
from app.widgets.controls import ClientState, Controls, Shot
from app.widgets.i18n import tr

_BLOCK_LIMIT = "server/block_limit"
T = TypeVar("T")


class Session(Controls):
    """Implements what the window asks for, on the loop that it shares with the server."""

    def __init__(
        self, loop: TickLoop, recorder: Recorder, store: Store, host: str, port: int
    ) -> None:
        super().__init__()
        self._loop = loop
        self._recorder = recorder
        self._store = store
        self._where = (host, port)
        self._tasks = CommandTasks(loop, self.failed.emit)
        self._acts = Acts(loop, self.failed.emit)
        self.in_out = InOut(store, recorder.started_at)
        self._clients = Clients(sockets=recorder.sockets)
        self._firing = Firing(self, self._clients, self._absolute, self._tasks.shoot)
        self._sockets = Sockets(
            recorder, self._clients, self._absolute, self._tasks.start_for_client
        )
        self._breakpoints = Breakpoints(recorder.clock, self.breakpoints_changed.emit)
        self._server = Server(recorder, self._clients.name_of_peer, self._breakpoints)
        changed = self.clients_changed.emit
        self._jars = Jars(self._clients, store, self._server.keys, self._absolute, changed)
        self._hold = Holding(loop.hold, recorder.clock, self._server.progress_of, self.failed.emit)
        range_ = AttackRange(recorder, store, self._clients, self._server)
        self._attacks = Attacks(range_, self._varied, self._tasks.start_for_client)
        self.server_changed.connect(self._attacks.serve_anew)
        self._previews = Previews(self, store, self._server)
        self._app = OpenedApp(
            loop,
            self._server,
            self._tasks.start_for_window,
            self._before_app,
            self._after_app,
            self._unhurried,
        )
        self._routing = Routing(self._server, store, self._roots)
        self._site = Site(Path())
        self._work = LongWork(self.work_changed.emit, lambda: self.serving_at is not None)
        self._projects = Projects(self._serve, lambda: self._site, self._work)
        self._static = StaticFiles(self._server, lambda: self._site, self._fault, self.apply)
        self._listens = False
        """Whether what is opened from now on is served at once, at our own address if need be."""
        self._trusted = True
        self._watchdog: Watchdog | None = None

    # -- What is served --------------------------------------------------------------------

    @property
    def name(self) -> str:
        """What is served, for people: the site's name, or the target of ``--app``."""
        return self._app.target or self._site.name or self._site.folder.resolve().name

    @property
    def site(self) -> Site:
        return self._site

    def served_settings(self) -> dict[str, object]:
        return readable(self._server.settings)

    def _fault(self) -> str:
        """Say why the project's files must not be changed; empty when they may."""
        return self.projects.read_only or ("" if self.editable else tr("To be read only"))

    @property
    def editable(self) -> bool:
        return not self._app.target and self._trusted

    @property
    def projects(self) -> Projects:
        return self._projects

    def show(self, site: Site) -> None:
        """Show a site that is not trusted: nothing of it runs."""
        self._trusted, self._site = False, site
        self.server_changed.emit()

    @property
    def busy(self) -> str:
        return self._work.what

    def stop_work(self) -> None:
        self._work.stop()

    @property
    def given_up(self) -> bool:
        return self._work.given_up

    def _serve(self, site: Site) -> None:
        what = tr("Applying {name} …", name=site.name or site.folder.name)
        self._work.bit_by_bit(what, self._server.applying(site))
        self._trusted, self._site = True, site
        self._work.bit_by_bit(what, self._server.letting_go(), may_stop=False)
        if self._app.target:
            self._tasks.start_for_window(self._take_over())
        self.server_changed.emit()

    @contextlib.contextmanager
    def _unhurried(self) -> Iterator[None]:
        """Let nothing be interrupted within the block: what a program imports may take long."""
        watchdog = self._watchdog
        if watchdog is None:
            yield
            return
        limit, watchdog.limit = watchdog.limit, None
        try:
            yield
        finally:
            watchdog.limit = limit

    async def _take_over(self) -> None:
        """End the application: a project is served in its place."""
        await self._app.close()
        await self._after_app()

    @property
    def app(self) -> OpenedApp:
        return self._app

    async def open_app(self, target: str, arguments: str) -> None:
        """Run the program that *target* names; raises TargetError when it cannot be started."""
        try:
            await self._app.run(target, arguments)
        finally:
            self._listens = True

    async def _before_app(self) -> None:
        await self._work.ended()
        self.hold.resume()  # What is held back must come to its end.
        self._where = self._server.address or self._where
        await self._server.close()  # The program may have a package handlers of its own.
        self._site = Site(Path())
        self.server_changed.emit()

    async def _after_app(self) -> None:
        """Serve at our own address what does not listen by itself."""
        if self._listens and not self._app.listening:
            try:
                self.listen()
            except (OSError, ValueError) as error:
                self.failed.emit(cannot_listen(*self._where, error))
        self.server_changed.emit()

    def apply(self, site: Site) -> list[Problem]:
        if self._app.target:
            return [Problem(SITE_FILE, 0, 0, f"{self._app.target} is served: it has no site")]
        if not self._trusted:
            return [Problem(SITE_FILE, 0, 0, "is not trusted: nothing of it runs")]
        try:
            self._serve(site)
        except SiteError as error:
            return error.problems
        return []

    def save(self, folder: Path | None = None) -> None:
        self._projects.save(folder)

    # -- The server ------------------------------------------------------------------------

    @property
    def address(self) -> str | None:
        if self._server.address is not None:
            return url_of(*self._server.address)
        places = [place for place in self._app.listening if place.scheme != "tcp" and place.port]
        return places[0].url if places else None

    @property
    def host_and_port(self) -> tuple[str, int]:
        if self._server.address is not None:
            return self._server.address
        places = self._app.listening
        return (places[0].host, places[0].port) if places else self._where

    def listen(self) -> str:
        """Start listening and return the address; raises OSError or ValueError."""
        self._server.start(*self._where)
        self._listens = True
        self.server_changed.emit()
        assert self.address is not None
        return self.address

    def start_server(self, host: str, port: int) -> None:
        self._where = (host, port)
        running = self._app.state is AppState.RUNNING and not self._app.listening
        if self._app.target and not running:
            self._app.reload()
        else:
            self._tasks.start(self._restart())

    async def _restart(self) -> None:
        await self._server.stop()
        try:
            self.listen()
        except (OSError, ValueError) as error:
            self.failed.emit(cannot_listen(*self._where, error))
        self.server_changed.emit()

    def stop_server(self) -> None:
        self._tasks.start(self._stop())

    async def _stop(self) -> None:
        if self._app.listening:
            self._app.stop()
            return
        self.hold.resume()  # What is held back must see its connection close.
        self._where = self._server.address or self._where
        await self._server.stop()
        self.server_changed.emit()

    def watch_with(self, watchdog: Watchdog, limit: float | None) -> None:
        """Let *watchdog* interrupt what blocks the loop after *limit* s, if given: 0 is never.

        Without it, that is as it was last chosen in the window.
        """
        self._watchdog = watchdog
        if limit is None:
            limit = float(str(QSettings().value(_BLOCK_LIMIT, LIMIT_S)))
        watchdog.limit = limit or None

    @property
    def block_limit(self) -> float | None:
        return None if self._watchdog is None else self._watchdog.limit

    def set_block_limit(self, seconds: float | None) -> None:
        if self._watchdog is not None:
            self._watchdog.limit = seconds
            QSettings().setValue(_BLOCK_LIMIT, seconds or 0.0)

    async def close(self) -> None:
        """End everything this session started."""
        await self._work.ended()
        self.hold.resume()
        await self._tasks.end()
        await self._attacks.close()
        self._projects.close()
        self._sockets.close_all()
        self._clients.close()
        await self._app.close()
        await self._server.close()

    # -- The clients -----------------------------------------------------------------------

    def clients(self) -> list[ClientState]:
        return [
            ClientState(
                client.name,
                client.jar.cookies(),
                self._firing.under_way[client.name],
                client.hue,
            )
            for client in self._clients
        ]

    def add_client(self) -> str:
        taken = {client.name for client in self._clients}
        name = next(name for n in itertools.count(1) if (name := f"Client {n}") not in taken)
        self._clients.add(name)
        self.clients_changed.emit()
        return name

    @property
    def jars(self) -> Jars:
        return self._jars

    def wall_time(self, time_ns: int) -> float:
        return self.in_out.started_at + (time_ns - self._store.origin_ns) / 1e9

    def _absolute(self, url: str) -> str:
        return urljoin(self.address or url_of(*self._where), url)

    @property
    def firing(self) -> Firing:
        return self._firing

    def fire(self, shot: Shot) -> None:
        self._firing.fire(shot)

    @property
    def routing(self) -> Routing:
        return self._routing

    def _roots(self) -> list[object]:
        """Return what may be asked for handlers; nothing before the project is trusted."""
        if self._app.target:
            return self._app.served()
        return [self._server.root] if self._trusted else []

    @property
    def templates(self) -> Previews:
        return self._previews

    @property
    def static(self) -> StaticFiles:
        return self._static

    @property
    def attacks(self) -> Attacks:
        return self._attacks

    def _varied(self) -> Site | None:
        """Return the site, whose settings the attack range may vary; None for ``--app``."""
        return None if self._app.target else self._site

    @property
    def sockets(self) -> Sockets:
        return self._sockets

    def cancel_fire(self) -> None:
        self._tasks.cancel_shots()

    def ask(self, shot: Shot, answered: Callable[[Response], None]) -> None:
        try:
            request = self._firing.request(shot)
        except ValueError as error:
            answered(Response(0, note=str(error)))
            return
        self._tasks.shoot(self._ask(shot.client, request, answered))

    async def _ask(
        self, client: str, request: ClientRequest, answered: Callable[[Response], None]
    ) -> None:
        response = Response(0, note="cancelled")
        try:
            answer = await self._clients[client].fetch(request)
            response = answer_of(answer)
        except (ValueError, KeyError) as error:
            response = Response(0, note=str(error))
        finally:
            self.clients_changed.emit()
            answered(response)

    # -- Files in and out --------------------------------------------------------------------

    def read_har(self, path: Path, done: Callable[[Har], None]) -> None:
        self._tasks.start(self._told(self.in_out.read_har(path), done))

    def write_har(
        self, path: Path, numbers: list[int], secrets: bool, done: Callable[[int], None]
    ) -> None:
        writing = self.in_out.write_har(path, numbers, secrets, self.address)
        self._tasks.start(self._told(writing, done))

    async def _told(self, work: Coroutine[Any, Any, T], done: Callable[[T], None]) -> None:
        try:
            result = await work
        except ExchangeError as error:
            self.failed.emit(tr(error.template, **error.values))
        except OSError as error:
            self.failed.emit(f"{error.filename or ''}: {error.strerror or error}".lstrip(": "))
        else:
            done(result)

    def test_app(self) -> App:
        return app_of(self._app.target or None, self._site.folder)

    @property
    def breakpoints(self) -> Breakpoints:
        return self._breakpoints

    @property
    def hold(self) -> Holding:
        return self._hold

    # -- Looking ---------------------------------------------------------------------------

    def loop_now(self, limit: int = 200) -> LoopNow:
        return self._loop.now(limit)

    def loop_sockets(self, first: int, count: int) -> list[Socket]:
        return self._loop.sockets(first, count)

    def waiting(self, limit: int = 500) -> list[PendingTask]:
        return self._loop.pending_tasks(limit)

    # -- Ending waits by hand ------------------------------------------------------------------

    def resolve_wait(self, task_id: int, wait_id: int, value: object) -> None:
        self._act(lambda: self._acts.resolve(task_id, wait_id, value))

    def fail_wait(self, task_id: int, wait_id: int, error: Exception) -> None:
        self._act(lambda: self._acts.fail(task_id, wait_id, error))

    def cancel_task(self, task_id: int) -> None:
        self._act(lambda: self._acts.cancel(task_id))

    def _act(self, act: Callable[[], None]) -> None:
        try:
            act()
        except TooLate as error:
            self.failed.emit(str(error))

    def dropped(self) -> dict[str, int]:
        return dict(self._recorder.dropped)


def url_of(host: str, port: int) -> str:
    """Return the address of a server as a URL; IPv6 hosts in brackets."""
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def cannot_listen(host: str, port: int, error: Exception) -> str:
    """Say in one line why the server cannot listen, and what to do."""
    reason = getattr(error, "strerror", None) or str(error)
    hint = "another program listens there; choose another port, or 0 for a free one"
    if isinstance(error, PermissionError):
        hint = "ports below 1024 are the system's; choose a higher one"
    elif not isinstance(error, OSError) or "in use" not in reason:
        hint = "check the host and the port"
    return f"cannot listen on {host} port {port}: {reason} ({hint})"
