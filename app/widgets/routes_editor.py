"""The editor of the routes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from app.server.site import Problem, Route, Site

from .editor_page import Page
from .i18n import tr
from .parts import IconButton, label
from .route_tester import RouteTester
from .routes_delegate import RoutesDelegate
from .routes_model import ON, PATTERN, RoutesModel, with_text
from .routes_view import FaultList, RoutesView
from .routing_controls import RoutingControls, Rulebook
from .slices import Slices
from .theme import Theme

KEY = "site.toml"
_ROOMY = 480
"""From which height on there is room for the hint, in unzoomed pixels."""
_CHECK_MS = 60
"""How long nothing is typed until it is looked at for mistakes, in ms."""


def handler_names(site: Site) -> list[str]:
    """Return the dotted paths of the classes in the site's handlers, and Tornado's useful ones."""
    found = [
        f"handlers.{file.removesuffix('.py')}.{name}"
        for file, text in sorted(site.handlers.items())
        for name in re.findall(r"^class (\w+)\s*\(", text, re.MULTILINE)
    ]
    return [*found, "tornado.web.RedirectHandler", "tornado.web.StaticFileHandler"]


class RoutesPage(Page):
    """Routes as a table over a tester: the first pattern that matches answers."""

    def __init__(self, site: Site, theme: Theme, routing: RoutingControls) -> None:
        super().__init__(KEY, tr("Routes"), theme)
        self._site = site
        self._routing = routing
        self.model = RoutesModel(site.routes, theme, self)
        self.view = RoutesView(self.model, theme)
        self.delegate = RoutesDelegate(self.view, self.model, theme, self)
        self.view.setItemDelegate(self.delegate)
        self.faults = FaultList(self.model, theme)
        self.tester = RouteTester(theme, routing)
        self._check = Slices(self, lambda _: None, self._checked)
        self._checking = QTimer(self, singleShot=True, interval=_CHECK_MS)
        self._checking.timeout.connect(self.check)
        self._typed: tuple[int, int, str] | None = None
        self._checked_site: Site | None = None
        """What is looked at, or was last."""
        self._book: Rulebook | None = None
        """What came of it; None while it is looked at."""
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
        self._lay_out()
        self._connect()
        self.served(site)
        self.retranslate()

    def _lay_out(self) -> None:
        above = QWidget()
        column = QVBoxLayout(above)
        column.setContentsMargins(0, 0, 0, 2)
        column.setSpacing(4)
        column.addWidget(self.view, 1)
        column.addWidget(self.faults)
        column.addWidget(self._hint)
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.addWidget(above)
        self.split.addWidget(self.tester)
        self.split.setSizes([300, 300])
        self.split.setChildrenCollapsible(False)
        self.column.addWidget(self.split, 1)
        self.setFocusProxy(self.view)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hint.setVisible(event.size().height() > self._theme.px(_ROOMY))

    def _connect(self) -> None:
        for keys, slot in (
            ("Delete", self.remove),
            ("Alt+Up", lambda: self.move_by(-1)),
            ("Alt+Down", lambda: self.move_by(1)),
        ):
            shortcut = QShortcut(QKeySequence(keys), self.view)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(slot)
        for keys, slot in (
            ("Ctrl+Return", self.apply_wanted.emit),
            ("Ctrl+T", self.tester.start_typing),
            ("Ctrl+.", self.faults.go_next),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)
        self.model.undo_stack.cleanChanged.connect(self._changed)
        self.model.edited.connect(self._edited)
        self.model.moved.connect(self.view.selectRow)
        self.delegate.typed.connect(self._typing)
        self.delegate.closed.connect(self._typing_ended)
        self.faults.chosen.connect(self._go_to_cell)

    def _changed(self, clean: bool) -> None:
        self.update_note()
        self.modified_changed.emit()

    # -- What is wrong ---------------------------------------------------------------------

    def _edited(self) -> None:
        self.view.fit_numbers()
        self._checking.start()
        if self.modified:
            self.edited.emit()

    def _typing(self, row: int, column: int, text: str) -> None:
        self._typed = (row, column, text)
        self._checking.start()

    def _typing_ended(self) -> None:
        self._typed = None
        self._checking.start()

    def check(self) -> None:
        """Look for what is wrong with the routes as they are written, without running them."""
        routes = list(self.model.routes)
        if self._typed is not None and self._typed[0] < len(routes):
            row, column, text = self._typed
            routes[row] = with_text(routes[row], column, text)
        site = self._site.with_routes(routes)
        if self._book is not None and site == self._checked_site:
            self._checked(self._book)
            return
        self._checked_site, self._book = site, None
        self._check.start(self._routing.draft(site))

    def _checked(self, book: Rulebook) -> None:
        self._book = book
        self.model.show_faults(book.faults)
        self.faults.refresh()
        self.delegate.show_faults()
        self.tester.set_book(book, edited=self.modified or self._typed is not None)

    @property
    def parses(self) -> bool:
        return all(fault.warning for own in self.model.faults.values() for fault in own)

    @property
    def modified(self) -> bool:
        return not self.model.undo_stack.isClean()

    def into(self, site: Site) -> Site:
        return site.with_routes(self.model.routes)

    def served(self, site: Site) -> None:
        self._site = site
        self.delegate.names = handler_names(site)
        if site.routes == self.model.routes:
            self.model.undo_stack.setClean()
        elif not self.modified:
            self.model.change(tr("Edit a route"), site.routes)
            self.model.undo_stack.setClean()
        self._checking.start()

    def hold(self, site: Site) -> None:
        self.model.change(tr("Edit a route"), site.routes)

    def undo(self) -> None:
        self.model.undo_stack.undo()

    def redo(self) -> None:
        self.model.undo_stack.redo()

    def mark(self, problems: Sequence[Problem]) -> None:
        self.model.show_problems(problems)
        self.faults.refresh()

    def go_to_problem(self) -> None:
        self.faults.go(0)

    def _go_to_cell(self, row: int, column: int, place: int) -> None:
        index = self.model.index(row, column)
        self.view.setCurrentIndex(index)
        self.view.setFocus()
        if column != ON:
            self._edit(row, column)
        if self.delegate.field is not None and place:
            self.delegate.field.setCursorPosition(place - 1)

    def _edit(self, row: int, column: int) -> None:
        index = self.model.index(row, column)
        if self.delegate.field is None and index.isValid():
            self.view.edit(index)

    def go_to(self, row: int) -> None:
        """Select a route."""
        self.view.choose_row(row)

    def add(self) -> None:
        """Add a route below the selected one and edit its pattern."""
        here = self.view.currentIndex().row()
        at = here + 1 if here >= 0 else self.model.rowCount()
        names = self.delegate.names
        self.model.add(at, Route("/new", names[0]))
        self.view.choose_row(at)
        QTimer.singleShot(0, self.view, lambda: self._edit(at, PATTERN))

    def remove(self) -> None:
        """Remove the selected route."""
        at = self.view.currentIndex().row()
        if at >= 0:
            self.model.remove(at)

    def move_by(self, by: int) -> None:
        """Move the selected route up or down."""
        at = self.view.currentIndex().row()
        if self.model.move(at, by):
            self.view.choose_row(at + by)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        super().retranslate()
        self.title = tr("Routes")
        self.view.retranslate()
        self.faults.retranslate()
        self.tester.retranslate()
        self._hint.setText(
            tr(
                "The first pattern that matches answers; routes with a host are tried before all "
                "others. Drag rows, or Alt+↑ and Alt+↓. Arguments are JSON: those of initialize."
            )
        )
        for button in self._buttons:
            button.retranslate()
        self.model.retranslate()
