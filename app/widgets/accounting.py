"""What the loop's time went to, second by second, and what watching it cost."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject

from app.recording.recorder import Recorder
from app.recording.store import Store

from .metrics import SECOND_NS, Sums, measure, together

STEP_NS = SECOND_NS // 4
"""The figures are worked out for a quarter of a second at a time, each once."""
SETTLED_NS = 100_000_000
"""How long after its end a span is measured: by then all that began in it has been taken in."""
SECONDS = 60
"""How many seconds are kept."""


class RecordingCost(NamedTuple):
    """What it takes to record one thing of each kind, in ns: estimates."""

    run_ns: float = 0.0
    wait_ns: float = 0.0
    request_ns: float = 0.0
    stage_ns: float = 0.0

    def of(self, sums: Sums) -> float:
        """Return what recording all this took, in ns."""
        counts = (sums.runs, sums.waits, sums.requests, sums.stages)
        return sum(each * count for each, count in zip(self, counts, strict=True))


class Spent(NamedTuple):
    """The window's own time, in ns: to take in what was recorded, to update, and to paint."""

    intake_ns: int = 0
    update_ns: int = 0
    paint_ns: int = 0


class Lag(NamedTuple):
    """How late handles ran, in ns."""

    median_ns: int
    p99_ns: int
    max_ns: int


class Second(NamedTuple):
    """The figures of one second, or of a part of the first: shares of the time and rates.

    Recording happens within the runs, so it is in their shares too; ``lag`` is None when nothing
    ran of which it is known.
    """

    requests: float = 0.0
    server: float = 0.0
    client: float = 0.0
    window: float = 0.0
    loop: float = 0.0
    intake: float = 0.0
    update: float = 0.0
    paint: float = 0.0
    recording: float = 0.0
    lag: Lag | None = None

    @property
    def busy(self) -> float:
        """The share of the time in which the loop ran what was ready."""
        return min(1.0, self.server + self.client + self.window + self.loop)

    @property
    def observer(self) -> float:
        """The share of the time that watching took, with the estimate of recording."""
        return min(1.0, self.intake + self.update + self.paint + self.recording)


class Spending(QObject):
    """Notes the window's own time as it is spent: what a caller tells, and each painting."""

    def __init__(self, origin_ns: int = 0, clock: Callable[[], int] = Recorder.clock) -> None:
        super().__init__()
        self._origin_ns = origin_ns
        self._clock = clock
        self._steps: dict[int, Spent] = {}
        self._painting = False

    def add(self, start_ns: int, spent: Spent) -> None:
        """Note what was spent from *start_ns* on."""
        step = (start_ns - self._origin_ns) // STEP_NS
        self._steps[step] = _sum([self._steps.get(step, Spent()), spent])
        if len(self._steps) > 4 * SECONDS:  # While nothing is recorded, nobody takes them.
            del self._steps[next(iter(self._steps))]

    def frame(self, start_ns: int, taken_in_ns: int) -> None:
        """Note a frame that ends now: when it began, and when all that is new was taken in."""
        self.add(start_ns, Spent(taken_in_ns - start_ns, self._clock() - taken_in_ns))

    def take(self, until_ns: int) -> Spent:
        """Take what was spent in the steps that end at *until_ns* or before."""
        until = (until_ns - self._origin_ns) // STEP_NS
        return _sum([self._steps.pop(step) for step in list(self._steps) if step < until])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Measure how long a top-level widget takes to paint all that is stale in it."""
        if event.type() != QEvent.Type.UpdateRequest or self._painting:
            return False
        start = self._clock()
        self._painting = True
        try:
            watched.event(event)
        finally:
            self._painting = False
        self.add(start, Spent(paint_ns=self._clock() - start))
        return True


def _sum(parts: list[Spent]) -> Spent:
    return Spent(*map(sum, zip(Spent(), *parts, strict=True)))


class Accounting:
    """The figures of the last second, and of each whole second of the last minute.

    Each quarter of a second is measured once, when it is over; nothing is done while nothing is
    recorded. *clock* gives the present; None stands for a recording that has ended: its last
    minute is shown. *cost* is what recording is estimated to take.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], int] | None = Recorder.clock,
        cost: RecordingCost = RecordingCost(),
    ) -> None:
        self.store = store
        self.live = clock is not None
        """Whether this is the present, of which the observer's cost is known."""
        self.latest = Second()
        """The last second; its lag is that of the last whole one."""
        self.load = 0.0
        """The share of the last quarter of a second in which the loop was busy."""
        self.seconds: deque[Second] = deque(maxlen=SECONDS)
        """The whole seconds, oldest first, without a gap."""
        self.end_ns = 0
        """When the last of them ended."""
        self._clock = clock or (lambda: store.end_ns + SETTLED_NS)
        self._cost = cost
        # Whole seconds are counted from the beginning; of a recording, back from its end.
        self._origin_ns = store.origin_ns if clock else store.end_ns
        self._next = self._origin_ns
        if clock is None:
            known = -(-(store.end_ns - store.origin_ns) // SECOND_NS)
            self._next -= min(known, SECONDS) * SECOND_NS
        self.spending = Spending(self._origin_ns)
        self._steps: deque[tuple[Sums, Spent]] = deque(maxlen=SECOND_NS // STEP_NS)
        self._held: tuple[float, float] = (-math.inf, -math.inf)
        """From when to when the server was held last."""

    def set_held(self, held: bool) -> None:
        """Take note that the server is held back from now on, or goes on."""
        now = self._clock()
        since, until = self._held
        if until < now - SECOND_NS:
            since = now
        # Right after its release runs what had been held.
        self._held = (since, math.inf if held else now + STEP_NS)

    def advance(self) -> bool:
        """Measure what is over by now; return whether there was anything to measure."""
        over = self._clock() - SETTLED_NS - STEP_NS
        if over < self._next:
            return False
        behind = (over - self._next) // SECOND_NS
        if behind > SECONDS:
            self._next += (behind - SECONDS) * SECOND_NS
            self.spending.take(self._next)
        while self._next <= over:
            self._measure_step()
        lag = self.seconds[-1].lag if self.seconds else None
        self.latest = self._figures(self._sums(), lag)
        return True

    def end_of(self, back: int) -> int:
        """Return when the whole second ended that is so many back from the last."""
        return self.end_ns - back * SECOND_NS

    def back(self, end_ns: int) -> int:
        """Return how many seconds back from the last the one is that ended then."""
        return (self.end_ns - end_ns) // SECOND_NS

    def second_start(self, back: int) -> float:
        """Return when a whole second began, in s since the recording did."""
        return (self.end_of(back + 1) - self.store.origin_ns) / SECOND_NS

    def _measure_step(self) -> None:
        since, until = self._held
        start, self._next = self._next, self._next + STEP_NS
        held = start < until and self._next > since
        sums = measure(self.store, self._next, STEP_NS, held=held)
        self.load = sums.busy
        self._steps.append((sums, self.spending.take(self._next)))
        if (self._next - self._origin_ns) % SECOND_NS == 0:
            sums = self._sums()
            self.seconds.append(self._figures(sums, _lag(sums.lags)))
            self.end_ns = self._next

    def _sums(self) -> Sums:
        return together(sums for sums, _ in self._steps)

    def _figures(self, sums: Sums, lag: Lag | None) -> Second:
        spent = _sum([spent for _, spent in self._steps])
        runs = (sums.server_ns, sums.client_ns, sums.window_ns, sums.loop_ns)
        shares = [time / sums.span_ns for time in (*runs, *spent, self._cost.of(sums))]
        return Second._make((sums.requests * SECOND_NS / sums.span_ns, *shares, lag))


def _lag(lags: Sequence[int]) -> Lag | None:
    if not lags:
        return None
    ordered = sorted(lags)
    count = len(ordered)
    # The nearest rank: the smallest that so many are not above.
    return Lag(ordered[(count - 1) // 2], ordered[-(-count * 99 // 100) - 1], ordered[-1])
