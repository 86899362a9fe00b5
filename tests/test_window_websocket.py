"""WebSockets in the whole program: a client in the window talks, and its messages are shown."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.application import Program
from app.recording import capture
from app.widgets.detail import TABS
from app.widgets.socket_form import SocketForm

from .test_window import program

__all__ = ["program"]


def click(qtbot: QtBot, button: QPushButton) -> None:
    qtbot.waitUntil(button.isEnabled)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def connect(program: Program, qtbot: QtBot) -> SocketForm:
    """Connect to the chat as Alice; wait for its first message."""
    clients = program.window.clients
    clients.kinds.setCurrentIndex(1)
    form = clients.socket
    assert form.url.text() == "/chat/socket"
    click(qtbot, form.connect_button)
    qtbot.waitUntil(lambda: form.model.rowCount() == 1)
    return form


def kinds(form: SocketForm) -> list[str]:
    return [form.model.row(at)[5] for at in range(form.model.rowCount())]


def test_a_client_talks_and_the_request_shows_it(
    program: Program, qtbot: QtBot, tmp_path: Path
) -> None:
    form = connect(program, qtbot)
    window = program.window
    qtbot.keyClicks(form.message, "hello")
    click(qtbot, form.send_button)
    qtbot.waitUntil(lambda: form.model.rowCount() == 3)
    click(qtbot, form.ping_button)
    qtbot.waitUntil(lambda: form.model.rowCount() == 5)
    assert kinds(form)[3:] == ["ping", "pong"]
    qtbot.waitUntil(lambda: len(program.store.messages) == 5)
    (row,) = program.store.requests.rows
    assert row[2] == "Alice"
    window.selection.select(row[0])
    window.detail.tabs.setCurrentIndex(TABS.index("WebSocket"))
    model = window.detail.websocket.messages.model
    qtbot.waitUntil(lambda: model.rowCount() == 5)
    assert [model.index(at, 1).data() for at in range(3)] == ["↓ sent", "↑ received", "↓ sent"]
    form.code.setCurrentText("4001")
    click(qtbot, form.close_button)
    state = window.detail.websocket.state
    qtbot.waitUntil(lambda: state.text().startswith("○ closed by the client · 4001"))
    qtbot.waitUntil(lambda: form.state.toolTip().startswith("○ closed by the client · 4001"))
    qtbot.waitUntil(lambda: not program.store.open_requests)
    window.requests.filter.setText("ws-message:hello")
    qtbot.waitUntil(lambda: window.requests.count.text() == "✓ 1 of 1")
    window.requests.filter.setText("ws-message:nothing")
    qtbot.waitUntil(lambda: window.requests.count.text() == "✓ 0 of 1")
    path = tmp_path / "chat.loopscope"
    capture.write(program.store, path, {}, 0)
    with sqlite3.connect(path) as database:
        found = database.execute("SELECT direction, opcode, close_code FROM messages").fetchall()
    database.close()
    assert found[-2:] == [("in", "close", 4001), ("out", "close", 4001)]


def test_one_that_is_refused_says_so(program: Program, qtbot: QtBot) -> None:
    clients = program.window.clients
    clients.kinds.setCurrentIndex(1)
    clients.list.setCurrentItem(clients.list.findItems("Mallory", Qt.MatchFlag.MatchExactly)[0])
    click(qtbot, clients.socket.connect_button)
    state = clients.socket.state
    qtbot.waitUntil(lambda: state.toolTip() == "✗ the server answered 403, not 101")


def test_a_stopped_server_ends_it_without_a_close_frame(program: Program, qtbot: QtBot) -> None:
    form = connect(program, qtbot)
    program.session.stop_server()
    qtbot.waitUntil(lambda: form.state.toolTip().startswith("✗ 1006"))


def test_the_program_ends_with_an_open_websocket(program: Program, qtbot: QtBot) -> None:
    connect(program, qtbot)
    heard: list[str] = []
    sockets = program.session.sockets
    sockets.changed.connect(heard.append)
    sockets.close_all()
    qtbot.waitUntil(lambda: not program.store.open_requests)
    qtbot.wait(60)  # Twice as long as the window waits for more messages.
    assert heard == []  # By then there may be no window.
