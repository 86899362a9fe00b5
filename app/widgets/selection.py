"""Which request is selected: one answer, shared by all panels."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class Selection(QObject):
    """The selected request. Selecting it in one panel selects it in all."""

    changed = Signal(int)
    """The number of the request selected now; 0 for none."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.request_id = 0

    def select(self, request_id: int) -> None:
        """Select a request by its number; 0 selects none."""
        if request_id != self.request_id:
            self.request_id = request_id
            self.changed.emit(request_id)
