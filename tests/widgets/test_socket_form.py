"""The clients panel's WebSocket page: what is asked for, what is refused, what is shown."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.widgets.clients import ClientsPanel
from app.widgets.messages_view import MessagePane
from app.widgets.socket_form import SocketForm
from app.widgets.theme import Theme

from .fake_clients import FakeSockets
from .fake_controls import FakeControls
from .sample import MS, message


@pytest.fixture
def panel(qtbot: QtBot) -> ClientsPanel:
    panel = ClientsPanel(FakeControls(), Theme())
    qtbot.addWidget(panel)
    panel.resize(280, 620)
    panel.show()
    panel.kinds.setCurrentIndex(1)
    return panel


@pytest.fixture
def form(panel: ClientsPanel) -> SocketForm:
    return panel.socket


@pytest.fixture
def sockets(panel: ClientsPanel) -> FakeSockets:
    found = panel._controls.sockets
    assert isinstance(found, FakeSockets)
    return found


def click(qtbot: QtBot, button: QPushButton) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_nothing_can_be_sent_before_it_is_open(
    form: SocketForm, sockets: FakeSockets, qtbot: QtBot
) -> None:
    assert form.state.toolTip() == "○ not connected"
    assert not form.send_button.isEnabled()
    qtbot.keyClick(form.message, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert sockets.asked == []


def test_connect_send_ping_and_close(form: SocketForm, sockets: FakeSockets, qtbot: QtBot) -> None:
    form.url.clear()
    qtbot.keyClicks(form.url, "/chat/socket")
    qtbot.keyClick(form.url, Qt.Key.Key_Return)
    assert form.state.toolTip() == "● open"
    assert form.connect_button.text() == "Disconnect"
    qtbot.keyClicks(form.message, "hello")
    click(qtbot, form.send_button)
    form.kind.setCurrentIndex(1)
    form.message.setPlainText('{"a": 1}')
    qtbot.keyClick(form.message, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    form.kind.setCurrentIndex(2)
    form.message.setPlainText("00 fF\n10")
    click(qtbot, form.send_button)
    click(qtbot, form.ping_button)
    form.code.setCurrentText("4000")
    qtbot.keyClicks(form.reason, "done")
    click(qtbot, form.close_button)
    assert sockets.asked == [
        ("connect", "Alice", "/chat/socket"),
        ("send", "Alice", b"hello", False),
        ("send", "Alice", b'{"a": 1}', False),
        ("send", "Alice", b"\0\xff\x10", True),
        ("ping", "Alice", b"\0\xff\x10"),
        ("close", "Alice", 4000, "done"),
    ]
    assert form.connect_button.text() == "Connect"
    assert not form.close_button.isEnabled()


@pytest.mark.parametrize(("kind", "text"), [(1, "{"), (1, "[" * 100_000), (2, "0g"), (2, "123")])
def test_what_makes_no_sense_is_not_sent(
    form: SocketForm, sockets: FakeSockets, qtbot: QtBot, kind: int, text: str
) -> None:
    click(qtbot, form.connect_button)
    form.kind.setCurrentIndex(kind)
    form.message.setPlainText(text)
    click(qtbot, form.send_button)
    assert [what for what, *_ in sockets.asked] == ["connect"]
    assert form.message.property("state") == "error"
    assert form.message.toolTip()
    form.message.setPlainText("10")
    assert form.message.property("state") == ""
    click(qtbot, form.send_button)
    assert len(sockets.asked) == 2


def test_control_frames_have_little_room(
    form: SocketForm, sockets: FakeSockets, qtbot: QtBot
) -> None:
    click(qtbot, form.connect_button)
    form.message.setPlainText("x" * 126)
    click(qtbot, form.ping_button)
    form.reason.setText("é" * 62)
    click(qtbot, form.close_button)
    assert [what for what, *_ in sockets.asked] == ["connect"]
    assert form.message.property("state") == form.reason.property("state") == "error"
    form.code.setCurrentText("")
    form.reason.setText("without a code there is no reason")
    click(qtbot, form.close_button)
    assert sockets.asked[-1] == ("close", "Alice", None, "")


def test_each_client_has_its_own(
    panel: ClientsPanel, form: SocketForm, sockets: FakeSockets, qtbot: QtBot
) -> None:
    click(qtbot, form.connect_button)
    sockets.of("Alice").rows += [message(1, 0, MS, "in", b"from Alice")]
    sockets.changed.emit("Alice")
    assert form.model.rowCount() == 1
    assert form.model.index(0, 1).data() == "↑ sent"
    panel.list.setCurrentItem(panel.list.findItems("Bob", Qt.MatchFlag.MatchExactly)[0])
    assert form.model.rowCount() == 0
    assert form.state.toolTip() == "○ not connected"
    sockets.of("Bob").note = "127.0.0.1:1 refused the connection"
    sockets.changed.emit("Bob")
    assert form.state.toolTip() == "✗ 127.0.0.1:1 refused the connection"
    panel.list.setCurrentItem(panel.list.findItems("Alice", Qt.MatchFlag.MatchExactly)[0])
    assert form.model.rowCount() == 1


def test_a_message_opens_in_full(form: SocketForm, sockets: FakeSockets, qtbot: QtBot) -> None:
    click(qtbot, form.connect_button)
    sockets.of("Alice").rows += [message(1, 0, MS, "out", b'{"a": [1]}')]
    sockets.changed.emit("Alice")
    form.view.setFocus()
    qtbot.keyClick(form.view, Qt.Key.Key_End)
    qtbot.keyClick(form.view, Qt.Key.Key_Return)
    dialog = form.findChild(QDialog)
    assert isinstance(dialog, QDialog)
    pane = dialog.findChild(MessagePane)
    assert isinstance(pane, MessagePane)
    assert isinstance(pane.text, QPlainTextEdit)
    assert pane.text.toPlainText() == '{\n  "a": [\n    1\n  ]\n}'
    dialog.close()
