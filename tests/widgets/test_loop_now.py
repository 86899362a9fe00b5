"""The loop between two ticks: chips, rows, and thousands of sockets."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.recording.events import Batch, Row
from app.recording.snapshot import LoopNow, Ready, Socket, Timer
from app.recording.store import Store
from app.widgets.loop_now import SLICE, LoopNowPanel
from app.widgets.loop_tokens import MOVING
from app.widgets.loop_words import chip, fit, remaining
from app.widgets.theme import Theme
from app.widgets.timeline_text import Type

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
        self.slices: list[range] = []

    def loop_now(self, limit: int = 200) -> LoopNow:
        self.limits.append(limit)
        return self.now._replace(sockets=self.now.sockets[:limit])

    def loop_sockets(self, first: int, count: int) -> list[Socket]:
        self.slices.append(range(first, first + count))
        return super().loop_sockets(first, count)


def run(id_: int, name: str, owner: int = 0, cause: int = 0) -> Row:
    start = id_ * 1_000_000
    return (id_, id_, start, start + 40_000, name, owner, 0, cause, start - 1)


def happens(panel: LoopNowPanel, *runs: Row) -> None:
    """Record runs, each in a tick of its own, and let the panel look."""
    ticks = [(row[1], row[2], row[2], row[3], 1, 0, 3) for row in runs]
    panel._store.apply(Batch(ticks, list(runs), [], [], [], [], [], [], []))
    panel._clock.stop()
    panel._asked = 0.0
    panel.refresh()


def listed(panel: LoopNowPanel) -> list[int]:
    return [one.passage.run.id for one in panel.board.tokens.ran]


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
    assert "sleep · due in 31 ms · #104" in words
    assert "#106 step get · runs next · #106" in words


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


def test_a_narrow_panel_uses_all_its_rows(qtbot: QtBot) -> None:
    few = [Socket(n, "r", "listen", 0, "") for n in range(10, 20)]
    panel, _ = shown(qtbot, STATE._replace(sockets=few, socket_count=10))
    panel.resize(560, 140)
    chips = [spot.area for spot in panel.board.spots if spot.key[0] == "socket"]
    assert len({area.top() for area in chips}) >= 2


def test_thousands_of_sockets_become_a_heat_map(qtbot: QtBot) -> None:
    many = [Socket(n, "r", "connection", n % 10 and 0, "") for n in range(10, 5010)]
    many[3] = Socket(13, "r", "connection", 7, "")
    panel, controls = shown(qtbot, STATE._replace(sockets=many, socket_count=5000))
    assert max(map(len, controls.slices)) == SLICE
    assert max(controls.limits) < SLICE
    found = {
        spot.words
        for x in range(12, 120)
        if (spot := panel.board.spot_at(QPoint(x, 31))) is not None
    }
    assert any(words.startswith("fd 13 ") for words in found)


def test_a_heat_map_shows_sockets_that_come_and_go(qtbot: QtBot) -> None:
    many = [Socket(n, "r", "connection", 0, "") for n in range(10, 2510)]
    panel, controls = shown(qtbot, STATE._replace(sockets=many, socket_count=2500))
    panel._round_due = 0.0
    busy = [Socket(n, "r", "connection", n, "") for n in range(1000, 3400)]
    controls.now = STATE._replace(sockets=busy, socket_count=2400)
    panel._asked = 0.0
    panel.refresh()
    qtbot.waitUntil(lambda: panel.board.state.sockets == busy)
    controls.now = STATE
    panel._asked = 0.0
    panel.refresh()
    assert panel.board.state == STATE


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


def test_a_run_moves_from_its_socket_over_the_ready_queue_to_what_just_ran(qtbot: QtBot) -> None:
    panel, _ = shown(qtbot, STATE)
    happens(panel, run(1, "first"))
    assert listed(panel) == [1]
    assert not panel.board.moves
    happens(panel, run(2, "read fd 14", 101))
    (token,) = panel.board.tokens.moving
    chip = next(spot.area for spot in panel.board.spots if "fd 14" in spot.words)
    assert token.source == chip
    assert chip.contains(token.start)
    begins, places = token.begins, []
    for after in (0.0, 0.2, 0.45, 0.7):
        ((_, at, _),) = panel.board.tokens.placed(begins + after, QPoint(800, 40))
        places.append(at.x())
    assert places == sorted(set(places))
    assert places[0] == chip.left()
    assert panel.board.moves
    assert listed(panel) == [1]
    qtbot.waitUntil(lambda: listed(panel) == [2, 1])
    words = [spot.words for spot in panel.board.spots]
    assert any("read fd 14 · took 40 µs · fd 14 had become ready" in word for word in words)
    qtbot.waitUntil(lambda: not panel.board.moves)  # Nothing costs anything at rest.


def test_a_timer_and_a_callback_come_from_where_they_were(qtbot: QtBot) -> None:
    panel, _ = shown(qtbot, STATE)
    happens(panel, run(1, "first"))
    happens(panel, run(2, "soon"), run(3, "sleep", 104, cause=1), run(4, "late"))
    soon, timer, _ = panel.board.tokens.moving
    place = next(spot.area for spot in panel.board.spots if spot.words.startswith("sleep"))
    assert place.contains(timer.start)
    assert soon.start == soon.ready


def test_what_comes_from_nowhere_leaves_no_mark_in_the_corner(qtbot: QtBot) -> None:
    panel, _ = shown(qtbot, STATE)
    corner = QRect(0, 0, 4, 4)
    before = panel.board.grab(corner).toImage()
    happens(panel, run(1, "first"))
    happens(panel, run(2, "soon"))
    assert panel.board.tokens.moving[0].source.isEmpty()
    assert panel.board.grab(corner).toImage() == before


def test_of_too_many_runs_some_move_and_say_for_how_many_they_stand(qtbot: QtBot) -> None:
    panel, _ = shown(qtbot, STATE)
    happens(panel, run(1, "first"))
    happens(panel, *(run(n, "call") for n in range(2, 402)))
    happens(panel, *(run(n, "call") for n in range(402, 502)))
    moving = panel.board.tokens.moving
    assert len(moving) == MOVING
    assert sum(token.passage.runs for token in moving) == 400
    assert all(f"×{token.passage.runs}" in token.text for token in moving)
    qtbot.waitUntil(lambda: not panel.board.tokens.moving)
    happens(panel, run(502, "call"))
    assert sum(token.passage.runs for token in moving) == 101  # None is left out.


def test_hidden_it_moves_nothing(qtbot: QtBot) -> None:
    panel, _ = shown(qtbot, STATE)
    happens(panel, run(1, "first"))
    happens(panel, run(2, "call"))
    panel.hide()
    assert not panel.board.moves
    assert not panel.board.tokens.moving


def test_the_keyboard_reaches_everything_and_selects_requests(qtbot: QtBot) -> None:
    panel, _ = shown(qtbot, STATE)
    happens(panel, run(1, "call", 107))
    board = panel.board
    board.setFocus()
    seen = []
    for key in (*[Qt.Key.Key_Right] * 6, *[Qt.Key.Key_Left] * 2):
        QTest.keyClick(board, key)
        seen.append(board.accessibleDescription())
    for known in ("fd 9", "fd 14", "sleep", "#106 step get", "call"):
        assert any(known in words for words in seen), known
    while not board.accessibleDescription().startswith("#106"):
        QTest.keyClick(board, Qt.Key.Key_Right)
    with qtbot.waitSignal(panel.request_selected) as told:
        QTest.keyClick(board, Qt.Key.Key_Return)
    assert told.args == [106]


def test_the_keyboard_walks_over_the_heat_map(qtbot: QtBot) -> None:
    many = [Socket(n, "r", "connection", n == 11 and 7, "") for n in range(10, 5010)]
    panel, _ = shown(qtbot, STATE._replace(sockets=many, socket_count=5000))
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right):
        QTest.keyClick(panel.board, key)
    assert panel.board.accessibleDescription().startswith("fd 11 ")
    with qtbot.waitSignal(panel.request_selected) as told:
        QTest.keyClick(panel.board, Qt.Key.Key_Return)
    assert told.args == [7]
    QTest.keyClick(panel.board, Qt.Key.Key_Down)
    assert panel.board.accessibleDescription().startswith("fd ")
    assert not panel.board.accessibleDescription().startswith("fd 11 ")


def test_a_chip_names_the_client(qtbot: QtBot) -> None:
    socket = Socket(20, "r", "client", 0, "Alice port 50001")
    assert chip(socket) == "fd 20 client Alice"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 ms"), (0.031, "31 ms"), (3.6, "3.6 s"), (150, "2.5 min"), (3540, "59 min")],
)
def test_remaining_times_are_short(seconds: float, text: str) -> None:
    assert remaining(seconds) == text


def test_a_task_without_a_name_does_not_look_like_a_request(qtbot: QtBot) -> None:
    kind = Type(Theme().font(mono=True), 1.0)

    def cut(text: str, like: str) -> str:
        return fit(kind, text, kind.width(like))

    assert cut("step task #282", "step task #282") == "step task #282"
    assert cut("step task #282", "task #282") == "task #282"
    assert cut("#101 step task #282", "#101 task #282") == "#101 task #282"
    assert cut("step task #282", "task #2") == "task #…"
    assert cut("step Story.get", "get") == "get"


class Painted(QObject):
    """Counts how often a widget is painted."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_a_busy_loop_gets_fewer_pictures_of_what_moves(qtbot: QtBot) -> None:
    panel, _ = shown(qtbot, STATE)
    happens(panel, run(1, "first"))
    painted = Painted()
    panel.board.installEventFilter(painted)

    def pictures(first: int) -> int:
        painted.count = 0
        happens(panel, *(run(id_, "callback") for id_ in range(first, first + 3)))
        assert panel.board.moves
        qtbot.waitUntil(lambda: not panel.board.moves)
        return painted.count

    calm = pictures(2)
    panel.set_load(0.95)
    assert pictures(5) < calm / 2
