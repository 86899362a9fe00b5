"""When Python's garbage is collected: a little often, and all of it while the server rests.

A full collection walks everything that lives. Beside 10,000 tasks and as many connections that
takes a quarter of a second, in which neither server nor window goes on. But some mistakes are told
only by garbage: a task that was lost, an exception that nobody asked for.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QTimer

THRESHOLDS = (1_000, 3, 4_000)
"""As `gc.set_threshold` wants them: the first two so small that no collection holds up a frame, the
last for a server that never rests."""
REST_MS = 5_000
"""How long nothing must be asked of the server before all is collected, in ms."""


class Collector:
    """Decides for the whole process; it belongs to the thread of the window."""

    def __init__(self) -> None:
        self._rest = QTimer(singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(gc.collect)
        self._usual: tuple[int, int, int] | None = None

    def begin(self) -> None:
        """Set what exists by now aside: it stays and need not be walked again and again."""
        gc.collect()
        gc.freeze()
        self._usual = gc.get_threshold()
        gc.set_threshold(*THRESHOLDS)

    def busy(self) -> None:
        """Take note that the server does something."""
        self._rest.start()

    def end(self) -> None:
        """Collect all for the last time, and leave it to Python again.

        What was set aside stays so: as the process ends, it would only tell of itself too late.
        """
        self._rest.stop()
        if self._usual is not None:
            gc.collect()
            gc.set_threshold(*self._usual)
            self._usual = None
