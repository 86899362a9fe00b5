"""The timeline: what is drawn for a store, and how the view moves."""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.recording.events import CLIENT, WINDOW
from app.recording.store import Store
from app.widgets.theme import Theme
from app.widgets.timeline import FRAME_MS, TimelinePanel
from app.widgets.timeline_arrows import arrows
from app.widgets.timeline_lanes import lane, run_bars
from app.widgets.timeline_list import InView, requests_in
from app.widgets.timeline_strip import late_left
from app.widgets.timeline_view import View, duration, moment

from .sample import MS, Sample, batch, drawing, request, store_of

NOW = 300 * MS


class Clock:
    """A present that a test moves."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def in_view(store: Store, start_ns: float, end_ns: float) -> InView:
    """All requests of a store that overlap a span."""
    ids = [row[0] for row in store.requests.rows]
    return InView(requests_in(store, start_ns, end_ns), ids)


def view_of(start_ms: float, span_ms: float, width: int = 1000) -> View:
    view = View()
    view.width = width
    view.following = False
    view.start = start_ms * MS
    view.scale = span_ms * MS / width
    return view


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def panel(qtbot: QtBot, clock: Clock) -> TimelinePanel:
    panel = TimelinePanel(store_of(drawing()), Theme(), clock)
    qtbot.addWidget(panel)
    panel.resize(900, 420)
    panel.show()
    qtbot.waitExposed(panel)
    qtbot.waitUntil(lambda: len(panel.canvas.shown) == 6)
    qtbot.waitUntil(lambda: panel._timer.isActive() is False)
    return panel


def middle_of(panel: TimelinePanel, request_id: int) -> QPoint:
    """A point on the bar of a request."""
    one, top = next(pair for pair in panel.canvas.shown if pair[0].request_id == request_id)
    lay = panel.canvas.lay
    return QPoint(lay.label + (max(one.left, 0) + one.right) // 2, top + lay.heights.lane // 2)


def wheel(panel: TimelinePanel, x: float, turn: int, *, shift: bool = False) -> None:
    at = QPointF(x, 100)
    keys = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        at, panel.canvas.mapToGlobal(at), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton,
        keys, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    panel.canvas.wheelEvent(event)


# -- What is drawn ------------------------------------------------------------------------------


def test_lanes_are_the_requests_that_overlap_the_span() -> None:
    store = store_of(drawing())
    assert in_view(store, 0, 200 * MS).part(0, 99) == [101, 102, 103, 104, 105, 106]
    assert in_view(store, 110 * MS, 118 * MS).part(0, 99) == [102, 103]
    assert in_view(store, 0, 2 * MS).part(0, 99) == []
    assert len(in_view(store, 190 * MS, 300 * MS)) == 0


def test_open_and_long_requests_stay_in_view_after_many_short_ones() -> None:
    s = Sample()
    s.requests.append(request(1, 0, None))
    s.requests.append(request(2, s.at(1), s.at(900), 200))
    s.requests += [request(n, s.at(n), s.at(n + 0.5), 200) for n in range(3, 950)]
    store = store_of(s.batch())
    ids = in_view(store, 800 * MS, 810 * MS)
    assert ids.part(0, 99) == [1, 2, *range(800, 810)]
    assert ids.part(1, 3) == [2, 800]
    assert [ids.place(n) for n in (1, 2, 800, 809, 3, 810)] == [0, 1, 2, 11, None, None]


def test_crowded_lanes_are_sampled_steadily() -> None:
    s = Sample()
    s.requests += [request(n, s.at(n / 10), s.at(n / 10 + 0.05), 200) for n in range(1, 5001)]
    store = store_of(s.batch())
    first, step = in_view(store, 100 * MS, 200 * MS).sample(10, 0)
    later, same = in_view(store, 101 * MS, 201 * MS).sample(10, step)
    assert step == same
    assert step % 2 == 1
    assert 3 <= len(first) <= 10
    assert set(first[1:]) <= set(later)


def test_stages_nest_and_are_named_where_they_ran() -> None:
    store = store_of(drawing())
    one = lane(store, 101, view_of(0, 50), NOW)
    assert one is not None
    assert [(bar.text, bar.depth) for bar in one.stages] == [
        ("prepare", 0), ("get", 0), ("finish", 1), ("on_finish", 2),
    ]  # fmt: skip
    get = next(label for label in one.labels if label.text == "get")
    finish = next(bar for bar in one.stages if bar.text == "finish")
    assert get.right <= finish.left


def test_a_wait_is_labelled_with_what_is_awaited_and_how_long() -> None:
    store = store_of(drawing())
    one = lane(store, 102, view_of(0, 200), NOW)
    assert one is not None
    assert [bar.text for bar in one.waits] == ["Future #17 · 87 ms"]
    assert [label.text for label in one.labels if label.depth >= 0] == ["get", "get"]


def test_an_open_wait_grows_to_the_present() -> None:
    store = store_of(drawing(open_end=True))
    view = view_of(0, 1000)
    before, after = lane(store, 103, view, 300 * MS), lane(store, 103, view, 400 * MS)
    assert before is not None
    assert after is not None
    assert after.waits[0].right - before.waits[0].right == 100
    assert after.waits[0].text == "sleep #3 · 330 ms"
    assert after.note == ()


def test_simultaneous_waits_share_the_bar() -> None:
    s = Sample()
    s.requests.append(request(1, 0, s.at(100), 200))
    s.wait(1, "gather #1", 10, 90)
    s.wait(1, "sleep #1", 20, 80)
    s.wait(1, "sleep #2", 92, 95)
    one = lane(store_of(s.batch()), 1, view_of(0, 100), NOW)
    assert one is not None
    assert [bar.depth for bar in one.waits] == [0, 1, 0]
    assert one.wait_rows == 2


def test_the_connections_wait_for_the_handler_is_not_the_requests_own() -> None:
    s = Sample()
    s.requests.append(request(1, 0, s.at(100), 200))
    s.wait(1, "HTTP1Connection._read_message_inner #1", 1, 100)
    s.wait(1, "Future #2", 2, 90)
    one = lane(store_of(s.batch()), 1, view_of(0, 100), NOW)
    assert one is not None
    assert [bar.text for bar in one.waits] == ["Future #2 · 88 ms"]
    assert one.wait_rows == 1


def test_an_error_is_said_beside_the_lane() -> None:
    one = lane(store_of(drawing()), 104, view_of(0, 200), NOW)
    assert one is not None
    assert one.bad
    assert one.note == ("403 Forbidden", "no token")


def test_an_arrow_leads_from_the_resolving_run_to_the_waking_one() -> None:
    store = store_of(drawing())
    view = view_of(0, 200)
    lanes = [one for n in range(101, 107) if (one := lane(store, n, view, NOW)) is not None]
    (arrow,) = arrows(store, lanes, view)
    assert (arrow.from_lane, arrow.to_lane, arrow.woken) == (4, 1, 102)
    assert arrow.to_x == 140 * 5
    assert 122 * 5 <= arrow.from_x <= 138 * 5
    assert arrows(store, lanes[:4], view) == []
    (alone,) = arrows(store, lanes[:4], view, selected=102)
    assert alone.from_lane == -1


def test_runs_within_one_pixel_are_merged() -> None:
    s = Sample()
    for n in range(5000):
        s.run(n / 10, n / 10 + 0.05, WINDOW)
    s.run(900, 950, WINDOW)
    s.run(510, 511, CLIENT)
    view = view_of(0, 1000, 500)
    bars = run_bars(store_of(s.batch()), WINDOW, view, 0, 1000 * MS)
    assert len(bars) < 10
    assert bars[0].left == 0
    assert bars[-1][:2] == (450, 475)


# -- The view -----------------------------------------------------------------------------------


def test_following_moves_by_whole_pixels() -> None:
    view = View(200 * MS)
    view.resize(800)
    view.follow(1000.3 * MS)
    start = view.start
    assert view.x(1000.3 * MS) == pytest.approx(0.94 * 800, abs=1)
    assert not view.follow(1000.4 * MS)
    assert view.follow(1003.3 * MS)
    assert (view.start - start) / view.scale == pytest.approx(12)


def test_the_ruler_has_round_figures() -> None:
    view = view_of(0, 200, 640)
    assert [text for _, text in view.lines(76)] == ["0 ms", "50 ms", "100 ms", "150 ms"]
    view.zoom(1e-3, 0)
    assert [text for _, text in view.lines(76)] == ["0 µs", "50 µs", "100 µs", "150 µs"]
    view.start = -60_000
    assert view.lines(76)[0][1] == "−50 µs"


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        *((0, "0 ns"), (850, "850 ns"), (12_300, "12.3 µs"), (999_999, "1 ms")),
        *((86_000_000, "86 ms"), (4_130_000, "4.13 ms"), (1_250_000_000, "1.25 s")),
    ],
)
def test_durations_have_three_digits(ns: float, text: str) -> None:
    assert duration(ns) == text


def test_moments_are_exact() -> None:
    assert moment(12_345_678_900) == "12.345 679 s"
    assert moment(62_000_001_000) == "1:02.000 001 s"


# -- The panel ----------------------------------------------------------------------------------


def test_a_click_selects_the_request(qtbot: QtBot, panel: TimelinePanel) -> None:
    with qtbot.waitSignal(panel.request_selected) as told:
        QTest.mouseClick(panel.canvas, Qt.MouseButton.LeftButton, pos=middle_of(panel, 104))
    assert told.args == [104]
    assert panel.canvas.request_id == 104


def test_a_drag_pans_and_selects_nothing(qtbot: QtBot, panel: TimelinePanel) -> None:
    start = panel.canvas.view.start
    with qtbot.assertNotEmitted(panel.request_selected):
        at = middle_of(panel, 104)
        QTest.mousePress(panel.canvas, Qt.MouseButton.LeftButton, pos=at)
        QTest.mouseMove(panel.canvas, at + QPoint(-60, 0))
        QTest.mouseRelease(panel.canvas, Qt.MouseButton.LeftButton, pos=at + QPoint(-60, 0))
    view = panel.canvas.view
    assert (view.start - start) / view.scale == pytest.approx(60)
    assert not panel.following


def test_the_wheel_zooms_about_the_pointer(panel: TimelinePanel) -> None:
    view, x = panel.canvas.view, 333.0
    time, span = view.time(x), view.span
    wheel(panel, panel.canvas.lay.label + x, 240)
    assert view.span < span
    assert view.time(x) == pytest.approx(time)
    wheel(panel, panel.canvas.lay.label + x, -240)
    assert view.span == pytest.approx(span)


def test_shift_and_wheel_pan(panel: TimelinePanel) -> None:
    view = panel.canvas.view
    start, span = view.start, view.span
    wheel(panel, panel.canvas.lay.label + 300, 120, shift=True)
    assert view.start < start
    assert view.span == span


def test_f_toggles_following(qtbot: QtBot, panel: TimelinePanel) -> None:
    QTest.keyClick(panel, Qt.Key.Key_F)
    assert not panel.following
    assert not panel.tools.follow.isChecked()
    panel.canvas.view.pan(-5000)
    QTest.keyClick(panel, Qt.Key.Key_F)
    assert panel.following
    assert panel.tools.follow.isChecked()
    qtbot.waitUntil(lambda: len(panel.canvas.shown) == 6)


def test_keys_move_the_view(qtbot: QtBot, panel: TimelinePanel) -> None:
    view = panel.canvas.view
    start, span = view.start, view.span
    QTest.keyClick(panel, Qt.Key.Key_Left)
    assert view.start < start
    QTest.keyClick(panel, Qt.Key.Key_Minus)
    assert view.span > span
    QTest.keyClick(panel, Qt.Key.Key_Home)
    assert view.start <= 4 * MS < view.end
    QTest.keyClick(panel, Qt.Key.Key_0)
    assert view.start < 4 * MS
    assert view.end > 189 * MS
    QTest.keyClick(panel, Qt.Key.Key_End)
    assert panel.following


def test_up_and_down_go_from_lane_to_lane(qtbot: QtBot, panel: TimelinePanel) -> None:
    chosen: list[int] = []
    panel.request_selected.connect(chosen.append)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up):
        QTest.keyClick(panel, key)
    assert chosen == [101, 102, 101]


def test_a_double_click_shows_the_whole_request(qtbot: QtBot, panel: TimelinePanel) -> None:
    at = middle_of(panel, 104)
    QTest.mouseDClick(panel.canvas, Qt.MouseButton.LeftButton, pos=at)
    view = panel.canvas.view
    assert view.start < 80 * MS
    assert 106 * MS < view.end < 115 * MS
    assert not panel.following


def test_nothing_is_repainted_when_nothing_happens(
    qtbot: QtBot, panel: TimelinePanel, clock: Clock
) -> None:
    frames = panel.canvas.frames
    for _ in range(5):
        clock.now += 50 * MS
        panel.refresh()
        qtbot.wait(5)
    qtbot.waitUntil(lambda: not panel._timer.isActive())
    assert panel.canvas.frames == frames
    assert panel.tools.state.text() == "idle"


def test_the_windows_own_runs_do_not_wake_it(
    qtbot: QtBot, panel: TimelinePanel, clock: Clock
) -> None:
    frames = panel.canvas.frames
    clock.now += 1000 * MS
    run = (9000, 9000, clock.now - MS, clock.now, "own", WINDOW, 0, 0, 0)
    panel._store.apply(batch(runs=[run]))
    panel.refresh()
    qtbot.wait(3 * FRAME_MS)
    assert panel.canvas.frames == frames


def test_an_open_request_keeps_the_present_going(qtbot: QtBot, clock: Clock) -> None:
    panel = TimelinePanel(store_of(drawing(open_end=True)), Theme(), clock)
    qtbot.addWidget(panel)
    panel.show()
    qtbot.waitUntil(lambda: panel.canvas.frames > 0)
    start = panel.canvas.view.start
    clock.now += 100 * MS
    qtbot.waitUntil(lambda: panel.canvas.view.start > start)
    assert panel.tools.state.text() == "live"
    panel.set_paused(clock.now)
    qtbot.waitUntil(lambda: not panel._timer.isActive())
    assert panel.tools.state.text() == "paused"


def test_an_empty_store_says_what_will_appear(qtbot: QtBot) -> None:
    panel = TimelinePanel(Store(), Theme(), Clock())
    qtbot.addWidget(panel)
    panel.show()
    qtbot.waitUntil(lambda: panel.canvas.frames > 0)
    panel.moves.fit()
    QTest.keyClick(panel, Qt.Key.Key_Down)
    assert panel.canvas.words_at(QPoint(5, 300)) == ""


def test_tooltips_have_the_exact_figures(panel: TimelinePanel) -> None:
    canvas = panel.canvas
    x = canvas.lay.label + round(canvas.view.x(100 * MS))
    _, top = canvas.shown[1]
    words = canvas.words_at(QPoint(x, top + 10))
    assert "#102 GET /wait" in words
    assert "waits for Future #17 · 87 ms" in words
    assert "(#105)" in words
    loop = canvas.words_at(QPoint(x, canvas.lay.loop_top + 2))
    assert "belongs to: #104" in loop
    assert "its tick: select 25 µs, handles 1, timers 2, sockets 4" in loop
    assert "tick" in loop
    assert "Painting" in canvas.words_at(QPoint(x, canvas.lay.window_top + 2))


def test_names_from_outside_are_not_markup(qtbot: QtBot, clock: Clock) -> None:
    s = Sample()
    s.requests.append(request(1, s.at(10), s.at(200), 200, "GET /<img src=x>"))
    s.run(10, 200, 1)
    panel = TimelinePanel(store_of(s.batch()), Theme(), clock)
    qtbot.addWidget(panel)
    panel.show()
    qtbot.waitUntil(lambda: len(panel.canvas.shown) == 1)
    assert "<img" not in panel.canvas.words_at(middle_of(panel, 1))


def test_a_scrolled_strip_equals_one_drawn_at_once(qtbot: QtBot, clock: Clock) -> None:
    whole = drawing()
    panel = TimelinePanel(store_of(whole), Theme(), clock)
    other = TimelinePanel(Store(), Theme(), clock)
    for each in (panel, other):
        qtbot.addWidget(each)
        each.resize(900, 420)
        each.show()
    other._store.apply(whole._replace(runs=[], ticks=[]))
    for run, tick in zip(whole.runs, whole.ticks, strict=True):
        other._store.apply(batch(runs=[run], ticks=[tick]))
        other._frame()
        other.canvas.repaint()
    panel._frame()
    other.canvas.view.start = panel.canvas.view.start
    panel.canvas.repaint()
    other.canvas.repaint()
    lay = panel.canvas.lay
    images = [each.canvas.grab().toImage() for each in (panel, other)]
    for x in range(lay.label, panel.canvas.width()):
        y = lay.loop_top + lay.loop_height - 2
        assert images[0].pixel(x, y) == images[1].pixel(x, y)


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 500, 5000])
def test_a_place_is_found_from_the_end(count: int) -> None:
    rows = [(number // 2 * 2,) for number in range(count)]
    for value in range(-1, count + 3):
        expected = bisect_left(rows, value, key=itemgetter(0))
        assert late_left(rows, value, itemgetter(0)) == expected
