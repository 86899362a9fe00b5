"""Which tooltip belongs to a point of the timeline."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint

from app.recording.store import Store

from . import timeline_words as words
from .i18n import tr
from .timeline_rows import CONNECTIONS, GROUP, WINDOW, Row
from .timeline_view import duration, moment
from .words import size

if TYPE_CHECKING:
    from .timeline_canvas import TimelineCanvas


def tip_at(canvas: TimelineCanvas, point: QPoint) -> str:
    """Return the exact figures behind a point of the canvas."""
    lay, x = canvas.lay, point.x() - canvas.lay.label
    store, view, alarm = canvas.store, canvas.view, canvas.ink.error.name()
    placed = canvas.row_at(point)
    if placed is not None:
        lane = canvas.scene.lanes.get(placed.row)
        if lane is not None:
            return words.lane_words(store, lane, view, max(-1, x), canvas.now(), alarm)
        if placed.row in canvas.scene.connections:
            return connection_words(store, int(placed.row.key), canvas.request_at(point))
        return head_words(placed.row, len(canvas.rows.under.get(placed.row, ())))
    if x < 0:
        return ""
    if lay.loop_top <= point.y() < lay.loop_top + lay.loop_height:
        return words.loop_words(store, view, x, alarm)
    window = WINDOW not in canvas.rows.choice.hidden
    if window and lay.window_top - 4 <= point.y() < lay.window_top + lay.window_height + 4:
        return words.window_words(store, view, x, alarm)
    return ""


def connection_words(store: Store, id_: int, request_id: int) -> str:
    """Return what is known of a connection, and of the request on it at that point."""
    connection = store.connection(id_)
    if connection is None:
        return ""
    end = store.end_ns if connection.closed_ns is None else connection.closed_ns
    opened = moment(connection.opened_ns - store.origin_ns)
    lines = [
        f"<b>{tr('connection')} #{id_} · {escape(connection.remote)}</b>",
        tr("accepted at {moment}", moment=opened),
        tr("open for {time}", time=duration(end - connection.opened_ns)),
    ]
    if connection.closed_ns is not None:
        # What passes on an open one is only recorded when it is closed.
        into, out = size(connection.bytes_in), size(connection.bytes_out)
        lines.append(f"{tr('In')} {into} · {tr('Out')} {out} · {escape(connection.reason or '')}")
    request = store.request(request_id)
    if request is not None:
        until = store.end_ns if request.end_ns is None else request.end_ns
        line = escape(f"#{request.id} {request.method} {request.uri}")
        lines.append(f"{line} · {duration(until - request.start_ns)}")
    return f"<qt>{'<br>'.join(lines)}</qt>"


def head_words(row: Row, count: int) -> str:
    """Return what a row that heads others stands for."""
    if row.kind == CONNECTIONS:
        text = tr("connections in view: {count}", count=f"{count:,}")
        rest = tr("A mark is where one was accepted. Click to show or hide their lanes.")
    elif row.kind == GROUP:
        text = tr("requests in view: {count}", count=f"{count:,}")
        rest = tr(
            "The fuller a column, the more began in it; red are those that failed. "
            "Click to show or hide their lanes."
        )
    else:
        return ""
    return f"<qt><b>{text}</b><br>{rest}</qt>"
