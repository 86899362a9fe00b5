"""What templates extend and include."""

from __future__ import annotations

from collections.abc import Mapping

from tornado.template import BaseLoader

from .directives import named_by
from .facts import Reference

MAX_DEPTH = 12
"""How far the tree of what templates extend and include is followed."""


def references(texts: Mapping[str, str], name: str, loader: BaseLoader) -> Reference:
    """Return what template *name* extends and includes, down to the last."""
    return _reference(texts, name, loader, "", 0, ())


def _reference(
    texts: Mapping[str, str],
    name: str,
    loader: BaseLoader,
    how: str,
    line: int,
    above: tuple[str, ...],
) -> Reference:
    if name not in texts:
        return Reference(name, how, line, True, (), ())
    if name in above:
        return Reference(name, how, line, False, (*above[above.index(name) :], name), ())
    children = tuple(
        _reference(texts, loader.resolve_path(target, name), loader, kind, at, (*above, name))
        for kind, target, at in named_by(name, texts[name])
        if len(above) < MAX_DEPTH
    )
    return Reference(name, how, line, False, (), children)


def users_of(texts: Mapping[str, str], name: str, loader: BaseLoader) -> list[str]:
    """Return the templates that show *name*: by extending or including it, themselves or not."""
    direct: dict[str, set[str]] = {}
    for user, text in texts.items():
        for _, target, _ in named_by(user, text):
            direct.setdefault(loader.resolve_path(target, user), set()).add(user)
    found: set[str] = set()
    waiting = [name]
    while waiting:
        fresh = direct.get(waiting.pop(), set()) - found
        found |= fresh
        waiting.extend(fresh)
    return sorted(found - {name})
