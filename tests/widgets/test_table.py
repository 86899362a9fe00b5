"""The table model against what a store does to its rows."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.recording.events import Row
from app.recording.tables import Table
from app.widgets import rows_scan
from app.widgets.column import Column
from app.widgets.rows_model import RowsModel
from app.widgets.rows_order import merged
from app.widgets.table import RowsView
from app.widgets.theme import ROW, Theme

from ..speed import cost

COLUMNS = (
    Column("#", 60, lambda row: str(row[0]), dot=lambda row: int(row[0]), key=lambda row: row[0]),
    Column(
        "Text",
        100,
        lambda row: str(row[1]),
        stretch=True,
        key=lambda row: (row[1] or "", row[0] % 5),
    ),
    Column("Size", 90, lambda row: "", spare=1),
)


def model_of(table: Table) -> RowsModel:
    """Return a model over *table*; rows whose second field is None are not settled."""
    return RowsModel(
        COLUMNS, lambda: table.rows, lambda: table.forgotten, lambda row: row[1] is not None
    )


def texts(model: RowsModel) -> list[str]:
    """Return the first column."""
    return [str(model.data(model.index(at, 0))) for at in range(model.rowCount())]


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    """The dark theme, not remembered."""
    theme = Theme()
    theme.set_scheme("dark")
    return theme


def test_new_changed_and_forgotten_rows_are_announced_once(qtmodeltester: ModelTester) -> None:
    table = Table(100)
    model = model_of(table)
    inserted: list[tuple[int, int]] = []
    changed: list[tuple[int, int]] = []
    removed: list[tuple[int, int]] = []
    model.rowsInserted.connect(lambda _, first, last: inserted.append((first, last)))
    model.rowsRemoved.connect(lambda _, first, last: removed.append((first, last)))
    model.dataChanged.connect(lambda first, last: changed.append((first.row(), last.row())))
    table.upsert([(n, None) for n in range(1, 6)])
    model.refresh()
    assert inserted == [(0, 4)]
    table.upsert([(2, "b"), (3, "c"), (5, "e"), (6, "f")])
    model.refresh()
    assert changed == [(1, 2), (4, 4)]
    assert inserted[1:] == [(5, 5)]
    table.forget(2)
    model.refresh()
    assert removed == [(0, 1)]
    assert texts(model) == ["3", "4", "5", "6"]
    model.refresh()
    assert (len(inserted), len(changed), len(removed)) == (2, 2, 1)
    qtmodeltester.check(model)


def test_a_row_that_comes_late_is_put_into_its_place() -> None:
    table = Table(100)
    model = model_of(table)
    table.upsert([(1, "a"), (5, "e")])
    model.refresh()
    table.upsert([(3, "c")])
    model.refresh()
    assert texts(model) == ["1", "3", "5"]


class Mirror:
    """Has the rows of a model by its signals alone."""

    def __init__(self, model: RowsModel) -> None:
        self.rows: list[Row] = []
        self._model = model
        model.modelReset.connect(lambda: self._inserted(None, 0, model.rowCount() - 1, reset=True))
        model.rowsInserted.connect(self._inserted)
        model.rowsRemoved.connect(self._removed)
        model.dataChanged.connect(lambda first, last: self._changed(first.row(), last.row()))

    def _inserted(self, _: object, first: int, last: int, reset: bool = False) -> None:
        new = [self._model.row(at) for at in range(first, last + 1)]
        self.rows[slice(None) if reset else slice(first, first)] = new

    def _removed(self, _: object, first: int, last: int) -> None:
        del self.rows[first : last + 1]

    def _changed(self, first: int, last: int) -> None:
        self.rows[first : last + 1] = [self._model.row(at) for at in range(first, last + 1)]


def accept_done(row: Row) -> bool:
    """Return whether a row is done: most are not when they come."""
    return bool(row[1] == "done")


@pytest.mark.parametrize("order", [None, (0, True), (1, False), (1, True)])
@pytest.mark.parametrize("accept", [None, lambda row: row[0] % 3 == 0, accept_done])
def test_any_sequence_of_changes_ends_in_the_stores_rows(
    qtmodeltester: ModelTester,
    accept: Callable[[Row], bool] | None,
    order: tuple[int, bool] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rows_scan, "SLICE_S", 10)  # All in one slice, however busy the machine.
    chance = random.Random(7)
    table = Table(60)
    model = model_of(table)
    model.set_filter(accept)
    model.set_order(order)
    mirror = Mirror(model)
    next_id = 1
    late: list[int] = []
    for _ in range(400):
        count = chance.choice((0, 1, 3, 40))
        rows: list[Row] = [(next_id + n, chance.choice((None, "x"))) for n in range(count)]
        next_id += count
        if len(rows) > 2:
            late.append(rows.pop(1)[0])
        elif late and chance.random() < 0.5:
            rows.append((late.pop(), None))
        known = {row[0] for row in rows}
        open_ = [row[0] for row in table.rows[-40:] if row[1] is None and row[0] not in known]
        rows += [(id_, "done") for id_ in chance.sample(open_, min(len(open_), 2))]
        table.upsert(sorted(rows))
        model.refresh()
        expected = [row for row in table.rows if accept is None or accept(row)]
        if order is not None:
            key = COLUMNS[order[0]].key
            assert key is not None
            expected.sort(key=key, reverse=order[1])
        assert [model.row(at) for at in range(model.rowCount())] == expected
        assert mirror.rows == expected
    qtmodeltester.check(model)


def test_a_row_that_comes_to_match_appears_where_it_belongs() -> None:
    table = Table(100)
    model = model_of(table)
    model.set_filter(accept_done)
    table.upsert([(n, None) for n in range(1, 6)])
    model.refresh()
    assert texts(model) == []
    table.upsert([(4, "done")])
    model.refresh()
    table.upsert([(2, "done"), (5, "done")])
    model.refresh()
    assert texts(model) == ["2", "4", "5"]


def test_what_changes_with_time_alone_is_looked_at_again() -> None:
    table, now = Table(100), [0]
    model = model_of(table)
    table.upsert([(1, None), (2, "x"), (3, None)])
    model.set_filter(lambda row: row[0] <= now[0], changing=True)
    model.refresh()
    assert texts(model) == []
    now[0] = 3
    model.refresh()
    assert texts(model) == ["1", "3"]


def test_a_slow_filter_goes_over_the_rows_in_slices(qtbot: QtBot, qapp: QApplication) -> None:
    table = Table(60_000)
    table.upsert([(n, "x") for n in range(1, 3_001)])
    model = model_of(table)
    model.refresh()
    turns: list[int] = []
    ticking = QTimer()
    ticking.timeout.connect(lambda: turns.append(model.rowCount()))
    ticking.start(0)

    def slow(row: Row) -> bool:
        until = time.perf_counter() + 30e-6
        while time.perf_counter() < until:
            pass
        return bool(row[0] % 2)

    model.set_filter(slow)
    assert model.progress is not None
    assert model.rowCount() == 3_000  # The old one stays on.
    table.upsert([(3_001, "x"), (3_002, "x")])
    model.refresh()
    assert model.rowCount() == 3_002
    qtbot.waitUntil(lambda: model.progress is None)
    assert model.rowCount() == 1_501
    assert turns.count(3_002) > 3  # Others had their turn meanwhile.


def test_a_new_filter_takes_the_place_of_one_that_is_not_through(qtbot: QtBot) -> None:
    table = Table(60_000)
    table.upsert([(n, "x") for n in range(1, 20_001)])
    model = model_of(table)
    asked: list[int] = []

    def slow(row: Row) -> bool:
        asked.append(row[0])
        time.sleep(0.0002)
        return True

    model.set_filter(slow)
    model.set_filter(lambda row: row[0] == 7)
    qtbot.waitUntil(lambda: model.progress is None)
    assert texts(model) == ["7"]
    assert len(asked) < 1_000


def test_a_filter_that_is_stuck_is_given_up(qtbot: QtBot) -> None:
    table = Table(100)
    model = model_of(table)
    table.upsert([(1, "x"), (2, "a" * 60 + "!"), (3, "x")])
    model.refresh()
    never = re.compile("(a+)+$").match
    with qtbot.waitSignal(model.too_slow):
        model.set_filter(lambda row: never(row[1]) is None)
    assert texts(model) == ["1", "2", "3"]
    model.set_filter(lambda row: row[0] == 3)
    assert texts(model) == ["3"]


def test_rows_that_are_slow_after_many_quick_ones_are_not_stuck(qtbot: QtBot) -> None:
    table = Table(60_000)
    model = model_of(table)
    table.upsert([(n, "x" if n <= 20_000 else "slow") for n in range(1, 20_401)])

    def slow(row: Row) -> bool:
        until = time.process_time() + (0.001 if row[1] == "slow" else 0)
        while time.process_time() < until:
            pass
        return bool(row[0] % 2)

    with qtbot.assertNotEmitted(model.too_slow):
        model.set_filter(slow)
        qtbot.waitUntil(lambda: model.progress is None)
    assert model.rowCount() == 10_200
    assert texts(model)[-2:] == ["20397", "20399"]


def test_one_that_gets_stuck_later_shows_no_more_rows(qtbot: QtBot) -> None:
    table = Table(100)
    model = model_of(table)
    never = re.compile("(a+)+$").match
    model.set_filter(lambda row: never(row[1]) is None)
    table.upsert([(1, "x")])
    model.refresh()
    table.upsert([(2, "a" * 60 + "!"), (3, "x")])
    model.behind.connect(model.refresh)
    with qtbot.waitSignal(model.too_slow):
        model.refresh()
    table.upsert([(4, "x")])
    model.refresh()
    assert texts(model) == ["1"]


def test_cleared_rows_stay_away(qtmodeltester: ModelTester) -> None:
    table = Table(100)
    model = model_of(table)
    table.upsert([(1, "x"), (2, None)])
    model.refresh()
    model.clear()
    assert (texts(model), model.hidden) == ([], 2)
    table.upsert([(2, "done"), (3, "x")])
    model.refresh()
    model.set_order((0, True))
    assert texts(model) == ["3"]
    table.forget(1)
    assert model.hidden == 1
    qtmodeltester.check(model)


def test_everything_forgotten_between_two_refreshes() -> None:
    table = Table(10)
    model = model_of(table)
    table.upsert([(n, None) for n in range(1, 9)])
    model.refresh()
    table.upsert([(n, None) for n in range(9, 60)])
    table.forget(len(table.rows) - 2)
    model.refresh()
    assert texts(model) == ["58", "59"]


def test_ranges_are_merged() -> None:
    assert merged([1, 2, 3, 7, 9, 10]) == [(1, 3), (7, 7), (9, 10)]
    assert merged([]) == []


def view_of(table: Table, theme: Theme, qtbot: QtBot) -> RowsView:
    """Return a shown view over *table*."""
    view = RowsView(model_of(table), theme, "Requests")
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show()
    return view


def test_the_view_follows_only_while_it_is_at_the_end(theme: Theme, qtbot: QtBot) -> None:
    table = Table(1000)
    view = view_of(table, theme, qtbot)
    table.upsert([(n, "x") for n in range(1, 101)])
    view.refresh()
    assert view.following
    bar = view.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    bar.setValue(1000)
    table.upsert([(n, "x") for n in range(101, 201)])
    view.refresh()
    assert bar.value() == 1000
    table.forget(10)
    view.refresh()
    assert bar.value() == 1000 - 10 * theme.px(ROW)


def test_keys_move_and_tell(theme: Theme, qtbot: QtBot) -> None:
    table = Table(1000)
    table.upsert([(n, "x") for n in range(1, 101)])
    view = view_of(table, theme, qtbot)
    view.refresh()
    told: list[int] = []
    view.current_row.connect(lambda row: told.append(row[0]))
    keys = Qt.Key
    for key in (
        *(keys.Key_Home, keys.Key_J, keys.Key_Down, keys.Key_Space),
        *(keys.Key_K, keys.Key_End, keys.Key_Up),
    ):
        qtbot.keyClick(view, key)
    assert told == [1, 2, 3, 13, 12, 100, 99]
    view.show_row(50)
    assert view.currentIndex().row() == 49
    assert told[-1] == 99
    view.show_row(0)
    assert not view.selectionModel().hasSelection()


def heading(view: RowsView, column: int) -> None:
    """Click on a heading."""
    header = view.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(column) + 10, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)


def headings(view: RowsView) -> list[str]:
    """Return the texts of the headings."""
    model = view.rows_model
    return [model.headerData(at, Qt.Orientation.Horizontal) for at in range(model.columnCount())]


def test_a_heading_sorts_upwards_downwards_and_not_at_all(theme: Theme, qtbot: QtBot) -> None:
    table = Table(1000)
    table.upsert([(1, "b"), (2, "a"), (3, "c")])
    view = view_of(table, theme, qtbot)
    view.refresh()
    view.show_row(1)
    heading(view, 1)
    assert texts(view.rows_model) == ["2", "1", "3"]
    assert headings(view)[1].endswith("↑")
    assert view.currentIndex().row() == 1
    table.upsert([(4, "aa")])
    view.refresh()
    assert texts(view.rows_model) == ["2", "4", "1", "3"]
    assert view.currentIndex().row() == 2
    heading(view, 1)
    assert texts(view.rows_model) == ["3", "1", "4", "2"]
    assert headings(view)[1].endswith("↓")
    heading(view, 1)
    assert texts(view.rows_model) == ["1", "2", "3", "4"]
    assert headings(view) == ["#", "Text", "Size"]
    heading(view, 2)  # Without a key.
    assert texts(view.rows_model) == ["1", "2", "3", "4"]


def test_keys_sort(theme: Theme, qtbot: QtBot) -> None:
    table = Table(1000)
    table.upsert([(1, "b"), (2, "a"), (3, "c")])
    view = view_of(table, theme, qtbot)
    view.refresh()
    seen = []
    keys = Qt.Key
    for key in (keys.Key_Greater, keys.Key_Greater, keys.Key_S, keys.Key_S, keys.Key_S):
        qtbot.keyClick(view, key)
        seen.append((view.rows_model.order, texts(view.rows_model)[0]))
    assert seen == [
        ((0, False), "1"),
        ((1, False), "2"),
        ((1, True), "3"),
        (None, "1"),
        ((0, False), "1"),
    ]
    qtbot.keyClick(view, keys.Key_Less)
    assert view.rows_model.order == (0, False)


def test_the_current_row_comes_back_when_it_was_filtered_out(theme: Theme, qtbot: QtBot) -> None:
    table = Table(1000)
    table.upsert([(n, "x") for n in range(1, 301)])
    view = view_of(table, theme, qtbot)
    view.refresh()
    view.activateWindow()
    qtbot.waitUntil(view.hasFocus)  # Qt makes a row the current one then.
    told: list[int] = []
    view.current_row.connect(lambda row: told.append(row[0]))
    view.show_row(100)
    view.set_following(False)  # That would keep the newest row in sight instead.
    # A busy machine takes the filter in more than one go.
    view.rows_model.set_filter(lambda row: row[0] > 200)
    qtbot.waitUntil(lambda: not view.selectionModel().hasSelection())
    view.refresh()
    view.rows_model.set_filter(lambda row: row[0] % 2 == 0)
    qtbot.waitUntil(lambda: view.currentIndex().row() == 49)
    assert view.visualRect(view.currentIndex()).intersects(view.viewport().rect())
    assert told == []


def test_a_current_row_that_goes_away_does_not_choose_another(theme: Theme, qtbot: QtBot) -> None:
    table = Table(1000)
    view = view_of(table, theme, qtbot)
    view.rows_model.set_filter(lambda row: row[1] is None)
    table.upsert([(n, None) for n in range(1, 6)])
    view.refresh()
    told: list[int] = []
    view.current_row.connect(lambda row: told.append(row[0]))
    view.show_row(3)
    table.upsert([(3, "done")])
    view.refresh()
    assert texts(view.rows_model) == ["1", "2", "4", "5"]
    assert not view.selectionModel().hasSelection()
    assert told == []


def test_following_can_be_switched_off_and_on(theme: Theme, qtbot: QtBot) -> None:
    table = Table(1000)
    view = view_of(table, theme, qtbot)
    table.upsert([(n, "x") for n in range(1, 101)])
    view.refresh()
    bar = view.verticalScrollBar()
    stood = bar.value()
    qtbot.keyClick(view, Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
    assert not view.following
    table.upsert([(n, "x") for n in range(101, 120)])
    view.refresh()
    assert bar.value() == stood
    view.rows_model.set_order((0, True))
    qtbot.keyClick(view, Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
    assert view.following
    assert bar.value() == bar.maximum() > stood
    assert texts(view.rows_model)[-1] == "119"


def test_columns_that_can_be_spared_make_room(theme: Theme, qtbot: QtBot) -> None:
    view = view_of(Table(10), theme, qtbot)
    assert not view.isColumnHidden(2)
    view.resize(180, 300)
    assert view.isColumnHidden(2)
    assert not view.isColumnHidden(1)


def test_a_burst_is_shown_to_the_end_though_nothing_happens_after_it(
    theme: Theme, qtbot: QtBot
) -> None:
    table = Table(60_000)
    view = view_of(table, theme, qtbot)

    def slow(row: Row) -> bool:
        until = time.perf_counter() + 30e-6
        while time.perf_counter() < until:
            pass
        return bool(row[0] % 2)

    view.rows_model.set_filter(slow)
    table.upsert([(n, "x") for n in range(1, 2_001)])
    view.refresh()
    qtbot.waitUntil(lambda: view.rows_model.rowCount() == 1_000)
    bar = view.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.value() == bar.maximum() > 0)


def test_sixty_thousand_rows_and_bursts_do_not_stall(theme: Theme, qtbot: QtBot) -> None:
    def bursts(rows: int) -> float:
        """Return what it costs to show some bursts after so many *rows*."""
        table = Table(60_000)
        table.upsert([(n, "x") for n in range(1, rows + 1)])
        view = view_of(table, theme, qtbot)

        def refresh() -> None:
            view.refresh()
            qtbot.wait(1)

        refresh()
        assert view.rows_model.rowCount() == rows
        costs = 0.0
        for first in range(rows + 1, rows + 2_001, 100):
            table.upsert([(n, None) for n in range(first, first + 100)])
            costs += cost(refresh)
        view.hide()
        return costs

    assert bursts(60_000) < 3 * bursts(1_000)


def test_the_newest_row_stays_in_sight_in_a_smaller_window(qtbot: QtBot, theme: Theme) -> None:
    table = Table(1000)
    view = RowsView(model_of(table), theme, "Rows")
    qtbot.addWidget(view)
    view.resize(400, 400)
    view.show()
    table.upsert([(n, "a") for n in range(1, 60)])
    view.refresh()
    view.resize(400, 200)
    table.upsert([(n, "a") for n in range(60, 90)])
    view.refresh()
    assert view.following
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()
    view.verticalScrollBar().setValue(100)
    view.refresh()
    assert not view.following


def test_a_table_is_painted_opaque_and_marks_the_current_row(qtbot: QtBot, theme: Theme) -> None:
    table = Table(1000)
    view = RowsView(model_of(table), theme, "Rows")
    qtbot.addWidget(view)
    view.resize(400, 400)
    view.show()
    table.upsert([(1, "a"), (2, "b")])
    view.refresh()
    view.show_row(2)
    picture = view.viewport().grab().toImage()
    high = theme.px(ROW)
    assert picture.pixelColor(2, 2) == theme.colours.panel
    assert picture.pixelColor(2, high - 1) == theme.colours.raised
    assert picture.pixelColor(2, high + 2) == theme.colours.selection
    assert picture.pixelColor(2, 3 * high) == theme.colours.panel
    assert view.viewport().grab().toImage() == picture  # Copied, not painted, the second time.
