"""Colours, sizes and fonts: the one place where looks are decided."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path

from PySide6.QtCore import QObject, QPointF, QSettings, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

RESOURCES = Path(__file__).resolve().parents[2] / "resources"

SIZE = 13.0
SMALL = 11.5
HEAD = 12.5
VERDICT = 15.0
ROW = 28
TOOLBAR = 50
RADIUS = 8
GAP = 8

SANS = (
    *("Inter", "Segoe UI", "SF Pro Text", ".AppleSystemUIFont", "Noto Sans"),
    *("Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "DejaVu Sans"),
)
MONO = (
    *("JetBrains Mono", "Cascadia Mono", "SF Mono", "Menlo", "Consolas"),
    *("Noto Sans Mono", "DejaVu Sans Mono", "Noto Sans Mono CJK SC", "Noto Sans CJK SC"),
    *("Microsoft YaHei", "PingFang SC"),
)
ZOOMS = (0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4, 1.6, 1.8, 2.0, 2.4)
SCHEMES = ("system", "dark", "light")


@dataclass(frozen=True)
class Colours:
    """The tokens of one scheme; the names say what they are for."""

    bg: QColor
    panel: QColor
    raised: QColor
    line: QColor
    text: QColor
    dim: QColor
    faint: QColor
    accent: QColor
    ok: QColor
    redirect: QColor
    error: QColor
    warn: QColor
    selection: QColor
    on_hue: QColor
    """Text on an area filled with the accent or a request's hue."""


def _colours(tokens: str) -> Colours:
    return Colours(*(QColor(f"#{token}") for token in tokens.split()))


DARK = _colours(
    "14171c 1a1e25 222833 2b323e e6eaf1 93a0b4 7a879c"
    " 4aa8ff 5ccb8a 5fb3ff ff6f6f f2b84b 243b57 10141a"
)
LIGHT = _colours(
    "f4f6f9 ffffff eef1f6 d9dfe8 1b2330 566377 6b778a"
    " 0b6bcb 19854c 0b6bcb c8322f a46700 dcebfb ffffff"
)
_HUES = "4aa8ff f2994a b07cff 3ecf9b ff7a9c e0c341 5ad1e6 9ccc5a"
_LIGHT_HUES = "1e76cf b35f10 7d46d6 138558 cc3c66 877307 0d8097 548114"
DARK_HUES = tuple(QColor(f"#{hue}") for hue in _HUES.split())
LIGHT_HUES = tuple(QColor(f"#{hue}") for hue in _LIGHT_HUES.split())


def status_glyph(status: int | None) -> tuple[str, str]:
    """Return the glyph of an HTTP status and the name of its colour. None: still under way."""
    if status is None:
        return "…", "dim"
    if status >= 400:
        return "✗", "error"
    if status >= 300:
        return "→", "redirect"
    return ("✓", "ok") if status >= 200 else ("⇄", "accent")


class Theme(QObject):
    """Dark or light, and how large. Widgets paint with it and repaint on `changed`.

    *settings* remembers the choice; None remembers nothing.
    """

    changed = Signal()

    def __init__(self, settings: QSettings | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        """Where choices are remembered; None when they are not."""
        self.scheme = self._stored("theme/scheme", "system", SCHEMES)
        zoom = settings.value("theme/zoom", 1.0, type=float) if settings else 1.0
        # Not a number compares false as well.
        self.zoom = float(zoom) if ZOOMS[0] <= zoom <= ZOOMS[-1] else 1.0  # type: ignore[operator, arg-type]
        self._system_dark = self._ask_system()
        hints = QGuiApplication.styleHints()
        if hints is not None:
            hints.colorSchemeChanged.connect(self._system_changed)
        known = set(QFontDatabase.families())
        self._sans = [family for family in SANS if family in known]
        self._mono = [family for family in MONO if family in known] or ["monospace"]

    def _stored(self, key: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.settings.value(key, default, type=str) if self.settings else default
        return str(value) if value in allowed else default

    @staticmethod
    def _ask_system() -> bool:
        return QGuiApplication.styleHints().colorScheme() != Qt.ColorScheme.Light

    def _system_changed(self) -> None:
        self._system_dark = self._ask_system()
        if self.scheme == "system":
            self.apply()

    @property
    def dark(self) -> bool:
        """Whether the dark scheme is on."""
        return self.scheme == "dark" or (self.scheme == "system" and self._system_dark)

    @property
    def colours(self) -> Colours:
        """The tokens of the scheme that is on."""
        return DARK if self.dark else LIGHT

    def colour(self, token: str) -> QColor:
        """Return the colour of a token by its name, for example ``error``."""
        colour: QColor = getattr(self.colours, token)
        return colour

    def hue(self, request_id: int) -> QColor:
        """Return the hue that a request keeps everywhere; the same for every eighth."""
        hues = DARK_HUES if self.dark else LIGHT_HUES
        return hues[(request_id - 1) % len(hues)]

    def px(self, size: float) -> int:
        """Return *size* pixels of the unzoomed design in pixels of the zoomed one."""
        return max(1, round(size * self.zoom))

    def font(self, size: float = SIZE, *, mono: bool = False, bold: bool = False) -> QFont:
        """Return the font for text of *size* design pixels; code is one size smaller."""
        font = QFont()
        families = self._mono if mono else self._sans
        if families:
            font.setFamilies(families)
        font.setPixelSize(self.px(size - 1 if mono else size))
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        if mono:
            font.setStyleHint(QFont.StyleHint.Monospace)
        return font

    def set_scheme(self, scheme: str) -> None:
        """Choose ``dark``, ``light`` or ``system`` and remember it."""
        self.scheme = scheme
        self._remember("theme/scheme", scheme)

    def toggle(self) -> None:
        """Change from dark to light or back."""
        self.set_scheme("light" if self.dark else "dark")

    def set_zoom(self, zoom: float) -> None:
        """Zoom the whole window; 1.0 is the design's size."""
        self.zoom = min(max(zoom, ZOOMS[0]), ZOOMS[-1])
        self._remember("theme/zoom", self.zoom)

    def zoom_in(self) -> None:
        """Go to the next larger size."""
        self.set_zoom(next((zoom for zoom in ZOOMS if zoom > self.zoom + 0.01), ZOOMS[-1]))

    def zoom_out(self) -> None:
        """Go to the next smaller size."""
        self.set_zoom(next((zoom for zoom in ZOOMS[::-1] if zoom < self.zoom - 0.01), ZOOMS[0]))

    def _remember(self, key: str, value: object) -> None:
        if self.settings is not None:
            self.settings.setValue(key, value)
        self.apply()

    def apply(self) -> None:
        """Dress the application: style, palette, font, style sheet; then emit `changed`."""
        self._dress(self.style_sheet())
        self.changed.emit()

    def prepare(self) -> None:
        """Do the same without the style sheet, before a window is made; the window calls `apply`.

        With a style sheet each widget is dressed anew, and all that it holds, whenever it is put
        into another one: that takes as long as everything else.
        """
        self._dress("")

    def _dress(self, style_sheet: str) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            if app.style().name().lower() != "fusion":
                app.setStyle(QStyleFactory.create("Fusion"))
            app.setPalette(self.palette())
            app.setFont(self.font())
            app.setStyleSheet(style_sheet)

    def style_sheet(self) -> str:
        """Return ``resources/style.qss`` with its tokens and sizes filled in.

        ``@name`` stands for a colour; every ``px`` above 1 is zoomed.
        """
        source = (RESOURCES / "style.qss").read_text("utf-8")
        source = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
        names = {field.name: self.colour(field.name).name() for field in fields(Colours)}
        names["icons"] = (RESOURCES / "icons").as_posix()
        names["shade"] = "dark" if self.dark else "light"
        names["mono"] = ", ".join(f'"{family}"' for family in self._mono)
        source = re.sub(r"@(\w+)", lambda found: names[found[1]], source)
        return re.sub(
            r"(?<![\w.])(\d+(?:\.\d+)?)px",
            lambda found: "1px" if found[1] == "1" else f"{self.px(float(found[1]))}px",
            source.replace(" 0px", " 0"),
        )

    def palette(self) -> QPalette:
        """Return the palette for Qt's own drawing."""
        c, role, palette = self.colours, QPalette.ColorRole, QPalette()
        pairs = {
            role.Window: c.bg,
            role.WindowText: c.text,
            role.Base: c.panel,
            role.AlternateBase: c.raised,
            role.Text: c.text,
            role.PlaceholderText: c.faint,
            role.Button: c.raised,
            role.ButtonText: c.text,
            role.BrightText: c.error,
            role.Highlight: c.selection,
            role.HighlightedText: c.text,
            role.ToolTipBase: c.raised,
            role.ToolTipText: c.text,
            role.Link: c.accent,
            role.LinkVisited: c.accent,
            role.Light: c.raised,
            role.Midlight: c.raised,
            role.Mid: c.line,
            role.Dark: c.line,
            role.Shadow: c.bg,
            role.Accent: c.accent,
        }
        for which, colour in pairs.items():
            palette.setColor(which, colour)
        for which in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
            palette.setColor(QPalette.ColorGroup.Disabled, which, c.faint)
        return palette

    def paint_dot(self, painter: QPainter, centre: QPointF, colour: QColor) -> None:
        """Paint the round mark that stands for a request or a client."""
        radius = 4 * self.zoom
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(centre, radius, radius)
        painter.restore()
