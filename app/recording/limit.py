"""A limit to what a piece of code may compute: for regular expressions of the user's."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_armed = False


class TooSlow(Exception):
    """The code within `cpu_limit` used up its time."""


def _expired(number: int, frame: FrameType | None) -> None:
    global _armed
    if _armed:
        _armed = False
        raise TooSlow


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raise `TooSlow` within the block once it has used *seconds* of the processor's time.

    That ends a regular expression that backtracks for ever, too: CPython's engine looks for
    signals meanwhile. It takes the main thread, POSIX timers and a SIGVTALRM that nobody else
    uses; otherwise nothing is limited. Not to be nested.
    """
    global _armed
    if not _can_limit():
        yield
        return
    collects = gc.isenabled()
    gc.disable()  # Whoever is called when garbage goes would be interrupted in the block's place.
    _armed = True
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        _armed = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        if collects:
            gc.enable()


def _can_limit() -> bool:
    if not hasattr(signal, "setitimer") or threading.current_thread() != threading.main_thread():
        return False
    if signal.getsignal(signal.SIGVTALRM) is signal.SIG_DFL:
        signal.signal(signal.SIGVTALRM, _expired)
    return signal.getsignal(signal.SIGVTALRM) is _expired
