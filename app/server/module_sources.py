"""The texts of handler modules: compiled, and which of them an edit makes stale."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType

from app.server.site import HANDLERS, Problem, Site, SiteError, compile_handler


@dataclass(frozen=True)
class Source:
    """One module's text, where it lives, and what it is compiled to."""

    file: str
    path: str
    text: str
    code: CodeType
    imports: frozenset[str] = field(default_factory=frozenset)
    """Full names of the handler modules that it imports, directly."""


def sources_of(site: Site) -> dict[str, Source]:
    """Return the modules of *site* by full name. Raises SiteError with every syntax error."""
    sources: dict[str, Source] = {}
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
            sources[name] = Source(f"{HANDLERS}/{file}", path, text, code, _imports(text))
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


def stale(old: dict[str, Source], new: dict[str, Source]) -> set[str]:
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


def _differs(old: Source | None, new: Source | None) -> bool:
    if old is None or new is None:
        return True
    return (old.text, old.path) != (new.text, new.path)
