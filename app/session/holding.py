"""Pause, steps and pace, as the window asks for them."""

from __future__ import annotations

from collections.abc import Callable

from app.loop.hold import Hold
from app.widgets.hold_controls import HoldControls, HoldState, Step
from app.widgets.i18n import tr


class Holding(HoldControls):
    """Tells *hold* what to do. *clock* is the recorder's; *progress_of* grows with each stage of
    a request, and is 0 for one that is over. *failed* hears what cannot be done, in words."""

    def __init__(
        self,
        hold: Hold,
        clock: Callable[[], int],
        progress_of: Callable[[int], int],
        failed: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._hold, self._clock, self._progress_of = hold, clock, progress_of
        self._failed = failed
        self._paused_ns: int | None = None

    def state(self) -> HoldState:
        hold = self._hold
        return HoldState(hold.paused, hold.pace, len(hold.parked), self._paused_ns)

    def pause(self) -> None:
        self._paused_ns = self._clock()
        self._hold.pause()
        self.changed.emit()

    def resume(self) -> None:
        self._paused_ns = None
        self._hold.resume()
        self.changed.emit()

    def step(self, step: Step, request_id: int = 0) -> None:
        hold, before = self._hold, 0
        if step is Step.STAGE and request_id:
            before = self._progress_of(request_id)
            if not before:
                text = tr("Request #{number} is over: it has no next stage", number=request_id)
                self._failed(text)
                return
        if not hold.paused:
            self.pause()
        if step is Step.TICK:
            hold.step_tick()
        elif before:
            hold.step_until(lambda: self._progress_of(request_id) != before)
        else:
            hold.step_run()
        self.changed.emit()

    def set_pace(self, pace: float) -> None:
        self._hold.set_pace(pace)
        self.changed.emit()
