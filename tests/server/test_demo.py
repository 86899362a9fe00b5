"""The demo site, over real sockets: every route does what its card promises."""

from __future__ import annotations

import asyncio
import hashlib
import http.cookies
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.routing import URLSpec
from tornado.testing import bind_unused_port
from tornado.websocket import WebSocketClientConnection, websocket_connect

from app.server.build import build_application
from app.server.modules import HandlerModules
from app.server.site import Site, check, dumps, load, remarks

DEMO = Path(__file__).parents[2] / "resources" / "demo"


class Browser:
    """Fetches as a browser does: keeps cookies, names its origin, follows nothing by itself."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.port = port
        self.cookies: dict[str, str] = {}
        self._client = AsyncHTTPClient(force_instance=True)

    async def get(self, path: str, **headers: str) -> HTTPResponse:
        return await self._fetch(path, headers)

    async def post(self, path: str, **fields: str) -> HTTPResponse:
        """Fill in and send the form at *path*, with the token that it holds."""
        token = await self.token(path)
        return await self.send(path, urlencode({"_xsrf": token, **fields}))

    async def send(self, path: str, body: str | bytes, **headers: str) -> HTTPResponse:
        headers = {"Origin": self.origin, **headers}
        return await self._fetch(path, headers, method="POST", body=body)

    async def token(self, path: str) -> str:
        page = (await self.get(path)).body.decode()
        found = re.search(r'name="_xsrf" value="([^"]+)"', page)
        assert found
        return found[1]

    async def _fetch(self, path: str, headers: dict[str, str], **options: Any) -> HTTPResponse:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        request = HTTPRequest(
            self.origin + path, headers=headers, follow_redirects=False, **options
        )
        response = await self._client.fetch(request, raise_error=False)
        for line in response.headers.get_list("Set-Cookie"):
            for name, morsel in http.cookies.SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if not morsel.value:
                    del self.cookies[name]
        return response

    async def socket(self, **headers: str) -> WebSocketClientConnection:
        return await websocket_connect(
            HTTPRequest(f"ws://127.0.0.1:{self.port}/chat/socket", headers=headers)
        )

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="module")
def site() -> Site:
    return load(DEMO)


@pytest.fixture
def modules(site: Site) -> Iterator[HandlerModules]:
    modules = HandlerModules()
    modules.load(site)
    yield modules
    modules.unload()


Visit = Callable[[Browser], Awaitable[None]]
Demo = Callable[[Visit], None]


@pytest.fixture
def demo(site: Site, modules: HandlerModules) -> Demo:
    """Run a visit in a browser of its own, against a server of its own."""

    @asynccontextmanager
    async def serve() -> AsyncIterator[Browser]:
        sock, port = bind_unused_port()
        server = HTTPServer(build_application(site, modules))
        server.add_sockets([sock])
        browser = Browser(port)
        try:
            yield browser
        finally:
            browser.close()
            server.stop()
            await server.close_all_connections()

    async def run(visit: Visit) -> None:
        async with serve() as browser:
            await visit(browser)

    return lambda visit: asyncio.run(run(visit))


def test_the_project_is_clean_and_in_the_form_that_saving_gives_it(site: Site) -> None:
    assert check(site) == []
    assert remarks(site) == []
    assert dumps(site) == (DEMO / "site.toml").read_text(encoding="utf-8")


def test_every_page_answers_in_both_languages(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        pages = "/ /sleep?seconds=0 /block?seconds=0 /resolve /login /form /upload /chat /story/7"
        for page in pages.split():
            response = await browser.get(page)
            assert response.code == 200, page
            assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
            assert '<html lang="en">' in response.body.decode()
            chinese = await browser.get(page, Accept_Language="zh-CN,zh;q=0.9,en;q=0.8")
            assert '<html lang="zh">' in chinese.body.decode(), page
            assert re.search("<h1>.*[一-鿿]", chinese.body.decode()), page

    demo(visit)


def test_every_text_has_its_chinese(site: Site, modules: HandlerModules) -> None:
    texts = set(re.findall(r'\b_\("([^"]+)"\)', " ".join(site.templates.values())))
    known = modules.resolve("handlers.words.ZH")
    assert texts - known.keys() == set()
    assert len(texts) > 50


def test_the_language_is_remembered(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        await browser.get("/login?lang=zh")
        assert "登录" in (await browser.get("/login")).body.decode()
        await browser.get("/?lang=en", Accept_Language="zh")
        assert "Log in" in (await browser.get("/login", Accept_Language="zh")).body.decode()

    demo(visit)


def test_home_links_to_every_route_and_escapes_what_it_is_given(
    demo: Demo, site: Site, modules: HandlerModules
) -> None:
    async def visit(browser: Browser) -> None:
        page = (await browser.get("/?name=%3Cb%3EAnn")).body.decode()
        assert "Hello, &lt;b&gt;Ann!" in page
        links = re.findall(r'class="card" href="([^"?]+)', page)
        socket_and_exit = {"/", "/chat/socket", "/logout"}
        for route in site.routes:
            if route.pattern not in socket_and_exit:
                regex = URLSpec(route.pattern, object).regex
                assert any(regex.match(link) for link in links), route.pattern
        images = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
        assert len(images) >= 3
        for image in [*images, "/favicon.ico"]:
            response = await browser.get(image)
            assert response.code == 200
            assert response.body

    demo(visit)


def test_a_sleeping_request_lets_others_pass(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        order: list[str] = []

        async def get(path: str) -> None:
            assert (await browser.get(path)).code == 200
            order.append(path)

        await asyncio.gather(get("/sleep?seconds=0.5"), get("/sleep?seconds=0"))
        assert order == ["/sleep?seconds=0", "/sleep?seconds=0.5"]

    demo(visit)


@pytest.mark.parametrize(
    "path", ["/sleep?seconds=-1", "/sleep?seconds=nan", "/sleep?seconds=inf", "/block?seconds=x"]
)
def test_odd_numbers_are_a_bad_request(demo: Demo, path: str) -> None:
    async def visit(browser: Browser) -> None:
        response = await browser.get(path)
        assert response.code == 400
        assert "Bad Request" in response.body.decode()

    demo(visit)


async def until_waiting(browser: Browser, count: int) -> None:
    while f'id="waiting">{count}<' not in (await browser.get("/resolve")).body.decode():
        pass


def test_wait_hangs_until_resolve_and_gets_its_value(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        waits = [asyncio.ensure_future(browser.get("/wait")) for _ in range(3)]
        await until_waiting(browser, 3)
        assert not any(wait.done() for wait in waits)
        page = (await browser.get("/resolve?value=%E4%BD%A0%E5%A5%BD")).body.decode()
        assert 'id="resolved">3<' in page
        for wait in waits:
            assert json.loads((await wait).body) == {"value": "你好"}
        assert 'id="resolved">0<' in (await browser.get("/resolve?value=x")).body.decode()

    demo(visit)


def test_a_waiter_that_leaves_is_no_longer_waiting(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", browser.port)
        writer.write(b"GET /wait HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await until_waiting(browser, 1)
        writer.close()
        await writer.wait_closed()
        await until_waiting(browser, 0)

    demo(visit)


def test_numbers_are_flushed_one_by_one(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        chunks: list[bytes] = []
        request = HTTPRequest(
            f"{browser.origin}/stream?count=3&seconds=0.05", streaming_callback=chunks.append
        )
        client = AsyncHTTPClient(force_instance=True)
        response = await client.fetch(request)
        client.close()
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert chunks == [b"1\n", b"2\n", b"3\n"]

    demo(visit)


def test_a_reader_of_the_stream_may_leave(demo: Demo, caplog: pytest.LogCaptureFixture) -> None:
    async def visit(browser: Browser) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", browser.port)
        writer.write(b"GET /stream?count=20&seconds=0.01 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await reader.readuntil(b"1\n")
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.3)

    demo(visit)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_login_profile_logout(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        refused = await browser.get("/profile")
        assert (refused.code, refused.headers["Location"]) == (302, "/login?next=%2Fprofile")
        done = await browser.post("/login", name="Zoë 你", next="/form")
        assert (done.code, done.headers["Location"]) == (302, "/form")
        cookie = next(c for c in done.headers.get_list("Set-Cookie") if c.startswith("user="))
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        page = (await browser.get("/profile")).body.decode()
        assert "<strong>Zoë 你</strong>" in page
        assert browser.cookies["user"] in page
        await browser.get("/logout")
        assert "user" not in browser.cookies
        assert (await browser.get("/profile")).code == 302

    demo(visit)


def test_a_forged_cookie_is_nobody(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        await browser.post("/login", name="ann")
        browser.cookies["user"] = browser.cookies["user"][:-1] + "g"
        assert (await browser.get("/profile")).code == 302

    demo(visit)


@pytest.mark.parametrize("page", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_login_never_leads_to_another_server(demo: Demo, page: str) -> None:
    async def visit(browser: Browser) -> None:
        done = await browser.post("/login", name="ann", next=page)
        assert done.headers["Location"] == "/profile"

    demo(visit)


def test_a_post_without_token_or_from_elsewhere_is_refused(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        response = await browser.send("/form", "name=a&message=b")
        assert response.code == 403
        assert "Forbidden" in response.body.decode()
        body = urlencode({"_xsrf": await browser.token("/form"), "name": "a", "message": "b"})
        assert (await browser.send("/form", body, Origin="http://evil.example")).code == 403
        assert (await browser.send("/form", body)).code == 303

    demo(visit)


def test_the_guest_book_checks_keeps_and_escapes(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        refused = await browser.post("/form", name="", message="<i>kept</i>")
        assert refused.code == 422
        page = refused.body.decode()
        assert "1 to 40 characters" in page
        assert "&lt;i&gt;kept&lt;/i&gt;</textarea>" in page
        assert (await browser.post("/form", name="n" * 41, message="x")).code == 422
        assert (await browser.post("/form", name="n", message="x" * 281)).code == 422
        sent = await browser.post("/form", name="Ann", message="<script>alert(1)</script>")
        assert (sent.code, sent.headers["Location"]) == (303, "/form")
        page = (await browser.get("/form")).body.decode()
        assert "<cite>Ann</cite>" in page
        assert "<script>alert" not in page

    demo(visit)


def multipart(token: str, *files: tuple[str, bytes]) -> bytes:
    parts = [f'--x\r\nContent-Disposition: form-data; name="_xsrf"\r\n\r\n{token}\r\n'.encode()]
    for name, body in files:
        head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        parts += [head.encode(), b"Content-Type: text/plain\r\n\r\n", body, b"\r\n"]
    return b"".join(parts) + b"--x--\r\n"


def test_an_upload_is_measured_hashed_and_its_name_cleaned(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        content = bytes(range(256)) * 5
        body = multipart(
            await browser.token("/upload"), ("../../x.py", content), ("..", b""), ("你.txt", b"1")
        )
        response = await browser.send(
            "/upload", body, Content_Type="multipart/form-data; boundary=x"
        )
        assert response.code == 200
        page = response.body.decode()
        assert "<dd>x.py <" in page
        assert "<code>../../x.py</code>" in page
        assert "<dd>1,280 bytes</dd>" in page
        assert hashlib.sha256(content).hexdigest() in page
        assert "<dd>unnamed <" in page
        assert "<dd>你.txt</dd>" in page

    before = sorted(DEMO.rglob("*"))
    demo(visit)
    assert sorted(DEMO.rglob("*")) == before


async def line_from(socket: WebSocketClientConnection) -> dict[str, Any]:
    message = await socket.read_message()
    assert isinstance(message, str)
    line: dict[str, Any] = json.loads(message)
    return line


def test_chat_tells_everyone(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        first = await browser.socket()
        joined = await line_from(first)
        assert (joined["kind"], joined["online"]) == ("joined", 1)
        second = await browser.socket()
        for socket in (first, second):
            assert (await line_from(socket))["online"] == 2
        await second.write_message("你好 <b>")
        for socket in (first, second):
            line = await line_from(socket)
            assert (line["kind"], line["text"]) == ("message", "你好 <b>")
        assert line["name"] != joined["name"]
        second.close()
        left = await line_from(first)
        assert (left["kind"], left["online"]) == ("left", 1)
        first.close()
        assert await first.read_message() is None

    demo(visit)


def test_chat_refuses_a_foreign_page(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        with pytest.raises(Exception, match="403"):
            await browser.socket(Origin="http://evil.example")

    demo(visit)


def test_an_uncaught_exception_is_a_page_without_a_traceback(
    demo: Demo, caplog: pytest.LogCaptureFixture
) -> None:
    async def visit(browser: Browser) -> None:
        response = await browser.get("/error")
        page = response.body.decode()
        assert response.code == 500
        assert "Internal Server Error" in page
        assert "ZeroDivisionError" in page
        assert "Traceback" not in page
        assert "handlers" not in page

    demo(visit)
    assert str(DEMO / "handlers" / "errors.py") in caplog.text


def test_an_unknown_address_is_a_page_for_every_method(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        page = await browser.get("/nowhere?lang=zh")
        assert page.code == 404
        assert "找不到页面" in page.body.decode()
        assert (await browser.send("/nowhere", "")).code == 404
        assert (await browser.get("/story/x")).code == 404
        assert (await browser.get("/static/../site.toml")).code in (403, 404)

    demo(visit)


def test_the_old_address_leads_home(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        response = await browser.get("/old")
        assert (response.code, response.headers["Location"]) == (302, "/")

    demo(visit)


def test_a_story_gets_its_number_as_text(demo: Demo) -> None:
    async def visit(browser: Browser) -> None:
        page = (await browser.get("/story/" + "9" * 5000)).body.decode()
        assert 'href="/story/1000000000"' in page
        assert "story_id = &#x27;007&#x27;" in (await browser.get("/story/007")).body.decode()

    demo(visit)
