"""How far apart frames are."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import Qt, QTimer
from pytestqt.qtbot import QtBot

from app.widgets.accounting import SETTLED_NS, STEP_NS
from app.widgets.frame_clock import FRAME_MS, REST_S, SLOW_MS, FrameClock


class Source:
    """Something that is active."""

    def __init__(self) -> None:
        self.activity: Callable[[], None] | None = None
        self.due_ns = 0


def test_frames_are_a_bounded_number_and_never_far_apart(qtbot: QtBot) -> None:
    source, frames = Source(), list[float]()
    clock = FrameClock(lambda: frames.append(time.monotonic()), lambda: False)
    clock.start(source)
    busy = QTimer()
    busy.timeout.connect(lambda: source.activity and source.activity())
    busy.start(2)
    # A timer of Qt's own is as late as the machine is.
    beats = list[float]()
    usual = QTimer(interval=FRAME_MS, timerType=Qt.TimerType.PreciseTimer)
    usual.timeout.connect(lambda: beats.append(time.monotonic()))
    usual.start()
    qtbot.waitUntil(lambda: len(frames) == 12)
    usual.stop()
    busy.stop()
    clock.stop()
    assert min(b - a for a, b in pairwise(frames)) > (FRAME_MS - 5) / 1000
    assert len(beats) < 2 * len(frames)
    assert source.activity is None


def test_at_rest_a_last_frame_comes_and_then_none(qtbot: QtBot) -> None:
    source, frames = Source(), list[float]()
    clock = FrameClock(lambda: frames.append(time.monotonic()), lambda: False)
    began = time.monotonic()
    clock.start(source)
    qtbot.waitUntil(lambda: bool(frames) and frames[-1] - began >= REST_S)
    count = len(frames)
    qtbot.wait(3 * SLOW_MS)
    clock.stop()
    assert len(frames) == count
    # A whole second lies between it and the frame before, wherever seconds begin.
    assert frames[-1] - frames[-2] > 2 + (SETTLED_NS + STEP_NS) / 1e9


def test_the_source_knows_when_the_next_frame_is_due(qtbot: QtBot) -> None:
    source, late, frames = Source(), list[float](), list[float]()

    def frame() -> None:
        frames.append(time.monotonic())
        late.append(time.monotonic() - source.due_ns / 1e9)

    clock = FrameClock(frame, lambda: False)
    clock.start(source)
    busy = QTimer()
    busy.timeout.connect(lambda: source.activity and source.activity())
    busy.start(2)
    qtbot.waitUntil(lambda: len(frames) == 12)
    busy.stop()
    clock.stop()
    assert min(late) > -0.005, "told for a time at which the frame comes"
