"""How far apart frames are."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from app.widgets.frame_clock import FRAME_MS, FrameClock


class Source:
    """Something that is active."""

    def __init__(self) -> None:
        self.activity: Callable[[], None] | None = None


def test_frames_are_a_bounded_number_and_never_far_apart(qtbot: QtBot) -> None:
    source, frames = Source(), list[float]()
    clock = FrameClock(lambda: frames.append(time.monotonic()), lambda: False)
    clock.start(source)
    busy = QTimer()
    busy.timeout.connect(lambda: source.activity and source.activity())
    busy.start(2)
    qtbot.waitUntil(lambda: len(frames) == 12)
    busy.stop()
    clock.stop()
    gaps = sorted(b - a for a, b in pairwise(frames))
    assert gaps[0] > (FRAME_MS - 5) / 1000
    assert gaps[len(gaps) // 2] < (FRAME_MS + 10) / 1000
    assert source.activity is None
