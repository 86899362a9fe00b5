"""The handler modules of a site, run from the text that is being edited."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import linecache
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from app.server.site import HANDLERS, Problem, Site, SiteError

from .module_sources import Source, sources_of, stale


class HandlerModules:
    """Loads ``handlers/*.py`` of a site as package ``handlers``, without reading the disk.

    A module is run again only when its text changed or it imports, directly or not, one whose
    text did. The others keep their state: the clients of a chat survive an edit elsewhere.
    """

    def __init__(self) -> None:
        self._sources: dict[str, Source] = {}
        self._modules: dict[str, ModuleType] = {}
        self._foreign: dict[str, ModuleType] = {}
        self._finder = _Finder()

    def load(self, site: Site) -> Callable[[], None]:
        """Run what changed in *site*; return what makes the modules again what they were before.

        Raises SiteError; they are then as they were before.

        Whatever leaves a module's code (``SystemExit`` too) is a problem at the line that ran.
        """
        sources = sources_of(site)
        old = stale(self._sources, sources)
        kept = {name: module for name, module in self._modules.items() if name not in old}
        kept = {name: module for name, module in kept.items() if name in sources}
        before = self._install()
        try:
            self._modules = self._run(sources, kept)
        except BaseException as error:
            self._restore(before)
            if isinstance(error, SiteError):
                raise
            raise SiteError([_problem(error, sources)], site.folder) from error
        self._sources = sources
        self._finder.sources = sources
        self.cache_lines()
        return lambda: self._restore(before)

    def resolve(self, dotted: str) -> Any:
        """Return the object at *dotted*: in a handler module, or in any module that Python finds.

        Raises ImportError with a reason, whatever the import itself raised.
        """
        parts = dotted.split(".")
        for count in range(len(parts), 0, -1):
            module = _import(".".join(parts[:count]))
            if module is not None:
                return _attribute(module, dotted, parts[count:])
        raise ImportError(f"there is no module {parts[0]!r}")

    def unload(self) -> None:
        """Take out of ``sys`` and ``linecache`` what this object put there."""
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
            _drop_handlers()
            sys.modules.update(self._foreign)
        for source in self._sources.values():
            linecache.cache.pop(source.path, None)
        self._sources, self._modules, self._foreign = {}, {}, {}
        self._finder.sources = {}

    def cache_lines(self) -> None:
        """Give ``linecache`` the lines that run, so that a traceback never shows stale ones.

        Tornado empties that cache whenever a template is rendered; call this afterwards.
        """
        for source in self._sources.values():
            lines = source.text.splitlines(keepends=True)
            # Without a modification time the entry is not compared with the file on the disk.
            linecache.cache[source.path] = (len(source.text), None, lines, source.path)

    def _install(self) -> _State:
        if self._finder not in sys.meta_path:
            self._foreign = _drop_handlers()
            sys.meta_path.insert(0, self._finder)
            installed = True
        else:
            installed = False
        package = self._modules.get(HANDLERS)
        names = dict(vars(package)) if package else {}
        return _State(self._modules, self._sources, names, installed)

    def _run(
        self, sources: dict[str, Source], kept: dict[str, ModuleType]
    ) -> dict[str, ModuleType]:
        self._finder.sources = sources
        _drop_handlers()
        sys.modules.update(kept)
        if HANDLERS in kept:
            _detach(kept[HANDLERS], set(self._modules) - set(kept))
        package = importlib.import_module(HANDLERS)
        for name, module in kept.items():
            if name != HANDLERS:
                setattr(package, name.rpartition(".")[2], module)
        for name in sorted(sources):
            importlib.import_module(name)
        return {name: sys.modules[name] for name in sources}

    def _restore(self, before: _State) -> None:
        _drop_handlers()
        self._modules, self._sources = before.modules, before.sources
        self._finder.sources = before.sources
        self.cache_lines()
        if HANDLERS in before.modules:
            names = vars(before.modules[HANDLERS])
            names.clear()
            names.update(before.package_names)
        sys.modules.update(before.modules)
        if before.installed:
            sys.meta_path.remove(self._finder)
            sys.modules.update(self._foreign)
            self._foreign = {}


@dataclass(frozen=True)
class _State:
    """What a failed load goes back to."""

    modules: dict[str, ModuleType]
    sources: dict[str, Source]
    package_names: dict[str, Any]
    installed: bool


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the handler modules for Python's import statement."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        source = self.sources.get(fullname)
        if source is None:
            return None
        spec = ModuleSpec(fullname, _Loader(source), origin=source.path)
        spec.has_location = True
        if fullname == HANDLERS:
            # Empty: what is not in the site must not be found on the disk.
            spec.submodule_search_locations = []
        return spec


class _Loader(importlib.abc.InspectLoader):
    """Runs one handler module; ``inspect`` and ``linecache`` ask it for the text."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def exec_module(self, module: ModuleType) -> None:
        exec(self._source.code, vars(module))

    def get_source(self, fullname: str) -> str:
        return self._source.text

    def get_code(self, fullname: str) -> CodeType:
        return self._source.code

    def is_package(self, fullname: str) -> bool:
        return fullname == HANDLERS


def _drop_handlers() -> dict[str, ModuleType]:
    """Take package ``handlers`` out of ``sys.modules`` and return what was there."""
    names = [name for name in sys.modules if name.split(".")[0] == HANDLERS]
    return {name: sys.modules.pop(name) for name in names}


def _detach(package: ModuleType, names: set[str]) -> None:
    for name in names:
        vars(package).pop(name.rpartition(".")[2], None)


def _problem(error: BaseException, sources: dict[str, Source]) -> Problem:
    """Return *error* as a problem at the innermost line of a handler module that it passed."""
    files = {source.path: source.file for source in sources.values()}
    frames = traceback.walk_tb(error.__traceback__)
    places = [(files[path], line) for frame, line in frames if (path := _path(frame)) in files]
    file, line = places[-1] if places else (HANDLERS, 0)
    return Problem(file, line, 0, describe(error))


def _path(frame: Any) -> str:
    return str(frame.f_code.co_filename)


def describe(error: BaseException) -> str:
    """Return the kind and the text of *error*, even if its ``__str__`` fails."""
    return " ".join("".join(traceback.format_exception_only(error)).split())


def _import(name: str) -> ModuleType | None:
    """Import module *name*; None if there is none of that name."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(f"{missing}."):
            return None
        raise
    except ImportError:
        raise
    except BaseException as error:
        raise ImportError(f"importing {name} failed: {describe(error)}") from error


def _attribute(module: ModuleType, dotted: str, names: list[str]) -> Any:
    found: Any = module
    for name in names:
        try:
            found = getattr(found, name)
        except AttributeError:
            where = Path(getattr(module, "__file__", None) or module.__name__).name
            raise ImportError(f"there is no {name!r} in {where} for {dotted}") from None
    return found
