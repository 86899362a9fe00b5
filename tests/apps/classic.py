"""A program in the older manner: it starts the loop itself, and cleans up behind it."""

import atexit
import signal
import sqlite3

from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.web import Application, RequestHandler

events = []
database = sqlite3.connect(":memory:")


class Count(RequestHandler):
    def get(self):
        (count,) = database.execute("SELECT count(*) FROM ticks").fetchone()
        self.write(f"{count} {events}")


class Server(HTTPServer):
    def initialize(self, *args, **kwargs):
        super().initialize(*args, **kwargs)
        self.mine = True


async def prepare():
    events.append("prepared")
    database.execute("CREATE TABLE ticks (at)")


def tick():
    database.execute("INSERT INTO ticks VALUES (1)")


def main():
    signal.signal(signal.SIGTERM, lambda number, frame: IOLoop.current().stop())
    atexit.register(database.close)
    atexit.register(events.append, "left")
    IOLoop.current().run_sync(prepare)
    server = Server(Application([("/", Count)]))
    server.bind(0, "127.0.0.1")
    server.start(2)
    PeriodicCallback(tick, 20).start()
    try:
        IOLoop.current().start()
    except KeyboardInterrupt:
        events.append("interrupted")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
