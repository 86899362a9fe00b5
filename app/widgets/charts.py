"""The charts of the last minute: requests, loop lag, busy share and the observer's cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QWidget

from .accounting import SECONDS, Accounting, Second
from .chart_plots import Bars, Legend, Plot, Range
from .figures import BUSY, LOOP, OBSERVER, RECORDING, percent
from .i18n import tr
from .parts import label
from .theme import SMALL, Theme
from .words import duration

_CELL, _ROW, _WORDS = 300, 84, 158
"""The least width and the height of a chart, and the width of its words, in unzoomed pixels."""


class Chart(NamedTuple):
    """One chart: its English title, the figure beside it, what explains it, and the plot."""

    title: str
    figure: Callable[[Second], str]
    legend: Callable[[Second], list[Legend]]
    plot: Plot


def _lag_figure(second: Second) -> str:
    return "—" if second.lag is None else duration(second.lag.p99_ns)


def _lag_legend(second: Second) -> list[Legend]:
    values = ["—"] * 3 if second.lag is None else [duration(ns) for ns in second.lag]
    names = ("median", "p99", "longest")
    return [Legend(tr(n), v, hue) for n, v, hue in zip(names, values, Range.HUES, strict=True)]


def _shares(parts: tuple[tuple[str, str, int], ...]) -> Callable[[Second], list[Legend]]:
    def legend(second: Second) -> list[Legend]:
        return [
            Legend(tr(name), percent(getattr(second, field), 1), hue) for field, name, hue in parts
        ]

    return legend


_BUSY, _OBSERVER = (*BUSY, LOOP), (*OBSERVER, RECORDING)
CHARTS = (
    Chart(
        "requests/s",
        lambda second: f"{second.requests:,.0f}",
        lambda second: [],
        Bars([("requests", 1)], least=10, show=lambda value: f"{value:,.0f}"),
    ),
    Chart("loop lag, p99", _lag_figure, _lag_legend, Range()),
    Chart(
        "loop busy",
        lambda second: percent(second.busy, 1),
        _shares(_BUSY),
        Bars([(field, hue) for field, _, hue in _BUSY], least=1, most=1, show=percent),
    ),
    Chart(
        "observer",
        lambda second: percent(second.observer, 1),
        _shares(_OBSERVER),
        Bars([(field, hue) for field, _, hue in _OBSERVER], least=0.05, show=percent),
    ),
)


class ChartsPanel(QWidget):
    """Shows an accounting's seconds side by side; the one under the mouse in figures.

    The arrow keys go from second to second. It draws anew when a second is over, not in between.
    *wall_time* turns a time of the accounting into seconds since the epoch.
    """

    def __init__(
        self, accounting: Accounting, wall_time: Callable[[int], float], theme: Theme
    ) -> None:
        super().__init__()
        self._accounting = accounting
        self._wall_time = wall_time
        self._theme = theme
        self._charts = CHARTS if accounting.live else CHARTS[:-1]
        self._shown_ns = -1
        self._chosen_ns: int | None = None
        """When the second ends whose figures are shown; None for the last one's."""
        self.note = label()
        """Until when the charts reach, or which second the figures are of; it is put into the
        card's head."""
        self.note.setObjectName("cardNote")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.retranslate()

    def _restyle(self) -> None:
        px = self._theme.px
        self.setMinimumSize(px(160), px(2 * _ROW + 20))
        self.updateGeometry()
        self.update()

    # -- What is shown ---------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the seconds that have ended since; cheap when there is none."""
        if self._accounting.end_ns != self._shown_ns:
            self._shown_ns = self._accounting.end_ns
            self._say()
            self.update()

    def retranslate(self) -> None:
        """Set all texts again in the chosen language."""
        self.setAccessibleName(tr("Charts"))
        self._say()
        self.update()

    @property
    def chosen(self) -> int | None:
        """How many seconds back the chosen one is: 0 for the last; None when none is."""
        if self._chosen_ns is None:
            return None
        back = self._accounting.back(self._chosen_ns)
        return back if 0 <= back < len(self._accounting.seconds) else None

    def choose(self, back: int | None) -> None:
        """Show the figures of the second that is so many back, or again of the last."""
        count = len(self._accounting.seconds)
        if back is None or not count:
            self._chosen_ns = None
        else:
            self._chosen_ns = self._accounting.end_of(min(max(back, 0), count - 1))
        self._say()
        self.update()

    @property
    def second(self) -> Second:
        """The second whose figures are shown."""
        seconds = self._accounting.seconds
        return seconds[-1 - (self.chosen or 0)] if seconds else Second()

    def words(self) -> list[str]:
        """Return the figures that are shown, chart by chart."""
        second = self.second
        return [
            ": ".join((tr(chart.title), chart.figure(second)))
            + "".join(f"; {item.name} {item.value}" for item in chart.legend(second))
            for chart in self._charts
        ]

    def _say(self) -> None:
        back, note = self.chosen, ""
        if back is None and self._accounting.seconds:  # While nothing happens, time goes on.
            ended = time.localtime(self._wall_time(self._accounting.end_ns))
            note = tr(
                "{count} s until {time}", count=SECONDS, time=time.strftime("%H:%M:%S", ended)
            )
        elif back is not None:
            start = self._accounting.second_start(back)
            note = tr("second {start} to {end}", start=f"{start:.0f}", end=f"{start + 1:.0f}")
        self.note.setText(note)
        self.setAccessibleDescription(". ".join(self.words()))

    # -- Painting --------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        self.refresh()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(2 * _CELL + 44), self._theme.px(2 * _ROW + 20))

    def _areas(self) -> list[QRect]:
        """Return where the charts stand: in a row, two by two, or one below the other."""
        px, count = self._theme.px, len(self._charts)
        columns = min(count, max(1, self.width() // px(_CELL)))
        columns = 2 if columns == 3 == count - 1 else columns
        rows, gap = -(-count // columns), px(22)
        width = (self.width() - px(26) - (columns - 1) * gap) // columns
        height = (self.height() - px(8) - (rows - 1) * px(12)) // rows
        return [
            QRect(
                px(13) + (n % columns) * (width + gap),
                px(4) + (n // columns) * (height + px(12)),
                width,
                height,
            )
            for n in range(count)
        ]

    def _plot_of(self, area: QRect) -> QRect:
        return area.adjusted(min(self._theme.px(_WORDS), area.width() // 2), 0, 0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._shown_ns = self._accounting.end_ns
        with QPainter(self) as p:
            p.fillRect(event.rect(), self._theme.colours.panel)
            for chart, area in zip(self._charts, self._areas(), strict=True):
                plot = self._plot_of(area)
                chart.plot.paint(p, plot, self._theme, self._accounting.seconds, self.chosen)
                area.setRight(plot.left() - self._theme.px(12))
                self._paint_words(p, chart, area)

    def _paint_words(self, p: QPainter, chart: Chart, area: QRect) -> None:
        theme, colours, px = self._theme, self._theme.colours, self._theme.px
        row = QRect(area.left(), area.top(), area.width(), px(20))
        figure = chart.figure(self.second) if self._accounting.seconds else "—"
        _paint_pair(
            *(p, row, tr(chart.title), theme.font(12.5), colours.dim),
            *(figure, theme.font(bold=True), colours.text),
        )
        row = QRect(area.left(), row.bottom() + 1, area.width(), px(16))
        small = theme.font(SMALL)
        for item in chart.legend(self.second):
            if row.bottom() > area.bottom():
                break
            p.fillRect(row.left(), row.center().y() - px(3), px(7), px(7), item.colour(theme))
            place = row.adjusted(px(12), 0, 0, 0)
            _paint_pair(p, place, item.name, small, colours.dim, item.value, small, colours.text)
            row.translate(0, row.height())

    # -- Looking at one second ---------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        plots = map(self._plot_of, self._areas())
        area = next((plot for plot in plots if plot.contains(point)), None)
        if area is None:
            self.choose(None)
            return
        back = SECONDS - 1 - int((point.x() - area.left()) * SECONDS / area.width())
        self.choose(back if back < len(self._accounting.seconds) else None)

    def leaveEvent(self, event: QEvent) -> None:
        self.choose(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        back, key = self.chosen, event.key()
        if key == Qt.Key.Key_Left:
            self.choose(0 if back is None else back + 1)
        elif key == Qt.Key.Key_Right:
            self.choose(None if not back else back - 1)
        elif key == Qt.Key.Key_Home:
            self.choose(SECONDS)
        elif key in (Qt.Key.Key_End, Qt.Key.Key_Escape):
            self.choose(None)
        else:
            super().keyPressEvent(event)


def _paint_pair(
    p: QPainter,
    place: QRect,
    name: str,
    name_font: QFont,
    name_colour: QColor,
    value: str,
    value_font: QFont,
    value_colour: QColor,
) -> None:
    """Paint a name at the left, as much as fits, and its value at the right."""
    middle = Qt.AlignmentFlag.AlignVCenter
    p.setFont(value_font)
    p.setPen(value_colour)
    p.drawText(place, Qt.AlignmentFlag.AlignRight | middle, value)
    room = place.width() - QFontMetrics(value_font).horizontalAdvance(value + " ")
    p.setFont(name_font)
    p.setPen(name_colour)
    shown = QFontMetrics(name_font).elidedText(name, Qt.TextElideMode.ElideRight, room)
    p.drawText(place, Qt.AlignmentFlag.AlignLeft | middle, shown)
