"""An exported project runs under plain Tornado and answers as it does here."""

from __future__ import annotations

import contextlib
import http.client
import http.cookies
import os
import re
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.server.export import export, program
from app.server.site import Route, Site, SiteError, load, save

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "resources" / "demo"


class Answer(NamedTuple):
    """What two servers must have in common."""

    status: int
    headers: list[tuple[str, str]]
    cookies: list[tuple[str, dict[str, str]]]
    body: bytes


class Browser:
    """Keeps cookies and sends a form's token along; names no host of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}

    def send(
        self, method: str, path: str, body: str | bytes | None = None, **headers: str
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent.setdefault("Host", "127.0.0.1")
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            return self._answer(response, response.read())
        finally:
            connection.close()

    def post(self, path: str, **fields: str) -> Answer:
        token = self.cookies.get("_xsrf", "")
        return self.send(
            "POST",
            path,
            urllib.parse.urlencode({"_xsrf": token, **fields}),
            Content_Type="application/x-www-form-urlencoded",
        )

    def _answer(self, response: http.client.HTTPResponse, body: bytes) -> Answer:
        cookies: list[tuple[str, dict[str, str]]] = []
        headers: list[tuple[str, str]] = []
        text = _without_what_is_random(body)
        for name, value in response.getheaders():
            if name == "Set-Cookie":
                for key, morsel in http.cookies.SimpleCookie(value).items():
                    self.cookies[key] = morsel.value
                    given = {k: str(v) for k, v in morsel.items() if v}
                    cookies.append((key, given | ({"expires": "…"} if morsel["expires"] else {})))
            elif name == "Expires" or (name == "Etag" and text != body):
                headers.append((name, "…"))
            elif name != "Date":
                headers.append((name, value))
        return Answer(response.status, sorted(headers), cookies, text)


def _without_what_is_random(body: bytes) -> bytes:
    """Take tokens, signatures, times and the folder of a traceback out of a page."""
    body = re.sub(rb"2\|[0-9a-f]{8}\|[0-9a-f]{32}\|\d+", b"TOKEN", body)
    body = re.sub(rb"2\|1:0\|10:\d+\|4:user\|[^\"<&\s]+", b"SIGNED", body)
    return re.sub(rb"\d\d:\d\d:\d\d", b"TIME", body)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def _serving(command: list[str], port: int, **options: Any) -> Iterator[Browser]:
    process = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        if f":{port}/".encode() not in line:
            process.kill()
            raise AssertionError(process.stderr.read().decode())
        yield Browser(port)
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def loopscope(project: Path, home: Path) -> Iterator[Browser]:
    """The project under Loopscope."""
    port = _free_port()
    command = [str(ROOT / "main.py"), str(project), "--trust", "--offscreen", "--port", str(port)]
    with _serving(command, port, env=os.environ | {"HOME": str(home)}) as browser:
        yield browser


@contextlib.contextmanager
def plain(folder: Path) -> Iterator[Browser]:
    """The exported program, where nothing of Loopscope can be imported."""
    port = _free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    command = ["app.py", f"--port={port}", "--logging=none"]
    with _serving(command, port, cwd=folder, env=environment) as browser:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
        yield browser


FILE = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhi\r\n'
    b'--b\r\nContent-Disposition: form-data; name="_xsrf"\r\n\r\n%s\r\n--b--\r\n'
)


def visit_demo(browser: Browser) -> list[Answer]:
    """30 requests through all of the demo."""

    def get(path: str, **headers: str) -> Answer:
        return browser.send("GET", path, **headers)

    return [
        get("/"),
        get("/?name=<b>"),
        get("/?lang=zh"),
        get("/story/7", Accept_Language="zh-CN"),
        get("/story/x"),
        get("/old"),
        get("/nowhere"),
        browser.send("POST", "/nowhere", "a=1"),
        get("/error"),
        get("/static/style.css"),
        get("/static/chat.js?v=1"),
        get("/static/../site.toml"),
        get("/static/missing.css"),
        get("/favicon.ico"),
        browser.send("HEAD", "/"),
        browser.send("PUT", "/form", "x"),
        get("/profile"),
        browser.send("POST", "/login", "name=eve"),
        get("/login?next=/chat"),
        browser.post("/login?next=/chat", name=""),
        browser.post("/login?next=//evil", name="alice"),
        get("/profile"),
        get("/chat"),
        get("/form"),
        browser.post("/form", name="", message="x"),
        browser.post("/form", name="alice", message="hello"),
        get("/form"),
        browser.send(
            "POST",
            "/upload",
            FILE % browser.cookies["_xsrf"].encode(),
            Content_Type="multipart/form-data; boundary=b",
        ),
        browser.send("POST", "/form", "name=a", Origin="http://evil.example"),
        get("/logout"),
    ]


# Show 4


def test_the_exported_demo_answers_as_under_loopscope(tmp_path: Path) -> None:
    export(load(DEMO), tmp_path / "exported")
    with loopscope(DEMO, tmp_path) as here:
        expected = visit_demo(here)
    with plain(tmp_path / "exported") as there:
        found = visit_demo(there)
    assert len(expected) == 30
    assert {answer.status for answer in expected} >= {200, 302, 303, 403, 404, 405, 422, 500}
    assert sum(bool(answer.cookies) for answer in expected) >= 4
    for number, (one, other) in enumerate(zip(expected, found, strict=True), 1):
        assert other == one, number


def odd_project(folder: Path) -> Site:
    """A site with all that has a form of its own in the program."""
    (folder / "files").mkdir(parents=True)
    (folder / "files/a.txt").write_text("a file")
    return Site(
        folder,
        name='Odd \\ "name" """{x}',
        settings={
            "debug": True,
            "autoescape": False,
            "template_whitespace": "oneline",
            "cookie_secret": {"1": "old", "2": "new"},
            "key_version": 2,
            "ui_modules": {"Card": "handlers.odd.Card"},
            "ui_methods": ["handlers.odd"],
            "default_handler_class": "handlers.odd.Nothing",
            "words": ["it's", {"deep": 1.5}],
        },
        routes=(
            Route("/files/(.*)", "handlers.odd.Files", kwargs={"path": "files"}),
            Route("/more/(.*)", "tornado.web.StaticFileHandler", kwargs={"path": "files"}),
            Route(r"/page/(\d+)", "handlers.odd.Page", "page", {"said": "it's"}),
            Route("/page/1", "handlers.odd.Page", host=r"odd\.example", kwargs={"said": "host"}),
            Route("/off", "handlers.odd.Page", enabled=False),
        ),
        handlers={
            "odd.py": "from tornado.web import *\nfrom handlers import words\n"
            "class Files(StaticFileHandler):\n    pass\n"
            "class Card(UIModule):\n    def render(self, x):\n        return f'<b>{x}</b>'\n"
            "def shout(handler, x):\n    return x.upper()\n"
            "class Nothing(RequestHandler):\n"
            "    def prepare(self):\n        self.set_status(404)\n        self.finish('none')\n"
            "class Page(RequestHandler):\n"
            "    def initialize(self, said):\n        self.said = said\n"
            "    def get(self, number='0'):\n"
            "        self.set_signed_cookie('n', number)\n"
            "        self.render('page.html', text=words.TEXT + self.said + number,"
            " words=self.settings['words'])\n",
            "words.py": "TEXT = '<i>&'\n",
            "not-a-module.py": "1 / 0\n",
        },
        server={"max_header_size": 700},
        templates={
            "page.html": "<p>\n  {{ text }}\n{% module Card(text) %}\n"
            "{{ shout(text) }} {{ words }} {{ reverse_url('page', 3) }}\n</p>"
        },
    )


def test_what_has_a_form_of_its_own_means_the_same(tmp_path: Path) -> None:
    project = tmp_path / "odd"
    save(odd_project(project), project)

    def visit(browser: Browser) -> list[Answer]:
        return [
            browser.send("GET", path, Host=host)
            for path in ("/page/1", "/page/22", "/files/a.txt", "/more/a.txt", "/off")
            for host in ("127.0.0.1", "odd.example")
        ]

    def refused(browser: Browser) -> bool:
        try:
            browser.send("GET", "/page/1", Long="x" * 700)
        except (http.client.HTTPException, ConnectionError):  # It closes with bytes unread.
            return True
        return False

    export(load(project), tmp_path / "exported")
    with loopscope(project, tmp_path) as here:
        expected = visit(here)
        assert refused(here)
    with plain(tmp_path / "exported") as there:
        assert visit(there) == expected
        assert refused(there)
    assert [answer.status for answer in expected[:6]] == [200] * 6
    assert b"host" in expected[1].body


def test_an_export_never_writes_over_files_of_others(tmp_path: Path) -> None:
    site = load(DEMO)
    (tmp_path / "app.py").write_text("mine = 1\n")
    with pytest.raises(SiteError, match="is not empty"):
        export(site, tmp_path)
    assert (tmp_path / "app.py").read_text() == "mine = 1\n"
    export(site, tmp_path / "new")
    export(site.with_template("home.html", "changed"), tmp_path / "new")
    assert (tmp_path / "new/templates/home.html").read_text() == "changed"


def test_a_site_that_cannot_be_served_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"greeting\.py:1"):
        export(load(DEMO).with_handler("greeting.py", "def ("), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_exporting_runs_nothing(tmp_path: Path) -> None:
    site = Site(
        tmp_path,
        settings={"ui_modules": "no.such.module"},
        routes=(Route("/", "no.such.Handler"),),
        handlers={"a.py": f"open({str(tmp_path / 'ran')!r}, 'w')\n"},
    )
    export(site, tmp_path / "new")
    assert not (tmp_path / "ran").exists()
    assert "import no.such\n" in program(site)
