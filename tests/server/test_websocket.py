"""WebSockets over real sockets, frame by frame: what passed is what was recorded."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import struct
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.web import Application
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from app.recording import capture
from app.recording.events import Message, Request
from app.recording.recorder import Recorder
from app.recording.store import LATEST_MESSAGES, Capacity, Store
from app.server.server import Server

from ..widgets.sample import MS, batch, message, request

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
HANDSHAKE = (
    b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n"
)


class Echo(WebSocketHandler):
    def open(self) -> None:
        self.set_nodelay(True)

    def on_message(self, message: str | bytes) -> None:
        match message:
            case "bye":
                self.close(4001, "as you wish")
            case "ping":
                self.ping(b"are you there?")
            case "fail":
                raise ValueError("on purpose")
            case "late":
                self.close(1000)
                for _ in range(500):
                    with pytest.raises(WebSocketClosedError):
                        self.write_message("too late")
            case bytes():
                self.write_message(message, binary=True)
            case _:
                self.write_message({"you said": message} if message == "json" else message)


class Slow(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await asyncio.sleep(0.01)
        if message == "fail":
            raise ValueError("on purpose")
        await self.write_message(message)


class Packed(Echo):
    def get_compression_options(self) -> dict[str, Any]:
        return {}


class Peer:
    """A WebSocket client that writes and reads frames byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, opcode: int, data: bytes, *, fin: bool = True, flags: int = 0) -> None:
        """Send a frame, masked with zeros."""
        size = len(data)
        if size > 65535:
            length = b"\xff" + struct.pack("!Q", size)
        else:
            length = b"\xfe" + struct.pack("!H", size) if size > 125 else bytes([128 | size])
        self.writer.write(bytes([fin << 7 | flags | opcode]) + length + b"\0\0\0\0" + data)

    async def receive(self) -> tuple[int, bytes]:
        """Return opcode and payload of the next frame."""
        first, size = await self.reader.readexactly(2)
        if size > 125:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
        return first & 15, await self.reader.readexactly(size)

    async def gone(self) -> None:
        """Wait until the server has closed the connection."""
        assert await self.reader.read() == b""


class Bench:
    """A server, and the store that its recording is folded into."""

    def __init__(self, recorder: Recorder | None = None, capacity: Capacity = Capacity()) -> None:
        self.recorder = recorder or Recorder()
        self.store = Store(self.recorder.origin_ns, capacity)
        self.port = 0
        self.server: Server | None = None
        self.peers: list[Peer] = []

    async def connect(self, path: bytes = b"/echo", more: bytes = b"") -> Peer:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", self.port))
        self.peers.append(peer)
        peer.writer.write(HANDSHAKE % (path, more))
        assert b" 101 " in await peer.reader.readuntil(b"\r\n\r\n")
        return peer

    def fold(self) -> None:
        self.store.apply(self.recorder.drain())

    def messages(self, request_id: int = 1) -> list[Message]:
        self.fold()
        return list(self.store.messages_of(request_id))

    def told(self, request_id: int = 1) -> list[tuple[str, str, bytes]]:
        return [(m.direction, m.opcode, m.payload) for m in self.messages(request_id)]

    async def until(self, count: int, request_id: int = 1) -> list[Message]:
        """Return the messages as soon as there are so many, the last of them through."""
        messages: list[Message] = []
        while len(messages) < count or not all(m.end_ns for m in messages):
            await asyncio.sleep(0.001)
            messages = self.messages(request_id)
        return messages


Visit = Callable[[Bench], Awaitable[None]]


def serve(visit: Visit, bench: Bench | None = None, **settings: Any) -> None:
    """Run *visit* against a server of its own."""
    bench = bench or Bench()

    async def run() -> None:
        bench.server = server = Server(bench.recorder)
        routes: list[Any] = [("/echo", Echo), ("/slow", Slow), ("/packed", Packed)]
        server.serve(Application(routes, **settings))
        _, bench.port = server.start("127.0.0.1", 0)
        try:
            async with asyncio.timeout(20):
                await visit(bench)
        finally:
            await server.close()
            for peer in bench.peers:
                peer.writer.close()
                with contextlib.suppress(ConnectionError):
                    await peer.writer.wait_closed()

    asyncio.run(run())


def test_every_frame_is_a_row_in_both_directions() -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect()
        for opcode, data in ((TEXT, "héllo".encode()), (BINARY, b"\0\xff"), (PING, b"a")):
            peer.send(opcode, data)
            assert (await peer.receive())[1] == data
        peer.send(TEXT, b"ping")
        assert await peer.receive() == (PING, b"are you there?")
        peer.send(PONG, b"are you there?")
        peer.send(CLOSE, struct.pack("!H", 1001) + b"leaving")
        assert await peer.receive() == (CLOSE, struct.pack("!H", 1001))
        await peer.gone()
        assert bench.told() == [
            ("in", "text", "héllo".encode()), ("out", "text", "héllo".encode()),
            ("in", "binary", b"\0\xff"), ("out", "binary", b"\0\xff"),
            ("in", "ping", b"a"), ("out", "pong", b"a"),
            ("in", "text", b"ping"), ("out", "ping", b"are you there?"),
            ("in", "pong", b"are you there?"),
            ("in", "close", b"\x03\xe9leaving"), ("out", "close", b"\x03\xe9"),
        ]  # fmt: skip
        first = bench.messages()[0]
        assert first.size == 6
        assert first.end_ns is not None
        assert first.time_ns < first.end_ns
        assert bench.store.request(1).outcome == "upgraded"  # type: ignore[union-attr]

    serve(visit)


def test_fragments_are_one_message_and_control_frames_may_stand_between() -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect()
        peer.send(TEXT, b"one ", fin=False)
        peer.send(PING, b"!")
        peer.send(0, b"two ", fin=False)
        peer.send(0, b"three")
        assert await peer.receive() == (PONG, b"!")
        assert await peer.receive() == (TEXT, b"one two three")
        assert bench.told() == [
            ("in", "ping", b"!"), ("out", "pong", b"!"),
            ("in", "text", b"one two three"), ("out", "text", b"one two three"),
        ]  # fmt: skip

    serve(visit)


def test_the_server_closes_with_code_and_reason() -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect()
        peer.send(TEXT, b"bye")
        assert await peer.receive() == (CLOSE, b"\x0f\xa1as you wish")
        peer.send(CLOSE, b"\x0f\xa1")
        await peer.gone()
        assert bench.told()[1:] == [
            ("out", "close", b"\x0f\xa1as you wish"), ("in", "close", b"\x0f\xa1"),
        ]  # fmt: skip

    serve(visit)


def test_an_aborted_socket_has_no_close_frame_and_ends() -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect()
        peer.send(TEXT, b"hi")
        await peer.receive()
        peer.writer.transport.abort()
        while bench.store.request(1) is None or bench.store.open_requests:
            await asyncio.sleep(0.001)
            bench.fold()
        assert [m.opcode for m in bench.messages()] == ["text", "text"]
        assert "on_close" in [stage.name for stage in bench.store.stages_of(1)]

    serve(visit)


@pytest.mark.parametrize(
    ("opcode", "data", "row"),
    [
        (TEXT, b"caf\xe9!", ("in", "text", b"caf\xe9!")),
        (TEXT, b"\xed\xa0\x80", ("in", "text", b"\xed\xa0\x80")),
        (3, b"what?", ("in", "0x3", b"what?")),
    ],
)
def test_what_tornado_refuses_is_recorded_with_the_reason(
    opcode: int, data: bytes, row: tuple[str, str, bytes]
) -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect()
        peer.send(opcode, data)
        await peer.gone()
        assert bench.told() == [row]
        assert bench.messages()[0].detail

    serve(visit)


def test_an_unmasked_frame_is_flagged() -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect()
        peer.writer.write(b"\x81\x02hi\x89\x00")
        peer.send(TEXT, b"masked")
        peer.writer.write(b"\x81\x02hi")
        for _ in range(4):
            await peer.receive()
        came = [m for m in bench.messages() if m.direction == "in"]
        assert [bool(m.detail and "mask" in m.detail) for m in came] == [True, True, False, True]
        assert [m.payload for m in came] == [b"hi", b"", b"masked", b"hi"]

    serve(visit)


@pytest.mark.parametrize(("data", "flawed"), [(b"", False), (b"\x03", True), (b"\x03\xe8", False)])
def test_half_a_close_code_is_flagged(data: bytes, flawed: bool) -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect()
        peer.send(CLOSE, data)
        await peer.receive()
        came = next(m for m in bench.messages() if m.direction == "in")
        assert (came.opcode, came.payload, bool(came.detail)) == ("close", data, flawed)

    serve(visit)


def test_a_message_that_is_too_big_is_answered_with_1009() -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect()
        peer.send(TEXT, b"x" * 2000)
        assert await peer.receive() == (CLOSE, b"\x03\xf1message too big")
        (m,) = bench.messages()
        assert (m.direction, m.opcode, m.payload) == ("out", "close", b"\x03\xf1message too big")

    serve(visit, websocket_max_message_size=1000)


def test_compressed_messages_are_recorded_unpacked() -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect(b"/packed", b"Sec-WebSocket-Extensions: permessage-deflate\r\n")
        text = b"again and " * 50
        packer = zlib.compressobj(wbits=-15)
        data = packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)
        peer.send(TEXT, data[:-4], flags=0x40)
        await peer.receive()
        assert bench.told() == [("in", "text", text), ("out", "text", text)]

    serve(visit)


def test_an_exception_in_on_message_stands_with_its_message() -> None:
    async def visit(bench: Bench) -> None:
        for number, path in enumerate((b"/echo", b"/slow"), 1):
            peer = await bench.connect(path)
            peer.send(TEXT, b"fail")
            await peer.gone()
            (m,) = await bench.until(1, number)
            assert (m.direction, m.detail) == ("in", "ValueError: on purpose")

    serve(visit)


def test_a_message_under_way_has_no_end_yet() -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect(b"/slow")
        peer.send(TEXT, b"hi")
        messages: list[Message] = []
        while not messages:
            await asyncio.sleep(0)
            messages = bench.messages()
        assert [m.end_ns for m in messages] == [None]
        assert await peer.receive() == (TEXT, b"hi")
        came, went = await bench.until(2)
        assert came.time_ns + 9 * MS < went.time_ns < (came.end_ns or 0)

    serve(visit)


def test_a_message_is_progress_of_its_request() -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect()
        assert bench.server is not None
        before = bench.server.progress_of(1)
        assert before > 1
        peer.send(TEXT, b"hi")
        await peer.receive()
        assert bench.server.progress_of(1) == before + 2
        peer.send(CLOSE, b"")
        await peer.receive()
        await peer.gone()
        assert bench.server.progress_of(1) == 0

    serve(visit)


def test_dictionaries_go_out_as_json() -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect()
        peer.send(TEXT, b"json")
        assert await peer.receive() == (TEXT, b'{"you said": "json"}')
        assert bench.told()[1] == ("out", "text", b'{"you said": "json"}')

    serve(visit)


def test_the_servers_own_pings_are_recorded() -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect()
        assert await peer.receive() == (PING, b"")
        assert bench.told() == [("out", "ping", b"")]

    serve(visit, websocket_ping_interval=0.02)


def test_a_thousand_messages_leave_the_requests_row_small() -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect()
        for n in range(1000):
            peer.send(TEXT, b"%d" % n)
        for n in range(1000):
            assert await peer.receive() == (TEXT, b"%d" % n)
        messages = await bench.until(2000)
        assert [m.payload for m in messages if m.direction == "in"] == [
            b"%d" % n for n in range(1000)
        ]
        row = Request(*bench.store.requests.rows[0])
        assert len(row.stages) <= 4 * 12
        assert len(bench.store.stages_of(1)) <= 12 + LATEST_MESSAGES

    serve(visit)


def test_a_large_message_is_cut_at_the_cap_and_its_size_is_kept() -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect()
        peer.send(BINARY, b"z" * (1 << 20))
        assert (await peer.receive())[1] == b"z" * (1 << 20)
        for m in bench.messages():
            assert m.size == 1 << 20
            assert m.payload == b"z" * bench.recorder.body_cap

    serve(visit)


def test_what_cannot_be_sent_leaves_few_stages() -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect()
        peer.send(TEXT, b"late")
        assert await peer.receive() == (CLOSE, b"\x03\xe8")
        peer.send(CLOSE, b"")
        await peer.gone()
        assert bench.told() == [
            ("in", "text", b"late"), ("out", "close", b"\x03\xe8"), ("in", "close", b""),
        ]  # fmt: skip
        failed = [s for s in bench.store.stages_of(1) if s.name == "write_message"]
        assert 100 < len(failed) <= 200
        assert {s.detail for s in failed} == {"WebSocketClosedError"}
        assert bench.recorder.dropped["stages"] == 500 - len(failed)

    serve(visit)


def test_more_than_the_journal_holds_is_dropped_and_counted() -> None:
    async def visit(bench: Bench) -> None:
        peer = await bench.connect()
        for _ in range(100):
            peer.send(TEXT, b"x" * 10)
        for _ in range(100):
            await peer.receive()
        assert len(bench.messages()) == 50
        assert bench.recorder.dropped["messages"] == 150
        assert bench.recorder.dropped["bodies"] == 180
        assert sum(len(m.payload) for m in bench.messages()) == 200

    serve(visit, Bench(Recorder(capacity=50, body_capacity=200)))


def test_the_store_forgets_the_oldest_messages() -> None:
    store = Store(capacity=Capacity(messages=100))
    for n in range(1, 301):
        store.apply(batch(messages=[message(n, 1, n * MS, "in")]))
    assert 100 <= len(store.messages) <= 110
    assert store.forgotten()["messages"] == 300 - len(store.messages)
    store = Store(capacity=Capacity(message_bytes=1000))
    store.apply(batch(messages=[message(n, 1, n * MS, "in", b"x" * 100) for n in range(1, 31)]))
    assert store.message_bytes <= 1000
    assert sum(m.size for m in store.messages_of(1)) == store.message_bytes
    assert store.messages.rows[-1][0] == 30


def test_the_recording_file_holds_the_messages(tmp_path: Path) -> None:
    store = Store(5 * MS)
    row = request(1, 6 * MS, None, 101)
    messages = [
        message(1, 1, 7 * MS, "in", "你好".encode()),
        message(2, 1, 8 * MS, "out", b"\x03\xe8done", "close"),
        message(3, 1, 9 * MS, "in", b"", "close"),
        (4, 1, 10 * MS, None, "in", "binary", 9, b"\xff", 0, None),
    ]
    store.apply(batch(requests=[row], messages=messages))
    path = tmp_path / "x.loopscope"
    capture.write(store, path, {}, 0)
    with sqlite3.connect(path) as database:
        found = database.execute(
            "SELECT request_id, time_ns, direction, opcode, size, hex(payload),"
            " close_code, close_reason FROM messages WHERE id < 4"
        ).fetchall()
    database.close()
    assert found == [
        (1, 2 * MS, "in", "text", 6, "E4BDA0E5A5BD", None, None),
        (1, 3 * MS, "out", "close", 6, "03E8646F6E65", 1000, "done"),
        (1, 4 * MS, "in", "close", 0, "", 1005, ""),
    ]
    again, _ = capture.read(path)
    expected = [m._replace(time_ns=m.time_ns - 5 * MS) for m in store.messages_of(1)]
    expected = [m._replace(end_ns=m.end_ns - 5 * MS) if m.end_ns else m for m in expected]
    assert list(again.messages_of(1)) == expected
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE messages")
    database.close()
    assert not capture.read(path)[0].messages
