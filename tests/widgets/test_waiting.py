"""The tree of unfinished tasks: it changes in place."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTreeWidgetItem
from pytestqt.qtbot import QtBot

from app.recording.snapshot import Frame, PendingTask
from app.recording.store import Store
from app.widgets.theme import Theme
from app.widgets.waiting import WaitingPanel
from app.widgets.waiting_item import age

from .fake_controls import FakeControls

S = 1_000_000_000


def task(id_: int, owner: int, since: int = 0, user: str = "/app/handlers/h.py") -> PendingTask:
    library = "/usr/lib/tornado/web.py"
    return PendingTask(
        id_,
        f"Task-{id_}",
        "RequestHandler._execute",
        owner,
        [
            Frame(library, 1, "outer", True),
            Frame(library, 2, "RequestHandler._execute", True),
            Frame(user, 2, "WaitHandler.get", False),
            Frame(library, 3, "sleep", True),
        ],
        f"sleep #{id_}",
        "timer, in 0.300 s",
        since,
    )


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


def test_the_source_line_of_a_users_frame_is_shown(panel: WaitingPanel, tmp_path: Path) -> None:
    file = tmp_path / "h.py"
    file.write_text("async def get(self):\n    await gen.sleep(1)\n")
    panel.show_tasks([task(3, 102, user=str(file))])
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


def test_nothing_waits(panel: WaitingPanel) -> None:
    panel.show_tasks([])
    assert panel.pages.empty.isVisible()
    panel.show_tasks([task(1, 101)])
    assert panel.tree.isVisible()


def test_many_tasks_are_cheap_to_refresh(panel: WaitingPanel) -> None:
    tasks = [task(n, n) for n in range(1, 501)]
    panel.show_tasks(tasks)
    panel.show_tasks([*tasks[1:], task(501, 501)])
    assert panel.tree.topLevelItemCount() == 500


@pytest.mark.parametrize(
    ("ns", "text"),
    [(4_000_000, "4 ms"), (400_000_000, "0.4 s"), (12 * S, "12.0 s"), (125 * S, "2 min 05 s")],
)
def test_ages_are_steady(ns: int, text: str) -> None:
    assert age(ns) == text
