"""The versions that were served, for the window: undo, redo, back to any."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Signal

from app.server.site import Problem
from app.server.versions import Version, Versions

from .controls import Controls


class SiteHistory(QObject):
    """Notes each site that comes to be served, whoever changed it."""

    changed = Signal()

    def __init__(self, controls: Controls, parent: QObject) -> None:
        super().__init__(parent)
        self._controls = controls
        self.versions = Versions()
        controls.server_changed.connect(self._note)
        self._note()

    def _note(self) -> None:
        if self.versions.note(self._controls.site, time.time()):
            self.changed.emit()

    def go_to(self, number: int) -> list[Problem]:
        """Serve a version again; return what keeps it from being served."""
        return self._controls.apply(self.versions.going_to(number))

    def before(self) -> Version | None:
        """What undo would serve."""
        return self.versions.before()

    def after(self) -> Version | None:
        """What redo would serve."""
        return self.versions.after()
