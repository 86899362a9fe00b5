"""The versions that were served, for the window: undo, redo, back to any."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.server.site import Problem, Site
from app.server.versions import Version, Versions

from .controls import Controls
from .i18n import tr


class SiteHistory(QObject):
    """Notes each site that comes to be served, whoever changed it.

    *apply* serves a site, or says what keeps it from being served.
    """

    changed = Signal()
    said = Signal(str)
    failed = Signal(str)
    """There is nothing to go to; the text says so in English."""

    def __init__(
        self, controls: Controls, apply: Callable[[Site], list[Problem]], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._controls = controls
        self._apply = apply
        self.versions = Versions()
        controls.server_changed.connect(self._note)
        self._note()

    def _note(self) -> None:
        if self.versions.note(self._controls.site, time.time()):
            self.changed.emit()

    def undo(self) -> None:
        """Serve again what was served before the last apply, whichever editor it came from."""
        self._serve(self.versions.before(), "There is no earlier version")

    def redo(self) -> None:
        """Serve again what `undo` took back."""
        self._serve(self.versions.after(), "There is no later version")

    def serve(self, number: int) -> bool:
        """Serve a version again; return whether that went well."""
        if not self._controls.editable or self._apply(self.versions.going_to(number)):
            return False
        self.said.emit(tr("Version {number} is served", number=number))
        return True

    def _serve(self, version: Version | None, none: str) -> None:
        if version is None:
            self.failed.emit(none)
        else:
            self.serve(version.number)
