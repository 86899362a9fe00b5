"""The application that the benchmarks serve: a handler that suspends once, and a crowd of tasks."""

from __future__ import annotations

import asyncio

from tornado.web import Application, RequestHandler


class HelloHandler(RequestHandler):
    """Answers after one turn of the loop."""

    async def get(self) -> None:
        """Suspend once, then write a short text."""
        await asyncio.sleep(0)
        self.write("Hello, world")


class CrowdHandler(RequestHandler):
    """Leaves tasks behind that wait as long as the program runs."""

    waiting: set[asyncio.Task[None]] = set()

    async def get(self, count: str) -> None:
        """Start *count* tasks: half of them wait for Futures, half for timers."""
        for number in range(int(count)):
            self.waiting.add(asyncio.create_task(self._wait(number)))
        self.write(f"{len(self.waiting)} tasks wait")

    @staticmethod
    async def _wait(number: int) -> None:
        if number % 2:
            await asyncio.get_running_loop().create_future()
        else:
            await asyncio.sleep(3600 + number / 100)


def make_app() -> Application:
    """Return the application, as ``--app benchmarks/app.py:make_app`` wants it."""
    return Application([("/", HelloHandler), (r"/crowd/(\d+)", CrowdHandler)])
