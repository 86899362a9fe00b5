"""A guest book: a form that is checked on the server."""

import collections

from handlers.base import BaseHandler

entries = collections.deque(maxlen=20)


class FormHandler(BaseHandler):
    def get(self):
        self.render("form.html", entries=entries, name="", message="", errors={})

    def post(self):
        name = self.get_body_argument("name", "")
        message = self.get_body_argument("message", "")
        errors = self.check(name, message)
        if errors:
            self.set_status(422)
            self.render("form.html", entries=entries, name=name, message=message, errors=errors)
            return
        entries.appendleft((name, message))
        # 303: the browser fetches the page anew, so that "reload" does not post twice.
        self.redirect("/form", status=303)

    def check(self, name, message):
        # The browser checks as well, but a script need not: only this check counts.
        errors = {}
        if not 1 <= len(name) <= 40:
            errors["name"] = "Please enter a name of 1 to 40 characters."
        if not 1 <= len(message) <= 280:
            errors["message"] = "Please enter a message of 1 to 280 characters."
        return errors
