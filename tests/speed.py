"""What things cost, to be held against what others cost in the same run: machines differ."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject


@contextlib.contextmanager
def no_garbage() -> Iterator[None]:
    """Let no garbage be collected: how much there is depends on the tests before."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


def cost(work: Callable[[], object], tries: int = 1) -> float:
    """Return the time of the processor that *work* took in this thread, in s: the least of *tries*.

    No garbage is collected meanwhile.
    """
    with no_garbage():
        return min(_once(work) for _ in range(tries))


def _once(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


class Turns(QObject):
    """Measures how much of the processor this thread uses between two turns of its Qt loop, in s.

    ``busiest`` is the most of it at once, ``all`` the sum, ``count`` how often the loop turned.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.count, self.busiest, self.all = 0, 0.0, 0.0
        self._last = time.thread_time()
        self.startTimer(1)

    def timerEvent(self, event: object) -> None:
        now = time.thread_time()
        used, self._last = now - self._last, now
        self.count += 1
        self.busiest, self.all = max(self.busiest, used), self.all + used
