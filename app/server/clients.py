"""The named clients, in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from .browser import Browser
from .client import Client
from .client_pool import Ports
from .cookie_log import CookieLog


class Clients:
    """The clients, in order. Names are unique. *sockets* is told which descriptors are theirs."""

    def __init__(
        self, clock: Callable[[], float] = time.time, sockets: dict[int, str] | None = None
    ) -> None:
        self.ports = Ports(sockets)
        self.cookie_log = CookieLog()
        self._clock = clock
        self._clients: dict[str, Client] = {}
        self.add("Alice", browser=Browser())
        self.add("Bob", browser=Browser())
        self.add("Mallory", browser=Browser("http://evil.localhost/"))
        self.add("script", keeps_cookies=False)

    def add(
        self, name: str, *, keeps_cookies: bool = True, browser: Browser | None = None
    ) -> Client:
        """Add a client at the end. Raises ValueError for a name that is empty or taken."""
        self._check_name(name)
        client = Client(
            name,
            keeps_cookies=keeps_cookies,
            browser=browser,
            hue=len(self._clients) + 1,
            ports=self.ports,
            clock=self._clock,
            log=self.cookie_log,
        )
        self._clients[name] = client
        return client

    def rename(self, name: str, new: str) -> None:
        """Rename a client in its place. Raises KeyError, or ValueError as in `add`."""
        client = self._clients[name]
        if name != new:
            self._check_name(new)
        client.name = new
        self._clients = {each.name: each for each in self._clients.values()}

    def remove(self, name: str) -> None:
        """Close and forget a client. Raises KeyError."""
        self._clients.pop(name).close()

    def __getitem__(self, name: str) -> Client:
        return self._clients[name]

    def __iter__(self) -> Iterator[Client]:
        return iter(list(self._clients.values()))

    def __len__(self) -> int:
        return len(self._clients)

    def name_of_peer(self, remote_port: int, server_port: int | None = None) -> str | None:
        """Return the name of the client behind a connection's remote port, or None.

        It is known before the server can accept the connection. *server_port*, the port that was
        connected to, tells apart connections to several servers from one port.
        """
        return self.ports.name_at(remote_port, server_port)

    def close(self) -> None:
        """Close all clients."""
        for client in self:
            client.close()

    def _check_name(self, name: str) -> None:
        if not name.strip():
            raise ValueError("a client needs a name")
        if name in self._clients:
            raise ValueError(f"there is a client called {name} already")
