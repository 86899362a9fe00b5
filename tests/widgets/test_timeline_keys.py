"""The timeline by mouse and keys: measuring, filtering, folding, going from lane to lane."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.recording.events import Row
from app.widgets.theme import Theme
from app.widgets.timeline import TimelinePanel
from app.widgets.timeline_rows import CONNECTION, CONNECTIONS, REQUEST
from app.widgets.timeline_rows import Row as Key

from .sample import MS, batch, drawing, store_of

LEFT, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier
NOW = 300 * MS


@pytest.fixture
def panel(qtbot: QtBot) -> TimelinePanel:
    """The recording of the drawings, on one connection, all of it in view."""
    connection: Row = (1, "127.0.0.1:4001", MS, None, 0, 0, 9, None)
    block: Row = (1, 1, 104, "b.py", 3, "get", 80 * MS, 106 * MS, "", 0, 0, "[]")
    store = store_of(drawing()._replace(connections=[connection], blocks=[block]))
    panel = TimelinePanel(store, Theme(), lambda: NOW)
    qtbot.addWidget(panel)
    panel.resize(900, 520)
    panel.show()
    panel.activateWindow()
    panel.setFocus()
    qtbot.waitExposed(panel)
    qtbot.waitUntil(panel.hasFocus)
    qtbot.waitUntil(lambda: len(panel.canvas.shown) == 6)
    return panel


def at(panel: TimelinePanel, ms: float, row: Key | None = None) -> QPoint:
    """A point in the middle of a row, or of the loop's lane, at a time."""
    lay, view = panel.canvas.lay, panel.canvas.view
    y = lay.loop_top + lay.loop_height // 2
    if row is not None:
        placed = next(p for p in panel.canvas.placed if p.row == row)
        y = placed.top + placed.height // 2
    return QPoint(lay.label + round(view.x(ms * MS)), y)


def drag(panel: TimelinePanel, start: QPoint, end: QPoint, *, shift: bool = False) -> None:
    keys = SHIFT if shift else Qt.KeyboardModifier.NoModifier
    QTest.mousePress(panel.canvas, LEFT, keys, start)
    QTest.mouseMove(panel.canvas, (start + end) / 2)
    QTest.mouseMove(panel.canvas, end)
    QTest.mouseRelease(panel.canvas, LEFT, keys, end)


def choose(menu: QMenu, text: str) -> QAction:
    """Choose what a menu offers under *text*, without its key."""
    action = next(action for action in menu.actions() if action.text().split("\t")[0] == text)
    action.trigger()
    return action


# -- Measuring -----------------------------------------------------------------------------------


def test_shift_and_drag_measures(panel: TimelinePanel) -> None:
    view = panel.canvas.view
    start = view.start
    drag(panel, at(panel, 115), at(panel, 150), shift=True)
    measure = panel.canvas.measure
    assert measure is not None
    assert measure.end_ns - measure.start_ns == pytest.approx(35 * MS, abs=2 * view.scale)
    assert panel.canvas.scene.measured().endswith(" ms · 5 runs · 3 requests")
    assert view.start == start
    assert not panel.following
    QTest.keyClick(panel, Qt.Key.Key_Escape)
    assert panel.canvas.measure is None
    assert panel.canvas.scene.measured() == ""


def test_the_tool_measures_until_it_is_put_away(panel: TimelinePanel) -> None:
    QTest.keyClick(panel, Qt.Key.Key_M)
    assert panel.tools.measure.isChecked()
    drag(panel, at(panel, 100), at(panel, 50))
    first = panel.canvas.measure
    assert first is not None
    assert first.end_ns == pytest.approx(100 * MS, abs=2 * panel.canvas.view.scale)
    QTest.mouseClick(panel.tools.measure, LEFT)
    assert panel.canvas.measure is None
    drag(panel, at(panel, 100), at(panel, 50))
    assert panel.canvas.measure is None


def test_keys_measure_and_fit_shows_what_is_measured(panel: TimelinePanel) -> None:
    view = panel.canvas.view
    for _ in range(5):
        QTest.keyClick(panel, Qt.Key.Key_Right, SHIFT)
    QTest.keyClick(panel, Qt.Key.Key_Left, SHIFT)
    measure = panel.canvas.measure
    assert measure is not None
    assert measure.end_ns - measure.start_ns == pytest.approx(32 * view.scale)
    QTest.keyClick(panel, Qt.Key.Key_0)
    assert view.x(measure.start_ns) == pytest.approx(0.05 * view.width)
    assert view.x(measure.end_ns) > 0.9 * view.width


def test_a_measured_span_stays_where_it_is_in_time(panel: TimelinePanel) -> None:
    drag(panel, at(panel, 60), at(panel, 90), shift=True)
    before = panel.canvas.scene.measured()
    QTest.keyClick(panel, Qt.Key.Key_Plus)
    QTest.keyClick(panel, Qt.Key.Key_Left)
    assert panel.canvas.scene.measured() == before


# -- Filter --------------------------------------------------------------------------------------


def test_slash_filters_and_escape_shows_all_again(qtbot: QtBot, panel: TimelinePanel) -> None:
    QTest.keyClick(panel, Qt.Key.Key_Slash)
    field = panel.filter.field
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClicks(field, "wait")
    qtbot.waitUntil(lambda: [one.request_id for one, _ in panel.canvas.shown] == [102])
    assert panel.tools.filter.isChecked()
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert panel.hasFocus()
    QTest.keyClick(panel, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: len(panel.canvas.shown) == 6)
    assert not panel.filter.isVisible()
    assert not panel.tools.filter.isChecked()


# -- Rows ----------------------------------------------------------------------------------------


def test_the_keys_reach_every_row(qtbot: QtBot, panel: TimelinePanel) -> None:
    rows = []
    for _ in range(4):
        QTest.keyClick(panel, Qt.Key.Key_Down)
        rows.append(panel.canvas.focused)
    assert rows == [(CONNECTIONS, ""), (CONNECTION, 1), (REQUEST, 101), (REQUEST, 102)]
    assert panel.canvas.request_id == 102
    QTest.keyClick(panel, Qt.Key.Key_Return)
    view = panel.canvas.view
    assert view.x(44 * MS) == pytest.approx(0.05 * view.width, abs=2)


def test_return_folds_what_a_row_heads(qtbot: QtBot, panel: TimelinePanel) -> None:
    def connections() -> int:
        return sum(p.row.kind == CONNECTION for p in panel.canvas.placed)

    QTest.keyClick(panel, Qt.Key.Key_Down)
    QTest.keyClick(panel, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: connections() == 0)
    QTest.mouseClick(panel.canvas, LEFT, pos=at(panel, 10, Key(CONNECTIONS, "")))
    qtbot.waitUntil(lambda: connections() == 1)


def test_a_click_selects_in_every_lane(panel: TimelinePanel) -> None:
    chosen: list[int] = []
    panel.request_selected.connect(chosen.append)
    for point in (
        at(panel, 90),  # The loop's lane, where 104 ran.
        at(panel, 180, Key(CONNECTION, 1)),
        at(panel, 100, Key(REQUEST, 103)),
        at(panel, 0.9),  # The window ran.
    ):
        QTest.mouseClick(panel.canvas, LEFT, pos=point)
    assert chosen == [104, 106, 103]


def test_j_goes_to_the_selected_request(panel: TimelinePanel) -> None:
    view = panel.canvas.view
    panel.canvas.pan(100_000)
    panel.select_request(103)
    span = view.span
    QTest.keyClick(panel, Qt.Key.Key_J)
    assert view.start < 61 * MS
    assert view.end > 172 * MS
    assert view.span == span
    assert panel.canvas.focused == (REQUEST, 103)


def test_s_hides_the_stages_of_a_request(qtbot: QtBot, panel: TimelinePanel) -> None:
    def with_stages() -> list[int]:
        return [one.request_id for one, _ in panel.canvas.shown if one.stages]

    panel.select_request(102)
    QTest.keyClick(panel, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: with_stages() == [101, 103, 104, 105, 106])
    QTest.keyClick(panel, Qt.Key.Key_S, SHIFT)
    qtbot.waitUntil(lambda: with_stages() == [])
    assert {p.height for p in panel.canvas.placed if p.row.kind == REQUEST} == {
        panel.canvas.lay.heights.thin
    }


def test_the_menu_hides_kinds_of_lanes(qtbot: QtBot, panel: TimelinePanel) -> None:
    menu = panel.tools.menu
    menu.aboutToShow.emit()
    lanes_top = panel.canvas.lay.lanes_top
    choose(menu, "The window's own runs")
    assert panel.canvas.lay.lanes_top < lanes_top
    choose(menu, "Connections")
    qtbot.waitUntil(lambda: {p.row.kind for p in panel.canvas.placed} == {REQUEST})
    choose(menu, "Group by route")
    qtbot.waitUntil(lambda: not panel.canvas.shown)
    menu.aboutToShow.emit()
    action = choose(menu, "One lane for each request")
    assert action.isChecked()
    qtbot.waitUntil(lambda: len(panel.canvas.shown) == 6)


def test_l_opens_the_menu_of_the_row(qtbot: QtBot, panel: TimelinePanel) -> None:
    panel.select_request(102)
    QTest.keyClick(panel, Qt.Key.Key_L)
    menu = next(menu for menu in panel.findChildren(QMenu) if menu.isVisible())
    choose(menu, "Show the whole request")
    menu.close()
    view = panel.canvas.view
    assert view.x(44 * MS) == pytest.approx(0.05 * view.width, abs=2)


def test_the_right_button_opens_the_menu_of_the_row_below(panel: TimelinePanel) -> None:
    point = at(panel, 100, Key(CONNECTIONS, ""))
    event = QContextMenuEvent(
        QContextMenuEvent.Reason.Mouse, point, panel.canvas.mapToGlobal(point)
    )
    QApplication.sendEvent(panel.canvas, event)
    menu = next(menu for menu in panel.findChildren(QMenu) if menu.isVisible())
    choose(menu, "Hide its lanes")
    menu.close()
    assert panel.canvas.rows.is_folded(Key(CONNECTIONS, ""))


def test_the_pointer_is_told_the_exact_time(panel: TimelinePanel) -> None:
    point = at(panel, 100)
    QTest.mouseMove(panel.canvas, point)
    assert panel.canvas.pointer == point.x() - panel.canvas.lay.label


def test_tooltips_of_the_other_rows(panel: TimelinePanel) -> None:
    words = panel.canvas.words_at(at(panel, 100, Key(CONNECTION, 1)))
    assert "127.0.0.1:4001" in words
    assert "#104 POST /login" in words
    assert "connections in view: 1" in panel.canvas.words_at(at(panel, 9, Key(CONNECTIONS, "")))


def test_a_block_is_red_in_the_loops_lane_and_in_its_requests(panel: TimelinePanel) -> None:
    panel.canvas.point_at(None)
    image = panel.canvas.grab().toImage()
    red = panel.canvas.ink.error
    for point in (at(panel, 104), at(panel, 104, Key(REQUEST, 104))):
        assert image.pixelColor(point) == red
    assert image.pixelColor(at(panel, 30)) != red


def test_another_store_forgets_what_was_measured(panel: TimelinePanel) -> None:
    drag(panel, at(panel, 60), at(panel, 90), shift=True)
    panel.set_store(store_of(batch()), None)
    assert panel.canvas.measure is None
    assert panel.canvas.focused is None
