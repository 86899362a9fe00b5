"""Whether edits are served while they are typed: a choice that is remembered."""

from __future__ import annotations

from PySide6.QtCore import QObject, QSettings, QTimer, Signal

PAUSE_MS = 700
"""How long nothing is typed until what is there is served, in ms."""
_SETTING = "editors/as_you_type"


class AsYouType(QObject):
    """While `on`, `due` comes a moment after the last edit."""

    due = Signal()
    changed = Signal(bool)

    def __init__(self, settings: QSettings | None, parent: QObject) -> None:
        super().__init__(parent)
        self._settings = settings
        self.on = settings is not None and settings.value(_SETTING, False, type=bool) is True
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self.due)

    def choose(self, on: bool) -> None:
        """Serve while typing from now on, or only when asked."""
        if on == self.on:
            return
        self.on = on
        if self._settings is not None:
            self._settings.setValue(_SETTING, on)
        self.changed.emit(on)
        self.edited()

    def edited(self) -> None:
        """Take note of an edit."""
        if self.on:
            self._pause.start()
        else:
            self._pause.stop()
