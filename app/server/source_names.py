"""What names a module's source defines. Nothing is imported or run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

_UNIMPLEMENTED = "_unimplemented_method"
"""What stands in a RequestHandler for the verbs that it leaves to others."""


class Name(NamedTuple):
    """A name that can be written. ``kind`` is ``method``, ``attribute``, ``class``, ``function``,
    ``module``, ``variable`` or ``keyword``; ``signature`` is all that stands between brackets;
    ``type`` is the annotation of an attribute, in the words of the module ``module``."""

    name: str
    kind: str
    signature: str = ""
    doc: str = ""
    type: str = ""
    module: str = ""


@dataclass
class ClassNames:
    """A class: its bases as they are written, and what it defines itself."""

    name: str
    module: str
    bases: tuple[str, ...]
    members: dict[str, Name] = field(default_factory=dict)


@dataclass
class ModuleNames:
    """A module: what it defines, and what its imports stand for."""

    name: str
    names: dict[str, Name] = field(default_factory=dict)
    classes: dict[str, ClassNames] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    """Full dotted names by the names under which they are known here."""
    modules: set[str] = field(default_factory=set)
    """Those of the imports that are modules for sure."""
    stars: list[str] = field(default_factory=list)


@lru_cache(maxsize=256)
def read(text: str, module: str, is_package: bool = False) -> ModuleNames:
    """Return what the source *text* of *module* defines. Raises what ``ast.parse`` raises."""
    found = ModuleNames(module)
    package = module if is_package else module.rpartition(".")[0]
    for node in _statements(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            _read_import(node, package, found)
        elif isinstance(node, ast.ClassDef):
            found.classes[node.name] = _read_class(node, module)
            found.names[node.name] = Name(node.name, "class", doc=_doc(node), module=module)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.names[node.name] = _function(node, "function", module)
        else:
            for name in _targets(node):
                found.names.setdefault(name, Name(name, "variable", module=module))
    return found


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements of a body, those under ``if`` and ``try`` too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If | ast.Try | ast.ExceptHandler | ast.With):
            yield from _statements(child)
        else:
            yield child


def _read_import(node: ast.Import | ast.ImportFrom, package: str, found: ModuleNames) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            whole = alias.name if alias.asname else alias.name.partition(".")[0]
            found.imports[alias.asname or whole] = whole
            found.modules.add(alias.asname or whole)
        return
    base = node.module or ""
    if node.level:
        parts = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join([*parts, *([base] if base else [])])
    for alias in node.names:
        if alias.name == "*":
            found.stars.append(base)
        else:
            found.imports[alias.asname or alias.name] = f"{base}.{alias.name}"


def _read_class(node: ast.ClassDef, module: str) -> ClassNames:
    found = ClassNames(node.name, module, tuple(ast.unparse(base) for base in node.bases))
    own: dict[str, Name] = {}
    for child in _statements(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            own[child.name] = _function(child, "method", module)
            if any("property" in ast.unparse(each) for each in child.decorator_list):
                kind = ast.unparse(child.returns).strip("'\"") if child.returns else ""
                own[child.name] = own[child.name]._replace(
                    kind="attribute", signature="", type=kind
                )
        elif isinstance(child, ast.Assign | ast.AnnAssign) and isinstance(child.value, ast.Name):
            alias = own.get(child.value.id)
            for name in _targets(child):
                own[name] = _alias(name, child.value.id, alias, module)
        else:
            for name in _targets(child):
                own.setdefault(name, Name(name, "attribute", module=module))
    for method in node.body:
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            for attribute in _own_attributes(method, module):
                own.setdefault(attribute.name, attribute)
    found.members = own
    return found


def _alias(name: str, target: str, known: Name | None, module: str) -> Name:
    if target == _UNIMPLEMENTED:
        return Name(name, "method", "self", module=module)
    if known is not None and known.kind == "method":
        return known._replace(name=name)
    return Name(name, "attribute", module=module)


def _own_attributes(method: ast.FunctionDef | ast.AsyncFunctionDef, module: str) -> Iterator[Name]:
    """Yield what *method* assigns to ``self``, with the types of parameters that it passes on."""
    types = {a.arg: ast.unparse(a.annotation) for a in method.args.args if a.annotation}
    for node in ast.walk(method):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            kind = types.get(node.value.id, "") if isinstance(node.value, ast.Name) else ""
            if isinstance(node, ast.AnnAssign):
                kind = ast.unparse(node.annotation)
            for target in targets:
                if isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self":
                    yield Name(target.attr, "attribute", type=kind.strip("'\""), module=module)


def _targets(node: ast.AST) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign):
        targets = [node.target]
    for target in targets:
        parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        yield from (part.id for part in parts if isinstance(part, ast.Name))


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, kind: str, module: str) -> Name:
    return Name(node.name, kind, _without_types(node.args), _doc(node), module=module)


def _without_types(arguments: ast.arguments) -> str:
    """Return the parameters as they are written, without their annotations."""
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [arg for arg in (arguments.vararg, arguments.kwarg) if arg]
    kept = [arg.annotation for arg in every]
    for arg in every:
        arg.annotation = None
    text = ast.unparse(arguments)
    for arg, annotation in zip(every, kept, strict=True):
        arg.annotation = annotation
    return text


def _doc(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")
