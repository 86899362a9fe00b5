"""What a breakpoint stops, in words, and the row of choices that makes one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from app.recording.store import Store
from app.server.breakpoints import STAGES, Breakpoint
from app.server.site import Route

from .controls import Controls
from .i18n import tr
from .icons import icon
from .theme import Theme

_MOST = 1_000
"""How many of the site's routes and handlers are offered; others once a request took them."""
_LATEST = 300
"""How many of the latest requests are looked at for routes that the site does not name."""


def stage_words(breakpoint_: Breakpoint) -> str:
    """Return where a breakpoint stops: ``before get``."""
    if breakpoint_.stage == "received":
        return tr("on arrival")
    if breakpoint_.stage == "verb":
        verb = (breakpoint_.method or "").lower()
        return tr("before {stage}", stage=verb or "get, post, …")
    return tr("before {stage}", stage=breakpoint_.stage)


def place_words(breakpoint_: Breakpoint) -> str:
    """Return which route or handler a breakpoint concerns."""
    known = (breakpoint_.route, breakpoint_.handler)
    return " · ".join(text for text in known if text) or tr("any route")


def pattern_of(route: Route) -> str:
    """Return a route's pattern as requests that took it are recorded."""
    return route.host.removesuffix("$") + route.pattern.removesuffix("$")


class BreakpointForm(QWidget):
    """Stage, place and client: three choices and a button."""

    added = Signal(Breakpoint)

    def __init__(self, store: Store, controls: Controls, theme: Theme) -> None:
        super().__init__()
        self._store = store
        self._controls = controls
        self._theme = theme
        self.stage, self.place, self.client = QComboBox(), QComboBox(), QComboBox()
        self.place.setProperty("mono", True)
        self.place.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for box in (self.stage, self.client):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for stage in STAGES:
            self.stage.addItem("", Breakpoint(stage))
        self.stage.setCurrentIndex(STAGES.index("verb"))
        self.add = QPushButton()
        self.add.clicked.connect(lambda: self.added.emit(self.breakpoint()))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 2)
        layout.setSpacing(6)
        layout.addWidget(self.stage)
        layout.addWidget(self.place, 1)
        layout.addWidget(self.client)
        layout.addWidget(self.add)
        theme.changed.connect(self._restyle)
        controls.server_changed.connect(self.learn)
        controls.clients_changed.connect(self.learn)
        self._restyle()
        self.retranslate()

    def breakpoint(self) -> Breakpoint:
        """Return what the choices say."""
        stage: Breakpoint = self.stage.currentData()
        route, handler = self.place.currentData() or (None, None)
        return Breakpoint(stage.stage, route, handler, self.client.currentData())

    def learn(self) -> None:
        """Offer the routes, handlers and clients that there are; what is chosen stays."""
        site = self._controls.site
        routes = [pattern_of(route) for route in site.routes[:_MOST] if route.enabled]
        paths = dict.fromkeys(route.handler for route in site.routes)
        handlers = [path.rpartition(".")[2] for path in itertools.islice(paths, _MOST)]
        for row in self._store.requests.rows[-_LATEST:]:
            routes += [row[6]] if row[6] else []
            handlers += [row[7]] if row[7] else []
        known = [(route, (route, None)) for route in dict.fromkeys(routes)]
        classes = [(f"class {name}", (None, name)) for name in dict.fromkeys(handlers)]
        _offer(self.place, [(tr("any route"), None), *known, *classes])
        names = [(state.name, state.name) for state in self._controls.clients()]
        _offer(self.client, [(tr("any client"), None), *names])

    def _restyle(self) -> None:
        self.add.setIcon(icon(self._theme, "plus"))

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        for at in range(self.stage.count()):
            self.stage.setItemText(at, stage_words(self.stage.itemData(at)))
        self.stage.setAccessibleName(tr("Stage"))
        self.place.setAccessibleName(tr("Route or handler"))
        self.client.setAccessibleName(tr("Client"))
        self.add.setText(tr("Add"))
        self.add.setToolTip(tr("Add a breakpoint"))
        self.learn()


def _offer(box: QComboBox, choices: Iterable[tuple[str, object]]) -> None:
    wanted = list(choices)
    if wanted == [(box.itemText(at), box.itemData(at)) for at in range(box.count())]:
        return
    chosen = box.currentData()
    box.clear()
    for text, data in wanted:
        box.addItem(text, data)
    box.setCurrentIndex(max(0, next((n for n, one in enumerate(wanted) if one[1] == chosen), 0)))
