"""A page that scrolls, built anew whenever it shows something else."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from .parts import label
from .theme import Theme


class Scrolled(QScrollArea):
    """Subclasses fill what `start_page` returns, and end with `end_page`."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._page = QWidget()

    def start_page(self) -> QVBoxLayout:
        """Begin an empty page."""
        self._page = QWidget()
        self._page.setObjectName("scrolled")
        layout = QVBoxLayout(self._page)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(7)
        return layout

    def end_page(self, layout: QVBoxLayout) -> None:
        """Show the page that was filled."""
        layout.addStretch(1)
        self.setWidget(self._page)

    def text(self, text: str, role: str = "", token: str = "") -> QLabel:
        """Return a label that wraps and can be selected; *token* is its colour."""
        result = label(text, role)
        result.setWordWrap(True)
        result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        if token:
            result.setStyleSheet(f"color: {self._theme.colour(token).name()}")
        return result
