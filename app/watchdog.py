"""The watchdog: it sees from a signal handler that the loop is blocked, and by what.

Handlers of signals run on the main thread between two bytecodes, or when the signal ends a system
call: inside the very code that blocks the loop. There they can look at its stack, and raise.

The alarm is armed once and left to expire. While ticks go on it is set again as it expires; when
it finds the loop asleep it is not, so an idle program has no wake-ups, and until it expires the
loop has only to see that it is armed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Protocol

from tornado.routing import HostMatches, PathMatches

from app.insist import Insistence
from app.recording.blocks import (
    AFTERMATH_NS,
    Interrupted,
    InterruptedStep,
    Place,
    culprit,
    delayed_by,
    frames_above,
    places,
    sentence,
    stack_text,
)
from app.recording.events import Block, Run, domain_of, request_of
from app.recording.mistakes import Reports
from app.recording.recorder import Recorder
from app.recording.store import Store
from app.recording.tasks import is_library

THRESHOLD_S = 0.1
"""A run that lasts longer blocks the loop."""
LIMIT_S = 5.0
"""After how long a run is interrupted, unless told otherwise."""
FREEZE_S = 1.0
"""How long a block must have lasted to be told in a window of its own."""
AGAIN_S = 0.25
"""How long an interrupted run has to get out; how often the other window hears of a block."""
STUBBORN_S = 0.02
"""How soon code that catches what interrupts it is interrupted again."""
_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep
_now = time.monotonic_ns


class Loop(Protocol):
    """The loop that is watched."""

    unwatched: bool
    """Whether the next tick is to call `watch`."""
    watch: Callable[[], None]
    nested_ns: int
    """When a handle last turned a Qt loop of its own, in which everything else goes on."""

    def is_turning(self) -> bool:
        """Return whether ticks are under way."""

    def forget_signal(self, number: int) -> None:
        """Take back the wake-up that a signal has caused."""


class Sign(Protocol):
    """What tells of a block while it lasts."""

    def show(self, text: str) -> None:
        """Say it, or say it anew."""

    def asked(self) -> bool:
        """Return whether the user wants it to be interrupted."""

    def hide(self) -> None:
        """The block is over."""


class _Caught:
    """One run that has lasted for too long."""

    def __init__(self, run_id: int, start_ns: int, stack: list[Place]) -> None:
        self.run_id = run_id
        self.start_ns = start_ns
        self.stack = stack
        self.unwanted = False
        """Whether the user has asked for its end."""
        self.tries = 0
        self.again_ns = 0
        """When it may be interrupted again."""
        self.insistence: Insistence | None = None


class Watchdog:
    """Catches runs of *loop* that last longer than *threshold* s, and interrupts those at `limit`.

    *base* is the code in which the loop runs its handles; the start of the run is its variable
    ``start``. *sign* shows a block while it lasts. Only `settle` must be called, now and then.
    """

    def __init__(
        self,
        loop: Loop,
        base: CodeType,
        recorder: Recorder,
        *,
        limit: float | None = LIMIT_S,
        threshold: float = THRESHOLD_S,
        sign: Sign | None = None,
    ) -> None:
        self.limit = limit
        """After how long a run is interrupted, in s; None lets it block."""
        self._loop = loop
        self._base = base
        self._recorder = recorder
        self._reports = Reports(recorder)
        self._threshold = threshold
        self._sign = sign
        self._caught: list[_Caught] = []
        self._current: _Caught | None = None
        self._block_id = 0
        self._tracing = False
        self._handler = self._alarm  # One object: it is compared by identity.
        self._previous: Any = None

    def start(self) -> bool:
        """Begin to watch, where that is possible: return whether it is.

        It takes the main thread, ``setitimer`` and a SIGALRM that nobody else uses.
        """
        if not hasattr(signal, "setitimer"):
            return False
        if threading.current_thread() is not threading.main_thread():
            return False
        self._previous = signal.getsignal(signal.SIGALRM)
        if self._previous not in (signal.SIG_DFL, signal.SIG_IGN):
            return False
        signal.signal(signal.SIGALRM, self._handler)
        self._loop.watch = self._arm
        self._loop.unwatched = True
        return True

    def stop(self) -> None:
        """Watch no longer."""
        self._loop.unwatched = False
        if self._is_ours():
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._previous)
        self._over()

    def _is_ours(self) -> bool:
        return hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) is self._handler

    def _arm(self) -> None:
        """A tick begins, and no alarm is set."""
        self._loop.unwatched = False
        if self._is_ours():  # Else the program has found a use of its own for it.
            self._set(self._threshold)

    def _set(self, seconds: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))

    # -- In the handler --------------------------------------------------------------------

    def _alarm(self, number: int, frame: FrameType | None) -> None:
        loop = self._loop
        loop.forget_signal(number)
        frames = frames_above(frame, self._base)
        if frames is None:
            self._over()
            if loop.is_turning():
                self._set(self._threshold)
            else:
                loop.unwatched = True
            return
        start_ns = frames.pop().f_locals.get("start", _now())
        run_id = self._recorder.run_id
        if self._current is not None and self._current.run_id != run_id:
            self._over()
        lasted = (_now() - start_ns) / 1e9
        if loop.nested_ns > start_ns:  # It turns a loop of Qt: nothing waits for it.
            self._set(self._threshold)
        elif lasted < self._threshold:
            self._set(self._threshold - lasted)
        else:
            self._blocked(run_id, start_ns, lasted, frames)

    def _blocked(self, run_id: int, start_ns: int, lasted: float, frames: list[FrameType]) -> None:
        caught = self._current
        if caught is None:
            self._current = caught = _Caught(run_id, start_ns, places(frames))
            self._caught.append(caught)
        limit = self.limit
        if self._sign is not None and lasted >= FREEZE_S:
            place = culprit(places(frames))
            self._sign.show(f"{place} · {lasted:.0f} s")
            caught.unwanted = caught.unwanted or self._sign.asked()
        if caught.unwanted:
            limit = 0.0
        if limit is None or lasted < limit:
            steps = [] if limit is None else [limit - lasted]
            if self._sign is not None:
                steps.append(AGAIN_S if lasted >= FREEZE_S else FREEZE_S - lasted)
            # Not far away: until it has expired, no other block is noticed.
            steps.append(AGAIN_S if lasted >= FREEZE_S else self._threshold)
            # With nothing more to do the alarm stays off; the tick after the run sets it again.
            self._set(min(steps)) if len(steps) > 1 else self._leave()
        else:
            self._interrupt(caught, frames)

    def _leave(self) -> None:
        self._loop.unwatched = True

    def _over(self) -> None:
        """What was caught has ended."""
        self._current = None
        if self._tracing:
            self._tracing = False
            sys.settrace(None)
        if self._sign is not None:
            self._sign.hide()

    def _interrupt(self, caught: _Caught, frames: list[FrameType]) -> None:
        """Raise in what is being run, if that is code of the user's; else look again soon."""
        user = [frame for frame in frames if not is_library(frame.f_code)] or _patterns(frames)
        ours = bool(frames) and frames[0].f_code.co_filename.startswith(_OURS)
        debugged = sys.gettrace() is not None and not self._tracing
        waiting = caught.again_ns > _now()
        if not user or ours or debugged or waiting:
            self._set(STUBBORN_S if ours else AGAIN_S)
            return
        if not caught.tries:
            caught.stack = places(frames)
        caught.tries += 1
        caught.again_ns = 0
        if caught.tries == 1:
            caught.again_ns = _now() + int(AGAIN_S * 1e9)
            self._set(AGAIN_S)
        else:
            # It catches what is raised. Once it has, it gets the same again, at a line where
            # nothing is caught: there the tracing does not end before.
            self._set(STUBBORN_S)
            self._insist(caught, frames[0])
        raise self._error(caught)

    def _error(self, caught: _Caught) -> Interrupted | InterruptedStep:
        lasted = (_now() - caught.start_ns) / 1e9
        text = f"interrupted: it blocked the loop for {lasted:.2f} s, at {culprit(caught.stack)}"
        # Tornado's decorated coroutines hand on an Exception; another one gets lost on the way.
        old = any(place.function == "Runner.run" for place in caught.stack)
        return InterruptedStep(text) if old and caught.tries < 3 else Interrupted(text)

    def _insist(self, caught: _Caught, frame: FrameType) -> None:
        if caught.insistence is None:
            caught.insistence = Insistence(
                self._base,
                lambda: self._error(caught),
                lambda: self._recorder.run_id == caught.run_id,
            )
        self._tracing = True
        caught.insistence.begin(frame)

    # -- Outside of it ---------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """Whether a block is known and not yet recorded."""
        return bool(self._caught)

    def settle(self, store: Store, *, final: bool = False) -> bool:
        """Record the blocks that are over; return whether there were any.

        *store* must hold their runs and those that waited, so it takes a moment, unless this is
        the *final* call.
        """
        recorded = False
        for caught in self._caught[:]:
            run = store.run(caught.run_id)
            if run is None:
                newest = store.runs.id_at(-1) if len(store.runs) else 0
                if newest > caught.run_id:
                    self._caught.remove(caught)
                    self._recorder.dropped["blocks"] += 1
                continue
            if not final and not _is_past(store, run):
                continue
            self._caught.remove(caught)
            self._block_id += 1
            place = culprit(caught.stack) or Place("", 0, store.name_of(run), False)
            delayed = delayed_by(store, run)
            block = Block(
                self._block_id,
                run.id,
                run.owner,
                place.file,
                place.line,
                place.function,
                run.start_ns,
                run.end_ns,
                stack_text(caught.stack),
                int(caught.tries > 0),
                len(delayed),
                json.dumps(delayed[:100]),
            )
            self._record(block, place)
            recorded = True
        return recorded

    def _record(self, block: Block, place: Place) -> None:
        self._recorder.blocks.append(tuple(block))
        text = f"{sentence(block)}\n{block.stack}"
        request = request_of(block.owner) or 0
        self._recorder.log.append((_now(), "WARNING", "loopscope", request, text))
        if place.file and not place.library and domain_of(block.owner) == "server":
            where = f"{place.file}:{place.line} in {place.function}"
            lasted = f"{(block.end_ns - block.start_ns) / 1e9:.2f} s"
            self._reports.report("blocking-call", request, where, lasted)


def _is_past(store: Store, run: Run) -> bool:
    """Return whether all that *run* made wait has been recorded."""
    at = store.runs.started(_now() - AFTERMATH_NS) - 1
    later = at >= 0 and Run(*store.runs.rows[at]).tick_id > run.tick_id
    # Where nobody waited, there may be no tick for long.
    return later or _now() > run.end_ns + 10 * AFTERMATH_NS


def _patterns(frames: list[FrameType]) -> list[FrameType]:
    """Return the frame in which Tornado tries a route's pattern: that is the user's, too."""
    codes = (PathMatches.match.__code__, HostMatches.match.__code__)
    return [frame for frame in frames[:1] if frame.f_code in codes]
