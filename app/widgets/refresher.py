"""When panels refresh: only while they are seen, and each at its own rate."""

from __future__ import annotations

import time
from typing import Protocol

from PySide6.QtWidgets import QWidget

TABLES_S = 0.125
"""The least time between two refreshes of a table, in s."""
BUSY = 0.6
"""The share of the time that the loop runs from which on its work goes before the tables'."""
STRETCH = 3
"""How many times as long the tables wait then. Nobody can read rows that fast anyway."""
BUDGET_S = 0.004
"""After so much time, in s, panels that are due are left to the next frame."""


class Panel(Protocol):
    """A widget that shows what the store holds."""

    def refresh(self) -> None:
        """Show what was recorded since the last call."""

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""

    def isVisible(self) -> bool:
        """Whether it is seen."""


class Refresher:
    """Refreshes the panels that are visible and due. A frame clock goes on for a while after the
    last activity, so nothing stays stale."""

    def __init__(self) -> None:
        self._due: dict[Panel, float] = {}
        self._interval: dict[Panel, float] = {}
        self._stretch = 1

    def set_load(self, busy: float) -> None:
        """Take note of the share of the time in which the loop runs handles."""
        self._stretch = STRETCH if busy >= BUSY else 1

    def add(self, panel: Panel, interval: float = TABLES_S) -> None:
        """Refresh *panel* at most once in *interval* seconds; 0 means each frame."""
        self._due[panel] = 0.0
        self._interval[panel] = interval

    def frame(self) -> None:
        """Refresh what is due; of several that take their time, some in the next frames."""
        now, spent = time.monotonic(), 0.0
        for panel in sorted(self._due, key=self._due.__getitem__):
            interval = self._interval[panel]
            if now < self._due[panel] or (interval and spent > BUDGET_S):
                continue
            self._due[panel] = now + interval * self._stretch - 0.005
            if panel.isVisible():
                panel.refresh()
                before, now = now, time.monotonic()
                spent += now - before if interval else 0

    def all_visible(self) -> None:
        """Refresh whatever is seen, now: another page was opened."""
        for panel in self._due:
            if panel.isVisible():
                panel.refresh()

    def retranslate(self) -> None:
        """Set the texts of all panels again."""
        for panel in self._due:
            panel.retranslate()

    def restyle(self) -> None:
        """Repaint all panels that are seen."""
        for panel in self._due:
            if isinstance(panel, QWidget):
                panel.update()
