"""The frame clock: when the window takes in what was recorded."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import Qt, QTimer

FRAME_MS = 28
"""The least time between two frames while something happens, in ms."""
FIRST_MS = 10
"""How long the first frame after a rest waits for more to happen, in ms."""
SETTLED_MS = 50
"""How long after the last activity another frame follows, in ms."""
SLOW_MS = 250
"""The same while only time passes: ages grow, rates fall."""
AFTERGLOW_S = 1.5
"""How long slow frames go on after the last activity, in s: figures over a second must settle."""
REST_S = 4.5
"""When a last frame follows, in s after the last activity: by then a whole second has been
measured in which nothing happened, no slow frame either."""
_LATE_NS = 500_000
"""How long after its time, at most, a timer of Qt's is known to be due."""


class Active(Protocol):
    """What tells the clock that something happened."""

    activity: Callable[[], None] | None
    due_ns: int
    """When it should let a frame come, in ns."""


class FrameClock:
    """Calls *frame* at a bounded rate while things happen, and not at all while nothing does.

    *is_live* says whether something shown changes with time alone.
    """

    def __init__(
        self,
        frame: Callable[[], None],
        is_live: Callable[[], bool],
    ) -> None:
        self._frame = frame
        self._is_live = is_live
        self._source: Active | None = None
        self._last_activity = 0.0
        self._last_frame = 0.0
        self._quiet = False
        """Whether nothing happened since the last frame."""
        self._soon = False
        """Whether the timer runs for a frame that shows activity."""
        self._timer = QTimer(singleShot=True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def start(self, source: Active) -> None:
        """Begin, with a frame at once; *source* announces activity from now on."""
        self._source = source
        source.activity = self._activity
        self._activity()

    def stop(self) -> None:
        """No more frames."""
        self._timer.stop()
        self._soon = False
        if self._source is not None:
            self._source.activity = None
            self._source = None

    def _activity(self) -> None:
        self._last_activity = now = time.monotonic()
        self._quiet = False
        if not self._soon:
            self._soon = True
            since = int((now - self._last_frame) * 1000)
            delay = max(FRAME_MS - since, FIRST_MS)
            self._timer.start(delay)
            if self._source is not None:
                self._source.due_ns = int(now * 1e9) + delay * 1_000_000 + _LATE_NS

    def _tick(self) -> None:
        self._last_frame = time.monotonic()
        self._soon = False
        self._frame()
        if self._source is None:
            return
        if self._soon:
            return
        since = time.monotonic() - self._last_activity
        if since < AFTERGLOW_S or self._is_live():
            # The first one soon: what began last is shown once it has lasted a while.
            self._timer.start(SLOW_MS if self._quiet else SETTLED_MS)
            self._quiet = True
        elif since < REST_S:
            self._timer.start(math.ceil((REST_S - since) * 1000))
