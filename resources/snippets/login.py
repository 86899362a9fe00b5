from tornado.escape import xhtml_escape
from tornado.web import RequestHandler, authenticated

FORM = """<!doctype html>
<title>Log in</title>
<form method="post">
  {token}
  <label>Name <input name="name" required maxlength="40" autofocus></label>
  <button>Log in</button>
</form>
"""


class NameHandler(RequestHandler):
    """GET shows a form, or who is logged in; POST logs in; DELETE logs out."""

    def get_current_user(self):
        # Signed, so nobody can change it; not encrypted, so everybody can read it.
        name = self.get_signed_cookie("user")
        return name.decode() if name else None

    def get(self):
        if self.current_user:
            self.write(f"Logged in as {xhtml_escape(self.current_user)}")
        else:
            self.write(FORM.format(token=self.xsrf_form_html()))

    def post(self):
        # Ask for a password here, and compare it with what you keep of it.
        name = self.get_body_argument("name")
        self.set_signed_cookie("user", name, httponly=True, samesite="Lax")
        self.redirect(self.request.path)

    @authenticated
    def delete(self):
        self.clear_cookie("user")
        self.set_status(204)
