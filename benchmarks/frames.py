"""The program under a stop-watch: how far apart are its frames, how soon is a click handled?

``python -m benchmarks.frames [PANEL]`` runs the real program in this process, with the panel of
that name in front, and listens to its events; it prints the figures at the end.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import threading
import time
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from app.application import main
from app.widgets.main_window import MainWindow
from benchmarks.processes import TARGET, raise_descriptor_limit

FEW = 5
"""So many requests between two frames, or fewer, are no load."""


class Watch(QObject):
    """Notes when the timeline is painted and when a posted click arrives.

    Only frames between which requests came count, an idle program rightly draws nothing, and only
    those with the panel in front.
    """

    def __init__(self) -> None:
        super().__init__()
        self.window: MainWindow | None = None
        self.panel: QWidget | None = None
        self.gaps: list[float] = []
        self.own_gaps: list[float] = []
        """The same without the time in which we waited for a processor."""
        self._last = (0.0, 0, False, 0.0)
        self._loaded_until = 0.0
        self.clicks: list[tuple[float, float]] = []
        """When one was posted, and for how long it waited."""
        self.target: QWidget | None = None
        self.posted = 0.0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See each event before its receiver does."""
        kind = event.type()
        if kind == QEvent.Type.Paint and type(watched).__name__.startswith("Timeline"):
            self._painted()
        elif kind == QEvent.Type.MouseButtonPress and watched is self.target and self.posted:
            self.clicks.append((self.posted, time.perf_counter() - self.posted))
            self.posted = 0.0
        return False

    def _painted(self) -> None:
        requests = self.window.store.requests if self.window is not None else None
        now, count = time.perf_counter(), requests.forgotten + len(requests) if requests else 0
        then, before, loaded, waited = self._last
        load = count - before > FEW and self.panel is not None and self.panel.isVisible()
        waits = waited_for_processor()
        if load:
            self._loaded_until = now
        if load and loaded:
            self.gaps.append(now - then)
            self.own_gaps.append(now - then - (waits - waited))
        self._last = (now, count, load, waits)

    def click_now_and_then(self) -> None:
        """Post a click every 50 ms from a thread of its own, as a display server would."""
        while True:
            time.sleep(0.05)
            if self.target is None or self.posted or not self.gaps:
                continue  # While the program starts there is nothing to click on.
            click = QMouseEvent(
                QEvent.Type.MouseButtonPress,
                QPointF(2, 2),
                QPointF(2, 2),
                Qt.MouseButton.LeftButton,
                Qt.MouseButton.LeftButton,
                Qt.KeyboardModifier.NoModifier,
            )
            self.posted = time.perf_counter()
            with contextlib.suppress(RuntimeError):  # The program ends: its widgets are gone.
                QCoreApplication.postEvent(self.target, click)

    def report(self) -> str:
        """Return the figures in words."""
        gaps = self.gaps
        # What came after the last request found the program on its way out.
        waits = [wait for posted, wait in self.clicks if posted < self._loaded_until]
        if len(gaps) < 100 or len(waits) < 100:
            return f"too little was seen: {len(gaps)} frames, {len(waits)} clicks"
        cuts = statistics.quantiles(gaps, n=100)
        near, own = (sum(gap < 0.05 for gap in each) / len(each) for each in (gaps, self.own_gaps))
        clicks = statistics.quantiles(waits, n=100)
        return (
            f"frames: {len(gaps)}, median {cuts[49] * 1000:.1f} ms apart, p99"
            f" {cuts[98] * 1000:.1f} ms, {near:.1%} under 50 ms; {own:.1%} without the time in"
            " which others had the processor\n"
            f"clicks: {len(waits)}, handled after median {clicks[49] * 1000:.1f} ms, p99"
            f" {clicks[98] * 1000:.1f} ms, worst {max(waits) * 1000:.1f} ms"
        )


def waited_for_processor() -> float:
    """Return for how long this thread was ready but did not run, in s; 0 where Linux is not."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def show_panel(watch: Watch, name: str) -> None:
    """Find the window once there is one, and show its panel of that name."""
    windows = [one for one in QApplication.topLevelWidgets() if isinstance(one, MainWindow)]
    if not windows or not windows[0].isVisible():
        QTimer.singleShot(50, lambda: show_panel(watch, name))
        return
    watch.window = windows[0]
    watch.panel = getattr(windows[0], name)
    watch.window.traffic.show_page(watch.panel)


def run() -> int:
    """Run the program until it is told to end, then print what was seen."""
    raise_descriptor_limit()
    panel = sys.argv[1] if sys.argv[1:] else "requests"  # The program gets arguments of its own.
    application = QApplication(sys.argv[:1])
    watch = Watch()
    application.installEventFilter(watch)
    watch.target = QLabel()  # Never shown: a click on it changes nothing.
    threading.Thread(target=watch.click_now_and_then, daemon=True).start()
    QTimer.singleShot(0, lambda: show_panel(watch, panel))
    status = main(["--app", TARGET, "--trust", "--port", "0"])
    print(watch.report())
    return status


if __name__ == "__main__":
    sys.exit(run())
