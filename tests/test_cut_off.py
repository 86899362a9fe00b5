"""Row 106: a recording that lost its end, at whatever byte."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.application import Program
from app.loop import TickLoop
from app.options import Options
from app.recording import capture
from app.recording.cut_off import CUT_OFF
from app.recording.events import stages_of
from app.recording.store import Store

from .widgets.sample import batch, request

COUNT = 1_500


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Requests with bodies of many sizes, and runs."""
    requests = []
    for n in range(1, COUNT + 1):
        row = list(request(n, n * 10, n * 10 + 5, 200))
        row[12] = bytes(n * 7919 % 997) if n % 50 else b"x" * 40_000
        row[-1] = ("prepare", n * 10, n * 10 + 1, None, "get", n * 10 + 1, n * 10 + 4, None)
        requests.append(tuple(row))
    runs = [(n, 1, n * 10 + 1, n * 10 + 4, "f", n, 0, 0, 0) for n in range(1, 5 * COUNT)]
    store = Store()
    store.apply(batch(requests=requests, runs=runs))
    path = tmp_path_factory.mktemp("cut") / "whole.loopscope"
    capture.write(store, path, {"serving": "x"}, 1000)
    return path


def test_a_whole_recording_is_not_cut_off(recording: Path) -> None:
    store, meta = capture.read(recording)
    assert CUT_OFF not in meta
    assert len(store.requests.rows) == COUNT


def test_a_recording_cut_at_any_byte_opens_up_to_there_or_says_why_not(
    recording: Path, tmp_path: Path
) -> None:
    whole, _ = capture.read(recording)
    data, path = recording.read_bytes(), tmp_path / "cut.loopscope"
    dice = random.Random(106)
    cuts = sorted({0, 1, 15, 16, 99, 100, len(data) - 1, *dice.sample(range(len(data)), 25)})
    seen = []
    for cut in cuts:
        path.write_bytes(data[:cut])
        try:
            store, meta = capture.read(path)
        except ValueError as error:
            refused = str(error)
            seen.append(0)
            assert str(path) in refused
            continue
        assert meta[CUT_OFF], cut
        found = store.requests.rows
        expected = whole.requests.rows[: len(found)]
        assert [row[:-1] for row in found] == [row[:-1] for row in expected], cut
        assert all(len(stages_of(row[-1])) in (0, 1, 2) for row in found), cut
        seen.append(len(found))
    assert seen == sorted(seen)
    assert seen[-1] == COUNT, "the requests come first in the file"
    assert sum(0 < count < COUNT for count in seen) > 5


def test_the_window_says_that_the_recording_was_cut_off(
    running_loop: TickLoop, qtbot: QtBot, recording: Path, tmp_path: Path
) -> None:
    path = tmp_path / "cut.loopscope"
    path.write_bytes(recording.read_bytes()[:-20_000])
    options = Options(open=path, lang="en")
    program = Program(options, running_loop, running_loop.recorder)
    task = running_loop.create_task(program.run())
    qtbot.waitUntil(program.window.isVisible)
    assert "cut off" in program.window.banner.label.text()
    assert len(program.store.requests.rows) == COUNT
    program.ended.set()
    qtbot.waitUntil(task.done)
    assert task.result() == 0
