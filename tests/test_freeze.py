"""The window of its own that tells of a blocked loop, and its button."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.freeze import FreezeSign, Texts
from app.freeze_window import FreezeWindow
from app.loop import TickLoop
from app.recording.blocks import Interrupted
from app.recording.recorder import Recorder
from app.recording.store import Store
from app.watchdog import Watchdog

TEXTS = Texts("Loopscope is blocked", "Interrupt", "")


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something outside of Qt."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_window_says_what_it_is_told(qtbot: QtBot) -> None:
    pressed: list[int] = []
    window = FreezeWindow(lambda: pressed.append(1))
    qtbot.addWidget(window)
    window.tell(json.dumps(TEXTS._asdict()).encode())
    assert not window.isVisible()
    window.tell(b'{"text": "handlers/a.py:12 in <b>A.get</b> \\u00b7 1 s"}')
    assert window.isVisible()
    assert window.label.text() == ("Loopscope is blocked: handlers/a.py:12 in <b>A.get</b> · 1 s")
    QTest.mouseClick(window.button, Qt.MouseButton.LeftButton)
    assert pressed == [1]


def test_the_process_goes_when_the_block_is_over() -> None:
    sign = FreezeSign(lambda: TEXTS)
    assert not sign.asked()
    sign.hide()
    sign.show("a")
    process = sign._process
    assert process is not None
    sign.show("b")
    assert sign._process is process
    time.sleep(0.5)
    assert process.returncode is None
    assert not sign.asked()
    sign.hide()
    until(lambda: process.returncode is not None)
    assert process.returncode == 0


def test_the_button_reaches_the_other_process(tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    code = (
        "import sys, os\n"
        f"with open({str(lines)!r}, 'w', buffering=1) as out:\n"
        "    for line in sys.stdin:\n"
        "        out.write(line)\n"
        "        os.write(1, b'!')\n"
    )
    sign = FreezeSign(lambda: TEXTS, (sys.executable, "-c", code))
    sign.show("a · 1 s")
    until(sign.asked)
    sign.hide()
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    assert told == [TEXTS._asdict(), {"text": "a · 1 s"}]


def test_a_process_that_cannot_start_is_done_without() -> None:
    sign = FreezeSign(lambda: TEXTS, ("/nowhere/at-all",))
    sign.show("a")
    sign.show("b")
    assert not sign.asked()
    sign.hide()


class Button:
    """A sign whose button is pressed at its second text."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.hidden = 0

    def show(self, text: str) -> None:
        self.shown.append(text)

    def asked(self) -> bool:
        return len(self.shown) == 2

    def hide(self) -> None:
        self.hidden += 1


@pytest.mark.timeout(30, method="thread")  # Its other method takes SIGALRM.
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
def test_the_button_interrupts_what_may_block_for_ever(qapp: QApplication, qtbot: QtBot) -> None:
    recorder, sign = Recorder(), Button()
    raised: list[object] = []
    space: dict[str, Callable[[], None]] = {}
    file = os.path.join(os.sep, "home", "me", "handlers", "mine.py")
    exec(compile("def spin():\n    while True:\n        pass\n", file, "exec"), space)
    with TickLoop(qapp, recorder=recorder, already_running=True, contained=True) as loop:
        loop.set_exception_handler(lambda _, context: raised.append(context["exception"]))
        base = TickLoop._run_ready.__code__
        watchdog = Watchdog(loop, base, recorder, limit=None, sign=sign)
        assert watchdog.start()
        assert not Watchdog(loop, base, recorder).start()
        began = time.monotonic()
        loop.call_soon(space["spin"])
        qtbot.waitUntil(lambda: bool(raised))
        assert time.monotonic() - began > 1.2  # At the second text.
        assert isinstance(raised[0], Interrupted)
        qtbot.waitUntil(lambda: sign.hidden > 0)
        watchdog.stop()
        assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert sign.shown[0].startswith("handlers/mine.py:")
    assert re.search(r" in spin · [1-9]\d* s$", sign.shown[0])
    store = Store(recorder.origin_ns)
    store.apply(recorder.drain())
    assert watchdog.settle(store, final=True)
    assert not watchdog.pending
    (row,) = recorder.drain().blocks
    assert row[3] == file
