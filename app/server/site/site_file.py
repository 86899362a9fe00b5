"""What ``site.toml`` says, from its text."""

from __future__ import annotations

import functools
import math
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .model import SCHEMA, SITE_FILE, Problem, Route, Site, SiteError

_PIECE = 1 << 17
"""How many characters are searched at a time."""
_NUMBERED = 100
"""For how many wrong keys the line is looked up."""
_DEEP_KEY = re.compile(r"""(?:\.[ \t]*+(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+){64}""")


@functools.lru_cache(maxsize=1)
def parse_site(text: str, root: Path) -> Site:
    """Return the site that ``site.toml`` of folder *root* describes, without its sources.

    The latest one is kept: a file is read more often than it changes.

    One of an older schema is migrated, one of a newer schema is read as far as it is understood.
    Raises SiteError for all that it must not say.
    """
    problem = _unparsable(text)
    if problem is not None:
        raise SiteError([problem], root)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SiteError([_toml_problem(text, str(error))], root) from error
    except RecursionError as error:
        raise SiteError([Problem(SITE_FILE, 0, 0, "is nested too deeply")], root) from error
    except ValueError as error:
        raise SiteError([Problem(SITE_FILE, 0, 0, str(error))], root) from error
    schema = schema_of(table)
    if schema > SCHEMA:
        table = _understood(table)
    faults = [Problem(SITE_FILE, line, 0, fault) for line, fault in _table_faults(table, text)]
    if faults:
        raise SiteError(faults, root)
    return _site_from(table, root, schema)


def schema_of(table: dict[str, Any]) -> int:
    """Return the schema that a ``site.toml`` is written in; 1 where it says nothing."""
    site = table.get("site")
    schema = site.get("schema", 1) if isinstance(site, dict) else 1
    return schema if type(schema) is int else 1


def _understood(table: dict[str, Any]) -> dict[str, Any]:
    """Return what of a newer *table* has a meaning here."""
    known = {key: value for key, value in table.items() if key in _ROOT_TYPES}
    if isinstance(known.get("site"), dict):
        known["site"] = {k: v for k, v in known["site"].items() if k in _SITE_TYPES}
    if isinstance(known.get("routes"), list):
        known["routes"] = [
            {k: v for k, v in route.items() if k in _ROUTE_TYPES}
            if isinstance(route, dict)
            else route
            for route in known["routes"]
        ]
    return known


def _unparsable(text: str) -> Problem | None:
    if not text.strip():
        return Problem(SITE_FILE, 0, 0, "is empty; a project starts with [site]")
    # The memory that tomllib takes grows with the square of a dotted key's depth.
    for start, end in _pieces(text):
        if deep := _DEEP_KEY.search(text, start, end):
            line = text.count("\n", 0, deep.start()) + 1
            return Problem(SITE_FILE, line, 0, "is nested too deeply")
    return None


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Yield the bounds of whole lines of *text*, some at a time: no other thread runs in a search.

    Keys do not go on in another line.
    """
    start = 0
    while start < len(text):
        end = text.find("\n", min(start + _PIECE, len(text))) + 1 or len(text)
        yield start, end
        start = end


_AT_POSITION = re.compile(r"^(.*) \(at line (\d+), column (\d+)\)$", re.DOTALL)


def _toml_problem(text: str, message: str) -> Problem:
    match = _AT_POSITION.match(message)
    if match:
        return Problem(SITE_FILE, int(match[2]), int(match[3]), match[1])
    message = message.removesuffix(" (at end of document)")
    return Problem(SITE_FILE, text.count("\n") + 1, 0, f"{message} (at the end of the file)")


_ROOT_TYPES: dict[str, tuple[type, str]] = {
    "site": (dict, "a table: [site]"),
    "settings": (dict, "a table: [settings]"),
    "server": (dict, "a table: [server]"),
    "routes": (list, "an array of tables: [[routes]]"),
}
_SITE_TYPES: dict[str, tuple[type, str]] = {
    "schema": (int, "a number"),
    "name": (str, "text"),
}
_ROUTE_TYPES: dict[str, tuple[type, str]] = {
    "pattern": (str, "text"),
    "handler": (str, "text"),
    "name": (str, "text"),
    "kwargs": (dict, 'a table, for example { url = "/x" }'),
    "host": (str, "text"),
    "enabled": (bool, "true or false"),
}


def _table_faults(table: dict[str, Any], text: str) -> Iterator[tuple[int, str]]:
    """Yield what ``site.toml`` says that it must not, with the line where that is known."""
    faults = list(_key_faults(table, _ROOT_TYPES, "the file"))
    yield from _with_lines(text, faults)
    if faults:
        return
    yield from _with_lines(text, _key_faults(table.get("site", {}), _SITE_TYPES, "[site]"))
    lines = list(_route_lines(text))
    for index, route in enumerate(table.get("routes", [])):
        line = lines[index] if len(lines) == len(table["routes"]) else 0
        yield from ((line, fault) for fault in _route_table_faults(route, index))
    if has_odd_number(table):
        yield 0, "holds a number that is not finite (nan or inf)"


_ROUTES_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*routes[ \t]*\]\]", re.MULTILINE)


def _route_lines(text: str) -> Iterator[int]:
    """Yield the line of each header of a route."""
    line, counted = 1, 0
    for at in _ROUTES_HEADER.finditer(text):
        line += text.count("\n", counted, at.start())
        counted = at.start()
        yield line


def _with_lines(text: str, faults: Iterable[tuple[str, str]]) -> Iterator[tuple[int, str]]:
    for count, (key, fault) in enumerate(faults):
        yield _key_line(text, key) if count < _NUMBERED else 0, fault


def _key_faults(
    table: dict[str, Any], types: dict[str, tuple[type, str]], where: str
) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if key not in types:
            yield key, f"unknown key {key!r} in {where}; it may hold {', '.join(types)}"
        elif not isinstance(value, types[key][0]) or (
            isinstance(value, bool) and types[key][0] is not bool
        ):
            yield key, f"{key!r} in {where} must be {types[key][1]}"


def _key_line(text: str, key: str) -> int:
    found = re.search(rf"^[ \t\[]*[\"']?{re.escape(key)}\b", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 0


def _route_table_faults(route: Any, index: int) -> Iterator[str]:
    where = f"route {index + 1}"
    if not isinstance(route, dict):
        yield f"{where} must be a table: [[routes]]"
        return
    yield from (fault for _, fault in _key_faults(route, _ROUTE_TYPES, where))
    yield from (f"{where} needs {key!r}" for key in ("pattern", "handler") if key not in route)


def has_odd_number(value: Any) -> bool:
    """Tell whether a number somewhere in *value* is not finite."""
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(has_odd_number, value.values()))
    return isinstance(value, list) and any(map(has_odd_number, value))


def _site_from(table: dict[str, Any], root: Path, schema: int) -> Site:
    settings = dict(table.get("settings", {}))
    if schema < 2 and "default_handler" in settings:  # Tornado's own name since schema 2.
        settings["default_handler_class"] = settings.pop("default_handler")
    return Site(
        folder=root,
        name=table.get("site", {}).get("name", ""),
        settings=settings,
        server=table.get("server", {}),
        routes=tuple(Route(**route) for route in table.get("routes", [])),
        schema=max(schema, SCHEMA),
    )
