"""A test double of what is asked about routes: it finds what is wrong, and tries on no server."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from app.server.ladder import Words
from app.server.site import Site
from app.server.site.route_checking import Fault, site_faults
from app.server.trial import Answer, Asked, Moved, Rule, Tried
from app.widgets.routing_controls import RoutingControls, Rulebook


class FakeRulebook(Rulebook):
    """Rules that nothing matches, unless `answers` says otherwise."""

    def __init__(self, faults: dict[int, list[Fault]]) -> None:
        self.faults = faults
        self.tried: list[Tried] = []
        self.gone: list[Moved] = []

    def rules(self) -> list[Rule]:
        return [one.rule for one in self.tried]

    def trial(self, asked: Asked) -> Iterator[Tried | Answer]:
        yield from self.tried
        yield Answer(asked, 404, Words("no rule matches: 404"))

    def moved(self) -> Iterator[Moved | None]:
        yield from self.gone


class FakeRouting(RoutingControls):
    """Drafts of sites; `book` is what is served."""

    def __init__(self) -> None:
        super().__init__()
        self.book: FakeRulebook | None = FakeRulebook({})
        self.drafted: list[Site] = []

    def served(self) -> FakeRulebook | None:
        return self.book

    def draft(self, site: Site) -> Generator[None, None, Rulebook]:
        self.drafted.append(site)
        yield
        faults: dict[int, list[Fault]] = {}
        for index, fault in site_faults(site):
            faults.setdefault(index, []).append(fault)
        return FakeRulebook(faults)
