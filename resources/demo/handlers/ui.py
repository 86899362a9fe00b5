"""UI modules: pieces of a page that templates use by name."""

import tornado.web


class Card(tornado.web.UIModule):
    """{% module Card("/sleep", "Sleep", "What it shows") %}"""

    def render(self, address, title, text, note="", new_tab=False):
        return self.render_string(
            "modules/card.html",
            address=address,
            title=title,
            text=text,
            note=note,
            new_tab=new_tab,
        )
