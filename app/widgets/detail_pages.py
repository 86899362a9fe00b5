"""Where the time of the selected request went."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QGridLayout,
)

from app.recording.events import Request, Run, Wait

from .i18n import tr
from .scrolled import Scrolled
from .words import duration


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
