"""When panels refresh."""

from __future__ import annotations

import time

from app.widgets.refresher import BUDGET_S, TABLES_S, Refresher


class Panel:
    """Takes its time."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.refreshed = 0

    def refresh(self) -> None:
        self.refreshed += 1
        time.sleep(self.seconds)

    def retranslate(self) -> None:
        return

    def isVisible(self) -> bool:
        return True


def test_panels_that_take_their_time_share_no_frame() -> None:
    always, slow, slower, quick = Panel(), Panel(2 * BUDGET_S), Panel(3 * BUDGET_S), Panel()
    refresher = Refresher()
    refresher.add(always, 0)
    for panel in (slow, slower, quick):
        refresher.add(panel)
    seen = []
    for _ in range(4):
        refresher.frame()
        seen.append([panel.refreshed for panel in (always, slow, slower, quick)])
    assert seen == [[1, 1, 0, 0], [2, 1, 1, 0], [3, 1, 1, 1], [4, 1, 1, 1]]


def test_a_panel_that_is_always_slow_keeps_no_other_from_its_turn() -> None:
    hog, each, other = Panel(2 * TABLES_S), Panel(2 * BUDGET_S), Panel()
    refresher = Refresher()
    refresher.add(hog)
    refresher.add(each, 0)
    refresher.add(other)
    for _ in range(3):
        refresher.frame()
    assert each.refreshed == 3
    assert other.refreshed
