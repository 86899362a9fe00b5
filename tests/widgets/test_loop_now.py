"""The loop between two ticks: chips, rows, and thousands of sockets."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.recording.snapshot import LoopNow, Ready, Socket, Timer
from app.recording.store import Store
from app.widgets.loop_board import remaining
from app.widgets.loop_now import LoopNowPanel
from app.widgets.theme import Theme

from .fake_controls import FakeControls

SOCKETS = [
    Socket(9, "r", "listen", 0, "127.0.0.1:8888"),
    Socket(14, "r", "connection", 101, "127.0.0.1:50000"),
    Socket(15, "rw", "connection", 0, "127.0.0.1:50001"),
]
STATE = LoopNow(48213, SOCKETS, [Timer(0.031, "sleep", 104)], [Ready("step get", 106)], 3, 1, 1)


class Counting(FakeControls):
    """Counts how often, and for how much, it was asked."""

    def __init__(self, state: LoopNow) -> None:
        super().__init__()
        self.now = state
        self.limits: list[int] = []

    def loop_now(self, limit: int = 200) -> LoopNow:
        self.limits.append(limit)
        return self.now._replace(sockets=self.now.sockets[:limit])


def shown(qtbot: QtBot, state: LoopNow) -> tuple[LoopNowPanel, Counting]:
    controls = Counting(state)
    panel = LoopNowPanel(Store(), controls, Theme())
    qtbot.addWidget(panel)
    panel.resize(900, 170)
    panel.show()
    qtbot.waitUntil(lambda: panel.board.state == state)
    panel.board.repaint()
    return panel, controls


def test_the_note_says_tick_and_ready(qtbot: QtBot) -> None:
    panel, _ = shown(qtbot, STATE)
    assert panel.note.text() == "tick 48,213 · 1 ready"


def test_everything_can_be_pointed_at(qtbot: QtBot) -> None:
    panel, _ = shown(qtbot, STATE)
    words = [spot.words for spot in panel.board.spots]
    assert len(words) == 5
    assert any("127.0.0.1:50000" in word for word in words)
    assert "sleep · 31 ms" in words
    assert "#106 step get" in words


def test_a_click_selects_the_request(qtbot: QtBot) -> None:
    panel, _ = shown(qtbot, STATE)
    spot = next(spot for spot in panel.board.spots if spot.owner == 101)
    with qtbot.waitSignal(panel.request_selected) as told:
        QTest.mouseClick(panel.board, Qt.MouseButton.LeftButton, pos=spot.area.center())
    assert told.args == [101]
    free = next(spot for spot in panel.board.spots if spot.owner == 0)
    with qtbot.assertNotEmitted(panel.request_selected):
        QTest.mouseClick(panel.board, Qt.MouseButton.LeftButton, pos=free.area.center())


def test_what_has_no_room_is_counted_not_painted_over(qtbot: QtBot) -> None:
    many = [Socket(n, "r", "connection", 0, "") for n in range(10, 290)]
    panel, _ = shown(qtbot, STATE._replace(sockets=many, socket_count=280))
    areas = [spot.area for spot in panel.board.spots]
    assert 4 < len(areas) < 100
    assert all(panel.board.rect().contains(area) for area in areas)


def test_thousands_of_sockets_become_a_heat_map(qtbot: QtBot) -> None:
    many = [Socket(n, "r", "connection", n % 10 and 0, "") for n in range(10, 5010)]
    many[3] = Socket(13, "r", "connection", 7, "")
    panel, controls = shown(qtbot, STATE._replace(sockets=many, socket_count=5000))
    assert max(controls.limits) >= 5000
    found = {
        spot.words
        for x in range(12, 120)
        if (spot := panel.board.spot_at(QPoint(x, 31))) is not None
    }
    assert any(words.startswith("fd 13 #7") for words in found)


def test_it_asks_at_most_eight_times_a_second(qtbot: QtBot) -> None:
    panel, controls = shown(qtbot, STATE)
    asked = len(controls.limits)
    for _ in range(10):
        panel.refresh()
    assert len(controls.limits) == asked
    panel.hide()
    qtbot.wait(150)
    panel.refresh()
    assert len(controls.limits) == asked


def test_an_empty_loop_has_words(qtbot: QtBot) -> None:
    panel, _ = shown(qtbot, LoopNow(0, [], [], [], 0, 0, 0))
    assert panel.board.spots == []
    assert panel.note.text() == "tick 0 · 0 ready"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 ms"), (0.031, "31 ms"), (3.6, "3.6 s"), (150, "2.5 min"), (3540, "59 min")],
)
def test_remaining_times_are_short(seconds: float, text: str) -> None:
    assert remaining(seconds) == text
