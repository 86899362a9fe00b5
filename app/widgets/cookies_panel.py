"""Cookies: the clients' jars, and what responses set and XSRF checks decided."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.recording.store import Store
from app.server.jar import Cookie

from .controls import Controls
from .cookie_dialog import CookieDialog
from .cookie_events import CookieEvents
from .i18n import tr
from .jars_view import JarsView, Reasons
from .parts import EmptyState, IconButton, label
from .selection import Selection
from .theme import Theme


class CookiesPanel(QWidget):
    """Above, each client's jar; below, what changed lately."""

    fired = Signal()
    """A request was fired from here."""

    def __init__(
        self, store: Store, controls: Controls, selection: Selection, theme: Theme
    ) -> None:
        super().__init__()
        self._store = store
        self._controls = controls
        self._theme = theme
        self._selection = selection
        self.dialog: CookieDialog | None = None
        self.jars = JarsView(theme)
        self.events = CookieEvents(store, controls, theme)
        self.url = QLineEdit("/")
        self.url.setProperty("mono", True)
        self._question = label(role="dim")
        self.add = IconButton(theme, "plus", "Add a cookie to this client's jar", self._add)
        self.edit = IconButton(theme, "edit", "Take this cookie apart, and edit it", self._edit)
        self.delete = IconButton(theme, "trash", "Forget this cookie", self._delete)
        self._empty = EmptyState(
            "No cookies yet",
            "When a response sets a cookie, its client's jar appears here, with every attribute.",
            "Add a cookie",
        )
        self._stack = QStackedWidget()
        self._arrange()
        self._connect()
        self.retranslate()
        self._restyle()

    def _arrange(self) -> None:
        tools = QHBoxLayout()
        tools.setContentsMargins(12, 4, 8, 2)
        tools.setSpacing(6)
        tools.addWidget(self._question)
        tools.addWidget(self.url, 1)
        for button in (self.add, self.edit, self.delete):
            tools.addWidget(button)
        upper, split = QWidget(), QSplitter(Qt.Orientation.Vertical)
        column = QVBoxLayout(upper)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(tools)
        column.addWidget(self.jars)
        split.addWidget(upper)
        split.addWidget(self.events)
        split.setSizes([320, 130])
        self._stack.addWidget(self._empty)
        self._stack.addWidget(split)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)

    def _connect(self) -> None:
        self.events.request_selected.connect(self._selection.select)
        self.jars.edit_wanted.connect(self._edit)
        self.jars.delete_wanted.connect(self._delete)
        self.jars.currentItemChanged.connect(self._show_possible)
        self.url.textChanged.connect(self._show_jars)
        self._controls.clients_changed.connect(self._changed)
        self._empty.clicked.connect(self._add)
        self._theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self.jars.restyle()
        self.events.restyle()
        self._changed()

    def _changed(self) -> None:
        if self.isVisible():
            self.refresh()

    def refresh(self) -> None:
        """Show what was recorded since the last call."""
        self.events.collect()
        self._show_jars()

    def _show_jars(self) -> None:
        states, url = self._controls.clients(), self.url.text().strip() or "/"
        reasons: Reasons = {
            (state.name, withheld.cookie): withheld.reason
            for state in states
            if state.cookies
            for withheld in self._controls.jars.withheld(state.name, url)
        }
        self.jars.show_jars(states, reasons)
        has_any = self.events.any or any(state.cookies for state in states)
        self._stack.setCurrentIndex(int(has_any))
        self._show_possible()

    def _show_possible(self) -> None:
        one = self.jars.cookie is not None
        self.edit.setEnabled(one)
        self.delete.setEnabled(one)

    def _add(self) -> None:
        clients = [state.name for state in self._controls.clients()]
        client = self.jars.client or (clients[0] if clients else self._controls.add_client())
        self._open(client, Cookie("", "", self._controls.host_and_port[0]), new=True)

    def _edit(self) -> None:
        cookie = self.jars.cookie
        if cookie is not None:
            self._open(self.jars.client, cookie)

    def _open(self, client: str, cookie: Cookie, *, new: bool = False) -> None:
        self.dialog = dialog = CookieDialog(
            self._controls, self._store, self._theme, client, cookie, self, new=new
        )
        dialog.fired.connect(self.fired)
        dialog.request_selected.connect(self._selection.select)
        dialog.show()

    def _delete(self) -> None:
        cookie = self.jars.cookie
        if cookie is not None:
            self._controls.jars.remove(self.jars.client, cookie)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self._question.setText(tr("What goes along to"))
        self.url.setAccessibleName(tr("URL"))
        self.url.setToolTip(tr("A path or URL: the last column says which cookies would go there"))
        for button in (self.add, self.edit, self.delete):
            button.retranslate()
        self._empty.retranslate()
        self.jars.retranslate()
        self.events.retranslate()
