"""A server whose callback is exchanged as it runs: a function, then a delegate."""

import asyncio

from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    ResponseStartLine,
)

LINE = ResponseStartLine("HTTP/1.1", 200, "OK")


def answer(connection):
    connection.write_headers(LINE, HTTPHeaders({"Content-Length": "4"}), b"fine")
    connection.finish()


class Message(HTTPMessageDelegate):
    def __init__(self, connection):
        self.connection = connection

    def finish(self):
        answer(self.connection)


class Delegate(HTTPServerConnectionDelegate):
    def start_request(self, server_conn, request_conn):
        return Message(request_conn)


async def main():
    def first(request):
        server.request_callback = Delegate()
        answer(request.connection)

    server = HTTPServer(first)
    server.listen(0, "127.0.0.1")
    await asyncio.Event().wait()
