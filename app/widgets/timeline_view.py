"""Which part of time a timeline shows, and how it moves: arithmetic only, no Qt."""

from __future__ import annotations

import math
from collections.abc import Iterator

SHORTEST_NS = 2_000.0
LONGEST_NS = 600e9
DEFAULT_NS = 1e9
EDGE = 0.94
"""Where the present stands while following, as a part of the width."""


class View:
    """A window on time: *width* pixels of `scale` nanoseconds each, from `start` on.

    Following moves by whole pixels only, so that what has been drawn can be scrolled.
    """

    def __init__(self, span_ns: float = DEFAULT_NS) -> None:
        self.width = 600
        self.start = 0.0
        self.scale = span_ns / self.width
        self.zero = 0.0
        """Where the ruler says 0."""
        self.following = True
        self._lines: tuple[tuple[float, ...], list[tuple[int, str]]] = ((), [])

    @property
    def span(self) -> float:
        """The time shown, in nanoseconds."""
        return self.scale * self.width

    @property
    def end(self) -> float:
        """The first instant that is no longer shown."""
        return self.start + self.span

    def x(self, time_ns: float) -> float:
        """Return where an instant stands, in pixels from the left; may lie outside."""
        return (time_ns - self.start) / self.scale

    def time(self, x: float) -> float:
        """Return the instant that stands at *x*."""
        return self.start + x * self.scale

    def resize(self, width: int) -> None:
        """Take another width: the scale stays, or the span while following."""
        width = max(1, width)
        if self.following:
            self.scale *= self.width / width
        self.width = width

    def follow(self, edge_ns: float) -> bool:
        """Bring the present to its place by whole pixels. Return whether anything moved."""
        columns = math.floor((edge_ns - EDGE * self.span - self.start) / self.scale)
        if not columns:
            return False
        if abs(columns) > 4 * self.width:
            self.start = edge_ns - EDGE * self.span
        else:
            self.start += columns * self.scale
        self.zero = self.start
        return True

    def zoom(self, factor: float, x: float) -> None:
        """Show *factor* times the span; the instant at *x* stays where it is."""
        pinned = self.time(x)
        span = min(LONGEST_NS, max(SHORTEST_NS, self.span * factor))
        self.scale = span / self.width
        self.start = pinned - x * self.scale
        if self.following:
            self.zero = self.start

    def pan(self, pixels: int) -> None:
        """Move towards later times, by whole pixels."""
        self.start += pixels * self.scale

    def show(self, start_ns: float, end_ns: float) -> None:
        """Show the span from *start_ns* to *end_ns* with some room around; it becomes the zero."""
        length = min(LONGEST_NS, max(SHORTEST_NS, (end_ns - start_ns) * 1.16))
        self.scale = length / self.width
        self.start = start_ns - 0.05 * length
        self.zero = start_ns
        self.following = False

    def step(self, spacing: int) -> float:
        """Return how far the ruler's lines are apart: 1, 2 or 5 of a unit, *spacing* or more."""
        least = self.scale * spacing
        unit = 10.0 ** math.floor(math.log10(least))
        return next(unit * n for n in (1, 2, 5, 10) if unit * n >= least * 0.999)

    def lines(self, spacing: int) -> list[tuple[int, str]]:
        """Return the ruler's lines: where, and the time since its zero in words."""
        key = (self.scale, self.start - self.zero, self.width, spacing)
        if key != self._lines[0]:
            self._lines = (key, list(self._new_lines(spacing)))
        return self._lines[1]

    def _new_lines(self, spacing: int) -> Iterator[tuple[int, str]]:
        step = self.step(spacing)
        number = math.ceil((self.start - self.zero) / step - 1e-6)
        while (x := self.x(self.zero + number * step)) < self.width:
            yield round(x), ruler_text(number * step, step)
            number += 1


def ruler_text(time_ns: float, step_ns: float) -> str:
    """Return a time of the ruler, with as many digits as its step needs."""
    minus = "−" if time_ns < -step_ns / 2 else ""
    time_ns = abs(time_ns)
    unit, name = next(
        (u, n)
        for u, n in ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))
        if step_ns >= u * 0.999 or u == 1.0
    )
    return f"{minus}{time_ns / unit:,.0f} {name}"


def duration(ns: float) -> str:
    """Return a duration in three digits: ``86 ms``, ``4.13 ms``, ``12 µs``, ``1.25 s``."""
    for unit, name in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if ns >= unit * 0.9995:
            value = ns / unit
            digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
            text = f"{value:,.{digits}f}"
            if digits and text.endswith("0"):
                text = text.rstrip("0").rstrip(".")
            return f"{text} {name}"
    return f"{max(0, round(ns))} ns"


def moment(ns: float, *, short: bool = False) -> str:
    """Return a time since the recording began: ``1:02.345 678 s``, to the microsecond.

    A *short* one ends with the milliseconds.
    """
    total = max(0, round(ns / 1000))
    seconds, micro = divmod(total, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    tail = f"{micro // 1000:03d} s" if short else f"{micro // 1000:03d} {micro % 1000:03d} s"
    return f"{minutes}:{seconds:02d}.{tail}" if minutes else f"{seconds}.{tail}"
