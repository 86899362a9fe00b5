"""Stroke icons from ``resources/icons``, tinted to a colour of the theme."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from .theme import RESOURCES, Theme

_SIZES = (16, 20, 24, 32, 48)


@cache
def _source(name: str) -> str:
    return (RESOURCES / "icons" / f"{name}.svg").read_text("utf-8")


@cache
def _tinted(name: str, colour: str, faint: str) -> QIcon:
    icon = QIcon()
    for mode, tint in ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, faint)):
        svg = QByteArray(_source(name).replace("currentColor", tint).encode())
        renderer = QSvgRenderer(svg)
        for size in _SIZES:
            pixmap = QPixmap(size, size)
            pixmap.fill(Qt.GlobalColor.transparent)
            with QPainter(pixmap) as painter:
                renderer.render(painter)
            icon.addPixmap(pixmap, mode)
    return icon


def icon(theme: Theme, name: str, token: str = "text") -> QIcon:
    """Return icon *name* in the colour of a theme's token; greyed out when disabled.

    Ask again when the theme has changed.
    """
    return _tinted(name, theme.colour(token).name(), theme.colour("faint").name())


@cache
def app_icon() -> QIcon:
    """Return the application's icon."""
    result = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        pixmap = QPixmap(size, size)
        pixmap.fill(Qt.GlobalColor.transparent)
        with QPainter(pixmap) as painter:
            QSvgRenderer(str(RESOURCES / "icons" / "app.svg")).render(painter)
        result.addPixmap(pixmap)
    return result
