"""What a program does to its process and its loop, meant for one that it has for itself.

Under Loopscope the loop turns already, and the process is the window's. So the program's code gets
other functions here, as long as it is loaded; everybody else's code gets Python's.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import tornado.autoreload
import tornado.process
from tornado.gen import convert_yielded
from tornado.ioloop import IOLoop

from .patches import Patches

_log = logging.getLogger("loopscope.app")


class Handover(BaseException):
    """The program has started and hands the loop over: its frames are left from here."""


class Guards:
    """Stands between a program and its process.

    *turn* lets the loop go on until the function that it is given returns True. *stopped* is called
    when the program asks its loop to stop. *begun* counts what the program has started to serve.
    """

    def __init__(
        self,
        turn: Callable[[Callable[[], bool]], None],
        stopped: Callable[[], None],
        begun: Callable[[], int],
    ) -> None:
        self._turn = turn
        self._stopped = stopped
        self._begun = begun
        self._patches = Patches()
        self._at_exit: list[Callable[[], object]] = []
        self.starting = False
        """Whether the program's start-up is on the stack."""
        self.leaving = False
        """Whether its frames are being left; what they close on the way stays open."""
        self.main: asyncio.Future[Any] | None = None
        """What the program runs as its whole, if it does."""

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stand there from now on."""
        put, kind = self._patches.put_for_server, type(loop)
        put(kind, "run_forever", self._run_forever)
        put(kind, "run_until_complete", self._run_until_complete)
        put(kind, "stop", self._stop)
        put(kind, "close", self._close)
        put(kind, "add_signal_handler", self._add_signal_handler)
        put(IOLoop, "run_sync", self._run_sync)
        put(asyncio, "run", self._run)
        put(asyncio.Runner, "run", self._runner_run)
        for name, instead in (("_lazy_init", None), ("get_loop", loop), ("close", None)):
            put(asyncio.Runner, name, partial(self._of_runner, instead))
        put(asyncio, "new_event_loop", lambda original: loop if self.starting else original())
        put(signal, "signal", self._signal)
        put(atexit, "register", self._register)
        put(tornado.autoreload, "start", _start_autoreload)
        put(tornado.process, "fork_processes", _fork)

    def unwatch(self) -> None:
        """Leave Python and Tornado as they were."""
        self._patches.undo()

    def exit(self) -> None:
        """Call what the program wants to be called at its end, the last first."""
        self.leaving = True
        while self._at_exit:
            function = self._at_exit.pop()
            try:
                function()
            except BaseException:
                _log.exception("%s failed at the program's end", function)
        self.leaving = False

    # -- The loop ------------------------------------------------------------------------------

    def _hand_over(self) -> Handover:
        self.leaving = True
        return Handover()

    def _run_forever(self, original: Callable[..., None], loop: Any) -> None:
        if not self.starting:
            original(loop)  # Says that the loop is running already, as it does in plain asyncio.
        raise self._hand_over()

    def _run_until_complete(self, original: Callable[..., Any], loop: Any, what: Any) -> Any:
        return self._complete(what) if self.starting else original(loop, what)

    def _run(self, original: Callable[..., Any], main: Any, **options: Any) -> Any:
        return self._complete(main) if self.starting else original(main, **options)

    def _runner_run(
        self, original: Callable[..., Any], runner: Any, coro: Any, **options: Any
    ) -> Any:
        return self._complete(coro) if self.starting else original(runner, coro, **options)

    def _of_runner(self, instead: object, original: Callable[..., Any], runner: Any) -> Any:
        return instead if self.starting else original(runner)

    def _run_sync(
        self,
        original: Callable[..., Any],
        loop: Any,
        function: Callable[[], Any],
        timeout: float | None = None,
    ) -> Any:
        if not self.starting:
            return original(loop, function, timeout)
        result = function()
        return None if result is None else self._complete(convert_yielded(result))

    def _complete(self, what: Awaitable[Any] | Coroutine[Any, Any, Any]) -> Any:
        """Return the result of *what*; or leave, when it turns out to be the whole program."""
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(what)
        before, patience = self._begun(), 0.0

        def over() -> bool:
            nonlocal patience
            if task.done():
                return True
            if self._begun() > before:
                patience = patience or loop.time() + 0.3
            return 0 < patience <= loop.time()

        self._turn(over)
        if task.done():
            return task.result()
        self.main = task
        raise self._hand_over()

    def _stop(self, original: Callable[..., None], loop: Any) -> None:
        if self.leaving:
            return
        _log.warning("The program asked its loop to stop: it is stopped, the window goes on")
        self._stopped()

    def _close(self, original: Callable[..., None], loop: Any) -> None:
        if not self.leaving:
            _log.warning("The program closed its loop, which is the window's too: it stays open")

    # -- The process ---------------------------------------------------------------------------

    def _signal(self, original: Callable[..., Any], number: int, handler: Any) -> Any:
        if number not in (signal.SIGINT, signal.SIGTERM):
            return original(number, handler)
        _log.info("%s ends Loopscope, with the program", signal.Signals(number).name)
        return signal.SIG_DFL

    def _add_signal_handler(
        self, original: Callable[..., None], loop: Any, number: int, *rest: Any
    ) -> None:
        if number in (signal.SIGINT, signal.SIGTERM):
            _log.info("%s ends Loopscope, with the program", signal.Signals(number).name)
        else:
            original(loop, number, *rest)

    def _register(
        self, original: Callable[..., Any], function: Any, *args: Any, **kwargs: Any
    ) -> Any:
        root = str(getattr(function, "__module__", "")).partition(".")[0]
        if root in sys.stdlib_module_names:
            return original(function, *args, **kwargs)
        self._at_exit.append(lambda: function(*args, **kwargs))
        return function


def _start_autoreload(original: object, check_time: int = 500) -> None:
    _log.info("autoreload would replace the window on a change: use Reload instead")


def _fork(original: object, num_processes: int | None, max_restarts: int | None = None) -> int:
    _log.warning("The program would fork %s processes; it runs in one", num_processes or "several")
    return 0
