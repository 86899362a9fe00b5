"""What the window says of requests is what raw sockets sent and received."""

from __future__ import annotations

import concurrent.futures
import contextlib
import socket
import struct
import time
from typing import NamedTuple

import pytest
from pytestqt.qtbot import QtBot

from app.application import Program
from app.recording.events import Request
from app.widgets.connections import ConnectionsPanel
from app.widgets.detail import TABS
from app.widgets.messages import MessageView
from app.widgets.request_columns import status_words

from .test_window import program

__all__ = ["program"]

HOST = b"Host: 127.0.0.1:%d\r\n"


class Wire(NamedTuple):
    """What is sent piece by piece, and how it ends: read until *end*, or reset."""

    pieces: tuple[bytes, ...]
    end: bytes | None
    """None: until the server closes; empty: nothing is read."""
    bodies: tuple[bytes, ...]
    """What each request's body is once chunks are put together."""
    statuses: tuple[str, ...]
    version: str
    kept: str
    state: str


WIRES = {
    "keep-alive": Wire(
        (
            b"GET /story/1 HTTP/1.1\r\n" + HOST + b"\r\n",
            b"GET /story/2 HTTP/1.1\r\n" + HOST + b"\r\n",
        ),
        b"</html>\n",
        (b"", b""),
        ("200 ✓", "200 ✓"),
        "1.1",
        "✓ yes",
        "○ closed by the client",
    ),
    "HTTP/1.0": Wire(
        (b"GET /story/1 HTTP/1.0\r\n" + HOST + b"\r\n",),
        None,
        (b"",),
        ("200 ✓",),
        "1.0",
        "✗ no",
        "○ not kept alive",
    ),
    "pipelined": Wire(
        ((b"GET /story/1 HTTP/1.1\r\n" + HOST + b"\r\n") * 3,),
        b"</html>\n",
        (b"", b"", b""),
        ("200 ✓",) * 3,
        "1.1",
        "✓ yes",
        "○ closed by the client",
    ),
    "chunked": Wire(
        (
            b"POST /form HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\na=1\r\n",
            b"4\r\n&b=2\r\n0\r\n\r\n",
        ),
        b"</html>\n",
        (b"a=1&b=2",),
        ("403 ✗",),
        "1.1",
        "✓ yes",
        "○ closed by the client",
    ),
    "100-continue": Wire(
        (
            b"POST /form HTTP/1.1\r\n"
            + HOST
            + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n",
            b"a=1",
        ),
        b"</html>\n",
        (b"a=1",),
        ("403 ✗",),
        "1.1",
        "✓ yes",
        "○ closed by the client",
    ),
    "aborted": Wire(
        (b"POST /form HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\nabc",),
        b"",
        (b"abc",),
        ("✗ aborted",),
        "1.1",
        "✗ no",
        "○ reset by the client",
    ),
    "malformed": Wire(
        (b"GET / HTTP/1.1\r\n" + HOST + b"no colon\r\n\r\n",),
        None,
        (b"",),
        ("400 ✗",),
        "1.1",
        "✗ no",
        "○ malformed request",
    ),
}


def talk(port: int, wire: Wire) -> tuple[bytes, bytes]:
    """Send and read as *wire* says; return all bytes in either direction."""
    sent = got = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        for piece in wire.pieces:
            data = piece.replace(HOST, HOST % port)
            sock.sendall(data)
            sent += data
            time.sleep(0.1)  # Pieces are to arrive one by one.
        if wire.end == b"":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return sent, got
        while data := sock.recv(65536):
            got += data
            if wire.end is not None and _complete(got, wire):
                break
    return sent, got


def _complete(got: bytes, wire: Wire) -> bool:
    assert wire.end is not None
    return got.endswith(wire.end) and got.count(wire.end) >= len(wire.statuses)


def head_of(view: MessageView) -> bytes:
    """Return the head that a page shows, as it would be on the wire."""
    texts = [view._start.text()]
    for row in range(view.headers.rowCount()):
        cells = [view.headers.item(row, column) for column in range(2)]
        texts.append(": ".join(cell.text() for cell in cells if cell is not None))
    return "".join(f"{text}\r\n" for text in (*texts, "")).encode("latin-1")


def cell(panel: ConnectionsPanel, title: str) -> str:
    """Return what the latest connection says in a column."""
    model = panel.model
    at = [column.title for column in model.columns].index(title)
    return str(model.index(model.rowCount() - 1, at).data())


@pytest.mark.parametrize("name", WIRES)
def test_the_window_shows_what_was_on_the_wire(program: Program, qtbot: QtBot, name: str) -> None:
    wire, window, store = WIRES[name], program.window, program.store
    with concurrent.futures.ThreadPoolExecutor() as pool:
        future = pool.submit(talk, program.session.host_and_port[1], wire)
        qtbot.waitUntil(future.done)
    sent, got = future.result()
    qtbot.waitUntil(lambda: bool(store.connections.rows) and not store.open_connections)
    assert len(store.requests.rows) == len(wire.statuses)
    rest_in, rest_out = sent, got.removeprefix(b"HTTP/1.1 100 (Continue)\r\n\r\n")
    for row, status, body in zip(store.requests.rows, wire.statuses, wire.bodies, strict=True):
        request = Request(*row)
        assert status_words(row) == status
        window.selection.select(request.id)
        window.detail.tabs.setCurrentIndex(TABS.index("Request"))
        window.detail.refresh()
        asked, answered = window.detail.exchange.request, window.detail.exchange.response
        if name != "malformed":  # A line without a colon is none of a table.
            assert rest_in.startswith(head_of(asked))
        assert request.request_body == body
        rest_in = rest_in[len(request.request_head) :]
        if not request.response_head:
            assert answered._start.text() == "There is none: the connection closed first."
            continue
        assert rest_out.startswith(head_of(answered))
        rest_out = rest_out.removeprefix(head_of(answered))
        assert rest_out.startswith(request.response_body)
        rest_out = rest_out[len(request.response_body) :]
    assert rest_out == b""
    window.traffic.show_page(window.connections)
    window.connections.refresh()
    assert cell(window.connections, "State") == wire.state
    assert cell(window.connections, "Version") == wire.version
    assert cell(window.connections, "Keep-alive") == wire.kept
    assert cell(window.connections, "Requests") == str(len(wire.statuses))
    numbers = [f"#{row[0]}" for row in store.requests.rows]
    assert cell(window.connections, "Timeline").split()[-len(numbers) :] == numbers
    with contextlib.suppress(ValueError):
        assert int(cell(window.connections, "In").removesuffix(" B")) == len(sent)
