"""The other process of `freeze`: it shows what its input says until that ends."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable

from PySide6.QtCore import QSocketNotifier, Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QWidget


class FreezeWindow(QWidget):
    """Says what blocks the other process; the button calls *interrupt*."""

    def __init__(self, interrupt: Callable[[], object]) -> None:
        super().__init__()
        # In front, since the other window cannot be used, but not in the way of what is typed.
        self.setWindowFlags(Qt.WindowType.Dialog | Qt.WindowType.WindowStaysOnTopHint)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setWindowTitle("Loopscope")
        self._title = ""
        self.label = QLabel()
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.button = QPushButton()
        self.button.clicked.connect(lambda: interrupt())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(20, 16, 16, 16)
        layout.setSpacing(24)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.button)

    def tell(self, line: bytes) -> None:
        """Take one line of input: the texts and colours, or what is to be said now."""
        told: dict[str, str] = json.loads(line)
        if "title" in told:
            self._title = told["title"]
            self.button.setText(told["button"])
            self.setStyleSheet(told["style"])
        if "text" in told:
            self.label.setText(f"{self._title}: {told['text']}")
            self.show()


def main() -> int:
    """Show the window until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The other process is asked to end, and ends.
    app = QApplication(["Loopscope"])
    app.setStyle("Fusion")
    app.setQuitOnLastWindowClosed(False)
    window = FreezeWindow(lambda: os.write(1, b"!"))
    rest = b""

    def read() -> None:
        nonlocal rest
        received = os.read(0, 65536)
        if not received:
            app.quit()
        *lines, rest = (rest + received).split(b"\n")
        for line in lines:
            window.tell(line)

    notifier = QSocketNotifier(0, QSocketNotifier.Type.Read)
    notifier.activated.connect(read)
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
