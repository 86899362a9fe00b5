"""The real window against the real server: clicks and keys in, rows and pages out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.application import Program
from app.loop import TickLoop
from app.options import Options


@pytest.fixture
def program(running_loop: TickLoop, qtbot: QtBot, tmp_path: Path) -> Iterator[Program]:
    """The whole program with a copy of the demo, serving on a free port."""
    program = Program(Options(port=0), running_loop, running_loop.recorder)
    task = running_loop.create_task(program.run())
    qtbot.waitUntil(lambda: program.session.address is not None and program.window.isVisible())
    yield program
    program.ended.set()
    qtbot.waitUntil(task.done)
    assert task.result() == 0


def test_the_window_opens_and_serves(program: Program, qtbot: QtBot) -> None:
    assert program.session.name == "Demo"
