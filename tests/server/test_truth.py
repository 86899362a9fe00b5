"""What is recorded of connections and requests is what a raw socket sent and received."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.web import Application, RequestHandler, stream_request_body

from app.recording.events import Connection, Request
from app.recording.recorder import Recorder
from app.recording.store import Store
from app.server.server import Server
from app.server.site import Site

MALFORMED = b"HTTP/1.1 400 Bad Request\r\n\r\n"


class Echo(RequestHandler):
    def get(self) -> None:
        self.write(self.request.body or b"empty")

    post = put = get

    def head(self) -> None:
        self.set_header("Content-Length", "5")


class Parts(RequestHandler):
    async def get(self) -> None:
        for part in (b"one", b"three", b"seven77"):
            self.write(part)
            await self.flush()


class Endless(RequestHandler):
    async def get(self) -> None:
        await asyncio.Event().wait()


class Late(RequestHandler):
    """Answers when the client has long gone."""

    answered: asyncio.Event

    def initialize(self) -> None:
        self.left = asyncio.Event()

    def on_connection_close(self) -> None:
        self.left.set()

    async def get(self) -> None:
        await self.left.wait()
        self.write("never sent")
        if self.get_argument("parts", ""):
            await self.flush()
            self.write("nor this")

    def on_finish(self) -> None:
        asyncio.get_running_loop().call_soon(Late.answered.set)


class Short(RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Length", "100")
        self.write("short")


class Bye(RequestHandler):
    def get(self) -> None:
        self.set_header("Connection", "close")
        self.write("bye")


@stream_request_body
class Hasty(RequestHandler):
    def prepare(self) -> None:
        self.request.connection.set_body_timeout(0.05)  # type: ignore[union-attr]

    def data_received(self, chunk: bytes) -> None:
        pass

    def post(self) -> None:
        self.write("in time")


ROUTES: list[Any] = [
    ("/", Echo),
    ("/parts", Parts),
    ("/endless", Endless),
    ("/late", Late),
    ("/short", Short),
    ("/bye", Bye),
    ("/hasty", Hasty),
]


class Wire:
    """A raw socket to the server; `sent` and `got` are all of its bytes in either direction."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.sent = self.got = b""

    async def open(self) -> Wire:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.bench.port)
        return self

    def send(self, data: bytes) -> None:
        self.sent += data
        self.writer.write(data)

    async def receive(self, end: bytes) -> bytes:
        """Read on until *end* has come."""
        data = await asyncio.wait_for(self.reader.readuntil(end), 20)
        self.got += data
        return data

    async def rest(self) -> bytes:
        """Read until the server closes the connection."""
        data = await asyncio.wait_for(self.reader.read(), 20)
        self.got += data
        return data

    def reset(self) -> None:
        """End the connection with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def recorded(self) -> tuple[Connection, list[Request]]:
        """Close the socket; return what was recorded of it, byte counts compared with its own."""
        self.writer.close()
        store = self.bench.store
        while True:
            store.apply(self.bench.recorder.drain())
            connection = Connection(*store.connections.rows[-1])
            if connection.closed_ns is not None:
                break
            await asyncio.sleep(0.001)
        assert (connection.bytes_in, connection.bytes_out) == (len(self.sent), len(self.got))
        requests = [Request(*row) for row in store.requests.rows]
        assert all(request.end_ns is not None for request in requests)
        assert all(request.connection_id == connection.id for request in requests)
        return connection, requests


class Bench:
    """A server, and the store that its recording is folded into."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.store = Store(self.recorder.origin_ns)
        self.port = 0
        self.server = Server(self.recorder)


def serve(visit: Callable[[Wire], Awaitable[None]], **arguments: float) -> None:
    """Let *visit* talk to a server of its own; *arguments* are those of its HTTPServer."""

    async def main() -> None:
        bench = Bench()
        bench.server.apply(Site(Path(), server=arguments))
        bench.server.serve(Application(ROUTES))
        _, bench.port = bench.server.start("127.0.0.1", 0)
        wire = await Wire(bench).open()
        try:
            await visit(wire)
        finally:
            wire.writer.close()
            await bench.server.close()

    asyncio.run(main())


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "tornado.access")
    caplog.set_level(logging.CRITICAL, "tornado.general")


def head(line: str, *headers: str) -> bytes:
    return "".join(f"{each}\r\n" for each in (line, "Host: 127.0.0.1", *headers, "")).encode()


def test_keep_alive_and_pipelined_requests() -> None:
    async def visit(wire: Wire) -> None:
        first = head("GET / HTTP/1.1")
        wire.send(first)
        answer = await wire.receive(b"\r\n\r\n") + await wire.receive(b"empty")
        second = head("POST / HTTP/1.1", "Content-Length: 3", "x-lower: 1")
        third = head("PUT / HTTP/1.1", "content-length: 4")
        wire.send(second + b"abc" + third + b"defg")
        two = await wire.receive(b"abc")
        three = await wire.receive(b"defg")
        connection, requests = await wire.recorded()
        assert [(r.request_head, r.request_body, r.request_size) for r in requests] == [
            (first, b"", 0),
            (second, b"abc", 3),
            (third, b"defg", 4),
        ]
        assert [r.response_head + r.response_body for r in requests] == [answer, two, three]
        assert [r.outcome for r in requests] == ["finished"] * 3
        assert [r.version for r in requests] == ["HTTP/1.1"] * 3
        assert connection.reason == "closed by the client"

    serve(visit)


@pytest.mark.parametrize("keep", [True, False])
def test_http_1_0(keep: bool) -> None:
    async def visit(wire: Wire) -> None:
        sent = head("GET / HTTP/1.0", *(["Connection: keep-alive"] if keep else []))
        wire.send(sent)
        answer = await (wire.receive(b"empty") if keep else wire.rest())
        connection, [request] = await wire.recorded()
        assert (request.version, request.request_head) == ("HTTP/1.0", sent)
        assert request.response_head + request.response_body == answer
        assert request.outcome == "finished"
        assert connection.reason == ("closed by the client" if keep else "not kept alive")

    serve(visit)


def test_connection_close() -> None:
    async def visit(wire: Wire) -> None:
        wire.send(head("GET / HTTP/1.1", "Connection: close"))
        await wire.rest()
        connection, [request] = await wire.recorded()
        assert (request.status, request.outcome) == (200, "finished")
        assert connection.reason == "not kept alive"

    serve(visit)


def test_a_handlers_own_connection_close_is_left_to_the_client() -> None:
    async def visit(wire: Wire) -> None:
        wire.send(head("GET /bye HTTP/1.1"))
        await wire.receive(b"bye")
        connection, [request] = await wire.recorded()
        assert b"Connection: close" in request.response_head
        assert connection.reason == "closed by the client"

    serve(visit)


def test_chunks_in_both_directions() -> None:
    async def visit(wire: Wire) -> None:
        sent = head("POST / HTTP/1.1", "Transfer-Encoding: chunked")
        wire.send(sent + b"3\r\nabc\r\n")
        wire.send(b"A\r\n0123456789\r\n0\r\n\r\n")
        await wire.receive(b"abc0123456789")
        wire.send(head("GET /parts HTTP/1.1"))
        answer = await wire.receive(b"\r\n\r\n")
        chunks = await wire.receive(b"\r\n0\r\n\r\n")
        assert chunks == b"3\r\none\r\n5\r\nthree\r\n7\r\nseven77\r\n0\r\n\r\n"
        _, [first, second] = await wire.recorded()
        assert (first.request_head, first.request_body, first.request_size) == (
            sent,
            b"abc0123456789",
            13,
        )
        assert (second.response_head, second.response_body) == (answer, b"onethreeseven77")
        assert second.response_size == 15

    serve(visit)


def test_100_continue() -> None:
    async def visit(wire: Wire) -> None:
        sent = head("POST / HTTP/1.1", "Content-Length: 2", "Expect: 100-continue")
        wire.send(sent)
        assert (await wire.receive(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        wire.send(b"ok")
        answer = await wire.receive(b"\r\n\r\nok")
        _, [request] = await wire.recorded()
        assert (request.request_head, request.request_body) == (sent, b"ok")
        assert (request.status, request.response_head + request.response_body) == (200, answer)

    serve(visit)


def test_head_has_no_body() -> None:
    async def visit(wire: Wire) -> None:
        wire.send(head("HEAD / HTTP/1.1"))
        answer = await wire.receive(b"\r\n\r\n")
        _, [request] = await wire.recorded()
        assert (request.response_head, request.response_body) == (answer, b"")
        assert request.response_size == 0

    serve(visit)


@pytest.mark.parametrize("by", ["FIN", "RST"])
@pytest.mark.parametrize("where", ["/", "/endless"])
def test_a_client_that_leaves_in_the_middle(by: str, where: str) -> None:
    async def visit(wire: Wire) -> None:
        sent = head(f"POST {where} HTTP/1.1", "Content-Length: 9")
        if where == "/endless":
            sent = head("GET /endless HTTP/1.1")
        else:
            sent += b"abc"
        wire.send(sent)
        begun = 0
        while not begun:
            await asyncio.sleep(0.001)
            begun = wire.bench.recorder.request_id
        if by == "RST":
            await asyncio.sleep(0.02)  # What came is thrown away with the connection otherwise.
            wire.reset()
        connection, [request] = await wire.recorded()
        assert (request.status, request.outcome, request.response_head) == (None, "aborted", b"")
        assert request.request_head + request.request_body == sent
        says = {"FIN": "closed by the client", "RST": "reset by the client"}
        assert connection.reason == says[by]

    serve(visit)


@pytest.mark.parametrize("query", ["", "?parts=1"])
def test_an_answer_to_nobody(query: str, caplog: pytest.LogCaptureFixture) -> None:
    async def visit(wire: Wire) -> None:
        Late.answered, recorder = asyncio.Event(), wire.bench.recorder
        wire.send(head(f"GET /late{query} HTTP/1.1"))
        begun = 0
        while not begun:
            await asyncio.sleep(0.001)
            begun = recorder.request_id
        wire.writer.close()
        await asyncio.wait_for(Late.answered.wait(), 20)
        connection, [request] = await wire.recorded()
        assert (request.status, request.outcome, request.response_head) == (None, "aborted", b"")
        assert (request.response_body, request.response_size) == (b"", 0)
        assert connection.descriptor not in recorder.owners  # It may be another socket's by now.

    caplog.set_level(logging.CRITICAL, "tornado.application")
    serve(visit)


def test_an_answer_that_falls_short_of_its_length(caplog: pytest.LogCaptureFixture) -> None:
    async def visit(wire: Wire) -> None:
        wire.send(head("GET /short HTTP/1.1"))
        await wire.rest()
        connection, [request] = await wire.recorded()
        assert (request.status, request.outcome) == (200, "aborted")
        assert connection.reason == "closed by the server in the middle of a request"

    caplog.set_level(logging.CRITICAL, "tornado.application")
    serve(visit)


def test_a_body_that_takes_too_long() -> None:
    async def visit(wire: Wire) -> None:
        wire.send(head("POST /hasty HTTP/1.1", "Content-Length: 9") + b"abc")
        assert await wire.rest() == b""
        connection, [request] = await wire.recorded()
        assert (request.status, request.outcome) == (None, "aborted")
        assert (request.request_body, request.request_size) == (b"abc", 3)
        assert connection.reason == "timed out"

    serve(visit)


def test_an_idle_connection_that_times_out() -> None:
    async def visit(wire: Wire) -> None:
        wire.send(head("GET / HTTP/1.1"))
        answer = await wire.receive(b"empty")
        assert await wire.rest() == b""
        connection, [request] = await wire.recorded()
        assert request.response_head + request.response_body == answer
        assert (request.status, request.outcome) == (200, "finished")
        assert connection.reason == "timed out"
        assert connection.closed_ns is not None
        assert request.end_ns is not None
        assert connection.closed_ns - request.end_ns >= 0.29e9

    serve(visit, idle_connection_timeout=0.3)


def test_a_head_that_takes_too_long() -> None:
    async def visit(wire: Wire) -> None:
        wire.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Sl")
        assert await wire.rest() == b""
        connection, requests = await wire.recorded()
        assert (connection.reason, requests) == ("timed out", [])

    serve(visit, idle_connection_timeout=0.3)


def test_the_server_stops() -> None:
    async def visit(wire: Wire) -> None:
        wire.send(head("GET / HTTP/1.1"))
        await wire.receive(b"empty")
        await wire.bench.server.stop()
        assert await wire.rest() == b""
        connection, _ = await wire.recorded()
        assert connection.reason == "closed by the server"

    serve(visit)


@pytest.mark.parametrize(
    ("sent", "method", "uri"),
    [
        (b"garbage\r\n\r\n", "garbage", ""),
        (b"GET /old\r\n\r\n", "GET", "/old"),
        (b"PRI * HTTP/2.0\r\n\r\n", "PRI", "*"),
        (head("GET / HTTP/1.1", "no colon"), "GET", "/"),
        (head("GET / HTTP/1.1", "A : 1"), "GET", "/"),
        (b"\xff\x00 \x01\x02\r\n\r\n", "?", "\xff\x00 \x01\x02"),
        (head("POST / HTTP/1.1", "Content-Length: x"), "POST", "/"),
        (head("POST / HTTP/1.1", "Content-Length: 1", "Content-Length: 2"), "POST", "/"),
        (head("POST / HTTP/1.1", "Transfer-Encoding: chunked") + b"zz\r\n", "POST", "/"),
    ],
)
def test_malformed_requests(sent: bytes, method: str, uri: str) -> None:
    async def visit(wire: Wire) -> None:
        wire.send(sent)
        assert await wire.rest() == MALFORMED
        connection, [request] = await wire.recorded()
        assert connection.reason == "malformed request"
        assert (request.method, request.uri) == (method, uri)
        assert (request.status, request.outcome) == (400, "finished")
        assert (request.response_head, request.response_body) == (MALFORMED, b"")
        assert request.request_head == sent[: sent.index(b"\r\n\r\n") + 4]

    serve(visit)


def test_a_second_request_that_is_malformed() -> None:
    async def visit(wire: Wire) -> None:
        wire.send(head("GET / HTTP/1.1") + b"rubbish\r\n\r\n")
        assert (await wire.rest()).endswith(b"empty" + MALFORMED)
        connection, requests = await wire.recorded()
        assert [(r.method, r.status) for r in requests] == [("GET", 200), ("rubbish", 400)]
        assert connection.reason == "malformed request"

    serve(visit)


def test_headers_over_the_limit() -> None:
    async def visit(wire: Wire) -> None:
        wire.send(head("GET / HTTP/1.1", "X: " + "x" * 70_000))
        with contextlib.suppress(ConnectionError):  # Not all of it was read.
            await wire.rest()
        store = wire.bench.store
        store.apply(wire.bench.recorder.drain())
        connection = Connection(*store.connections.rows[-1])
        assert connection.reason is not None
        assert "65536 bytes" in connection.reason
        assert not store.requests.rows

    serve(visit)


def test_a_connection_without_a_request() -> None:
    async def visit(wire: Wire) -> None:
        wire.send(b"GET / HT")
        while not wire.bench.store.connections.rows:
            await asyncio.sleep(0.001)
            wire.bench.store.apply(wire.bench.recorder.drain())
        connection, requests = await wire.recorded()
        assert (connection.reason, requests) == ("closed by the client", [])

    serve(visit)
