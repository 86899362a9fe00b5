"""Clients from outside that hold their connections while the server is changed."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import urlsplit

from tornado.websocket import WebSocketClientConnection, websocket_connect

T = TypeVar("T")


class Swarm:
    """Keep-alive connections that ask over and over, in a thread with a loop of its own.

    ``dropped`` counts connections that ended, ``statuses`` all answers by their status.
    """

    def __init__(self, address: str, path: str, count: int) -> None:
        self.dropped = 0
        self.statuses: Counter[int] = Counter()
        self.answered = [0] * count
        self.stream = b""
        """What the one streaming client has got so far."""
        parts = urlsplit(address)
        self._address, self._path = address, path
        self._where = (parts.hostname or "", parts.port or 0)
        self._loop = asyncio.new_event_loop()
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="swarm")
        self._thread.start()
        self.run(self._start(count))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Run a coroutine beside the connections."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def _start(self, count: int) -> None:
        self._tasks = [asyncio.create_task(self._ask(n)) for n in range(count)]

    async def _ask(self, number: int) -> None:
        """Ask again and again over one connection."""
        try:
            reader, writer = await asyncio.open_connection(*self._where)
            while not self._stopping:
                writer.write(f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
                status, headers = await _head(reader)
                await reader.readexactly(int(headers["content-length"]))
                self.statuses[status] += 1
                self.answered[number] += 1
                await asyncio.sleep(0.5)
            writer.close()
        except (OSError, asyncio.IncompleteReadError, KeyError):
            self.dropped += 1

    async def read_stream(self, path: str) -> int:
        """Fetch what comes in chunks to its end; return the status."""
        reader, writer = await asyncio.open_connection(*self._where)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        status, _ = await _head(reader)
        while size := int(await reader.readuntil(b"\r\n"), 16):
            self.stream += await reader.readexactly(size)
            await reader.readexactly(2)
        writer.close()
        return status

    async def headers(self, path: str, header: str) -> dict[str, str]:
        """Fetch a page with one more header; return those of the answer."""
        reader, writer = await asyncio.open_connection(*self._where)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}\r\n\r\n".encode())
        found = (await _head(reader))[1]
        writer.close()
        return found

    async def open_socket(self, path: str) -> WebSocketClientConnection:
        """Open a WebSocket."""
        url = f"ws{self._address.removeprefix('http')}{path}"
        return await websocket_connect(url)

    def stop(self) -> concurrent.futures.Future[None]:
        """Let all connections finish what they do and close them."""
        self._stopping = True
        return self.run(self._settled())

    async def _settled(self) -> None:
        await asyncio.gather(*self._tasks)

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        with contextlib.suppress(RuntimeError):
            self._loop.close()


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return int(lines[0].split()[1]), headers
