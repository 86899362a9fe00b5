"""The table model against what a store does to its rows."""

from __future__ import annotations

import random
import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.recording.events import Row
from app.recording.store import Table
from app.widgets.rows_model import Column, RowsModel
from app.widgets.rows_order import merged
from app.widgets.table import RowsView
from app.widgets.theme import ROW, Theme

COLUMNS = (
    Column("#", 60, lambda row: str(row[0]), dot=lambda row: int(row[0])),
    Column("Text", 100, lambda row: str(row[1]), stretch=True),
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


@pytest.mark.parametrize("filtered", [False, True])
def test_any_sequence_of_changes_ends_in_the_stores_rows(
    qtmodeltester: ModelTester, filtered: bool
) -> None:
    chance = random.Random(7)
    table = Table(60)
    model = model_of(table)
    if filtered:
        model.set_filter(lambda row: row[0] % 3 == 0)
    next_id = 1
    for _ in range(400):
        count = chance.choice((0, 1, 3, 40))
        rows: list[Row] = [(next_id + n, chance.choice((None, "x"))) for n in range(count)]
        next_id += count
        if table.rows:
            rows += [(row[0], "done") for row in chance.sample(table.rows, 1)]
        table.upsert(sorted(rows))
        model.refresh()
        expected = [str(row[0]) for row in table.rows if not filtered or row[0] % 3 == 0]
        assert texts(model) == expected
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


def test_columns_that_can_be_spared_make_room(theme: Theme, qtbot: QtBot) -> None:
    view = view_of(Table(10), theme, qtbot)
    assert not view.isColumnHidden(2)
    view.resize(180, 300)
    assert view.isColumnHidden(2)
    assert not view.isColumnHidden(1)


def test_sixty_thousand_rows_and_a_burst_do_not_stall(theme: Theme, qtbot: QtBot) -> None:
    table = Table(60_000)
    table.upsert([(n, "x") for n in range(1, 60_001)])
    view = view_of(table, theme, qtbot)
    view.refresh()
    next_id = 60_001
    slowest = 0.0
    for _ in range(24):
        table.upsert([(n, None) for n in range(next_id, next_id + 625)])
        next_id += 625
        start = time.perf_counter()
        view.refresh()
        qtbot.wait(1)
        slowest = max(slowest, time.perf_counter() - start)
    assert slowest < 0.25


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
