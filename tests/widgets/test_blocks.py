"""A blocked loop in the window: in the tooltips, in the log, and in the menu of its limit."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.recording.blocks import sentence
from app.recording.events import Block, Row
from app.recording.store import Store
from app.widgets.i18n import language
from app.widgets.main_window import MainWindow
from app.widgets.theme import Theme
from app.widgets.timeline_view import View
from app.widgets.timeline_words import loop_words

from .fake_controls import FakeControls
from .sample import MS, batch, store_of

RUN: Row = (1, 1, 0, 500 * MS, "Block.get", 17, 0, 0, 0)
BLOCK = Block(
    *(1, 1, 17, "/home/me/<site>/handlers/block.py", 12, "BlockHandler.get"),
    *(0, 520 * MS, "/home/me/block.py:12 in BlockHandler.get\n    time.sleep(0.5)", 0, 3, "[]"),
)


def blocked() -> Store:
    ticks: list[Row] = [(1, 0, 0, 500 * MS, 1, 0, 0)]
    return store_of(batch(ticks=ticks, runs=[RUN], blocks=[tuple(BLOCK)]))


def view() -> View:
    view = View()
    view.width, view.following, view.start, view.scale = 1000, False, 0.0, float(MS)
    return view


def test_the_loops_tooltip_says_in_red_what_blocked_it() -> None:
    words = loop_words(blocked(), view(), 250, "#abcdef")
    assert '<font color="#abcdef">blocked the loop at' in words
    assert "&lt;site&gt;/handlers/block.py:12 · BlockHandler.get" in words
    assert "3 other requests waited" in words
    assert "&nbsp;&nbsp;&nbsp;&nbsp;time.sleep(0.5)" in words


def test_a_run_that_did_not_block_is_not_blamed() -> None:
    assert "blocked" not in loop_words(store_of(batch(runs=[RUN])), view(), 250)


def test_the_sentence_names_everything() -> None:
    assert sentence(BLOCK) == (
        "blocked the loop for 0.52 s: handlers/block.py:12 in BlockHandler.get"
        " · request #17 · 3 other requests waited"
    )
    lonely = BLOCK._replace(owner=-1, delayed_count=1, interrupted=1)
    assert sentence(lonely) == (
        "was interrupted, having blocked the loop for 0.52 s:"
        " handlers/block.py:12 in BlockHandler.get · 1 other request waited"
    )


def actions_of(window: MainWindow) -> dict[str, QAction]:
    title = "Interrupt blocked handlers after"
    menu = next(m for m in window.findChildren(QMenu) if m.title() == title)
    menu.aboutToShow.emit()
    return {action.text(): action for action in menu.actions()}


def test_the_limit_is_chosen_in_the_menu(qtbot: QtBot) -> None:
    controls = FakeControls()
    window = MainWindow(Store(), controls, Theme())
    qtbot.addWidget(window)
    actions = actions_of(window)
    assert list(actions) == ["1 s", "2 s", "5 s", "10 s", "30 s", "60 s", "never"]
    assert [text for text, action in actions.items() if action.isChecked()] == ["5 s"]
    actions["never"].trigger()
    assert controls.limit is None
    actions["1 s"].trigger()
    assert controls.limit == 1
    controls.limit = 60.0
    actions = actions_of(window)
    assert [text for text, action in actions.items() if action.isChecked()] == ["60 s"]
    assert language.code == "en"
