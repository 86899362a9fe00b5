"""Code of the user's run beside the window, in a thread, for a limited time.

A thread lets the window go on while the code loops, sleeps or waits; only one long call in C that
keeps Python's lock stops everything. What takes too long is interrupted wherever it stands, and
at each line where nothing is caught, once it has swallowed that.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Generic, TypeVar

from app.insist import Insistence

SWITCH_S = 0.0005
"""After how long Python's lock is handed on meanwhile: the window takes it many times a frame."""
AGAIN_S = 0.02
"""How soon code that catches what interrupts it is interrupted again."""
GRACE_S = 0.5
"""How long interrupted code is waited for, before it is left to itself."""

T = TypeVar("T")


class TooLong(BaseException):
    """Raised in the code that takes too long, or is not wanted any more."""

    def __init__(self) -> None:
        super().__init__()
        thread = threading.current_thread()
        if isinstance(thread, Bounded):
            thread.interrupted(self, sys._getframe(1))


class Bounded(threading.Thread, Generic[T]):
    """Runs *work* in a thread, and calls *done* with its result, or with what it raised.

    *work* is given a function that calls another one: only that may take *seconds* at most, all of
    it together; what *work* does besides is left alone. *done* is called once, in a thread of its
    own; with `TooLong` when the code cannot be stopped.
    """

    def __init__(
        self,
        work: Callable[[Callable[[Callable[[], object]], None]], T],
        seconds: float,
        done: Callable[[T | BaseException], None],
    ) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._seconds = seconds
        self._done = done
        self._result: T | BaseException = TooLong()
        self._lock = threading.Lock()
        self._inside = False
        self._unwanted = threading.Event()
        self._tries = 0
        self._due = False
        self._raised = False
        """Whether it was interrupted since the code was entered."""
        self._insistence = Insistence(Bounded._limited.__code__, TooLong, self._insisting)

    def start(self) -> None:
        """Begin."""
        super().start()
        threading.Thread(target=self._supervise, daemon=True).start()

    def cancel(self) -> None:
        """End it soon: nobody wants the result any more."""
        self._unwanted.set()

    def run(self) -> None:
        try:
            self._result = self._work(self._limited)
        except BaseException as error:
            self._result = error

    def _limited(self, call: Callable[[], object]) -> None:
        try:
            try:
                with self._lock:
                    self._inside = True
                call()
            finally:
                self._leave()
        except TooLong:
            # It may have come while the code was left.
            self._leave()
            raise

    def interrupted(self, error: TooLong, frame: FrameType) -> None:
        """Insist on *error*, which is about to be raised in *frame*, if it is not the first."""
        self._tries += 1
        if self._insisting():
            self._insistence.watch(error)
            if self._tries > 1:
                self._insistence.begin(frame)

    def collected(self, frame: FrameType | None) -> None:
        """Insist in *frame*, if it was to be interrupted while it collected garbage."""
        if self._due and self._insisting():
            self._due = False
            self._insistence.begin(frame)

    def _insisting(self) -> bool:
        here = self._inside and threading.current_thread() is self
        return here and _collecting.thread != self.ident

    def _leave(self) -> None:
        while True:
            try:
                with self._lock:
                    self._inside = False
                    self._insistence.end()
                if self._raised:
                    self._await_interruption()
                    self._raised = False
                return
            except TooLong:
                continue

    def _await_interruption(self) -> None:
        """Let an interruption come that has not come yet.

        Up to CPython 3.12 one that is taken back is looked for ever after, by all threads at each
        jump back; tracing never gets past that in 3.11.
        """
        try:
            _interrupt(self.ident)  # In its place, if there is one: it comes once.
            while True:
                pass
        except TooLong:
            return

    def _supervise(self) -> None:
        with _switching, _collecting:
            self._watch()

    def _watch(self) -> None:
        deadline = time.monotonic() + self._seconds
        while self.is_alive() and time.monotonic() < deadline and not self._unwanted.is_set():
            self.join(min(AGAIN_S, max(deadline - time.monotonic(), 0.001)))
        left = time.monotonic() + GRACE_S
        told = False
        while self.is_alive():
            with self._lock:
                self._due = _is_called_back(self.ident)
                if self._inside and not self._due:
                    self._raised = True
                    _interrupt(self.ident)
            self.join(AGAIN_S)
            if not told and time.monotonic() > left:
                told = True
                self._done(TooLong())
        if not told:
            self._done(self._result)


class _Switching:
    """While somebody is within, threads take turns more often; at last as they did before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._within = 0
        self._usual = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if not self._within:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(min(self._usual, SWITCH_S))
            self._within += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._within -= 1
            if not self._within:
                sys.setswitchinterval(self._usual)


_switching = _Switching()
"""Of the whole process, as Python's lock is."""


class _Collecting:
    """Knows where garbage is collected, while somebody is within.

    That is done by the thread that happens to make the most, and calls whoever waits for the end
    of an object: what is raised there is lost, and harms others than the code.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._within = 0
        self.thread = 0
        """Which thread does it; 0 when none does."""

    def __enter__(self) -> None:
        with self._lock:
            if not self._within:
                gc.callbacks.append(self.note)
            self._within += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._within -= 1
            if not self._within:
                gc.callbacks.remove(self.note)

    def note(self, phase: str, info: object) -> None:
        """Python begins or ends it."""
        self.thread = threading.get_ident() if phase == "start" else 0
        thread = threading.current_thread()
        if phase == "stop" and isinstance(thread, Bounded):
            thread.collected(sys._getframe(1))


_collecting = _Collecting()
_CALLED_BACK = (_Collecting.note.__code__, Insistence.swallowed.__code__)


def _is_called_back(thread: int | None) -> bool:
    """Return whether Python has called something in *thread* that its code has not."""
    frame = sys._current_frames().get(thread or 0)
    while frame is not None:
        if frame.f_code in _CALLED_BACK:
            return True
        frame = frame.f_back
    return _collecting.thread == thread


def _interrupt(thread: int | None) -> None:
    """Let `TooLong` be raised in a thread as soon as it runs Python."""
    which = ctypes.py_object(TooLong)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread or 0), which)
