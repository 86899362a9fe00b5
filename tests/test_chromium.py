"""A real Chromium against the whole program: what it does is in the recording, and the attack
matrix is what it really does."""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import json
import logging
import os
import shutil
import sqlite3
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.application import Program
from app.recording import capture
from app.recording.events import Request
from app.recording.headers import pairs
from app.server.attack.attacks import ATTACKS, DEFENCES
from app.server.attack.sightings import Place, Sighting, cookie_names
from app.widgets.attack_controls import Cell

from .server.test_attack import MATRIX, SHORT
from .test_window import program

__all__ = ["program"]

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
DRIVER = shutil.which("chromedriver") or ""
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The name under which WebDriver tells an element."""
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
SAID = ("out", "text")
WAIT = 20_000
"""How long to wait for what a browser does, in ms: the machine may be busy."""
ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--no-proxy-server"),
)

THIRD_PARTY_COOKIES = {
    "profile.cookie_controls_mode": 0,
    "profile.block_third_party_cookies": False,
}
"""As Chromium has it from its makers: Debian's blocks the cookies of third parties."""

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium (package chromium)"),
    pytest.mark.skipif(not DRIVER, reason="there is no chromedriver (package chromium-driver)"),
]


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Tornado warns of each refusal; they are wanted here."""
    caplog.set_level(logging.ERROR, "tornado.general")


@pytest.fixture(scope="module")
def session_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The WebDriver session of a Chromium with an empty profile of its own."""
    home = tmp_path_factory.mktemp("chromium")
    command = [DRIVER, "--port=0"]
    environment = {**os.environ, "HOME": str(home)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "successfully on port" in line)
        root = f"http://127.0.0.1:{line.rsplit(' ', 1)[1].strip().rstrip('.')}"
        options = {
            "binary": CHROMIUM,
            "args": [*ARGUMENTS, f"--user-data-dir={home / 'profile'}"],
            "prefs": THIRD_PARTY_COOKIES,
        }
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        session = ask("POST", f"{root}/session", wanted)
        ask("POST", f"{root}/session/{session['sessionId']}/timeouts", {"implicit": 5000})
        yield f"{root}/session/{session['sessionId']}"
        ask("DELETE", f"{root}/session/{session['sessionId']}")
        process.terminate()


class WebDriverError(Exception):
    """The browser did not do as it was told."""


def ask(method: str, url: str, body: object = None) -> Any:
    """Send a WebDriver command and return its value."""
    data = json.dumps(body or {}).encode() if method == "POST" else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with DIRECT.open(request, timeout=WAIT / 1000) as response:
            return json.load(response)["value"]
    except urllib.error.HTTPError as error:
        raise WebDriverError(f"{method} {url} {body}: {error.read().decode()[:300]}") from None


class Chromium:
    """A browser that is driven while the program's window and server go on."""

    def __init__(self, url: str, pool: concurrent.futures.Executor, qtbot: QtBot) -> None:
        self._url, self._pool, self._qtbot = url, pool, qtbot

    def do(self, method: str, path: str, **body: object) -> Any:
        future = self._pool.submit(ask, method, f"{self._url}/{path}", body)
        self._qtbot.waitUntil(future.done, timeout=WAIT)
        return future.result()

    def open(self, url: str) -> None:
        self.do("POST", "url", url=url)

    def find(self, selector: str) -> str:
        found = self.do("POST", "element", using="css selector", value=selector)
        return f"element/{found[ELEMENT]}"

    def type(self, selector: str, text: str) -> None:
        self.do("POST", f"{self.find(selector)}/value", text=text)

    def click(self, selector: str) -> None:
        self.do("POST", f"{self.find(selector)}/click")

    def await_text(self, selector: str, text: str) -> None:
        """Wait until the page that is open by then shows *text*."""
        script = "return document.querySelector(arguments[0])?.innerText ?? ''"

        def shown() -> bool:
            try:
                return text in self.do("POST", "execute/sync", script=script, args=[selector])
            except WebDriverError:  # Another page is being opened just now.
                return False

        self._qtbot.waitUntil(shown, timeout=WAIT)

    def cookies(self) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in self.do("GET", "cookie")}


@pytest.fixture
def chromium(session_url: str, qtbot: QtBot) -> Iterator[Chromium]:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        browser = Chromium(session_url, pool, qtbot)
        yield browser
        browser.open("about:blank")


def recorded(program: Program, method: str, uri: str) -> list[Request]:
    rows = [Request(*row) for row in program.store.requests.rows]
    return [each for each in rows if (each.method, each.uri) == (method, uri) and each.outcome]


def log_in(chromium: Chromium, origin: str, name: str) -> None:
    chromium.open(f"{origin}/login")
    chromium.do("DELETE", "cookie")
    chromium.open(f"{origin}/login")
    chromium.type("[name=name]", name)
    chromium.click("main button")
    chromium.await_text("header nav", name)


def test_what_a_browser_does_is_in_the_recording(
    program: Program, chromium: Chromium, qtbot: QtBot, tmp_path: Path
) -> None:
    assert program.session.address is not None
    origin = program.session.address.rstrip("/")
    log_in(chromium, origin, "Grace")
    chromium.open(f"{origin}/form")
    chromium.type("[name=name]", "Grace")
    chromium.type("[name=message]", "written in a browser")
    chromium.click("main button")
    chromium.await_text("blockquote", "written in a browser")
    file = tmp_path / "notes.txt"
    file.write_bytes(b"loopscope\n" * 500)
    chromium.open(f"{origin}/upload")
    chromium.type("[name=file]", str(file))
    chromium.click("main button")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    chromium.await_text("dl", digest)
    kept = chromium.cookies()
    chromium.open(f"{origin}/chat")
    chromium.await_text("#state", "connected")
    chromium.type("#text", "hello from Chromium\n")
    chromium.await_text("#lines", "hello from Chromium")
    chromium.do("POST", "execute/sync", script="socket.close(4001, 'enough')", args=[])
    qtbot.waitUntil(lambda: bool(recorded(program, "GET", "/chat/socket")), timeout=WAIT)

    statuses = {
        uri: [each.status for each in recorded(program, "POST", uri)]
        for uri in ("/login", "/form", "/upload")
    }
    assert statuses == {"/login": [302], "/form": [303], "/upload": [200]}
    (upload,) = recorded(program, "POST", "/upload")
    assert file.read_bytes() in upload.request_body
    assert digest.encode() in upload.response_body
    for uri in statuses:
        (posted,) = recorded(program, "POST", uri)
        assert [row[1] for row in program.store.xsrf[posted.id]] == ["passed"]
        assert posted.client is None
    path = tmp_path / "browser.loopscope"
    capture.write(program.store, path, {}, 1 << 20)
    check_cookies(path, kept)
    (socket,) = recorded(program, "GET", "/chat/socket")
    assert socket.status == 101
    messages = list(program.store.messages_of(socket.id))
    assert b"hello from Chromium" in [each.payload for each in messages if each.direction == "in"]
    sent = [json.loads(each.payload) for each in messages if (each.direction, each.opcode) == SAID]
    assert [(each["kind"], each["name"], each["text"]) for each in sent] == [
        ("joined", "Grace", ""),
        ("message", "Grace", "hello from Chromium"),
    ]
    closed = [each for each in messages if each.opcode == "close"]
    assert [each.direction for each in closed] == ["in", "out"]
    assert closed[0].payload[2:] == b"enough"


def check_cookies(path: Path, kept: dict[str, dict[str, Any]]) -> None:
    """Compare the cookies in the recording with those in the browser's own jar."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        rows = database.execute(
            "SELECT r.uri, c.direction, c.name, c.value, c.attributes FROM cookies c"
            " JOIN requests r ON r.id = c.request_id ORDER BY c.request_id, c.seq"
        ).fetchall()
    given = {row[2]: row for row in rows if row[1] == "out"}
    assert set(given) == set(kept) == {"user", "_xsrf"}
    for name, cookie in kept.items():
        assert given[name][3] == cookie["value"].strip('"')
        assert ("HttpOnly" in given[name][4]) == cookie["httpOnly"]
    assert given["user"][4].endswith(f"SameSite={kept['user']['sameSite']}")
    for uri in ("/profile", "/form", "/upload", "/chat", "/chat/socket"):
        sent = {row[2]: row[3] for row in rows if row[:2] == (uri, "in")}
        assert sent == {name: row[3] for name, row in given.items()}, uri


HEADERS = ("origin", "referer", "content-type")
"""What the built-in client must send as Chromium does, besides Sec-Fetch and CORS headers."""


def said(program: Program, number: int) -> tuple[str, str, set[str], dict[str, str]]:
    """Return a request's method, path, names of cookies, and where it says it comes from."""
    request = program.store.request(number)
    assert request is not None
    headers = {name.lower(): value for name, value in pairs(request.request_head)}
    told = {
        name: value
        for name, value in headers.items()
        if name in HEADERS or name.startswith(("sec-fetch", "access-control"))
    }
    told.pop("sec-fetch-storage-access", None)  # Of its own, about third parties' cookies.
    return request.method, request.uri, set(cookie_names(headers.get("cookie", ""))), told


def test_the_matrix_is_what_chromium_does(
    program: Program, chromium: Chromium, qtbot: QtBot
) -> None:
    attacks = program.session.attacks
    attacks.open_range(attacks.default_target())
    qtbot.waitUntil(lambda: attacks.address != "", timeout=WAIT)
    seen: dict[str, str] = {}
    for defence in DEFENCES:
        log_in(chromium, attacks.origin_of(defence.key), "Grace")
        places = [Place(defence.key, attack.key) for attack in ATTACKS]
        for attack, place in zip(ATTACKS, places, strict=True):
            chromium.open(attacks.page_of(place))
            if attack.clicked:
                chromium.click("#bait")
            await_cell(program, qtbot, place, lambda known: known.browsed)
        attacks.fire(places)
        await_cell(program, qtbot, places[-1], lambda known: known.fired)
        seen[defence.key] = ""
        for place in places:
            _, fired, browsed = cell(program, place)
            assert fired is not None
            assert browsed is not None
            assert fired.outcome is browsed.outcome, place
            assert said(program, fired.request_id) == said(program, browsed.request_id), place
            seen[defence.key] += SHORT[browsed.outcome]
    assert seen == MATRIX


def cell(program: Program, place: Place) -> Cell:
    """Return what is known by now at a place."""
    program.session.attacks.look()
    return program.session.attacks.cell(place)


def await_cell(
    program: Program, qtbot: QtBot, place: Place, what: Callable[[Cell], Sighting | None]
) -> None:
    qtbot.waitUntil(lambda: what(cell(program, place)) is not None, timeout=WAIT)
