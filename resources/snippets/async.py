import asyncio

from tornado.web import RequestHandler


class NameHandler(RequestHandler):
    async def get(self):
        # Both wait at the same time; meanwhile the event loop serves others.
        first, second = await asyncio.gather(self.fetch("first"), self.fetch("second"))
        self.write({"first": first, "second": second})

    async def fetch(self, name):
        # In place of a slow call: to a database, to another server.
        await asyncio.sleep(0.1)
        return f"the {name} answer"
