"""Pages of the selected request: its cookies, and where its time went."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
)

from app.recording.events import Request, Run, Wait
from app.recording.headers import cookies

from .i18n import tr
from .scrolled import Scrolled
from .theme import Theme
from .words import duration


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


class TimingPage(Scrolled):
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
        layout = self.start_page()
        layout.addWidget(self.text(duration(whole), "verdict"))
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
            grid.addWidget(self.text(name), at, 0, Qt.AlignmentFlag.AlignTop)
            number = self.text(f"{duration(time_ns)}")
            number.setProperty("mono", True)
            grid.addWidget(number, at, 1, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self.text(f"{share} · {note}", "dim"), at, 2)
        grid.setColumnStretch(2, 1)
        layout.addLayout(grid)
        self.end_page(layout)


def _covered(spans: list[tuple[int, int]]) -> int:
    """Return how much time *spans* cover together."""
    total, until = 0, 0
    for start, end in sorted(spans):
        start = max(start, until)
        if end > start:
            total += end - start
            until = end
    return total
