"""What the window does with the clients' cookies, and what it asks about them."""

from __future__ import annotations

from collections.abc import Callable

from app.recording.capture import Fates
from app.recording.store import Store
from app.server.clients import Clients
from app.server.cookie_log import CookieNotes
from app.server.jar import Cookie, Withheld
from app.server.keys import KeyRing
from app.server.signed_cookies import Keys
from app.widgets.jar_controls import JarControls


class Jars(JarControls):
    """The jars of the clients whose requests are in a store; *changed* hears of each change.

    *keys* are the server's, *absolute* returns a URL seen from it.
    """

    def __init__(
        self,
        clients: Clients,
        store: Store,
        keys: KeyRing,
        absolute: Callable[[str], str],
        changed: Callable[[], None],
    ) -> None:
        self._clients, self._store, self._keys = clients, store, keys
        self._absolute, self._changed = absolute, changed

    def clear(self, client: str) -> None:
        self._clients[client].jar.clear()
        self._changed()

    def put(self, client: str, cookie: Cookie, instead_of: Cookie | None = None) -> None:
        jar = self._clients[client].jar
        if instead_of is not None:
            jar.remove(instead_of)
        jar.put(cookie)
        self._changed()

    def remove(self, client: str, cookie: Cookie) -> None:
        self._clients[client].jar.remove(cookie)
        self._changed()

    def withheld(self, client: str, url: str, method: str = "GET") -> list[Withheld]:
        try:
            return self._clients[client].cookie_header(self._absolute(url), method)[1]
        except ValueError:  # Without a host it cannot be sent.
            return []

    def keys(self, time_ns: int | None = None) -> Keys:
        return self._keys.at(time_ns)

    def sign(self, name: str, value: bytes, version: int) -> str:
        return self._keys.sign(name, value, version)

    def fates(self, request_id: int) -> Fates:
        """Return the same as `notes`, for the recording's file."""
        notes = self.notes(request_id)
        if notes is None:
            return Fates()
        left = [(each.name, each.cookie.value, each.reason) for each in notes.withheld]
        return Fates([verdict.reason for verdict in notes.verdicts], left)

    def notes(self, request_id: int) -> CookieNotes | None:
        request = self._store.request(request_id)
        connection = self._store.connection(request.connection_id) if request else None
        if request is None or connection is None or not request.client:
            return None
        port = connection.remote.rpartition(":")[2]
        log = self._clients.cookie_log
        return log.find(int(port), request.start_ns) if port.isdecimal() else None
