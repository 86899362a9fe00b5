"""The editor of the routes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCompleter,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.server.site import Problem, Route, Site

from .editor_page import Page
from .i18n import tr
from .parts import IconButton, label
from .routes_model import HANDLER, KWARGS, NAME, ON, PATTERN, RoutesModel
from .rows_model import Index
from .theme import ROW, Theme

KEY = "site.toml"


def handler_names(site: Site) -> list[str]:
    """Return the dotted paths of the classes in the site's handlers, and Tornado's useful ones."""
    found = [
        f"handlers.{file.removesuffix('.py')}.{name}"
        for file, text in sorted(site.handlers.items())
        for name in re.findall(r"^class (\w+)\s*\(", text, re.MULTILINE)
    ]
    return [*found, "tornado.web.RedirectHandler", "tornado.web.StaticFileHandler"]


class _Delegate(QStyledItemDelegate):
    """Completes the names of handlers."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.names: list[str] = []

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setProperty("mono", True)
        if index.column() == HANDLER:
            completer = QCompleter(self.names, editor)
            completer.setFilterMode(completer.filterMode().MatchContains)
            editor.setCompleter(completer)
        if index.column() == KWARGS:
            editor.setPlaceholderText('{"url": "/"}')
        return editor


class RoutesPage(Page):
    """Routes as a table: the first pattern that matches answers."""

    def __init__(self, site: Site, theme: Theme) -> None:
        super().__init__(KEY, tr("Routes"), theme)
        self.model = RoutesModel(site.routes, theme, self)
        self.view = QTableView()
        self._delegate = _Delegate(self.view)
        self.view.setModel(self.model)
        self.view.setItemDelegate(self._delegate)
        self.view.setShowGrid(False)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.view.horizontalHeader().setHighlightSections(False)
        self.view.horizontalHeader().setStretchLastSection(True)
        self._buttons = [
            IconButton(theme, "plus", "Add a route", self.add),
            IconButton(theme, "trash", "Remove the route", self.remove),
            IconButton(theme, "up", "Move up", lambda: self.move_by(-1)),
            IconButton(theme, "down", "Move down", lambda: self.move_by(1)),
        ]
        for at, button in enumerate(self._buttons):
            self.tools.insertWidget(at, button)
        self._hint = label(role="small")
        self._hint.setContentsMargins(12, 0, 12, 0)
        self._hint.setWordWrap(True)
        self.column.addWidget(self.view, 1)
        self.column.addWidget(self._hint)
        self.setFocusProxy(self.view)
        for keys, slot in (
            ("Ctrl+Return", self.apply_wanted.emit),
            ("Delete", self.remove),
            ("Alt+Up", lambda: self.move_by(-1)),
            ("Alt+Down", lambda: self.move_by(1)),
        ):
            shortcut = QShortcut(QKeySequence(keys), self.view)
            shortcut.setContext(shortcut.context().WidgetShortcut)
            shortcut.activated.connect(slot)
        self.model.undo_stack.cleanChanged.connect(self._changed)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.served(site)
        self.retranslate()

    def _restyle(self) -> None:
        px = self._theme.px
        self.view.verticalHeader().setDefaultSectionSize(px(ROW))
        self.view.verticalHeader().setFixedWidth(px(34))
        self.view.horizontalHeader().setFixedHeight(px(ROW))
        for column, width in ((ON, 46), (PATTERN, 190), (HANDLER, 250), (NAME, 90), (KWARGS, 150)):
            self.view.setColumnWidth(column, px(width))

    def _changed(self, clean: bool) -> None:
        self.update_note()
        self.modified_changed.emit()

    @property
    def modified(self) -> bool:
        return not self.model.undo_stack.isClean()

    def into(self, site: Site) -> Site:
        return site.with_routes(self.model.routes)

    def served(self, site: Site) -> None:
        self._delegate.names = handler_names(site)
        if site.routes == self.model.routes:
            self.model.undo_stack.setClean()
        elif not self.modified:
            self.model.change(tr("Edit a route"), site.routes)
            self.model.undo_stack.setClean()

    def hold(self, site: Site) -> None:
        self.model.change(tr("Edit a route"), site.routes)

    def undo(self) -> None:
        self.model.undo_stack.undo()

    def redo(self) -> None:
        self.model.undo_stack.redo()

    def mark(self, problems: Sequence[Problem]) -> None:
        self.model.show_problems(problems)

    def go_to(self, row: int) -> None:
        """Select a route."""
        self.view.selectRow(row)

    def add(self) -> None:
        """Add a route below the selected one and edit its pattern."""
        here = self.view.currentIndex().row()
        at = here + 1 if here >= 0 else self.model.rowCount()
        names = self._delegate.names
        self.model.add(at, Route("/new", names[0]))
        self.view.selectRow(at)
        QTimer.singleShot(0, self.view, lambda: self.view.edit(self.model.index(at, PATTERN)))

    def remove(self) -> None:
        """Remove the selected route."""
        at = self.view.currentIndex().row()
        if at >= 0:
            self.model.remove(at)

    def move_by(self, by: int) -> None:
        """Move the selected route up or down."""
        at = self.view.currentIndex().row()
        if self.model.move(at, by):
            self.view.selectRow(at + by)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        super().retranslate()
        self.title = tr("Routes")
        self.view.setAccessibleName(tr("Routes"))
        self._hint.setText(
            tr("The first pattern that matches answers. Arguments are JSON: those of initialize.")
        )
        for button in self._buttons:
            button.retranslate()
        self.model.retranslate()
