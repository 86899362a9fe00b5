"""WebSockets of the named clients, over real connections to a real server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from app.recording.events import Message
from app.recording.headers import value_of
from app.recording.recorder import Recorder
from app.recording.store import Store
from app.server.client_messages import ClientRequest
from app.server.client_socket import ClientSocket, NotUpgraded, open_socket
from app.server.clients import Clients
from app.server.server import Server
from app.server.websocket import Passing


class Talk(WebSocketHandler):
    def open(self) -> None:
        user = self.get_cookie("user", "nobody")
        self.write_message(f"hello {user}")

    def on_message(self, message: str | bytes) -> None:
        if message == "drop":
            self.stream_of_this().close()
        elif message == "leave":
            self.close(1001, "the end")
        else:
            self.write_message(message, binary=isinstance(message, bytes))

    def stream_of_this(self) -> socket.socket:
        assert self.ws_connection is not None
        return self.ws_connection.stream  # type: ignore[return-value]


class Login(RequestHandler):
    def get(self) -> None:
        self.set_cookie("user", "ann")


class Side:
    """One client's side of a WebSocket, and what passed there."""

    def __init__(self) -> None:
        self.journal = Recorder()
        self.over = asyncio.Event()

    def begin(self, direction: str, opcode: int, data: bytes) -> Passing:
        return Passing(self.journal, 0, direction, opcode, data)

    @property
    def told(self) -> list[tuple[str, str, bytes]]:
        messages = [Message(*row) for row in sorted(self.journal.messages)]
        return [(m.direction, m.opcode, m.payload) for m in messages]

    def of(self, direction: str) -> list[tuple[str, bytes]]:
        return [(kind, data) for way, kind, data in self.told if way == direction]

    async def until(self, count: int) -> None:
        told = self.told
        while len(told) < count:
            await asyncio.sleep(0.001)
            told = self.told


class World:
    """A server with its recording, and the clients."""

    def __init__(self, clients: Clients, recorder: Recorder, port: int) -> None:
        self.clients = clients
        self.recorder = recorder
        self.url = f"http://127.0.0.1:{port}/talk"

    async def talk(self, client: str, url: str = "") -> tuple[ClientSocket, Side]:
        side = Side()
        opened = await open_socket(self.clients[client], url or self.url, side.begin, side.over.set)
        return opened, side


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    recorder, clients = Recorder(), Clients()
    server = Server(recorder, clients.name_of_peer)
    server.serve(Application([("/talk", Talk), ("/login", Login)]))
    _, port = server.start("127.0.0.1", 0)
    try:
        async with asyncio.timeout(20):
            yield World(clients, recorder, port)
    finally:
        clients.close()
        await server.close()


def test_messages_pass_both_ways_and_the_server_knows_the_client() -> None:
    async def run() -> None:
        async with world() as w:
            ann, side = await w.talk("Alice")
            await ann.send("你好".encode(), binary=False)
            await ann.send(b"\0\xff", binary=True)
            ann.ping(b"!")
            await side.until(7)
            assert side.of("in") == [
                ("text", "你好".encode()), ("binary", b"\0\xff"), ("ping", b"!"),
            ]  # fmt: skip
            assert side.of("out") == [
                ("text", b"hello nobody"),
                ("text", "你好".encode()), ("binary", b"\0\xff"), ("pong", b"!"),
            ]  # fmt: skip
            ann.close(4000, "enough")
            await side.over.wait()
            assert side.told[-2:] == [
                ("in", "close", b"\x0f\xa0enough"), ("out", "close", b"\x0f\xa0"),
            ]  # fmt: skip
            store = Store(w.recorder.origin_ns)
            store.apply(w.recorder.drain())
            row = store.request(1)
            assert row is not None
            assert (row.client, row.outcome) == ("Alice", "upgraded")
            with pytest.raises(WebSocketClosedError):
                ann.send(b"too late", binary=False)

    asyncio.run(run())


def test_the_jars_cookies_go_along() -> None:
    async def run() -> None:
        async with world() as w:
            await w.clients["Alice"].fetch(ClientRequest(w.url.replace("talk", "login")))
            for client, name in (("Alice", b"ann"), ("Bob", b"nobody")):
                opened, side = await w.talk(client, w.url.replace("http:", "ws:"))
                await side.until(1)
                assert side.told == [("out", "text", b"hello " + name)]
                opened.abort()
                await side.over.wait()

    asyncio.run(run())


def test_another_origin_is_refused() -> None:
    async def run() -> None:
        async with world() as w:
            with pytest.raises(NotUpgraded, match="403"):
                await w.talk("Mallory")
            store = Store(w.recorder.origin_ns)
            store.apply(w.recorder.drain())
            row = store.request(1)
            assert row is not None
            assert value_of(row.request_head, "Origin") == "http://evil.localhost"
            with pytest.raises(NotUpgraded, match="404"):
                await w.talk("Alice", w.url.replace("talk", "nothing"))
            assert len(w.clients["Alice"]._pool) == 0

    asyncio.run(run())


def test_the_server_ends_it_with_a_close_frame_or_without() -> None:
    async def run() -> None:
        async with world() as w:
            ann, side = await w.talk("Alice")
            await ann.send(b"leave", binary=False)
            await side.over.wait()
            assert side.told[-2:] == [
                ("out", "close", b"\x03\xe9the end"), ("in", "close", b"\x03\xe9"),
            ]  # fmt: skip
            ann, side = await w.talk("Alice")
            with contextlib.suppress(WebSocketClosedError):
                await ann.send(b"drop", binary=False)
            await side.over.wait()
            assert [kind for _, kind, _ in side.told] == ["text", "text"]

    asyncio.run(run())


def test_where_nobody_listens_or_nothing_makes_sense() -> None:
    async def run() -> None:
        async with world() as w:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            with pytest.raises(OSError, match="refused"):
                await w.talk("Alice", f"ws://127.0.0.1:{port}/")
            with pytest.raises(ValueError, match="http"):
                await w.talk("Alice", "gopher://h/")

    asyncio.run(run())


def test_a_handshake_with_a_wrong_key_is_refused() -> None:
    answered = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: bm90IGl0\r\n\r\n"
        )
        await reader.read()
        writer.close()
        await writer.wait_closed()
        answered.set()

    async def run() -> None:
        async with world() as w, await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(ValueError, match="handshake"):
                await w.talk("Alice", f"ws://127.0.0.1:{port}/")
            await answered.wait()

    asyncio.run(run())
