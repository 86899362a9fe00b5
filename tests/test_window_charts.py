"""The figures and the charts, in the real window over real requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.application import Program
from app.loop import TickLoop
from app.options import Options
from app.recording import capture
from app.widgets.accounting import Second

from .test_window import Fetch, fetch, program
from .widgets.sample import drawing, store_of

__all__ = ["fetch", "program"]


def click_figures(program: Program, qtbot: QtBot) -> None:
    figures = program.window.top_bar.figures
    place = QPoint(figures.width() - 20, figures.height() // 2)
    qtbot.mouseClick(figures, Qt.MouseButton.LeftButton, pos=place)


def open_charts(program: Program, qtbot: QtBot) -> None:
    program.window.charts_dock.hide()  # They are as they were left in the test before.
    click_figures(program, qtbot)
    assert program.window.charts_dock.isVisible()


def seen(program: Program, qtbot: QtBot, holds: Callable[[Second], bool]) -> int:
    """Wait until a whole second is as told; return how many seconds back it is."""
    seconds = program.accounting.seconds

    def found() -> bool:
        program.frame()
        return any(map(holds, seconds))

    qtbot.waitUntil(found)
    return next(back for back, second in enumerate(reversed(seconds)) if holds(second))


def test_a_click_on_the_figures_opens_the_charts_and_another_closes_them(
    program: Program, qtbot: QtBot
) -> None:
    dock = program.window.charts_dock
    open_charts(program, qtbot)
    assert QApplication.focusWidget() is program.window.charts
    click_figures(program, qtbot)
    assert dock.isHidden()
    qtbot.keyClick(program.window.top_bar.figures, Qt.Key.Key_Space)
    assert dock.isVisible()


def test_keys_open_the_charts_and_go_through_the_seconds(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    charts, dock = program.window.charts, program.window.charts_dock
    dock.hide()
    qtbot.keyClick(program.window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert dock.isVisible()
    for _ in range(3):
        fetch("/")
    end_ns = -1
    while program.accounting.end_ns != end_ns:  # Until no second passes meanwhile.
        qtbot.keyClick(charts, Qt.Key.Key_Escape)
        back = seen(program, qtbot, lambda second: second.requests > 0)
        end_ns = program.accounting.end_ns
        for _ in range(back + 1):
            qtbot.keyClick(charts, Qt.Key.Key_Left)
    assert charts.chosen == back
    assert charts.second.requests > 0
    assert "requests/s: 0" not in charts.accessibleDescription()
    assert charts.note.text().startswith("second ")
    qtbot.keyClick(charts, Qt.Key.Key_Escape)
    assert charts.chosen is None
    assert charts.note.text().startswith("60 s until ")
    qtbot.keyClick(program.window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert dock.isHidden()


def test_the_second_under_the_mouse_is_shown_in_figures(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    charts = program.window.charts
    open_charts(program, qtbot)
    fetch("/block?seconds=0.5")  # At least half of it is within one second.
    back = seen(program, qtbot, lambda second: second.server >= 0.2)
    width = charts.width()
    found = set()
    for x in range(width // 2, width):
        qtbot.mouseMove(charts, QPoint(x, 30))
        found.add(charts.chosen)
    assert {None, back} <= found
    assert charts.grab().toImage().width() == width
    qtbot.mouseMove(charts, QPoint(1, 1))
    assert charts.chosen is None


def test_the_figures_tell_what_happened(program: Program, qtbot: QtBot, fetch: Fetch) -> None:
    figures = program.window.top_bar.figures
    fetch("/block?seconds=0.8")

    def told() -> bool:
        program.frame()
        return program.accounting.latest.server >= 0.25

    qtbot.waitUntil(told)
    latest = program.accounting.latest
    assert f"server {100 * latest.server:.0f}" in figures.accessibleName()
    seen(program, qtbot, lambda second: second.intake > 0)
    seen(program, qtbot, lambda second: second.paint > 0)
    seen(program, qtbot, lambda second: second.recording > 0)
    assert "dropped 0" in figures.accessibleName()
    qtbot.mouseMove(figures, QPoint(figures.width() - 20, figures.height() // 2))
    assert "estimated" in figures.toolTip()


def test_dropped_rows_are_counted_by_kind(program: Program, qtbot: QtBot, fetch: Fetch) -> None:
    program.recorder.capacity = 1
    figures = program.window.top_bar.figures
    fetch("/")

    def told() -> bool:
        program.frame()
        return "dropped 0" not in figures.accessibleName()

    qtbot.waitUntil(told)
    program.recorder.capacity = 100_000
    figures.renew()
    assert "runs" in figures.toolTip()
    assert program.recorder.dropped["runs"] > 0


class Paints(QObject):
    """Notes when a widget is painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.last = time.monotonic()
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.last = time.monotonic()
        return False


def test_while_nothing_happens_figures_and_charts_stand_still(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    window = program.window
    open_charts(program, qtbot)
    fetch("/")
    paints = [Paints(window.charts), Paints(window.top_bar.figures)]

    def at_rest() -> bool:
        return time.monotonic() - max(one.last for one in paints) > 1.1

    qtbot.waitUntil(at_rest)
    assert any(second.requests for second in program.accounting.seconds)


def test_once_the_server_rests_figures_and_charts_fall_to_zero(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    charts, figures = program.window.charts, program.window.top_bar.figures
    open_charts(program, qtbot)
    fetch("/")
    qtbot.waitUntil(lambda: "requests/s: 1" in charts.accessibleDescription())
    rest = ("requests/s: 0", "loop lag, p99: —", "observer: 0.0 %")
    qtbot.waitUntil(lambda: all(words in charts.accessibleDescription() for words in rest))
    assert "0 req/s" in figures.accessibleName()
    assert "observer 0 %" in figures.accessibleName()


def test_charts_say_until_when_they_reach(program: Program, qtbot: QtBot, fetch: Fetch) -> None:
    charts = program.window.charts
    program.window.charts_dock.hide()
    fetch("/")
    seen(program, qtbot, lambda second: second.requests > 0)
    open_charts(program, qtbot)

    def reach() -> float:
        ended = program.session.wall_time(program.accounting.end_ns)
        assert (
            charts.note.text() == f"60 s until {time.strftime('%H:%M:%S', time.localtime(ended))}"
        )
        return ended

    assert time.time() - 5 < reach() < time.time()
    before = reach()
    fetch("/")
    qtbot.waitUntil(lambda: program.accounting.end_ns > 0 and reach() > before)


def test_an_opened_recording_shows_the_figures_at_its_end(
    running_loop: TickLoop, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "one.loopscope"
    capture.write(store_of(drawing()), file, {"dropped_runs": 3}, 1 << 16)
    program = Program(Options(open=file, lang="en"), running_loop, running_loop.recorder)
    task = running_loop.create_task(program.run())
    figures = program.window.top_bar.figures
    qtbot.waitUntil(lambda: "6 req/s" in figures.accessibleName())
    assert "dropped 3" in figures.accessibleName()
    assert "observer" not in figures.accessibleName()
    program.ended.set()
    qtbot.waitUntil(task.done)
