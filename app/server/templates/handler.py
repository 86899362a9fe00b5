"""The handler for which a template is rendered for the window.

It is made anew from a recorded request, as Tornado would route it, and none of its methods is
called but ``initialize`` and what rendering asks for. What is written goes nowhere.
"""

from __future__ import annotations

from typing import Any, cast

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.template import BaseLoader
from tornado.web import Application, RequestHandler, _HandlerDelegate

from .job import AsRequest


class _Nowhere:
    """A connection on which nothing comes or goes."""

    def set_close_callback(self, callback: object) -> None:
        """Tornado asks for it; it is never closed."""


class Shown(RequestHandler):
    """What a handler's class is mixed with: renders from *loader*, and keeps what it renders."""

    loader: BaseLoader
    page = b""

    def get_template_path(self) -> str:
        return f"<preview {id(self)}>"

    def create_template_loader(self, template_path: str) -> BaseLoader:
        return self.loader

    def finish(self, chunk: Any = None) -> Any:
        self.page = chunk if isinstance(chunk, bytes) else b""


def handler_for(application: Application, asked: AsRequest, loader: BaseLoader) -> Shown:
    """Return the handler that *application* routes *asked* to. Raises what its code does."""
    headers = HTTPHeaders()
    for name, value in asked.headers:
        headers.add(name, value)
    headers.setdefault("Host", "127.0.0.1")
    request = HTTPServerRequest(
        headers=headers,
        body=asked.body,
        connection=cast(Any, _Nowhere()),
        start_line=RequestStartLine(asked.method, asked.uri, asked.version),
    )
    request._parse_body()
    delegate = application.find_handler(request)
    cls: type[RequestHandler] = RequestHandler
    arguments: dict[str, Any] = {}
    if isinstance(delegate, _HandlerDelegate):
        cls, arguments = delegate.handler_class, delegate.handler_kwargs
    names = {"loader": loader, "__module__": cls.__module__, "__qualname__": cls.__qualname__}
    shown = cast("type[Shown]", type(cls.__name__, (Shown, cls), names))
    return shown(application, request, **arguments)
