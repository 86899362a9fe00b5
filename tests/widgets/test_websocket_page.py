"""The WebSocket page of the selected request: its messages, found, read and explained."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.recording.events import Row
from app.recording.store import Capacity, Store
from app.recording.websocket import MEANINGS, meaning_of
from app.widgets import i18n
from app.widgets.detail import TABS, DetailPanel
from app.widgets.i18n import language
from app.widgets.message_words import HEX, JSON, TEXT
from app.widgets.messages_view import MessagePane
from app.widgets.selection import Selection
from app.widgets.theme import Theme
from app.widgets.websocket_page import WebSocketPage

from .fake_controls import FakeControls
from .sample import MS, batch, message, request

CHAT = [
    message(1, 1, 2 * MS, "in", b"hello there"),
    message(2, 1, 3 * MS, "out", b'{"kind": "message", "text": "hello there"}'),
    message(3, 1, 4 * MS, "in", bytes(range(200, 240)), "binary"),
    message(4, 1, 5 * MS, "in", b"", "ping"),
]
CLOSED = message(5, 1, 9 * MS, "in", b"\x03\xe9tab closed", "close")


def socket(end_ns: int | None = None) -> Row:
    return request(1, MS, end_ns, 101, "GET /chat", "upgraded" if end_ns else None)


@pytest.fixture
def store() -> Store:
    store = Store(capacity=Capacity(messages=1000))
    store.apply(batch(requests=[socket(), request(2, 2 * MS, 3 * MS, 200)], messages=CHAT))
    return store


@pytest.fixture
def panel(qtbot: QtBot, store: Store) -> Iterator[DetailPanel]:
    """The panel at its WebSocket tab, with the socket selected."""
    panel = DetailPanel(store, FakeControls(), Selection(), Theme())
    qtbot.addWidget(panel)
    panel.resize(420, 600)
    panel.show()
    panel.tabs.setCurrentIndex(TABS.index("WebSocket"))
    panel._selection.select(1)
    yield panel
    language.choose("en")


@pytest.fixture
def page(panel: DetailPanel) -> WebSocketPage:
    return panel.websocket


def contents(page: WebSocketPage) -> list[str]:
    model = page.messages.model
    last = model.columnCount() - 1
    return [model.index(row, last).data() for row in range(model.rowCount())]


def test_messages_stand_in_a_table(page: WebSocketPage, qtmodeltester: ModelTester) -> None:
    model = page.messages.model
    qtmodeltester.check(model)
    assert [model.index(0, column).data() for column in range(5)] == [
        "0.002 s", "↑ received", "text", "11 B", "hello there",
    ]  # fmt: skip
    assert model.index(1, 1).data() == "↓ sent"
    assert contents(page)[2].startswith("c8 c9 ca")
    assert page.state.text() == "● open"


def test_the_table_follows_what_comes(
    page: WebSocketPage, panel: DetailPanel, store: Store
) -> None:
    for n in range(5, 200):
        store.apply(batch(messages=[message(n, 1, n * MS, "out", b"no. %d" % n)]))
        if n % 30 == 0:
            panel.refresh()
    panel.refresh()
    assert page.messages.model.rowCount() == 199
    view = page.messages.view
    assert view.rowAt(view.viewport().height() - 5) == 198
    store.apply(batch(messages=[message(n, 1, n * MS, "out") for n in range(200, 1500)]))
    panel.refresh()
    assert page.messages.model.rowCount() == len(store.messages)


def test_a_message_under_way_is_replaced_when_it_ends(
    page: WebSocketPage, panel: DetailPanel, store: Store
) -> None:
    row = message(5, 1, 20 * MS, "in", b"slow")
    store.apply(batch(messages=[(*row[:3], None, *row[4:])]))
    panel.refresh()
    store.apply(batch(messages=[(*row[:9], "ValueError: no")]))
    store.apply(batch(requests=[socket(30 * MS)]))
    panel.refresh()
    assert contents(page)[4] == "✗ ValueError: no · slow"


def test_words_find_messages(page: WebSocketPage, qtbot: QtBot) -> None:
    qtbot.keyClicks(page.messages.search, "HELLO there")
    qtbot.waitUntil(lambda: len(contents(page)) == 2)
    page.messages.search.setText("ping")
    qtbot.waitUntil(lambda: len(contents(page)) == 1)
    page.messages.search.clear()
    qtbot.waitUntil(lambda: len(contents(page)) == 4)


def test_the_pane_shows_text_json_and_hex(page: WebSocketPage, qtbot: QtBot) -> None:
    view, pane = page.messages.view, page.messages.pane
    forms = (TEXT, JSON, HEX)

    def shown() -> tuple[str, str]:
        return forms[pane.forms.currentIndex()], pane.text.toPlainText()

    assert not pane.isVisible()
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert pane.isVisible()
    assert shown() == (TEXT, "hello there")
    qtbot.keyClick(view, Qt.Key.Key_J)
    assert shown() == (JSON, '{\n  "kind": "message",\n  "text": "hello there"\n}')
    place = pane.forms.tabRect(forms.index(HEX)).center()
    qtbot.mouseClick(pane.forms, Qt.MouseButton.LeftButton, pos=place)
    assert shown()[1].startswith("000000  7b 22 6b 69 6e 64")
    qtbot.keyClick(view, Qt.Key.Key_J)
    assert shown()[1].startswith("000000  c8 c9 ca")
    assert [pane.forms.isTabEnabled(at) for at in range(3)] == [False, False, True]


def test_a_cut_message_says_how_much_was_kept(qtbot: QtBot) -> None:
    pane = MessagePane()
    qtbot.addWidget(pane)
    row = message(1, 1, 0, "in", b"[1, 2")
    pane.show_row((*row[:6], 2_000_000, *row[7:]))
    assert pane.note.toolTip() == "text · 2.0 MB · the first 5 B were kept"
    assert pane.text.toPlainText() == "[1, 2"


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([CLOSED], "○ closed by the client · 1001: one side goes away: a page is left, a server "
         "stops · “tab closed”"),
        ([message(5, 1, 9 * MS, "out", b"\x0f\xa1", "close")],
         "○ closed by the server · 4001: the application's own"),
        ([message(5, 1, 9 * MS, "in", b"", "close")],
         "○ closed by the client · 1005: the close frame had no code"),
        ([], "✗ 1006: the connection ended without a close frame"),
    ],
)  # fmt: skip
def test_the_end_is_explained(
    page: WebSocketPage, panel: DetailPanel, store: Store, messages: list[Row], words: str
) -> None:
    store.apply(batch(requests=[socket(10 * MS)], messages=messages))
    panel.refresh()
    assert page.state.text() == words


def test_another_request_is_no_websocket(page: WebSocketPage, panel: DetailPanel) -> None:
    panel._selection.select(2)
    assert not page.messages.isVisible()
    panel._selection.select(1)
    assert page.messages.isVisible()
    assert len(contents(page)) == 4


def test_every_meaning_has_its_chinese(
    page: WebSocketPage, panel: DetailPanel, store: Store
) -> None:
    i18n.missing.clear()
    language.choose("zh")
    codes = [*MEANINGS, 0, 1500, 3000, 4000, 5000]
    rows = [message(n, 1, n * MS, "in", n.to_bytes(2, "big"), "close") for n in codes]
    store.apply(batch(requests=[socket(10**9)], messages=rows))
    panel.retranslate()
    assert all(contents(page))
    assert page.state.text().startswith("○ 由客户端关闭")
    assert {meaning_of(code) for code in codes} & i18n.missing == set()
    assert i18n.missing == set()
