"""The context menu of the requests table: breakpoints for a request's route, ways out for it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QMenu

from app.recording.events import Row
from app.server.breakpoints import Breakpoint

from .breakpoints_form import place_words, stage_words
from .controls import Controls
from .i18n import tr
from .request_out import RequestOut
from .table import RowsView


class RequestMenu(QObject):
    """Opens on a right click or the menu key."""

    added = Signal()
    """A breakpoint was added from here."""
    handler_wanted = Signal(str, object)
    """The source of a handler is to be shown: its name, and the route that led to it."""

    def __init__(self, view: RowsView, controls: Controls, out: RequestOut) -> None:
        super().__init__(view)
        self._out = out
        self._view = view
        self._controls = controls
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._open)

    def _open(self, place: QPoint) -> None:
        index = self._view.indexAt(place)
        if index.isValid():
            menu = self.menu(self._view.rows_model.row(index.row()))
            menu.popup(self._view.viewport().mapToGlobal(place))

    def menu(self, row: Row) -> QMenu:
        """Return the menu for a request; it goes when it closes."""
        menu = QMenu(self._view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        number = int(row[0])
        if any(place.request_id == number for place in self._controls.breakpoints.parked()):
            menu.addAction(tr("Resume"), lambda: self._controls.breakpoints.resume(number))
            menu.addAction(tr("Kill"), lambda: self._controls.breakpoints.kill(number))
            menu.addSeparator()
        if row[7] and self._controls.app.source_of(row[7], row[6]) is not None:
            show = partial(self.handler_wanted.emit, row[7], row[6])
            menu.addAction(tr("Open the source of {handler}", handler=row[7]), show)
            menu.addSeparator()
        for point in breakpoints_for(row):
            text = tr("Break here next time: {stage}", stage=stage_words(point))
            action = menu.addAction(text, partial(self._add, point))
            action.setToolTip(place_words(point))
        menu.addSeparator()
        self._out.add_to(menu, lambda: number)
        return menu

    def _add(self, point: Breakpoint) -> None:
        self._controls.breakpoints.add(point)
        self.added.emit()


def breakpoints_for(row: Row) -> list[Breakpoint]:
    """Return the breakpoints that stop the next request like this one, stage by stage."""
    route, handler = row[6], None if row[6] else row[7]
    return [
        Breakpoint("prepare", route, handler),
        Breakpoint("verb", route, handler, method=row[3]),
        Breakpoint("finish", route, handler),
    ]
