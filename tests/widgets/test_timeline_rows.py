"""The timeline's rows: connections, WebSockets, groups, filters, blocks; and what they cost."""

from __future__ import annotations

from functools import partial

import pytest

from app.recording.events import Batch, Row
from app.recording.store import Capacity, Store
from app.widgets.timeline_blocks import blocks_in
from app.widgets.timeline_groups import Columns, lasting
from app.widgets.timeline_lanes import Lane, lane
from app.widgets.timeline_long import connection_lane
from app.widgets.timeline_measure import Measure, exactly
from app.widgets.timeline_messages import Message
from app.widgets.timeline_rows import (
    CONNECTION,
    CONNECTIONS,
    GROUP,
    MANY,
    REQUEST,
    SEVERAL,
    WEBSOCKET,
    Heights,
    Placed,
    Rows,
)
from app.widgets.timeline_rows import Row as Key
from app.widgets.timeline_ticks import parts
from app.widgets.timeline_traffic import CLIENT, ROUTE, Traffic
from app.widgets.timeline_view import View

from .sample import MS, US, Sample, batch, drawing, message, request, steps_of, store_of

HEIGHTS = Heights(lane=30, thin=20, head=20, foot=20)
NOW = 300.0 * MS


def view_of(start_ms: float, span_ms: float, width: int = 1000) -> View:
    view = View()
    view.width, view.following = width, False
    view.start, view.scale = start_ms * MS, span_ms * MS / width
    return view


def connection(id_: int, opened_ms: float, closed_ms: float | None = None) -> Row:
    closed = None if closed_ms is None else round(closed_ms * MS)
    reason = None if closed is None else "closed"
    return (id_, f"127.0.0.1:{4000 + id_}", round(opened_ms * MS), closed, 0, 0, 9, reason)


def on(connection_id: int, row: Row) -> Row:
    """The same request on another connection."""
    return (row[0], connection_id, *row[2:])


def socket(id_: int, start_ms: float, end_ms: float | None) -> Row:
    """A WebSocket."""
    stages = ("get", round(start_ms * MS), None, None)
    end = None if end_ms is None else round(end_ms * MS)
    row = request(id_, round(start_ms * MS), end, 101, "GET /chat", "upgraded")
    return (*row[:-1], stages)


def rows_of(store: Store, view: View) -> Rows:
    rows = Rows(store)
    rows.update(view, HEIGHTS)
    return rows


def keys(placed: list[Placed]) -> list[Key]:
    return [p.row for p in placed]


def everything(rows: Rows) -> list[Key]:
    return keys(rows.arrange(10_000, 0, HEIGHTS, newest=False, following=False).rows)


# -- Connections and WebSockets ------------------------------------------------------------------


def test_long_lived_lanes_stand_above_the_requests() -> None:
    requests = [socket(1, 5, None), on(2, request(2, 10 * MS, 20 * MS, 200))]
    store = store_of(batch(connections=[connection(1, 4), connection(2, 9)], requests=requests))
    assert everything(rows_of(store, view_of(0, 100))) == [
        (WEBSOCKET, 1), (CONNECTIONS, ""), (CONNECTION, 1), (CONNECTION, 2), (REQUEST, 2),
    ]  # fmt: skip


def test_connections_are_those_that_were_open_in_the_span() -> None:
    store = Store()
    store.apply(batch(connections=[connection(n, n * 10) for n in range(1, 5)]))
    rows = rows_of(store, view_of(0, 100))
    store.apply(batch(connections=[connection(1, 10, 15), connection(2, 20, 500)]))

    def seen(start_ms: float, span_ms: float) -> list[int]:
        rows.update(view_of(start_ms, span_ms), HEIGHTS)
        return [int(row.key) for row in everything(rows) if row.kind == CONNECTION]

    assert seen(0, 12) == [1]
    assert seen(16, 10) == [2]
    assert seen(400, 50) == [2, 3, 4]
    assert seen(600, 50) == [3, 4]


def test_connections_that_come_as_others_go_are_seen_as_they_are() -> None:
    store = Store(capacity=Capacity(connections=20))
    store.apply(batch(connections=[connection(n, n) for n in range(1, 5)]))
    rows = rows_of(store, view_of(0, 100))

    def seen(start_ms: float) -> list[int]:
        rows.update(view_of(start_ms, 50), HEIGHTS)
        rows.choice.folds[Key(CONNECTIONS, "")] = False
        return [int(row.key) for row in everything(rows) if row.kind == CONNECTION]

    store.apply(batch(connections=[connection(2, 2, 200), connection(5, 100)]))
    assert seen(90) == [1, 2, 3, 4, 5]
    assert seen(300) == [1, 3, 4, 5]
    store.apply(batch(connections=[connection(5, 100, 400), connection(6, 300, 500)]))
    assert seen(350) == [1, 3, 4, 5, 6]
    assert seen(600) == [1, 3, 4]
    store.apply(batch(connections=[connection(n, 700) for n in range(7, 27)]))
    assert store.connections.last_forgotten
    assert seen(800) == [n for n in (3, 4, *range(7, 27)) if n > store.connections.last_forgotten]


def test_what_waits_in_crowds_costs_a_frame_no_steps() -> None:
    steps = []
    for count in (100, 3000):
        idle = [connection(n, n / 1000) for n in range(1, count)]
        waiting = [on(n, request(n, n * US)) for n in range(1, count // 4)]
        store = store_of(batch(connections=idle, requests=waiting))
        frame = partial(rows_of(store, view_of(0, 100)).update, view_of(500, 100), HEIGHTS)
        steps.append(steps_of(frame))
    assert steps[1] < 1.5 * steps[0]


def test_a_connection_carries_its_requests() -> None:
    requests = [
        on(7, request(1, 10 * MS, 20 * MS, 200)),
        on(8, request(2, 12 * MS, 14 * MS, 200)),
        on(7, request(3, 50 * MS, 90 * MS, 200)),
    ]
    store = store_of(batch(connections=[connection(7, 5, 95)], requests=requests))
    rows = rows_of(store, view_of(0, 100))
    made = connection_lane(store, rows.traffic, rows.span, 7, view_of(0, 100), NOW)
    assert made is not None
    assert (made.left, made.right, made.open) == (50, 950, False)
    assert [(bar.left, bar.right, bar.key) for bar in made.requests] == [
        (100, 200, 1), (500, 900, 3),
    ]  # fmt: skip
    assert [label.text for label in made.labels] == ["#1", "#3"]


def test_many_connections_are_folded_until_asked_for() -> None:
    many = [connection(n, n) for n in range(1, SEVERAL + 2)]
    rows = rows_of(store_of(batch(connections=many)), view_of(0, 100))
    assert everything(rows) == [(CONNECTIONS, "")]
    rows.toggle(Key(CONNECTIONS, ""))
    rows.update(view_of(0, 100), HEIGHTS)
    assert len(everything(rows)) == 1 + len(many)


def test_connections_do_not_fold_and_unfold_all_the_time() -> None:
    store = store_of(batch(connections=[connection(n, n * 10, n * 10 + 5) for n in range(1, 10)]))
    rows, head = Rows(store), Key(CONNECTIONS, "")
    seen = []
    for start, span in ((0, 95), (20, 45), (20, 25), (20, 75)):
        rows.update(view_of(start, span), HEIGHTS)
        seen.append((len(rows.under[head]), rows.is_folded(head)))
    assert seen == [(9, True), (5, True), (3, False), (8, False)]


def socket_lane(messages: list[tuple[str, float]], view: View) -> Lane:
    """The lane of a WebSocket with messages: their directions and when they passed."""
    rows = [message(n, 1, round(at * MS), way) for n, (way, at) in enumerate(messages, 1)]
    store = store_of(batch(requests=[socket(1, 0, None)], messages=rows))
    made = lane(store, 1, view, 9000 * MS)
    assert made is not None
    return made


def test_messages_are_marks_and_stages_of_the_websockets_lane() -> None:
    made = socket_lane([("in", 20), ("out", 20.02), ("out", 60)], view_of(0, 100))
    assert made.websocket
    assert made.title == "#1 WS /chat"
    assert sorted(made.messages) == [
        Message(200, False), Message(200, True), Message(600, False),
    ]  # fmt: skip
    assert [bar.text for bar in made.stages] == [
        "get", "on_message", "write_message", "write_message",
    ]  # fmt: skip


def test_of_very_many_messages_those_in_view_are_drawn() -> None:
    every_ms = [("in", float(n)) for n in range(1, 5001)]
    near = socket_lane(every_ms, view_of(3000, 10))
    assert [m.x for m in near.messages] == [n * 100 for n in range(10)]
    assert len(near.stages) < 600
    far = socket_lane(every_ms, view_of(0, 5000))
    assert 100 < len(far.messages) <= 1000
    assert max(m.x for m in far.messages) > 990


# -- Groups, filter ------------------------------------------------------------------------------


def many(count: int) -> Store:
    """Requests to three routes, one in ten of them failed, each 0.2 ms after the other."""
    s = Sample()
    for n in range(1, count + 1):
        status = 500 if n % 10 == 0 else 200
        row = request(n, s.at(n / 5), s.at(n / 5 + 0.1), status, f"GET /{n % 3}")
        s.requests.append((*row[:2], ("Alice", "Bob")[n % 2], *row[3:]))
    return store_of(s.batch())


def test_very_many_requests_are_grouped_by_route() -> None:
    store = many(MANY)
    rows = rows_of(store, view_of(0, 100))
    assert everything(rows) == [(GROUP, "/1"), (GROUP, "/2"), (GROUP, "/0")]
    rows.toggle(Key(GROUP, "/2"))
    rows.update(view_of(0, 100), HEIGHTS)
    assert [row for row in everything(rows) if row.kind == REQUEST] == [
        (REQUEST, n) for n in range(2, MANY, 3)
    ]
    rows.update(view_of(0, 30), HEIGHTS)
    assert rows.grouped is False


def test_requests_can_be_grouped_by_client_or_never() -> None:
    rows = rows_of(many(30), view_of(0, 100))
    rows.choice.grouping = CLIENT
    rows.update(view_of(0, 100), HEIGHTS)
    assert everything(rows) == [(GROUP, "Bob"), (GROUP, "Alice")]
    rows.choice.grouping = ROUTE
    rows.update(view_of(0, 100), HEIGHTS)
    assert everything(rows) == [(GROUP, "/1"), (GROUP, "/2"), (GROUP, "/0")]


def test_a_groups_columns_count_what_began_and_what_failed() -> None:
    store = many(50)
    traffic = Traffic(store)
    traffic.update()
    view = view_of(0, 100)
    columns = Columns(store, view)
    found = {name: columns.of(ids, traffic.failed.get(name, [])) for name, ids in
             traffic.groups.items()}  # fmt: skip
    assert sum(column.requests for each in found.values() for column in each) == 50
    assert sum(column.failed for each in found.values() for column in each) == 5
    first = found["/1"][0]
    assert (first.left, first.requests) == (0, 1)


def test_a_request_that_fails_later_is_counted_then() -> None:
    store = store_of(batch(requests=[request(1, 0, None)]))
    traffic = Traffic(store)
    traffic.update()
    assert traffic.failed == {}
    store.apply(batch(requests=[request(1, 0, 9 * MS, 503)]))
    traffic.update()
    assert traffic.failed == {"/": [1]}


def test_what_began_before_the_view_is_seen_in_its_group() -> None:
    store = store_of(batch(requests=[request(1, 0, 150 * MS, 200)]))
    assert lasting(store, [1], view_of(100, 100), NOW) == 500


def test_the_filter_keeps_lanes_with_all_its_words() -> None:
    requests = [
        on(1, request(1, 1 * MS, 2 * MS, 200, "GET /story/7")),
        on(2, request(2, 3 * MS, 4 * MS, 200, "POST /login")),
    ]
    open_ = [connection(1, 0), connection(2, 0), connection(3, 0)]
    store = store_of(batch(connections=open_, requests=requests))
    rows = rows_of(store, view_of(0, 100))
    rows.traffic.choose("Login post")
    rows.update(view_of(0, 100), HEIGHTS)
    assert everything(rows) == [(CONNECTIONS, ""), (CONNECTION, 2), (REQUEST, 2)]
    store.apply(batch(requests=[request(3, 5 * MS, 6 * MS, 200, "POST /login")]))
    rows.update(view_of(0, 100), HEIGHTS)
    assert everything(rows)[-1] == (REQUEST, 3)
    rows.traffic.choose("")
    rows.update(view_of(0, 100), HEIGHTS)
    assert len(everything(rows)) == 7


def test_kinds_of_lanes_are_hidden() -> None:
    requests = [socket(1, 5, None), request(2, 10 * MS, 20 * MS, 200)]
    rows = rows_of(store_of(batch(connections=[connection(1, 4)], requests=requests)), View())
    rows.choice.hidden = {CONNECTION, WEBSOCKET}
    rows.update(view_of(0, 100), HEIGHTS)
    assert everything(rows) == [(REQUEST, 2)]


def test_forgotten_requests_leave_the_lanes() -> None:
    store = many(90)
    rows = rows_of(store, view_of(0, 100))
    store.requests.forget(60)
    rows.update(view_of(0, 100), HEIGHTS)
    assert everything(rows) == [(REQUEST, n) for n in range(61, 91)]


# -- What there is room for ----------------------------------------------------------------------


def test_the_newest_requests_are_seen_below_the_long_lived() -> None:
    requests = [socket(1, 0, None), *(request(n, n * MS, n * MS + US, 200) for n in range(2, 22))]
    rows = rows_of(store_of(batch(requests=requests)), view_of(0, 100))
    found = rows.arrange(300, 0, HEIGHTS, newest=True, following=True)
    assert keys(found.rows) == [(WEBSOCKET, 1), *((REQUEST, n) for n in range(14, 22))]
    assert [p.top for p in found.rows] == [n * 30 for n in range(9)]
    assert found.hidden == 21 - 9
    assert found.step == 0
    back = rows.arrange(300, 30, HEIGHTS, newest=False, following=True)
    assert keys(back.rows)[:2] == [(REQUEST, 2), (REQUEST, 3)]
    assert back.rows[0].top == 0


def test_long_lived_lanes_leave_room_for_requests() -> None:
    requests = [socket(n, n, None) for n in range(1, 31)]
    requests += [request(n, n * MS, n * MS + US, 200) for n in range(31, 51)]
    rows = rows_of(store_of(batch(requests=requests)), view_of(0, 100))
    found = keys(rows.arrange(320, 0, HEIGHTS, newest=True, following=True).rows)
    assert [row.key for row in found if row.kind == WEBSOCKET] == [27, 28, 29, 30]
    assert [row.key for row in found if row.kind == REQUEST] == [45, 46, 47, 48, 49, 50]


def test_the_keys_go_through_all_rows() -> None:
    requests = [socket(1, 5, None), request(2, 10 * MS, 20 * MS, 200)]
    rows = rows_of(
        store_of(batch(connections=[connection(1, 4)], requests=requests)), view_of(0, 100)
    )
    order, row = [], rows.beside(None, 1)
    while row is not None:
        order.append(row)
        row = rows.beside(row, 1)
    assert order == everything(rows)
    assert rows.beside(None, -1) == order[-1]
    assert [rows.top_of(row) for row in order] == [(0, 30), (30, 20), (50, 20), (70, 30)]


# -- Blocks, ticks, measuring --------------------------------------------------------------------


def blocked() -> Batch:
    block = (1, 2, 102, "b.py", 3, "get", 44 * MS, 53 * MS, "", 0, 0, "[]")
    return drawing()._replace(blocks=[block])


def test_a_block_is_a_bar_for_the_loop_and_for_its_request() -> None:
    store, view = store_of(blocked()), view_of(0, 200)
    (bar,) = blocks_in(store, view)
    assert (bar.left, bar.right, bar.text) == (220, 265, "9 ms")
    assert blocks_in(store, view_of(60, 100)) == []
    guilty, other = (lane(store, id_, view, NOW, blocks=[bar]) for id_ in (102, 103))
    assert guilty is not None
    assert other is not None
    assert guilty.blocks == [bar]
    assert other.blocks == []
    # The stage's name makes room for it.
    assert all(label.right <= 220 or label.left >= 265 for label in guilty.labels)


def test_a_thin_lane_has_runs_and_waits_only() -> None:
    made = lane(store_of(drawing()), 102, view_of(0, 200), NOW, thin=True)
    assert made is not None
    assert made.stages == []
    assert made.labels == []
    assert made.runs
    assert made.waits


def test_wide_ticks_name_their_parts() -> None:
    ticks: list[Row] = [(1, 0, 100 * US, 900 * US, 2, 0, 3)]
    runs: list[Row] = [
        (1, 1, 100 * US, 400 * US, "read fd 9", 0, 0, 0, 0),
        (2, 1, 400 * US, 900 * US, "_set_result_unless_cancelled", 5, 0, 1, 50 * US),
    ]
    store = store_of(batch(ticks=ticks, runs=runs))
    assert [(part.kind, part.name) for part in parts(store, view_of(0, 1))] == [
        ("select", "select"), ("socket", "read fd 9"), ("timer", "_set_result_unless_cancelled"),
    ]  # fmt: skip
    assert parts(store, view_of(0, 1000)) == []


def test_a_measured_span_counts_runs_and_requests() -> None:
    store = store_of(drawing())
    traffic = Traffic(store)
    traffic.update()
    found = Measure(142.5 * MS, 121.2 * MS).of(store, traffic)
    # 105 from its first run on, 102 woken by it, 103 asleep meanwhile.
    assert found == (21_300_000, 3, 3)
    assert Measure(500 * MS, 600 * MS).of(store, traffic) == (100_000_000, 0, 0)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        *((999, "999 ns"), (12_345, "12.345 µs"), (1_000_001, "1.000 001 ms")),
        (61_234_567_890, "61.234 567 890 s"),
    ],
)
def test_a_measured_duration_is_exact(ns: int, text: str) -> None:
    assert exactly(ns) == text
