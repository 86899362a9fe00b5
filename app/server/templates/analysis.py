"""What templates say without being rendered: problems, remarks, and the Python made of them."""

from __future__ import annotations

import re
import symtable
from collections.abc import Iterator
from operator import itemgetter
from typing import cast

from tornado.template import (
    _ApplyBlock,
    _Expression,
    _ExtendsBlock,
    _NamedBlock,
    _Node,
    _Statement,
    _Text,
)

from app.server.bit_by_bit import Work
from app.server.site import TEMPLATES, Problem

from .directives import parsed, place
from .errors import TemplateError
from .facts import DROPPED, TWICE, Analysis, Fault, Remark
from .loader import SiteLoader, SiteTemplate
from .writer import lines_of

_ESCAPERS = frozenset(
    ("escape", "xhtml_escape", "url_escape", "json_encode", "squeeze", "linkify", "str", "repr")
)
_AUTOESCAPE = re.compile(r"\{%\s*autoescape\s+(.+?)\s*%\}")
_DEFINES = re.compile(r"\{%\s*(?:import|from|set)\s+(.+?)\s*%\}")


def template_problems(
    loader: SiteLoader, known: frozenset[str] = frozenset()
) -> Work[list[Problem]]:
    """Parse and compile every template of *loader*. *known* names may be autoescape functions."""
    problems: list[Problem] = []
    for name in loader.texts:
        yield 0
        try:
            loader.load(name)
        except TemplateError as error:
            file = f"{TEMPLATES}/{error.filename or name}"
            problems.append(Problem(file, error.lineno, error.column, error.message))
        problems += _autoescape_problems(name, loader.texts[name], known)
    return list(dict.fromkeys(problems))


def _autoescape_problems(name: str, text: str, known: frozenset[str]) -> Iterator[Problem]:
    defined = " ".join(match[1] for match in _DEFINES.finditer(text))
    for match in _AUTOESCAPE.finditer(text):
        function = match[1].split(".")[0]
        if function in _ESCAPERS | known | {"None"} or re.search(
            rf"\b{re.escape(function)}\b", defined
        ):
            continue
        what = f"there is no autoescape function {match[1]!r}"
        yield Problem(f"{TEMPLATES}/{name}", *place(text, match.start()), what)


def analyse(loader: SiteLoader, root: str) -> Analysis:
    """Return the generated Python of template *root*, or why there is none. Nothing of it runs."""
    try:
        template = cast(SiteTemplate, loader.load(root))
    except FileNotFoundError as error:
        return Analysis(root, fault=Fault(str(error)))
    except TemplateError as error:
        at = (error.filename or root, error.lineno, error.column)
        return Analysis(root, fault=Fault(error.message, *at))
    return Analysis(root, template.lines, wanted=wanted_names(template.code))


def wanted_names(code: str) -> tuple[str, ...]:
    """Return the names that generated Python takes from the template's namespace."""
    found: dict[str, None] = {}
    tables = [symtable.symtable(code, "template", "exec")]
    while tables:
        table = tables.pop(0)
        if table.get_type() == "function":
            for symbol in table.get_symbols():
                if symbol.is_global() and symbol.is_referenced():
                    found[symbol.get_name()] = None
        tables.extend(table.get_children())
    return tuple(name for name in sorted(found) if not name.startswith("_tt_"))


def template_remarks(name: str, text: str) -> list[Remark]:
    """Return what is allowed in a template and probably not meant."""
    try:
        body = parsed(name, text)
    except Exception:
        return []
    remarks: list[Remark] = []
    seen: set[str] = set()
    for block in _blocks(body):
        if block.name in seen:
            remarks.append(Remark(TWICE, block.line, block.name))
        seen.add(block.name)
    if any(isinstance(chunk, _ExtendsBlock) for chunk in body.chunks):
        remarks += [Remark(DROPPED, line) for chunk in body.chunks if (line := _dropped(chunk))]
    return sorted(remarks, key=itemgetter(1))


def _blocks(node: _Node) -> Iterator[_NamedBlock]:
    if isinstance(node, _NamedBlock):
        yield node
    for child in node.each_child():
        yield from _blocks(child)


def _dropped(chunk: _Node) -> int:
    """Return the line of what a template that extends another has no use for; 0 for the rest."""
    if isinstance(chunk, _Text):
        return lines_of(chunk)[0] if chunk.value.strip() else 0
    return chunk.line if isinstance(chunk, (_Expression, _Statement, _ApplyBlock)) else 0
