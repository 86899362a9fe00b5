"""The controls of time: pause the server, step it, and slow it down."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from .hold_controls import HoldControls, Step
from .i18n import tr
from .parts import IconButton, label, set_property
from .theme import Theme

PACES = (1, 2, 5, 10, 20, 50, 100)
"""How many times as long everything takes."""


class HoldBar(QWidget):
    """Pause, three kinds of steps, and the pace. *selected* tells which request is looked at."""

    def __init__(self, hold: HoldControls, theme: Theme, selected: Callable[[], int]) -> None:
        super().__init__()
        self._hold = hold
        self._theme = theme
        self._selected = selected
        self._shown: object = None
        self.pause = IconButton(theme, "pause", "Pause the server", self.toggle, flat=False)
        self.run = IconButton(theme, "step", "Step: one run", self.step_run, flat=False)
        self.tick = IconButton(theme, "step-tick", "Step: one tick", self.step_tick, flat=False)
        self.stage = IconButton(
            theme, "step-stage", "Step: to the request's next stage", self.step_stage, flat=False
        )
        self.pace = QComboBox()
        for pace in PACES:
            self.pace.addItem(f"1/{pace}" if pace > 1 else "1\N{MULTIPLICATION SIGN}", pace)
        self.pace.activated.connect(lambda at: hold.set_pace(1 / PACES[at]))
        self.state: QLabel = label(role="held")
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._buttons = (self.pause, self.run, self.tick, self.stage)
        for widget in (*self._buttons, self.pace, self.state):
            self._layout.addWidget(widget)
        hold.changed.connect(self.refresh)
        theme.changed.connect(self.restyle)
        self.restyle()
        self.retranslate()

    def restyle(self) -> None:
        """Take sizes from the theme."""
        self._layout.setSpacing(self._theme.px(4))

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        for button in self._buttons:
            button.retranslate()
        self.pace.setAccessibleName(tr("The server's pace"))
        self.pace.setToolTip(tr("The server's pace: its clock slows down with it"))
        self._shown = None
        self.refresh()

    def refresh(self) -> None:
        """Show how the server is held; cheap when nothing changed."""
        state = self._hold.state()
        if state == self._shown:
            return
        self._shown = state
        picture, name = "pause", "Pause the server"
        if state.paused:
            picture, name = "play", "Resume the server"
        if self.pause.picture != picture:
            self.pause.picture, self.pause.name = picture, name
            self.pause.restyle()
            self.pause.retranslate()
            set_property(self.pause, "held", state.paused)
        self.pace.setCurrentIndex(PACES.index(round(1 / state.pace)))
        self.state.setVisible(state.paused)
        if state.paused:
            self.state.setText(tr("paused · {count} ready", count=state.parked))

    def toggle(self) -> None:
        """Pause the server, or let it go on."""
        if self._hold.state().paused:
            self._hold.resume()
        else:
            self._hold.pause()

    def step_run(self) -> None:
        """Let one handle of the server run."""
        self._hold.step(Step.RUN)

    def step_tick(self) -> None:
        """Let all of the server's handles run that are ready."""
        self._hold.step(Step.TICK)

    def step_stage(self) -> None:
        """Let the server run until the selected request reaches its next stage."""
        self._hold.step(Step.STAGE, self._selected())

    def slower(self) -> None:
        """Go to the next slower pace."""
        self._go_to(self.pace.currentIndex() + 1)

    def faster(self) -> None:
        """Go to the next faster pace."""
        self._go_to(self.pace.currentIndex() - 1)

    def _go_to(self, at: int) -> None:
        if 0 <= at < len(PACES):
            self._hold.set_pace(1 / PACES[at])
