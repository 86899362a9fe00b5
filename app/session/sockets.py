"""The WebSockets of the clients, as the window commands them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tornado.websocket import WebSocketClosedError

from app.recording.events import Row
from app.recording.recorder import Recorder
from app.server.client_socket import ClientSocket, NotUpgraded, open_socket
from app.server.clients import Clients
from app.server.websocket import Passing
from app.widgets.i18n import tr
from app.widgets.socket_controls import CLOSED, CONNECTING, OPEN, Socket, SocketControls

KEPT = 5_000
"""How many messages of a client's WebSocket are kept."""
KEPT_BYTES = 16 << 20
"""How many bytes of them."""
_TOLD_S = 0.03
"""How soon after a message the window is told, in s."""


class _Journal:
    """The messages of one WebSocket as its client sees them; the oldest are forgotten."""

    run_id = 0

    def __init__(self, socket: Socket, body_cap: int) -> None:
        self.message_id = 0
        self.begun_messages: dict[int, Row] = {}
        self.messages = socket.rows
        self._body_cap = body_cap
        self._bytes = 0

    def keep(self, body: bytes) -> bytes:
        """Return what may be kept of a payload."""
        body = body[: self._body_cap]
        self._bytes += len(body)
        return body if self._bytes <= KEPT_BYTES else b""


class Sockets(SocketControls):
    """Each client's latest WebSocket. *spawn* runs a coroutine as a client's."""

    def __init__(
        self,
        recorder: Recorder,
        clients: Clients,
        absolute: Callable[[str], str],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        super().__init__()
        self._recorder = recorder
        self._clients = clients
        self._absolute = absolute
        self._spawn = spawn
        self._states: dict[str, Socket] = {}
        self._open: dict[str, ClientSocket] = {}
        self._told: set[str] = set()

    def of(self, client: str) -> Socket:
        return self._states.setdefault(client, Socket())

    def connect_to(self, client: str, url: str) -> None:
        self._end(client)
        socket = Socket(url, CONNECTING, origin_ns=self._recorder.clock())
        self._states[client] = socket
        self._spawn(self._connect(client, socket))
        self.changed.emit(client)

    async def _connect(self, client: str, socket: Socket) -> None:
        journal = _Journal(socket, self._recorder.body_cap)

        def begin(direction: str, opcode: int, data: bytes) -> Passing:
            self._tell_soon(client)
            return Passing(journal, 0, direction, opcode, data)

        def closed() -> None:
            socket.phase = CLOSED
            self._tell_soon(client)

        try:
            opened = await open_socket(
                self._clients[client], self._absolute(socket.url), begin, closed
            )
        except NotUpgraded as error:
            words = tr("the server answered {status}, not 101", status=error.status)
            socket.phase, socket.note = CLOSED, words
        except (OSError, ValueError) as error:
            socket.phase, socket.note = CLOSED, str(error)
        else:
            if self._states.get(client) is not socket:  # Another was asked for meanwhile.
                opened.abort()
                return
            socket.phase = OPEN
            self._open[client] = opened
        self.changed.emit(client)

    def _tell_soon(self, client: str) -> None:
        if client not in self._told:
            self._told.add(client)
            asyncio.get_running_loop().call_later(_TOLD_S, self._tell, client)

    def _tell(self, client: str) -> None:
        self._told.discard(client)
        socket = self.of(client)
        excess = len(socket.rows) - KEPT
        if excess > KEPT // 10:
            del socket.rows[:excess]
            socket.forgotten += excess
        self.changed.emit(client)

    def send(self, client: str, message: bytes, binary: bool) -> None:
        self._spawn(self._do(client, lambda socket: socket.send(message, binary)))

    def ping(self, client: str, data: bytes) -> None:
        self._spawn(self._do(client, lambda socket: socket.ping(data)))

    def close(self, client: str, code: int | None, reason: str) -> None:
        self._spawn(self._do(client, lambda socket: socket.close(code, reason)))

    async def _do(self, client: str, act: Callable[[ClientSocket], object]) -> None:
        """Act as the client; one that has just been closed needs nothing more."""
        socket = self._open.get(client)
        if socket is not None:
            try:
                sent = act(socket)
                if asyncio.isfuture(sent):
                    await sent
            except WebSocketClosedError:
                self.changed.emit(client)

    def _end(self, client: str) -> None:
        socket = self._open.pop(client, None)
        if socket is not None:
            socket.abort()

    def close_all(self) -> None:
        """End every WebSocket without a close frame, and tell nobody: the window goes too."""
        self.blockSignals(True)
        for client in list(self._open):
            self._end(client)
