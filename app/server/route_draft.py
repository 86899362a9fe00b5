"""Routes that are still being edited, made into rules that can be tried."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import NamedTuple

from tornado.web import Application, RequestHandler

from .answering import brief
from .build import assemble
from .ladder import NOTHING
from .modules import HandlerModules
from .rules import SiteRule, Targets, known_rules, loaded_target, rule_of
from .site import Route, Site
from .site.route_checking import Earlier, Fault, route_faults
from .trial import Outcome, Rule, Tried


class Draft(NamedTuple):
    """What a site's routes would be served as, without those that cannot be; and their faults."""

    application: Application
    faults: dict[int, list[Fault]]


class _NotImported(RequestHandler):
    """Stands for a handler whose module is imported when it is applied."""


def drafting(
    site: Site, modules: HandlerModules | None, served: object = None
) -> Generator[None, None, Draft]:
    """Make a draft of *site*, bit by bit, one route at a time. Nothing of its code runs.

    Without the *modules* of a site that is trusted, handlers and settings are not looked for.
    The rules of what is *served* are used again.
    """
    known = known_rules(served)
    draft = Draft(Application() if modules is None else assemble(site, modules), {})
    earlier = Earlier(len(site.routes))
    targets = None if modules is None else Targets(modules, loaded_target)
    by_host: dict[str, list[SiteRule]] = {}
    for index, route in enumerate(site.routes):
        yield
        if not route.enabled:
            continue
        faults = [*route_faults(site, route), *earlier.faults(index, route)]
        if all(fault.warning for fault in faults):
            target, more = (None, []) if targets is None else targets.of(site, route)
            target = target or _stand_in(route)
            faults += more
        if faults:
            draft.faults[index] = faults
        if all(fault.warning for fault in faults):
            rule = rule_of(site, index, target, known)
            if route.host:
                by_host.setdefault(route.host, []).append(rule)
            else:
                draft.application.wildcard_router.add_rules([rule])
    for host, rules in by_host.items():
        draft.application.add_handlers(host, rules)
    return draft


def _stand_in(route: Route) -> type[RequestHandler]:
    module, _, name = route.handler.rpartition(".")
    return type(name, (_NotImported,), {"__module__": module})


def left_out(site: Site, draft: Draft) -> Iterator[Tried]:
    """Yield the routes of *site* that are no rules of *draft*, and why."""
    for index, route in enumerate(site.routes):
        faults = [fault for fault in draft.faults.get(index, ()) if not fault.warning]
        if route.enabled and not faults:
            continue
        kwargs = "" if not route.kwargs else brief(route.kwargs)
        rule = Rule(0, index, route.host, route.pattern, route.handler, route.name, kwargs)
        outcome = Outcome.BROKEN if route.enabled else Outcome.OFF
        yield Tried(rule, outcome, words=faults[0].words if route.enabled else NOTHING)
