"""A project as data: a folder with ``site.toml``, ``handlers/``, ``templates/`` and ``static/``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """Something wrong in a site, and where. ``line`` and ``column`` count from 1; 0 is unknown.

    ``file`` is relative to the project folder: ``site.toml``, ``handlers/login.py`` …
    """

    file: str
    line: int
    column: int
    text: str


@dataclass(frozen=True)
class Route:
    """One URL pattern and the handler class that answers it."""

    pattern: str
    handler: str
    """Dotted path, as Tornado takes it: ``handlers.login.LoginHandler``, ``tornado.web.RedirectHandler``."""
    name: str = ""
    kwargs: dict[str, Any] = field(default_factory=dict)
    host: str = ""
    """Host pattern; empty for any."""
    enabled: bool = True


@dataclass(frozen=True)
class Site:
    """A project: what is served. Sources are held as text, by file name relative to their folder."""

    folder: Path
    name: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    handlers: dict[str, str] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)
