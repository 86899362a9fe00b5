import hashlib

from tornado.web import RequestHandler

FORM = """<!doctype html>
<title>Upload</title>
<form method="post" enctype="multipart/form-data">
  {token}
  <input type="file" name="file" multiple required>
  <button>Upload</button>
</form>
"""


class NameHandler(RequestHandler):
    def get(self):
        self.write(FORM.format(token=self.xsrf_form_html()))

    def post(self):
        # Files are in memory here. A file name comes from outside: never use it as a path.
        files = self.request.files.get("file", [])
        self.write({"files": [self.describe(file) for file in files]})

    def describe(self, file):
        digest = hashlib.sha256(file.body).hexdigest()
        return {"name": file.filename, "size": len(file.body), "sha256": digest}
