"""Routes, as the window asks about them: of the site as it is served, or as it is written."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator

from tornado.routing import RuleRouter
from tornado.web import Application

from app.recording.events import Request
from app.recording.store import Store
from app.server import routing
from app.server.route_draft import drafting, left_out
from app.server.server import Server
from app.server.site import Site
from app.server.trial import Answer, Asked, Moved, Rule, Tried
from app.widgets.routing_controls import RoutingControls, Rulebook


class _Rules(Rulebook):
    """The rules that *root* holds. *left_out* are routes that are none of them."""

    def __init__(
        self, root: routing.Root, store: Store, left_out: Callable[[], Iterable[Tried]]
    ) -> None:
        self._root = root
        self._store = store
        self._left_out = left_out

    def rules(self) -> list[Rule]:
        return routing.rules_of(self._root)

    def trial(self, asked: Asked) -> Iterator[Tried | Answer]:
        for one in routing.trial(self._root, asked):
            if isinstance(one, Answer):
                yield from self._left_out()
            yield one

    def moved(self) -> Iterator[Moved | None]:
        rows = self._store.requests.rows[::-1]  # Older ones may be forgotten meanwhile.
        return routing.moved(self._root, (Request(*row) for row in rows))


class Routing(RoutingControls):
    """Looks into what *server* serves; *roots* are what its connections ask for handlers."""

    def __init__(self, server: Server, store: Store, roots: Callable[[], Iterable[object]]) -> None:
        super().__init__()
        self._server = server
        self._store = store
        self._roots = roots

    def served(self) -> Rulebook | None:
        for root in self._roots():
            if isinstance(root, (Application, RuleRouter)):
                return _Rules(root, self._store, tuple)
        return None

    def draft(self, site: Site) -> Generator[None, None, Rulebook]:
        trusted = any(True for _ in self._roots())
        modules = self._server.modules if trusted else None
        draft = yield from drafting(site, modules, self._server.root)
        rules = _Rules(draft.application, self._store, lambda: left_out(site, draft))
        rules.faults = draft.faults
        return rules
