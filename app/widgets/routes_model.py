"""The routes as an editable table; every change is one step on an undo stack."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PySide6.QtGui import QColor, QUndoCommand, QUndoStack

from app.server.site import Problem, Route

from .i18n import tr
from .rows_model import Index
from .theme import Theme

COLUMNS = ("On", "Pattern", "Handler", "Name", "Arguments", "Host")
ON, PATTERN, HANDLER, NAME, KWARGS, HOST = range(6)
_FIELDS = {PATTERN: "pattern", HANDLER: "handler", NAME: "name", HOST: "host"}


class _Change(QUndoCommand):
    def __init__(
        self,
        text: str,
        show: Callable[[tuple[Route, ...]], None],
        before: tuple[Route, ...],
        after: tuple[Route, ...],
    ) -> None:
        super().__init__(text)
        self._show, self._before, self._after = show, before, after

    def redo(self) -> None:
        self._show(self._after)

    def undo(self) -> None:
        self._show(self._before)


class RoutesModel(QAbstractTableModel):
    """Routes, first match first."""

    def __init__(
        self, routes: Sequence[Route], theme: Theme, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.routes = tuple(routes)
        self._theme = theme
        self.undo_stack = QUndoStack(self)
        self._problems: dict[int, str] = {}

    def change(self, text: str, routes: Sequence[Route]) -> None:
        """Replace all routes, as a step that can be undone."""
        after = tuple(routes)
        if after != self.routes:
            self.undo_stack.push(_Change(text, self._show, self.routes, after))

    def _show(self, routes: tuple[Route, ...]) -> None:
        old = len(self.routes)
        if len(routes) > old:
            self.beginInsertRows(QModelIndex(), old, len(routes) - 1)
            self.routes = routes
            self.endInsertRows()
        elif len(routes) < old:
            self.beginRemoveRows(QModelIndex(), len(routes), old - 1)
            self.routes = routes
            self.endRemoveRows()
        else:
            self.routes = routes
        self._problems = {}
        self._all_changed()

    def _all_changed(self) -> None:
        if self.routes:
            last = self.index(len(self.routes) - 1, len(COLUMNS) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Mark the routes that have a problem."""
        self._problems = {p.route: p.text for p in problems if p.route >= 0}
        self._all_changed()

    def add(self, at: int, route: Route) -> None:
        """Insert a route."""
        self.change(tr("Add a route"), [*self.routes[:at], route, *self.routes[at:]])

    def remove(self, at: int) -> None:
        """Remove a route."""
        self.change(tr("Remove a route"), [*self.routes[:at], *self.routes[at + 1 :]])

    def move(self, at: int, by: int) -> bool:
        """Move a route up (-1) or down (1); return whether it moved."""
        to = at + by
        if not (0 <= at < len(self.routes) and 0 <= to < len(self.routes)):
            return False
        routes = list(self.routes)
        routes.insert(to, routes.pop(at))
        self.change(tr("Move a route"), routes)
        return True

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.routes)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if not index.isValid():
            return flags
        if index.column() == ON:
            return flags | Qt.ItemFlag.ItemIsUserCheckable
        return flags | Qt.ItemFlag.ItemIsEditable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.routes):
            return None
        route, column, roles = self.routes[index.row()], index.column(), Qt.ItemDataRole
        problem = self._problems.get(index.row())
        if role == roles.CheckStateRole and column == ON:
            return Qt.CheckState.Checked if route.enabled else Qt.CheckState.Unchecked
        if role in (roles.DisplayRole, roles.EditRole):
            return self._text(route, column)
        if role == roles.ToolTipRole:
            return problem
        if role == roles.FontRole:
            return self._theme.font(mono=True)
        if role == roles.BackgroundRole and problem:
            colour = QColor(self._theme.colours.error)
            colour.setAlpha(45)
            return colour
        if role == roles.ForegroundRole:
            return self._theme.colours.text if route.enabled else self._theme.colours.faint
        return None

    @staticmethod
    def _text(route: Route, column: int) -> str:
        if column == KWARGS:
            return json.dumps(route.kwargs, ensure_ascii=False, default=str) if route.kwargs else ""
        return str(getattr(route, _FIELDS[column])) if column in _FIELDS else ""

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if not index.isValid() or index.row() >= len(self.routes):
            return False
        route, column = self.routes[index.row()], index.column()
        if role == Qt.ItemDataRole.CheckStateRole and column == ON:
            new = replace(route, enabled=Qt.CheckState(value) == Qt.CheckState.Checked)
        elif role == Qt.ItemDataRole.EditRole and column in _FIELDS:
            fields: dict[str, Any] = {_FIELDS[column]: str(value).strip()}
            new = replace(route, **fields)
        elif role == Qt.ItemDataRole.EditRole and column == KWARGS:
            try:
                kwargs = json.loads(str(value).strip() or "{}")
            except ValueError:
                return False
            if not isinstance(kwargs, dict):
                return False
            new = replace(route, kwargs=kwargs)
        else:
            return False
        routes = list(self.routes)
        routes[index.row()] = new
        self.change(tr("Edit a route"), routes)
        return True

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            if orientation == Qt.Orientation.Vertical:
                return section + 1
            return tr(COLUMNS[section]) if 0 <= section < len(COLUMNS) else None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def retranslate(self) -> None:
        """Show the headings in the language that is on."""
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)
