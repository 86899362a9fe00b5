"""Imports the program's ``app`` when it is already running."""

from tornado.web import RequestHandler


class Home(RequestHandler):
    def get(self):
        from app import VALUE

        self.write(VALUE)
