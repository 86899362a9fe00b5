"""The connections' bars: which requests are on them, what they cost, and what a click does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.recording.events import Request, Row
from app.recording.store import Capacity, Store
from app.widgets.connections import TITLE, ConnectionsPanel, kept_alive
from app.widgets.theme import Theme
from app.widgets.time_bars import Axis, bars

from .sample import MS, batch, request

LEFT = Qt.MouseButton.LeftButton


def connection(id_: int, opened: int, closed: int | None, reason: str | None = None) -> Row:
    """Return a connection's row; times in ms."""
    end = None if closed is None else closed * MS
    return (id_, "127.0.0.1:5", opened * MS, end, 10, 20, 7, reason)


def on(connection_id: int, row: Row) -> Row:
    """Return a request's row on a connection."""
    return (row[0], connection_id, *row[2:])


def timed(id_: int, start: int, end: int | None, status: int = 200) -> Row:
    """Return a request's row; times in ms."""
    return request(id_, start * MS, None if end is None else end * MS, status)


@pytest.fixture
def show(qtbot: QtBot, qapp: QApplication) -> Callable[..., ConnectionsPanel]:
    """Show a panel of a store with these rows."""

    def make(store: Store, **rows: list[Row]) -> ConnectionsPanel:
        theme = Theme()
        theme.set_scheme("dark")
        panel = ConnectionsPanel(store, theme)
        qtbot.addWidget(panel)
        panel.resize(1200, 300)
        store.apply(batch(**rows))
        panel.refresh()
        panel.show()
        qtbot.waitExposed(panel)
        return panel

    return make


def column(panel: ConnectionsPanel, title: str) -> int:
    """Return the index of a column."""
    return [each.title for each in panel.model.columns].index(title)


def place(panel: ConnectionsPanel, number: int, time_ms: float) -> QPoint:
    """Return where a time stands in the bar of a row."""
    axis = panel.view.axis(column(panel, TITLE))
    assert axis is not None
    y = panel.view.rowViewportPosition(number) + panel.view.rowHeight(number) // 2
    return QPoint(axis.x(time_ms * MS), y)


def colour_at(panel: ConnectionsPanel, at: QPoint) -> Any:
    """Return the colour that is painted at a place of the table."""
    return panel.view.viewport().grab().toImage().pixelColor(at)


TWO = {
    "connections": [
        connection(1, 0, 100, "closed by the client"),
        connection(2, 50, 90, "reset by the client"),
    ],
    "requests": [
        *(on(1, timed(1, 10, 30)), on(1, timed(2, 60, 70, 404))),
        on(2, request(3, 55 * MS, 90 * MS, None, outcome="aborted")),
    ],
}


def test_each_socket_has_its_requests_on_its_bar(show: Callable[..., ConnectionsPanel]) -> None:
    panel = show(Store(), **TWO)
    theme, colours = panel._theme, panel._theme.colours
    assert colour_at(panel, place(panel, 0, 20)) == theme.hue(1)
    assert colour_at(panel, place(panel, 0, 65)) == theme.hue(2)
    assert colour_at(panel, place(panel, 0, 45)) == colours.line
    assert colour_at(panel, place(panel, 1, 70)) == theme.hue(3)
    assert colour_at(panel, place(panel, 1, 20)) == colours.panel
    assert colour_at(panel, place(panel, 1, 90)) == colours.error  # It was reset.
    words = [panel.model.index(row, column(panel, TITLE)).data() for row in range(2)]
    assert words == ["100 ms #1 #2", "40.0 ms #3"]


def test_a_click_selects_a_request_and_return_goes_on(
    show: Callable[..., ConnectionsPanel], qtbot: QtBot
) -> None:
    panel = show(Store(), **TWO)
    told: list[int] = []
    panel.request_selected.connect(told.append)
    for number, time in ((0, 20), (0, 65), (1, 80), (0, 45)):
        qtbot.mouseClick(panel.view.viewport(), LEFT, pos=place(panel, number, time))
    assert told == [1, 2, 3]
    panel.view.selectRow(0)
    for _ in range(3):
        qtbot.keyClick(panel.view, Qt.Key.Key_Return)
    assert told[3:] == [1, 2, 1]


def test_an_open_connection_grows_with_what_is_recorded(
    show: Callable[..., ConnectionsPanel], qtbot: QtBot
) -> None:
    store = Store()
    rows = {"connections": [connection(1, 0, None)], "requests": [on(1, timed(1, 0, None))]}
    panel = show(store, **rows, runs=[(1, 1, 0, 10 * MS, "x", 1, 0, 0, 0)])
    before = panel.view.axis(column(panel, TITLE))
    store.apply(batch(runs=[(2, 2, 0, 80 * MS, "x", 1, 0, 0, 0)]))
    panel.refresh()
    after = panel.view.axis(column(panel, TITLE))
    assert before is not None
    assert after is not None
    assert (before.end_ns, after.end_ns) == (10 * MS, 80 * MS)


def test_the_cost_grows_with_the_pixels_not_with_the_requests() -> None:
    store, many = Store(), 20_000
    store.apply(batch(requests=[timed(n + 1, 2 * n, 2 * n + 1) for n in range(many)]))
    asked = 0
    original = store.requests.get

    def get(id_: int | None) -> Row | None:
        nonlocal asked
        asked += 1
        return original(id_)

    store.requests.get = get  # type: ignore[method-assign]
    ids = list(range(1, many + 1))
    axis = Axis(0, 2 * many * MS, 0, 300)
    found = list(bars(ids, store.requests, axis, 0))
    assert 120 < len(found) <= 151
    assert asked < 300 * 20
    assert found[0].id == 1
    # Zoomed in on a few, each has its own.
    near = Axis(0, 20 * MS, 0, 300)
    assert [bar.id for bar in bars(ids[:10], store.requests, near, 0)] == ids[:10]


def test_what_the_store_forgets_is_forgotten(show: Callable[..., ConnectionsPanel]) -> None:
    store = Store(capacity=Capacity(requests=10, connections=4))
    panel = show(store, **TWO)
    for n in range(4, 60):
        row = on(n, timed(n, 100 + n, 101 + n))
        store.apply(batch(connections=[connection(n, 100 + n, 102 + n)], requests=[row]))
        panel.refresh()
    assert len(panel._carried) <= 12
    assert len(panel._counts) <= 12


@pytest.mark.parametrize(
    ("version", "asked", "answered", "kept"),
    [
        ("HTTP/1.1", b"", b"", True),
        ("HTTP/1.1", b"Connection: close\r\n", b"", False),
        ("HTTP/1.1", b"", b"Connection: Close\r\n", False),
        ("HTTP/1.1", b"Connection: keep-alive, Upgrade\r\n", b"", True),
        ("HTTP/1.0", b"", b"", False),
        ("HTTP/1.0", b"Connection: keep-alive\r\n", b"", False),
        ("HTTP/1.0", b"Connection: keep-alive\r\n", b"Connection: Keep-Alive\r\n", True),
        ("HTTP/1.1", b"", None, None),
    ],
)
def test_keep_alive(version: str, asked: bytes, answered: bytes | None, kept: bool | None) -> None:
    row = Request(*timed(1, 0, None if answered is None else 1))
    head = b"" if answered is None else b"HTTP/1.1 200 OK\r\n" + answered + b"\r\n"
    given = b"GET / " + version.encode() + b"\r\n" + asked + b"\r\n"
    changed = row._replace(version=version, request_head=given, response_head=head)
    assert kept_alive(changed) is kept
