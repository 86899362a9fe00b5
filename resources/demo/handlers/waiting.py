"""A request that hangs on a Future until another request resolves it."""

import asyncio

from handlers.base import BaseHandler

waiting = set()


class WaitHandler(BaseHandler):
    async def get(self):
        # A Future is a box that is still empty. The request sleeps until somebody fills it.
        self.future = asyncio.get_running_loop().create_future()
        waiting.add(self.future)
        value = await self.future
        self.write({"value": value})

    def on_connection_close(self):
        # The browser has gone, but its coroutine still waits: nobody ends it for us.
        if self.future in waiting:
            waiting.remove(self.future)
            self.future.set_result(None)


class ResolveHandler(BaseHandler):
    def get(self):
        value = self.get_query_argument("value", None)
        resolved = None
        if value is not None:
            resolved = len(waiting)
            for future in waiting:
                future.set_result(value)
            waiting.clear()
        self.render("resolve.html", value=value, resolved=resolved, waiting=len(waiting))
