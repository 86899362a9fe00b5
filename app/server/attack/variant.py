"""The site under a defence: its own handlers, with other settings and other cookies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tornado.web import Application, RequestHandler

from app.server.site import Site

from .attacks import Defence


def varied(site: Site, defence: Defence) -> Site:
    """Return *site* with the settings of *defence*."""
    chosen = {
        "xsrf_cookies": defence.xsrf_cookies,
        "cross_origin_protection": defence.cross_origin_protection,
    }
    settings = {name: value for name, value in chosen.items() if value is not None}
    return replace(site, settings={**site.settings, **settings})


def variant_class(defence: Defence, path: str) -> type[Application]:
    """Return an Application whose handlers set their cookies as *defence* says.

    Where it says so, GET to *path* does what POST does, with the fields of the query.
    """

    class Variant(Application):
        def get_handler_delegate(
            self, request: Any, target_class: type[RequestHandler], *args: Any, **kwargs: Any
        ) -> Any:
            get_posts = defence.get_posts and request.path == path
            handler = _handler(target_class, defence.same_site, get_posts)
            return super().get_handler_delegate(request, handler, *args, **kwargs)

    return Variant


def _handler(
    cls: type[RequestHandler], same_site: str | None, get_posts: bool
) -> type[RequestHandler]:
    def set_cookie(self: RequestHandler, name: str, value: Any, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("samesite", None)
        if same_site:
            kwargs["samesite"] = same_site
        if same_site == "None":
            kwargs["secure"] = True
        cls.set_cookie(self, name, value, *args, **kwargs)

    def get(self: RequestHandler, *args: Any, **kwargs: Any) -> Any:
        # As with get_argument(), which takes a field from wherever it stands.
        self.request.body_arguments.update(self.request.query_arguments)
        return cls.post(self, *args, **kwargs)

    methods: dict[str, Any] = {} if same_site is None else {"set_cookie": set_cookie}
    if get_posts:
        methods["get"] = get
    return type(cls.__name__, (cls,), methods)
