"""What the window can ask of the program, and what it is told: the seam to the composition root."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from app.exchange.case import App
from app.exchange.entry import Response
from app.exchange.har_import import Har
from app.recording.snapshot import LoopNow, PendingTask, Socket
from app.server.breakpoints import Breakpoints
from app.server.jar import Cookie
from app.server.site import Problem, Site

from .app_controls import AppControls
from .attack_controls import AttackControls
from .firing_controls import FiringControls, Sending
from .hold_controls import HoldControls
from .jar_controls import JarControls
from .project_controls import ProjectControls
from .routing_controls import RoutingControls
from .socket_controls import SocketControls
from .static_controls import StaticControls
from .template_controls import TemplateControls


class ClientState(NamedTuple):
    """A named client as the panel shows it. ``under_way`` counts its requests not yet answered,
    ``hue`` is the number of its colour."""

    name: str
    cookies: list[Cookie]
    under_way: int
    hue: int = 1


class Shot(NamedTuple):
    """What to fire: one request, or a burst of *times* with *concurrency* at a time.

    ``url`` is a path on the running server or an absolute URL. ``attach_xsrf`` adds the
    ``X-Xsrftoken`` header from the client's jar. ``sending`` is how it goes over the wire.
    """

    client: str
    method: str
    url: str
    headers: list[tuple[str, str]]
    body: bytes
    times: int = 1
    concurrency: int = 1
    attach_xsrf: bool = False
    follow_redirects: bool = False
    sending: Sending = Sending()


class Controls(QObject):
    """Commands for the program, and signals from it. `application` implements it.

    Commands return at once; what takes time is reported through the signals.
    """

    server_changed = Signal()
    """The server started, stopped, failed to start, or serves another site."""
    clients_changed = Signal()
    fired = Signal(int, int)
    """Progress of the latest shot: answered so far, in total."""
    breakpoints_changed = Signal()
    """The list of breakpoints changed, or which requests are parked at them."""
    failed = Signal(str)
    """A command failed; the text says why, for the user."""
    work_changed = Signal(str, bool, float)
    """A command takes long: what is done, whether `stop_work` ends it, and how much of it is done,
    from 0 to 1, or -1 where nobody knows. It is over when the text is empty."""

    @property
    def site(self) -> Site:
        """The site as it is served now (the last good version)."""
        raise NotImplementedError

    def served_settings(self) -> dict[str, object]:
        """The settings of the application that is served; Python objects by their names."""
        raise NotImplementedError

    @property
    def editable(self) -> bool:
        """Whether routes, handlers and templates may be edited (not for ``--app``)."""
        raise NotImplementedError

    @property
    def address(self) -> str | None:
        """``http://host:port/`` while the server accepts requests, else None."""
        raise NotImplementedError

    @property
    def serving_at(self) -> str | None:
        """Where connections are accepted: as `address`, or another address of the application."""
        return self.address or next(iter(self.app.addresses), None)

    @property
    def host_and_port(self) -> tuple[str, int]:
        """Where the server listens, or would listen when started."""
        raise NotImplementedError

    def start_server(self, host: str, port: int) -> None:
        """Start the server; port 0 picks a free one."""
        raise NotImplementedError

    def stop_server(self) -> None:
        """Stop accepting; requests under way are ended."""
        raise NotImplementedError

    @property
    def block_limit(self) -> float | None:
        """After how many seconds a handler that blocks the loop is interrupted; None: never."""
        raise NotImplementedError

    def set_block_limit(self, seconds: float | None) -> None:
        """Interrupt handlers that block the loop after *seconds*, or let them."""
        raise NotImplementedError

    def apply(self, site: Site) -> list[Problem]:
        """Serve *site* from the next request on. On any problem the last good version stays.

        Where that takes long, Qt's loop is turned meanwhile, and a second one is refused.
        """
        raise NotImplementedError

    @property
    def busy(self) -> str:
        """What is under way that refuses another site, in words; empty for nothing."""
        raise NotImplementedError

    def stop_work(self) -> None:
        """Give up what is under way; all then is as it was before."""
        raise NotImplementedError

    @property
    def given_up(self) -> bool:
        """Whether what is under way, or was last, was given up."""
        raise NotImplementedError

    def save(self, folder: Path | None = None) -> None:
        """Write the site to its folder, or to another. Raises OSError."""
        raise NotImplementedError

    @property
    def projects(self) -> ProjectControls:
        """The project that is open, and others."""
        raise NotImplementedError

    def clients(self) -> list[ClientState]:
        """The named clients, in order."""
        raise NotImplementedError

    def add_client(self) -> str:
        """Add a client with an empty jar and return its name."""
        raise NotImplementedError

    @property
    def jars(self) -> JarControls:
        """The clients' cookies; `clients_changed` tells of a change."""
        raise NotImplementedError

    def wall_time(self, time_ns: int) -> float:
        """A time on the recorder's clock in seconds since the epoch."""
        raise NotImplementedError

    def fire(self, shot: Shot) -> None:
        """Fire a request or a burst; `fired` reports progress."""
        raise NotImplementedError

    @property
    def firing(self) -> FiringControls:
        """Who the clients are, and what they have fired."""
        raise NotImplementedError

    @property
    def templates(self) -> TemplateControls:
        """Templates, analysed and rendered beside the window."""
        raise NotImplementedError

    @property
    def app(self) -> AppControls:
        """The user's own application."""
        raise NotImplementedError

    @property
    def routing(self) -> RoutingControls:
        """What is wrong with routes, and who takes a request."""
        raise NotImplementedError

    @property
    def static(self) -> StaticControls:
        """The static files, and what `static_url` makes of them."""
        raise NotImplementedError

    @property
    def attacks(self) -> AttackControls:
        """The attack range."""
        raise NotImplementedError

    @property
    def sockets(self) -> SocketControls:
        """The WebSockets of the clients."""
        raise NotImplementedError

    def cancel_fire(self) -> None:
        """Cancel what is still under way from the clients."""
        raise NotImplementedError

    def ask(self, shot: Shot, answered: Callable[[Response], None]) -> None:
        """Fire one request; *answered* hears the response.

        Without one its status is 0, and its note says why.
        """
        raise NotImplementedError

    def read_har(self, path: Path, done: Callable[[Har], None]) -> None:
        """Read a HAR file; *done* hears what it holds, or `failed` why it cannot be read."""
        raise NotImplementedError

    def write_har(
        self, path: Path, numbers: list[int], secrets: bool, done: Callable[[int], None]
    ) -> None:
        """Write recorded requests to a HAR file, with their *secrets* or without.

        *done* hears how many were written, or `failed` why nothing was.
        """
        raise NotImplementedError

    def test_app(self) -> App:
        """How a test outside this program comes by the application that is served."""
        raise NotImplementedError

    def loop_now(self, limit: int = 200) -> LoopNow:
        """How the loop stands at this instant."""
        raise NotImplementedError

    def loop_sockets(self, first: int, count: int) -> list[Socket]:
        """Up to *count* of the loop's sockets, from the place *first* on."""
        raise NotImplementedError

    def waiting(self, limit: int = 500) -> list[PendingTask]:
        """The tasks that have not finished, oldest wait first."""
        raise NotImplementedError

    def resolve_wait(self, task_id: int, wait_id: int, value: object) -> None:
        """Give the Future that a task waits for a value; `failed` says when it is too late."""
        raise NotImplementedError

    def fail_wait(self, task_id: int, wait_id: int, error: Exception) -> None:
        """Let the Future that a task waits for raise *error*; likewise."""
        raise NotImplementedError

    def cancel_task(self, task_id: int) -> None:
        """Cancel a task; likewise."""
        raise NotImplementedError

    @property
    def hold(self) -> HoldControls:
        """How the server is held."""
        raise NotImplementedError

    def dropped(self) -> dict[str, int]:
        """How many rows of each kind were dropped so far because the journal was full."""
        raise NotImplementedError

    @property
    def breakpoints(self) -> Breakpoints:
        """The breakpoints and what is parked at them; `breakpoints_changed` tells of a change."""
        raise NotImplementedError
