"""A program as Tornado's documentation writes it: a coroutine that listens and never returns."""

import asyncio
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.options import define, options, parse_command_line
from tornado.tcpserver import TCPServer
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

define("greeting", default="hello", help="what to say")
define("debug", default=True)


class Hello(RequestHandler):
    async def get(self, name):
        await asyncio.sleep(0)
        self.render("page.html", name=name, greeting=options.greeting)


class Broken(RequestHandler):
    def get(self):
        raise ValueError("on purpose")


class Echo(WebSocketHandler):
    async def on_message(self, message):
        await self.write_message(message)


class EchoServer(TCPServer):
    async def handle_stream(self, stream, address):
        await stream.write(await stream.read_until(b"\n"))
        stream.close()


class Mine(Application):
    def __init__(self):
        rules = [(r"/hello/(\w+)", Hello, {}, "hello"), ("/broken", Broken), ("/echo", Echo)]
        super().__init__(
            rules, template_path=str(Path(__file__).parent / "templates"), debug=options.debug
        )
        self.add_handlers("127.0.0.1", [("/added", Hello)])


async def main():
    parse_command_line()
    HTTPServer(Mine()).listen(0, "127.0.0.1")
    EchoServer().listen(0, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
