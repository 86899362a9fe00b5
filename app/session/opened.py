"""The user's own application while it is open: run, looked at, stopped, run anew."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, QTimer

from app import trust
from app.loop import TickLoop
from app.server.app_map import routes_of, source_of, templates_of
from app.server.app_route import AppRoute
from app.server.error_words import error_words
from app.server.foreign import Listening
from app.server.guards import Guards
from app.server.server import Server
from app.server.target import Target, TargetError, target_file
from app.session.ending import end_program
from app.widgets.app_controls import AppControls, AppState, Failure, TraceLine

_LOOK_MS = 10
"""How often a start-up that waits looks whether it may go on."""


class OpenedApp(AppControls):
    """Runs one program at a time on the loop of *server*.

    *spawn* runs a coroutine as the window's. *before* and *after* are awaited around each start and
    end of a program, to stop and start what serves it. A program starts within *unhurried*.
    """

    def __init__(
        self,
        loop: TickLoop,
        server: Server,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        before: Callable[[], Coroutine[Any, Any, None]],
        after: Callable[[], Coroutine[Any, Any, None]],
        unhurried: Callable[[], AbstractContextManager[None]],
    ) -> None:
        super().__init__()
        self._loop = loop
        self._server = server
        self._spawn = spawn
        self._before, self._after = before, after
        self._unhurried = unhurried
        self._turn = asyncio.Lock()
        self._name, self._arguments = "", ""
        self._state = AppState.NONE
        self._failure: Failure | None = None
        self._program: Target | None = None
        self._guards = Guards(self._turn_until, self.stop, lambda: len(server.foreign.servers))
        self.again: tuple[str, str] | None = None
        """With which program, and its arguments, Loopscope is to start anew once it has ended."""

    @property
    def target(self) -> str:
        return self._name

    @property
    def arguments(self) -> str:
        return self._arguments

    @property
    def state(self) -> AppState:
        return self._state

    @property
    def failure(self) -> Failure | None:
        return self._failure

    @property
    def listening(self) -> list[Listening]:
        """Where the program accepts connections by itself."""
        return self._server.foreign.listening if self._name else []

    @property
    def addresses(self) -> list[str]:
        return [place.url for place in self.listening]

    # -- What it consists of -------------------------------------------------------------------

    def served(self) -> list[object]:
        """Return what its servers ask for handlers: applications and routers, among others."""
        made = [self._program.made] if self._program is not None and self._program.made else []
        callbacks = [
            getattr(each, "request_callback", None) for each in self._server.foreign.servers
        ]
        return list(dict.fromkeys([*made, *callbacks]))

    def routes(self) -> list[AppRoute]:
        return routes_of(self.served())

    def sources(self) -> list[Path]:
        files = set(self._program.files()) if self._program is not None else set()
        for route in self.routes():
            if route.file and not route.module.startswith("tornado."):
                files.add(Path(route.file))
        return sorted(files)

    def templates(self) -> list[Path]:
        return templates_of(self.served())

    def source_of(self, handler: str, route: str | None) -> tuple[str, int] | None:
        known = [each for each in self.routes() if each.handler == handler and each.file]
        for each in (*(r for r in known if r.host + r.pattern == route), *known):
            return each.file, each.line
        for served in self.served():
            if type(served).__qualname__ == handler and (place := source_of(served))[0]:
                return place
        return None

    # -- Running -------------------------------------------------------------------------------

    def ask_trust(self, target: str) -> str:
        try:
            file = target_file(target)
        except TargetError as error:
            raise ValueError(str(error).removeprefix("--app ")) from error
        if file is None:
            return target
        if not file.is_file():
            raise ValueError(f"{file}: no such file")
        return "" if trust.is_trusted(file) else target

    def open(self, target: str, arguments: str) -> None:
        file = target_file(target)
        if file is not None:
            trust.remember(file)
        self._spawn(self._told(self.run(target, arguments)))

    def reload(self) -> None:
        if self._name:
            self._spawn(self._told(self.run(self._name, self._arguments)))

    def restart(self) -> None:
        self.again = self._name, self._arguments

    def stop(self) -> None:
        if self._state in (AppState.RUNNING, AppState.STARTING):
            self._spawn(self._stopped())

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        with contextlib.suppress(TargetError):  # `failure` tells of it.
            await work

    async def _stopped(self) -> None:
        async with self._turn:
            await self._end()
            self._set(AppState.STOPPED)

    async def run(self, target: str, arguments: str) -> None:
        """Run *target* in place of what ran before. Raises TargetError when that fails."""
        async with self._turn:
            await self._before()
            await self._end()
            self._name, self._arguments = target, arguments
            self._set(AppState.STARTING)
            try:
                program = Target(target, shlex.split(arguments), self._server.foreign, self._guards)
                self._program = program
                self._server.foreign.kept = lambda: self._guards.leaving
                self._server.foreign.watch()
                self._guards.watch(self._loop)
                with self._unhurried():
                    await program.load(self._soon)
            except (TargetError, ValueError) as error:
                await self._fail(error)
                raise TargetError(str(error)) from error
            except asyncio.CancelledError:
                await self._end()
                raise
            if program.made is not None:
                self._server.serve(program.made)
            if program.task is not None:
                program.task.add_done_callback(self._over)
            await self._after()
            self._set(AppState.RUNNING)

    async def close(self) -> None:
        """End the program, for good."""
        async with self._turn:
            await self._end()
            self._name, self._arguments, self._program = "", "", None
            self._set(AppState.NONE)

    def _soon(self, function: Callable[[], None]) -> None:
        self._server.run(self._loop.call_soon, function)

    def _turn_until(self, over: Callable[[], bool]) -> None:
        """Let Qt and asyncio go on within the program's start-up, until *over* returns True."""
        within, look = QEventLoop(), QTimer()
        look.timeout.connect(lambda: within.quit() if over() else None)
        look.start(_LOOK_MS)
        within.exec()
        look.stop()

    def _over(self, task: asyncio.Future[Any]) -> None:
        """The program's own coroutine has ended, by whatever."""
        if self._state is not AppState.RUNNING or task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._spawn(self._broke(TargetError(error_words(error), error)))

    async def _broke(self, error: TargetError) -> None:
        async with self._turn:
            await self._fail(error)

    async def _fail(self, error: TargetError | ValueError) -> None:
        places = [TraceLine(*place) for place in getattr(error, "places", [])]
        text = str(getattr(error, "text", "")) or str(error)
        await self._end()
        self._failure = Failure(str(error), places, text)
        self._set(AppState.FAILED)

    async def _end(self) -> None:
        self._failure = None
        program, self._program = self._program, None
        if program is None:
            return
        server = self._server
        server.breakpoints.kill_all()
        await server.foreign.close()
        await server.stop()
        await end_program(self._loop, server.recorder)
        server.run(self._guards.exit)
        program.unload()
        self._guards.unwatch()
        server.foreign.unwatch()

    def _set(self, state: AppState) -> None:
        self._state = state
        self.changed.emit()
