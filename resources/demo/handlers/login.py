"""Log in with a signed cookie, and a page for those who did."""

import tornado.web
from handlers.base import BaseHandler


class LoginHandler(BaseHandler):
    def get(self):
        self.show(name="", error="")

    def post(self):
        # Tornado has compared the XSRF token of the form with the cookie before it came here.
        name = self.get_body_argument("name", "")
        if not 1 <= len(name) <= 40:
            self.set_status(422)
            self.show(name, error="Please enter a name of 1 to 40 characters.")
            return
        self.set_signed_cookie("user", name, httponly=True, samesite="Lax")
        self.redirect(self.next_page())

    def show(self, name, error):
        self.render("login.html", name=name, error=error, next=self.next_page())

    def next_page(self):
        # Only a path of our own: "//evil.example" would lead to another server.
        page = self.get_argument("next", "/profile")
        local = page.startswith("/") and not page.startswith(("//", "/\\"))
        return page if local else "/profile"


class LogoutHandler(BaseHandler):
    def get(self):
        self.clear_cookie("user")
        self.redirect("/")


class ProfileHandler(BaseHandler):
    @tornado.web.authenticated
    def get(self):
        # Whoever is not logged in never gets here, but to login_url with ?next=/profile.
        self.render("profile.html", cookie=self.get_cookie("user"))
