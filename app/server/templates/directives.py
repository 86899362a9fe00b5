"""The directives in the text of a template: as Tornado reads them, and where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from operator import itemgetter
from types import SimpleNamespace
from typing import cast

from tornado.template import (
    Template,
    _ChunkList,
    _ExtendsBlock,
    _IncludeBlock,
    _Node,
    _parse,
    _TemplateReader,
)

TOKEN = re.compile(r"\{#.*?#\}|\{\{.*?\}\}|\{%!|\{%\s*(\w+).*?%\}", re.DOTALL)
"""A directive, an expression or a comment. Its group is the first word of a directive."""
OPENING = frozenset(("apply", "block", "try", "if", "for", "while"))
"""The directives that an ``{% end %}`` closes."""


class _Reader(_TemplateReader):
    """Knows where the directive begins that is being read."""

    start = 0

    def consume(self, count: int | None = None) -> str:
        if count == 2 and self.text[self.pos : self.pos + 2] in ("{{", "{%", "{#"):
            self.start = self.pos
        return super().consume(count)


def parsed(name: str, text: str) -> _ChunkList:
    """Return what Tornado reads in a template; raises what its parser does."""
    return _parsed(_Reader(name, text, "all"))


def _parsed(reader: _Reader) -> _ChunkList:
    return _parse(reader, cast(Template, SimpleNamespace(autoescape=None)))


def gives_up_at(name: str, text: str) -> tuple[int, int]:
    """Return where the directive is at which Tornado's parser gives up; zeros if it does not."""
    reader = _Reader(name, text, "all")
    try:
        _parsed(reader)
    except Exception:
        return place(text, reader.start)
    return 0, 0


def place(text: str, position: int) -> tuple[int, int]:
    """Return line and column of a position, both from 1."""
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def naming(text: str, name: str) -> tuple[int, int]:
    """Return where the directive is that extends or includes *name*."""
    directive = rf"\{{%\s*(?:extends|include)\s+[\"']?{re.escape(name)}[\"']?\s*%\}}"
    found = re.search(directive, text)
    return place(text, found.start()) if found else (1, 0)


@lru_cache(maxsize=1024)
def named_by(name: str, text: str) -> tuple[tuple[str, str, int], ...]:
    """Return how, what and in which line a template extends and includes, as Tornado reads it."""
    try:
        body = parsed(name, text)
    except Exception:
        return ()
    return tuple(dict.fromkeys(sorted(_directives(body, text), key=itemgetter(2))))


def _directives(node: _Node, text: str) -> Iterator[tuple[str, str, int]]:
    if isinstance(node, _ExtendsBlock):
        yield "extends", node.name, naming(text, node.name)[0]
    elif isinstance(node, _IncludeBlock):
        yield "include", node.name, node.line
    for child in node.each_child():
        yield from _directives(child, text)
