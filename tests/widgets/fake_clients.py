"""Test doubles of the clients: their jars, their WebSockets, and what they fire."""

from __future__ import annotations

from collections.abc import Callable

from app.server.cookie_log import CookieNotes
from app.server.jar import Cookie, Withheld
from app.server.signed_cookies import Keys
from app.widgets.firing_controls import Fired, FiringControls, Person
from app.widgets.jar_controls import JarControls
from app.widgets.socket_controls import CLOSED, OPEN, Socket, SocketControls


def cookie(name: str, value: str, same_site: str = "Lax") -> Cookie:
    """Return a cookie of 127.0.0.1."""
    return Cookie(name, value, "127.0.0.1", http_only=name == "user", same_site=same_site)


class FakeJars(JarControls):
    """Three clients' jars; each cookie that is not for / is withheld."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self.server_keys = Keys("SECRET")
        self.held = {
            "Alice": [
                cookie("user", '"2|1:0|10:1700000000|4:user|8:YWxpY2U=|bdb1c4cdb16c97"'),
                cookie("_xsrf", "2|9f3ac1d0|6ab1e07c6ab1e07c6ab1e07c6ab1e07c|1763596800"),
            ],
            "Bob": [cookie("_xsrf", "2|11aa22bb|6ab1e07c6ab1e07c6ab1e07c6ab1e07c|1763596801")],
            "Mallory": [],
        }

    def clear(self, client: str) -> None:
        self.held[client] = []
        self._changed()

    def put(self, client: str, cookie: Cookie, instead_of: Cookie | None = None) -> None:
        jar = [each for each in self.held[client] if each != instead_of]
        self.held[client] = [*jar, cookie]
        self._changed()

    def remove(self, client: str, cookie: Cookie) -> None:
        self.held[client].remove(cookie)
        self._changed()

    def withheld(self, client: str, url: str, method: str = "GET") -> list[Withheld]:
        return [Withheld(c.name, "NotOnPath", c) for c in self.held[client] if c.path != "/"]

    def notes(self, request_id: int) -> CookieNotes | None:
        return None

    def keys(self, time_ns: int | None = None) -> Keys:
        return self.server_keys

    def sign(self, name: str, value: bytes, version: int) -> str:
        return f"signed {name} {value!r} {version}"


class FakeSockets(SocketControls):
    """Clients' WebSockets that open and close at once; `asked` says what was wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[object, ...]] = []
        self.known: dict[str, Socket] = {}

    def of(self, client: str) -> Socket:
        return self.known.setdefault(client, Socket())

    def connect_to(self, client: str, url: str) -> None:
        self.asked.append(("connect", client, url))
        self.known[client] = Socket(url, OPEN)
        self.changed.emit(client)

    def send(self, client: str, message: bytes, binary: bool) -> None:
        self.asked.append(("send", client, message, binary))

    def ping(self, client: str, data: bytes) -> None:
        self.asked.append(("ping", client, data))

    def close(self, client: str, code: int | None, reason: str) -> None:
        self.asked.append(("close", client, code, reason))
        self.known[client].phase = CLOSED
        self.changed.emit(client)


class FakeFiring(FiringControls):
    """Clients that never change and have fired what `fired` lists."""

    def __init__(self) -> None:
        super().__init__()
        self.fired: list[Fired] = []
        self.changes: list[tuple[str, Person]] = []
        self.removed: list[str] = []

    def history(self) -> list[Fired]:
        return self.fired

    def forget(self) -> None:
        self.fired.clear()

    def person(self, client: str) -> Person:
        return Person(client)

    def change(self, client: str, person: Person) -> None:
        self.changes.append((client, person))

    def remove(self, client: str) -> None:
        self.removed.append(client)
