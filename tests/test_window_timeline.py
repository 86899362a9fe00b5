"""The timeline of the real window, with real traffic."""

from __future__ import annotations

import signal
import socket

import pytest
from pytestqt.qtbot import QtBot

from app.application import Program
from app.widgets.timeline_lanes import Lane
from app.widgets.timeline_rows import CONNECTION, WEBSOCKET

from .test_window import Fetch, fetch, program

__all__ = ["fetch", "program"]


def frame(program: Program, qtbot: QtBot) -> None:
    """Draw what has happened until now, and 3 s of it."""
    program.frame(settle_ns=0)
    timeline = program.window.timeline
    timeline.canvas.view.scale = 3e9 / timeline.canvas.view.width
    timeline.set_following(True)
    qtbot.wait(1)
    timeline.canvas.repaint()


def lane_of(program: Program, kind: str) -> Lane | None:
    scene = program.window.timeline.canvas.scene
    return next((lane for row, lane in scene.lanes.items() if row.kind == kind), None)


def test_a_websocket_has_a_long_lane_with_its_messages(program: Program, qtbot: QtBot) -> None:
    host, port = program.session.address.split("/")[2].split(":")  # type: ignore[union-attr]
    with socket.create_connection((host, int(port))) as client:
        client.sendall(
            f"GET /chat/socket HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )

        def lane() -> Lane:
            frame(program, qtbot)
            found = lane_of(program, WEBSOCKET)
            assert found is not None
            return found

        qtbot.waitUntil(lambda: [m.incoming for m in lane().messages] == [False])
        client.sendall(b"\x81\x82\0\0\0\0hi")  # A text frame, masked with zeros.
        qtbot.waitUntil(lambda: any(m.incoming for m in lane().messages))
        made = lane()
        names = [stage.name for stage in program.store.stages_of(made.request_id)]
        assert names.count("on_message") == 1
        assert names.count("write_message") == 2
        assert any(label.text.startswith("the next message") for label in made.labels)
        canvas = program.window.timeline.canvas
        (connection,) = canvas.scene.connections.values()
        assert connection.open
        assert [bar.key for bar in connection.requests] == [made.request_id]


@pytest.mark.timeout(60, method="thread")  # The watchdog needs the alarm for itself.
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
def test_a_blocking_request_is_red_in_both_lanes(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    fetch("/block?seconds=0.3")
    canvas = program.window.timeline.canvas

    def red() -> bool:
        frame(program, qtbot)
        return any(lane.blocks for lane in canvas.scene.lanes.values())

    qtbot.waitUntil(red)
    placed, lane = next((row, lane) for row, lane in canvas.scene.lanes.items() if lane.blocks)
    (block,) = lane.blocks
    middle = canvas.lay.label + (block.left + block.right) // 2
    row = next(p for p in canvas.placed if p.row == placed)
    image = canvas.grab().toImage()
    for y in (canvas.lay.loop_top + 3, row.top + row.height // 2 - 7):
        assert image.pixelColor(middle, y) == canvas.ink.error
    assert any(p.row.kind == CONNECTION for p in canvas.placed)
