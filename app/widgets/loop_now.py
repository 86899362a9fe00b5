"""The loop between two ticks: sockets in the selector, timers, the ready queue, what just ran."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QPalette, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.recording.flow import passages
from app.recording.snapshot import Socket
from app.recording.store import Store

from .controls import Controls
from .i18n import tr
from .loop_board import FRAME_MS, Board
from .loop_columns import CHIPS
from .loop_tokens import KEPT
from .parts import SteadyLabel
from .refresher import BUSY
from .theme import Theme

MOST = 12_000
"""The heat map shows no more sockets than this."""
SLICE = 1_000
"""How many of thousands of sockets are asked for at a time."""
_SLICE_MS = 50
"""The time between two slices, in ms."""
_ROUND_S = 2.0
"""The least time between two rounds through all of them, in s."""
_ROWS = 60
"""How many timers and handles there may be room for."""
_PAUSE_S = 0.12
_LOADED_MS = 100
"""How long a picture of what moves stands while the loop has much to do, in ms."""


class LoopNowPanel(QWidget):
    """Shows `Controls.loop_now`: at most eight times a second while things happen, else once.

    What ran between two looks is shown as it went, from the store.
    """

    request_selected = Signal(int)

    def __init__(self, store: Store, controls: Controls, theme: Theme) -> None:
        super().__init__()
        self._store = store
        self._controls = controls
        self._theme = theme
        self.note = SteadyLabel(theme, Qt.AlignmentFlag.AlignRight)
        """The line above; it may be moved into a card's head."""
        self.note.setObjectName("cardNote")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setContentsMargins(12, 8, 12, 0)
        self.board = Board(store, theme)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.note)
        layout.addWidget(self.board, 1)
        self.board.chosen.connect(self.request_selected)
        self._asked = 0.0
        self._many: list[Socket] = []
        """All of thousands of sockets, each as it was when it was asked for."""
        self._round: dict[int, Socket] = {}
        """Those that have been asked for anew, by descriptor."""
        self._place = 0
        """Where to go on."""
        self._round_due = 0.0
        self._slices = QTimer(self)
        self._slices.setInterval(_SLICE_MS)
        self._slices.timeout.connect(self._ask_more)
        self._last_run = -1
        """The last run that was shown; -1 when nothing has been seen yet."""
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._look_again)
        theme.changed.connect(self.board.restyle)
        self.retranslate()

    def refresh(self) -> None:
        """Ask again how the loop stands, unless it was just asked."""
        now = time.monotonic()
        if not self.isVisible() or now - self._asked < _PAUSE_S:
            return
        self._asked = now
        state = self._controls.loop_now(_ROWS if self._many else CHIPS)
        if state.socket_count > CHIPS:
            if now >= self._round_due and not self._slices.isActive():
                self._slices.start()
                self._ask_more()
            state = state._replace(sockets=self._many)
        elif self._many:
            self._forget_many()
            state = self._controls.loop_now(CHIPS)
        self._show_runs()
        self.board.show_state(state)
        self._say()

    def set_load(self, busy: float) -> None:
        """Take note of the share of the time in which the loop runs handles."""
        self.board.set_interval(_LOADED_MS if busy >= BUSY else FRAME_MS)

    def _ask_more(self) -> None:
        """Ask for some more of thousands of sockets, until all were asked for."""
        found = self._controls.loop_sockets(self._place, SLICE)
        self._place += len(found)
        self._round |= {socket.descriptor: socket for socket in found}
        over = len(found) < SLICE or self._place >= MOST
        if over or len(self._round) > len(self._many):
            self._many = list(self._round.values())
            self.board.show_state(self.board.state._replace(sockets=self._many))
        if over:
            self._slices.stop()
            self._round, self._place = {}, 0
            self._round_due = time.monotonic() + _ROUND_S

    def _forget_many(self) -> None:
        self._slices.stop()
        self._many, self._round, self._place, self._round_due = [], {}, 0, 0.0

    def _show_runs(self) -> None:
        """Let what ran since the last look move from where it stood then."""
        runs, seen = self._store.runs.rows, self._last_run
        if not runs or runs[-1][0] == seen:
            return
        self._last_run = runs[-1][0]
        if seen < 0:  # Nobody saw them move.
            self.board.settle(passages(self._store, runs[-1][0] - KEPT, KEPT))
            return
        room = self.board.tokens.room(runs[-1][0] - seen)
        if room:
            self.board.send(passages(self._store, seen, room))
        else:
            self._last_run = seen  # They go with those that follow.

    def _look_again(self) -> None:
        if time.monotonic() - self._asked > 0.9:
            self.refresh()

    def _say(self) -> None:
        state = self.board.state
        text = tr("tick {tick}", tick=f"{state.tick_id:,}")
        self.note.say(text + " · " + tr("{count} ready", count=f"{state.ready_count:,}"))

    def showEvent(self, event: QShowEvent) -> None:
        self._clock.start()
        QTimer.singleShot(0, self, self.refresh)

    def hideEvent(self, event: QHideEvent) -> None:
        self._clock.stop()
        self._last_run = -1
        self._forget_many()

    def retranslate(self) -> None:
        """Set all texts again in the chosen language."""
        self.setAccessibleName(tr("Loop now"))
        self.board.setAccessibleName(tr("Loop now"))
        self.board.setToolTip(
            tr("The arrow keys go from one thing to the next; Return selects its request.")
        )
        self._say()
        self.board.refresh()
