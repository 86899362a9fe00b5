"""Pages made from templates."""

import datetime

from handlers.base import BaseHandler


class HomeHandler(BaseHandler):
    def get(self):
        name = self.get_query_argument("name", self.current_user or self.locale.translate("World"))
        self.render("home.html", name=name, now=datetime.datetime.now())


class StoryHandler(BaseHandler):
    def get(self, story_id):
        # The group (?P<story_id>\d+) of the route arrives here by its name, always as text.
        self.render("story.html", story_id=story_id, next_id=int(story_id[-9:]) + 1)
