"""Reading a project folder. Nothing of it is run: its Python and its templates are text here."""

from __future__ import annotations

import math
import os
import re
import stat
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from .model import (
    HANDLERS,
    MAX_FILES,
    MAX_SITE_FILE_BYTES,
    MAX_SOURCE_BYTES,
    SITE_FILE,
    TEMPLATES,
    Problem,
    Route,
    Site,
    SiteError,
    name_fault,
)


def load(folder: str | os.PathLike[str]) -> Site:
    """Read the project in *folder*. Nothing of it is run.

    Raises SiteError for a folder or a file that is missing, unreadable, too large, not UTF-8,
    or leads out of the folder by a link, and for a ``site.toml`` that says what it must not.
    """
    root = Path(folder).absolute()
    try:
        _require_folder(root)
        table = read_site_file(root)
        site = site_from(table, root)
        return replace(
            site, handlers=_read_sources(root, HANDLERS), templates=_read_sources(root, TEMPLATES)
        )
    except OSError as error:
        raise SiteError([Problem(_shown(error.filename, root), 0, 0, reason(error))]) from error


def _require_folder(root: Path) -> None:
    if not root.exists():
        raise SiteError([Problem(str(root), 0, 0, "there is no such folder")])
    if not root.is_dir():
        raise SiteError([Problem(str(root), 0, 0, "is not a folder; a project is one")])
    if not (root / SITE_FILE).exists():
        raise SiteError([Problem(SITE_FILE, 0, 0, "is missing; a project needs one")], root)


def _shown(filename: Any, root: Path) -> str:
    return str(filename) if filename else str(root)


def reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()


def _read_text(root: Path, name: str, limit: int) -> str:
    """Return the text of the project's file *name*, without a BOM, lines ending in ``\\n``."""
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise SiteError([Problem(name, 0, 0, "is a link that leaves the project folder")], root)
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise SiteError([Problem(name, 0, 0, "is not a regular file")], root)
    with path.open("rb") as file:
        # The size asked for may be stale or, on some file systems, always 0: read with a bound.
        data = b"" if status.st_size > limit else file.read(limit + 1)
    if max(status.st_size, len(data)) > limit:
        text = f"is larger than {limit // 1024 // 1024} MB"
        raise SiteError([Problem(name, 0, 0, text)], root)
    try:
        return decode(data)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8")) + 1
        text = f"is not UTF-8 text (byte 0x{data[error.start]:02x})"
        raise SiteError([Problem(name, line, column, text)], root) from error


def decode(data: bytes) -> str:
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8").replace("\r\n", "\n")


def encode(text: str, old: bytes) -> bytes:
    """Return *text* as UTF-8 with the BOM and the line ends of the file's *old* content."""
    if b"\r\n" in old:
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return (b"\xef\xbb\xbf" if old.startswith(b"\xef\xbb\xbf") else b"") + text.encode("utf-8")


def _read_sources(root: Path, folder: str) -> dict[str, str]:
    names = _source_names(root, folder)
    if len(names) > MAX_FILES:
        raise SiteError([Problem(folder, 0, 0, f"holds more than {MAX_FILES:,} files")], root)
    problems: list[Problem] = []
    sources: dict[str, str] = {}
    for name in names:
        fault = name_fault(folder, name)
        if fault:
            problems.append(Problem(f"{folder}/{name}", 0, 0, fault))
            continue
        try:
            sources[name] = _read_text(root, f"{folder}/{name}", MAX_SOURCE_BYTES)
        except SiteError as error:
            problems += error.problems
    if problems:
        raise SiteError(problems, root)
    return sources


def _source_names(root: Path, folder: str) -> list[str]:
    start = root / folder
    if not start.is_dir():
        return []
    if not start.resolve().is_relative_to(root.resolve()):
        raise SiteError([Problem(folder, 0, 0, "is a link that leaves the project folder")], root)
    if folder == HANDLERS:
        return sorted(path.name for path in start.glob("*.py") if path.name[0] != ".")
    return sorted(walk(start))


def walk(start: Path) -> Iterator[str]:
    """Yield the files below *start* as posix names; hidden ones and caches are not ours."""
    for here, folders, files in os.walk(start):
        folders[:] = [name for name in folders if name[0] != "." and name != "__pycache__"]
        for name in files:
            if name[0] != ".":
                yield (Path(here) / name).relative_to(start).as_posix()


_DEEP_KEY = re.compile(r"""(?:\.[ \t]*+(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+){64}""")


def read_site_file(root: Path) -> dict[str, Any]:
    text = _read_text(root, SITE_FILE, MAX_SITE_FILE_BYTES)
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
    faults = [Problem(SITE_FILE, line, 0, fault) for line, fault in _table_faults(table, text)]
    if faults:
        raise SiteError(faults, root)
    return table


def _unparsable(text: str) -> Problem | None:
    if not text.strip():
        return Problem(SITE_FILE, 0, 0, "is empty; a project starts with [site]")
    # The memory that tomllib takes grows with the square of a dotted key's depth.
    deep = _DEEP_KEY.search(text)
    if deep:
        return Problem(SITE_FILE, text.count("\n", 0, deep.start()) + 1, 0, "is nested too deeply")
    return None


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
    "routes": (list, "an array of tables: [[routes]]"),
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
    yield from ((_key_line(text, key), fault) for key, fault in faults)
    if faults:
        return
    site_faults = _key_faults(table.get("site", {}), {"name": (str, "text")}, "[site]")
    yield from ((_key_line(text, key), fault) for key, fault in site_faults)
    lines = [text.count("\n", 0, at.start()) + 1 for at in _ROUTES_HEADER.finditer(text)]
    for index, route in enumerate(table.get("routes", [])):
        line = lines[index] if len(lines) == len(table["routes"]) else 0
        yield from ((line, fault) for fault in _route_table_faults(route, index))
    if _has_odd_number(table):
        yield 0, "holds a number that is not finite (nan or inf)"


_ROUTES_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*routes[ \t]*\]\]", re.MULTILINE)


def _key_faults(
    table: dict[str, Any], types: dict[str, tuple[type, str]], where: str
) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if key not in types:
            yield key, f"unknown key {key!r} in {where}; it may hold {', '.join(types)}"
        elif not isinstance(value, types[key][0]):
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


def _has_odd_number(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_has_odd_number, value.values()))
    return isinstance(value, list) and any(map(_has_odd_number, value))


def site_from(table: dict[str, Any], root: Path) -> Site:
    return Site(
        folder=root,
        name=table.get("site", {}).get("name", ""),
        settings=table.get("settings", {}),
        routes=tuple(Route(**route) for route in table.get("routes", [])),
    )
