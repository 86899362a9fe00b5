"""An answer that is sent piece by piece."""

import asyncio

import tornado.iostream
from handlers.base import BaseHandler


class StreamHandler(BaseHandler):
    async def get(self):
        count = int(self.get_number("count", "5", most=100))
        seconds = self.get_number("seconds", "0.3", most=5)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        # Else a browser holds the first bytes back to guess what they are.
        self.set_header("X-Content-Type-Options", "nosniff")
        try:
            for number in range(1, count + 1):
                self.write(f"{number}\n")
                # Without flush() everything would leave at once, at the end.
                await self.flush()
                await asyncio.sleep(seconds)
        except tornado.iostream.StreamClosedError:
            # The reader has left before the end: nothing more to do.
            return
