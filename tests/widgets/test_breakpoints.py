"""The panel of breakpoints: what it asks for, what it shows, by mouse and by keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTreeWidgetItem
from pytestqt.qtbot import QtBot

from app.recording.events import Row
from app.recording.store import Store
from app.server.breakpoints import Breakpoint, Parked
from app.widgets.breakpoints import BreakpointsPanel
from app.widgets.main_window import MainWindow
from app.widgets.request_columns import status_colour, status_words
from app.widgets.request_menu import RequestMenu, breakpoints_for
from app.widgets.theme import Theme

from .fake_controls import FakeControls
from .sample import batch, drawing, request, store_of

S = 1_000_000_000
POINT = Breakpoint("verb", route="/wait")


@pytest.fixture
def controls() -> FakeControls:
    return FakeControls()


@pytest.fixture
def panel(qtbot: QtBot, controls: FakeControls) -> BreakpointsPanel:
    panel = BreakpointsPanel(store_of(drawing()), controls, Theme(), lambda: 10 * S)
    qtbot.addWidget(panel)
    panel.resize(700, 260)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def park(controls: FakeControls, *numbers: int) -> None:
    """Let requests be parked at `POINT`."""
    points = controls.breakpoints
    points.places = [Parked(number, "get", 9 * S, POINT) for number in numbers]
    for point in (POINT, Breakpoint("finish", enabled=False)):
        points.add(point)


def parked_item(panel: BreakpointsPanel, place: int = 0) -> QTreeWidgetItem:
    point = panel.tree.topLevelItem(0)
    assert point is not None
    item = point.child(place)
    assert item is not None
    return item


def test_an_empty_panel_says_what_a_breakpoint_does(panel: BreakpointsPanel) -> None:
    assert panel.pages.empty.isVisible()
    assert not panel.resume.isEnabled()
    assert not panel.resume_all.isEnabled()


def test_the_choices_make_a_breakpoint(
    qtbot: QtBot, panel: BreakpointsPanel, controls: FakeControls
) -> None:
    form = panel.form
    places = [form.place.itemText(at) for at in range(form.place.count())]
    assert places[:2] == ["any route", "/"]
    assert {"/wait", "class WaitHandler"} <= set(places)
    assert "/old" not in places[:6]  # It is not enabled.
    form.place.setCurrentText("/wait")
    form.client.setCurrentText("Bob")
    qtbot.mouseClick(form.add, Qt.MouseButton.LeftButton)
    form.stage.setCurrentIndex(0)
    form.place.setCurrentText("class WaitHandler")
    form.client.setCurrentIndex(0)
    qtbot.mouseClick(form.add, Qt.MouseButton.LeftButton)
    assert controls.breakpoints.all() == [
        Breakpoint("verb", "/wait", None, "Bob"),
        Breakpoint("received", None, "WaitHandler"),
    ]
    qtbot.waitUntil(lambda: panel.tree.topLevelItemCount() == 2)
    assert panel.tree.isVisible()


def test_parked_requests_stand_under_their_breakpoint(
    qtbot: QtBot, panel: BreakpointsPanel, controls: FakeControls
) -> None:
    with qtbot.waitSignal(panel.parked_changed) as told:
        park(controls, 102, 103)
    assert told.args == [2]
    point = panel.tree.topLevelItem(0)
    assert point is not None
    assert [point.text(n) for n in range(4)] == [
        "before get, post, …",
        "/wait",
        "any client",
        "2 parked",
    ]
    item = parked_item(panel)
    texts = [item.text(n) for n in range(4)]
    assert texts == ["#102  before get", "GET /wait", "Alice", "1.0 s"]


def test_of_very_many_only_the_first_are_listed(
    qtbot: QtBot, panel: BreakpointsPanel, controls: FakeControls
) -> None:
    park(controls, *range(1, 501))
    qtbot.waitUntil(lambda: panel.resume_all.isEnabled())
    point = panel.tree.topLevelItem(0)
    assert point is not None
    assert (point.text(3), point.childCount()) == ("500 parked", 101)
    more = parked_item(panel, 100)
    assert more.text(0) == "… and 400 more"
    panel.tree.setCurrentItem(more)
    assert panel.tree.chosen_one() == (None, 0)
    assert not panel.resume.isEnabled()


def test_one_or_all_are_resumed_or_killed(
    qtbot: QtBot, panel: BreakpointsPanel, controls: FakeControls
) -> None:
    park(controls, 102, 103)
    qtbot.waitUntil(lambda: panel.resume_all.isEnabled())
    with qtbot.waitSignal(panel.request_selected) as told:
        panel.tree.setCurrentItem(parked_item(panel, 1))
    assert told.args == [103]
    for button in (panel.resume, panel.kill, panel.resume_all):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert controls.breakpoints.resumed == [103, None]
    assert controls.breakpoints.killed == [103]
    assert not panel.remove.isEnabled()


def test_the_first_parked_request_is_at_hand(
    qtbot: QtBot, panel: BreakpointsPanel, controls: FakeControls
) -> None:
    park(controls, 102, 103)
    qtbot.waitUntil(lambda: panel.resume.isEnabled())
    qtbot.keyClick(panel.tree, Qt.Key.Key_Return)
    assert controls.breakpoints.resumed == [102]
    controls.breakpoints.places = controls.breakpoints.places[1:]
    controls.breakpoints_changed.emit()
    qtbot.waitUntil(lambda: panel.tree.chosen_one() == (None, 103))


def test_keys_tick_and_remove_a_breakpoint(
    qtbot: QtBot, panel: BreakpointsPanel, controls: FakeControls
) -> None:
    park(controls)
    qtbot.waitUntil(lambda: panel.tree.topLevelItemCount() == 2)
    panel.tree.setFocus()
    first = panel.tree.topLevelItem(0)
    assert first is not None
    panel.tree.setCurrentItem(first)
    qtbot.keyClick(panel.tree, Qt.Key.Key_Space)
    assert [point.enabled for point in controls.breakpoints.all()] == [False, False]
    qtbot.waitUntil(lambda: panel.tree.chosen_one() == (POINT, 0))
    qtbot.wait(50)
    assert panel.tree.chosen_one() == (POINT, 0)
    qtbot.keyClick(panel.tree, Qt.Key.Key_Delete)
    assert controls.breakpoints.all() == [Breakpoint("finish")]


def test_the_menu_of_a_request_adds_breakpoints(qtbot: QtBot, controls: FakeControls) -> None:
    window = MainWindow(store_of(drawing()), controls, Theme())
    qtbot.addWidget(window)
    window.show()
    row = window.store.requests.get(102)
    assert row is not None
    menu = window.findChild(RequestMenu)
    assert menu is not None
    texts = [action.text() for action in menu.menu(row).actions()][:3]
    assert texts == [
        f"Break here next time: before {stage}" for stage in ("prepare", "get", "finish")
    ]
    menu.menu(row).actions()[1].trigger()
    assert controls.breakpoints.all() == [Breakpoint("verb", "/wait", method="GET")]
    assert window.traffic.stack.currentWidget() is window.breakpoints
    controls.breakpoints.places = [Parked(102, "get", 0, controls.breakpoints.all()[0])]
    assert [action.text() for action in menu.menu(row).actions()][:2] == ["Resume", "Kill"]
    controls.breakpoints_changed.emit()
    at = window.traffic.stack.indexOf(window.breakpoints)
    qtbot.waitUntil(lambda: window.traffic.tabs.tabText(at) == "Breakpoints (1)")
    window.retranslate()
    qtbot.waitUntil(lambda: window.traffic.tabs.tabText(at) == "Breakpoints (1)")


def test_a_request_without_a_route_is_known_by_its_handler() -> None:
    row = (*request(1, 0)[:6], None, "ErrorHandler", *request(1, 0)[8:])
    assert {(point.route, point.handler) for point in breakpoints_for(row)} == {
        (None, "ErrorHandler")
    }


def test_the_table_tells_who_is_parked() -> None:
    store = Store()
    stages: Row = ("initialize", 1, 2, None, "parked before get", 3, None, None)
    store.apply(batch(requests=[(*request(1, 0)[:-1], stages)]))
    row = store.requests.get(1)
    assert row is not None
    assert (status_words(row), status_colour(row)) == ("parked", "warn")
    stages = (*stages[:6], 4, None)
    store.apply(batch(requests=[(*request(1, 0, 5, 200)[:-1], stages)]))
    row = store.requests.get(1)
    assert row is not None
    assert status_words(row).startswith("200")
