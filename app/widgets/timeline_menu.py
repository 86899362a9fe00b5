"""The menu of the timeline's lanes: which kinds are shown, how they are grouped, what is folded."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from .i18n import tr
from .timeline_canvas import TimelineCanvas
from .timeline_rows import (
    AUTO,
    CONNECTION,
    CONNECTIONS,
    GROUP,
    NEVER,
    REQUEST,
    WEBSOCKET,
    WINDOW,
    Row,
)
from .timeline_traffic import CLIENT, ROUTE

KINDS = (
    (WINDOW, "The window's own runs"),
    (CONNECTION, "Connections"),
    (WEBSOCKET, "WebSockets"),
    (REQUEST, "Requests"),
)
GROUPINGS = (
    (AUTO, "Group by route when there are many"),
    (ROUTE, "Group by route"),
    (CLIENT, "Group by client"),
    (NEVER, "One lane for each request"),
)


def fill(menu: QMenu, canvas: TimelineCanvas, row: Row | None, whole: Callable[[], object]) -> None:
    """Put into *menu* what can be done with lanes; first with that of *row*, if there is one.

    *whole* shows the whole request of that row.
    """
    menu.clear()
    if row is not None:
        _for_row(menu, canvas, row, whole)
    choice = canvas.rows.choice
    for kind, title in KINDS:
        action = _add(menu, tr(title), partial(_show_kind, canvas, kind))
        action.setCheckable(True)
        action.setChecked(kind not in choice.hidden)
    menu.addSeparator()
    group = QActionGroup(menu)
    for grouping, title in GROUPINGS:
        action = _add(menu, tr(title), partial(_group, canvas, grouping))
        action.setCheckable(True)
        action.setChecked(grouping == choice.grouping)
        group.addAction(action)
    menu.addSeparator()
    action = _add(menu, tr("Stages of requests") + "\tShift+S", lambda: set_thin(canvas))
    action.setCheckable(True)
    action.setChecked(not choice.thin)


def _for_row(menu: QMenu, canvas: TimelineCanvas, row: Row, whole: Callable[[], object]) -> None:
    if row.kind in (CONNECTIONS, GROUP):
        title = tr("Show its lanes") if canvas.rows.is_folded(row) else tr("Hide its lanes")
        _add(menu, title + "\tReturn", lambda: canvas.toggle(row))
    elif row.kind in (REQUEST, WEBSOCKET):
        _add(menu, tr("Show the whole request") + "\tReturn", whole)
    if row.kind == REQUEST:
        thin = canvas.rows.thin(row)
        title = tr("Show this request's stages") if thin else tr("Hide this request's stages")
        _add(menu, title + "\tS", lambda: canvas.toggle(row)).setEnabled(
            not canvas.rows.choice.thin
        )
    if menu.actions():
        menu.addSeparator()


def _add(menu: QMenu, title: str, slot: Callable[[], object]) -> QAction:
    action = menu.addAction(title)
    action.triggered.connect(lambda: slot())
    return action


def _show_kind(canvas: TimelineCanvas, kind: str) -> None:
    canvas.rows.choice.hidden ^= {kind}
    canvas.renew()


def _group(canvas: TimelineCanvas, grouping: str) -> None:
    canvas.rows.choice.grouping = grouping
    canvas.update()


def set_thin(canvas: TimelineCanvas) -> None:
    """Show all requests without their stages, or with them again."""
    canvas.rows.choice.thin = not canvas.rows.choice.thin
    canvas.update()
