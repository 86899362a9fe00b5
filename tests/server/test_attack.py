"""The attack range over real sockets: each defence against each attack, and what is in the way."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.recording.recorder import Recorder
from app.recording.store import Store
from app.server.attack.attack_range import AttackRange
from app.server.attack.attacks import ATTACKS, DEFENCES, Outcome, Target
from app.server.attack.sightings import Place
from app.server.client import Clients
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
