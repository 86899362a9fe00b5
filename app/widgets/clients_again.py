"""A recorded request as a shot: sent again, or put into the form."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut

from app.exchange.request import ExchangeError, recorded
from app.recording.events import Request
from app.recording.store import Store

from .controls import Controls, Shot
from .i18n import tr
from .table import RowsView

_OWN = frozenset(
    [
        *("cookie", "connection", "transfer-encoding", "expect", "origin", "referer"),
        *("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user"),
    ]
)
"""The headers that a client adds by itself, for what it is now."""
_SAME = (("User-Agent", "Loopscope"), ("Accept", "*/*"))
"""Those that are the same for all clients."""


def shot_of(request: Request, client: str, base: str | None) -> Shot:
    """Return *request* as *client* would send it now, with its own cookies.

    Raises ExchangeError for what cannot be asked for by URL.
    """
    found = recorded(request, base)
    headers = [
        (name, value)
        for name, value in found.headers
        if name.lower() not in _OWN and (name, value) not in _SAME
    ]
    own = (base or "").rstrip("/")
    url = found.url.removeprefix(own) if own and found.url.startswith(f"{own}/") else found.url
    return Shot(client, found.method, url, headers, found.body)


class RequestAgain(QObject):
    """Keys of the requests table: R sends a request again, Shift+D puts it into the form.

    N begins a new one there; A resumes a parked request, Shift+A all, X closes its connection.
    The request's client asks, or if it came from outside, the one that *chosen* names.
    """

    edit = Signal(object)
    """A `Shot` is to be shown in the form."""
    fired = Signal()

    def __init__(
        self, view: RowsView, store: Store, controls: Controls, chosen: Callable[[], str]
    ) -> None:
        super().__init__(view)
        self._view, self._store = view, store
        self._controls, self._chosen = controls, chosen
        for keys, slot in (
            *(("R", self.send), ("Shift+D", self.duplicate), ("N", self.start_new)),
            *(("A", self.resume), ("Shift+A", controls.breakpoints.resume_all), ("X", self.kill)),
        ):
            shortcut = QShortcut(QKeySequence(keys), view)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(slot)

    def send(self) -> None:
        """Fire the current request again."""
        if (shot := self._shot()) is not None:
            self._controls.fire(shot)
            self.fired.emit()

    def duplicate(self) -> None:
        """Show the current request in the form."""
        if (shot := self._shot()) is not None:
            self.edit.emit(shot)

    def start_new(self) -> None:
        """Show a request to / in the form."""
        self.edit.emit(Shot(self._chosen(), "GET", "/", [], b""))

    def resume(self) -> None:
        """Let the current request go on if it is parked."""
        if (request := self._request()) is not None:
            self._controls.breakpoints.resume(request.id)

    def kill(self) -> None:
        """Close the connection of the current request if it is parked."""
        if (request := self._request()) is not None:
            self._controls.breakpoints.kill(request.id)

    def _request(self) -> Request | None:
        at = self._view.currentIndex().row()
        return self._store.request(self._view.rows_model.row(at)[0]) if at >= 0 else None

    def _shot(self) -> Shot | None:
        request = self._request()
        if request is None:
            return None
        names = [state.name for state in self._controls.clients()]
        client = request.client if request.client in names else self._chosen()
        try:
            return shot_of(request, client, self._controls.address)
        except ExchangeError as error:
            self._controls.failed.emit(tr(error.template, **error.values))
            return None
