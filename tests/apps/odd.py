"""Programs that do what is seldom done, and some that go wrong."""

import asyncio
import sys
from pathlib import Path

import tornado.test
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler

CERTIFICATES = Path(tornado.test.__file__).parent


class Stop(RequestHandler):
    def get(self):
        self.write("stopping")
        IOLoop.current().stop()


class Fail(RequestHandler):
    def get(self):
        failed.set()


failed = asyncio.Event()


async def secure():
    files = {"certfile": str(CERTIFICATES / "test.crt"), "keyfile": str(CERTIFICATES / "test.key")}
    server = HTTPServer(Application([("/", Stop)]), ssl_options=files, xheaders=True)
    server.listen(0, "127.0.0.1")


async def fails_later():
    Application([("/fail", Fail), ("/stop", Stop)]).listen(0, "127.0.0.1")
    await failed.wait()
    raise LookupError("later")


def leaves():
    sys.exit("nothing to do")


def loops():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(secure())
    with asyncio.Runner() as runner:
        runner.run(asyncio.sleep(0))
    asyncio.run(asyncio.sleep(0))
    try:
        loop.run_forever()
    finally:
        loop.close()
