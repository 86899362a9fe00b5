"""Handlers to begin with: what each is, and how it comes into a site."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .site import HANDLERS, Route, Site

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "snippets"


@dataclass(frozen=True)
class Snippet:
    """``key`` is the name of its file. ``title`` and ``text`` are English, for people.

    ``setting`` names the setting in which Tornado looks for it, where it is no handler.
    """

    key: str
    title: str
    text: str
    setting: str = ""

    def source(self, name: str) -> str:
        """Return its code, with *name* (in snake case) in the place of its own."""
        text = (FOLDER / f"{self.key}.py").read_text("utf-8")
        text = re.sub(r"\bName(?=Handler\b|\()", camel(name), text)
        return re.sub(r"\bname(?=\()", name, text)

    def target(self, name: str) -> str:
        """Return the dotted path of its handler in the module *name*."""
        return f"{HANDLERS}.{name}.{camel(name)}Handler"


SNIPPETS = (
    Snippet("plain", "Plain", "Answers at once, with an argument from the URL."),
    Snippet("async", "Async", "Awaits two things at the same time, answers in JSON."),
    Snippet("login", "Login", "A form with its XSRF token, a signed cookie, log in and out."),
    Snippet("upload", "Upload", "Takes files of a multipart form, measures and hashes them."),
    Snippet("streaming", "Streaming", "Sends events piece by piece, as they come."),
    Snippet("websocket", "WebSocket", "Stays open and says back what it hears."),
    Snippet("module", "UI module", "A piece of a page, with its own CSS.", "ui_modules"),
    Snippet("method", "UI method", "A function that templates call.", "ui_methods"),
)


def add(site: Site, snippet: Snippet, name: str, pattern: str = "") -> Site:
    """Return *site* with ``handlers/<name>.py`` made from *snippet*, and a route to it.

    Without a *pattern* there is no route. UI modules and methods are named in the settings
    instead. The route comes first: what is added shall answer. Raises SiteError for a bad name.
    """
    made = site.with_handler(f"{name}.py", snippet.source(name))
    if snippet.setting:
        known = made.settings.get(snippet.setting)
        return made.with_settings(
            {**made.settings, snippet.setting: _with(known, f"{HANDLERS}.{name}")}
        )
    if pattern:
        route = Route(pattern, snippet.target(name), _free(site, name))
        made = made.with_routes((route, *made.routes))
    return made


def _with(known: Any, module: str) -> Any:
    """Return the setting *known* with one more module in it."""
    if known is None:
        return module
    return [*known, module] if isinstance(known, list) else [known, module]


def _free(site: Site, name: str) -> str:
    return "" if any(route.name == name for route in site.routes) else name


def camel(name: str) -> str:
    """Return a snake case name as that of a class."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
