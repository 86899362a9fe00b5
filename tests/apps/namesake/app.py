"""A program of the name that Loopscope's own package bears."""

from tornado.web import Application
from views import Home

VALUE = "the program's own app"


def make_app():
    return Application([("/", Home)])
