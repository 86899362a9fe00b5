"""What a command does that takes long: how far it is, and a way to give it up."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton

from .controls import Controls
from .i18n import tr
from .parts import label, set_property
from .theme import Theme

_PATIENCE_MS = 500
"""How long something may take until it is told of."""
_STOP = "Shift+Esc"


class WorkStrip(QFrame):
    """Is seen while something takes longer than half a second."""

    def __init__(self, controls: Controls, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._controls, self._theme = controls, theme
        self.text: QLabel = label()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.cancel = QPushButton()
        self.cancel.clicked.connect(controls.stop_work)
        self.cancel.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        shortcut = QShortcut(QKeySequence(_STOP), self)
        shortcut.activated.connect(self.cancel.click)
        self._layout = QHBoxLayout(self)
        self._layout.addWidget(self.text)
        self._layout.addWidget(self.bar, 1)
        self._layout.addWidget(self.cancel)
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._patience.timeout.connect(self.show)
        # One command may be several pieces of work, one right after the other.
        self._over = QTimer(self, singleShot=True, interval=0)
        self._over.timeout.connect(self._end)
        controls.work_changed.connect(self._show_work)
        theme.changed.connect(self._restyle)
        set_property(self, "kind", "note")
        self.hide()
        self._restyle()
        self.retranslate()

    def _show_work(self, what: str, may_stop: bool, share: float) -> None:
        if not what:
            self._over.start()
            return
        self._over.stop()
        if self.isHidden() and not self._patience.isActive():
            self._patience.start()
        self.text.setText(what)
        self.cancel.setEnabled(may_stop)
        self._show_tip()
        self.bar.setRange(0, 0 if share < 0 else 100)
        self.bar.setValue(int(share * 100))

    def _end(self) -> None:
        self._patience.stop()
        self.hide()

    def _restyle(self) -> None:
        px = self._theme.px
        self._layout.setContentsMargins(px(10), px(4), px(6), px(4))
        self._layout.setSpacing(px(10))
        self.bar.setFixedHeight(px(6))

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.cancel.setText(tr("Cancel"))
        self._show_tip()
        self.bar.setAccessibleName(tr("Progress"))

    def _show_tip(self) -> None:
        tip = tr("Give it up: nothing is served, as before (Shift+Esc)")
        if self._controls.serving_at:
            tip = tr("Give it up: what was served before goes on (Shift+Esc)")
        self.cancel.setToolTip(tip)
