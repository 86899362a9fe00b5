from tornado.escape import xhtml_escape
from tornado.web import UIModule


class Name(UIModule):
    """In a template: {% module Name("What it says") %}"""

    def render(self, text):
        # What it returns goes into the page as it is.
        return f'<p class="note">{xhtml_escape(text)}</p>'

    def embedded_css(self):
        # Comes once into the head of the page, however often the module is used.
        return ".note { border-left: 3px solid; padding-left: 0.6em; }"
