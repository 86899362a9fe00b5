"""What is to be previewed: a template, for a request, with values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tornado.web import Application

from app.server.site import Site


class AsRequest(NamedTuple):
    """The request for which a template is rendered."""

    method: str = "GET"
    uri: str = "/"
    version: str = "HTTP/1.1"
    headers: tuple[tuple[str, str], ...] = (("Host", "127.0.0.1"),)
    body: bytes = b""


class Job(NamedTuple):
    """What to render: template ``root`` of a site, for a request, with values."""

    site: Site
    root: str
    application: Application | None = None
    """What serves the site; without one nothing of it may run."""
    asked: AsRequest = AsRequest()
    values: Mapping[str, Any] = {}
    typed: frozenset[str] = frozenset()
    """Which of the values were typed in; the others are the handler's."""
    expression: str = ""
    """What to evaluate beside it."""
