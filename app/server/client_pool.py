"""The connections of a client: kept alive, used again, and known by their ports."""

from __future__ import annotations

from typing import Protocol

from .client_messages import Origin
from .client_wire import Connection, addresses

IDLE_PER_ORIGIN = 16
"""Idle connections that a client keeps open to one origin."""


class Named(Protocol):
    """Whose connections they are. The name may change."""

    name: str


class Ports:
    """Which client is behind a local port, from before the server can accept the connection.

    *sockets* is told likewise who is behind a descriptor; see `Recorder.sockets`.
    """

    def __init__(self, sockets: dict[int, str] | None = None) -> None:
        self.sockets = {} if sockets is None else sockets
        self._clients: dict[int, dict[int, Named]] = {}

    def add(self, connection: Connection, client: Named) -> None:
        """Note that *client* speaks over *connection*, whose port is known by now."""
        local, remote = connection.local_port, connection.origin.port
        self._clients.setdefault(local, {})[remote] = client
        connection.role = f"client {client.name} port {local}"
        self.sockets[connection.descriptor] = connection.role

    def remove(self, connection: Connection) -> None:
        """Forget a connection; unknown ones are ignored."""
        clients = self._clients.get(connection.local_port, {})
        clients.pop(connection.origin.port, None)
        if not clients:
            self._clients.pop(connection.local_port, None)
        # A socket that the server closed first has left its number to another by now.
        if connection.role and self.sockets.get(connection.descriptor) == connection.role:
            del self.sockets[connection.descriptor]

    def name_at(self, local: int, remote: int | None = None) -> str | None:
        """Return who is at port *local*; *remote* tells apart servers on several ports."""
        clients = self._clients.get(local, {})
        found = next(iter(clients.values()), None) if remote is None else clients.get(remote)
        return None if found is None else found.name

    def __len__(self) -> int:
        return sum(len(clients) for clients in self._clients.values())


class Pool:
    """One client's connections, in use or idle."""

    def __init__(self, client: Named, ports: Ports) -> None:
        self.closed = False
        self._client = client
        self._ports = ports
        self._connections: set[Connection] = set()
        self._idle: dict[Origin, list[Connection]] = {}

    def __len__(self) -> int:
        return len(self._connections)

    def reusable(self, origin: Origin) -> Connection | None:
        """Take an idle connection to *origin* that can serve again, or None."""
        idle = self._idle.get(origin, [])
        while idle:
            connection = idle.pop()
            if connection.fresh():
                connection.stream.set_close_callback(None)
                return connection
            connection.close()
        return None

    def release(self, connection: Connection) -> None:
        """Keep a connection for later, or close it when there are enough."""
        idle = self._idle.setdefault(connection.origin, [])
        if self.closed or len(idle) >= IDLE_PER_ORIGIN:
            connection.close()
            return
        connection.used = True
        idle.append(connection)
        # With a close callback the stream listens while it is idle, so that a connection which
        # the server closes is let go at once.
        connection.stream.set_close_callback(connection.close)

    async def connect(self, origin: Origin) -> Connection:
        """Connect to the first address of *origin* that answers; raises OSError if none does.

        Tornado's TCPClient is not used: cancelled at the wrong moment it loses a connected
        socket, and the port could be known only after the server may have accepted it.
        """
        failure: OSError = OSError(f"{origin.host} has no address")
        for family, address in await addresses(origin):
            if self.closed:
                raise OSError("the client is closed")
            try:
                connection = Connection(origin, family, self._opened, self._forget)
            except OSError as error:  # a family that this machine does not have
                failure = error
                continue
            self._connections.add(connection)
            try:
                await connection.open(address)
            except OSError as error:
                failure = error
                connection.close()
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise failure

    def close_idle(self) -> None:
        """Close the connections that no request is using."""
        for idle in list(self._idle.values()):
            for connection in list(idle):
                connection.close()

    def close(self) -> None:
        """Close every connection; there will be no more. Idempotent."""
        self.closed = True
        for connection in list(self._connections):
            connection.close()

    def _opened(self, connection: Connection) -> None:
        self._ports.add(connection, self._client)

    def _forget(self, connection: Connection) -> None:
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        idle = self._idle.get(connection.origin, [])
        if connection in idle:
            idle.remove(connection)
        self._ports.remove(connection)
