"""What the window does with the clients' cookies, and what it asks about them."""

from __future__ import annotations

from app.recording.capture import Fates
from app.recording.store import Store
from app.server.clients import Clients
from app.server.cookie_log import CookieNotes
from app.server.jar import Cookie, Withheld


class Jars:
    """The jars of the clients whose requests are in a store."""

    def __init__(self, clients: Clients, store: Store) -> None:
        self._clients = clients
        self._store = store

    def put(self, client: str, cookie: Cookie, instead_of: Cookie | None) -> None:
        """Put *cookie* into a client's jar, unchecked; *instead_of* goes, if it is there."""
        jar = self._clients[client].jar
        if instead_of is not None:
            jar.remove(instead_of)
        jar.put(cookie)

    def remove(self, client: str, cookie: Cookie) -> None:
        """Forget a client's cookie."""
        self._clients[client].jar.remove(cookie)

    def withheld(self, client: str, url: str, method: str) -> list[Withheld]:
        """Return which cookies a request to the absolute *url* would leave out; none without a
        host, since such a request cannot be sent."""
        try:
            return self._clients[client].cookie_header(url, method)[1]
        except ValueError:
            return []

    def fates(self, request_id: int) -> Fates:
        """Return the same as `notes`, for the recording's file."""
        notes = self.notes(request_id)
        if notes is None:
            return Fates()
        left = [(each.name, each.cookie.value, each.reason) for each in notes.withheld]
        return Fates([verdict.reason for verdict in notes.verdicts], left)

    def notes(self, request_id: int) -> CookieNotes | None:
        """Return what a client withheld and refused with a recorded request; None for nothing."""
        request = self._store.request(request_id)
        connection = self._store.connection(request.connection_id) if request else None
        if request is None or connection is None or not request.client:
            return None
        port = connection.remote.rpartition(":")[2]
        log = self._clients.cookie_log
        return log.find(int(port), request.start_ns) if port.isdecimal() else None
