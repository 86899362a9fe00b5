"""What the window does with the static files of what is served."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tornado.web import StaticFileHandler

from app.server.server import Server
from app.server.site import STATIC, Site
from app.server.static_files import StaticFolder
from app.widgets.i18n import tr
from app.widgets.static_controls import StaticControls

_LARGEST_HASHED = 64 * 1024 * 1024


class StaticFiles(StaticControls):
    """Of the site that *site* gives, or of a user's own application.

    *fault* says why a project must not be changed, *serve* serves a site anew.
    """

    def __init__(
        self,
        server: Server,
        site: Callable[[], Site],
        fault: Callable[[], str],
        serve: Callable[[Site], object],
    ) -> None:
        self._server, self._site, self._fault, self._serve = server, site, fault, serve

    def folder(self) -> StaticFolder | None:
        path = self._settings.get("static_path")
        if path:
            return StaticFolder(Path(str(path)))
        return None if self._fault() else StaticFolder(self._site().folder / STATIC)

    @property
    def _settings(self) -> dict[str, Any]:
        return self._server.settings

    @property
    def _handler(self) -> type[StaticFileHandler]:
        chosen: type[StaticFileHandler] = self._settings.get(
            "static_handler_class", StaticFileHandler
        )
        return chosen

    def fault(self) -> str:
        fault, folder = self._fault(), self.folder()
        if fault or folder is None:
            return fault
        if not folder.root.resolve().is_relative_to(self._site().folder.resolve()):
            return tr("The folder is outside of the project: change its files there.")
        return ""

    def url(self, name: str) -> str:
        if not self._settings.get("static_path"):
            return ""
        url = self._handler.make_static_url(self._settings, name, include_version=False)
        version = self._remembered(name) or self._content_version(name)
        return f"{url}?v={version}" if version else url

    def is_stale(self, name: str) -> bool:
        remembered = self._remembered(name)
        return remembered is not None and remembered != self._content_version(name)

    def _path(self, name: str) -> str:
        return self._handler.get_absolute_path(str(self._settings["static_path"]), name)

    def _remembered(self, name: str) -> str | None:
        if not self._settings.get("static_path"):
            return None
        if not self._settings.get("static_hash_cache", True):
            return None
        return self._handler._static_hashes.get(self._path(name))

    def _content_version(self, name: str) -> str | None:
        path = self._path(name)
        try:
            if Path(path).stat().st_size > _LARGEST_HASHED:
                return None
            return self._handler.get_content_version(path)
        except OSError:
            return None

    def changed(self) -> None:
        self._handler.reset()
        if not self._settings.get("static_path"):
            self._serve(self._site())  # There is a folder now.
