"""When something goes wrong."""

import tornado.web
from handlers.base import BaseHandler


class CrashHandler(BaseHandler):
    def get(self):
        # A real mistake. Nobody catches it here, so Tornado makes it a 500 by write_error().
        numbers = []
        average = sum(numbers) / len(numbers)
        self.write(f"The average is {average}.")


class NotFoundHandler(BaseHandler):
    """For every address that no route matches: the setting default_handler_class."""

    def prepare(self):
        raise tornado.web.HTTPError(404)

    def check_xsrf_cookie(self):
        # Nothing is changed here, so a POST to a wrong address may say 404 instead of 403.
        pass
