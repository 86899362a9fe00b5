"""The attack range over real sockets: each defence against each attack, and what is in the way."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tornado.web import Application, RequestHandler

from app.recording.recorder import Recorder
from app.recording.store import Store
from app.server.attack.attack_range import AttackRange, RangeError
from app.server.attack.attacks import ATTACKS, DEFENCES, Outcome, Target
from app.server.attack.sightings import Place
from app.server.clients import Clients
from app.server.server import Server
from app.server.site import Site, load

DEMO = Path(__file__).resolve().parents[2] / "resources" / "demo"
SHORT = {
    Outcome.FORGED: "F",
    Outcome.STRANGER: "s",
    Outcome.REFUSED: "R",
    Outcome.READ: "r",
    Outcome.UNSENT: "u",
}
MATRIX = {  # click, frame, image, link, fetch, json, neighbour: as Chromium has it.
    "served": "RRrrRuR",
    "none": "FFrrFuF",
    "unset": "FsrrsuF",
    "lax": "ssrrsuF",
    "strict": "ssrrsuF",
    "xsrf": "RRrrRuF",
    "origin": "RRrrRuR",
    "unsafe": "RRsFRuR",
}


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Tornado warns of each refusal; they are wanted here."""
    caplog.set_level(logging.ERROR, "tornado.general")
    caplog.set_level(logging.ERROR, "tornado.access")


class World:
    """A server with a site, recorded into a store that is always up to date."""

    def __init__(self) -> None:
        self.recorder, self.store, self.clients = Recorder(), Store(), Clients()
        self.server = Server(self.recorder, self.clients.name_of_peer)
        self.range = AttackRange(self.recorder, self.store, self.clients, self.server)
        self.site: Site | None = None

    async def fold(self) -> None:
        while True:
            self.store.apply(self.recorder.drain(0))
            await asyncio.sleep(0.005)

    def serve_demo(self, **settings: object) -> None:
        site = load(DEMO)
        self.site = replace(site, settings={**site.settings, **settings})
        self.server.apply(self.site)
        self.server.start("127.0.0.1", 0)

    async def open(self, target: Target = Target()) -> AttackRange:
        await self.range.open(self.site, target, str)
        return self.range

    async def outcome(self, defence: str, attack: str) -> str:
        sighting = await self.range.fire(Place(defence, attack))
        assert sighting is not None
        return SHORT[sighting.outcome]


@contextlib.asynccontextmanager
async def world() -> AsyncIterator[World]:
    here = World()
    folding = asyncio.create_task(here.fold())
    try:
        yield here
    finally:
        await here.range.close()
        here.clients.close()
        await here.server.close()
        folding.cancel()


def run(body: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        async with world() as here:
            await body(here)

    asyncio.run(main())


def test_every_cell_is_as_predicted() -> None:
    async def body(here: World) -> None:
        here.serve_demo()
        range_ = await here.open()
        predicted, seen = {}, {}
        for defence in DEFENCES:
            assert not range_.problem_of(defence.key).text
            places = [Place(defence.key, attack.key) for attack in ATTACKS]
            foreseen = [range_.prediction(place) for place in places]
            predicted[defence.key] = "".join(SHORT[each.outcome] for each in foreseen if each)
            assert all(each and str(each.reason) for each in foreseen)
            seen[defence.key] = "".join([await here.outcome(*place) for place in places])
        assert seen == predicted == MATRIX

    run(body)


def test_a_login_that_gives_no_cookie_is_told_and_leaves_a_stranger() -> None:
    async def body(here: World) -> None:
        here.serve_demo()
        range_ = await here.open(Target(login_body="name="))
        assert "422" in str(range_.problem_of("none"))
        prediction = range_.prediction(Place("none", "click"))
        assert prediction is not None
        assert prediction.outcome is Outcome.STRANGER
        assert await here.outcome("none", "click") == "s"

    run(body)


def test_the_site_as_it_is_served_follows_its_own_settings() -> None:
    async def body(here: World) -> None:
        here.serve_demo(xsrf_cookies=False, cross_origin_protection=False)
        await here.open()
        row = "".join([await here.outcome("served", attack.key) for attack in ATTACKS])
        assert row == MATRIX["lax"]  # As the demo sets its cookie.

    run(body)


class Login(RequestHandler):
    def post(self) -> None:
        self.set_cookie("session", "1")


class Open(RequestHandler):
    """Allows every origin to send it anything."""

    def set_default_headers(self) -> None:
        self.set_header("Access-Control-Allow-Origin", self.request.headers.get("Origin", "*"))
        self.set_header("Access-Control-Allow-Headers", "content-type")
        self.set_header("Access-Control-Allow-Credentials", "true")

    def options(self) -> None:
        self.set_status(204)

    def post(self) -> None:
        self.write("done")


def test_an_application_is_attacked_as_it_is_and_its_cors_is_found() -> None:
    async def body(here: World) -> None:
        here.server.serve(Application([("/login", Login), ("/open", Open)]))
        here.server.start("localhost", 0)
        range_ = await here.open(Target(path="/open"))
        assert range_.address.startswith("http://127.0.0.1:")
        assert [each.key for each in DEFENCES if range_.origin_of(each.key)] == ["served"]
        assert await here.outcome("served", "json") == "s"
        assert await here.outcome("served", "neighbour") == "F"
        assert await here.outcome("served", "image") == "r"

    run(body)


def test_it_needs_a_server() -> None:
    async def body(here: World) -> None:
        with pytest.raises(RangeError, match="Start the server first"):
            await here.open()
        assert not here.range.is_open

    run(body)


def _refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_closing_stops_every_server_of_the_range() -> None:
    async def body(here: World) -> None:
        here.serve_demo()
        range_ = await here.open()
        origins = [range_.address, *(range_.origin_of(each.key) for each in DEFENCES[1:])]
        ports = [int(origin.rstrip("/").rpartition(":")[2]) for origin in origins]
        assert not any(_refuses(port) for port in ports)
        await range_.close()
        assert all(_refuses(port) for port in ports)
        assert here.server.address is not None
        assert not _refuses(here.server.address[1])
        assert here.recorder.sockets == {
            number: name
            for number, name in here.recorder.sockets.items()
            if name == f"listen 127.0.0.1:{here.server.address[1]}"
        }

    run(body)


def test_the_range_listens_on_loopback_only() -> None:
    async def body(here: World) -> None:
        here.serve_demo()
        await here.open()
        heard = [name for name in here.recorder.sockets.values() if name.startswith("listen")]
        hosts = {name.removeprefix("listen ").rpartition(":")[0] for name in heard}
        assert hosts == {"127.0.0.1", "attacker"}
        attacker = here.range._attacker
        assert attacker is not None
        assert {sock.getsockname()[0] for sock in attacker.sockets} <= {"127.0.0.1", "::1"}

    run(body)


def test_pages_of_the_attacker() -> None:
    async def body(here: World) -> None:
        here.serve_demo()
        range_ = await here.open()

        def get(url: str) -> tuple[int, str, str]:
            try:
                with urllib.request.urlopen(url, timeout=20) as response:
                    cookie = response.headers.get("Set-Cookie", "")
                    return response.status, response.read().decode(), cookie
            except urllib.error.HTTPError as error:
                return error.code, "", ""

        status, index, _ = await asyncio.to_thread(get, range_.address)
        assert (status, index.count(">Try<")) == (200, len(DEFENCES) * len(ATTACKS))
        page = range_.page_of(Place("xsrf", "neighbour"))
        status, text, cookie = await asyncio.to_thread(get, page)
        assert page.startswith("http://127.0.0.1:")
        assert f'action="{range_.origin_of("xsrf")}/form"' in text
        assert cookie.startswith("_xsrf=")
        for path in ("xsrf/nothing", "nothing/click"):
            assert (await asyncio.to_thread(get, range_.address + path))[0] == 404

    run(body)
