"""For all tests: no display, settings of their own, and nothing unhandled passes unseen."""

from __future__ import annotations

import os
import tempfile

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["QT_API"] = "pyside6"
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="loopscope-tests-")
os.environ["XDG_DATA_HOME"] = os.environ["XDG_CONFIG_HOME"]

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QThread, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

if TYPE_CHECKING:
    from app.loop import TickLoop


PATIENCE_MS = 20_000


def in_loop(act: Callable[[], None]) -> None:
    """Call *act* within a loop of Qt's."""
    if QThread.currentThread().loopLevel():
        act()
        return
    loop = QEventLoop()

    def once() -> None:
        try:
            act()
        finally:
            loop.quit()

    QTimer.singleShot(0, once)
    loop.exec()


class PatientBot(QtBot):
    """Waits for longer, since a loaded machine takes its time; clicks and presses keys in a loop.

    Outside of it a dialog that deletes itself would be gone, while it still handles the click, as
    soon as what the click does turns a loop of its own.
    """

    @staticmethod
    def mouseClick(*args: Any, **options: Any) -> None:
        in_loop(lambda: QTest.mouseClick(*args, **options))

    @staticmethod
    def keyClick(*args: Any, **options: Any) -> None:
        in_loop(lambda: QTest.keyClick(*args, **options))

    def waitUntil(self, callback: Any, *, timeout: int = PATIENCE_MS) -> None:
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = PATIENCE_MS, **options: Any) -> Any:
        return super().waitSignal(signal, timeout=timeout, **options)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    """In the place of pytest-qt's."""
    return PatientBot(request)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Delete the windows of a test that is over, and take the style sheet off.

    Each later change of style would paint the windows, and each widget made would be dressed.
    """
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    application = QApplication.instance()
    if isinstance(application, QApplication):
        application.setStyleSheet("")


@pytest.fixture
def caught() -> list[dict[str, Any]]:
    """What reached the loop's exception handler. It must be empty when the test ends."""
    return []


@pytest.fixture
def running_loop(qapp: QApplication, caught: list[dict[str, Any]]) -> Iterator[TickLoop]:
    """A TickLoop that Qt drives, so that ``qtbot.waitUntil`` turns it too."""
    from app.loop import TickLoop

    loop = TickLoop(qapp, already_running=True, contained=True)
    loop.set_exception_handler(lambda _, context: caught.append(context))
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.release()
    loop.close()
    assert caught == []
