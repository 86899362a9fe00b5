import asyncio

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler


class NameHandler(RequestHandler):
    async def get(self):
        # Events that a browser reads with: new EventSource("/path")
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        try:
            for number in range(1, 11):
                self.write(f"data: {number}\n\n")
                # Without flush() everything would leave at once, at the end.
                await self.flush()
                await asyncio.sleep(0.1)
        except StreamClosedError:
            # The reader has left before the end: nothing more to do.
            return
