"""WebSockets of the named clients: on their own connections, with their own cookies."""

from __future__ import annotations

import asyncio
import base64
import os
from asyncio import Future
from collections.abc import Callable
from types import TracebackType

from tornado.escape import utf8
from tornado.httputil import HTTPHeaders
from tornado.log import app_log
from tornado.websocket import WebSocketClosedError, _WebSocketParams

from .client import Client
from .client_messages import ClientRequest
from .client_wire import Connection
from .websocket import BINARY, IN, OUT, TEXT, Begin, NotedProtocol

MAX_MESSAGE = 10 << 20
"""How many bytes a message that comes in may have; that is Tornado's own limit too."""


class NotUpgraded(ValueError):
    """The server answered with another *status* than 101."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server answered {status}, not 101")
        self.status = status


class ClientSocket:
    """An open WebSocket. *begin* notes what passes: ``in`` is what goes to the server.

    *closed* is called once, when it is over.
    """

    def __init__(self, connection: Connection, begin: Begin, closed: Callable[[], None]) -> None:
        params = _WebSocketParams(max_message_size=MAX_MESSAGE)
        self._begin = begin
        self._closed = closed
        self._protocol = NotedProtocol(self, True, params, begin, (OUT, IN))
        self._protocol.stream = connection.stream
        self._connection = connection
        self._reading: asyncio.Task[None] | None = None

    def start(self, key: bytes, headers: HTTPHeaders) -> None:
        """Check the server's half of the handshake and begin to read. Raises ValueError."""
        try:
            self._protocol._process_server_headers(key, headers)
        except (AssertionError, KeyError):
            raise ValueError("the server's handshake is not that of a WebSocket") from None
        loop = self._protocol._receive_frame_loop()
        self._reading = asyncio.get_running_loop().create_task(loop)

    def send(self, message: bytes, binary: bool) -> Future[None]:
        """Send a message. Raises WebSocketClosedError."""
        if self._protocol.is_closing():
            raise WebSocketClosedError
        return self._protocol.write_message(message, binary)

    def ping(self, data: bytes) -> None:
        """Send a ping with up to 125 bytes. Raises WebSocketClosedError."""
        if self._protocol.is_closing():
            raise WebSocketClosedError
        self._protocol.write_ping(data)

    def close(self, code: int | None = None, reason: str = "") -> None:
        """Send a close frame; the connection ends when the server has answered, or after 5 s."""
        self._protocol.close(code, reason or None)

    def abort(self) -> None:
        """Close the connection without a close frame."""
        self._protocol._abort()

    # -- What the protocol calls -------------------------------------------------------------

    def on_message(self, message: str | bytes) -> None:
        self._begin(OUT, TEXT if isinstance(message, str) else BINARY, utf8(message)).ended()

    def on_ping(self, data: bytes) -> None:
        """It is noted already."""

    def on_pong(self, data: bytes) -> None:
        """It is noted already."""

    def on_ws_connection_close(self, code: int | None = None, reason: str | None = None) -> None:
        self._protocol.on_connection_close()
        self._connection.close()
        self._closed()

    def log_exception(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        app_log.error("Uncaught exception in a client's WebSocket", exc_info=error)


async def open_socket(
    client: Client, url: str, begin: Begin, closed: Callable[[], None]
) -> ClientSocket:
    """Open a WebSocket to the absolute *url* as *client*, with the cookies of its jar.

    Raises OSError when there is no connection, ValueError for a URL or an answer that is none,
    `NotUpgraded` for an answer other than 101.
    """
    key = base64.b64encode(os.urandom(16))
    headers = (
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key.decode("ascii")),
    )
    for scheme, plain in (("ws://", "http://"), ("wss://", "https://")):
        if url.lower().startswith(scheme):
            url = plain + url[len(scheme) :]
    response, connection = await client.upgrade(ClientRequest(url, headers=headers))
    if connection is None:
        raise NotUpgraded(response.status) if response.status else ValueError(response.error)
    socket = ClientSocket(connection, begin, closed)
    try:
        socket.start(key, HTTPHeaders(dict(response.headers)))
    except ValueError:
        connection.close()
        raise
    return socket
