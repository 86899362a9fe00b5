"""What the timeline draws for requests: from a store to lanes in pixels. Pure functions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from http.client import responses
from itertools import pairwise
from typing import NamedTuple

from app.recording.events import Row, Stage
from app.recording.lookup import SHORT_NS
from app.recording.store import CONNECTIONS_WAIT, Store

from .i18n import tr
from .timeline_messages import Message, is_websocket, messages_in, stages_in
from .timeline_view import View, duration

MANY_RUNS = 400
MANY_WAITS = 200
DOT = 3
"""Below this width, in pixels, a lane is a mere dot of this width."""
NARROW = 7
"""Below this width, in pixels, a lane shows its runs and waits only."""
LABEL_LEAST = 20
"""The narrowest bar, in pixels, that is worth a word."""
LEFT_BEHIND_NS = 1_000_000_000
"""How long after its end a lane shows what a request left behind."""


class Bar(NamedTuple):
    """One rectangle in a lane, from *left* up to *right*, cut at the edges of the view.

    ``key`` is a stage's place, or the id of a wait or a run. ``depth`` counts the stages around
    a stage, and the simultaneous waits before a wait.
    """

    left: int
    right: int
    key: int
    depth: int
    text: str
    start_ns: int
    end_ns: int | None


class Label(NamedTuple):
    """A word in a lane and the room that it has."""

    left: int
    right: int
    depth: int
    text: str


class Lane(NamedTuple):
    """One request as it is drawn. ``note`` stands to the right of what happened.

    The words of a note are English texts, to be translated.
    """

    request_id: int
    title: str
    left: int
    right: int
    stages: list[Bar]
    runs: list[Bar]
    waits: list[Bar]
    wait_rows: int
    labels: list[Label]
    note: tuple[str, ...]
    bad: bool
    blocks: list[Bar]
    messages: list[Message]
    websocket: bool
    thin: bool


def lane(
    store: Store,
    request_id: int,
    view: View,
    now_ns: float,
    *,
    blocks: Iterable[Bar] = (),
    thin: bool = False,
) -> Lane | None:
    """Return the lane of a request, or None when it is no longer known.

    *blocks* are those in view, of all owners. A *thin* lane has no stages and no words.
    """
    row = store.requests.get(request_id) or store.open_requests.get(request_id)
    if row is None:
        return None
    begin, end = row[9], row[10]
    until = now_ns if end is None else end
    left, right = cut(view, begin, until)
    socket = is_websocket(row)
    title = f"#{request_id} {'WS' if socket else row[3]} {row[4]}"
    note, bad = _note(store, row)
    own = [bar for bar in blocks if bar.key == request_id]
    empty = Lane(
        *(request_id, title, left, right, [], [], [], 1, [], note, bad, own, [], socket, thin)
    )
    if right - left < DOT:
        return empty
    known = stages_in(store, request_id, view) if right - left >= NARROW and not thin else []
    stages = _stages(known, view, now_ns)
    runs = run_bars(store, request_id, view, begin, until)
    if socket:
        waits, wait_rows = _next_message(store, request_id, view, left, right, now_ns), 1
    else:
        waits, wait_rows = _waits(store, request_id, view, now_ns)
    if runs:
        left, right = min(left, runs[0].left), max(right, min(runs[-1].right, view.width + 2))
    return empty._replace(
        left=left,
        right=right,
        stages=stages,
        runs=runs,
        waits=waits,
        wait_rows=wait_rows,
        labels=[] if thin else _labels(stages, waits, runs, own),
        messages=messages_in(store, request_id, view) if socket else [],
    )


def cut(view: View, start_ns: float, end_ns: float) -> tuple[int, int]:
    begin, per, edge = view.start, 1 / view.scale, view.width + 1
    left, right = (start_ns - begin) * per, (end_ns - begin) * per
    a = -2 if left < -2 else edge if left > edge else int(left)
    b = -1 if right < -1 else edge + 1 if right > edge else int(right)
    return a, b if b > a else a + 1


def _stages(stages: list[Stage], view: View, now_ns: float) -> list[Bar]:
    bars = []
    around: list[float] = []
    for seq, (name, start, end, _detail) in enumerate(stages):
        until = now_ns if end is None else end
        while around and around[-1] <= start:
            around.pop()
        depth = len(around)
        around.append(until)
        if until >= view.start and start < view.end:
            bars.append(Bar(*cut(view, start, until), seq, depth, name, start, end))
    return bars


def _waits(store: Store, request_id: int, view: View, now_ns: float) -> tuple[list[Bar], int]:
    bars: list[Bar] = []
    ends: list[float] = []
    for row in _wait_rows(store, request_id, view):
        start, end = row[5], row[6]
        until = now_ns if end is None else end
        if until < view.start:
            continue
        depth = next((n for n, busy in enumerate(ends) if busy <= start), len(ends))
        if depth == len(ends):
            if depth == 3:
                continue
            ends.append(until)
        else:
            ends[depth] = until
        left, right = cut(view, start, until)
        if right - left > 1 or not bars or bars[-1].right < right:
            text = f"{row[3]} · {duration(until - start)}" if right - left >= LABEL_LEAST else ""
            bars.append(Bar(left, right, row[0], depth, text, start, end))
    return bars, max(1, len(ends))


def _next_message(
    store: Store, request_id: int, view: View, left: int, right: int, now_ns: float
) -> list[Bar]:
    """All of a WebSocket's life is one wait, but for its messages; the last one gets the words."""
    row = store.requests.get(request_id)
    begin, until = (0, None) if row is None else (row[9], row[10])
    bars = [Bar(left, right, 0, 0, "", begin, until)]
    ids = store.wait_ids(request_id)
    wait = store.waits.get(ids[-1]) if ids else None
    if wait is not None and wait[6] is None:
        text = tr("the next message · {time}", time=duration(now_ns - wait[5]))
        bars.append(Bar(*cut(view, wait[5], now_ns), wait[0], 0, text, wait[5], None))
    return bars


def _wait_rows(store: Store, request_id: int, view: View) -> list[Row]:
    """The newest of a request's waits that began before the view ends, oldest first."""
    ids = store.wait_ids(request_id, LEFT_BEHIND_NS)
    get = store.waits.get
    last = len(ids)
    if last > MANY_WAITS:
        last = bisect_left(ids, view.end, key=lambda id_: (get(id_) or _NO_WAIT)[5])
    rows = [row for id_ in ids[max(0, last - MANY_WAITS) : last] if (row := get(id_))]
    return [row for row in rows if row[5] < view.end and not row[3].startswith(CONNECTIONS_WAIT)]


_NO_WAIT: Row = (0, 0, 0, "", "", 0, 0, 0)


def run_bars(store: Store, owner: int, view: View, begin_ns: float, end_ns: float) -> list[Bar]:
    """Return the runs of *owner* within a span and the view, those in one pixel merged."""
    ids = store.run_ids(owner, LEFT_BEHIND_NS)
    runs = store.runs
    if not ids or not runs:
        return []
    first, last = 0, len(ids)
    if last > 16:
        # The runs' rows are in the order of time, and so are their ids.
        since, until = max(view.start, begin_ns - SHORT_NS), min(view.end, end_ns + SHORT_NS)
        at = runs.ended(since)
        first = bisect_left(ids, runs.id_at(at)) if at < len(runs) else last
        at = runs.started(until)
        last = bisect_left(ids, runs.id_at(at), first) if at < len(runs) else last
    return _merged(store, ids, first, last, view)


def _merged(store: Store, ids: list[int], at: int, last: int, view: View) -> list[Bar]:
    bars: list[Bar] = []
    runs, x, edge = store.runs, view.x, view.width + 2
    many = last - at > MANY_RUNS
    while at < last:
        row = runs.get(ids[at])
        at += 1
        if row is None:
            continue
        left, right = x(row[2]), x(row[3])
        if right < 0 or left > edge:
            continue
        a, b = max(-2, int(left)), min(edge, max(int(left) + 1, int(right)))
        if bars and a <= bars[-1].right and b - a <= 1:
            if b > bars[-1].right:
                bars[-1] = bars[-1]._replace(right=b, end_ns=row[3])
        else:
            bars.append(Bar(a, b, row[0], 0, "", row[2], row[3]))
        if many:
            # The next that matters begins in a later pixel.
            later = runs.started(view.time(b))
            if later == len(runs):
                break
            at = bisect_left(ids, runs.id_at(later), at, last)
    return bars


def _labels(stages: list[Bar], waits: list[Bar], runs: list[Bar], blocks: list[Bar]) -> list[Label]:
    """Give each stage its name wherever it has room: where it ran, outside its inner stages."""
    labels = [Label(w.left, w.right, -1 - w.depth, w.text) for w in waits if w.text]
    for place, stage in enumerate(stages):
        if stage.right - stage.left < LABEL_LEAST:
            continue
        taken = [(w.left, w.right) for w in waits if w.right > stage.left and w.left < stage.right]
        taken += [(b.left, b.right) for b in blocks]
        taken += [(a.right, b.left) for a, b in pairwise(runs) if b.left - a.right > 2]
        if runs:
            taken += [(-9, runs[0].left), (runs[-1].right, stage.right)]
        for inner in stages[place + 1 :]:
            if inner.depth <= stage.depth:
                break
            taken.append((inner.left, inner.right))
        taken.sort()
        left = stage.left
        for a, b in (*taken, (stage.right, stage.right)):
            a = min(a, stage.right)
            if a - left >= LABEL_LEAST:
                labels.append(Label(left, a, stage.depth, stage.text))
            left = max(left, b)
    return labels


def _note(store: Store, row: Row) -> tuple[tuple[str, ...], bool]:
    status, end = row[8], row[10]
    if row[18] == "aborted":
        return ("aborted",), True
    if status is not None and status >= 400:
        verdicts = store.xsrf.get(row[0]) if status == 403 else None
        why = verdicts[-1][1].replace("-", " ") if verdicts else "passed"
        words = f"{status} {responses.get(status, '')}".strip()
        return (words,) if why in ("passed", "safe method") else (words, why), True
    return (duration(end - row[9]),) if end is not None else (), False
