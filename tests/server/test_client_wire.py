"""What the built-in clients put on the wire, compared byte by byte by a server of sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.server.browser import Browser
from app.server.client import Client
from app.server.client_messages import CHUNK, ClientRequest, InvalidRequest, Wire
from app.server.clients import Clients

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Tap:
    """A server that records each connection's bytes and when they came; it answers at *end*."""

    def __init__(self, answer: bytes, end: bytes, interim: bytes) -> None:
        self.port = 0
        self.received: list[bytearray] = []
        self.times: list[float] = []
        self.ended = asyncio.Event()
        self.open: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}
        self._answer, self._end, self._interim = answer, end, interim

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open[asyncio.current_task()] = writer
        got = bytearray()
        self.received.append(got)
        sent = 0
        while data := await reader.read(65536):
            got += data
            self.times.append(time.monotonic())
            if self._interim and got.endswith(b"\r\n\r\n"):
                writer.write(self._interim)
            if got.count(self._end) > sent:
                sent += 1
                writer.write(self._answer)
        self.ended.set()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def tap(
    answer: bytes = OK, end: bytes = b"\r\n\r\n", interim: bytes = b""
) -> AsyncIterator[Tap]:
    here = Tap(answer, end, interim)
    server = await asyncio.start_server(here.serve, "127.0.0.1", 0)
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        server.close()
        for writer in here.open.values():
            writer.close()
        await asyncio.wait_for(asyncio.gather(*filter(None, here.open)), 20)


def url(here: Tap, path: str = "/") -> str:
    return f"http://127.0.0.1:{here.port}{path}"


def start(here: Tap, line: str) -> str:
    return f"{line}\r\nHost: 127.0.0.1:{here.port}\r\nUser-Agent: Loopscope\r\nAccept: */*\r\n"


@pytest.mark.parametrize(
    ("wire", "line", "more", "reused"),
    [
        (Wire(), "GET / HTTP/1.1", "", True),
        (Wire(keep_alive=False), "GET / HTTP/1.1", "Connection: close\r\n", False),
        (Wire("HTTP/1.0"), "GET / HTTP/1.0", "Connection: keep-alive\r\n", False),
        (Wire("HTTP/1.0", keep_alive=False), "GET / HTTP/1.0", "", False),
    ],
)
def test_versions_and_keep_alive(wire: Wire, line: str, more: str, reused: bool) -> None:
    async def main() -> None:
        async with tap() as here:
            client = Client("Alice")
            answers = [await client.fetch(ClientRequest(url(here), wire=wire)) for _ in range(2)]
            assert [answer.body for answer in answers] == [b"ok", b"ok"]
            expected = f"{start(here, line)}{more}\r\n".encode()
            assert [bytes(each) for each in here.received] == (
                [expected * 2] if reused else [expected] * 2
            )
            assert answers[1].reused is reused
            client.close()

    asyncio.run(main())


def test_http_1_0_is_kept_alive_when_the_server_says_so() -> None:
    async def main() -> None:
        kept = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"
        async with tap(kept) as here:
            client = Client("Alice")
            request = ClientRequest(url(here), wire=Wire("HTTP/1.0"))
            await client.fetch(request)
            assert (await client.fetch(request)).reused
            assert len(here.received) == 1
            client.close()

    asyncio.run(main())


def test_a_body_in_chunks() -> None:
    async def main() -> None:
        async with tap(end=b"0\r\n\r\n") as here:
            client = Client("Alice")
            body = b"x" * (CHUNK + 1)
            request = ClientRequest(url(here), "PUT", body=body, wire=Wire(chunked=True))
            answer = await client.fetch(request)
            assert answer.body == b"ok"
            head = f"{start(here, 'PUT / HTTP/1.1')}Transfer-Encoding: chunked\r\n\r\n".encode()
            chunks = b"400\r\n" + body[:CHUNK] + b"\r\n1\r\nx\r\n0\r\n\r\n"
            assert bytes(here.received[0]) == head + chunks
            assert head.decode().split("\r\n")[1:-2] == [": ".join(p) for p in answer.sent_headers]
            client.close()

    asyncio.run(main())


def test_100_continue_holds_the_body_back() -> None:
    async def main() -> None:
        interim = b"HTTP/1.1 100 Continue\r\n\r\n"
        async with tap(end=b"later", interim=interim) as here:
            client = Client("Alice")
            wire = Wire(expect_continue=True)
            answer = await client.fetch(ClientRequest(url(here), "POST", (), b"later", wire=wire))
            assert (answer.status, answer.interim) == (200, [100])
            head = start(here, "POST / HTTP/1.1")
            head += "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
            assert bytes(here.received[0]) == head.encode() + b"later"
            assert len(here.times) == 2
            client.close()

    asyncio.run(main())


def test_a_request_is_sent_slowly() -> None:
    async def main() -> None:
        async with tap(end=b"the end") as here:
            client = Client("Alice")
            request = ClientRequest(
                url(here), "POST", (), b"the end", wire=Wire(bytes_per_second=1000)
            )
            answer = await client.fetch(request)
            size = len(here.received[0])
            assert answer.body == b"ok"
            assert here.received[0].endswith(b"\r\n\r\nthe end")
            assert len(here.times) >= size // 50
            assert answer.elapsed >= size / 1000
            client.close()

    asyncio.run(main())


@pytest.mark.parametrize("after", [0, 1, 30, 10_000])
def test_hanging_up_in_mid_request(after: int) -> None:
    async def main() -> None:
        async with tap(end=b"never") as here:
            client = Client("Alice")
            body = b"b" * 100
            request = ClientRequest(url(here), "POST", (), body, wire=Wire(close_after=after))
            answer = await client.fetch(request)
            await asyncio.wait_for(here.ended.wait(), 20)
            head = f"{start(here, 'POST / HTTP/1.1')}Content-Length: 100\r\n\r\n".encode()
            sent = (head + body)[:after]
            assert bytes(here.received[0]) == sent
            assert answer.error == f"hung up after {len(sent)} bytes of the request, as asked for"
            assert (answer.status, client.connections) == (0, 0)

    asyncio.run(main())


def test_hanging_up_is_not_taken_for_a_stale_connection() -> None:
    async def main() -> None:
        async with tap() as here:
            client = Client("Alice")
            await client.fetch(ClientRequest(url(here)))
            answer = await client.fetch(ClientRequest(url(here), wire=Wire(close_after=5)))
            assert (answer.reused, answer.retried) == (True, False)
            await asyncio.wait_for(here.ended.wait(), 20)
            assert here.received[0].endswith(b"\r\n\r\nGET /")
            assert len(here.received) == 1

    asyncio.run(main())


@pytest.mark.parametrize(
    ("field", "wire", "headers"),
    [
        ("version", Wire("HTTP/2"), ()),
        ("bytes_per_second", Wire(bytes_per_second=0), ()),
        ("bytes_per_second", Wire(bytes_per_second=float("nan")), ()),
        ("close_after", Wire(close_after=-1), ()),
        ("headers", Wire(chunked=True), (("Content-Length", "0"),)),
    ],
)
def test_wires_that_cannot_be(field: str, wire: Wire, headers: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        asyncio.run(Client("A").fetch(ClientRequest("http://h/", headers=headers, wire=wire)))
    assert caught.value.field == field


FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
JSON = (("Content-Type", "application/json"),)
Case = tuple[str, str, Any, Callable[[int], dict[str, str]]]
CASES: list[Case] = [
    ("", "GET", (), lambda port: metadata("none", "navigate")),
    (
        *("", "POST", FORM),
        lambda port: own(port) | metadata("same-origin", "navigate"),
    ),
    ("", "POST", JSON, lambda port: own(port) | metadata("same-origin", "cors")),
    ("", "PUT", FORM, lambda port: own(port) | metadata("same-origin", "cors")),
    (
        *("http://evil.localhost/trap?x=1", "GET", ()),
        lambda port: {
            "Referer": "http://evil.localhost/",
            **metadata("cross-site", "navigate"),
        },
    ),
    (
        *("http://evil.localhost/trap", "POST", FORM),
        lambda port: {
            "Referer": "http://evil.localhost/",
            "Origin": "http://evil.localhost",
            **metadata("cross-site", "navigate"),
        },
    ),
    (
        *("http://127.0.0.1:1/page", "POST", JSON),
        lambda port: {
            "Referer": "http://127.0.0.1:1/",
            "Origin": "http://127.0.0.1:1",
            **metadata("same-site", "cors"),
        },
    ),
    (
        *("https://shop.example/", "POST", FORM),
        lambda port: {
            "Referer": "https://shop.example/",
            "Origin": "null",
            **metadata("cross-site", "navigate"),
        },
    ),
]


def own(port: int) -> dict[str, str]:
    return {"Referer": f"http://127.0.0.1:{port}/x", "Origin": f"http://127.0.0.1:{port}"}


def metadata(site: str, mode: str) -> dict[str, str]:
    user = {"Sec-Fetch-User": "?1"} if mode == "navigate" else {}
    dest = "document" if mode == "navigate" else "empty"
    return {
        "Sec-Fetch-Site": site,
        "Sec-Fetch-Mode": mode,
        **user,
        "Sec-Fetch-Dest": dest,
    }


@pytest.mark.parametrize(("page", "method", "headers", "expected"), CASES)
def test_what_a_browser_adds(
    page: str, method: str, headers: Any, expected: Callable[[int], dict[str, str]]
) -> None:
    async def main() -> None:
        async with tap() as here:
            client = Client("Alice", browser=Browser(page))
            await client.fetch(ClientRequest(url(here, "/x"), method, headers))
            lines = here.received[0].decode().split("\r\n")[1:-2]
            sent = dict(line.split(": ", 1) for line in lines)
            told = {k: v for k, v in sent.items() if k.startswith("Sec-") or k in own(0)}
            assert told == expected(here.port)
            client.close()

    asyncio.run(main())


def test_a_redirect_over_a_foreign_origin_taints_the_next() -> None:
    async def main() -> None:
        async with tap() as home:
            back = f"HTTP/1.1 307 x\r\nLocation: {url(home)}\r\nContent-Length: 0\r\n\r\n"
            async with tap(back.encode()) as away:
                there = f"http://evil.localhost:{away.port}/"
                client = Client("Alice", browser=Browser(url(home, "/page")))
                answer = await client.fetch(ClientRequest(there, "POST", FORM))
                assert [hop.status for hop in answer.redirects] == [307]
                first, second = (
                    dict(line.split(": ", 1) for line in bytes(wire).decode().splitlines()[1:-1])
                    for wire in (away.received[0], home.received[0])
                )
                assert first["Origin"] == f"http://127.0.0.1:{home.port}"
                assert second["Origin"] == "null"
                assert first["Sec-Fetch-Site"] == second["Sec-Fetch-Site"] == "cross-site"
                client.close()

    asyncio.run(main())


def test_a_script_adds_nothing_and_a_client_is_what_it_is_made() -> None:
    async def main() -> None:
        clients = Clients()
        async with tap() as here:
            await clients["script"].fetch(ClientRequest(url(here), "POST"))
            assert b"Origin" not in here.received[0]
            assert b"Sec-" not in here.received[0]
        clients.close()
        kinds = {client.name: client.browser for client in clients}
        assert kinds["Alice"] == Browser()
        assert kinds["Mallory"] == Browser("http://evil.localhost/")
        assert kinds["script"] is None

    asyncio.run(main())


@pytest.mark.parametrize("page", ["evil", "ftp://h/", "http://", "http://h/\r\nX: 1"])
def test_a_page_must_be_a_url(page: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Browser(page)
    assert caught.value.field == "page"


def test_a_redirect_that_is_not_followed_says_what_would_be_next() -> None:
    async def main() -> None:
        see_other = b"HTTP/1.1 303 x\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n"
        async with tap(see_other) as here:
            client = Client("Alice")
            request = ClientRequest(url(here), "POST", FORM, b"", follow_redirects=False)
            answer = await client.fetch(request)
            assert (answer.status, answer.error, answer.redirects) == (303, "", [])
            assert answer.following is not None
            assert (answer.following.method, answer.following.url) == ("GET", url(here, "/next"))
            client.close()

    asyncio.run(main())
