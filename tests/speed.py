"""What things cost, to be held against what others cost in the same run: machines differ."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def cost(work: Callable[[], object], tries: int = 1) -> float:
    """Return the time of the processor that *work* took in this thread, in s: the least of *tries*.

    No garbage is collected meanwhile: how much there is depends on the tests before.
    """
    collected = gc.isenabled()
    gc.disable()
    try:
        return min(_once(work) for _ in range(tries))
    finally:
        if collected:
            gc.enable()


def _once(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began
