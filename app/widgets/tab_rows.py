"""Tabs that go on in a next row where there is no more room."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QSizePolicy, QToolButton, QWidget

from .theme import Theme


class TabRows(QWidget):
    """As a QTabBar, but no title is ever cut or scrolled away. ← and → go from tab to tab."""

    currentChanged = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._group = QButtonGroup(self)
        self._group.idToggled.connect(self._toggled)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.changed.connect(self._lay_out)

    def addTab(self, text: str) -> int:
        """Add a tab at the end; return its index."""
        button = QToolButton(self)
        button.setCheckable(True)
        button.setProperty("tabbed", True)
        button.setText(text)
        at = self.count()
        self._group.addButton(button, at)
        if at == 0:
            button.setChecked(True)
        return at

    def count(self) -> int:
        """Return how many tabs there are."""
        return len(self._group.buttons())

    def tab(self, at: int) -> QToolButton:
        """Return the button of a tab."""
        button = self._group.button(at)
        assert isinstance(button, QToolButton)
        return button

    def setTabText(self, at: int, text: str) -> None:
        """Change the title of a tab."""
        if self.tab(at).text() != text:
            self.tab(at).setText(text)
            self._lay_out()

    def setTabToolTip(self, at: int, text: str) -> None:
        """Say what a tab shows."""
        self.tab(at).setToolTip(text)

    def currentIndex(self) -> int:
        """Return the index of the tab that is on."""
        return self._group.checkedId()

    def setCurrentIndex(self, at: int) -> None:
        """Turn to a tab."""
        self.tab(at).setChecked(True)

    def _toggled(self, at: int, on: bool) -> None:
        if on:
            self.currentChanged.emit(at)

    # -- Places ----------------------------------------------------------------------------

    def _places(self, width: int) -> list[QRect]:
        """Return where the tabs stand in a given width."""
        margin, gap = self._theme.px(8), self._theme.px(10)
        places, x, y = [], margin, 0
        for button in self._group.buttons():
            wanted = button.sizeHint()
            if x > margin and x + wanted.width() > width - margin:
                x, y = margin, y + wanted.height()
            places.append(QRect(x, y, wanted.width(), wanted.height()))
            x += wanted.width() + gap
        return places

    def _lay_out(self) -> None:
        for button, place in zip(self._group.buttons(), self._places(self.width()), strict=True):
            button.setGeometry(place)
        self.updateGeometry()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return max((place.bottom() + 1 for place in self._places(width)), default=0)

    def sizeHint(self) -> QSize:
        return QSize(200, self.heightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        widest = max((button.sizeHint().width() for button in self._group.buttons()), default=0)
        return QSize(widest + 2 * self._theme.px(8), 0)
