"""Files in a multipart form: looked at, never stored."""

import hashlib
import pathlib

from handlers.base import BaseHandler


class UploadHandler(BaseHandler):
    def get(self):
        self.render("upload.html", files=[])

    def post(self):
        files = [self.describe(file) for file in self.request.files.get("file", [])]
        self.render("upload.html", files=files)

    def describe(self, file):
        return {
            "sent": file.filename,
            "name": clean(file.filename),
            "size": len(file.body),
            "sha256": hashlib.sha256(file.body).hexdigest(),
        }


def clean(filename):
    """Return only the last part of *filename*: it comes from outside, and may be ../../x.py."""
    name = pathlib.PureWindowsPath(filename).name.lstrip(".")
    return "".join(character for character in name if character.isprintable()) or "unnamed"
