"""How the timeline's lanes are painted: in integer rectangles, bars without antialiasing."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPolygonF

from .i18n import tr
from .timeline_arrows import Arrow
from .timeline_bars import box, paint_blocks, paint_messages
from .timeline_ink import Ink, Layout
from .timeline_lanes import DOT, Label, Lane
from .timeline_view import View

_CENTRE = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine


def paint_ruler(
    p: QPainter, view: View, ink: Ink, lay: Layout, bottom: int, *, figures: bool = True
) -> None:
    """Paint the ruler's lines and figures; the painter's origin is the plot's left edge."""
    room, top = ink.px(76), lay.ruler - ink.px(4)
    for x, text in view.lines(room):
        if x < 0:
            continue
        p.fillRect(x, top, 1, bottom - top, ink.grid)
        if figures and x + room * 0.6 < view.width:
            ink.small.write(p, x + 4, lay.ruler // 2, text, ink.dim)


def paint_lane(p: QPainter, lane: Lane, top: int, view: View, ink: Ink, lay: Layout) -> None:
    """Paint what one request did; *top* is where its bar begins."""
    hue, request = ink.fill(lane.request_id), lane.request_id
    height = lay.thin_bar if lane.thin else lay.bar
    middle = top + height // 2
    if lane.right - lane.left < DOT:
        p.fillRect(lane.left, top, DOT, height, hue)
        _note(p, lane, middle, view, ink)
        return
    p.fillRect(lane.left, middle - 1, lane.right - lane.left, 2, ink.soft(request))
    if lane.websocket:
        _waits(p, lane, top, height, ink)
    else:
        _outer_stages(p, lane, top, height, ink)
    for bar in lane.runs:
        box(p, bar.left, top, bar.right - bar.left, height, hue)
    _inner_stages(p, lane, top, ink, lay)
    if lane.websocket:
        paint_messages(p, lane, top, ink, lay)
    else:
        _waits(p, lane, top, height, ink)
    paint_blocks(p, lane.blocks, top, height, ink)
    for label in lane.labels:
        _label(p, label, lane, top, ink, lay)
    _note(p, lane, middle, view, ink)


def _note(p: QPainter, lane: Lane, middle: int, view: View, ink: Ink) -> None:
    if lane.note and 0 < lane.right < view.width:
        colour = ink.error if lane.bad else ink.dim
        words = " · ".join(tr(word) for word in lane.note)
        left, width = lane.right + ink.px(6), ink.small.width(words)
        if left + width > view.width and lane.left > width + ink.px(6):
            left = lane.left - ink.px(6) - width
        ink.small.write(p, left, middle, words, colour)


def _outer_stages(p: QPainter, lane: Lane, top: int, height: int, ink: Ink) -> None:
    soft, last = ink.soft(lane.request_id), -9
    for bar in lane.stages:
        if bar.depth == 0 and bar.right > last:
            box(p, bar.left, top, bar.right - bar.left, height, soft)
            last = bar.right


def _inner_stages(p: QPainter, lane: Lane, top: int, ink: Ink, lay: Layout) -> None:
    shades = ink.fill(lane.request_id), ink.shade(lane.request_id)
    last = -9
    for bar in lane.stages:
        width = bar.right - bar.left
        if bar.depth:
            inset = min(ink.px(3) * bar.depth, lay.bar // 3)
            shade = shades[bar.depth % 2]
            if width > 3:
                box(p, bar.left + 1, top + inset, width - 1, lay.bar - 2 * inset, shade)
        elif bar.left > last + 2 and not lane.websocket:
            p.fillRect(bar.left, top, 1, lay.bar, ink.panel)
            last = bar.left


def _waits(p: QPainter, lane: Lane, top: int, bar_height: int, ink: Ink) -> None:
    hatch, edge = ink.hatch(lane.request_id), ink.soft(lane.request_id)
    height = bar_height // lane.wait_rows
    p.setBrush(Qt.BrushStyle.NoBrush)
    for bar in lane.waits:
        y = top + bar.depth * height
        width = bar.right - bar.left
        p.setBrushOrigin(QPoint(bar.left if bar.left > 0 else 0, y))
        p.fillRect(QRect(bar.left, y, width, height), hatch)
        if width > 3:
            p.setPen(edge)
            p.drawRect(bar.left, y, width - 1, height - 1)


def _label(p: QPainter, label: Label, lane: Lane, top: int, ink: Ink, lay: Layout) -> None:
    left = max(label.left, 0) + ink.px(6)
    width = label.right - left - ink.px(2)
    if width < ink.px(14):
        return
    wait = label.depth < 0
    text = ink.on_bar.cut(label.text, width)
    if not text:
        return
    if not wait:
        ink.on_bar.write(p, left, top + lay.bar // 2, text, ink.on_hue)
        return
    height = lay.bar // lane.wait_rows
    if height >= ink.px(11):
        middle = top + (-1 - label.depth) * height + height // 2
        ink.on_bar.write(p, left, middle, text, ink.text)


def paint_title(p: QPainter, lane: Lane, row: QRect, ink: Ink, *, selected: bool) -> None:
    """Paint a lane's dot and name in the labels' column."""
    dot = ink.px(8)
    x = row.left() + ink.px(12)
    p.drawPixmap(x, row.top() + (row.height() - dot) // 2, ink.dot(lane.request_id))
    colour = ink.accent if selected else ink.text
    left = x + dot + ink.px(8)
    width = row.right() - left - ink.px(4)
    ink.names.write(p, left, row.center().y() + 1, ink.names.cut(lane.title, width), colour)


def paint_name(p: QPainter, text: str, row: QRect, ink: Ink, *, inset: int = 0) -> None:
    """Paint the name of the loop's lane, the window's or a connection's."""
    left = row.left() + ink.px(12) + inset
    width = row.right() - left - ink.px(4)
    ink.names.write(p, left, row.center().y() + 1, ink.names.cut(text, width), ink.dim)


def paint_arrow(
    p: QPainter, arrow: Arrow, from_y: int, to_y: int, label_y: int, view: View, ink: Ink
) -> None:
    """Paint a wake-up from *from_y* to *to_y*; the word stands at *label_y*."""
    size = ink.px(5)
    down = 1 if to_y > from_y else -1
    start, end = QPointF(arrow.from_x, from_y), QPointF(arrow.to_x, to_y - down * size)
    bend = max(6.0, abs(end.y() - start.y()) * 0.5)
    path = QPainterPath(start)
    path.cubicTo(start + QPointF(0, down * bend), end - QPointF(0, down * bend), end)
    p.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    p.setPen(ink.arrow)
    p.setBrush(Qt.BrushStyle.NoBrush)
    p.drawPath(path)
    p.setPen(Qt.PenStyle.NoPen)
    p.setBrush(ink.accent)
    tip, back = QPointF(arrow.to_x, to_y), -down * size * 1.5
    p.drawPolygon(QPolygonF([tip, tip + QPointF(-size, back), tip + QPointF(size, back)]))
    p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    text = tr("wakes #{id}", id=arrow.woken)
    width = ink.small.width(text)
    left = max(arrow.to_x, arrow.from_x) + ink.px(9)
    if left + width > view.width:
        left = arrow.to_x - ink.px(9) - width
    high = ink.small.metrics.ascent() + 1
    p.fillRect(left - 2, label_y - high // 2, width + 4, high, ink.panel)
    ink.small.write(p, left, label_y, text, ink.accent)


def paint_mark(
    p: QPainter, x: int, text: str, colour: QColor, top: int, height: int, ink: Ink
) -> None:
    """Paint an upright line through all lanes, with a word at its foot."""
    p.fillRect(x - 1, top, 2, height - top, colour)
    width = ink.small.width(text)
    left = x + ink.px(6)
    p.fillRect(left - 2, height - ink.px(22), width + 4, ink.px(18), ink.panel)
    ink.small.write(p, left, height - ink.px(13), text, colour)


def paint_empty(p: QPainter, area: QRect, title: str, text: str, ink: Ink) -> None:
    """Say why there is nothing, and what can be done about it."""
    p.setFont(ink.head)
    p.setPen(ink.text)
    line = ink.px(24)
    middle = area.center().y()
    p.drawText(QRect(area.left(), middle - line, area.width(), line), _CENTRE, title)
    p.setFont(ink.names.font)
    p.setPen(ink.dim)
    width = min(area.width() - ink.px(24), ink.px(460))
    rest = QRect(area.center().x() - width // 2, middle + ink.px(4), width, line * 3)
    flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
    p.drawText(rest, flags, text)


def paint_more(p: QPainter, area: QRect, hidden: int, step: int, ink: Ink) -> None:
    """Say how many lanes there was no room for, and how those shown were chosen."""
    p.fillRect(area, ink.panel)
    p.fillRect(area.left(), area.top(), area.width(), 1, ink.rule)
    if step and hidden > 100:
        hidden = round(hidden, 1 - len(str(hidden)) + 1)  # Two digits: it changes all the time.
    text = tr("… and {count} more", count=f"{hidden:,}")
    if step:
        text += " · " + tr("one in {step} is shown; press Shift+F to stop and see all", step=step)
    ink.small.write(p, area.left() + ink.px(12), area.center().y() + 1, text, ink.dim)
