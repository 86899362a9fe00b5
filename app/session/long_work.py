"""Work of the window's commands that may take long: the window and the server go on meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

from PySide6.QtCore import QEventLoop, QTimer

from app.server.bit_by_bit import Work
from app.server.site import SITE_FILE, GivenUp, Problem, SiteError
from app.widgets.i18n import tr

AT_ONCE_S = 0.04
"""What takes no longer is done as if it were nothing, before the next event."""
_SLICE_S = 0.012
_LOOK_MS = 5
_NEVER = 1_000_000
_MANY = 200_000
"""So many new objects, about, are worth setting aside: most of them stay."""
T = TypeVar("T")


def aside(function: Callable[..., T], *args: Any) -> Future[T]:
    """Call *function* in a thread of its own, which nothing waits for at the end."""
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(function(*args))
        except BaseException as error:
            outcome.set_exception(error)

    Thread(target=run, name="loopscope-aside", daemon=True).start()
    return outcome


@contextlib.contextmanager
def _no_full_collection() -> Iterator[None]:
    """Let the garbage collector not walk all that there is, and never what many things were made.

    With 100,000 routes that takes half a second, in which nothing else goes on.
    """
    usual, before = gc.get_threshold(), gc.get_count()[2]
    gc.set_threshold(*usual[:2], _NEVER)
    try:
        yield
    finally:
        # Each collection of the middle generation stands for so many objects.
        if (gc.get_count()[2] - before) * usual[0] * (usual[1] + 1) >= _MANY:
            gc.freeze()
        gc.set_threshold(*usual)


class LongWork:
    """One piece of work at a time, within which Qt's loop is turned.

    So a command stays a call that returns what came of it, however long that takes. A second one
    is refused meanwhile, with SiteError. *told* hears what is done, whether that can be given up,
    and how much of it is done (0 to 1; -1 where nobody knows); nothing is done once it is over.
    *serves* says whether something is served, which stays so when it is given up.
    """

    def __init__(
        self, told: Callable[[str, bool, float], None], serves: Callable[[], bool]
    ) -> None:
        self._told = told
        self._serves = serves
        self.what = ""
        """What is under way, for the user; empty for nothing."""
        self._may_stop = False
        self.given_up = False
        """Whether what is under way, or was last, was given up."""

    def bit_by_bit(self, what: str, work: Work[T], may_stop: bool = True) -> T:
        """Do *work* in slices and return its result. Raises GivenUp after `stop`."""
        outcome: Future[T] = Future()

        def go_on(seconds: float = _SLICE_S) -> None:
            until, share = time.perf_counter() + seconds, 0.0
            try:
                while time.perf_counter() < until:
                    share = next(work)
            except StopIteration as end:
                outcome.set_result(end.value)
            except BaseException as error:
                outcome.set_exception(error)
            else:
                self._told(what, may_stop, share)

        with self._under_way(what, may_stop), contextlib.closing(work):
            go_on(AT_ONCE_S)
            return self._outcome(outcome, go_on, 0)

    def aside(self, what: str, function: Callable[..., T], *args: Any, may_stop: bool = True) -> T:
        """Call *function*, which takes nothing of the loop's state, in a thread; likewise.

        It goes on to its end even when it was given up, and nobody hears of it.
        """
        with self._under_way(what, may_stop):
            outcome = aside(function, *args)
            with contextlib.suppress(TimeoutError):
                outcome.exception(AT_ONCE_S)
            return self._outcome(outcome, lambda: self._told(what, may_stop, -1), _LOOK_MS)

    def _outcome(self, outcome: Future[T], go_on: Callable[[], None], pause_ms: int) -> T:
        within, turn = QEventLoop(), QTimer(interval=pause_ms)

        def look() -> None:
            if not outcome.done() and not self.given_up:
                go_on()
            if outcome.done() or self.given_up:
                within.quit()

        if not outcome.done():
            turn.timeout.connect(look)
            turn.start()
            within.exec()
            turn.stop()
        if not outcome.done():  # The whole program may end, too.
            text = tr("given up: nothing is served, as before")
            if self._serves():
                text = tr("given up: what was served before goes on")
            raise GivenUp([Problem(SITE_FILE, 0, 0, text)])
        return outcome.result()

    @contextlib.contextmanager
    def _under_way(self, what: str, may_stop: bool) -> Iterator[None]:
        if self.what:
            text = tr("not yet: {what} Try again when that is done.", what=self.what)
            raise SiteError([Problem(SITE_FILE, 0, 0, text)])
        self.what, self._may_stop, self.given_up = what, may_stop, False
        try:
            with _no_full_collection():
                yield
        finally:
            self.what = ""
            self._told("", False, 0)

    def stop(self) -> None:
        """Give up what is under way, if that can be."""
        if self.what and self._may_stop:
            self.given_up = True

    async def ended(self) -> None:
        """Give up what is under way; return when it is over."""
        while self.what:
            self.stop()
            await asyncio.sleep(0.01)
