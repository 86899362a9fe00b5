"""A script: importing it would do nothing."""

import asyncio
import sys

from tornado.web import Application, RequestHandler


class Hello(RequestHandler):
    def get(self):
        self.write(f"{__name__} {sys.argv[1:]}")


async def main():
    Application([("/", Hello)]).listen(0, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
