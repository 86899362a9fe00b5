"""A project as data: a folder with ``site.toml``, ``handlers/``, ``templates/`` and ``static/``.

Loading and saving run nothing of the project: its Python and its templates are text here.
"""

from __future__ import annotations

import contextlib
import hashlib
import keyword
import math
import os
import re
import secrets
import shutil
import stat
import tomllib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import CodeType
from typing import Any, NamedTuple

SITE_FILE = "site.toml"
HANDLERS = "handlers"
TEMPLATES = "templates"
STATIC = "static"

MAX_SITE_FILE_BYTES = 2 * 1024 * 1024
MAX_SOURCE_BYTES = 4 * 1024 * 1024
MAX_FILES = 10_000


class Problem(NamedTuple):
    """Something wrong in a site, and where. ``line`` and ``column`` count from 1; 0 is unknown.

    ``file`` is relative to the project folder: ``site.toml``, ``handlers/login.py`` …
    ``column`` counts within the route's pattern (or host) where ``route`` is given.
    """

    file: str
    line: int
    column: int
    text: str
    route: int = -1
    """Index in ``Site.routes`` of the route that is meant; -1 for none."""

    def __str__(self) -> str:
        place = "".join(f":{number}" for number in (self.line, self.column) if number)
        return f"{self.file}{place}: {self.text}"


class SiteError(Exception):
    """A site that cannot be loaded, saved or served; ``problems`` says why and where.

    Its text is one line that names the file, within *folder* when that is given.
    """

    def __init__(self, problems: Iterable[Problem], folder: Path | None = None) -> None:
        self.problems = list(dict.fromkeys(problems))
        self.folder = folder
        super().__init__(self.problems, folder)

    def __str__(self) -> str:
        if not self.problems:
            return "the site has a problem"
        first = str(self.problems[0])
        more = len(self.problems) - 1
        where = f"{self.folder}{os.sep}" if self.folder else ""
        return " ".join(f"{where}{first}".split()) + (f" (and {more} more)" if more else "")


@dataclass(frozen=True)
class Route:
    """One URL pattern and the handler class that answers it."""

    pattern: str
    handler: str
    """Dotted path, as Tornado takes it: ``handlers.login.LoginHandler``."""
    name: str = ""
    kwargs: dict[str, Any] = field(default_factory=dict)
    host: str = ""
    """Host pattern; empty for any."""
    enabled: bool = True


@dataclass(frozen=True)
class Site:
    """A project: what is served. Sources are held as text, by file name relative to their folder.

    Lines end in ``\\n`` here, whatever they end in on the disk; saving keeps the file's own ends.
    """

    folder: Path
    name: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    handlers: dict[str, str] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)

    def with_handler(self, name: str, text: str) -> Site:
        """Return this site with ``handlers/<name>`` reading *text*.

        Raises SiteError for a name that leaves the folder or is no ``.py`` file.
        """
        _refuse_name(HANDLERS, name)
        return replace(self, handlers={**self.handlers, name: text})

    def without_handler(self, name: str) -> Site:
        """Return this site without ``handlers/<name>``. Saving leaves the file on the disk."""
        return replace(self, handlers={k: v for k, v in self.handlers.items() if k != name})

    def with_template(self, name: str, text: str) -> Site:
        """Return this site with ``templates/<name>`` reading *text*.

        Raises SiteError for a name that leaves the folder.
        """
        _refuse_name(TEMPLATES, name)
        return replace(self, templates={**self.templates, name: text})

    def without_template(self, name: str) -> Site:
        """Return this site without ``templates/<name>``. Saving leaves the file on the disk."""
        return replace(self, templates={k: v for k, v in self.templates.items() if k != name})

    def with_routes(self, routes: Iterable[Route]) -> Site:
        """Return this site with *routes* in place of its own."""
        return replace(self, routes=tuple(routes))

    def with_settings(self, settings: Mapping[str, Any]) -> Site:
        """Return this site with *settings* in place of its own."""
        return replace(self, settings=dict(settings))


# Names


def _name_fault(folder: str, name: str) -> str:
    """Say why *name* must not be a file of *folder*; empty when it may."""
    path = PurePosixPath(name)
    if not name or "\\" in name or PureWindowsPath(name).drive or not name.isprintable():
        return f"{name!r} is not a file name"
    if path.is_absolute() or ".." in path.parts:
        return f"{name!r} leaves the project folder"
    if str(path) != name:
        return f"{name!r} is not a plain relative name"
    if folder == HANDLERS and (len(path.parts) != 1 or path.suffix != ".py"):
        return f"{name!r} must be a .py file directly in {HANDLERS}/"
    return ""


def _refuse_name(folder: str, name: str) -> None:
    if fault := _name_fault(folder, name):
        raise SiteError([Problem(f"{folder}/{name}", 0, 0, fault)])


def _name_problems(site: Site) -> Iterator[Problem]:
    for folder, names in ((HANDLERS, site.handlers), (TEMPLATES, site.templates)):
        for name in names:
            if fault := _name_fault(folder, name):
                yield Problem(f"{folder}/{name}", 0, 0, fault)


# Loading


def load(folder: str | os.PathLike[str]) -> Site:
    """Read the project in *folder*. Nothing of it is run.

    Raises SiteError for a folder or a file that is missing, unreadable, too large, not UTF-8,
    or leads out of the folder by a link, and for a ``site.toml`` that says what it must not.
    """
    root = Path(folder).absolute()
    try:
        _require_folder(root)
        table = _read_site_file(root)
        site = _site_from(table, root)
        return replace(
            site, handlers=_read_sources(root, HANDLERS), templates=_read_sources(root, TEMPLATES)
        )
    except OSError as error:
        raise SiteError([Problem(_shown(error.filename, root), 0, 0, _reason(error))]) from error


def _require_folder(root: Path) -> None:
    if not root.exists():
        raise SiteError([Problem(str(root), 0, 0, "there is no such folder")])
    if not root.is_dir():
        raise SiteError([Problem(str(root), 0, 0, "is not a folder; a project is one")])
    if not (root / SITE_FILE).exists():
        raise SiteError([Problem(SITE_FILE, 0, 0, "is missing; a project needs one")], root)


def _shown(filename: Any, root: Path) -> str:
    return str(filename) if filename else str(root)


def _reason(error: OSError) -> str:
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
        return _decode(data)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8")) + 1
        text = f"is not UTF-8 text (byte 0x{data[error.start]:02x})"
        raise SiteError([Problem(name, line, column, text)], root) from error


def _decode(data: bytes) -> str:
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8").replace("\r\n", "\n")


def _encode(text: str, old: bytes) -> bytes:
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
        fault = _name_fault(folder, name)
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
    return sorted(_walk(start))


def _walk(start: Path) -> Iterator[str]:
    """Yield the files below *start* as posix names; hidden ones and caches are not ours."""
    for here, folders, files in os.walk(start):
        folders[:] = [name for name in folders if name[0] != "." and name != "__pycache__"]
        for name in files:
            if name[0] != ".":
                yield (Path(here) / name).relative_to(start).as_posix()


_DEEP_KEY = re.compile(r"""(?:\.[ \t]*+(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+){64}""")


def _read_site_file(root: Path) -> dict[str, Any]:
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


def _site_from(table: dict[str, Any], root: Path) -> Site:
    return Site(
        folder=root,
        name=table.get("site", {}).get("name", ""),
        settings=table.get("settings", {}),
        routes=tuple(Route(**route) for route in table.get("routes", [])),
    )


# Checking


def check(site: Site) -> list[Problem]:
    """Return what keeps *site* from being served, as far as that shows without running it.

    Disabled routes are not looked at. Templates are checked when the application is built,
    by Tornado's own parser.
    """
    problems = [*_name_problems(site), *_route_problems(site)]
    for name, text in site.handlers.items():
        compiled = compile_handler(site, name, text)
        if isinstance(compiled, Problem):
            problems.append(compiled)
    return problems


def remarks(site: Site) -> list[Problem]:
    """Return what is allowed in *site* but is probably not meant: a route that is shadowed …"""
    return [*_route_remarks(site), *_template_remarks(site), *_handler_remarks(site)]


def compile_handler(site: Site, name: str, text: str) -> CodeType | Problem:
    """Compile *text* as ``handlers/<name>`` of *site*, or say what is wrong with it."""
    file = f"{HANDLERS}/{name}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return compile(text, str(site.folder / HANDLERS / name), "exec", dont_inherit=True)
    except SyntaxError as error:
        return Problem(file, error.lineno or 0, max(error.offset or 0, 0), error.msg)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        column = error.start - text.rfind("\n", 0, error.start)
        return Problem(file, line, column, "holds a lone surrogate, which is no character")
    except ValueError as error:
        return Problem(file, 0, 0, str(error))
    except (RecursionError, MemoryError, OverflowError):
        return Problem(file, 0, 0, "is nested too deeply for Python to compile")


def _route_problems(site: Site) -> Iterator[Problem]:
    first_with: dict[str, int] = {}
    for index, route in enumerate(site.routes):
        if not route.enabled:
            continue
        yield from _pattern_problems(route.pattern, "pattern", index)
        if route.host:
            yield from _pattern_problems(route.host, "host", index)
        yield from (
            Problem(SITE_FILE, 0, 0, f"route {index + 1}: {fault}", index)
            for fault in _route_faults(site, route)
        )
        if route.name and first_with.setdefault(route.name, index) != index:
            text = f"route {index + 1}: route {first_with[route.name] + 1} has the name"
            yield Problem(SITE_FILE, 0, 0, f"{text} {route.name!r} already", index)


def _pattern_problems(pattern: Any, what: str, index: int) -> Iterator[Problem]:
    fault, column = _pattern_fault(pattern)
    if fault:
        text = f"route {index + 1}: {what} {_brief(pattern)}: {fault}"
        yield Problem(SITE_FILE, 0, column, text, index)


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…" + text[-1]


def _pattern_fault(pattern: Any) -> tuple[str, int]:
    """Say what is wrong with a regex as Tornado compiles it, and at which column (from 1)."""
    if not isinstance(pattern, str):
        return "must be text", 0
    if "\0" in pattern:
        return "holds a NUL character", pattern.index("\0") + 1
    try:
        regex = _compile_pattern(pattern)
    except re.error as error:
        return error.msg, 0 if error.pos is None else error.pos + 1
    except (OverflowError, ValueError) as error:
        return str(error), 0
    except (RecursionError, MemoryError):
        return "is nested too deeply", 0
    if len(regex.groupindex) not in (0, regex.groups):
        return "groups must be either all named or all positional", 0
    return "", 0


def _compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile *pattern* as ``tornado.routing.PathMatches`` does: anchored at its end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return re.compile(pattern if pattern.endswith("$") else pattern + "$")


def _route_faults(site: Site, route: Route) -> Iterator[str]:
    if not isinstance(route.kwargs, dict) or not all(isinstance(k, str) for k in route.kwargs):
        yield "kwargs must be a table with text keys"
    if not _is_dotted(route.handler):
        yield f"handler {_brief(route.handler)} is not a dotted path such as handlers.x.XHandler"
        return
    package, module, *rest = route.handler.split(".")
    if package == HANDLERS and rest and f"{module}.py" not in site.handlers:
        yield f"there is no {HANDLERS}/{module}.py for {route.handler}"


def _is_dotted(path: Any) -> bool:
    if not isinstance(path, str) or "." not in path:
        return False
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in path.split("."))


def _route_remarks(site: Site) -> Iterator[Problem]:
    first_with: dict[tuple[str, str], int] = {}
    for index, route in enumerate(site.routes):
        if not route.enabled or _pattern_fault(route.pattern)[0]:
            continue
        earlier = first_with.setdefault((route.host, route.pattern), index)
        for text in _remarks_on(route, index, earlier):
            yield Problem(SITE_FILE, 0, 0, f"route {index + 1}: {text}", index)


def _remarks_on(route: Route, index: int, earlier: int) -> Iterator[str]:
    if earlier != index:
        yield f"is never reached: route {earlier + 1} has the same pattern and comes first"
    if route.pattern and not route.pattern.startswith(("/", "^/", ".", "(", "[", "\\/")):
        yield f"pattern {_brief(route.pattern)} has no leading slash, which every path has"
    if route.name and not _is_reversible(route.pattern):
        yield f"reverse_url({route.name!r}) cannot be made from this pattern"


def _is_reversible(pattern: str) -> bool:
    """Tell whether ``reverse_url`` can rebuild a path; the rule of ``PathMatches._find_groups``."""
    bare = pattern.removeprefix("^").removesuffix("$")
    if _compile_pattern(pattern).groups != bare.count("("):
        return False
    parts = bare.split("(")
    if sum(")" in part for part in parts) != bare.count("("):
        return False  # Nested groups.
    outside = (part.partition(")")[2] if ")" in part else part for part in parts)
    return not any(re.search(r"\\[A-Za-z0-9]", part) for part in outside)


_BLOCK = re.compile(r"\{%-?\s*block\s+(\S+)\s*%\}")


def _template_remarks(site: Site) -> Iterator[Problem]:
    for name, text in site.templates.items():
        seen: set[str] = set()
        for match in _BLOCK.finditer(text):
            if match[1] in seen:
                line = text.count("\n", 0, match.start()) + 1
                what = f"block {match[1]!r} is here twice; the last one wins"
                yield Problem(f"{TEMPLATES}/{name}", line, 0, what)
            seen.add(match[1])


def _handler_remarks(site: Site) -> Iterator[Problem]:
    for name, text in site.handlers.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with contextlib.suppress(
                SyntaxError, ValueError, RecursionError, MemoryError, OverflowError
            ):
                compile(text, name, "exec", dont_inherit=True)
        for warning in caught:
            yield Problem(f"{HANDLERS}/{name}", warning.lineno, 0, str(warning.message))


# Saving


def save(site: Site, folder: str | os.PathLike[str]) -> None:
    """Write *site* into *folder*: only the files that changed, each one whole or not at all.

    Nothing is deleted. A ``site.toml`` that says the same already keeps its bytes. Saving into
    another folder brings the static files along, without replacing any that is there.

    Raises SiteError when a name leaves the folder, a text cannot be encoded, or the disk refuses;
    the file concerned is then as it was before.
    """
    root = Path(folder).absolute()
    problems = list(_name_problems(site))
    if problems:
        raise SiteError(problems, root)
    changed = list(_changed_files(site, root))
    for path, data in changed:
        with _disk_errors(path, root):
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace_file(path, data)
    if root.resolve() != site.folder.resolve():
        with _disk_errors(root / STATIC, root):
            _copy_static(site.folder / STATIC, root / STATIC)


def dumps(site: Site) -> str:
    """Return the text of ``site.toml`` for *site*."""
    tables = [_toml_table("[site]", {"name": site.name})]
    if site.settings:
        tables.append(_toml_table("[settings]", site.settings))
    tables += [_toml_table("[[routes]]", _route_table(route)) for route in site.routes]
    return "\n".join(tables)


def digest(site: Site) -> str:
    """Return a hash of all that *site* would run: its routes, settings, handlers and templates."""
    state = hashlib.sha256()
    for name, text in _texts(site):
        for part in (name, text):
            data = part.encode("utf-8", "surrogatepass")
            state.update(len(data).to_bytes(8, "big") + data)
    return state.hexdigest()


def _texts(site: Site) -> Iterator[tuple[str, str]]:
    """Yield every file of *site* as it is saved: ``site.toml`` last, as it names the others."""
    for folder, sources in ((HANDLERS, site.handlers), (TEMPLATES, site.templates)):
        yield from ((f"{folder}/{name}", text) for name, text in sorted(sources.items()))
    yield SITE_FILE, dumps(site)


def _changed_files(site: Site, root: Path) -> Iterator[tuple[Path, bytes]]:
    for name, text in _texts(site):
        path = (root / name).resolve()
        if not path.is_relative_to(root.resolve()):
            text = "is a link that leaves the project folder"
            raise SiteError([Problem(name, 0, 0, text)], root)
        with _disk_errors(path, root):
            old = path.read_bytes() if path.exists() else None
        if old is not None and _says_the_same(name, text, old, root):
            continue
        try:
            yield path, _encode(text, old or b"")
        except UnicodeEncodeError as error:
            problem = Problem(name, 0, 0, "holds a lone surrogate, which is no character")
            raise SiteError([problem], root) from error


def _says_the_same(name: str, text: str, old: bytes, root: Path) -> bool:
    try:
        if _decode(old) == text:
            return True
        return name == SITE_FILE and dumps(_site_from(_read_site_file(root), root)) == text
    except (UnicodeDecodeError, SiteError):
        return False


@contextlib.contextmanager
def _disk_errors(path: Path, root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        name = path.relative_to(root) if path.is_relative_to(root) else path
        problem = Problem(str(name), 0, 0, f"cannot be saved: {_reason(error)}")
        raise SiteError([problem], root) from error


def _replace_file(path: Path, data: bytes) -> None:
    """Put *data* at *path* so that a crash leaves either the old file or the new one."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o666)
    try:
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if path.exists():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        written = os.write(descriptor, rest)
        if written <= 0:
            raise OSError("the disk took only a part of the file")
        rest = rest[written:]


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system lets a folder be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _copy_static(source: Path, target: Path) -> None:
    if not source.is_dir():
        return
    for name in _walk(source):
        old, new = source / name, target / name
        if not new.exists() and old.is_file() and not old.is_symlink():
            new.parent.mkdir(parents=True, exist_ok=True)
            _replace_file(new, old.read_bytes())


# TOML


def _route_table(route: Route) -> dict[str, Any]:
    table: dict[str, Any] = {"pattern": route.pattern, "handler": route.handler}
    optional = {"name": route.name, "kwargs": route.kwargs, "host": route.host}
    table |= {key: value for key, value in optional.items() if value}
    if not route.enabled:
        table["enabled"] = False
    return table


def _toml_table(header: str, table: dict[str, Any]) -> str:
    rows = [f"{_toml_key(key)} = {_toml(value)}" for key, value in table.items()]
    return "\n".join([header, *rows, ""])


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
