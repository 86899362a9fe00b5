"""The XSRF check of one request: verdict, repair, ladder, and both tokens unmasked."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout

from app.recording.events import Row
from app.server.xsrf import Source, Verdict
from app.server.xsrf_detail import verdict_of

from .i18n import tr
from .ladder_view import LadderView, said
from .parts import ElidedLabel, label
from .request_columns import XSRF_WORDS, xsrf_passed
from .scrolled import Scrolled
from .xor_view import Side, XorView

NOT_CHECKED = (
    "Tornado checks the token of requests other than GET, HEAD and OPTIONS, "
    "when the setting xsrf_cookies is on."
)


class XsrfPage(Scrolled):
    """What the XSRF check decided, why, and what would repair it."""

    def show_checks(self, checks: list[Row]) -> None:
        """Show the rows of `Store.xsrf` of a request."""
        layout = self.start_page()
        if not checks:
            layout.addWidget(self.text(tr("Not checked"), "verdict"))
            layout.addWidget(self.text(tr(NOT_CHECKED), "dim"))
        for _, code, detail in checks:
            self._add_check(layout, code, detail)
        self.end_page(layout)

    def _add_check(self, layout: QVBoxLayout, code: str, detail: str) -> None:
        verdict = verdict_of(detail)
        own = code == "overridden"
        passed = verdict.passed != own if own and verdict else xsrf_passed(code)
        self._add_head(layout, code, passed=passed)
        if verdict is None:
            layout.addWidget(self.text(detail, "dim"))
            return
        if own:
            note = "The handler overrides check_xsrf_cookie. Tornado's own would have said:"
            layout.addWidget(self.text(tr(note), "dim"))
        self._add_verdict(layout, verdict)

    def _add_head(self, layout: QVBoxLayout, code: str, *, passed: bool) -> None:
        head = tr("Passed") if passed else tr("Refused with 403")
        mark, token = ("✓", "ok") if passed else ("✗", "error")
        words = "" if code == "passed" else f" · {tr(XSRF_WORDS.get(code, code))}"
        layout.addWidget(self.text(f"{mark} {head}{words}", "verdict", token))

    def _add_verdict(self, layout: QVBoxLayout, verdict: Verdict) -> None:
        layout.addWidget(self.text(said(verdict.sentence)))
        if verdict.repair.text:
            layout.addWidget(self._repair(said(verdict.repair), verdict.passed))
        ladder = LadderView(self._theme)
        ladder.show_rungs(verdict.rungs)
        layout.addSpacing(4)
        layout.addWidget(ladder)
        layout.addSpacing(4)
        if sum(bool(source.text) for source in verdict.sources) > 1:
            self._add_sources(layout, verdict)
        self._add_bytes(layout, verdict)
        if verdict.message:
            layout.addWidget(
                self.text(tr("Tornado logs: {message}", message=verdict.message), "small")
            )

    def _repair(self, text: str, passed: bool) -> QFrame:
        box = QFrame()
        box.setObjectName("repair")
        layout = QVBoxLayout(box)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.addWidget(self.text(tr("Better") if passed else tr("Repair"), "head"))
        layout.addWidget(self.text(text))
        return box

    def _add_sources(self, layout: QVBoxLayout, verdict: Verdict) -> None:
        layout.addWidget(label(tr("Where a token was looked for"), "head"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(2, 1)
        for at, source in enumerate(verdict.sources):
            mark, token = _look(source)
            grid.addWidget(self.text(mark, token=token), at, 0)
            name = label(source.name)
            name.setProperty("mono", True)
            grid.addWidget(name, at, 1)
            found = ElidedLabel(source.text or tr("nothing"))
            found.setProperty("mono", bool(source.text))
            found.setStyleSheet(f"color: {self._theme.colour(token).name()}")
            grid.addWidget(found, at, 2)
        layout.addLayout(grid)
        layout.addSpacing(6)

    def _add_bytes(self, layout: QVBoxLayout, verdict: Verdict) -> None:
        if verdict.token is None and verdict.cookie is None:
            return
        chosen = next((source.name for source in verdict.sources if source.chosen), "")
        view = XorView(self._theme)
        view.show_sides(
            Side(tr("Sent: {source}", source=chosen) if chosen else tr("Sent"), verdict.token),
            Side(tr("Cookie"), verdict.cookie),
        )
        layout.addWidget(view)


def _look(source: Source) -> tuple[str, str]:
    """Return the mark and the colour of a source: chosen, beaten by an earlier one, or empty."""
    if source.chosen:
        return "▸", "accent"
    return ("✗", "dim") if source.text else ("–", "faint")
