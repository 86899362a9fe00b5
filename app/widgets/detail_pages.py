"""Pages of the selected request: its cookies, its XSRF check, where its time went."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QGridLayout,
    QHeaderView,
    QLabel,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.recording.events import Request, Row, Run, Wait
from app.recording.headers import cookies

from .i18n import tr
from .parts import label
from .request_columns import XSRF_WORDS, xsrf_passed
from .theme import Theme
from .words import duration

_RUNG = re.compile(r"(passed|failed|not reached): ([\w ]+?) —\s*(.*)")
_MARKS = {"passed": ("✓", "ok"), "failed": ("✗", "error"), "not reached": ("–", "faint")}


class CookiesPage(QTableWidget):
    """The cookies that came with a request (←) and those its response set (→)."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(0, 3)
        self._theme = theme
        self.setShowGrid(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.verticalHeader().hide()
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.horizontalHeader().setHighlightSections(False)

    def show_request(self, request: Request) -> None:
        """Show a request's cookies."""
        found = cookies(request.request_head, request.response_head)
        self.setHorizontalHeaderLabels([tr("Name"), tr("Value"), tr("Attributes")])
        self.setRowCount(len(found))
        mono = self._theme.font(mono=True)
        for at, cookie in enumerate(found):
            arrow = "←" if cookie.direction == "in" else "→"
            for column, text in enumerate(
                (f"{arrow} {cookie.name}", cookie.value, cookie.attributes or "—")
            ):
                item = QTableWidgetItem(text)
                item.setFont(mono)
                item.setToolTip(text)
                item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
                if column == 2:
                    item.setForeground(self._theme.colours.dim)
                self.setItem(at, column, item)
        self.setColumnWidth(0, self._theme.px(90))
        self.setColumnWidth(1, self._theme.px(150))


class _Scrolled(QScrollArea):
    """A page that scrolls; subclasses fill `grid`."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._page = QWidget()

    def _start_page(self) -> QVBoxLayout:
        self._page = QWidget()
        self._page.setObjectName("scrolled")
        layout = QVBoxLayout(self._page)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(7)
        return layout

    def _end_page(self, layout: QVBoxLayout) -> None:
        layout.addStretch(1)
        self.setWidget(self._page)

    def _text(self, text: str, role: str = "", token: str = "") -> QLabel:
        result = label(text, role)
        result.setWordWrap(True)
        result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        if token:
            result.setStyleSheet(f"color: {self._theme.colour(token).name()}")
        return result


class XsrfPage(_Scrolled):
    """What the XSRF check decided, why, and what would repair it."""

    def show_checks(self, checks: list[Row]) -> None:
        """Show the rows of `Store.xsrf` for one request."""
        layout = self._start_page()
        if not checks:
            layout.addWidget(self._text(tr("Not checked"), "verdict"))
            layout.addWidget(
                self._text(
                    tr(
                        "Tornado checks the token of requests other than GET, HEAD and OPTIONS, "
                        "when the setting xsrf_cookies is on."
                    ),
                    "dim",
                )
            )
        for _, verdict, detail in checks:
            self._add_check(layout, verdict, detail)
        self._end_page(layout)

    def _add_check(self, layout: QVBoxLayout, verdict: str, detail: str) -> None:
        passed = xsrf_passed(verdict)
        head = tr("Passed") if passed else tr("Refused with 403")
        words = tr(XSRF_WORDS.get(verdict, verdict))
        mark, token = _MARKS["passed" if passed else "failed"]
        layout.addWidget(self._text(f"{mark} {head} · {words}", "verdict", token))
        plain: list[str] = []
        rungs: list[tuple[str, str, str]] = []
        for line in detail.splitlines():
            found = _RUNG.fullmatch(line.strip())
            if found:
                rungs.append((found[1], found[2], found[3]))
            else:
                plain.append(line)
        if plain:
            layout.addWidget(self._text(tr(plain[0]), "dim"))
        layout.addSpacing(4)
        for state, name, seen in rungs:
            layout.addLayout(self._rung(state, name, seen))
        if plain[1:] and not passed:
            layout.addSpacing(6)
            layout.addWidget(self._repair(" ".join(tr(line) for line in plain[1:])))

    def _rung(self, state: str, name: str, seen: str) -> QGridLayout:
        mark, token = _MARKS[state]
        row = QGridLayout()
        row.setHorizontalSpacing(8)
        row.addWidget(self._text(mark, token=token), 0, 0, Qt.AlignmentFlag.AlignTop)
        words = f"{tr(name)}: {tr(seen) if seen else tr(state)}"
        colour = "faint" if state == "not reached" else "text"
        row.addWidget(self._text(words, token=colour), 0, 1)
        row.setColumnStretch(1, 1)
        return row

    def _repair(self, text: str) -> QFrame:
        box = QFrame()
        box.setObjectName("repair")
        layout = QVBoxLayout(box)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.addWidget(self._text(tr("Repair"), "head"))
        layout.addWidget(self._text(text))
        return box


class TimingPage(_Scrolled):
    """Where a request's time went: running, waiting, or ready while others ran."""

    def show_request(self, request: Request, runs: list[Run], waits: list[Wait], now: int) -> None:
        """Show a request as of *now*, a time on the recorder's clock."""
        end = request.end_ns if request.end_ns is not None else max(now, request.start_ns)
        whole = end - request.start_ns
        running = sum(max(0, min(run.end_ns, end) - run.start_ns) for run in runs)
        waiting = _covered(
            [(w.start_ns, end if w.end_ns is None else min(w.end_ns, end)) for w in waits]
        )
        rest = max(0, whole - running - waiting)
        layout = self._start_page()
        layout.addWidget(self._text(duration(whole), "verdict"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(9)
        rows = (
            (tr("Running"), running, tr("{count} runs", count=len(runs))),
            (tr("Waiting"), waiting, tr("{count} waits", count=len(waits))),
            (tr("Neither"), rest, tr("the loop ran others, or the network was slow")),
        )
        for at, (name, time_ns, note) in enumerate(rows):
            share = f"{time_ns / whole:.0%}" if whole else "—"
            grid.addWidget(self._text(name), at, 0, Qt.AlignmentFlag.AlignTop)
            number = self._text(f"{duration(time_ns)}")
            number.setProperty("mono", True)
            grid.addWidget(number, at, 1, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self._text(f"{share} · {note}", "dim"), at, 2)
        grid.setColumnStretch(2, 1)
        layout.addLayout(grid)
        self._end_page(layout)


def _covered(spans: list[tuple[int, int]]) -> int:
    """Return how much time *spans* cover together."""
    total, until = 0, 0
    for start, end in sorted(spans):
        start = max(start, until)
        if end > start:
            total += end - start
            until = end
    return total
