"""Commands that come while something is under way: they wait for their turn."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from .controls import Controls


class InTurn(QObject):
    """Does a command at once, or right after what is under way; that given up, it is dropped."""

    def __init__(self, controls: Controls, parent: QObject) -> None:
        super().__init__(parent)
        self._controls = controls
        self._waiting: dict[str, Callable[[], object]] = {}
        # One command may be several pieces of work, one right after the other.
        self._over = QTimer(self, singleShot=True, interval=0)
        self._over.timeout.connect(self._go_on)
        controls.work_changed.connect(self._hear)

    def do(self, key: str, command: Callable[[], object]) -> None:
        """Do *command* in its turn; the latest of those that wait with the same *key*."""
        if self._controls.busy:
            self._waiting[key] = command
        else:
            command()

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()

    def _hear(self, what: str) -> None:
        if self._waiting and not what:
            self._over.start()

    def _go_on(self) -> None:
        while self._waiting and not self._controls.busy:
            if self._controls.given_up:
                self.clear()
                return
            self._waiting.pop(next(iter(self._waiting)))()
