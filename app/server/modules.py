"""The handler modules of a site, run from the text that is being edited."""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.util
import linecache
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from app.server.site import HANDLERS, Problem, Site, SiteError, compile_handler


@dataclass(frozen=True)
class _Source:
    """One module's text, where it lives, and what it is compiled to."""

    file: str
    path: str
    text: str
    code: CodeType
    imports: frozenset[str] = field(default_factory=frozenset)
    """Full names of the handler modules that it imports, directly."""


class HandlerModules:
    """Loads ``handlers/*.py`` of a site as package ``handlers``, without reading the disk.

    A module is run again only when its text changed or it imports, directly or not, one whose
    text did. The others keep their state: the clients of a chat survive an edit elsewhere.
    """

    def __init__(self) -> None:
        self._sources: dict[str, _Source] = {}
        self._modules: dict[str, ModuleType] = {}
        self._foreign: dict[str, ModuleType] = {}
        self._finder = _Finder()

    def load(self, site: Site) -> Callable[[], None]:
        """Run what changed in *site*; return what makes the modules again what they were before.

        Raises SiteError; they are then as they were before.

        Whatever leaves a module's code (``SystemExit`` too) is a problem at the line that ran.
        """
        sources = _compile(site)
        stale = _stale(self._sources, sources)
        kept = {name: module for name, module in self._modules.items() if name not in stale}
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
        self, sources: dict[str, _Source], kept: dict[str, ModuleType]
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
    sources: dict[str, _Source]
    package_names: dict[str, Any]
    installed: bool


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the handler modules for Python's import statement."""

    def __init__(self) -> None:
        self.sources: dict[str, _Source] = {}

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

    def __init__(self, source: _Source) -> None:
        self._source = source

    def exec_module(self, module: ModuleType) -> None:
        exec(self._source.code, vars(module))

    def get_source(self, fullname: str) -> str:
        return self._source.text

    def get_code(self, fullname: str) -> CodeType:
        return self._source.code

    def is_package(self, fullname: str) -> bool:
        return fullname == HANDLERS


def _compile(site: Site) -> dict[str, _Source]:
    """Return the modules of *site* by full name. Raises SiteError with every syntax error."""
    sources: dict[str, _Source] = {}
    problems: list[Problem] = []
    texts = {"__init__.py": "", **site.handlers}
    for file, text in texts.items():
        stem = file.removesuffix(".py")
        code = compile_handler(site, file, text)
        if isinstance(code, Problem):
            problems.append(code)
        elif stem.isidentifier():
            name = HANDLERS if stem == "__init__" else f"{HANDLERS}.{stem}"
            path = str(site.folder / HANDLERS / file)
            sources[name] = _Source(f"{HANDLERS}/{file}", path, text, code, _imports(text))
    if problems:
        raise SiteError(problems, site.folder)
    return sources


@lru_cache(maxsize=512)
def _imports(text: str) -> frozenset[str]:
    """Return the full names under ``handlers`` that *text* may import, wherever it does so."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # It compiled, so it runs; what it imports just stays unknown.
        return frozenset()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _import_base(node)
            found.update((base, *(f"{base}.{alias.name}" for alias in node.names)))
    return frozenset(name for name in found if name.split(".")[0] == HANDLERS)


def _import_base(node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    return f"{HANDLERS}.{node.module}" if node.module else HANDLERS


def _stale(old: dict[str, _Source], new: dict[str, _Source]) -> set[str]:
    """Return the modules of *new* to run again, and those that are gone."""
    changed = {name for name in old.keys() | new.keys() if _differs(old.get(name), new.get(name))}
    waiting = list(changed)
    while waiting:
        name = waiting.pop()
        for other, source in new.items():
            if other not in changed and name in source.imports:
                changed.add(other)
                waiting.append(other)
    return changed


def _differs(old: _Source | None, new: _Source | None) -> bool:
    if old is None or new is None:
        return True
    return (old.text, old.path) != (new.text, new.path)


def _drop_handlers() -> dict[str, ModuleType]:
    """Take package ``handlers`` out of ``sys.modules`` and return what was there."""
    names = [name for name in sys.modules if name.split(".")[0] == HANDLERS]
    return {name: sys.modules.pop(name) for name in names}


def _detach(package: ModuleType, names: set[str]) -> None:
    for name in names:
        vars(package).pop(name.rpartition(".")[2], None)


def _problem(error: BaseException, sources: dict[str, _Source]) -> Problem:
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
