"""The built-in clients against real servers on real sockets."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from app.recording.events import CLIENT
from app.recording.recorder import OWNER
from app.server import client_wire
from app.server.client import MAX_REDIRECTS, Client
from app.server.client_messages import ClientRequest, ClientResponse, InvalidRequest, check
from app.server.clients import Clients


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "tornado.access")
    caplog.set_level(logging.CRITICAL, "tornado.general")


class CountingServer(HTTPServer):
    """Counts the connections that it accepts."""

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        self.accepts = getattr(self, "accepts", 0) + 1
        super().handle_stream(stream, address)


class Echo(RequestHandler):
    def get(self) -> None:
        self.write({"method": self.request.method, "body": self.request.body.decode()})
        self.set_header("Peer", str(self.request.connection.stream.socket.getpeername()[1]))  # type: ignore[union-attr]

    post = put = patch = delete = options = get

    def head(self) -> None:
        self.set_header("Content-Length", "1000")


class Cookies(RequestHandler):
    def get(self) -> None:
        self.write(self.request.headers.get("Cookie", ""))
        count = int(self.get_cookie("count", "0") or 0)
        self.set_cookie("count", str(count + 1))
        self.set_cookie("far", "x", path="/far")


class Redirect(RequestHandler):
    def get(self, status: str, left: str) -> None:
        self.set_cookie("hop" + left, "1")
        following = f"/redirect/{status}/{int(left) - 1}" if int(left) else "/echo"
        self.redirect(following, status=int(status))

    post = head = get


class To(RequestHandler):
    def get(self) -> None:
        self.set_status(302)
        self.set_header("Location", self.get_argument("where"))


class Chunks(RequestHandler):
    async def get(self) -> None:
        for _ in range(3):
            self.write("chunk ")
            await self.flush()


class Endless(RequestHandler):
    async def get(self) -> None:
        while True:
            self.write("x" * 10_000)
            await self.flush()


class Slow(RequestHandler):
    async def get(self) -> None:
        self.write("beginning")
        await self.flush()
        self.gone = asyncio.Event()
        await self.gone.wait()

    def on_connection_close(self) -> None:
        self.gone.set()


class Status(RequestHandler):
    def get(self, status: str) -> None:
        self.set_status(int(status))


class Drop(RequestHandler):
    def get(self) -> None:
        self.request.connection.stream.close()  # type: ignore[union-attr]


ROUTES = [
    ("/echo", Echo),
    ("/far/cookies", Cookies),
    ("/cookies", Cookies),
    (r"/redirect/(\d+)/(\d+)", Redirect),
    ("/to", To),
    ("/chunks", Chunks),
    ("/endless", Endless),
    ("/slow", Slow),
    (r"/status/(\d+)", Status),
    ("/drop", Drop),
]


class World:
    """A server, some clients, and where to find it."""

    def __init__(self, server: CountingServer, port: int) -> None:
        self.server = server
        self.port = port
        self.clients = Clients()
        self.alice = self.clients["Alice"]

    def request(self, path: str, method: str = "GET", **more: Any) -> ClientRequest:
        return ClientRequest(f"http://127.0.0.1:{self.port}{path}", method, **more)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    listening, port = bind_unused_port()
    server = CountingServer(Application(ROUTES))
    server.add_sockets([listening])
    here = World(server, port)
    try:
        yield here
    finally:
        here.clients.close()
        assert all(client.connections == 0 for client in here.clients)
        assert len(here.clients.ports) == 0
        assert here.clients.ports.sockets == {}
        server.stop()
        await server.close_all_connections()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def run(body: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        async with world() as here:
            await body(here)
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})

    asyncio.run(main())
    gc.collect()  # a socket left open becomes a ResourceWarning, hence an error


@asynccontextmanager
async def raw_server(*answers: bytes | None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Answer each request with the next of *answers*, on one connection; None closes it.

    After the last the connection is closed too. Yields the port and the heads received.
    """
    heads: list[bytes] = []
    left = list(answers)
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while left:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                answer = left.pop(0)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], heads
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.sleep(0.01)


def test_keep_alive_is_real() -> None:
    async def body(here: World) -> None:
        responses = [await here.alice.fetch(here.request("/echo")) for _ in range(10)]
        assert [response.status for response in responses] == [200] * 10
        assert [response.reused for response in responses] == [False] + [True] * 9
        assert here.server.accepts == 1
        assert len({response.local_port for response in responses}) == 1
        assert responses[0].local_port == int(responses[0].header("peer") or 0)
        await here.clients["Bob"].fetch(here.request("/echo"))
        assert here.server.accepts == 2

    run(body)


def test_connection_close_is_obeyed() -> None:
    async def body(here: World) -> None:
        request = here.request("/echo", headers=(("Connection", "close"),))
        for _ in range(2):
            assert (await here.alice.fetch(request)).error == ""
            assert here.alice.connections == 0
        assert here.server.accepts == 2

    run(body)


def test_an_idle_connection_that_the_server_closes_is_let_go() -> None:
    async def body(here: World) -> None:
        await here.alice.fetch(here.request("/echo"))
        assert here.alice.connections == 1
        await here.server.close_all_connections()
        await until(lambda: here.alice.connections == 0)
        assert (await here.alice.fetch(here.request("/echo"))).status == 200

    run(body)


def test_a_stale_connection_is_retried_once() -> None:
    async def main() -> None:
        ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        async with raw_server(ok, None, ok) as (port, heads):
            client = Client("Alice")
            request = ClientRequest(f"http://127.0.0.1:{port}/")
            first = await client.fetch(request)
            second = await client.fetch(request)
            assert (first.body, first.retried) == (b"ok", False)
            assert (second.body, second.retried, second.reused) == (b"ok", True, False)
            assert len(heads) == 3
            client.close()

    asyncio.run(main())


def test_a_fresh_connection_that_breaks_is_an_error() -> None:
    async def body(here: World) -> None:
        response = await here.alice.fetch(here.request("/drop"))
        assert (response.status, response.retried) == (0, False)
        assert "closed the connection without an answer" in response.error

    run(body)


def test_cookies_make_a_round_trip() -> None:
    async def body(here: World) -> None:
        first = await here.alice.fetch(here.request("/cookies"))
        second = await here.alice.fetch(here.request("/cookies"))
        assert (first.body, second.body) == (b"", b"count=1")
        assert [verdict.reason for verdict in first.verdicts] == ["Stored", "Stored"]
        assert [(each.name, each.reason) for each in second.withheld] == [("far", "NotOnPath")]
        assert ("Cookie", "count=1") in second.sent_headers
        assert (await here.clients["Bob"].fetch(here.request("/cookies"))).body == b""
        header, withheld = here.alice.cookie_header(here.request("/far/cookies").url)
        assert (header, withheld) == ("far=x; count=2", [])

    run(body)


def test_a_client_without_cookies() -> None:
    async def body(here: World) -> None:
        script = here.clients["script"]
        response = await script.fetch(here.request("/cookies"))
        assert [verdict.reason for verdict in response.verdicts] == ["UserPreferences"] * 2
        assert (await script.fetch(here.request("/cookies"))).body == b""
        assert script.xsrf_header(response.url) is None

    run(body)


def test_a_cookie_header_of_ones_own_wins() -> None:
    async def body(here: World) -> None:
        await here.alice.fetch(here.request("/cookies"))
        request = here.request("/cookies", headers=(("cookie", "own=1"),))
        assert (await here.alice.fetch(request)).body == b"own=1"

    run(body)


@pytest.mark.parametrize(
    ("status", "method", "arrives"),
    [
        (301, "GET", "GET"),
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
    ],
)
def test_redirects_and_their_methods(status: int, method: str, arrives: str) -> None:
    async def body(here: World) -> None:
        content = b"a=1" if method == "POST" else b""
        request = here.request(f"/redirect/{status}/1", method, body=content)
        response = await here.alice.fetch(request)
        assert response.status == 200
        kept = "a=1" if arrives == "POST" else ""
        assert response.body.decode() == f'{{"method": "{arrives}", "body": "{kept}"}}'
        assert [hop.status for hop in response.redirects] == [status, status]
        assert response.url.endswith("/echo")
        assert here.server.accepts == 1
        assert ("Cookie", "hop1=1; hop0=1") in response.sent_headers or status in (307, 308)

    run(body)


def test_redirects_can_be_left_alone() -> None:
    async def body(here: World) -> None:
        request = here.request("/redirect/302/3", follow_redirects=False)
        response = await here.alice.fetch(request)
        assert (response.status, response.redirects) == (302, [])

    run(body)


def test_a_redirect_loop_ends() -> None:
    async def body(here: World) -> None:
        response = await here.alice.fetch(here.request("/to?where=%2Fto%3Fwhere%3D%252Fto"))
        assert response.status == 400  # the loop's second step has no argument: no loop yet
        path = "/redirect/302/99"
        long = await here.alice.fetch(here.request(path))
        assert "too many redirects" in long.error
        assert len(long.redirects) == MAX_REDIRECTS

    run(body)


def test_a_page_that_redirects_to_itself() -> None:
    async def main() -> None:
        again = b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"
        async with raw_server(*[again] * 11) as (port, heads):
            client = Client("Alice")
            response = await client.fetch(ClientRequest(f"http://127.0.0.1:{port}/"))
            assert "a redirect loop" in response.error
            assert (response.status, len(heads)) == (302, 11)
            client.close()

    asyncio.run(main())


@pytest.mark.parametrize("where", ["file:///etc/passwd", "javascript:1", "http://[", "http://h:0/"])
def test_a_redirect_to_nowhere(where: str) -> None:
    async def body(here: World) -> None:
        response = await here.alice.fetch(here.request(f"/to?where={where}"))
        assert response.status == 302
        assert "leads nowhere" in response.error

    run(body)


def test_secrets_do_not_follow_to_another_origin() -> None:
    async def main() -> None:
        ok = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        async with raw_server(ok) as (other, heads), world() as here:
            request = here.request(
                f"/to?where=http://127.0.0.1:{other}/",
                headers=(("Authorization", "secret"), ("Cookie", "c=1"), ("X-Own", "kept")),
            )
            assert (await here.alice.fetch(request)).status == 200
            assert b"secret" not in heads[0]
            assert b"c=1" not in heads[0]
            assert b"X-Own: kept" in heads[0]

    asyncio.run(main())


def test_head_chunks_and_empty_answers() -> None:
    async def body(here: World) -> None:
        head = await here.alice.fetch(here.request("/echo", "HEAD"))
        assert (head.status, head.body, head.header("content-length")) == (200, b"", "1000")
        chunks = await here.alice.fetch(here.request("/chunks"))
        assert (chunks.body, chunks.body_size) == (b"chunk " * 3, 18)
        for status in (204, 304):
            response = await here.alice.fetch(here.request(f"/status/{status}"))
            assert (response.status, response.body, response.error) == (status, b"", "")
        assert here.server.accepts == 1

    run(body)


def test_bodies_are_sent_with_a_length_or_in_chunks() -> None:
    async def body(here: World) -> None:
        for headers in ((), (("Transfer-Encoding", "chunked"),), (("Content-Length", "5"),)):
            response = await here.alice.fetch(
                here.request("/echo", "POST", headers=headers, body=b"hello")
            )
            assert response.body == b'{"method": "POST", "body": "hello"}'
        empty = await here.alice.fetch(here.request("/echo", "POST"))
        assert ("Content-Length", "0") in empty.sent_headers
        assert here.server.accepts == 1

    run(body)


def test_100_continue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_wire, "CONTINUE_SECONDS", 1_000)

    async def body(here: World) -> None:
        expect = (("Expect", "100-continue"),)
        request = here.request("/echo", "POST", headers=expect, body=b"later", timeout=20)
        response = await here.alice.fetch(request)
        assert response.body == b'{"method": "POST", "body": "later"}'
        assert (await here.alice.fetch(here.request("/echo"))).reused

    run(body)


def test_a_body_is_not_sent_when_the_answer_comes_first() -> None:
    async def main() -> None:
        no = b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"
        async with raw_server(no, no) as (port, heads):
            client = Client("Alice")
            request = ClientRequest(
                f"http://127.0.0.1:{port}/", "POST", (("Expect", "100-continue"),), b"big"
            )
            response = await client.fetch(request)
            assert (response.status, response.body, response.error) == (417, b"no", "")
            assert client.connections == 0
            assert heads[0].endswith(b"\r\n\r\n")

    asyncio.run(main())


def test_header_names_keep_their_case_and_text_is_utf_8() -> None:
    async def main() -> None:
        ok = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        async with raw_server(ok) as (port, heads):
            client = Client("Alice")
            url = f"http://127.0.0.1:{port}/a b/../é?q=%zz 1#fragment"
            headers = (("x-lower", "1"), ("X-CHINESE", "中"), ("x-lower", "2"))
            await client.fetch(ClientRequest(url, headers=headers))
            client.close()
            lines = heads[0].decode().split("\r\n")
            assert lines[0] == "GET /a%20b/../%C3%A9?q=%zz%201 HTTP/1.1"
            assert lines[1] == f"Host: 127.0.0.1:{port}"
            assert lines[4:7] == ["x-lower: 1", "X-CHINESE: 中", "x-lower: 2"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"garbage\r\n\r\n", "not valid HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n", "not valid HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "in the middle"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", ""),
        (b"HTTP/1.0 200 OK\r\n\r\nold", ""),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "not valid"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", ""),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\x00\x01", ""),
        (b"", "without an answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", "127.0.0.1"),
    ],
)
def test_odd_answers(answer: bytes, error: str) -> None:
    async def main() -> None:
        async with raw_server(answer) as (port, _):
            client = Client("Alice")
            response = await client.fetch(ClientRequest(f"http://127.0.0.1:{port}/"))
            assert error in response.error
            assert bool(response.error) == bool(error)
            await until(lambda: client.connections == 0)

    asyncio.run(main())
    gc.collect()


def test_unasked_bytes_spoil_a_connection() -> None:
    async def main() -> None:
        first = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 SMUGGLED\r\n"
        second = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        async with raw_server(first, second) as (port, _):
            client = Client("Alice")
            request = ClientRequest(f"http://127.0.0.1:{port}/")
            await client.fetch(request)
            response = await client.fetch(request)
            assert (response.reason, response.reused) == ("OK", False)
            client.close()

    asyncio.run(main())


def test_an_endless_body_is_cut() -> None:
    async def body(here: World) -> None:
        response = await here.alice.fetch(here.request("/endless", body_cap=100_000))
        assert (response.status, len(response.body)) == (200, 100_000)
        assert response.truncated
        assert "cut after 100000 bytes" in response.error
        assert here.alice.connections == 0

    run(body)


def test_a_timeout_keeps_what_had_come() -> None:
    async def body(here: World) -> None:
        response = await here.alice.fetch(here.request("/slow", timeout=0.3))
        assert "no complete answer within 0.3 s" in response.error
        assert (response.status, response.body) == (200, b"beginning")
        assert response.elapsed > 0.29
        assert here.alice.connections == 0

    run(body)


def test_a_refused_connection_and_an_unknown_host() -> None:
    async def main() -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
            client = Client("Alice")
            refused = await client.fetch(ClientRequest(f"http://127.0.0.1:{port}/"))
        assert refused.error == f"127.0.0.1:{port} refused the connection"
        unknown = await client.fetch(ClientRequest("http://no-such-host.invalid/"))
        assert "no-such-host.invalid" in unknown.error
        assert client.connections == 0

    asyncio.run(main())
    gc.collect()


def test_tls_to_a_plain_server_is_an_error() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = Client("Alice")
        response = await client.fetch(ClientRequest(f"https://127.0.0.1:{port}/"))
        assert response.error == f"TLS with 127.0.0.1:{port} failed: WRONG_VERSION_NUMBER"
        assert client.connections == 0
        server.close()

    asyncio.run(main())
    gc.collect()


def test_a_silent_tls_handshake_times_out_without_a_leak() -> None:
    async def body(here: World) -> None:
        url = f"https://127.0.0.1:{here.port}/"
        response = await here.alice.fetch(ClientRequest(url, timeout=0.1))
        assert "within 0.1 s" in response.error
        assert here.alice.connections == 0

    run(body)


def test_localhost_names() -> None:
    async def body(here: World) -> None:
        for host in ("localhost", "evil.localhost"):
            request = ClientRequest(f"http://{host}:{here.port}/echo")
            response = await here.alice.fetch(request)
            assert (response.status, response.error) == (200, "")
            assert ("Host", f"{host}:{here.port}") in response.sent_headers

    run(body)


@pytest.mark.parametrize(
    ("field", "request_"),
    [
        ("url", ClientRequest("")),
        ("url", ClientRequest("/login")),
        ("url", ClientRequest("ftp://h/")),
        ("url", ClientRequest("http://")),
        ("url", ClientRequest("http://[")),
        ("url", ClientRequest("http://h:99999/")),
        ("url", ClientRequest("http://h:0/")),
        ("url", ClientRequest("http://h/\r\nX: 1")),
        ("url", ClientRequest("http://a..b/")),
        ("url", ClientRequest("http://a b/")),
        ("url", ClientRequest("http://user@h/")),
        ("url", ClientRequest("http://h/\ud800")),
        ("method", ClientRequest("http://h/", "")),
        ("method", ClientRequest("http://h/", "GET / HTTP/1.1\r\n")),
        ("headers", ClientRequest("http://h/", headers=(("A", "1\r\nB: 2"),))),
        ("headers", ClientRequest("http://h/", headers=(("A\n", "1"),))),
        ("headers", ClientRequest("http://h/", headers=(("A B", "1"),))),
        ("headers", ClientRequest("http://h/", headers=(("", "1"),))),
        ("headers", ClientRequest("http://h/", headers=(("A", "\0"),))),
        ("headers", ClientRequest("http://h/", headers=(("A", "\ud800"),))),
        ("headers", ClientRequest("http://h/", headers=(("content-length", "3"),))),
        ("headers", ClientRequest("http://h/", headers=(("Transfer-Encoding", "gzip"),))),
        ("timeout", ClientRequest("http://h/", timeout=0)),
        ("timeout", ClientRequest("http://h/", timeout=float("nan"))),
        ("body_cap", ClientRequest("http://h/", body_cap=-1)),
    ],
)
def test_requests_that_cannot_be_sent(field: str, request_: ClientRequest) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check(request_)
    assert caught.value.field == field
    assert str(caught.value)
    with pytest.raises(ValueError):  # noqa: PT011
        asyncio.run(Client("Alice").fetch(request_))


def test_the_server_can_name_the_client() -> None:
    seen: list[str | None] = []

    async def main() -> None:
        clients = Clients()

        class Naming(HTTPServer):
            def handle_stream(self, stream: IOStream, address: Any) -> None:
                seen.append(clients.name_of_peer(address[1]))
                seen.append(clients.name_of_peer(address[1], port))
                super().handle_stream(stream, address)

        listening, port = bind_unused_port()
        server = Naming(Application(ROUTES))
        server.add_sockets([listening])
        responses = [
            await client.fetch(ClientRequest(f"http://127.0.0.1:{port}/echo")) for client in clients
        ]
        clients.rename("Bob", "Robert")
        assert clients.name_of_peer(responses[1].local_port) == "Robert"
        assert clients.name_of_peer(1) is None
        assert clients.name_of_peer(responses[1].local_port, 1) is None
        clients.close()
        assert clients.name_of_peer(responses[1].local_port) is None
        server.stop()
        await server.close_all_connections()

    asyncio.run(main())
    assert seen == [name for each in ("Alice", "Bob", "Mallory", "script") for name in (each, each)]


def test_everything_runs_as_client() -> None:
    owners: dict[str, int] = {}

    async def body(here: World) -> None:
        original = IOStream.connect

        def connect(stream: IOStream, *args: Any, **options: Any) -> Any:
            owners["connect"] = OWNER.get()
            return original(stream, *args, **options)

        def progress(done: int, latest: ClientResponse) -> None:
            owners["progress"] = OWNER.get()

        IOStream.connect = connect  # type: ignore[method-assign, assignment]
        try:
            await here.alice.fetch(here.request("/echo"))
            owners["outside"] = OWNER.get()
            await here.clients["Bob"].burst(here.request("/echo"), 1, 1, progress)
        finally:
            IOStream.connect = original  # type: ignore[method-assign]

    run(body)
    assert owners["connect"] == CLIENT
    assert owners["outside"] == owners["progress"] != CLIENT


def test_a_client_from_another_site() -> None:
    async def body(here: World) -> None:
        mallory = here.clients["Mallory"]
        await mallory.fetch(here.request("/cookies"))
        response = await mallory.fetch(here.request("/echo", "PUT"))
        assert ("Origin", "http://evil.localhost") in response.sent_headers
        assert ("Sec-Fetch-Site", "cross-site") in response.sent_headers
        reasons = {each.name: each.reason for each in response.withheld}
        assert reasons == {"count": "SameSiteUnspecifiedTreatedAsLax", "far": "NotOnPath"}
        assert (await mallory.fetch(here.request("/cookies"))).body == b"count=1"

    run(body)


def test_a_burst_is_bounded_and_reports() -> None:
    async def body(here: World) -> None:
        heard: list[tuple[int, int]] = []
        responses = await here.alice.burst(
            here.request("/echo"),
            50,
            8,
            lambda done, latest: heard.append((done, latest.status)),
        )
        assert [response.status for response in responses] == [200] * 50
        assert here.server.accepts <= 8
        assert heard == [(number, 200) for number in range(1, 51)]

    run(body)


def test_a_burst_keeps_to_its_rate() -> None:
    async def body(here: World) -> None:
        started = asyncio.get_running_loop().time()
        await here.alice.burst(here.request("/echo"), 6, 3, rate=50)
        assert asyncio.get_running_loop().time() - started > 0.09

    run(body)


@pytest.mark.parametrize("cancel_after", [0, 0.0005, 0.002, 0.1])
def test_a_cancelled_burst_leaves_nothing(cancel_after: float) -> None:
    async def body(here: World) -> None:
        burst = asyncio.create_task(here.alice.burst(here.request("/slow"), 100, 20))
        await asyncio.sleep(cancel_after)
        burst.cancel()
        with pytest.raises(asyncio.CancelledError):
            await burst
        assert here.alice.connections == 0
        assert len(here.clients.ports) == 0

    run(body)


def test_progress_that_raises_ends_the_burst() -> None:
    async def body(here: World) -> None:
        def progress(done: int, latest: ClientResponse) -> None:
            raise RuntimeError("stop")

        with pytest.raises(RuntimeError, match="stop"):
            await here.alice.burst(here.request("/echo"), 9, 3, progress)
        assert here.alice.connections == 0

    run(body)


def test_a_descriptor_tells_whose_it_is() -> None:
    async def body(here: World) -> None:
        response = await here.alice.fetch(here.request("/echo"))
        sockets = here.clients.ports.sockets
        assert list(sockets.values()) == [f"client Alice port {response.local_port}"]
        descriptor = next(iter(sockets))
        sockets[descriptor] = "connection #1 127.0.0.1:1"  # Its number has gone to another socket.
        here.alice.close_idle()
        assert sockets.pop(descriptor) == "connection #1 127.0.0.1:1"

    run(body)


@pytest.mark.parametrize(("count", "concurrency"), [(0, 1), (1, 0), (-1, 1)])
def test_burst_arguments(count: int, concurrency: int) -> None:
    clients = Clients()
    with pytest.raises(InvalidRequest):
        asyncio.run(clients["Bob"].burst(ClientRequest("http://h/"), count, concurrency))


def test_closing_ends_requests_under_way() -> None:
    async def body(here: World) -> None:
        fetching = asyncio.create_task(here.alice.fetch(here.request("/slow")))
        await asyncio.sleep(0.3)
        here.alice.close()
        response = await fetching
        assert (response.status, response.body) == (200, b"beginning")
        assert "closed" in response.error
        late = await here.alice.fetch(here.request("/echo"))
        assert late.error.endswith("the client is closed")

    run(body)


def test_the_list_of_clients() -> None:
    clients = Clients()
    assert [client.name for client in clients] == ["Alice", "Bob", "Mallory", "script"]
    clients.add("Carol")
    clients.remove("Bob")
    clients.rename("Alice", "爱丽丝")
    assert [client.name for client in clients] == ["爱丽丝", "Mallory", "script", "Carol"]
    assert len(clients) == 4
    for name in ("", " ", "Carol"):
        with pytest.raises(ValueError, match=r"name|called"):
            clients.add(name)
    with pytest.raises(ValueError, match="called"):
        clients.rename("script", "Carol")
    with pytest.raises(KeyError):
        clients.remove("Bob")
