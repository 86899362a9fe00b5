"""A WebSocket's lane: one request that stays open, and the messages that pass on it."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from app.recording.events import Row, Stage, stages_of
from app.recording.store import Store

from .timeline_view import View

FEW = 400
"""Up to so many stages all are looked at."""
_PER_PIXEL = 6
_FLAT = 4
IN, OUT = "on_message", "write_message"
SWITCHING = 101


class Message(NamedTuple):
    """A message that came in or went out, in one pixel, with all that did the same there."""

    x: int
    incoming: bool


def is_websocket(row: Row) -> bool:
    """Whether a request's row became a WebSocket."""
    return bool(row[8] == SWITCHING)


def stages_in(store: Store, request_id: int, view: View) -> list[Stage]:
    """Return the stages of a request that may be seen in *view*, in the order they began.

    Of the very many stages of a WebSocket those are searched that began in the view, and not all
    of those in the same pixel are returned.
    """
    row = store.requests.get(request_id) or store.open_requests.get(request_id)
    flat: Row = () if row is None else row[19]
    count = len(flat) // _FLAT
    if count <= FEW:
        return stages_of(flat)
    places = range(count)

    def start(place: int) -> int:
        # Nearly in order: a stage stands after those that began within it.
        begin: int = flat[_FLAT * place + 1]
        return begin

    at = bisect_left(places, view.start, key=start)
    last = bisect_left(places, view.end, key=start)
    chosen = [*range(_PER_PIXEL * 4), *range(max(0, at - FEW), at)]
    while at < last:
        chosen += range(at, min(last, at + _PER_PIXEL))
        pixel = int(view.x(start(at)))
        at = max(at + _PER_PIXEL, bisect_left(places, view.time(pixel + 1), at, last, key=start))
    flat = tuple(item for n in sorted(set(chosen)) for item in flat[_FLAT * n : _FLAT * (n + 1)])
    return stages_of(flat)


def messages(stages: list[Stage], view: View) -> list[Message]:
    """Return the messages among *stages*, those of one direction in one pixel merged."""
    found = {
        Message(int(view.x(stage.start_ns)), stage.name == IN): None
        for stage in stages
        if stage.name in (IN, OUT) and view.start <= stage.start_ns < view.end
    }
    return list(found)
