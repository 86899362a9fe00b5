"""Data typed in by hand: Python literals or JSON, never code."""

from __future__ import annotations

import ast
import json
from typing import Any

from app.server.templates.facts import Fault


def read_values(text: str) -> dict[str, Any] | Fault:
    """Return the names and values that *text* gives, or what is wrong with it and where.

    It is a dict, as Python or JSON writes it, or lines of ``name = literal``.
    """
    if not text.strip():
        return {}
    try:
        values = (_table if text.lstrip().startswith("{") else _assignments)(text)
    except SyntaxError as error:
        return Fault(error.msg, line=error.lineno or 0, column=error.offset or 0)
    except (ValueError, RecursionError, MemoryError, TypeError):
        return Fault("not a Python literal and not JSON")
    odd = next((name for name in values if not str(name).isidentifier()), None)
    return values if odd is None else Fault(f"{odd!r} is not a name")


def _table(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except ValueError:
        values = ast.literal_eval(text.strip())
    if not isinstance(values, dict):
        raise ValueError("no dict")
    return values


def _assignments(text: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for node in ast.parse(text).body:
        target = (
            node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
        )
        if not isinstance(target, ast.Name) or not isinstance(node, ast.Assign):
            raise _at("expected name = value", node)
        try:
            values[target.id] = _value(node.value)
        except (ValueError, TypeError):
            raise _at("not a literal: nothing is run here", node.value) from None
    return values


_JSON = {"true": True, "false": False, "null": None}


class _Json(ast.NodeTransformer):
    """Reads JSON's names of constants as Python's."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(_JSON[node.id]) if node.id in _JSON else node


def _value(node: ast.expr) -> Any:
    return ast.literal_eval(_Json().visit(node))


def _at(message: str, node: ast.AST) -> SyntaxError:
    place = (None, getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1, None)
    return SyntaxError(message, place)
