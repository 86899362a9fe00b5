from tornado.web import RequestHandler


class NameHandler(RequestHandler):
    def get(self):
        name = self.get_query_argument("name", "World")
        # A text is sent as HTML, so what comes from outside must not be put into it as it is.
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.write(f"Hello, {name}!")
