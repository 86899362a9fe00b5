"""A project's application for whoever wants it without a window, such as a recorded test."""

from __future__ import annotations

from pathlib import Path

from tornado.web import Application

from .build import build_application
from .modules import HandlerModules
from .site import load


def application(folder: str | Path) -> Application:
    """Return the application of the project in *folder*, whose code is run for it.

    Raises SiteError with every problem found.
    """
    site, modules = load(Path(folder)), HandlerModules()
    modules.load(site)
    return build_application(site, modules)
