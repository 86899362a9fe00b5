"""Where the cards of the window stand: kept between starts, put aside for the centre alone."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal
from PySide6.QtWidgets import QMainWindow

_VERSION = 1
"""Of what is remembered; another one is ignored."""


class Arrangement(QObject):
    """Saves and restores where a window's docks stand."""

    changed = Signal(bool)
    """Whether the centre stands alone now."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._before: QByteArray | None = None
        """How the docks stood until the centre stood alone."""

    @property
    def alone(self) -> bool:
        """Whether only the centre is shown."""
        return self._before is not None

    def state(self) -> QByteArray:
        """Return how the docks stand, or will when the centre stands alone no more."""
        return self._before or self._window.saveState(_VERSION)

    def restore(self, state: QByteArray) -> bool:
        """Let the docks stand as in *state*; return whether it is one of this version."""
        self._before = None
        restored = self._window.restoreState(state, _VERSION)
        self.changed.emit(False)
        return restored

    def toggle_alone(self) -> None:
        """Give the centre all the room, or the docks theirs again."""
        if self._before is not None:
            self.restore(self._before)
            return
        self._before = self._window.saveState(_VERSION)
        for dock in self._window.docks:  # type: ignore[attr-defined]
            dock.hide()
        self.changed.emit(True)

    def save(self, settings: QSettings) -> None:
        """Remember where they stand."""
        settings.setValue("window/geometry", self._window.saveGeometry())
        settings.setValue("window/state", self.state())

    def load(self, settings: QSettings) -> bool:
        """Restore what was remembered; return whether the docks were."""
        geometry = settings.value("window/geometry", QByteArray(), type=QByteArray)
        state = settings.value("window/state", QByteArray(), type=QByteArray)
        if isinstance(geometry, QByteArray) and not geometry.isEmpty():
            self._window.restoreGeometry(geometry)
        return isinstance(state, QByteArray) and not state.isEmpty() and self.restore(state)
