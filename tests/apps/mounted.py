"""Applications within routers, WSGI, static files and redirects; made by a coroutine."""

from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.routing import HostMatches, PathMatches, Rule, RuleRouter
from tornado.web import Application, FallbackHandler, RequestHandler, StaticFileHandler, url
from tornado.wsgi import WSGIContainer


class Inner(RequestHandler):
    def get(self, number):
        self.write(number)


def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"from WSGI " + environ["PATH_INFO"].encode()]


def plain(request):
    raise NotImplementedError


async def make_router():
    static = {"path": str(Path(__file__).parent / "static")}
    rules = [
        url(r"/inner/(?P<number>\d+)", Inner, name="inner"),
        (r"/static/(.*)", StaticFileHandler, static),
        (r"/wsgi/.*", FallbackHandler, {"fallback": WSGIContainer(wsgi)}),
        (r"/inner/(?P<number>\d+)", Inner),
    ]
    inner = Application(rules)
    return RuleRouter([Rule(HostMatches("127.0.0.1"), inner), Rule(PathMatches("/x"), plain)])


async def serve_wsgi():
    HTTPServer(WSGIContainer(wsgi)).listen(0, "127.0.0.1")


async def nothing():
    return None
