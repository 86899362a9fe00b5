"""Which rules were tried for a request, and why each did or did not match."""

from __future__ import annotations

import time
from itertools import takewhile

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout

from app.recording.events import Request
from app.recording.headers import value_of
from app.server.trial import Answer, Asked, Outcome, Tried

from .i18n import tr
from .ladder_view import said
from .parts import ElidedLabel
from .routing_controls import RoutingControls
from .scrolled import Scrolled
from .theme import Theme

MOST = 200
"""How many rules are shown, at most."""
LONGEST_S = 0.05
"""How long rules are tried, in s."""
LOOKS = {
    Outcome.MATCH: ("✓", "ok", "matches"),
    Outcome.NEAR: ("≈", "warn", "near miss"),
    Outcome.NO: ("✗", "dim", "does not match"),
    Outcome.OTHER_HOST: ("✗", "dim", "other host"),
    Outcome.SLOW: ("✗", "error", "too slow"),
    Outcome.HIDDEN: ("–", "warn", "would match too"),
    Outcome.LATER: ("–", "faint", "not tried"),
    Outcome.BROKEN: ("✗", "error", "cannot be served"),
    Outcome.OFF: ("–", "faint", "disabled"),
}
NOW = (
    "The rules are those that are served now. When this request came, it went elsewhere: "
    "the routes were changed since."
)


def trial_of(routing: RoutingControls, request: Request) -> list[Tried | Answer]:
    """Try the rules that are served now on *request*; nothing is sent.

    The answer comes last; without one there was no time for all rules.
    """
    rules = routing.served()
    if rules is None:
        return []
    host = value_of(request.request_head, "Host") or ""
    trial = rules.trial(Asked(request.method, host, request.uri))
    until = time.perf_counter() + LONGEST_S
    return list(takewhile(lambda _: time.perf_counter() < until, trial))


def taken(found: list[Tried | Answer]) -> str | None:
    """Return the rule that took the request, as a recording names it."""
    tried = (each for each in found if isinstance(each, Tried))
    rule = next((each.rule for each in tried if each.outcome is Outcome.MATCH), None)
    return None if rule is None else rule.host + rule.pattern


def arguments_of(routing: RoutingControls, request: Request) -> dict[str, str]:
    """Return with which arguments the methods of its handler were called; without any, nothing.

    They follow from the rule that took it, if that is still the one.
    """
    found = trial_of(routing, request) if request.route else []
    if not found or not isinstance(found[-1], Answer) or taken(found) != request.route:
        return {}
    calls = {request.method.lower(): found[-1].arguments, "initialize": found[-1].initialize}
    return {
        method: ", ".join(f"{each.name}={each.value}" for each in arguments)
        for method, arguments in calls.items()
        if arguments
    }


class RoutePage(Scrolled):
    """The request's way through the rules, in the order in which Tornado tries them."""

    def __init__(self, routing: RoutingControls, theme: Theme) -> None:
        super().__init__(theme)
        self._routing = routing

    def show_request(self, request: Request) -> None:
        """Try the rules that are served now on *request*; nothing is sent."""
        layout = self.start_page()
        layout.addWidget(self.text(request.handler or tr("No handler"), "verdict"))
        went = request.route or tr("No rule matched: the default handler answered.")
        pattern = self.text(went, "" if request.route else "dim")
        pattern.setProperty("mono", request.route is not None)
        layout.addWidget(pattern)
        if self._routing.served() is None:
            layout.addWidget(self.text(tr("Its rules cannot be looked into."), "dim"))
        elif not value_of(request.request_head, "Host") and not request.handler:
            layout.addWidget(self.text(tr("It was refused before any rule was tried."), "dim"))
        else:
            self._add_trial(layout, request, trial_of(self._routing, request))
        self.end_page(layout)

    def _add_trial(
        self, layout: QVBoxLayout, request: Request, found: list[Tried | Answer]
    ) -> None:
        """Show what was *found*; without an answer at the end there was no time for the rest."""
        tried = [each for each in found if isinstance(each, Tried)]
        answer = next((each for each in found if isinstance(each, Answer)), None)
        if answer is not None and taken(found) != request.route:
            layout.addWidget(self.text(tr(NOW), "small", "warn"))
        if answer is not None and answer.words.text:
            layout.addWidget(self.text(said(answer.words), "dim"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for at, each in enumerate(tried[:MOST]):
            self._add_rule(grid, 2 * at, each, request.uri.partition("?")[0])
        layout.addLayout(grid)
        if len(tried) > MOST or answer is None:
            layout.addWidget(self.text(tr("There are more rules than are shown."), "dim"))

    def _add_rule(self, grid: QGridLayout, at: int, tried: Tried, path: str) -> None:
        mark, token, words = LOOKS[tried.outcome]
        grid.addWidget(self.text(mark, token=token), at, 0, Qt.AlignmentFlag.AlignTop)
        rule = ElidedLabel(f"{tried.rule.host}{tried.rule.pattern}")
        rule.setProperty("mono", True)
        if token != "ok":
            rule.setStyleSheet(f"color: {self._theme.colour(token).name()}")
        grid.addWidget(rule, at, 1)
        grid.addWidget(self.text(tr(words), "small", token), at, 2)
        more = _more(tried, path)
        if more:
            note = self.text(more, "small")
            note.setProperty("mono", True)
            grid.addWidget(note, at + 1, 1, 1, 2)


def _more(tried: Tried, path: str) -> str:
    """Return what else there is to say of a rule: what it caught, or how far it got."""
    lines = []
    if tried.outcome is Outcome.MATCH:
        lines.append(f"→ {tried.rule.target}")
        lines += [f"{group.name} = {group.value!r}" for group in tried.groups]
    elif tried.outcome is Outcome.NEAR:
        lines.append(f"{path[: tried.reached]}│{path[tried.reached :]}"[:120])
    if tried.words.text:
        lines.append(said(tried.words))
    return "\n".join(lines)
