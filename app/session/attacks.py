"""The attack range, as the window commands it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from app.server.attack.attack_range import VICTIM, AttackRange, RangeError
from app.server.attack.attacks import Target, target_of
from app.server.attack.sightings import Place
from app.server.ladder import Words
from app.server.site import Site
from app.widgets.attack_controls import AttackControls, Cell
from app.widgets.i18n import tr


class Attacks(AttackControls):
    """Opens and closes one range. *spawn* runs a coroutine as a client's.

    *site* gives what is served, None for an application that cannot be varied.
    """

    def __init__(
        self,
        range_: AttackRange,
        site: Callable[[], Site | None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        super().__init__()
        self._range = range_
        self._site = site
        self._spawn = spawn
        self._turn = asyncio.Lock()
        self._firing = 0

    @property
    def address(self) -> str:
        return self._range.address if self._range.is_open else ""

    @property
    def busy(self) -> bool:
        return self._firing > 0

    def default_target(self) -> Target:
        site = self._site()
        return Target() if site is None else target_of(site)

    def open_range(self, target: Target) -> None:
        self._spawn(self._open(target))

    async def _open(self, target: Target) -> None:
        async with self._turn:
            try:
                site = self._site()
                await self._range.open(site, target, tr)
                while site is not self._site():  # It was changed meanwhile.
                    site = self._site()
                    await self._range.open(site, target, tr)
            except RangeError as error:
                self.refused.emit(tr(error.words.text, **error.words.values))
        self.changed.emit()

    def serve_anew(self) -> None:
        """Follow a change of the site or of its server, if the range is open."""
        if self._range.is_open:
            self.open_range(self._range.target)

    def close_range(self) -> None:
        self._spawn(self.close())

    async def close(self) -> None:
        """Stop everything, when what is under way is over."""
        async with self._turn:
            await self._range.close()
        self.changed.emit()

    def fire(self, places: Sequence[Place]) -> None:
        self._spawn(self._fire(places))

    async def _fire(self, places: Sequence[Place]) -> None:
        self._firing += 1
        self.changed.emit()
        try:
            for place in places:
                async with self._turn:
                    await self._range.fire(place)
                self.changed.emit()
        finally:
            self._firing -= 1
            self.changed.emit()

    def look(self) -> None:
        if self._range.look():
            self.changed.emit()

    def cell(self, place: Place) -> Cell:
        if not self._range.is_open:
            return Cell()
        seen = self._range.cells.get(place, [])
        fired = [each for each in seen if each.client == VICTIM]
        browsed = [each for each in seen if each.client is None]
        return Cell(
            self._range.prediction(place),
            fired[-1] if fired else None,
            browsed[-1] if browsed else None,
        )

    def origin_of(self, defence: str) -> str:
        return self._range.origin_of(defence)

    def page_of(self, place: Place) -> str:
        return self._range.page_of(place)

    def problem_of(self, defence: str) -> Words:
        return self._range.problem_of(defence)
