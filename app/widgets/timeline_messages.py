"""A WebSocket's lane: one request that stays open, and the messages that pass on it."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from app.recording.events import Row, Stage, stages_of
from app.recording.store import Store

from .timeline_view import View

FEW = 400
"""Up to so many stages in view all are looked at."""
_LOOK = 64
"""How many stages are looked at where very many stand in the same few pixels."""
APART = 4
"""How far apart marks of messages are at least looked for, in pixels."""
_FLAT = 4
IN, OUT = "on_message", "write_message"
SWITCHING = 101


class Message(NamedTuple):
    """A message that came in or went out, with all that did the same in a few pixels."""

    x: int
    incoming: bool


def is_websocket(row: Row) -> bool:
    """Whether a request's row became a WebSocket."""
    return bool(row[8] == SWITCHING)


def stages_in(store: Store, request_id: int, view: View) -> list[Stage]:
    """Return the stages of a request that may be seen in *view*, in the order they began.

    Of a WebSocket with very many those are searched that began in the view. Where they stand too
    close to be told apart, `messages_in` has them.
    """
    flat = _flat(store, request_id)
    count = len(flat) // _FLAT
    if count <= FEW:
        return stages_of(flat)
    first, last = _between(flat, view.start, view.end)
    chosen = [*range(FEW // 8), *range(max(0, first - FEW), first)]
    if last - first <= FEW:
        chosen += range(first, last)
    places = sorted(set(chosen))
    return stages_of(tuple(item for n in places for item in flat[_FLAT * n : _FLAT * (n + 1)]))


def messages_in(store: Store, request_id: int, view: View) -> list[Message]:
    """Return the messages in *view*, those too close to be told apart merged."""
    flat = _flat(store, request_id)
    at, last = _between(flat, view.start, view.end)
    found: list[Message] = []
    while at < last:
        start: float = flat[_FLAT * at + 1]
        near = _place(flat, max(start + 1, view.time(int(view.x(start)) + APART)), at, last)
        near = max(at + 1, near)
        known: dict[str, int] = {}
        for place in range(at, min(near, at + _LOOK)):
            name = flat[_FLAT * place]
            if name in (IN, OUT) and name not in known:
                known[name] = int(view.x(flat[_FLAT * place + 1]))
        found += (Message(x, name == IN) for name, x in known.items())
        at = near
    return found


def _flat(store: Store, request_id: int) -> Row:
    row = store.requests.get(request_id) or store.open_requests.get(request_id)
    return () if row is None else row[19]


def _between(flat: Row, start_ns: float, end_ns: float) -> tuple[int, int]:
    """Return the places from which up to which stages began in a span."""
    count = len(flat) // _FLAT
    first = _place(flat, start_ns, 0, count)
    return first, _place(flat, end_ns, first, count)


def _place(flat: Row, time_ns: float, first: int, last: int) -> int:
    # They are nearly in order: a stage stands after those that began within it.
    return bisect_left(range(last), time_ns, first, last, key=lambda n: flat[_FLAT * n + 1])
