"""The tree of unfinished tasks: it changes in place."""

from __future__ import annotations

import ast
import inspect
import time
from itertools import pairwise
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTreeWidgetItem
from pytestqt.qtbot import QtBot

from app.recording import waiting, waiting_kinds
from app.recording.snapshot import Frame, PendingTask, Phrase
from app.recording.store import Store
from app.session import act
from app.widgets.i18n import load
from app.widgets.theme import Theme
from app.widgets.waiting import LISTED, WaitingPanel
from app.widgets.waiting_acts import ActDialog, literal
from app.widgets.waiting_item import age

from .fake_controls import FakeControls

S = 1_000_000_000


def task(
    id_: int, owner: int, since: int = 0, user: str = "/app/handlers/h.py", **more: Any
) -> PendingTask:
    library = "/usr/lib/tornado/web.py"
    found = PendingTask(
        id_,
        f"Task-{id_}",
        "RequestHandler._execute",
        owner,
        [
            Frame(library, 1, "outer", True),
            Frame(library, 2, "RequestHandler._execute", True),
            Frame(user, 2, "WaitHandler.get", False, "await gen.sleep(1)"),
            Frame(library, 3, "sleep", True),
        ],
        f"sleep #{id_}",
        (Phrase("timer, in {time}", (("time", "0.300 s"),)),),
        since,
        wait_id=id_ + 70,
    )
    return found._replace(**more)


class Clock:
    now = 10 * S

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def panel(qtbot: QtBot) -> WaitingPanel:
    panel = WaitingPanel(Store(), FakeControls(), Theme(), Clock())
    qtbot.addWidget(panel)
    panel.resize(900, 400)
    panel.show()
    panel._ticker.stop()
    qtbot.waitExposed(panel)
    qtbot.wait(10)
    return panel


def top(panel: WaitingPanel) -> list[str]:
    items = (panel.tree.topLevelItem(n) for n in range(panel.tree.topLevelItemCount()))
    return [item.text(0) for item in items if item is not None]


def item_of(panel: WaitingPanel, place: int) -> QTreeWidgetItem:
    item = panel.tree.topLevelItem(place)
    assert item is not None
    return item


def below(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    children = (item.child(n) for n in range(item.childCount()))
    return [child for child in children if child is not None]


def test_of_thousands_the_longest_waits_are_listed_and_only_open_ones_are_built(
    panel: WaitingPanel, qtbot: QtBot
) -> None:
    panel.show_tasks([task(n, n, since=n) for n in range(1, LISTED + 100)])
    assert panel.tree.topLevelItemCount() == LISTED
    assert panel.more.isVisible()
    assert str(LISTED) in panel.more.text()
    item = item_of(panel, 3)
    assert not item.isExpanded()
    assert item.childCount() == 0
    QTest.mouseClick(
        panel.tree.viewport(),
        Qt.MouseButton.LeftButton,
        pos=panel.tree.visualItemRect(item).center(),
    )
    QTest.keyClick(panel.tree, Qt.Key.Key_Right)
    assert item.isExpanded()
    assert "WaitHandler.get" in "".join(child.text(0) for child in children(item))
    panel.show_tasks([task(n, n) for n in range(1, 9)])
    assert not panel.more.isVisible()


def test_a_long_list_grows_step_by_step(
    panel: WaitingPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def waiting(limit: int = 500) -> list[PendingTask]:
        asked.append(limit)
        return [task(n, n, since=n * S) for n in range(1, 10_000)][:limit]

    monkeypatch.setattr(panel._controls, "waiting", waiting)
    panel._due = 0.0
    panel.refresh()
    assert 0 < panel.tree.topLevelItemCount() < LISTED / 2
    qtbot.waitUntil(lambda: panel.tree.topLevelItemCount() == LISTED)
    assert all(after - before < LISTED / 2 for before, after in pairwise([0, *asked]))
    panel.tree.scrollToBottom()
    assert item_of(panel, LISTED - 1).text(3)
    panel._due = 0.0
    panel.refresh()
    assert asked[-1] == LISTED + 1
    assert panel.more.isVisible()


def test_thousands_are_asked_for_less_often_but_their_waits_grow(
    panel: WaitingPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def slow(limit: int = 500) -> list[PendingTask]:
        asked.append(limit)
        time.sleep(0.03)
        return [task(1, 1, since=0)]

    monkeypatch.setattr(panel._controls, "waiting", slow)
    clock = panel._clock
    assert isinstance(clock, Clock)
    panel._due = 0.0
    panel.refresh()
    assert item_of(panel, 0).text(3) == "10.0 s"
    clock.now = 13 * S
    qtbot.wait(300)
    panel.refresh()
    assert item_of(panel, 0).text(3) == "13.0 s"
    assert len(asked) == 1


def children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    found = (item.child(n) for n in range(item.childCount()))
    return [child for child in found if child is not None]


def test_requests_come_first_and_are_open(panel: WaitingPanel) -> None:
    panel.show_tasks([task(1, -1), task(2, 0), task(3, 102), task(4, -2)])
    assert top(panel)[:2] == ["WaitHandler.get", "#102 WaitHandler.get"]
    assert item_of(panel, 1).isExpanded()
    assert not item_of(panel, 0).isExpanded()


def test_frames_fold_and_end_in_what_is_awaited(panel: WaitingPanel) -> None:
    panel.show_tasks([task(3, 102)])
    item = item_of(panel, 0)
    folded, frame, library, last = below(item)
    assert folded.text(0).startswith("2 library frames")
    assert folded.childCount() == 2
    assert frame.text(0).startswith("h.py:2  WaitHandler.get")
    assert library.text(0) == "web.py:3  sleep"
    assert last.text(0) == "waits for sleep #3 · can be resolved by: timer, in 0.300 s"
    assert [item.text(column) for column in (1, 3)] == ["sleep #3", "10.0 s"]


def test_the_source_line_of_a_users_frame_is_shown(panel: WaitingPanel) -> None:
    panel.show_tasks([task(3, 102)])
    assert below(item_of(panel, 0))[1].text(0).endswith("await gen.sleep(1)")


def test_what_is_open_and_selected_stays(panel: WaitingPanel) -> None:
    panel.show_tasks([task(1, 101), task(2, 102), task(3, 103)])
    item = item_of(panel, 1)
    item.setExpanded(False)
    below(item_of(panel, 2))[0].setExpanded(True)
    panel.tree.setCurrentItem(item_of(panel, 2))
    panel.show_tasks([task(3, 103), task(2, 102)])
    assert top(panel) == ["#103 WaitHandler.get", "#102 WaitHandler.get"]
    assert item_of(panel, 1) is item
    assert not item.isExpanded()
    assert item_of(panel, 0).isExpanded()
    assert below(item_of(panel, 0))[0].isExpanded()
    assert panel.tree.currentItem() is item_of(panel, 0)


def test_a_refresh_touches_only_what_changed(qtbot: QtBot, panel: WaitingPanel) -> None:
    panel.show_tasks([task(1, 101, since=9 * S)])
    first = below(item_of(panel, 0))
    panel._clock.now += S  # type: ignore[attr-defined]
    panel.show_tasks([task(1, 101, since=9 * S)])
    assert below(item_of(panel, 0)) == first
    assert item_of(panel, 0).text(3) == "2.0 s"


def test_choosing_a_task_selects_its_request(qtbot: QtBot, panel: WaitingPanel) -> None:
    panel.show_tasks([task(1, 101), task(2, 102)])
    with qtbot.waitSignal(panel.request_selected) as told:
        panel.tree.setCurrentItem(below(item_of(panel, 1))[1])
    assert told.args == [102]
    with qtbot.assertNotEmitted(panel.request_selected):
        panel.show_tasks([task(1, 101)])


def test_a_frame_opens_its_source(qtbot: QtBot, panel: WaitingPanel) -> None:
    panel.show_tasks([task(1, 101)])
    panel.tree.setFocus()
    panel.tree.setCurrentItem(below(item_of(panel, 0))[1])
    with qtbot.waitSignal(panel.open_source) as told:
        QTest.keyClick(panel.tree, Qt.Key.Key_Return)
    assert told.args == ["/app/handlers/h.py", 2]


def test_a_wait_of_hours_is_not_cut(panel: WaitingPanel) -> None:
    assert isinstance(panel._clock, Clock)
    panel._clock.now = 125 * 60 * S + 5 * S
    panel.show_tasks([task(1, 101)])
    item = item_of(panel, 0)
    assert item.text(3) == "125 min 05 s"
    # Qt leaves three pixels and the frame free at each side.
    needed = QFontMetrics(item.font(3)).horizontalAdvance(item.text(3)) + 8
    assert panel.tree.columnWidth(3) >= needed


def test_nothing_waits(panel: WaitingPanel) -> None:
    panel.show_tasks([])
    assert panel.pages.empty.isVisible()
    panel.show_tasks([task(1, 101)])
    assert panel.tree.isVisible()


def test_many_tasks_are_cheap_to_refresh(panel: WaitingPanel) -> None:
    tasks = [task(n, n) for n in range(1, LISTED + 1)]
    panel.show_tasks(tasks)
    panel.show_tasks([*tasks[1:], task(501, 501)])
    assert panel.tree.topLevelItemCount() == LISTED


@pytest.mark.parametrize(
    ("ns", "text"),
    [(4_000_000, "4 ms"), (400_000_000, "0.4 s"), (12 * S, "12.0 s"), (125 * S, "2 min 05 s")],
)
def test_ages_are_steady(ns: int, text: str) -> None:
    assert age(ns) == text


HANGING: dict[str, Any] = {
    "future": "Future #7",
    "resolver": (),
    "kind": "future",
    "future_id": 7,
    "resolvable": True,
}
ALONE = "no known resolver"


def hanging(panel: WaitingPanel, **more: Any) -> FakeControls:
    """Show a task that waits for a Future nobody else resolves, and select it."""
    panel.show_tasks([task(3, 102, **{**HANGING, **more})])
    panel.tree.setCurrentItem(item_of(panel, 0))
    controls = panel._controls
    assert isinstance(controls, FakeControls)
    return controls


def dialog_of(panel: WaitingPanel) -> ActDialog:
    assert panel.acts.dialog is not None
    return panel.acts.dialog


def press(panel: WaitingPanel, act: str) -> None:
    button = panel.bar.buttons[act]
    assert button.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_future_that_nobody_resolves_says_so(panel: WaitingPanel) -> None:
    hanging(panel)
    assert [item_of(panel, 0).text(column) for column in (1, 2)] == ["Future #7", ALONE]
    assert below(item_of(panel, 0))[-1].text(0) == f"waits for Future #7 · {ALONE}"


def test_a_value_is_typed_and_given(panel: WaitingPanel) -> None:
    controls = hanging(panel)
    press(panel, "resolve")
    dialog = dialog_of(panel)
    assert not dialog.warning.isVisible()
    QTest.keyClicks(dialog.value, "{'a': [1, None]}")
    QTest.keyClick(dialog.value, Qt.Key.Key_Return)
    assert controls.ended == [("resolve", 3, 73, {"a": [1, None]})]
    assert not dialog.isVisible()


def test_what_is_no_literal_is_told_under_the_field(panel: WaitingPanel) -> None:
    controls = hanging(panel)
    press(panel, "resolve")
    dialog = dialog_of(panel)
    QTest.keyClicks(dialog.value, "hello")
    QTest.keyClick(dialog.value, Qt.Key.Key_Return)
    assert dialog.problem.isVisible()
    assert "quotes" in dialog.problem.text()
    assert controls.ended == []
    QTest.keyClick(dialog.value, Qt.Key.Key_Backspace)
    assert not dialog.problem.isVisible()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


@pytest.mark.parametrize(
    "text", ["", " ", "hello", "f(1)", "__import__('os')", "1 +", "[" * 3000, "\0", "9" * 9999]
)
def test_bad_literals(text: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        literal(text)


@pytest.mark.parametrize(
    ("text", "value"), [("42", 42), (" 'a' ", "a"), ("None", None), ("(1, {2})", (1, {2}))]
)
def test_good_literals(text: str, value: object) -> None:
    assert literal(text) == value


def test_an_exception_is_chosen_and_raised(panel: WaitingPanel) -> None:
    controls = hanging(panel)
    press(panel, "fail")
    dialog = dialog_of(panel)
    dialog.error.setCurrentText("OSError")
    QTest.keyClicks(dialog.message, "disk full")
    QTest.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)
    assert controls.ended == [("fail", 3, 73, "OSError('disk full')")]


def test_a_cancel_needs_no_dialog(panel: WaitingPanel) -> None:
    controls = hanging(panel)
    press(panel, "cancel")
    assert controls.ended == [("cancel", 3)]
    assert panel.acts.dialog is None


@pytest.mark.parametrize("whose", ["future", "library", "connection", "loopscope"])
def test_machinery_warns_and_return_alone_does_nothing(panel: WaitingPanel, whose: str) -> None:
    controls = hanging(panel, machinery=whose)
    press(panel, "resolve")
    dialog = dialog_of(panel)
    assert dialog.warning.isVisible()
    QTest.keyClicks(dialog.value, "1")
    QTest.keyClick(dialog.value, Qt.Key.Key_Return)
    assert controls.ended == []
    QTest.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)
    assert controls.ended == [("resolve", 3, 73, 1)]


def test_cancelling_machinery_warns(panel: WaitingPanel) -> None:
    controls = hanging(panel, machinery="connection")
    press(panel, "cancel")
    dialog = dialog_of(panel)
    assert controls.ended == []
    QTest.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)
    assert controls.ended == [("cancel", 3)]


def test_a_dialog_hears_that_its_wait_is_over(panel: WaitingPanel) -> None:
    hanging(panel)
    press(panel, "resolve")
    dialog = dialog_of(panel)
    panel.show_tasks([task(3, 102, wait_id=99)])
    assert not dialog.accept_button.isEnabled()
    assert "over" in dialog.problem.text()


def test_a_task_that_is_waited_for_can_only_be_cancelled(panel: WaitingPanel) -> None:
    hanging(panel, resolvable=False, kind="task")
    enabled = {act: button.isEnabled() for act, button in panel.bar.buttons.items()}
    assert enabled == {"resolve": False, "fail": False, "cancel": True}


def test_the_menu_is_there_for_the_keyboard(qtbot: QtBot, panel: WaitingPanel) -> None:
    controls = hanging(panel)
    panel.tree.customContextMenuRequested.emit(QPoint(5, 5))
    qtbot.waitUntil(panel.menu.isVisible)
    actions = {action.text(): action for action in panel.menu.actions() if action.text()}
    assert list(actions) == ["Open the line", "Resolve…", "Fail…", "Cancel"]
    with qtbot.waitSignal(panel.open_source) as told:
        actions["Open the line"].trigger()
    assert told.args == ["/app/handlers/h.py", 2]
    actions["Cancel"].trigger()
    assert controls.ended == [("cancel", 3)]
    panel.menu.close()


def test_return_on_a_task_opens_the_line_where_it_waits(qtbot: QtBot, panel: WaitingPanel) -> None:
    hanging(panel)
    with qtbot.waitSignal(panel.open_source) as told:
        QTest.keyClick(panel.tree, Qt.Key.Key_Return)
    assert told.args == ["/app/handlers/h.py", 2]


def test_the_buttons_follow_their_row(panel: WaitingPanel) -> None:
    hanging(panel)
    sentence = below(item_of(panel, 0))[-1]
    assert panel.bar.y() == panel.tree.visualItemRect(sentence).y()
    item_of(panel, 0).setExpanded(False)
    assert panel.bar.y() == panel.tree.visualItemRect(item_of(panel, 0)).y()
    panel.show_tasks([])
    assert not panel.bar.isVisible()


def test_every_kind_and_resolver_has_its_chinese() -> None:
    said = {
        str(first.value)
        for node in ast.walk(ast.parse(inspect.getsource(waiting)))
        if isinstance(node, ast.Call) and node.args
        if isinstance(first := node.args[0], ast.Constant)
        if isinstance(node.func, ast.Name | ast.Attribute)
        if (node.func.id if isinstance(node.func, ast.Name) else node.func.attr)
        in ("phrase", "Phrase", "_in")
    }
    names = {text for text in said if "." not in text}
    assert len(names) > 8
    wanted = names | set(waiting_kinds.KINDS.values()) | {act.OVER, act.GONE, act.TASK}
    assert wanted - set(load("zh")) == set()
