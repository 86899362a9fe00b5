"""The loop between two ticks: sockets in the selector, timers, and the ready queue."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QPalette, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.recording.store import Store

from .controls import Controls
from .i18n import tr
from .loop_board import CHIPS, Board
from .parts import SteadyLabel
from .theme import Theme

MOST = 12_000
"""The heat map shows no more sockets than this."""


class LoopNowPanel(QWidget):
    """Shows `Controls.loop_now`: at most eight times a second while things happen, else once."""

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
        self.board = Board(theme)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.note)
        layout.addWidget(self.board, 1)
        self.board.chosen.connect(self.request_selected)
        self._asked = 0.0
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._look_again)
        theme.changed.connect(self.board.restyle)
        self.retranslate()

    def refresh(self) -> None:
        """Ask again how the loop stands, unless it was just asked; thousands are asked less."""
        now = time.monotonic()
        before = self.board.state
        pause = 0.12 if before.socket_count <= 1000 else 0.5 if before.socket_count < 4000 else 0.95
        if not self.isVisible() or now - self._asked < pause:
            return
        self._asked = now
        state = self._controls.loop_now(CHIPS)
        if state.socket_count > CHIPS:
            state = self._controls.loop_now(min(state.socket_count, MOST))
        self.board.show_state(state)
        self._say()

    def _look_again(self) -> None:
        if time.monotonic() - self._asked > 0.9:
            self.refresh()

    def _say(self) -> None:
        state = self.board.state
        text = tr("tick {tick}", tick=f"{state.tick_id:,}")
        self.note.say(text + " · " + tr("{count} ready", count=f"{state.ready_count:,}"))

    def showEvent(self, event: QShowEvent) -> None:
        self._clock.start()
        QTimer.singleShot(0, self.refresh)

    def hideEvent(self, event: QHideEvent) -> None:
        self._clock.stop()

    def retranslate(self) -> None:
        """Set all texts again in the chosen language."""
        self.setAccessibleName(tr("Loop now"))
        self._say()
        self.board.update()
