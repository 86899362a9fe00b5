"""Long work in slices of time, between which the window looks after itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from PySide6.QtCore import QObject, QTimer

SLICE_S = 0.008
"""How long the work goes on at a time."""


class Slices(QObject):
    """Goes through one iterator at a time, the first slice of it at once.

    *took* is called after each slice with what came, *done* at the end with what a generator
    returns. A new start gives up what was under way.
    """

    def __init__(
        self,
        parent: QObject,
        took: Callable[[list[Any]], None],
        done: Callable[[Any], None],
    ) -> None:
        super().__init__(parent)
        self._took = took
        self._done = done
        self._work: Iterator[Any] | None = None
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._go_on)

    @property
    def busy(self) -> bool:
        """Whether work is under way."""
        return self._work is not None

    def start(self, work: Iterator[Any]) -> None:
        """Begin, in place of what is under way."""
        self._work = work
        self._go_on()

    def stop(self) -> None:
        """Give up what is under way."""
        self._work = None
        self._timer.stop()

    def _go_on(self) -> None:
        work = self._work
        if work is None:
            return
        until = time.perf_counter() + SLICE_S
        came: list[Any] = []
        try:
            while time.perf_counter() < until:
                came.append(next(work))
        except StopIteration as end:
            self.stop()
            self._took(came)
            self._done(end.value)
            return
        self._timer.start()
        self._took(came)
