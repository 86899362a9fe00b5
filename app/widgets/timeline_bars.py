"""Bars of the timeline's lanes: runs, blocks and a WebSocket's messages."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QPainter, QPolygon

from .i18n import tr
from .timeline_ink import Ink, Layout
from .timeline_lanes import Bar, Lane


def box(p: QPainter, left: int, top: int, width: int, height: int, colour: QColor) -> None:
    """Fill a rectangle whose corners are cut by a pixel when it is large enough."""
    if width < 5 or height < 5:
        p.fillRect(left, top, width, height, colour)
        return
    p.fillRect(left + 1, top, width - 2, height, colour)
    p.fillRect(left, top + 1, 1, height - 2, colour)
    p.fillRect(left + width - 1, top + 1, 1, height - 2, colour)


def paint_bars(p: QPainter, bars: list[Bar], colour: QColor, top: int, height: int) -> None:
    """Paint plain bars, as in the window's lane."""
    for bar in bars:
        p.fillRect(bar.left, top, bar.right - bar.left, height, colour)


def paint_blocks(p: QPainter, bars: list[Bar], top: int, height: int, ink: Ink) -> None:
    """Paint where the loop was blocked, in the colour of errors, with its duration."""
    for bar in bars:
        box(p, bar.left, top, max(2, bar.right - bar.left), height, ink.error)
        left = max(0, bar.left) + ink.px(6)
        text = ink.on_bar.cut(tr("blocked {time}", time=bar.text), bar.right - left - 4)
        if text:
            ink.on_bar.write(p, left, top + height // 2, text, ink.on_hue)


def paint_messages(p: QPainter, lane: Lane, top: int, ink: Ink, lay: Layout) -> None:
    """Paint a WebSocket's messages: a mark into the bar from above, or out of it below."""
    size = ink.px(5)
    last = {True: -99, False: -99}
    p.setPen(Qt.PenStyle.NoPen)
    p.setBrush(ink.fill(lane.request_id))
    for x, incoming in lane.messages:
        if x - last[incoming] < size:
            continue
        last[incoming] = x
        tip = top - 1 if incoming else top + lay.bar + size + 1
        points = [QPoint(x - size, tip - size), QPoint(x + size + 1, tip - size), QPoint(x, tip)]
        p.drawPolygon(QPolygon(points))
