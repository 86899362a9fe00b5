"""Second by second: each is worked out once, and what watching cost is part of it."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.recording.events import CLIENT, SERVER
from app.recording.store import Store
from app.widgets.accounting import (
    SECONDS,
    SETTLED_NS,
    Accounting,
    Lag,
    RecordingCost,
    Second,
    Spending,
    Spent,
)
from app.widgets.metrics import SECOND_NS

from .sample import MS, batch, request
from .test_metrics import run, tick

ORIGIN = 1_000 * SECOND_NS + 123


class Clock:
    """The present, as the test says."""

    def __init__(self) -> None:
        self.now = ORIGIN

    def __call__(self) -> int:
        return self.now

    def after(self, seconds: float) -> None:
        """Let so much of the recording have passed, and have been taken in."""
        self.now = ORIGIN + round(seconds * SECOND_NS) + SETTLED_NS


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_figures_come_a_quarter_of_a_second_at_a_time(clock: Clock) -> None:
    store = Store(ORIGIN)
    accounting = Accounting(store, clock)
    assert not accounting.advance()
    store.apply(
        batch(
            ticks=[tick(1, ORIGIN, ORIGIN + 100 * MS)],
            runs=[run(1, ORIGIN, ORIGIN + 100 * MS, waited=MS)],
            requests=[request(1, ORIGIN + MS)],
        )
    )
    clock.after(0.249)
    assert not accounting.advance()
    clock.after(0.25)
    assert accounting.advance()
    assert not accounting.advance()
    assert accounting.latest.server == pytest.approx(0.4)
    assert accounting.load == pytest.approx(0.4)
    assert list(accounting.seconds) == []
    clock.after(1)
    assert accounting.advance()
    assert accounting.latest.requests == 1
    assert list(accounting.seconds) == [accounting.latest]
    assert accounting.latest.server == pytest.approx(0.1)
    assert accounting.latest.lag == Lag(MS, MS, MS)
    assert accounting.load == 0
    clock.after(2)
    assert accounting.advance()
    assert accounting.latest == Second()
    assert [second.requests for second in accounting.seconds] == [1, 0]


def test_the_lag_in_three_figures(clock: Clock) -> None:
    store = Store(ORIGIN)
    accounting = Accounting(store, clock)
    runs = [run(n, ORIGIN + n * MS, ORIGIN + n * MS + 1, waited=n * 1000) for n in range(1, 201)]
    store.apply(batch(runs=runs))
    clock.after(1)
    accounting.advance()
    assert accounting.seconds[0].lag == Lag(100_000, 198_000, 200_000)


def test_after_a_long_rest_only_the_last_minute_is_worked_out(clock: Clock) -> None:
    store = Store(ORIGIN)
    accounting = Accounting(store, clock)
    day = 86_400
    store.apply(batch(runs=[run(1, ORIGIN + day * SECOND_NS, ORIGIN + (day + 1) * SECOND_NS)]))
    clock.after(day + 1)
    assert accounting.advance()
    assert len(accounting.seconds) == SECONDS
    assert [second.server for second in accounting.seconds][-2:] == [0, 1]
    assert accounting.end_ns == ORIGIN + (day + 1) * SECOND_NS
    assert accounting.second_start(0) == day


def test_while_the_server_is_held_its_lag_is_not_the_loops(clock: Clock) -> None:
    store = Store(ORIGIN)
    accounting = Accounting(store, clock)
    late = [
        run(1, ORIGIN + 100 * MS, ORIGIN + 101 * MS, waited=MS),
        run(2, ORIGIN + 5_100 * MS, ORIGIN + 5_101 * MS, SERVER, waited=4_000 * MS),
        run(3, ORIGIN + 5_101 * MS, ORIGIN + 5_102 * MS, CLIENT, waited=2 * MS),
        run(4, ORIGIN + 6_100 * MS, ORIGIN + 6_101 * MS, SERVER, waited=3 * MS),
    ]
    store.apply(batch(runs=late))
    clock.now = ORIGIN + 1_500 * MS
    accounting.set_held(True)
    clock.now = ORIGIN + 5_090 * MS
    accounting.set_held(False)
    clock.after(7)
    accounting.advance()
    lags = [second.lag.max_ns if second.lag else None for second in accounting.seconds]
    assert lags == [MS, None, None, None, None, 2 * MS, 3 * MS]


def test_what_watching_cost_belongs_to_the_second_in_which_it_was_spent(clock: Clock) -> None:
    store = Store(ORIGIN)
    cost = RecordingCost(1_000, 10_000, 100_000, 1_000_000)
    accounting = Accounting(store, clock, cost)
    stages = ("get", ORIGIN, None, None) * 2
    requests = [(*request(1, ORIGIN + MS)[:-1], stages)]
    waits = [(n, 1, 1, "f", "w", ORIGIN + n * MS, None, 0) for n in (1, 2, 3)]
    runs = [run(n, ORIGIN + n * MS, ORIGIN + n * MS + 9) for n in range(1, 5)]
    store.apply(batch(requests=requests, waits=waits, runs=runs))
    accounting.spending.add(ORIGIN + 200 * MS, Spent(10 * MS, 20 * MS))
    accounting.spending.add(ORIGIN + 900 * MS, Spent(1 * MS, 2 * MS, 30 * MS))
    accounting.spending.add(ORIGIN + 1_200 * MS, Spent(paint_ns=500 * MS))
    clock.after(1)
    accounting.advance()
    (second,) = accounting.seconds
    assert (second.intake, second.update, second.paint) == pytest.approx((0.011, 0.022, 0.030))
    # Four runs, three waits, a request and two stages.
    assert second.recording * SECOND_NS == pytest.approx(4_000 + 30_000 + 100_000 + 2_000_000)
    assert second.observer == pytest.approx(0.063 + 0.002_134)
    clock.after(2)
    accounting.advance()
    assert accounting.seconds[-1].paint == pytest.approx(0.5)


def test_of_a_recording_the_end_is_shown() -> None:
    store = Store()
    end = 3_400 * MS
    runs = [run(1, 0, 300 * MS), run(2, end - 250 * MS, end, CLIENT)]
    store.apply(batch(runs=runs, requests=[request(1, 3_000 * MS)]))
    accounting = Accounting(store, None)
    assert accounting.advance()
    assert not accounting.live
    assert accounting.latest.client == pytest.approx(0.25)
    assert accounting.latest.requests == 1
    assert [round(second.server, 2) for second in accounting.seconds] == [0.3, 0, 0, 0]
    assert accounting.end_ns == end
    assert not accounting.advance()


def test_painting_is_measured(qtbot: QtBot) -> None:
    now = iter(range(0, 10**9, 7 * MS))
    spending = Spending(clock=lambda: next(now))
    window, painted = QWidget(), []

    class Child(QWidget):
        def paintEvent(self, event: object) -> None:
            painted.append(event)

    child = Child(window)
    qtbot.addWidget(window)
    window.installEventFilter(spending)
    window.show()
    qtbot.waitUntil(lambda: bool(painted))
    spending.take(SECOND_NS)
    painted.clear()
    child.update()
    qtbot.waitUntil(lambda: bool(painted))
    assert spending.take(2 * SECOND_NS) == Spent(paint_ns=7 * MS)
