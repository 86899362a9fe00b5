from tornado.websocket import WebSocketHandler


class NameHandler(WebSocketHandler):
    """Says back what it hears. In a browser: new WebSocket("ws://localhost:8888/path")"""

    def open(self):
        self.write_message("Hello!")

    def on_message(self, message):
        self.write_message(message, binary=isinstance(message, bytes))

    def on_close(self):
        print("Closed:", self.close_code, self.close_reason)
