"""The histogram of latencies: its words, its bars, its axis."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.widgets.histogram import Histogram
from app.widgets.theme import SMALL, Theme


@pytest.fixture
def histogram(qapp: QApplication, qtbot: QtBot) -> Histogram:
    """A shown histogram of 50 latencies from 316 to 338 ms."""
    histogram = Histogram(Theme())
    qtbot.addWidget(histogram)
    histogram.resize(320, 150)
    histogram.show()
    histogram.show_latencies([0.316 + n * 0.00044 for n in range(50)], 1)
    return histogram


def test_the_axis_says_what_its_ends_are(histogram: Histogram) -> None:
    assert histogram.marks() == [(0, "215 ms"), (0.5, "316 ms"), (1, "464 ms")]
    histogram.resize(200, 150)
    assert histogram.marks() == [(0, "215 ms"), (1, "464 ms")]
    histogram.show_latencies([], 1)
    assert histogram.marks() == []


def test_no_figure_is_cut_off_in_a_narrow_histogram(histogram: Histogram) -> None:
    theme = Theme()
    histogram.resize(170, 150)
    metrics = QFontMetrics(theme.font(SMALL))
    room = metrics.boundingRect(histogram.rect(), Qt.TextFlag.TextWordWrap.value, histogram.words())
    lines = room.height() // metrics.lineSpacing()
    assert lines > 2
    picture = histogram.grab().toImage()
    top = (lines - 1) * metrics.lineSpacing() + 2
    last = {picture.pixelColor(x, y).rgb() for x in range(170) for y in range(top, room.height())}
    assert theme.hue(1).rgb() not in last
    assert len(last) > 1
