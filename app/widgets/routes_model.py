"""The routes as an editable table; every change is one step on an undo stack."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QMimeData, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QColor, QUndoCommand, QUndoStack

from app.server.ladder import Words
from app.server.site import Problem, Route
from app.server.site.route_checking import Fault, read_kwargs
from app.server.versions import Routes, same_at_start

from .i18n import tr
from .icons import icon
from .rows_model import Index
from .theme import Theme

COLUMNS = ("On", "Pattern", "Handler", "Name", "Arguments", "Host")
ON, PATTERN, HANDLER, NAME, KWARGS, HOST = range(6)
FIELDS = {
    PATTERN: "pattern",
    HANDLER: "handler",
    NAME: "name",
    KWARGS: "kwargs",
    HOST: "host",
}
"""What of a `Route` is in which column."""
LONGEST = 300
"""How many characters of a field are painted."""
_ROW = "application/x-loopscope-route"


def say(fault: Fault) -> str:
    """Return what is wrong, with its column, in the language that is on."""
    words = tr(fault.words.text, **fault.words.values)
    if fault.line > 1:
        values = {"line": fault.line, "column": fault.column, "fault": words}
        return tr("line {line}, column {column}: {fault}", **values)
    if fault.column:
        return tr("column {column}: {fault}", column=fault.column, fault=words)
    return words


def with_text(route: Route, column: int, text: str) -> Route:
    """Return *route* with what is typed into a column. Arguments that are no JSON stay text."""
    text = text.strip()
    value: Any = text
    if column == KWARGS:
        kwargs, fault = read_kwargs(text or "{}")
        value = kwargs if fault is None else text
    changed: Route = replace(route, **{FIELDS[column]: value})
    return changed


class _Change(QUndoCommand):
    """Keeps the routes that changed: of very many, most edits leave most."""

    def __init__(
        self,
        text: str,
        change: Callable[[int, Routes, Routes], None],
        before: Routes,
        after: Routes,
    ) -> None:
        super().__init__(text)
        self._change = change
        self._at = start = same_at_start(before, after)
        end = same_at_start(before[start:][::-1], after[start:][::-1])
        self._before = before[start : len(before) - end]
        self._after = after[start : len(after) - end]

    def redo(self) -> None:
        self._change(self._at, self._before, self._after)

    def undo(self) -> None:
        self._change(self._at, self._after, self._before)


class RoutesModel(QAbstractTableModel):
    """Routes, first match first. Rows can be dragged to other places."""

    edited = Signal()
    """The routes are others than before."""
    moved = Signal(int)
    """A row was dropped: its new place."""

    def __init__(
        self, routes: Sequence[Route], theme: Theme, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.routes = tuple(routes)
        self._theme = theme
        self.undo_stack = QUndoStack(self)
        self.faults: Mapping[int, Sequence[Fault]] = {}

    def change(self, text: str, routes: Sequence[Route]) -> None:
        """Replace all routes, as a step that can be undone."""
        after = tuple(routes)
        if after != self.routes:
            self.undo_stack.push(_Change(text, self._put, self.routes, after))

    def _put(self, at: int, old: Routes, new: Routes) -> None:
        """Put *new* in the place of *old*, which is at a row."""
        self._show((*self.routes[:at], *new, *self.routes[at + len(old) :]))

    def _show(self, routes: Routes) -> None:
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
        self.faults = {}
        self._all_changed()
        self.edited.emit()

    def _all_changed(self) -> None:
        if self.routes:
            last = self.index(len(self.routes) - 1, len(COLUMNS) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def show_faults(self, faults: Mapping[int, Sequence[Fault]]) -> None:
        """Mark the fields that something is wrong with."""
        self.faults = faults
        self._all_changed()

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Mark the fields of the routes that keep the site from being served."""
        faults: dict[int, list[Fault]] = {}
        for problem in problems:
            if problem.route >= 0:
                field = problem.field or "handler"
                text = problem.text.removeprefix(f"route {problem.route + 1}: ")
                fault = Fault(field, Words(text), problem.column, max(problem.line, 1))
                faults.setdefault(problem.route, []).append(fault)
        if faults:
            self.show_faults(faults)

    def faults_at(self, row: int, column: int) -> list[Fault]:
        """Return what is wrong with a cell, errors first."""
        field = FIELDS.get(column, "")
        own = [fault for fault in self.faults.get(row, ()) if fault.field == field]
        return sorted(own, key=lambda fault: fault.warning)

    def add(self, at: int, route: Route) -> None:
        """Insert a route."""
        self.change(tr("Add a route"), [*self.routes[:at], route, *self.routes[at:]])

    def remove(self, at: int) -> None:
        """Remove a route."""
        self.change(tr("Remove a route"), [*self.routes[:at], *self.routes[at + 1 :]])

    def move(self, at: int, by: int) -> bool:
        """Move a route up (-1) or down (1); return whether it moved."""
        return self.put(at, at + by)

    def put(self, at: int, to: int) -> bool:
        """Take a route to another place; return whether it moved."""
        if at == to or not (0 <= at < len(self.routes) and 0 <= to < len(self.routes)):
            return False
        routes = list(self.routes)
        routes.insert(to, routes.pop(at))
        self.change(tr("Move a route"), routes)
        return True

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [_ROW]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        if indexes:
            data.setData(_ROW, str(indexes[0].row()).encode())
        return data

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        if not data.hasFormat(_ROW):
            return False
        at = int(data.data(_ROW).toStdString())
        before = row if row >= 0 else parent.row() if parent.isValid() else len(self.routes)
        to = before - 1 if before > at else before
        if self.put(at, to):
            self.moved.emit(to)
        return False  # The view would take the row away from its old place, which is done.

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.routes)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if not index.isValid():
            return flags | Qt.ItemFlag.ItemIsDropEnabled
        flags |= Qt.ItemFlag.ItemIsDragEnabled
        if index.column() == ON:
            return flags | Qt.ItemFlag.ItemIsUserCheckable
        return flags | Qt.ItemFlag.ItemIsEditable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.routes):
            return None
        route, column, roles = self.routes[index.row()], index.column(), Qt.ItemDataRole
        if role == roles.CheckStateRole and column == ON:
            return Qt.CheckState.Checked if route.enabled else Qt.CheckState.Unchecked
        if role == roles.EditRole:
            return self._text(route, column)
        if role == roles.DisplayRole:
            return self._text(route, column)[:LONGEST]
        if role == roles.FontRole:
            return self._theme.font(mono=True)
        if role == roles.ForegroundRole:
            return self._theme.colours.text if route.enabled else self._theme.colours.faint
        return self._mark(index.row(), column, role)

    def _mark(self, row: int, column: int, role: int) -> Any:
        """Return how a cell shows what is wrong with it."""
        roles = Qt.ItemDataRole
        if role not in (
            *(roles.ToolTipRole, roles.AccessibleDescriptionRole),
            *(roles.BackgroundRole, roles.DecorationRole),
        ):
            return None
        faults = self.faults_at(row, column)
        if not faults:
            return None
        token = "warn" if faults[0].warning else "error"
        if role == roles.BackgroundRole:
            colour = QColor(self._theme.colour(token))
            colour.setAlpha(40)
            return colour
        if role == roles.DecorationRole:
            return icon(self._theme, "info" if faults[0].warning else "cross", token)
        return "\n".join(map(say, faults))

    @staticmethod
    def _text(route: Route, column: int) -> str:
        if column == KWARGS and not isinstance(route.kwargs, str):
            return json.dumps(route.kwargs, ensure_ascii=False, default=str) if route.kwargs else ""
        return str(getattr(route, FIELDS[column])) if column in FIELDS else ""

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if not index.isValid() or index.row() >= len(self.routes):
            return False
        route, column = self.routes[index.row()], index.column()
        if role == Qt.ItemDataRole.CheckStateRole and column == ON:
            new = replace(route, enabled=Qt.CheckState(value) == Qt.CheckState.Checked)
        elif role == Qt.ItemDataRole.EditRole and column in FIELDS:
            new = with_text(route, column, str(value))
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
