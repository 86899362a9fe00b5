"""What the server's explanations say exists in both languages."""

from __future__ import annotations

import ast
from pathlib import Path

from app.server import ladder
from app.widgets.i18n import load

SERVER = Path(ladder.__file__).parent
EXPLAINING = ("signed_cookies", "xsrf", "xsrf_token")


def texts() -> set[str]:
    """Return every text of the modules that explain, but their docstrings and names."""
    found = set()
    for name in EXPLAINING:
        tree = ast.parse((SERVER / f"{name}.py").read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Words":
                first = node.args[0]
                for part in (first.body, first.orelse) if isinstance(first, ast.IfExp) else [first]:
                    if isinstance(part, ast.Constant):
                        found.add(str(part.value))
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in (
                *("text", "agrees", "differs", "several", "moved", "unknown", "words"),
            ):
                parts = [node.value] if isinstance(node.value, ast.Constant) else []
                if isinstance(node.value, ast.IfExp):
                    parts = [
                        part
                        for part in (node.value.body, node.value.orelse)
                        if isinstance(part, ast.Constant)
                    ]
                found |= {str(part.value) for part in parts}
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "step":
                found.add(str(ast.literal_eval(node.args[0])))
    return found - {""}


def test_every_explanation_has_its_chinese() -> None:
    assert len(texts()) > 70
    assert texts() - set(load("zh")) == set()
