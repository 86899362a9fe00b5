"""The clients in the real window: forms, how it is sent, bursts, history, who they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.application import Program
from app.recording.events import Request
from app.recording.headers import value_of
from app.widgets.client_dialog import ClientDialog
from app.widgets.clients_body import FORM, JSON, PARTS
from app.widgets.clients_form import BODY, HEADERS, QUERY, SENDING
from app.widgets.firing_controls import Fired
from app.widgets.pairs_table import PairsTable

from .test_window import click, finished, fire, program

__all__ = ["program"]
KEY, SHIFT = Qt.Key, Qt.KeyboardModifier.ShiftModifier


def type_into(qtbot: QtBot, table: PairsTable, row: int, *texts: str) -> None:
    """Type a name and a value into a row of a table, with the keyboard."""
    for column, text in enumerate(texts):
        table.setFocus()
        table.setCurrentCell(row, column)
        qtbot.keyClick(table, KEY.Key_F2)
        [edit] = table.findChildren(QLineEdit)
        assert isinstance(edit, QLineEdit)
        edit.selectAll()
        edit.insert(text)  # QTest knows no keys for Chinese.
        qtbot.keyClick(edit, KEY.Key_Return)
        qtbot.waitUntil(lambda: not table.findChildren(QLineEdit))


def send(program: Program, qtbot: QtBot) -> Fired:
    """Click Fire; return what came of it."""
    before = len(program.session.firing.history())
    qtbot.mouseClick(program.window.clients.fire, Qt.MouseButton.LeftButton)
    history = program.session.firing.history
    qtbot.waitUntil(lambda: len(history()) > before and history()[-1].over)
    return history()[-1]


def latest(program: Program, qtbot: QtBot, uri: str, count: int = 1) -> Request:
    qtbot.waitUntil(lambda: len(finished(program, uri)) >= count)
    return finished(program, uri)[-1]


def test_query_and_headers_are_typed_into_tables(program: Program, qtbot: QtBot) -> None:
    form = program.window.clients.form
    form.tabs.setCurrentIndex(QUERY)
    type_into(qtbot, form.query, 0, "name", "a b")
    assert form.url.text() == "/?name=a+b"
    type_into(qtbot, form.query, 1, "x", "1&2")
    assert form.url.text() == "/?name=a+b&x=1%262"
    form.url.setText("/?y=%41")
    assert form.query.pairs() == [("y", "A")]
    assert form.url.text() == "/?y=%41"
    form.tabs.setCurrentIndex(HEADERS)
    type_into(qtbot, form.headers, 0, "X-Own", "yes")
    type_into(qtbot, form.headers, 1, "Accept: text/html")
    assert form.headers.pairs() == [("X-Own", "yes"), ("Accept", "text/html")]
    send(program, qtbot)
    request = latest(program, qtbot, "/?y=%41")
    assert b"\r\nX-Own: yes\r\nAccept: text/html\r\n" in request.request_head
    form.headers.setCurrentCell(0, 0)
    qtbot.keyClick(form.headers, KEY.Key_Delete)
    assert form.headers.pairs() == [("Accept", "text/html")]


def test_a_wrong_header_name_stays_in_the_form(program: Program, qtbot: QtBot) -> None:
    panel = program.window.clients
    panel.form.tabs.setCurrentIndex(HEADERS)
    type_into(qtbot, panel.form.headers, 0, "no name", "1")
    panel.form.tabs.setCurrentIndex(BODY)
    qtbot.mouseClick(panel.fire, Qt.MouseButton.LeftButton)
    assert panel.form.tabs.currentIndex() == HEADERS
    assert panel.form.headers.property("state") == "error"
    assert program.session.firing.history() == []


def test_bodies_of_each_kind(program: Program, qtbot: QtBot, tmp_path: Path) -> None:
    panel = program.window.clients
    form, content = panel.form, panel.form.content
    form.method.setCurrentText("POST")
    form.url.setText("/form")
    content.kind.setCurrentIndex(FORM)
    type_into(qtbot, content.form, 0, "name", "爱 丽丝")
    send(program, qtbot)
    request = latest(program, qtbot, "/form")
    assert request.request_body == b"name=%E7%88%B1+%E4%B8%BD%E4%B8%9D"
    assert value_of(request.request_head, "Content-Type") == "application/x-www-form-urlencoded"
    content.kind.setCurrentIndex(JSON)
    content.json.setPlainText('{"a": [1,\n 2,]}')
    assert content.problem.toolTip().startswith("✗ line 2, column")
    qtbot.mouseClick(panel.fire, Qt.MouseButton.LeftButton)
    assert content.json.property("state") == "error"
    assert len(program.session.firing.history()) == 1
    content.json.setPlainText('{"a": [1, 2]}')
    send(program, qtbot)
    request = latest(program, qtbot, "/form", 2)
    assert json.loads(request.request_body) == {"a": [1, 2]}
    assert value_of(request.request_head, "Content-Type") == "application/json"
    file = tmp_path / 'a "file".bin'
    file.write_bytes(b"\x00\r\n\xff")
    content.kind.setCurrentIndex(PARTS)
    type_into(qtbot, content.parts, 0, "title", "hello")
    content.add_files([str(file)])
    form.url.setText("/upload")
    send(program, qtbot)
    request = latest(program, qtbot, "/upload")
    kind = value_of(request.request_head, "Content-Type") or ""
    boundary = kind.partition("boundary=")[2].encode()
    assert request.request_body == (
        b"--%b\r\n"
        b'Content-Disposition: form-data; name="title"\r\n\r\nhello\r\n'
        b"--%b\r\n"
        b'Content-Disposition: form-data; name="file"; filename="a %%22file%%22.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\x00\r\n\xff\r\n--%b--\r\n"
    ) % (boundary, boundary, boundary)
    file.unlink()
    qtbot.mouseClick(panel.fire, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(program.window.banner.isVisible)
    assert str(file) in program.window.banner.label.text()


def test_how_it_is_sent_is_seen_on_the_wire(program: Program, qtbot: QtBot) -> None:
    panel = program.window.clients
    panel.form.tabs.setCurrentIndex(SENDING)
    checks, spins = panel.form.sending.checks, panel.form.sending.spins
    for name in ("http_1_0", "keep_alive"):
        checks[name].click()
    send(program, qtbot)
    request = latest(program, qtbot, "/")
    assert request.version == "HTTP/1.0"
    connection = program.store.connection(request.connection_id)
    assert connection is not None
    qtbot.waitUntil(
        lambda: program.store.connection(request.connection_id).reason == "not kept alive"  # type: ignore[union-attr]
    )
    checks["http_1_0"].click()
    spins["hang_up_after"].setValue(10)
    fired = send(program, qtbot)
    assert fired.error == "hung up after 10 bytes of the request, as asked for"
    spins["hang_up_after"].setValue(-1)
    spins["bytes_per_second"].setValue(1000)
    fired = send(program, qtbot)
    size = len(latest(program, qtbot, "/", 2).request_head)
    assert fired.latencies[0] >= size / 1000
    spins["bytes_per_second"].setValue(0)
    spins["give_up_after"].setValue(1)
    panel.form.url.setText("/wait")
    assert send(program, qtbot).error == "no complete answer within 1 s"


@pytest.mark.parametrize(
    ("url", "words"),
    [("http://[", "not a URL"), ("http://h:99999/", "not a URL"), ("ftp://h/", "begins with")],
)
def test_a_url_that_cannot_be_asked_for_is_marked(
    program: Program, qtbot: QtBot, url: str, words: str
) -> None:
    panel = program.window.clients
    panel.form.url.setText(url)
    qtbot.mouseClick(panel.fire, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.form.url.property("state") == "error")
    assert words in program.window.banner.label.text()
    assert program.session.firing.history() == []
    panel.form.url.setText("/")
    assert send(program, qtbot).statuses == {200: 1}


def test_redirects_step_by_step_and_followed(program: Program, qtbot: QtBot) -> None:
    window = program.window
    window.traffic.show_page(window.history)
    history = window.history
    form = window.clients.form
    form.url.setText("/old")
    fired = send(program, qtbot)
    assert [(hop.method, hop.status) for hop in fired.hops] == [("GET", 302)]
    qtbot.waitUntil(history.step.isVisible)
    history.tree.setFocus()
    qtbot.keyClick(history.tree, KEY.Key_N)
    qtbot.waitUntil(lambda: len(program.session.firing.history()) == 2)
    qtbot.waitUntil(lambda: program.session.firing.history()[-1].over)
    assert program.session.firing.history()[-1].statuses == {200: 1}
    form.follow.setChecked(True)
    fired = send(program, qtbot)
    assert [hop.status for hop in fired.hops] == [302, 200]
    qtbot.waitUntil(lambda: history.tree.topLevelItemCount() == 3)
    item = history.tree.topLevelItem(2)
    assert item is not None
    qtbot.waitUntil(lambda: item.childCount() == 2)
    assert [item.child(at).text(3) for at in range(2)] == ["302 →", "200 ✓"]  # type: ignore[union-attr]
    assert not history.step.isVisible()


def test_a_burst_has_a_histogram_and_can_be_cancelled(program: Program, qtbot: QtBot) -> None:
    window = program.window
    window.traffic.show_page(window.history)
    panel = window.clients
    panel.count.setValue(40)
    qtbot.mouseClick(panel.burst, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(program.session.firing.history()))
    fired = program.session.firing.history()[0]
    qtbot.waitUntil(lambda: fired.over)
    assert len(fired.latencies) == 40
    assert fired.statuses == {200: 40}
    qtbot.waitUntil(lambda: sum(window.history.histogram.bars()[1]) == 40)
    assert window.history.summary.text() == "40 of 40: 200 ✓ × 40"
    assert "p99" in window.history.histogram.accessibleName()
    panel.form.sending.spins["rate"].setValue(20)
    qtbot.mouseClick(panel.burst, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(program.session.firing.history()) == 2)
    slow = program.session.firing.history()[1]
    qtbot.waitUntil(lambda: len(slow.latencies) > 2 and panel.cancel.isEnabled())
    qtbot.mouseClick(panel.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: slow.over)
    assert len(slow.latencies) < 40
    assert slow.error == "cancelled"
    qtbot.waitUntil(lambda: window.history.tree.topLevelItemCount() == 2)
    item = window.history.tree.topLevelItem(1)
    assert item is not None
    qtbot.waitUntil(lambda: item.text(3).startswith("✗"))


def test_the_history_sends_again_and_edits(program: Program, qtbot: QtBot) -> None:
    window = program.window
    window.traffic.show_page(window.history)
    form = window.clients.form
    form.method.setCurrentText("PUT")
    form.url.setText("/story/1?a=b")
    form.headers.set_pairs([("X-Own", "1")])
    form.body.setPlainText("text")
    form.sending.checks["chunked"].setChecked(True)
    send(program, qtbot)
    qtbot.waitUntil(lambda: window.history.tree.topLevelItemCount() == 1)
    window.history.tree.setFocus()
    qtbot.keyClick(window.history.tree, KEY.Key_R)
    qtbot.waitUntil(lambda: len(finished(program, "/story/1?a=b")) == 2)
    first, second = finished(program, "/story/1?a=b")
    assert b"Transfer-Encoding: chunked" in second.request_head
    assert (first.request_head, first.request_body) == (second.request_head, second.request_body)
    form.url.setText("/")
    form.method.setCurrentText("GET")
    form.sending.checks["chunked"].setChecked(False)
    click(qtbot, window.clients.list, "Bob")
    window.history.tree.setFocus()
    qtbot.keyClick(window.history.tree, KEY.Key_D, SHIFT)
    assert (form.method.currentText(), form.url.text()) == ("PUT", "/story/1?a=b")
    assert ("X-Own", "1") in form.headers.pairs()
    assert form.sending.checks["chunked"].isChecked()
    assert window.clients.client == "Alice"


def test_a_recorded_request_is_sent_again_and_edited(program: Program, qtbot: QtBot) -> None:
    window = program.window
    click(qtbot, window.clients.list, "Bob")
    fire(program, qtbot, "POST", "/form", "name=bob")
    window.traffic.show_page(window.requests)
    view = window.requests.view
    qtbot.waitUntil(lambda: view.model().rowCount() == 1)
    view.selectRow(0)
    view.setFocus()
    qtbot.keyClick(view, KEY.Key_R)
    qtbot.waitUntil(lambda: len(finished(program, "/form")) == 2)
    first, second = finished(program, "/form")
    assert (second.client, second.method, second.request_body) == ("Bob", "POST", b"name=bob")
    assert first.request_head == second.request_head
    click(qtbot, window.clients.list, "Alice")
    window.clients.form.url.setText("/")
    view.setFocus()
    qtbot.keyClick(view, KEY.Key_D, SHIFT)
    assert window.clients.form.url.text() == "/form"
    assert window.clients.form.content.form.pairs() == [("name", "bob")]
    assert window.clients.client == "Bob"


def open_dialog(program: Program, qtbot: QtBot) -> ClientDialog:
    qtbot.mouseClick(program.window.clients.change, Qt.MouseButton.LeftButton)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, ClientDialog)
    return dialog


def test_a_client_becomes_somebody_else(program: Program, qtbot: QtBot) -> None:
    panel = program.window.clients
    fire(program, qtbot, "GET", "/login")
    dialog = open_dialog(program, qtbot)
    dialog.page.setText("evil")
    qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)
    assert dialog.isVisible()
    assert dialog.page.property("state") == "error"
    dialog.page.setText("http://evil.example/")
    dialog.name.setText("Bob")
    qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)
    assert "Bob" in dialog.problem.toolTip()
    dialog.name.setText("爱丽丝")
    dialog.colour.setCurrentIndex(4)
    qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)
    assert panel.client == "爱丽丝"
    state = program.session.clients()[0]
    assert (state.name, state.hue, len(state.cookies)) == ("爱丽丝", 5, 1)
    panel.form.headers.set_pairs([("Content-Type", "application/json")])  # No form sends this.
    request = fire(program, qtbot, "POST", "/login", "a=1")
    assert request.client == "爱丽丝"
    assert value_of(request.request_head, "Sec-Fetch-Mode") == "cors"
    assert value_of(request.request_head, "Origin") == "http://evil.example"
    assert value_of(request.request_head, "Sec-Fetch-Site") == "cross-site"
    assert value_of(request.request_head, "Cookie") is None
    dialog = open_dialog(program, qtbot)
    dialog.kind.setCurrentIndex(1)
    assert not dialog.page.isEnabled()
    qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)
    request = fire(program, qtbot, "POST", "/login", "a=1")
    assert value_of(request.request_head, "Origin") is None
    assert value_of(request.request_head, "Cookie") is not None


def test_a_client_is_removed(program: Program, qtbot: QtBot) -> None:
    panel = program.window.clients
    click(qtbot, panel.list, "Mallory")
    dialog = open_dialog(program, qtbot)
    button = dialog.findChildren(QPushButton)
    assert dialog.remove in button
    qtbot.mouseClick(dialog.remove, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
    names = [state.name for state in program.session.clients()]
    assert names == ["Alice", "Bob", "script"]
    qtbot.waitUntil(lambda: panel.client in names)


def test_connections_tell_their_version_and_why_they_closed(program: Program, qtbot: QtBot) -> None:
    window = program.window
    window.traffic.show_page(window.connections)
    view = window.connections.view
    titles = [column.title for column in window.connections.model.columns]
    panel = window.clients
    send(program, qtbot)
    panel.form.sending.checks["http_1_0"].click()
    panel.form.sending.checks["keep_alive"].click()
    send(program, qtbot)

    def shown(title: str) -> list[str]:
        columns = [view.model().index(row, titles.index(title)) for row in range(2)]
        return [str(index.data()) for index in columns]

    qtbot.waitUntil(lambda: view.model().rowCount() == 2)
    qtbot.waitUntil(lambda: shown("State") == ["● open", "○ not kept alive"])
    assert shown("Version") == ["1.1", "1.0"]
    assert shown("Keep-alive") == ["✓ yes", "✗ no"]
    assert [shown("Timeline")[at].split()[-1] for at in range(2)] == ["#1", "#2"]
    assert shown("In")[0] == "…"
    assert shown("In")[1].endswith(" B")
