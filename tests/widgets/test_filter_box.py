"""The filter box and the requests table under it, by keys."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from app.recording import filter as filter_module
from app.recording import filter_keys, filter_match
from app.recording.store import Store
from app.widgets.filter_box import LONGEST
from app.widgets.i18n import language, load
from app.widgets.main_window import MainWindow
from app.widgets.requests import TOO_SLOW, RequestsPanel
from app.widgets.selection import Selection
from app.widgets.theme import Theme

from .fake_controls import FakeControls
from .sample import MS, batch, drawing, request, store_of

KEY = Qt.Key


@pytest.fixture
def theme(qapp: QApplication, tmp_path: Path) -> Theme:
    """The dark theme, remembered in a file of its own."""
    theme = Theme(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    theme.set_scheme("dark")
    return theme


def panel_of(store: Store, theme: Theme, qtbot: QtBot) -> RequestsPanel:
    """Return a shown panel, its box focused."""
    panel = RequestsPanel(store, Selection(), theme)
    qtbot.addWidget(panel)
    panel.resize(900, 400)
    panel.show()
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    panel.refresh()
    panel.filter.setFocus()
    return panel


@pytest.fixture
def panel(theme: Theme, qtbot: QtBot) -> RequestsPanel:
    """The panel over the six requests of the drawing."""
    return panel_of(store_of(drawing()), theme, qtbot)


def shown(panel: RequestsPanel) -> list[int]:
    """Return the numbers of the requests in the table."""
    return [panel.model.row(at)[0] for at in range(panel.model.rowCount())]


def write(panel: RequestsPanel, text: str, qtbot: QtBot) -> None:
    """Type *text* in place of what is there, and wait until it is applied."""
    panel.filter.selectAll()
    qtbot.keyClicks(panel.filter, text)
    panel.filter.popup.hide()
    panel.activateWindow()  # Nobody else does it offscreen.
    qtbot.waitUntil(lambda: not panel.filter.typing and panel.model.progress is None)


def has(image: QImage, colour: QColor) -> bool:
    """Return whether a colour is seen."""
    wanted = colour.rgb()
    places = ((x, y) for x in range(image.width()) for y in range(image.height()))
    return any(image.pixel(x, y) == wanted for x, y in places)


def test_what_is_typed_filters_at_once(panel: RequestsPanel, qtbot: QtBot) -> None:
    assert panel.count.text() == "6 requests"
    write(panel, "status-code:200 -story", qtbot)
    assert shown(panel) == [101, 102, 103, 105]
    assert panel.count.text() == "✓ 4 of 6"
    assert has(panel.filter.grab().toImage(), panel.filter._theme.colours.ok)
    qtbot.keyClick(panel.filter, KEY.Key_Escape)
    assert shown(panel) == [101, 102, 103, 104, 105, 106]
    assert panel.count.text() == "6 requests"
    assert not has(panel.filter.grab().toImage(), panel.filter._theme.colours.ok)


def test_an_error_is_pointed_at_and_the_last_valid_filter_stays(
    panel: RequestsPanel, qtbot: QtBot
) -> None:
    write(panel, "method:POST", qtbot)
    pointer = panel.filter.pointer
    assert not pointer.isVisible()
    write(panel, "method:POST status-code:nine", qtbot)
    assert shown(panel) == [104]
    assert pointer.isVisible()
    assert panel.count.text() == "✗ 1 of 6"
    assert pointer.text() == "▲ A status such as 404 or 4xx is expected"
    assert panel.filter.accessibleDescription() == panel.filter.toolTip() == pointer.text()[2:]
    assert has(panel.filter.grab().toImage(), panel.filter._theme.colours.error)
    assert pointer.y() >= panel.filter.geometry().bottom()
    # Its tip is under the n of nine.
    box = panel.filter
    box.setCursorPosition(len("method:POST status-code:"))
    tip = pointer.x() + pointer.fontMetrics().horizontalAdvance("▲") / 2
    begin = box.mapTo(panel, box.cursorRect().center()).x()
    assert begin - 5 <= tip <= begin + 25
    write(panel, "method:POST status-code:403", qtbot)
    assert not pointer.isVisible()
    assert shown(panel) == [104]


def test_at_the_right_edge_the_words_stand_before_the_arrow(
    panel: RequestsPanel, qtbot: QtBot
) -> None:
    write(panel, "story " * 15 + "status-code:", qtbot)
    pointer = panel.filter.pointer
    assert pointer.text().endswith(" ▲")
    assert panel.rect().contains(pointer.geometry())


def test_keys_and_values_are_completed(panel: RequestsPanel, qtbot: QtBot) -> None:
    box = panel.filter
    box.clear()
    qtbot.keyClicks(box, "story -sta")
    assert box.popup.isVisible()
    qtbot.keyClick(box.popup, KEY.Key_Down)
    qtbot.keyClick(box.popup, KEY.Key_Down)
    qtbot.keyClick(box.popup, KEY.Key_Return)
    assert box.text() == "story -status-code:"
    assert box.popup.isVisible()  # Now the values that were seen.
    qtbot.keyClicks(box.popup, "40")
    qtbot.keyClick(box.popup, KEY.Key_Down)
    qtbot.keyClick(box.popup, KEY.Key_Return)
    assert box.text() == "story -status-code:403"
    assert shown(panel) == [106]
    box.clear()
    qtbot.keyClicks(box, "sto")
    assert not box.popup.isVisible()
    box.clear()
    qtbot.keyClick(box, KEY.Key_Space, Qt.KeyboardModifier.ControlModifier)
    assert box.popup.isVisible()
    qtbot.keyClick(box.popup, KEY.Key_Escape)
    assert not box.popup.isVisible()


def test_expressions_are_recalled_also_after_a_new_start(
    panel: RequestsPanel, qtbot: QtBot, theme: Theme
) -> None:
    box = panel.filter
    for text in ("story", "~c 403", "wrong (", "story"):
        write(panel, text, qtbot)
        qtbot.keyClick(box, KEY.Key_Return)
        box.setFocus()
    again = panel_of(store_of(drawing()), theme, qtbot).filter
    for one in (box, again):
        one.clear()
        one.remember()
        recalled = []
        for _ in range(3):
            qtbot.keyClick(one, KEY.Key_Up)
            recalled.append(one.text())
        assert recalled == ["story", "~c 403", "~c 403"]
        qtbot.keyClick(one, KEY.Key_Down)
        qtbot.keyClick(one, KEY.Key_Down)
        assert one.text() == ""


def test_rows_are_tested_as_they_arrive_and_end(theme: Theme, qtbot: QtBot) -> None:
    store = store_of(batch(requests=[request(1, MS), request(2, 2 * MS)]))
    panel = panel_of(store, theme, qtbot)
    write(panel, "status-code:404", qtbot)
    assert shown(panel) == []
    assert panel.count.text() == "✓ 0 of 2"
    store.apply(batch(requests=[request(1, MS, 9 * MS, 404), request(3, 3 * MS, 4 * MS, 404)]))
    panel.refresh()
    assert shown(panel) == [1, 3]
    store.apply(batch(requests=[request(2, 2 * MS, 9 * MS, 404), request(4, 4 * MS, 5 * MS, 200)]))
    panel.refresh()
    assert shown(panel) == [1, 2, 3]
    assert panel.count.text() == "✓ 3 of 4"


def test_no_match_says_so_and_offers_the_way_back(panel: RequestsPanel, qtbot: QtBot) -> None:
    write(panel, "method:PUT", qtbot)
    button = panel._empty.button
    assert button.isVisible()
    assert button.text() == "Clear the filter"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert panel.filter.text() == ""
    assert len(shown(panel)) == 6


def test_the_table_has_keys_of_its_own(panel: RequestsPanel, qtbot: QtBot) -> None:
    qtbot.keyClick(panel.filter, KEY.Key_Return)
    assert panel.view.hasFocus()
    assert panel.view.currentIndex().row() == 0
    qtbot.keyClick(panel.view, KEY.Key_J)
    qtbot.keyClick(panel.view, KEY.Key_M)
    assert panel.model.data(panel.model.index(1, 0)) == "102 ★"
    panel.filter.setFocus()
    write(panel, "is:marked", qtbot)
    assert shown(panel) == [102]
    panel.filter.setFocus()
    write(panel, "method:m", qtbot)  # In the box, m and z are letters.
    qtbot.keyClicks(panel.filter, "z")
    assert panel.filter.text() == "method:mz"
    panel.filter.setFocus()
    write(panel, "is:marked", qtbot)
    panel.view.setFocus()
    panel.view.selectRow(0)
    qtbot.keyClick(panel.view, KEY.Key_M)
    assert shown(panel) == []
    panel.filter.clear()
    panel.view.setFocus()
    qtbot.keyClick(panel.view, KEY.Key_Z)
    assert shown(panel) == []
    assert panel._empty.isVisible()
    panel._store.apply(batch(requests=[request(107, 300 * MS, 301 * MS, 200)]))
    panel.refresh()
    assert shown(panel) == [107]
    assert panel.count.text() == "1 requests"


def test_requests_are_taken_off_the_table_one_by_one(panel: RequestsPanel, qtbot: QtBot) -> None:
    qtbot.keyClick(panel.filter, KEY.Key_Return)
    before = shown(panel)
    told: list[int] = []
    panel._selection.changed.connect(told.append)
    qtbot.keyClick(panel.view, KEY.Key_J)
    qtbot.keyClick(panel.view, KEY.Key_D)
    assert shown(panel) == [before[0], *before[2:]]
    assert told[-1] == before[2]
    assert panel.count.text() == f"{len(before) - 1} requests"
    write(panel, "is:running | -is:running", qtbot)
    assert shown(panel) == [before[0], *before[2:]]
    panel.filter.clear()
    panel.view.setFocus()
    for _ in before:
        qtbot.keyClick(panel.view, KEY.Key_D)
    assert shown(panel) == []
    panel._store.apply(batch(requests=[request(107, 300 * MS, 301 * MS, 200)]))
    panel.refresh()
    assert shown(panel) == [107]


def test_the_buttons_follow_and_clear(panel: RequestsPanel, qtbot: QtBot) -> None:
    assert panel._follow.isChecked()
    qtbot.mouseClick(panel._follow, Qt.MouseButton.LeftButton)
    assert not panel.view.following
    panel.refresh()
    assert not panel._follow.isChecked()
    qtbot.mouseClick(panel._follow, Qt.MouseButton.LeftButton)
    assert panel.view.following
    qtbot.mouseClick(panel._clear, Qt.MouseButton.LeftButton)
    assert shown(panel) == []


@pytest.mark.parametrize("column", range(10))
def test_every_column_sorts(panel: RequestsPanel, column: int) -> None:
    everything = set(shown(panel))
    panel.model.set_order((column, False))
    upwards = shown(panel)
    panel.model.set_order((column, True))
    key = panel.model.columns[column].key
    assert key is not None
    keys = [key(panel.model.row(at)) for at in range(panel.model.rowCount())]
    assert keys == sorted(keys, reverse=True)
    assert set(upwards) == set(shown(panel)) == everything


def test_a_regular_expression_that_never_ends_does_not_freeze(theme: Theme, qtbot: QtBot) -> None:
    store = store_of(batch(requests=[request(1, MS, 2 * MS, 200, "GET /" + "a" * 60 + "!")]))
    panel = panel_of(store, theme, qtbot)
    write(panel, "/(a+)+$/", qtbot)
    assert panel.filter.error is not None
    assert panel.filter.error_text() == TOO_SLOW
    assert shown(panel) == [1]
    write(panel, "aaa", qtbot)
    assert panel.filter.error is None


def test_a_long_search_says_how_far_it_is_and_can_be_given_up(theme: Theme, qtbot: QtBot) -> None:
    rows = [request(n, n * MS, (n + 1) * MS, 200) for n in range(1, 10_001)]
    bodies = (f"{row[0]} {'ab' * 300}".encode() for row in rows)
    rows = [(*row[:15], body, *row[16:]) for row, body in zip(rows, bodies, strict=True)]
    panel = panel_of(store_of(batch(requests=rows)), theme, qtbot)
    panel.filter.setText(r"~b [a-b]+\d")  # Takes seconds.
    qtbot.waitUntil(lambda: re.fullmatch(r"[1-9]\d?% …", panel.count.text()) is not None)
    assert panel.model.rowCount() == 10_000  # The old one stays on.
    qtbot.keyClick(panel.filter, KEY.Key_Escape)
    assert panel.count.text() == "10,000 requests"
    assert panel.model.progress is None


def test_nothing_that_is_typed_or_pasted_does_harm(panel: RequestsPanel) -> None:
    for text in ("\0", "\ud800", "(" * 5_000, "a|" * 900, "\N{RIGHT-TO-LEFT OVERRIDE}x", "é" * 99):
        panel.filter.setText(text)
        panel.grab()
    assert len(panel.filter.text()) <= LONGEST


def test_f_goes_to_the_box_from_anywhere_but_editors(qapp: QApplication, qtbot: QtBot) -> None:
    window = MainWindow(Store(), FakeControls(), Theme())
    qtbot.addWidget(window)
    window.show()
    window.store.apply(drawing())
    window.frame()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.traffic.show_page(window.log)
    window.timeline.setFocus()
    qtbot.keyClick(window.timeline, KEY.Key_F)
    assert window.requests.filter.hasFocus()
    qtbot.keyClicks(window.requests.filter, "f m")
    assert window.requests.filter.text() == "f m"
    window.clients.form.url.setFocus()
    qtbot.keyClick(window.clients.form.url, KEY.Key_F)
    assert isinstance(window.focusWidget(), QLineEdit)
    assert window.clients.form.url.text().endswith("f")


def sentences() -> set[str]:
    """Return the sentences with which the language's errors are made."""
    found = {TOO_SLOW}
    for module in (filter_keys, filter_match, filter_module):
        for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text("utf-8"))):
            if isinstance(node, ast.Constant) and "expected" in str(node.value):
                found.add(str(node.value))
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "FilterError":
                found |= {str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)}
    return {text for text in found if "\n" not in text and " " in text}


def test_every_error_has_its_chinese(panel: RequestsPanel, qtbot: QtBot) -> None:
    assert len(sentences()) > 12
    assert sentences() - set(load("zh")) == set()
    language.choose("zh")
    try:
        panel.retranslate()
        write(panel, "status-code:", qtbot)
        assert panel.filter.pointer.text() == "▲ 此处应为 status-code 的值"
        panel.filter.clear()
        assert panel.count.text() == "6 个请求"
    finally:
        language.choose("en")
