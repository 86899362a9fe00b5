"""Every snippet applies cleanly and answers."""

from __future__ import annotations

import ast
import asyncio
import json
import shutil
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.websocket import websocket_connect

from app.recording.recorder import Recorder
from app.server.server import Server
from app.server.site import Route, Site, check, load
from app.server.snippets import SNIPPETS, add

DEMO = Path(__file__).resolve().parents[2] / "resources" / "demo"
BY_KEY = {snippet.key: snippet for snippet in SNIPPETS}
EMPTY = Site(Path("/nowhere"))


def ask(key: str, site: Site, method: str = "GET", **options: object) -> HTTPResponse:
    """Serve *site* and fetch /new."""

    async def main() -> HTTPResponse:
        server = Server(Recorder())
        server.apply(site)
        host, port = server.start("127.0.0.1", 0)
        try:
            return await AsyncHTTPClient(force_instance=True).fetch(
                f"http://{host}:{port}/new", method=method, raise_error=False, **options
            )
        finally:
            await server.close()

    return asyncio.run(main())


def made(key: str, site: Site = EMPTY) -> Site:
    """Return a site with a snippet at /new."""
    return add(site, BY_KEY[key], "my_new", "/new")


@pytest.mark.parametrize("key", BY_KEY)
@pytest.mark.parametrize("name", ["my_new", "x", "shop"])
def test_a_snippet_is_clean_in_an_empty_site_and_in_the_demo(key: str, name: str) -> None:
    for site in (EMPTY, load(DEMO)):
        changed = add(site, BY_KEY[key], name, f"/{name}")
        assert check(changed) == []
        tree = ast.parse(changed.handlers[f"{name}.py"])
        assert not any(getattr(node, "id", "") == "Name" for node in ast.walk(tree))


def test_plain() -> None:
    response = ask("plain", made("plain"))
    assert (response.code, response.body) == (200, b"Hello, World!")


def test_async() -> None:
    response = ask("async", made("async"))
    assert json.loads(response.body) == {
        "first": "the first answer",
        "second": "the second answer",
    }


def test_login() -> None:
    site = made("login", EMPTY.with_settings({"xsrf_cookies": True, "cookie_secret": "x" * 32}))
    form = ask("login", site)
    token = form.headers["Set-Cookie"].partition(";")[0]
    assert 'name="_xsrf"' in form.body.decode()
    assert "<label>Name" in form.body.decode()
    assert ask("login", site, "POST", body="name=Ann").code == 403
    posted = ask(
        "login",
        site,
        "POST",
        body="name=Ann",
        headers={"Cookie": token, "X-Xsrftoken": token.partition("=")[2]},
        follow_redirects=False,
    )
    assert posted.code == 302
    cookie = posted.headers["Set-Cookie"].partition(";")[0]
    shown = ask("login", site, headers={"Cookie": cookie})
    assert b"Logged in as Ann" in shown.body


def test_upload() -> None:
    body = (
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        "hello\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = ask("upload", made("upload"), "POST", body=body, headers=headers)
    [file] = json.loads(response.body)["files"]
    assert (file["name"], file["size"], file["sha256"][:8]) == ("a.txt", 5, "2cf24dba")
    assert b"multipart/form-data" in ask("upload", made("upload")).body


def test_streaming() -> None:
    pieces: list[bytes] = []
    response = ask("streaming", made("streaming"), streaming_callback=pieces.append)
    assert response.headers["Content-Type"] == "text/event-stream"
    assert len(pieces) == 10
    assert pieces[-1] == b"data: 10\n\n"


def test_websocket() -> None:
    async def main() -> list[str | bytes | None]:
        server = Server(Recorder())
        server.apply(made("websocket"))
        host, port = server.start("127.0.0.1", 0)
        try:
            socket = await websocket_connect(f"ws://{host}:{port}/new")
            await socket.write_message("a")
            await socket.write_message(b"b", binary=True)
            heard = [await socket.read_message() for _ in range(3)]
            socket.close()
            return heard
        finally:
            await server.close()

    assert asyncio.run(main()) == ["Hello!", "a", b"b"]


PAGE = (
    "from tornado.web import RequestHandler\n\n\nclass Page(RequestHandler):\n"
    '    def get(self):\n        self.render("page.html")\n'
)


@pytest.fixture
def page() -> Site:
    """A site with a page at /new."""
    site = EMPTY.with_handler("page.py", PAGE)
    return site.with_routes([Route("/new", "handlers.page.Page")])


def test_ui_module(page: Site) -> None:
    site = made("module", page)
    assert site.settings == {"ui_modules": "handlers.my_new"}
    text = '<head></head><body>{% module MyNew("<b>") %}</body>'
    response = ask("module", site.with_template("page.html", text))
    assert b'<p class="note">&lt;b&gt;</p>' in response.body
    assert b"border-left" in response.body.partition(b"</head>")[0]


def test_ui_method(page: Site) -> None:
    site = made("method", page)
    response = ask("method", site.with_template("page.html", "{{ my_new(1234567) }}"))
    assert response.body == b"1,234,567"


def test_a_second_module_stands_beside_the_first(tmp_path: Path) -> None:
    shutil.copytree(DEMO, tmp_path / "demo")
    site = made("module", load(tmp_path / "demo"))
    assert site.settings["ui_modules"] == ["handlers.ui", "handlers.my_new"]
    assert add(site, BY_KEY["module"], "third").settings["ui_modules"][2] == "handlers.third"
