"""The small shared parts."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.parts import SteadyLabel
from app.widgets.theme import Theme


class Layouts(QObject):
    """Counts how often a widget is laid out anew."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


def test_a_steady_label_lays_nothing_out_until_it_must_grow(qtbot: QtBot) -> None:
    top, label, layouts = QWidget(), SteadyLabel(Theme(), Qt.AlignmentFlag.AlignRight), Layouts()
    qtbot.addWidget(top)
    QHBoxLayout(top).addWidget(label)
    label.say("tick 1,000")
    top.show()
    qtbot.waitExposed(top)
    qtbot.wait(10)
    top.installEventFilter(layouts)
    for number in range(1_001, 1_030):
        label.say(f"tick {number:,}")
        qtbot.wait(1)
    assert layouts.count == 0
    label.say("tick 1,000,000,000,000")
    qtbot.waitUntil(lambda: layouts.count > 0)
    assert label.width() >= label.sizeHint().width()
