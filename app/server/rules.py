"""The rules that Tornado routes by, made of a site's routes; and what keeps a target from them."""

from __future__ import annotations

import copy
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tornado.httputil import HTTPServerConnectionDelegate
from tornado.routing import Router, URLSpec
from tornado.web import Application, RequestHandler, StaticFileHandler
from tornado.websocket import WebSocketHandler

from app.server.bit_by_bit import Work
from app.server.ladder import Words
from app.server.modules import HandlerModules
from app.server.site import HANDLERS, Problem, Route, Site
from app.server.site.route_checking import Fault, compile_pattern, problem_of


class SiteRule(URLSpec):
    """What a route of a site becomes; ``route`` is its index there."""

    def __init__(self, index: int, route: Route, target: Any, kwargs: dict[str, Any]) -> None:
        super().__init__(compile_pattern(route.pattern), target, kwargs, route.name or None)
        self.route = index
        self.made_of = route


Known = Mapping[int, SiteRule]
"""Rules by the indices of their routes."""


def known_rules(root: object) -> Known:
    """Return the rules for every host that *root* has of a site."""
    if not isinstance(root, Application):
        return {}
    rules = root.wildcard_router.rules
    return {rule.route: rule for rule in rules if isinstance(rule, SiteRule)}


def rule_of(site: Site, index: int, target: Any, known: Known) -> SiteRule:
    """Return the rule that leads the route at *index* to *target*; the *known* one if it may be.

    Most routes are the same from one version of a site to the next. Nobody changes a rule.
    """
    route, rule = site.routes[index], known.get(index)
    if rule is not None and rule.made_of is route and rule.target is target and not route.kwargs:
        return rule
    return SiteRule(index, route, target, route_kwargs(site, route, target))


def site_rules(
    site: Site, modules: HandlerModules, problems: list[Problem], known: Known
) -> Work[dict[str, list[SiteRule]]]:
    """Return the rules of the enabled routes by host, hosts in the order of their first route.

    What cannot be a rule is left out and added to *problems*.
    """
    rules: dict[str, list[SiteRule]] = {"": []}
    targets = Targets(modules, imported_target)
    for index, route in enumerate(site.routes):
        yield index / len(site.routes)
        if not route.enabled:
            continue
        target, faults = targets.of(site, route)
        problems += [problem_of(route, index, fault) for fault in faults]
        if target is not None:
            rules.setdefault(route.host, []).append(rule_of(site, index, target, known))
    return rules


Found = tuple[Any, Fault | None]
"""The target of a route, or why there is none; neither where that cannot be known yet."""


class Targets:
    """What routes lead to. The same is not looked for, or looked at, again; *find* finds it."""

    def __init__(
        self, modules: HandlerModules, find: Callable[[Route, HandlerModules], Found]
    ) -> None:
        self._modules = modules
        self._find = find
        self._found: dict[str, Found] = {}
        self._fitting: set[tuple[str, int, tuple[str, ...]]] = set()

    def of(self, site: Site, route: Route) -> tuple[Any, list[Fault]]:
        """Return the target of *route*, None if there is none, and what is wrong with it."""
        if route.handler not in self._found:
            self._found[route.handler] = self._find(route, self._modules)
        target, fault = self._found[route.handler]
        if target is None:
            return None, [] if fault is None else [fault]
        regex = compile_pattern(route.pattern)
        key = (route.handler, regex.groups, tuple(regex.groupindex))
        if not route.kwargs and key in self._fitting:
            return target, []
        faults = list(target_faults(route, target, route_kwargs(site, route, target), regex))
        if not route.kwargs and not faults:
            self._fitting.add(key)
        return target, faults


def route_kwargs(site: Site, route: Route, target: Any) -> dict[str, Any]:
    """Return the arguments of *route* as Tornado gets them: its folder is absolute."""
    kwargs = copy.deepcopy(route.kwargs)  # A handler may write into what it is given.
    if is_class(target, StaticFileHandler) and isinstance(kwargs.get("path"), str):
        kwargs["path"] = str(site.folder / kwargs["path"])
    return kwargs


def is_class(target: Any, base: type) -> bool:
    """Tell whether *target* is a class derived from *base*."""
    return isinstance(target, type) and issubclass(target, base)


def imported_target(route: Route, modules: HandlerModules) -> Found:
    """Return the target of *route*; its module is imported if need be."""
    try:
        return modules.resolve(route.handler), None
    except ImportError as error:
        return None, _no_target(route, error)


def loaded_target(route: Route, modules: HandlerModules) -> Found:
    """Return the target of *route* as far as that runs no code.

    Nothing is known of a module that has not been imported yet: that happens when it is applied.
    """
    parts = route.handler.split(".")
    if parts[0] == HANDLERS or ".".join(parts[:-1]) in sys.modules:
        return imported_target(route, modules)
    if parts[0] in sys.modules or importlib.util.find_spec(parts[0]) is not None:
        return None, None
    return None, _no_target(route, ImportError(f"there is no module {parts[0]!r}"))


def _no_target(route: Route, error: ImportError) -> Fault:
    values = {"handler": route.handler, "error": error}
    column = route.handler.rfind(".") + 2
    return Fault("handler", Words("{handler}: {error}", values), column)


def target_faults(
    route: Route, target: Any, kwargs: dict[str, Any], regex: re.Pattern[str]
) -> Iterator[Fault]:
    """Yield why requests that match *regex* cannot be given to *target*."""
    handler = {"handler": route.handler}
    if not is_class(target, RequestHandler):
        if isinstance(target, type) or not _is_routable(target):
            words = Words("{handler}: is not a RequestHandler", handler)
            yield Fault("handler", words, route.handler.rfind(".") + 2)
        return
    if issubclass(target, StaticFileHandler) and "path" not in kwargs:
        text = '{handler}: StaticFileHandler needs kwargs = {{ path = "…" }}'
        yield Fault("kwargs", Words(text, handler), 1)
        return
    fault = call_fault(target.initialize, [target], kwargs)
    if fault:
        text = "{handler}: kwargs do not fit initialize(): {fault}"
        yield Fault("kwargs", Words(text, {**handler, "fault": fault}), 1)
    yield from _group_faults(route, target, regex)


def _is_routable(target: Any) -> bool:
    """Tell whether Tornado's routing takes *target*, which is no class, for a rule's target."""
    kinds = (Router, HTTPServerConnectionDelegate, list, tuple)
    return isinstance(target, kinds) or (callable(target) and not inspect.ismodule(target))


def _group_faults(
    route: Route, target: type[RequestHandler], regex: re.Pattern[str]
) -> Iterator[Fault]:
    """Yield a fault when no method that *target* implements takes the groups of *regex*."""
    named = dict.fromkeys(regex.groupindex, "")
    positional = [] if named else [""] * regex.groups
    own = own_methods(target)
    faults = [call_fault(method, [target, *positional], named) for method in own]
    if faults and all(faults):
        text = "{handler}: the groups of the pattern do not fit {method}(): {fault}"
        values = {"handler": route.handler, "method": own[0].__name__, "fault": faults[0]}
        yield Fault("pattern", Words(text, values), max(route.pattern.find("("), 0) + 1)


def own_methods(target: type[RequestHandler]) -> list[Any]:
    """Return the methods of *target* that answer requests and take the groups of a pattern."""
    if issubclass(target, WebSocketHandler):
        return [target.open]
    methods = [getattr(target, name.lower(), None) for name in target.SUPPORTED_METHODS]
    return [m for m in methods if m and m is not RequestHandler._unimplemented_method]


def call_fault(function: Any, args: list[Any], kwargs: dict[str, Any]) -> str:
    """Say why *function* cannot be called so; empty when it can, or when nobody can tell."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return ""
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        return str(error)
    return ""
