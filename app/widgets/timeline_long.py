"""The lanes of TCP connections, and the row above them."""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter
from typing import NamedTuple

from app.recording.store import Store

from .timeline_lanes import LABEL_LEAST, Bar, Label, cut
from .timeline_list import InView, Span
from .timeline_traffic import Traffic
from .timeline_view import View

MOST = 400
"""How many requests of a connection, or connections, are looked at for one frame."""
_opened = itemgetter(2)


class ConnectionLane(NamedTuple):
    """One connection: from where to where it was open, and the requests that it carried.

    The key of a bar in ``requests`` is the request's number.
    """

    title: str
    left: int
    right: int
    open: bool
    requests: list[Bar]
    labels: list[Label]


def connection_lane(
    store: Store, traffic: Traffic, span: Span, id_: int, view: View, now_ns: float
) -> ConnectionLane | None:
    """Return the lane of a connection, or None when it is no longer known.

    *span* holds the requests in view.
    """
    row = store.connections.get(id_)
    if row is None:
        return None
    closed = row[3]
    left, right = cut(view, row[2], now_ns if closed is None else closed)
    bars: list[Bar] = []
    carried = InView(span, traffic.by_connection.get(id_, []))
    for request_id in _some(carried):
        request = store.requests.get(request_id)
        if request is not None:
            end = request[10]
            a, b = cut(view, request[9], now_ns if end is None else end)
            bars.append(Bar(a, max(b, a + 2), request_id, 0, f"#{request_id}", request[9], end))
    labels = [
        Label(bar.left, bar.right, 0, bar.text)
        for bar in bars
        if bar.right - bar.left >= LABEL_LEAST
    ]
    return ConnectionLane(row[1], left, right, closed is None, bars, labels)


def _some(keys: InView) -> list[int]:
    count = len(keys)
    if count <= MOST:
        return keys.part(0, count)
    return keys.part(0, count)[:: count // MOST + 1]


def opened(store: Store, view: View) -> list[int]:
    """Return in which pixels connections were accepted."""
    rows = store.connections.rows
    first = bisect_left(rows, view.start, key=_opened)
    last = bisect_left(rows, view.end, first, key=_opened)
    return sorted({int(view.x(row[2])) for row in rows[first : last : (last - first) // MOST + 1]})
