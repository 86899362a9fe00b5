"""The benchmark's application on stock asyncio: the yardstick. Prints its port, serves for ever."""

from __future__ import annotations

import asyncio

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from benchmarks.app import make_app
from benchmarks.processes import raise_descriptor_limit


async def serve() -> None:
    """Listen on a free loopback port, print it, and serve until the process ends."""
    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(make_app()).add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    raise_descriptor_limit()
    asyncio.run(serve())
