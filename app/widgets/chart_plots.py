"""The plots of the charts: stacked bars, and a range on a logarithmic scale; a bar a second."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter

from .accounting import SECONDS, Second
from .figures import part_colour
from .theme import Theme
from .timeline_ink import mix
from .words import duration


class Legend(NamedTuple):
    """One part of a figure: its name and value in words, and its hue."""

    name: str
    value: str
    hue: int

    def colour(self, theme: Theme) -> QColor:
        """Return the colour of the part."""
        return part_colour(theme, self.hue)


class Plot(Protocol):
    """What paints seconds, the newest at the right."""

    def paint(
        self,
        p: QPainter,
        area: QRect,
        theme: Theme,
        seconds: Sequence[Second],
        chosen: int | None,
    ) -> None:
        """Paint *seconds* into *area*; the one that is *chosen* back from the last is marked."""


class Bars:
    """Stacked bars from zero: *parts* are fields of a `Second` with their hues.

    The scale reaches from *least* to *most*, as the seconds want it; *show* puts its top in words.
    """

    def __init__(
        self,
        parts: list[tuple[str, int]],
        *,
        least: float,
        show: Callable[[float], str],
        most: float = math.inf,
    ) -> None:
        self._parts = parts
        self._least = least
        self._most = most
        self._show = show

    def paint(
        self,
        p: QPainter,
        area: QRect,
        theme: Theme,
        seconds: Sequence[Second],
        chosen: int | None,
    ) -> None:
        fields = [field for field, _ in self._parts]
        highest = max((sum(getattr(s, f) for f in fields) for s in seconds), default=0.0)
        top = min(self._most, round_up(max(highest, self._least)))
        rule(p, area, theme, [(1.0, self._show(top)), (0.5, "")])
        colours = [part_colour(theme, hue) for _, hue in self._parts]
        mark(p, area, theme, chosen)
        for left, width, second in columns(area, seconds):
            bottom, total = area.bottom() + 1, 0.0
            for field, colour in zip(fields, colours, strict=True):
                total += getattr(second, field)
                y = area.bottom() + 1 - round(min(1.0, total / top) * area.height())
                p.fillRect(left, y, width, bottom - y, colour)
                bottom = y


class Range:
    """The loop lag: from the median to the 99th percentile, and the longest, logarithmically."""

    HUES = (1, 6, 5)
    """Of the median, the percentile and the longest."""
    _FLOOR_NS = 10_000
    """The scale begins here."""

    def paint(
        self,
        p: QPainter,
        area: QRect,
        theme: Theme,
        seconds: Sequence[Second],
        chosen: int | None,
    ) -> None:
        longest = max((s.lag.max_ns for s in seconds if s.lag), default=0)
        decades = max(3, math.ceil(math.log10(max(longest, 1) / self._FLOOR_NS)))
        lines = [(n / decades, duration(self._FLOOR_NS * 10**n)) for n in range(1, decades + 1)]
        rule(p, area, theme, lines)
        mark(p, area, theme, chosen)

        def y(ns: int) -> int:
            share = math.log10(max(ns, self._FLOOR_NS) / self._FLOOR_NS) / decades
            return area.bottom() - round(share * (area.height() - 1))

        median, p99, most = (part_colour(theme, hue) for hue in self.HUES)
        band = mix(p99, theme.colours.panel, 0.35)
        thick = theme.px(2)
        for left, width, second in columns(area, seconds):
            if second.lag is None:
                continue
            low, high, peak = map(y, second.lag)
            p.fillRect(left, high, width, low - high, band)
            p.fillRect(left, high, width, thick, p99)
            p.fillRect(left, low - thick + 1, width, thick, median)
            p.fillRect(left, peak, width, thick, most)


def columns(area: QRect, seconds: Sequence[Second]) -> Iterator[tuple[int, int, Second]]:
    """Yield from where and how wide each second is; the last one ends at the right."""
    first = SECONDS - len(seconds)
    pitch = area.width() / SECONDS
    gap = 1 if pitch >= 3 else 0
    for n, second in enumerate(seconds, first):
        left, right = area.left() + round(n * pitch), area.left() + round((n + 1) * pitch)
        yield left, right - left - gap, second


def mark(p: QPainter, area: QRect, theme: Theme, chosen: int | None) -> None:
    """Paint a light behind the second that is *chosen* back from the last."""
    if chosen is not None:
        pitch, n = area.width() / SECONDS, SECONDS - 1 - chosen
        left, right = round(n * pitch) - 1, round((n + 1) * pitch)
        p.fillRect(
            area.left() + left, area.top(), right - left, area.height(), theme.colours.selection
        )


def rule(p: QPainter, area: QRect, theme: Theme, lines: list[tuple[float, str]]) -> None:
    """Paint the base line and *lines* at shares of the height, each with its words above it."""
    colours = theme.colours
    p.fillRect(area, mix(colours.raised, colours.panel, 0.45))
    p.setFont(theme.font(10))
    room, free = p.fontMetrics().height(), area.bottom() + 1
    for share, words in lines:
        y = area.bottom() - round(share * (area.height() - 1))
        p.fillRect(area.left(), y, area.width(), 1, mix(colours.line, colours.panel, 0.7))
        if words and y + room <= free:
            p.setPen(colours.faint)
            place = QRect(area.left() + theme.px(3), y + 1, area.width(), room)
            p.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, words)
            free = y


def round_up(value: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten that is not below *value*."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999_999)
