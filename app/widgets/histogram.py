"""A histogram of latencies, on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from .i18n import tr
from .theme import SMALL, Theme
from .words import duration

PER_DECADE = 12
"""Bars in each power of ten."""


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that *share* of the *ordered* values do not exceed (nearest rank)."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


class Histogram(QWidget):
    """How many of a burst's answers took how long, with median, p99 and longest in words."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._ordered: list[float] = []
        self._hue = 1
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self.setMinimumSize(self._theme.px(160), self._theme.px(100))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(320), self._theme.px(150))

    def show_latencies(self, latencies: Sequence[float], hue: int) -> None:
        """Show latencies in seconds, in the hue of who was answered."""
        if len(latencies) != len(self._ordered) or hue != self._hue:
            self._ordered, self._hue = sorted(latencies), hue
            words = self.words()
            self.setToolTip(words)
            self.setAccessibleName(f"{tr('Latencies')}: {words}")
            self.update()

    def words(self) -> str:
        """Return the figures."""
        values = self._ordered
        if not values:
            return "—"
        figures = (
            ("median", percentile(values, 0.5)),
            ("p90", percentile(values, 0.9)),
            ("p99", percentile(values, 0.99)),
            ("longest", values[-1]),
        )
        return " · ".join(f"{tr(name)} {duration(round(s * 1e9))}" for name, s in figures)

    def bars(self) -> tuple[int, list[int]]:
        """Return the number of the first bar and the counts; bar n begins at 10^(n/12) s."""
        if not self._ordered:
            return 0, []
        places = [floor(log10(max(value, 1e-6)) * PER_DECADE) for value in self._ordered]
        first, last = places[0] - 1, places[-1] + 1
        counts = [0] * (last - first + 1)
        for place in places:
            counts[place - first] += 1
        return first, counts

    def marks(self) -> list[tuple[float, str]]:
        """Return the durations below the bars, each after its place as a share of the width."""
        first, counts = self.bars()
        middle = [len(counts) // 2] if self.width() > self._theme.px(240) else []
        edges = (0, *middle, len(counts)) if counts else ()
        return [
            (at / len(counts), duration(round(10 ** ((first + at) / PER_DECADE) * 1e9)))
            for at in edges
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as p:
            self._paint(p)

    def _paint(self, p: QPainter) -> None:
        theme = self._theme
        p.setFont(theme.font(SMALL))
        high = QFontMetrics(p.font()).height()
        p.setPen(theme.colours.dim)
        how = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
        words = p.boundingRect(self.rect(), int(how), self.words())
        p.drawText(words, int(how), self.words())
        _, counts = self.bars()
        if not counts:
            return
        top, bottom = words.height() + theme.px(8), self.height() - high - theme.px(4)
        wide = self.width() / len(counts)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        for at, count in enumerate(counts):
            tall = count / max(counts) * (bottom - top)
            bar = QRectF(at * wide + 1, bottom - tall, max(1.0, wide - 2), tall)
            p.fillRect(bar, theme.hue(self._hue))
        p.fillRect(0, bottom, self.width(), 1, theme.colours.line)
        for share, text in self.marks():
            place = QRectF(
                0, bottom + theme.px(3), p.fontMetrics().horizontalAdvance(text) + 2, high
            )
            place.moveLeft(share * self.width() - place.width() / 2)
            place.moveLeft(min(max(place.left(), 0), self.width() - place.width()))
            p.drawText(place, int(Qt.AlignmentFlag.AlignHCenter), text)
