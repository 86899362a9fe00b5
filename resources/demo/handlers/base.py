"""What every handler of this site shares: the user, the language, the error page."""

import http.client

import tornado.web
from handlers import words


class BaseHandler(tornado.web.RequestHandler):
    def prepare(self):
        # ?lang=zh in any address is remembered for the next requests.
        language = self.get_query_argument("lang", "")
        if language in ("en", "zh"):
            self.set_cookie("lang", language, samesite="Lax")

    def get_current_user(self):
        # Signed, so nobody can change it; not encrypted, so everybody can read it.
        name = self.get_signed_cookie("user")
        return name.decode() if name else None

    def get_user_locale(self):
        # The address decides, then the cookie, then what the browser asks for.
        wanted = (
            self.get_query_argument("lang", "")
            or self.get_cookie("lang", "")
            or self.request.headers.get("Accept-Language", "")
        )
        return words.CHINESE if wanted.lower().startswith("zh") else words.ENGLISH

    def get_number(self, name, default, most):
        """Return the query argument *name* as a number from 0 to *most*; 400 for any other."""
        try:
            number = float(self.get_query_argument(name, default))
        except ValueError:
            number = -1
        if not 0 <= number <= most:
            raise tornado.web.HTTPError(400, "%s must be from 0 to %s", name, most)
        return number

    def write_error(self, status_code, **kwargs):
        # Tornado calls this for an HTTPError and for every exception that nobody caught.
        error = kwargs.get("exc_info", (None, None))[1]
        if isinstance(error, tornado.web.HTTPError):
            error = None
        phrase = http.client.responses.get(status_code, "")
        self.render("error.html", status=status_code, phrase=phrase, error=error)
