"""Where modules and classes are found by the names under which a source knows them."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from .site import HANDLERS
from .source_names import ClassNames, ModuleNames, Name, read

_LONGEST = 1_000_000
"""Sources with more bytes are not read."""
_KINDS = "class function variable"
"""The order in which what a module holds is offered."""
_ATTEMPTS = 4
"""How many lines that do not parse are left out to read the others."""
_DEEPEST = 8
"""How far imports and bases are followed."""


@lru_cache(maxsize=256)
def _installed(dotted: str) -> ModuleNames | None:
    """Read an installed module; None when it has no source to be read."""
    path = _path(dotted)
    try:
        if path is None or path.stat().st_size > _LONGEST:
            return None
        text = path.read_text("utf-8")
        return read(text, dotted, path.name == "__init__.py")
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return None


@lru_cache(maxsize=512)
def _path(dotted: str) -> Path | None:
    """Return where the source of a module is, without importing it or its packages."""
    top, *rest = dotted.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    path = Path(spec.origin)
    for name in rest:
        if path.name != "__init__.py":
            return None
        inner = path.with_name(name)
        path = (
            inner / "__init__.py" if (inner / "__init__.py").exists() else inner.with_suffix(".py")
        )
    return path


def _loaded(dotted: str) -> dict[str, Name]:
    """Return what a module exports that is loaded anyway: that is faster than to read it."""
    module = sys.modules.get(dotted)
    found = {}
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name, None)
        kind = "class" if isinstance(value, type) else "function" if callable(value) else "variable"
        signature = ""
        if callable(value) and kind == "function":
            with contextlib.suppress(TypeError, ValueError):
                signature = str(inspect.signature(value)).partition(" ->")[0][1:-1]
        found[name] = Name(name, kind, signature, (inspect.getdoc(value) or "").partition("\n")[0])
    return found


def _without_line(text: str, line: int) -> str:
    """Return *text* without a line; what waits for a body before it gets one."""
    lines = text.split("\n")
    at = min(max(line, 1), len(lines)) - 1
    above = next((each for each in reversed(lines[:at]) if each.strip()), "")
    indent = above[: len(above) - len(above.lstrip())] + "    "
    lines[at] = f"{indent}pass" if above.rstrip().endswith(":") else ""
    return "\n".join(lines)


class Index:
    """Knows the modules of a site by their texts, and all installed ones by their files.

    A text that is being written and does not parse stands for its last version that did.
    """

    def __init__(self) -> None:
        self.handlers: Mapping[str, str] = {}
        self._last: dict[str, ModuleNames] = {}

    def note(self, module: str, text: str) -> None:
        """Take *text* for the module's, as far as it can be read."""
        for _ in range(_ATTEMPTS):
            try:
                self._last[module] = read(text, module)
                return
            except SyntaxError as error:
                text = _without_line(text, error.lineno or 0)
            except (ValueError, RecursionError, MemoryError):
                return

    def module(self, dotted: str) -> ModuleNames | None:
        """Return what a module holds; None when there is none that can be read."""
        if dotted in self._last:
            return self._last[dotted]
        package, _, name = dotted.partition(".")
        if package != HANDLERS:
            return _installed(dotted)
        if f"{name}.py" in self.handlers:
            self.note(dotted, self.handlers[f"{name}.py"])
        return self._last.get(dotted)

    def public(self, dotted: str) -> dict[str, Name]:
        """Return what can be imported from a module: its names, and its modules if it is one."""
        found = dict(
            sorted(
                self._names(dotted, _DEEPEST).items(), key=lambda item: _KINDS.find(item[1].kind)
            )
        )
        for name in self.submodules(dotted):
            found.setdefault(name.name, name)
        return {name: entry for name, entry in found.items() if not name.startswith("_")}

    def _names(self, dotted: str, depth: int) -> dict[str, Name]:
        module = self.module(dotted)
        if module is None or not depth:
            return {}
        found: dict[str, Name] = {}
        for star in module.stars:
            found |= _loaded(star) or self._names(star, depth - 1)
        path = _path(dotted)
        if path is not None and path.name == "__init__.py":
            found |= {name: Name(name, "variable") for name in module.imports}
        return found | module.names

    def submodules(self, dotted: str) -> Iterator[Name]:
        """Yield the modules within a package."""
        if dotted == HANDLERS:
            stems = [name.removesuffix(".py") for name in self.handlers]
        else:
            path = _path(dotted)
            inner = path.parent.iterdir() if path and path.name == "__init__.py" else ()
            stems = [p.stem for p in inner if p.suffix == ".py" or (p / "__init__.py").exists()]
        yield from (Name(stem, "module") for stem in sorted(stems) if stem[0] != "_")

    def members(self, class_: ClassNames, depth: int = _DEEPEST) -> dict[str, Name]:
        """Return what instances of a class have, its own before that of its bases."""
        found = dict(class_.members)
        for base in class_.bases:
            parent = self.find_class(class_.module, base) if depth else None
            if parent is not None:
                found = found | {
                    name: entry
                    for name, entry in self.members(parent, depth - 1).items()
                    if name not in found
                }
        return found

    def find_class(self, module: str, written: str, depth: int = _DEEPEST) -> ClassNames | None:
        """Return the class that *written* means in a module."""
        here = self.module(module)
        if here is None or not depth:
            return None
        if written in here.classes:
            return here.classes[written]
        target = self.resolve(module, written)
        holder, _, name = target.rpartition(".")
        if target != written or holder:
            return self.find_class(holder, name, depth - 1) if holder else None
        classes = (self.find_class(star, written, depth - 1) for star in here.stars)
        return next((found for found in classes if found is not None), None)

    def resolve(self, module: str, written: str) -> str:
        """Return the full dotted name that *written* means in a module; itself if unknown."""
        here = self.module(module)
        first, dot, rest = written.partition(".")
        if here is not None and first in here.imports:
            return here.imports[first] + dot + rest
        return written
