"""The same pause twice: once the server lives on, once it stands still."""

import asyncio
import time

from handlers.base import BaseHandler


class SleepHandler(BaseHandler):
    async def get(self):
        seconds = self.get_number("seconds", "0.5", most=60)
        # await gives the event loop back: meanwhile the server answers other requests.
        await asyncio.sleep(seconds)
        self.render("slept.html", seconds=seconds, blocking=False)


class BlockHandler(BaseHandler):
    def get(self):
        seconds = self.get_number("seconds", "0.5", most=10)
        # There is one thread, and it is now in here: every other request has to wait.
        time.sleep(seconds)
        self.render("slept.html", seconds=seconds, blocking=True)
