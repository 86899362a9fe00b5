"""The cards of the window: the centre, and those around it in docks."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow

from .card import Card, CardDock, CardFrame
from .theme import Theme

_LEFT, _RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
_BOTTOM, _TOP = Qt.DockWidgetArea.BottomDockWidgetArea, Qt.DockWidgetArea.TopDockWidgetArea


class Cards:
    """Makes the cards of *window*, still empty, and knows where they stand at first."""

    def __init__(self, window: QMainWindow, theme: Theme) -> None:
        self._window, self._theme = window, theme
        self.centre, self.site, self.traffic = Card(theme, height=160), Card(theme), Card(theme)
        self.clients = Card(theme, tabbed=False, height=400)
        self.loop = Card(theme, tabbed=False, height=90)
        self.selected = Card(theme, tabbed=False)
        self.charts = Card(theme, tabbed=False, height=100)
        window.setCentralWidget(CardFrame(self.centre))
        options = QMainWindow.DockOption
        window.setDockOptions(options.AnimatedDocks | options.AllowNestedDocks)
        for corner, area in (
            (Qt.Corner.TopLeftCorner, _LEFT),
            (Qt.Corner.BottomLeftCorner, _LEFT),
            (Qt.Corner.TopRightCorner, _RIGHT),
            (Qt.Corner.BottomRightCorner, _RIGHT),
        ):
            window.setCorner(corner, area)
        self.docks = [
            self._dock(self.site, "Site", _LEFT),
            self._dock(self.clients, "Clients", _LEFT),
            self._dock(self.loop, "Loop now", _BOTTOM),
            self._dock(self.traffic, "Traffic", _BOTTOM),
            self._dock(self.selected, "Selected request", _RIGHT),
            self._dock(self.charts, "Charts", _TOP),
        ]
        """The charts' are the last, and hidden at first."""
        self.docks[-1].hide()
        window.splitDockWidget(self.docks[2], self.docks[3], Qt.Orientation.Vertical)

    def _dock(self, card: Card, name: str, area: Qt.DockWidgetArea) -> CardDock:
        dock = CardDock(card, name, self._window)
        self._window.addDockWidget(area, dock)
        return dock

    def put_back(self) -> None:
        """Show all of them in the window, but the charts."""
        for dock in self.docks:
            dock.setFloating(False)
            dock.setVisible(dock is not self.docks[-1])

    def share_out(self, height: int) -> None:
        """Share the window's width and *height* pixels out as in the drawings."""
        px, width, resize = self._theme.px, self._window.width(), self._window.resizeDocks
        height -= px(40)
        site, clients, loop, traffic, selected = self.docks[:5]
        left, right = min(px(270), round(width * 0.2)), min(px(390), round(width * 0.25))
        resize([site, selected], [left, right], Qt.Orientation.Horizontal)
        upper, lower = round(height * 0.42), round(height * 0.58)
        resize([site, clients], [upper, lower], Qt.Orientation.Vertical)
        upper, lower = round(height * 0.17), round(height * 0.35)
        resize([loop, traffic], [upper, lower], Qt.Orientation.Vertical)
