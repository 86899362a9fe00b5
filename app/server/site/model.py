"""What a site is, and which names its files may have."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

SITE_FILE = "site.toml"
SCHEMA = 2
"""The version of what ``site.toml`` may say; a file that names none is of version 1."""
HANDLERS = "handlers"
TEMPLATES = "templates"
STATIC = "static"

MAX_SITE_FILE_BYTES = 64 * 1024 * 1024
MAX_SOURCE_BYTES = 4 * 1024 * 1024
MAX_FILES = 10_000


class Problem(NamedTuple):
    """Something wrong in a site, and where. ``line`` and ``column`` count from 1; 0 is unknown.

    ``file`` is relative to the project folder: ``site.toml``, ``handlers/login.py`` …
    ``column`` counts within the route's pattern (or host) where ``route`` is given.
    """

    file: str
    line: int
    column: int
    text: str
    route: int = -1
    """Index in ``Site.routes`` of the route that is meant; -1 for none."""
    field: str = ""
    """The name of the route's field that is meant; empty for none."""

    def __str__(self) -> str:
        place = "".join(f":{number}" for number in (self.line, self.column) if number)
        return f"{self.file}{place}: {self.text}"


class SiteError(Exception):
    """A site that cannot be loaded, saved or served; ``problems`` says why and where.

    Its text is one line that names the file, within *folder* when that is given.
    """

    def __init__(self, problems: Iterable[Problem], folder: Path | None = None) -> None:
        self.problems = list(dict.fromkeys(problems))
        self.folder = folder
        super().__init__(self.problems, folder)

    def __str__(self) -> str:
        if not self.problems:
            return "the site has a problem"
        first = str(self.problems[0])
        more = len(self.problems) - 1
        where = f"{self.folder}{os.sep}" if self.folder else ""
        return " ".join(f"{where}{first}".split()) + (f" (and {more} more)" if more else "")


class GivenUp(SiteError):
    """The user did not want to wait for it; nothing has changed."""


@dataclass(frozen=True)
class Route:
    """One URL pattern and the handler class that answers it."""

    pattern: str
    handler: str
    """Dotted path, as Tornado takes it: ``handlers.login.LoginHandler``."""
    name: str = ""
    kwargs: dict[str, Any] = field(default_factory=dict)
    host: str = ""
    """Host pattern; empty for any."""
    enabled: bool = True


@dataclass(frozen=True)
class Site:
    """A project: what is served. Sources are held as text, by file name relative to their folder.

    Lines end in ``\\n`` here, whatever they end in on the disk; saving keeps the file's own ends.
    """

    folder: Path
    name: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    """Those of the Application."""
    server: dict[str, Any] = field(default_factory=dict)
    """Arguments of the HTTPServer: limits and what it believes of a proxy."""
    routes: tuple[Route, ...] = ()
    handlers: dict[str, str] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)
    schema: int = SCHEMA
    """That of its ``site.toml``. A site of a newer one can be looked at and served, not saved."""

    def with_handler(self, name: str, text: str) -> Site:
        """Return this site with ``handlers/<name>`` reading *text*.

        Raises SiteError for a name that leaves the folder or is no ``.py`` file.
        """
        refuse_name(HANDLERS, name)
        return replace(self, handlers={**self.handlers, name: text})

    def without_handler(self, name: str) -> Site:
        """Return this site without ``handlers/<name>``. Saving leaves the file on the disk."""
        return replace(self, handlers={k: v for k, v in self.handlers.items() if k != name})

    def with_template(self, name: str, text: str) -> Site:
        """Return this site with ``templates/<name>`` reading *text*.

        Raises SiteError for a name that leaves the folder.
        """
        refuse_name(TEMPLATES, name)
        return replace(self, templates={**self.templates, name: text})

    def without_template(self, name: str) -> Site:
        """Return this site without ``templates/<name>``. Saving leaves the file on the disk."""
        return replace(self, templates={k: v for k, v in self.templates.items() if k != name})

    def with_routes(self, routes: Iterable[Route]) -> Site:
        """Return this site with *routes* in place of its own."""
        return replace(self, routes=tuple(routes))

    def with_settings(self, settings: Mapping[str, Any]) -> Site:
        """Return this site with *settings* in place of its own."""
        return replace(self, settings=dict(settings))

    def with_server(self, server: Mapping[str, Any]) -> Site:
        """Return this site with *server* as its HTTPServer's arguments."""
        return replace(self, server=dict(server))


# Names


def is_within(path: Path, root: Path) -> bool:
    """Tell whether *path* is below *root* once all links are followed; those in a loop are not."""
    # Path.resolve() raises RuntimeError at a loop of links; opening the file tells it better.
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def name_fault(folder: str, name: str) -> str:
    """Say why *name* must not be a file of *folder*; empty when it may."""
    path = PurePosixPath(name)
    if not name or "\\" in name or PureWindowsPath(name).drive or not name.isprintable():
        return f"{name!r} is not a file name"
    if path.is_absolute() or ".." in path.parts:
        return f"{name!r} leaves the project folder"
    if str(path) != name:
        return f"{name!r} is not a plain relative name"
    if folder == HANDLERS and (len(path.parts) != 1 or path.suffix != ".py"):
        return f"{name!r} must be a .py file directly in {HANDLERS}/"
    return ""


def refuse_name(folder: str, name: str) -> None:
    if fault := name_fault(folder, name):
        raise SiteError([Problem(f"{folder}/{name}", 0, 0, fault)])


def name_problems(site: Site) -> Iterator[Problem]:
    for folder, names in ((HANDLERS, site.handlers), (TEMPLATES, site.templates)):
        for name in names:
            if fault := name_fault(folder, name):
                yield Problem(f"{folder}/{name}", 0, 0, fault)
