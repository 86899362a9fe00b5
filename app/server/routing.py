"""Which rule of an application takes a request: Tornado's own matchers, asked one by one.

Nothing is sent and no handler runs.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tornado.httputil import HTTPInputError, HTTPServerRequest
from tornado.routing import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    Matcher,
    PathMatches,
    Router,
    RuleRouter,
)
from tornado.routing import Rule as TornadoRule
from tornado.web import Application

from app.recording.events import Request
from app.recording.headers import pairs
from app.recording.limit import TooSlow, cpu_limit

from .answering import Chosen, answer_of, brief, name_of, nobody, request_of
from .ladder import Words
from .near_miss import furthest
from .rules import SiteRule
from .trial import Answer, Asked, Group, Moved, Outcome, Rule, Tried

MATCH_LIMIT_S = 0.05
"""How long one pattern may be matched before it is given up."""

Params = dict[str, Any]


class _Step(NamedTuple):
    """A rule at the end of its routers. ``open`` tells whether the routers around it matched."""

    application: Application
    router: RuleRouter
    rule: TornadoRule
    outer: tuple[Matcher, ...]
    open: bool
    final: bool
    """Whether its application answers what none of its rules matches: here is the last one."""


Root = Application | RuleRouter
"""What an HTTPServer asks for handlers."""


def rules_of(root: Root) -> list[Rule]:
    """Return the rules of *root* in the order in which they are tried."""
    steps = (step for step in _steps(root) if not step.final)
    return [described(step, number) for number, step in enumerate(steps, 1)]


def described(step: _Step, number: int) -> Rule:
    """Return what a rule is, in words."""
    rule = step.rule
    host, pattern = _texts((*step.outer, rule.matcher))
    route = rule.route if isinstance(rule, SiteRule) else -1
    arguments = ", ".join(f"{key}={brief(value)}" for key, value in rule.target_kwargs.items())
    return Rule(number, route, host, pattern, name_of(rule.target), rule.name or "", arguments)


def _texts(matchers: Iterable[Matcher]) -> tuple[str, str]:
    """Return the host and the pattern that *matchers* ask for; both without their ``$``."""
    hosts, patterns = [], []
    for matcher in matchers:
        if isinstance(matcher, HostMatches):
            hosts.append(matcher.host_pattern.pattern.removesuffix("$"))
        elif isinstance(matcher, DefaultHostMatches):
            hosts.append("default_host")
        elif isinstance(matcher, PathMatches):
            patterns.append(matcher.regex.pattern.removesuffix("$"))
        elif not isinstance(matcher, AnyMatches):
            patterns.append(type(matcher).__name__)
    return " ".join(hosts), " ".join(patterns)


def _steps(root: Root, request: HTTPServerRequest | None = None) -> Iterator[_Step]:
    """Yield the rules at the ends of the routers of *root*, in order.

    With a *request*, `_Step.open` tells whether it gets as far.
    """
    application = root if isinstance(root, Application) else Application()
    router = root.default_router if isinstance(root, Application) else root
    yield from _walk(application, router, (), request is not None, request)


def _walk(
    application: Application,
    router: RuleRouter,
    outer: tuple[Matcher, ...],
    open_: bool,
    request: HTTPServerRequest | None,
) -> Iterator[_Step]:
    for rule in router.rules:
        inner = _inner(rule.target)
        if inner is None:
            yield _Step(application, router, rule, outer, open_, False)
            continue
        own = rule.target if isinstance(rule.target, Application) else application
        opens = open_ and request is not None and isinstance(_match(rule.matcher, request), dict)
        yield from _walk(own, inner, (*outer, rule.matcher), opens, request)
        if own is rule.target:
            yield _Step(own, router, rule, outer, opens, True)


def _inner(target: Any) -> RuleRouter | None:
    """Return the router with rules of its own that *target* is; None if it is none."""
    if isinstance(target, Application):
        return target.default_router
    plain = isinstance(target, RuleRouter)
    if plain and type(target).find_handler is RuleRouter.find_handler:
        return target  # type: ignore[no-any-return]
    return None


def _match(matcher: Matcher, request: HTTPServerRequest) -> Params | TooSlow | None:
    """Let *matcher* look at *request*, for a limited time."""
    try:
        with cpu_limit(MATCH_LIMIT_S):
            return matcher.match(request)
    except TooSlow as error:
        return error


def trial(root: Root, asked: Asked) -> Iterator[Tried | Answer]:
    """Yield every rule with what becomes of it when *asked* arrives, then the answer."""
    try:
        request = request_of(asked)
    except HTTPInputError as error:
        yield Answer(asked, 400, Words("400: {error}", {"error": error}))
        return
    answer: Answer | None = None
    numbers = itertools.count(1)
    for step in _steps(root, request):
        if step.final:
            if answer is None and step.open:
                answer = nobody(asked, request, step.application)
            continue
        rule = described(step, next(numbers))
        tried, params = _try(step, rule, request, answer is not None)
        if tried.outcome is Outcome.SLOW and answer is None:
            words = Words("503 once the watchdog has ended this: the pattern backtracks")
            answer = Answer(asked, 503, words, rule, rule.target)
        elif tried.outcome is Outcome.MATCH and params is not None:
            chosen = _chosen(step, params)
            answer = answer_of(asked, request, rule, tried.groups, chosen)
        yield tried
    application = root if isinstance(root, Application) else Application()
    yield answer or nobody(asked, request, application)


def _try(
    step: _Step, rule: Rule, request: HTTPServerRequest, taken: bool
) -> tuple[Tried, Params | None]:
    matcher = step.rule.matcher
    if not step.open:
        return Tried(rule, Outcome.LATER if taken else Outcome.OTHER_HOST), None
    found = _match(matcher, request)
    if isinstance(found, TooSlow):
        return Tried(rule, Outcome.SLOW), None
    if found is not None and _declines(step, request, found):
        found = None
    if found is not None:
        outcome = Outcome.HIDDEN if taken else Outcome.MATCH
        return Tried(rule, outcome, len(request.path), _groups(matcher, request, found)), found
    if taken:
        return Tried(rule, Outcome.LATER), None
    reached = _reached(matcher, request.path)
    near = reached > 1 and 2 * reached >= len(request.path)
    return Tried(rule, Outcome.NEAR if near else Outcome.NO, reached), None


def _reached(matcher: Matcher, path: str) -> int:
    """Return how far *path* fits; 0 where that takes long."""
    if isinstance(matcher, PathMatches):
        with contextlib.suppress(TooSlow), cpu_limit(MATCH_LIMIT_S):
            return furthest(matcher.regex, path)
    return 0


def _declines(step: _Step, request: HTTPServerRequest, params: Params | TooSlow) -> bool:
    """Tell whether a router of the program's own, which matched, leads nowhere."""
    if isinstance(params, TooSlow):
        return False
    target = step.rule.target
    if isinstance(target, Router):
        try:
            return target.find_handler(request, **params) is None
        except Exception:
            return False
    return not (callable(target) or hasattr(target, "start_request"))


def _groups(matcher: Matcher, request: HTTPServerRequest, params: Params) -> tuple[Group, ...]:
    """Return what the groups of a pattern that matches caught, decoded as Tornado decodes it."""
    if not isinstance(matcher, PathMatches) or not matcher.regex.groups:
        return ()
    match = matcher.regex.match(request.path)
    assert match is not None
    names = {at: name for name, at in matcher.regex.groupindex.items()}
    return tuple(
        Group(names.get(at, str(at)), *match.span(at), _text(value))
        for at, value in enumerate(
            [params["path_kwargs"][names[at]] for at in sorted(names)] or params["path_args"], 1
        )
    )


def _text(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _chosen(step: _Step, params: Params) -> Chosen:
    rule = step.rule
    named = params.get("path_kwargs", {})
    return Chosen(step.application, rule.target, rule.target_kwargs, named, rule.matcher.reverse)


# Recorded requests


def moved(root: Root, requests: Iterable[Request]) -> Iterator[Moved | None]:
    """Yield for each of *requests* where it would go now, None for those that go where they went.

    The same path on the same host is looked for once. A route that was only edited is no other
    place, as long as its handler answers.
    """
    known = {_texts_of(rule) for rule in rules_of(root)}
    found: dict[tuple[str, str], Place] = {}
    for request in requests:
        host = dict(pairs(request.request_head)).get("Host", "")
        question = Asked(request.method, host, request.uri)
        key = (host, question.path)
        if key not in found:
            found[key] = _place(root, question)
        was, now = (request.handler or "", request.route), found[key]
        same = f".{now[0]}".endswith(f".{was[0]}")
        if not was[0] or (same and (was[1] == now[1] or was[1] not in known)):
            yield None
        else:
            yield Moved(request.id, request.method, question.path, was, now)


Place = tuple[str, str | None]
"""A handler and a route, as a recording names them."""


def _texts_of(rule: Rule) -> str:
    return rule.host + rule.pattern


def _place(root: Root, question: Asked) -> Place:
    """Return where *question* goes."""
    try:
        request = request_of(question)
    except HTTPInputError:
        return "", None
    for step in _steps(root, request):
        if not step.open:
            continue
        if step.final:
            return nobody(question, request, step.application).target, None
        params = _match(step.rule.matcher, request)
        if params is not None and not _declines(step, request, params):
            return name_of(step.rule.target), _texts_of(described(step, 0))
    application = root if isinstance(root, Application) else Application()
    return nobody(question, request, application).target, None
