"""What handlers pass to templates: noted while somebody looks, and who renders which."""

from __future__ import annotations

import ast
import copy
from collections import deque
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

KEPT = 20
"""How many renderings are kept."""
_BOUND = frozenset(
    ["handler", "request", "static_url", "xsrf_form_html", "reverse_url", "modules", "_tt_modules"]
)
"""Names that belong to one handler object."""


class Render(NamedTuple):
    """Template ``name``, rendered for a request with ``values`` (the handler's own objects)."""

    request_id: int
    name: str
    values: dict[str, Any]


class Renders:
    """Keeps the latest renderings; *heard* is told the name of the template."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        self._heard = heard
        self._kept: deque[Render] = deque(maxlen=KEPT)

    def note(self, name: str, namespace: dict[str, Any]) -> None:
        """Keep what *namespace* holds besides the names that belong to the handler object."""
        handler = namespace.get("handler")
        trace = getattr(getattr(handler, "request", None), "loopscope_trace", None)
        bound = _BOUND | set(getattr(handler, "ui", ()))
        values = {
            key: copy.copy(value) if type(value) in (list, dict, set) else value
            for key, value in namespace.items()
            if key not in bound
        }
        self._kept.append(Render(getattr(trace, "id", 0), name, values))
        self._heard(name)

    def of(self, name: str) -> list[Render]:
        """Return the renderings of a template, the latest first."""
        return [render for render in reversed(self._kept) if render.name == name]

    def clear(self) -> None:
        """Let go of everything."""
        self._kept.clear()


def renderers(handlers: Mapping[str, str], name: str) -> set[str]:
    """Return the classes whose text calls ``render`` or ``render_string`` with that template."""
    return {cls for text in handlers.values() for cls, named in _rendered_by(text) if named == name}


@lru_cache(maxsize=256)
def _rendered_by(text: str) -> frozenset[tuple[str, str]]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    return frozenset(
        (cls.name, call.args[0].value)
        for cls in ast.walk(tree)
        if isinstance(cls, ast.ClassDef)
        for call in ast.walk(cls)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("render", "render_string")
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    )
