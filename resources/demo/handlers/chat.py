"""A chat: one WebSocket per browser, open for as long as the page is."""

import contextlib
import itertools
import json

import tornado.websocket
from handlers.base import BaseHandler

clients = set()
numbers = itertools.count(1)


class ChatHandler(BaseHandler):
    def get(self):
        self.render("chat.html")


class ChatSocketHandler(BaseHandler, tornado.websocket.WebSocketHandler):
    def open(self):
        self.name = self.current_user or f"{self.locale.translate('Guest')} {next(numbers)}"
        clients.add(self)
        self.tell_all("joined")

    def on_message(self, message):
        self.tell_all("message", text=str(message)[:500])

    def on_close(self):
        if self in clients:
            clients.remove(self)
            self.tell_all("left")

    def tell_all(self, kind, text=""):
        line = json.dumps({"kind": kind, "name": self.name, "text": text, "online": len(clients)})
        for client in list(clients):
            # One that left just now is taken out by its own on_close().
            with contextlib.suppress(tornado.websocket.WebSocketClosedError):
                client.write_message(line)
