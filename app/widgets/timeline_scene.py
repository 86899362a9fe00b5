"""One frame of the timeline: every part painted in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from app.recording.events import WINDOW as WINDOW_RUNS

from . import timeline_paint as paint
from . import timeline_paint_rows as paint_rows
from .i18n import tr
from .timeline_arrows import Arrow, arrows
from .timeline_bars import paint_bars, paint_blocks
from .timeline_blocks import blocks_in
from .timeline_groups import Columns, lasting
from .timeline_lanes import Bar, Lane, lane, run_bars
from .timeline_long import ConnectionLane, connection_lane, opened
from .timeline_measure import exactly
from .timeline_rows import CONNECTION, CONNECTIONS, GROUP, WINDOW, Placed, Row
from .timeline_strip import Strip
from .timeline_ticks import parts
from .timeline_view import moment

if TYPE_CHECKING:
    from .timeline_canvas import TimelineCanvas

_MOST_ARROWS = 40
_MOST_LASTING = 40


class Scene:
    """Paints the canvas, and keeps what it painted last for the mouse."""

    def __init__(self, canvas: TimelineCanvas) -> None:
        self._canvas = canvas
        self.strip = Strip(canvas.store, canvas.ink)
        self.lanes: dict[Row, Lane] = {}
        self.connections: dict[Row, ConnectionLane] = {}
        self._blocks: list[Bar] = []

    def paint(self, p: QPainter, area: QRect, *, head_only: bool) -> None:
        """Paint *area*: all of it, or the part above the rows only."""
        canvas = self._canvas
        lay, ink, foot = canvas.lay, canvas.ink, canvas.lay.heights.foot
        bottom = canvas.height() - (foot if canvas.hidden else 0)
        self._blocks = blocks_in(canvas.store, canvas.view)
        p.fillRect(area, ink.panel)
        if not head_only:
            self._make_lanes()
            self._rows(p)
        self._head(p, min(area.bottom() + 1, bottom), area.top())
        if not head_only:
            self._lanes(p, bottom)
        p.setClipping(False)
        self._over(p, min(area.bottom() + 1, bottom))
        p.resetTransform()
        if area.left() < lay.label:
            self._names(p, bottom, [] if head_only else canvas.placed)
        if canvas.paused_ns is not None:
            self._pause_line(p, bottom)
        if canvas.hidden and not head_only:
            rest = QRect(0, bottom, canvas.width(), foot)
            paint.paint_more(p, rest, canvas.hidden, canvas.step, ink)

    def _make_lanes(self) -> None:
        canvas = self._canvas
        store, view, now, rows = canvas.store, canvas.view, canvas.now(), canvas.rows
        self.lanes, self.connections = {}, {}
        for placed in canvas.placed:
            row = placed.row
            if row.kind == CONNECTION:
                line = connection_lane(store, rows.traffic, rows.span, int(row.key), view, now)
                if line is not None:
                    self.connections[row] = line
            elif row.kind not in (CONNECTIONS, GROUP):
                thin = rows.thin(row)
                made = lane(store, int(row.key), view, now, blocks=self._blocks, thin=thin)
                if made is not None:
                    self.lanes[row] = made

    def _rows(self, p: QPainter) -> None:
        canvas = self._canvas
        ink, width = canvas.ink, canvas.width()
        for row, top, height in canvas.placed:
            if row in self.lanes and self.lanes[row].request_id == canvas.request_id:
                p.fillRect(0, top, width, height, ink.selection)
            elif row.kind in (CONNECTIONS, GROUP):
                p.fillRect(0, top, width, height, ink.head_row)
            p.fillRect(0, top + height, width, 1, ink.rule)
        p.fillRect(0, 0, width, canvas.lay.lanes_top, ink.panel)
        p.fillRect(0, canvas.lay.lanes_top, width, 1, ink.rule)

    def _head(self, p: QPainter, bottom: int, top: int) -> None:
        """Paint the ruler and its lines down to *bottom*, the loop's lane and the window's."""
        canvas = self._canvas
        lay, ink, view = canvas.lay, canvas.ink, canvas.view
        p.translate(lay.label, 0)
        p.setClipRect(0, 0, view.width, bottom)
        paint.paint_ruler(p, view, ink, lay, bottom, figures=top < lay.ruler)
        p.drawPixmap(0, lay.loop_top, self.strip.draw(view, lay.loop_height, ink.ratio))
        paint_rows.paint_parts(p, parts(canvas.store, view), ink, lay)
        paint_blocks(p, self._blocks, lay.loop_top, lay.loop_height, ink)
        if WINDOW not in canvas.rows.choice.hidden:
            own = run_bars(canvas.store, WINDOW_RUNS, view, view.start, view.end)
            paint_bars(p, own, ink.window, lay.window_top, lay.window_height)

    def _lanes(self, p: QPainter, bottom: int) -> None:
        canvas = self._canvas
        lay, ink, view, store = canvas.lay, canvas.ink, canvas.view, canvas.store
        room = QRect(0, lay.lanes_top, view.width, bottom - lay.lanes_top)
        p.setClipRect(room)
        columns = None
        for row, top, height in canvas.placed:
            if row in self.lanes:
                made = self.lanes[row]
                bar = lay.thin_bar if made.thin else lay.bar
                paint.paint_lane(p, made, top + (height - bar) // 2, view, ink, lay)
            elif row in self.connections:
                paint_rows.paint_connection(p, self.connections[row], top, height, ink, lay)
            elif row.kind == CONNECTIONS:
                paint_rows.paint_opened(p, opened(store, view), top, height, ink)
            elif row.kind == GROUP:
                columns = columns or Columns(store, view)
                self._group(p, columns, row, top, height)
        self._arrows(p)
        if not canvas.placed:
            self._empty(p, room)

    def _empty(self, p: QPainter, room: QRect) -> None:
        canvas = self._canvas
        if canvas.rows.traffic.words:
            title = tr("Nothing in view matches the filter")
            text = tr("Widen the time shown, or change the words above.")
        elif not len(canvas.store.requests):
            title = tr("No request yet")
            text = tr(
                "Each request gets a lane here: what runs, what it waits for, and who wakes it. "
                "Fire one from a client, or open the page in a browser."
            )
        else:
            return
        paint.paint_empty(p, room, title, text, canvas.ink)

    def _group(self, p: QPainter, columns: Columns, row: Row, top: int, height: int) -> None:
        canvas = self._canvas
        ink, view, name, traffic = canvas.ink, canvas.view, str(row.key), canvas.rows.traffic
        hue = ink.fill(1 + list(traffic.groups).index(name) % 8)
        ids = canvas.rows.under[row].lasting[:_MOST_LASTING]
        ends = lasting(canvas.store, ids, view, canvas.now())
        found = columns.of(traffic.groups[name], traffic.failed.get(name, []))
        paint_rows.paint_group(p, found, ends, top, height, hue, ink)

    def _over(self, p: QPainter, bottom: int) -> None:
        """Paint what stands over everything else: the measured span, the time at the pointer."""
        canvas = self._canvas
        lay, ink, view = canvas.lay, canvas.ink, canvas.view
        p.setClipRect(0, 0, view.width, bottom)
        measure = canvas.measure
        if measure is not None:
            left, right = round(view.x(measure.start_ns)), round(view.x(measure.end_ns))
            if right >= 0 and left < view.width:
                left, right = max(-2, left), min(view.width + 2, right)
                paint_rows.paint_band(p, left, right, bottom, self.measured(), ink, view)
        elif canvas.pointer is not None:
            text = moment(view.time(canvas.pointer) - canvas.store.origin_ns)
            paint_rows.paint_pointer(p, canvas.pointer, text, ink, lay, view)
        p.setClipping(False)

    def measured(self) -> str:
        """Return the figures of the measured span in words; empty when nothing is measured."""
        canvas = self._canvas
        if canvas.measure is None:
            return ""
        canvas.rows.traffic.update()
        length, runs, requests = canvas.measure.of(canvas.store, canvas.rows.traffic)
        return " · ".join(
            [
                exactly(length),
                tr("{count} run" if runs == 1 else "{count} runs", count=f"{runs:,}"),
                tr(
                    "{count} request" if requests == 1 else "{count} requests",
                    count=f"{requests:,}",
                ),
            ]
        )

    def _names(self, p: QPainter, bottom: int, placed: list[Placed]) -> None:
        canvas = self._canvas
        lay, ink = canvas.lay, canvas.ink
        p.setClipRect(0, 0, lay.label, bottom)
        lines = [(tr("loop"), lay.loop_top, lay.loop_height)]
        if WINDOW not in canvas.rows.choice.hidden:
            lines.append((tr("window: its own runs"), lay.window_top, lay.window_height))
        for text, y, height in lines:
            paint.paint_name(p, text, QRect(0, y - 6, lay.label, height + 12), ink)
        p.setClipRect(0, lay.lanes_top, canvas.width(), bottom - lay.lanes_top)
        for row, top, height in placed:
            place = QRect(0, top, lay.label, height)
            if row in self.lanes:
                made = self.lanes[row]
                chosen = made.request_id == canvas.request_id
                paint.paint_title(p, made, place, ink, selected=chosen)
            elif row in self.connections:
                paint.paint_name(p, self.connections[row].title, place, ink, inset=ink.px(16))
            elif row.kind in (CONNECTIONS, GROUP):
                self._head_title(p, row, place)
            if row == canvas.focused and canvas.keys_here():
                p.fillRect(0, top + 2, ink.px(3), height - 3, ink.accent)
        p.setClipping(False)

    def _head_title(self, p: QPainter, row: Row, place: QRect) -> None:
        canvas = self._canvas
        count = len(canvas.rows.under.get(row, ()))
        text, figures = str(row.key) or tr("no route"), f"{count:,}"
        if row.kind == CONNECTIONS:
            text = tr("connections")
            still_open = len(canvas.store.open_connections)
            figures = tr("{count} open", count=f"{still_open:,}")
        elif canvas.rows.by_client:
            text = str(row.key) or tr("others")
        folded = canvas.rows.is_folded(row)
        paint_rows.paint_head_title(p, place, text, figures, canvas.ink, folded=folded)

    def _arrows(self, p: QPainter) -> None:
        canvas = self._canvas
        lay = canvas.lay
        order = [placed for placed in canvas.placed if placed.row in self.lanes]
        found = arrows(
            canvas.store, [self.lanes[p.row] for p in order], canvas.view, canvas.request_id
        )
        for arrow in found[:_MOST_ARROWS]:
            paint.paint_arrow(p, arrow, *self._ends(arrow, order, lay.bar), canvas.view, canvas.ink)

    def _ends(self, arrow: Arrow, order: list[Placed], bar: int) -> tuple[int, int, int]:
        """Where an arrow begins and ends, and where its word stands: heights."""
        lay = self._canvas.lay
        _, top, height = order[arrow.to_lane]
        between = (height - bar) // 2
        to_top = top + between
        if arrow.from_lane < 0:
            from_y, down = lay.loop_top + lay.loop_height, True
        else:
            down = arrow.from_lane < arrow.to_lane
            source = order[arrow.from_lane]
            from_y = source.top + (source.height - bar) // 2 + (bar if down else 0)
        to_y = to_top if down else to_top + bar
        return from_y, to_y, to_top - between if down else to_top + bar + between

    def _pause_line(self, p: QPainter, bottom: int) -> None:
        canvas = self._canvas
        x = round(canvas.view.x(canvas.paused_ns or 0.0))
        if 0 <= x <= canvas.view.width:
            left, top = canvas.lay.label + x, canvas.lay.ruler
            text = tr("paused here")
            paint.paint_mark(p, left, text, canvas.ink.error, top, bottom, canvas.ink)
