"""Who woke whom: arrows from the run that resolved a Future to the run that it woke."""

from __future__ import annotations

from typing import NamedTuple

from app.recording.store import Store

from .timeline_lanes import NARROW, Lane
from .timeline_view import View


class Arrow(NamedTuple):
    """From the run that resolved a Future to the run that it woke. A lane of -1 is the loop's."""

    from_lane: int
    from_x: int
    to_lane: int
    to_x: int
    woken: int


def arrows(store: Store, lanes: list[Lane], view: View, selected: int = 0) -> list[Arrow]:
    """Return who woke whom among *lanes*: across requests, and all that concerns *selected*."""
    found: list[Arrow] = []
    places = {lane.request_id: place for place, lane in enumerate(lanes)}
    for place, of in enumerate(lanes):
        for bar in of.waits:
            wait = store.waits.get(bar.key)
            run = store.runs.get(wait[7]) if wait is not None else None
            if wait is None or run is None or wait[6] is None:
                continue
            if not 0 <= view.x(wait[6]) <= view.width:
                continue
            owner = run[5]
            source = places.get(owner, -1)
            if owner == of.request_id or (source < 0 and of.request_id != selected):
                continue
            if source >= 0 and max(of.right - of.left, _width(lanes[source])) < NARROW:
                continue
            from_x = round(view.x((run[2] + run[3]) / 2))
            found.append(Arrow(source, from_x, place, round(view.x(wait[6])), of.request_id))
    return found


def _width(lane: Lane) -> int:
    return lane.right - lane.left
