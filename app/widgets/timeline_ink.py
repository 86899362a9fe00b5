"""The timeline's colours, brushes, fonts and measures, worked out once for each look."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainter, QPen, QPixmap

from app.recording.events import CLIENT, WINDOW

from .theme import SMALL, Theme
from .timeline_rows import Heights
from .timeline_text import Type


def mix(one: QColor, other: QColor, share: float) -> QColor:
    """Return *share* of *one* laid over *other*, opaque."""
    rest = 1 - share
    return QColor(
        round(one.red() * share + other.red() * rest),
        round(one.green() * share + other.green() * rest),
        round(one.blue() * share + other.blue() * rest),
    )


class Ink:
    """What the timeline paints with. `renew` it when the theme or the screen has changed."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self.renew()

    def renew(self, ratio: float = 1.0) -> None:
        """Take everything from the theme anew; *ratio* is the screen's pixels for each of ours."""
        theme, c = self._theme, self._theme.colours
        self.ratio = ratio
        self.panel, self.raised, self.line = c.panel, mix(c.raised, c.panel, 0.75), c.line
        self.grid = mix(c.line, c.panel, 0.7)
        self.rule = mix(c.line, c.panel, 0.45)
        self.text, self.dim, self.faint = c.text, c.dim, c.faint
        self.accent, self.error, self.warn = c.accent, c.error, c.warn
        self.selection = mix(c.selection, c.panel, 0.55)
        self.on_hue = c.on_hue
        self.tick = mix(c.faint, c.panel, 0.6)
        self.tick_inside = mix(c.faint, c.panel, 0.22)
        self.head_row = mix(c.raised, c.panel, 0.5)
        self.rail = mix(c.dim, c.panel, 0.35)
        self.client = mix(c.dim, c.panel, 0.55)
        self.server = c.dim
        self.window = c.faint
        self.names = Type(theme.font(12.5), ratio)
        self.small = Type(theme.font(SMALL), ratio)
        on_bar = theme.font(SMALL)
        on_bar.setWeight(QFont.Weight.Medium)
        self.on_bar = Type(on_bar, ratio)
        self.head = theme.font(14, bold=True)
        self.band = QColor(c.accent)
        self.band.setAlphaF(0.16)
        self.arrow = QPen(c.accent, max(1.5, 1.6 * theme.zoom))
        self._fills: dict[int, QColor] = {}
        self._softs: dict[int, QColor] = {}
        self._shades: dict[int, QColor] = {}
        self._hatches: dict[int, QBrush] = {}
        self._dots: dict[int, QPixmap] = {}

    def px(self, size: float) -> int:
        """Return a size of the design, zoomed."""
        return self._theme.px(size)

    def fill(self, owner: int) -> QColor:
        """Return the colour of a run: a request's hue, or one of the greys."""
        if owner <= 0:
            return {WINDOW: self.window, CLIENT: self.client}.get(owner, self.server)
        found = self._fills.get(owner % 8)
        if found is None:
            found = self._fills[owner % 8] = self._theme.hue(owner)
        return found

    def soft(self, owner: int) -> QColor:
        """Return a quiet form of an owner's colour, for what is open but does not run."""
        found = self._softs.get(owner % 8)
        if found is None:
            found = self._softs[owner % 8] = mix(self.fill(owner), self.panel, 0.4)
        return found

    def shade(self, owner: int) -> QColor:
        """Return a deeper form of an owner's colour, for stages within stages."""
        found = self._shades.get(owner % 8)
        if found is None:
            hue = self.fill(owner)
            towards = QColor("black") if self._theme.dark else QColor("white")
            found = self._shades[owner % 8] = mix(hue, towards, 0.8)
        return found

    def hatch(self, owner: int) -> QBrush:
        """Return the hatched brush of a request's waits."""
        found = self._hatches.get(owner % 8)
        if found is None:
            found = self._hatches[owner % 8] = QBrush(self._tile(self.fill(owner)))
        return found

    def dot(self, owner: int) -> QPixmap:
        """Return the round mark of a request, 8 design pixels wide."""
        found = self._dots.get(owner % 8)
        if found is None:
            size = self.px(8)
            found = QPixmap(round(size * self.ratio), round(size * self.ratio))
            found.setDevicePixelRatio(self.ratio)
            found.fill(Qt.GlobalColor.transparent)
            with QPainter(found) as p:
                self._theme.paint_dot(p, QPointF(size / 2, size / 2), self.fill(owner))
            self._dots[owner % 8] = found
        return found

    def _tile(self, hue: QColor) -> QPixmap:
        size = self.px(7)
        tile = QPixmap(round(size * self.ratio), round(size * self.ratio))
        tile.setDevicePixelRatio(self.ratio)
        tile.fill(mix(hue, self.panel, 0.14))
        with QPainter(tile) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            p.setPen(QPen(mix(hue, self.panel, 0.42), self.px(1.2)))
            for shift in (-size, 0, size):
                p.drawLine(QPointF(shift - 1, size + 1), QPointF(shift + size + 1, -1))
        return tile


_LOW = 360
"""Below this height, in design pixels, lanes stand closer."""


class Layout:
    """Where the parts of the timeline stand: the labels' column, the ruler and the lanes.

    Without *window* there is no lane for the window's runs.
    """

    def __init__(self, ink: Ink, width: int, height: int, *, window: bool = True) -> None:
        px = ink.px
        low = height < px(_LOW)
        self.label = min(px(220), max(px(140), width * 2 // 9))
        self.ruler = px(24 if low else 26)
        self.loop_top = self.ruler + px(4 if low else 7)
        self.loop_height = px(20)
        self.window_top = self.loop_top + self.loop_height + px(8 if low else 12)
        self.window_height = px(10)
        loop_bottom = self.loop_top + self.loop_height
        window_bottom = self.window_top + self.window_height
        self.lanes_top = (window_bottom if window else loop_bottom) + px(7 if low else 10)
        lane = px(30 if low else 37)
        self.heights = Heights(lane=lane, thin=px(22), head=px(24), foot=px(20 if low else 24))
        self.bar = px(20 if low else 23)
        self.thin_bar = px(12)
