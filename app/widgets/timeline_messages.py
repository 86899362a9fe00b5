"""A WebSocket's lane: one request that stays open, and the messages that pass on it."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from app.recording import events
from app.recording.events import Row, Stage, stages_of
from app.recording.store import SWITCHING, Store

from .timeline_view import View

FEW = 400
"""Up to so many messages in view have a stage each."""
_LOOK = 64
"""How many messages are looked at where very many stand in the same few pixels."""
APART = 4
"""How far apart marks of messages are at least looked for, in pixels."""
_TIME, _DIRECTION = 2, 4
_NO_MESSAGE: Row = (0, 0, 0, 0, "", "", 0, b"", 0, None)


class Message(NamedTuple):
    """A message that came in or went out, with all that did the same in a few pixels."""

    x: int
    incoming: bool


def is_websocket(row: Row) -> bool:
    """Whether a request's row became a WebSocket."""
    return bool(row[8] == SWITCHING)


def stages_in(store: Store, request_id: int, view: View) -> list[Stage]:
    """Return the stages of a request that may be seen in *view*, in the order they began.

    Of a WebSocket those messages are among them that began in the view or shortly before. Where
    they stand too close to be told apart, `messages_in` has them.
    """
    row = store.requests.get(request_id) or store.open_requests.get(request_id)
    if row is None:
        return []
    stages = stages_of(row[19])
    if is_websocket(row):
        ids = store.message_ids(request_id)
        first, last = _place(store, ids, view.start), _place(store, ids, view.end)
        if last - first > FEW:
            last = first
        rows = map(store.messages.get, ids[max(0, first - FEW) : last])
        stages += [events.Message(*found).stage for found in rows if found is not None]
        stages.sort(key=lambda stage: stage.start_ns)
    return stages


def messages_in(store: Store, request_id: int, view: View) -> list[Message]:
    """Return the messages in *view*, those too close to be told apart merged."""
    ids = store.message_ids(request_id)
    at, last = _place(store, ids, view.start), _place(store, ids, view.end)
    found: list[Message] = []
    while at < last:
        start: float = _row(store, ids[at])[_TIME]
        near = _place(store, ids, max(start + 1, view.time(int(view.x(start)) + APART)), at, last)
        near = max(at + 1, near)
        known: dict[str, int] = {}
        for id_ in ids[at : min(near, at + _LOOK)]:
            row = _row(store, id_)
            known.setdefault(row[_DIRECTION], int(view.x(row[_TIME])))
        found += (Message(x, direction == "in") for direction, x in known.items())
        at = near
    return found


def counts_of(store: Store, request_id: int) -> tuple[int, int]:
    """Return how many messages came in and went out."""
    ids = store.message_ids(request_id)
    came = sum(_row(store, id_)[_DIRECTION] == "in" for id_ in ids)
    return came, len(ids) - came


def _row(store: Store, id_: int) -> Row:
    return store.messages.get(id_) or _NO_MESSAGE


def _place(
    store: Store, ids: list[int], time_ns: float, first: int = 0, last: int | None = None
) -> int:
    return bisect_left(ids, time_ns, first, last, key=lambda id_: _row(store, id_)[_TIME])
