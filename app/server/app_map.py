"""What an application consists of, read from it: its routes, and where its handlers are."""

from __future__ import annotations

import inspect
import linecache
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tornado.httputil import HTTPServerConnectionDelegate
from tornado.routing import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    Matcher,
    PathMatches,
    Router,
    Rule,
    RuleRouter,
)
from tornado.web import (
    Application,
    FallbackHandler,
    RedirectHandler,
    RequestHandler,
    StaticFileHandler,
)
from tornado.websocket import WebSocketHandler

from .app_route import AppRoute
from .ladder import Words
from .rules import is_class, target_faults
from .site import Route

_TEMPLATES = frozenset((".html", ".htm", ".xml", ".txt", ".tpl", ".tmpl"))
_MANY = 2_000
"""So many templates are looked for at most."""


def routes_of(served: Iterable[object]) -> list[AppRoute]:
    """Return the rules of applications and routers, outer ones taken together with inner ones."""
    found: list[AppRoute] = []
    for each in served:
        router = each.default_router if isinstance(each, Application) else each
        if isinstance(router, RuleRouter):
            seen: dict[tuple[str, str], str] = {}
            for matchers, rule in _rules(router, ()):
                route = _route(matchers, rule)
                key = (route.host, route.pattern)
                found.append(route._replace(shadowed=seen.get(key, "")))
                seen.setdefault(key, route.pattern)
    return found


def templates_of(served: Iterable[object]) -> list[Path]:
    """Return the template files of applications: what lies below their ``template_path``."""
    found: list[Path] = []
    for each in served:
        path = each.settings.get("template_path") if isinstance(each, Application) else None
        if isinstance(path, str) and Path(path).is_dir():
            for file in sorted(Path(path).rglob("*")):
                if file.suffix in _TEMPLATES and file.is_file() and file not in found:
                    found.append(file)
                if len(found) >= _MANY:
                    return found
    return found


def _rules(
    router: RuleRouter, outer: tuple[Matcher, ...]
) -> Iterator[tuple[tuple[Matcher, ...], Rule]]:
    for rule in router.rules:
        matchers = (*outer, rule.matcher)
        target = rule.target
        if isinstance(target, Application):
            target = target.default_router
        if isinstance(target, RuleRouter):
            yield from _rules(target, matchers)
        else:
            yield matchers, rule


def _route(matchers: tuple[Matcher, ...], rule: Rule) -> AppRoute:
    regexes = [m.regex for m in matchers if isinstance(m, PathMatches)]
    hosts = [m for m in matchers if isinstance(m, HostMatches | DefaultHostMatches)]
    target: Any = rule.target
    kind, detail = _kind(target, rule.target_kwargs or {})
    file, line = source_of(target)
    return AppRoute(
        host=" ".join(m.host_pattern.pattern.removesuffix("$") for m in hosts),
        pattern="".join(regex.pattern.removesuffix("$") for regex in regexes) or _other(matchers),
        handler=getattr(target, "__qualname__", type(target).__qualname__),
        module=getattr(target, "__module__", ""),
        name=rule.name or "",
        kwargs=", ".join(f"{key}={value!r:.200}" for key, value in _kwargs(rule)),
        kind=kind,
        detail=detail,
        methods=tuple(_methods(target)),
        groups=tuple(group for regex in regexes for group in _groups(regex)),
        file=file,
        line=line,
        shadowed="",
        fault=_fault(target, rule.target_kwargs or {}, regexes),
    )


def _fault(target: Any, kwargs: dict[str, Any], regexes: list[re.Pattern[str]]) -> Words | None:
    if len(regexes) != 1 or not is_class(target, RequestHandler):
        return None
    route = Route(regexes[0].pattern, target.__qualname__)
    return next((fault.words for fault in target_faults(route, target, kwargs, regexes[0])), None)


def _other(matchers: tuple[Matcher, ...]) -> str:
    names = [type(m).__name__ for m in matchers if not isinstance(m, AnyMatches | HostMatches)]
    return names[-1] if names else ".*"


def _kwargs(rule: Rule) -> Iterable[tuple[str, Any]]:
    return (rule.target_kwargs or {}).items()


def _groups(regex: re.Pattern[str]) -> list[str]:
    names = {number: name for name, number in regex.groupindex.items()}
    return [names.get(number, str(number)) for number in range(1, regex.groups + 1)]


def _kind(target: Any, kwargs: dict[str, Any]) -> tuple[str, str]:
    if isinstance(target, type) and issubclass(target, RequestHandler):
        if issubclass(target, StaticFileHandler):
            return "static", str(kwargs.get("path", ""))
        if issubclass(target, RedirectHandler):
            return "redirect", str(kwargs.get("url", ""))
        if issubclass(target, FallbackHandler):
            return "fallback", type(kwargs.get("fallback")).__qualname__
        return ("websocket" if issubclass(target, WebSocketHandler) else "handler"), ""
    if isinstance(target, Router | HTTPServerConnectionDelegate):
        return "router", ""
    return "other", ""


def _methods(target: Any) -> Iterator[str]:
    if isinstance(target, type) and issubclass(target, RequestHandler):
        for verb in target.SUPPORTED_METHODS:
            method = getattr(target, verb.lower(), None)
            if method not in (None, RequestHandler._unimplemented_method):
                yield verb


def source_of(target: object) -> tuple[str, int]:
    """Return file and line of a class or function, or of an object's class; empty for none."""
    found: Any = inspect.unwrap(target) if callable(target) else target
    if not inspect.isclass(found) and not inspect.isroutine(found):
        found = type(found)
    try:
        file = inspect.getsourcefile(found) or ""
    except TypeError:
        return "", 0  # It is built in.
    code = getattr(found, "__code__", None)
    if code is not None or not file:
        return file, getattr(code, "co_firstlineno", 0)
    # Not inspect.getsourcelines: it parses the whole file for each class.
    head = re.compile(rf"\s*class\s+{re.escape(found.__name__)}\b")
    lines = (at for at, line in enumerate(linecache.getlines(file), 1) if head.match(line))
    return file, next(lines, 1)
