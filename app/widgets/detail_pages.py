"""Where the time of the selected request went."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from app.recording import phases
from app.recording.events import Request
from app.recording.phases import Phase
from app.recording.store import Store

from .i18n import tr
from .scrolled import Scrolled
from .theme import Theme
from .words import duration

WORDS = {
    phases.RECEIVED: ("Received", "its body was on the way"),
    phases.WAITING: ("Waiting", "{count} waits of its handler"),
    phases.RUNNING: ("Running", "{count} runs of its own"),
    phases.BLOCKED: ("Blocked by others", "the loop ran others meanwhile"),
    phases.SENDING: ("Sending the answer", "from finish() until all was handed over"),
    phases.REST: ("The rest", "the loop had nothing of it to run"),
}


class PhaseBar(QWidget):
    """All phases side by side, as long as they lasted."""

    def __init__(self, theme: Theme, request_id: int, shown: list[Phase]) -> None:
        super().__init__()
        self._theme = theme
        self._request_id = request_id
        self._shown = shown
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Timing"))

    def sizeHint(self) -> QSize:
        return QSize(100, self._theme.px(18))

    def paintEvent(self, event: QPaintEvent) -> None:
        whole = sum(phase.time_ns for phase in self._shown) or 1
        with QPainter(self) as p:
            p.fillRect(self.rect(), self._theme.colours.raised)
            begun = 0
            for phase in self._shown:
                left = round(begun / whole * self.width())
                begun += phase.time_ns
                right = round(begun / whole * self.width())
                for brush in brushes(self._theme, self._request_id, phase.name):
                    p.fillRect(left, 0, right - left, self.height(), brush)


class Swatch(QWidget):
    """How a phase is painted."""

    def __init__(self, theme: Theme, request_id: int, name: str) -> None:
        super().__init__()
        self._painted = (theme, request_id, name)
        self.setFixedSize(theme.px(12), theme.px(12))

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as p:
            for brush in brushes(*self._painted):
                p.fillRect(self.rect(), brush)


def brushes(theme: Theme, request_id: int, name: str) -> list[QBrush]:
    """Return what a phase is painted with, one over the other: as on the timeline."""
    hue, colours = theme.hue(request_id), theme.colours
    if name == phases.WAITING:
        pale = QColor(hue)
        pale.setAlpha(60)
        return [QBrush(pale), QBrush(hue, Qt.BrushStyle.BDiagPattern)]
    plain = {
        phases.RUNNING: hue,
        phases.BLOCKED: colours.error,
        phases.RECEIVED: colours.accent,
        phases.SENDING: colours.ok,
    }
    return [QBrush(plain.get(name, colours.line))]


class TimingPage(Scrolled):
    """Where a request's time went: received, waiting, running, blocked by others, sending."""

    def __init__(self, store: Store, theme: Theme) -> None:
        super().__init__(theme)
        self._store = store

    def show_request(self, request: Request) -> None:
        """Show a request as it stands."""
        shown = phases.phases(self._store, request, self._store.end_ns)
        whole = sum(phase.time_ns for phase in shown)
        layout = self.start_page()
        layout.addWidget(self.text(duration(whole), "verdict"))
        layout.addWidget(PhaseBar(self._theme, request.id, shown))
        layout.addSpacing(4)
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(9)
        for at, phase in enumerate(shown):
            name, note = WORDS[phase.name]
            top = Qt.AlignmentFlag.AlignTop
            swatch = Swatch(self._theme, request.id, phase.name)
            grid.addWidget(swatch, at, 0, Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(self.text(tr(name)), at, 1, top)
            number = self.text(duration(phase.time_ns) if phase.time_ns else "—")
            number.setProperty("mono", True)
            number.setWordWrap(False)
            grid.addWidget(number, at, 2, top)
            share = f"{phase.time_ns / whole:.0%}" if whole else "—"
            said = tr(note, count=phase.parts) if "{count}" in note else tr(note)
            grid.addWidget(self.text(f"{share} · {said}", "dim"), at, 3)
        grid.setColumnStretch(3, 1)
        layout.addLayout(grid)
        self.end_page(layout)
