"""Where the loop was blocked, as bars for its own lane and for the lane of whoever blocked it."""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter

from app.recording.store import Store

from .timeline_lanes import Bar, cut
from .timeline_view import View, duration

MOST = 400
_start, _end = itemgetter(6), itemgetter(7)


def blocks_in(store: Store, view: View) -> list[Bar]:
    """Return the blocks in view, the newest `MOST`. The key of a bar is its owner."""
    rows = store.blocks.rows
    first = bisect_left(rows, view.start, key=_end)
    last = bisect_left(rows, view.end, first, key=_start)
    return [
        Bar(*cut(view, row[6], row[7]), row[2], 0, duration(row[7] - row[6]), row[6], row[7])
        for row in rows[max(first, last - MOST) : last]
    ]
