"""``site.toml``: a site's routes and settings in TOML."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import date, time
from typing import Any

from .model import SITE_FILE, Problem, Route, Site, SiteError


def dumps(site: Site) -> str:
    """Return the text of ``site.toml`` for *site*. The latest one is kept."""
    global _latest
    latest, text = _latest
    if latest is not site:
        text = _dumps(site)
        _latest = site, text
    return text


_latest: tuple[Site | None, str] = (None, "")


def _dumps(site: Site) -> str:
    tables = [toml_table("[site]", {"schema": site.schema, "name": site.name})]
    if site.settings:
        tables.append(toml_table("[settings]", site.settings))
    if site.server:
        tables.append(toml_table("[server]", site.server))
    tables += [toml_table("[[routes]]", route_table(route)) for route in site.routes]
    return "\n".join(tables)


def route_table(route: Route) -> dict[str, Any]:
    table: dict[str, Any] = {"pattern": route.pattern, "handler": route.handler}
    optional = {"name": route.name, "kwargs": route.kwargs, "host": route.host}
    table |= {key: value for key, value in optional.items() if value}
    if not route.enabled:
        table["enabled"] = False
    return table


def toml_table(header: str, table: dict[str, Any]) -> str:
    rows = [f"{_toml_key(key)} = {_toml(value)}" for key, value in table.items()]
    return "\n".join([header, *rows, ""])


@functools.lru_cache(maxsize=1_000)
def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml_text(key)


def _toml(value: Any) -> str:
    """Return *value* in TOML. Raises SiteError for what TOML cannot say, for example None."""
    for kind, write in _TOML_WRITERS:
        if isinstance(value, kind):
            return write(value)
    text = f"a {type(value).__name__} cannot be written here"
    raise SiteError([Problem(SITE_FILE, 0, 0, text)])


def _toml_text(text: str) -> str:
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    # A literal string keeps the backslashes of a pattern readable.
    if "\\" in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    for character, escape in (("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        escaped = escaped.replace(character, escape)
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda m: f"\\u{ord(m[0]):04x}", escaped) + '"'


def _toml_list(values: list[Any] | tuple[Any, ...]) -> str:
    return f"[{', '.join(map(_toml, values))}]"


def _toml_inline(table: dict[str, Any]) -> str:
    rows = ", ".join(f"{_toml_key(key)} = {_toml(value)}" for key, value in table.items())
    return f"{{ {rows} }}" if rows else "{}"


_TOML_WRITERS: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (str, _toml_text),
    (bool, lambda value: "true" if value else "false"),
    ((int, float), repr),
    ((list, tuple), _toml_list),
    (dict, _toml_inline),
    ((date, time), lambda value: value.isoformat()),
)
