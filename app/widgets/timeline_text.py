"""Words that are painted again and again: laid out once, then copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPixmap

MOST = 600
"""How many words are kept; then all are forgotten at once."""

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Type:
    """One font of the timeline. A word's layout costs ten times more than copying its picture."""

    def __init__(self, font: QFont, ratio: float) -> None:
        self.font = font
        self.metrics = QFontMetrics(font)
        self._ratio = ratio
        self._high = self.metrics.height() + 4
        self._base = self._high // 2 + self.metrics.capHeight() // 2
        self._pictures: dict[tuple[str, int], QPixmap] = {}
        self._cut: dict[tuple[str, int], str] = {}

    def write(self, p: QPainter, left: int, middle: int, text: str, colour: QColor) -> None:
        """Paint *text* from *left* on, its capitals centred on *middle*."""
        key = (text, colour.rgb())
        picture = self._pictures.get(key)
        if picture is None:
            picture = _kept(self._pictures, key, lambda: self._picture(text, colour))
        p.drawPixmap(left - 1, middle - self._high // 2, picture)

    def _picture(self, text: str, colour: QColor) -> QPixmap:
        wide = self.metrics.horizontalAdvance(text) + 4
        picture = QPixmap(round(wide * self._ratio), round(self._high * self._ratio))
        picture.setDevicePixelRatio(self._ratio)
        picture.fill(Qt.GlobalColor.transparent)
        with QPainter(picture) as p:
            p.setFont(self.font)
            p.setPen(colour)
            p.drawText(1, self._base, text)
        return picture

    def width(self, text: str) -> int:
        """Return how wide *text* is."""
        return self.metrics.horizontalAdvance(text)

    def cut(self, text: str, width: int) -> str:
        """Return *text* cut with an ellipsis to *width*; empty when too little would be left."""
        return self._cut.get((text, width)) or _kept(
            self._cut, (text, width), lambda: self._elide(text, width)
        )

    def _elide(self, text: str, width: int) -> str:
        cut = self.metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
        return cut if cut == text or len(cut) > 4 else ""


def _kept(kept: dict[_Key, _Value], key: _Key, make: Callable[[], _Value]) -> _Value:
    if len(kept) > MOST:
        kept.clear()
    kept[key] = made = make()
    return made
