"""What can be written at a place in a handler module: it knows RequestHandler and its kin."""

from __future__ import annotations

import builtins
import keyword
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from .site import HANDLERS
from .source_index import Index
from .source_names import ClassNames, Name

_FROM = re.compile(r"^\s*from\s+([\w.]+)\s+import\s+(?:.*[,(]\s*)?(\w*)$")
_MODULE = re.compile(r"^\s*(?:from|import)\s+(?:.*,\s*)?((?:\w+\.)*)(\w*)$")
_DEF = re.compile(r"^(\s+)(?:async\s+)?def\s+(\w*)$")
_DOTTED = re.compile(r"((?:\w+\.)+)(\w*)$")
_WORD = re.compile(r"(?<![\w.])([^\W\d]\w*|)$")
_NEW = re.compile(r"^\s*(?:(?:async\s+)?def|class)\s+\w*$")
_CLASS = re.compile(r"^(\s*)class\s+(\w+)")
_STRING = re.compile(r"""("[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*')""")
_FIRST = (
    *("get", "post", "put", "delete", "patch", "head", "options"),
    *("initialize", "prepare", "on_finish", "on_connection_close", "data_received"),
    *("open", "on_message", "on_close", "check_origin", "render"),
    *("get_current_user", "get_user_locale", "set_default_headers", "write_error"),
)
"""The methods that are most often overridden, in the order of a request's life."""


class Completion(NamedTuple):
    """What can stand in place of the last ``length`` characters; ``defines`` after ``def``."""

    length: int
    names: tuple[Name, ...]
    defines: bool = False


NOTHING = Completion(0, ())
LONGEST = 300_000
"""In texts with more characters nothing is offered: they would have to be read at each key."""


class Completer:
    """Completes the handler modules of a site, from their texts and those of installed modules."""

    def __init__(self) -> None:
        self._index = Index()

    def complete(
        self, text: str, position: int, file: str, handlers: Mapping[str, str]
    ) -> Completion:
        """Return what can be written at a *position* in the *text* of ``handlers/<file>``."""
        module = f"{HANDLERS}.{file.removesuffix('.py')}"
        self._index.handlers = handlers
        start = text.rfind("\n", 0, position) + 1
        before = text[start:position]
        if len(text) > LONGEST or _in_text(text[:start], before):
            return NOTHING
        rest = text.find("\n", position)
        indent = before[: len(before) - len(before.lstrip())]
        after = text[rest:] if rest >= 0 else ""
        # The line that is being written seldom parses; without it the text stays the same
        # while it is written, and what was read of it is remembered.
        self._index.note(module, f"{text[:start]}{indent}pass{after}")
        return self._at(before, text[:start], module)

    def _at(self, before: str, above: str, module: str) -> Completion:
        if match := _FROM.match(before):
            base = match[1]
            return _matching(match[2], self._index.public(base).values())
        if match := _MODULE.match(before):
            return _matching(match[2], self._modules(match[1].rstrip(".")))
        owner = self._enclosing(above, before, module)
        if match := _DEF.match(before):
            return self._overrides(match[2], owner)
        if _NEW.match(before):
            return NOTHING
        if match := _DOTTED.search(before):
            path = match[1].rstrip(".").split(".")
            return _matching(match[2], self._members(path, owner, module))
        if match := _WORD.search(before):
            return _matching(match[1], self._words(module, owner))
        return NOTHING

    def _modules(self, package: str) -> Iterator[Name]:
        if package:
            yield from self._index.submodules(package)
            return
        for name in ("tornado", HANDLERS, *sorted(sys.stdlib_module_names)):
            if not name.startswith("_"):
                yield Name(name, "module")

    def _enclosing(self, above: str, before: str, module: str) -> ClassNames | None:
        """Return the class within which a line is written."""
        depth = len(before) - len(before.lstrip())
        for line in reversed(above.split("\n")):
            found = _CLASS.match(line)
            if found and len(found[1]) < depth:
                return self._index.find_class(module, found[2])
            if line and not line[0].isspace() and line[0] not in ")]}#":
                return None
        return None

    def _overrides(self, prefix: str, owner: ClassNames | None) -> Completion:
        if owner is None:
            return NOTHING
        methods = [
            name
            for name in self._index.members(owner).values()
            if name.kind == "method" and name.signature.startswith("self")
        ]
        found = [name for name in methods if not name.name.startswith("_")]
        found = [name for name in found if name.name not in owner.members]
        order = {name: at for at, name in enumerate(_FIRST)}
        found.sort(key=lambda name: (order.get(name.name, len(order)), name.name))
        return _matching(prefix, found)._replace(defines=True)

    def _members(self, path: list[str], owner: ClassNames | None, module: str) -> Iterable[Name]:
        if path[0] in ("self", "cls") and owner is not None:
            class_: ClassNames | None = owner
            for part in path[1:]:
                known = self._index.members(class_).get(part) if class_ else None
                class_ = self._index.find_class(known.module, known.type) if known else None
            return self._index.members(class_).values() if class_ else ()
        dotted = self._index.resolve(module, ".".join(path))
        if found := self._index.public(dotted):
            return found.values()
        holder, _, name = dotted.rpartition(".")
        class_ = self._index.find_class(holder or module, name)
        return self._index.members(class_).values() if class_ else ()

    def _words(self, module: str, owner: ClassNames | None) -> Iterator[Name]:
        here = self._index.module(module)
        if owner is not None:
            yield Name("self", "variable")
        if here is not None:
            yield from here.names.values()
            for name in here.imports:
                kind = "class" if name[0].isupper() else "variable"
                yield Name(name, "module" if name in here.modules else kind)
        yield from (Name(word, "keyword") for word in keyword.kwlist)
        for word in dir(builtins):
            if not word.startswith("_"):
                yield Name(
                    word, "class" if isinstance(getattr(builtins, word), type) else "function"
                )


def _in_text(above: str, before: str) -> bool:
    """Tell whether the end of *before* lies within a string or a comment."""
    if above.count('"""') % 2 or above.count("'''") % 2:
        return True
    rest = _STRING.sub("", before)
    return any(mark in rest for mark in "#\"'")


def _matching(prefix: str, names: Iterable[Name]) -> Completion:
    """Return those of *names* that begin with *prefix*, whatever the case; hidden ones last."""
    small = prefix.lower()
    found: dict[str, Name] = {}
    for name in names:
        if name.name.lower().startswith(small) and name.name not in found:
            found[name.name] = name
    if not prefix.startswith("_"):
        found = {key: name for key, name in found.items() if not key.startswith("_")}
    return Completion(len(prefix), tuple(found.values()))
