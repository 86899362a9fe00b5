"""The routes of the site in one list: however many, only those in sight are looked at."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from .rows_model import Index
from .theme import ROW, Theme

PATTERN, HANDLER = range(2)


class RouteRow(NamedTuple):
    """A route as it is listed: its texts, and what their tooltips say."""

    pattern: str
    handler: str
    pattern_tip: str
    handler_tip: str
    enabled: bool = True


class HasPattern(Protocol):
    """Whatever can be listed."""

    @property
    def pattern(self) -> str: ...


R = TypeVar("R", bound=HasPattern)


class SiteRoutesModel(QAbstractTableModel):
    """Routes and the classes that answer them."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._routes: Sequence[Any] = ()
        self._row_of: Callable[[Any], RouteRow] = RouteRow._make

    def show_routes(self, routes: Sequence[R], row_of: Callable[[R], RouteRow]) -> None:
        """Show other routes, each as *row_of* says when it comes in sight."""
        self.beginResetModel()
        self._routes, self._row_of = routes, row_of
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._routes)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else 2

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._routes):
            return None
        column, roles = index.column(), Qt.ItemDataRole
        row = self._row_of(self._routes[index.row()])
        if role == roles.DisplayRole:
            return row[column]
        if role == roles.ToolTipRole:
            return row[column + 2]
        if role == roles.FontRole and column == PATTERN:
            return self._theme.font(mono=True)
        if role == roles.ForegroundRole:
            c = self._theme.colours
            return (c.text if column == PATTERN else c.dim) if row.enabled else c.faint
        return None

    def match(
        self, start: Index, role: int, value: Any, hits: int = 1, flags: Any = None
    ) -> list[QModelIndex]:
        """Find the next route whose pattern begins with *value*, after the last the first."""
        text, first, count = str(value).casefold(), start.row(), len(self._routes)
        for at in itertools.chain(range(first, count), range(first)):
            if self._routes[at].pattern.casefold().startswith(text):
                return [self.index(at, PATTERN)]
        return []


class SiteRoutes(QTableView):
    """The list itself. Letters that are typed go to the next pattern that begins so."""

    opened = Signal(int)
    """A route was clicked, or Return pressed on it: its row."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("siteRoutes")
        self.routes = SiteRoutesModel(theme)
        self.routes.setParent(self)
        self.setModel(self.routes)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        for signal in (self.activated, self.clicked):
            signal.connect(lambda index: self.opened.emit(index.row()))
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self.verticalHeader().setMinimumSectionSize(1)
        self.verticalHeader().setDefaultSectionSize(self._theme.px(ROW))
        self.viewport().update()
