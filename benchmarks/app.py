"""The application that the benchmarks serve: one handler that suspends once."""

from __future__ import annotations

import asyncio

from tornado.web import Application, RequestHandler


class HelloHandler(RequestHandler):
    """Answers after one turn of the loop."""

    async def get(self) -> None:
        """Suspend once, then write a short text."""
        await asyncio.sleep(0)
        self.write("Hello, world")


def make_app() -> Application:
    """Return the application, as ``--app benchmarks/app.py:make_app`` wants it."""
    return Application([("/", HelloHandler)])
