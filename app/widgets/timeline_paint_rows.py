"""How connections, groups, the parts of ticks and the measured span are painted."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPolygon

from .i18n import tr
from .timeline_bars import box
from .timeline_groups import Column
from .timeline_ink import Ink, Layout, mix
from .timeline_long import ConnectionLane
from .timeline_ticks import SELECT, TIMER, Part
from .timeline_view import View


def paint_connection(
    p: QPainter, lane: ConnectionLane, top: int, height: int, ink: Ink, lay: Layout
) -> None:
    """Paint a connection: open from end to end, with the requests that it carried on it."""
    middle = top + height // 2
    bar, half = lay.thin_bar, lay.thin_bar // 2
    p.fillRect(lane.left, middle - 2, lane.right - lane.left, 4, ink.rail)
    p.fillRect(lane.left, middle - half, 2, bar, ink.dim)
    if not lane.open:
        p.fillRect(lane.right - 2, middle - half, 2, bar, ink.dim)
    for request in lane.requests:
        hue = ink.fill(request.key)
        box(p, request.left, middle - half, request.right - request.left, bar, hue)
    for label in lane.labels:
        left = max(0, label.left) + ink.px(5)
        text = ink.on_bar.cut(label.text, label.right - left - 2)
        if text:
            ink.on_bar.write(p, left, middle, text, ink.on_hue)


def paint_opened(p: QPainter, marks: list[int], top: int, height: int, ink: Ink) -> None:
    """Paint when connections were accepted."""
    tall = ink.px(8)
    for x in marks:
        p.fillRect(x, top + (height - tall) // 2, 2, tall, ink.dim)


def paint_group(
    p: QPainter, columns: list[Column], lasting: int, top: int, height: int, hue: QColor, ink: Ink
) -> None:
    """Paint how many requests of a group began when: the fuller a column, the more.

    A line says how far those last that began before the view.
    """
    room = height - ink.px(6)
    most = max((column.requests for column in columns), default=1)
    base = top + height - ink.px(3)
    p.fillRect(0, base - 2, lasting, 2, hue)
    for left, count, failed in columns:
        high = max(2, round(room * (count / most) ** 0.5))
        p.fillRect(left, base - high, 3, high, hue)
        if failed:
            bad = max(2, high * failed // count)
            p.fillRect(left, base - bad, 3, bad, ink.error)


def paint_head_title(
    p: QPainter, row: QRect, text: str, count: str, ink: Ink, *, folded: bool
) -> None:
    """Paint the name of a row that heads others: a chevron, what it is, and how many."""
    size, x, y = ink.px(4), row.left() + ink.px(16), row.center().y()
    if folded:
        points = [QPoint(x - size // 2, y - size), QPoint(x + size // 2 + 1, y)]
        points.append(QPoint(x - size // 2, y + size))
    else:
        points = [QPoint(x - size, y - size // 2), QPoint(x + size, y - size // 2)]
        points.append(QPoint(x, y + size // 2 + 1))
    p.setPen(Qt.PenStyle.NoPen)
    p.setBrush(ink.dim)
    p.drawPolygon(QPolygon(points))
    right, left = row.right() - ink.px(8), row.left() + ink.px(26)
    if ink.names.width(text) > right - left - ink.small.width(count) - 6:
        count = count.split()[0]  # The figure alone.
    wide = ink.small.width(count)
    ink.small.write(p, right - wide, y + 1, count, ink.dim)
    ink.names.write(p, left, y + 1, ink.names.cut(text, right - wide - left - 6), ink.text)


def paint_parts(p: QPainter, parts: list[Part], ink: Ink, lay: Layout) -> None:
    """Name the parts of the ticks on the loop's lane."""
    for kind, left, right, name, owner in parts:
        top, height = lay.loop_top, lay.loop_height
        if kind == SELECT:
            p.fillRect(left + 1, top, right - left - 1, height, ink.tick)
        text, colour = name, ink.on_hue if owner > 0 else ink.text
        if kind == SELECT:
            colour = ink.text
        elif kind == TIMER:
            text = f"{tr('timer')} · {name}"
        begin = max(0, left) + ink.px(5)
        text = ink.on_bar.cut(text, right - begin - 3)
        if text:
            ink.on_bar.write(p, begin, top + height // 2, text, colour)


def paint_band(
    p: QPainter, left: int, right: int, height: int, text: str, ink: Ink, view: View
) -> None:
    """Paint the measured span over all lanes, and its figures at the top."""
    p.fillRect(left, 0, max(1, right - left), height, ink.band)
    for x in (left, right):
        p.fillRect(x, 0, 1, height, ink.accent)
    wide, high = ink.names.width(text) + ink.px(16), ink.px(22)
    x = max(2, min(view.width - wide - 2, (left + right - wide) // 2))
    box(p, x, 2, wide, high, ink.accent)
    ink.names.write(p, x + ink.px(8), 2 + high // 2, text, ink.on_hue)


def paint_pointer(p: QPainter, x: int, text: str, ink: Ink, lay: Layout, view: View) -> None:
    """Paint the exact time under the pointer on the ruler."""
    wide, high = ink.small.width(text) + ink.px(12), ink.px(18)
    left = max(0, min(view.width - wide, x - wide // 2))
    top = (lay.ruler - high) // 2
    box(p, left, top, wide, high, mix(ink.text, ink.panel, 0.16))
    ink.small.write(p, left + ink.px(6), lay.ruler // 2, text, ink.text)
    p.fillRect(x, lay.ruler - ink.px(4), 1, ink.px(4), ink.text)
