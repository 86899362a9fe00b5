"""What is wrong with routes, or probably not meant: field by field, at a column of its text."""

from __future__ import annotations

import contextlib
import functools
import json
import keyword
import re
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from app.recording.limit import TooSlow, cpu_limit

from ..bit_by_bit import Work
from ..ladder import Words
from .model import HANDLERS, SITE_FILE, Problem, Route, Site, SiteError
from .site_file import has_odd_number
from .toml_text import toml_table

_KEPT = 1 << 17
"""How many patterns are kept compiled: typing in one route compiles no other again."""
_MANY = 3_000_000
"""Where more matches than this would have to be tried, no hidden paths are looked for."""
_LIMIT_S = 0.02
"""How long it may take to find out what hides one path."""


class Fault(NamedTuple):
    """What is wrong with a field of a route; a *warning* does not keep it from being served.

    ``field`` is the name of the field in `Route`. ``line`` and ``column`` count from 1 in the text
    of that field; column 0 means all of it.
    """

    field: str
    words: Words
    column: int = 0
    line: int = 1
    warning: bool = False


def route_problems(site: Site) -> Work[list[Problem]]:
    """Return what keeps the routes of *site* from being served. Disabled ones are not looked at."""
    problems: list[Problem] = []
    named: dict[str, int] = {}
    for index, route in enumerate(site.routes):
        yield index / len(site.routes)
        if route.enabled:
            errors = [*route_errors(site, route), *_name_error(named, index, route)]
            problems += [problem_of(route, index, fault) for fault in errors]
    return problems


def route_remarks(site: Site) -> Iterator[Problem]:
    """Yield what is allowed in the routes of *site* but is probably not meant."""
    for index, fault in site_faults(site):
        if fault.warning:
            yield Problem(SITE_FILE, 0, 0, f"route {index + 1}: {fault.words}", index, fault.field)


def problem_of(route: Route, index: int, fault: Fault) -> Problem:
    """Return *fault* of the route at *index* as a problem of ``site.toml``."""
    text = str(fault.words)
    if fault.field in ("pattern", "host"):
        written = _brief(getattr(route, fault.field)).replace(r"\\", "\\")
        text = f"{fault.field} {written}: {text}"
    return Problem(SITE_FILE, 0, fault.column, f"route {index + 1}: {text}", index, fault.field)


def site_faults(site: Site) -> Iterator[tuple[int, Fault]]:
    """Yield the faults of the enabled routes with their indices, those of each route in turn."""
    earlier = Earlier(len(site.routes))
    for index, route in enumerate(site.routes):
        if route.enabled:
            faults = [*route_faults(site, route), *earlier.faults(index, route)]
            yield from ((index, fault) for fault in faults)


def route_faults(site: Site, route: Route) -> Iterator[Fault]:
    """Yield what is wrong with *route* by itself, or odd."""
    yield from route_errors(site, route)
    if route.pattern and pattern_fault(route.pattern) is None:
        yield from _pattern_remarks(route)


def route_errors(site: Site, route: Route) -> Iterator[Fault]:
    """Yield what keeps *route* by itself from being served."""
    fault = pattern_fault(route.pattern)
    if fault is None and not route.pattern:
        fault = Words("is empty: every path begins with a slash"), 1
    if fault is not None:
        yield Fault("pattern", *fault)
    if route.host and (fault := pattern_fault(route.host)) is not None:
        yield Fault("host", *fault)
    yield from kwargs_faults(route.kwargs)
    yield from _handler_faults(site, route.handler)


class Earlier:
    """What routes do to later ones: one name for two, one path for two. *count* is of all."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._named: dict[str, int] = {}
        self._first_with: dict[tuple[str, str], int] = {}
        self._patterns: dict[str, list[tuple[int, re.Pattern[str]]]] = {}

    def faults(self, index: int, route: Route) -> Iterator[Fault]:
        """Yield what the routes before *route* do to it; then it is one of them."""
        yield from _name_error(self._named, index, route)
        if pattern_fault(route.pattern) is not None:
            return
        first = self._first_with.setdefault((route.host, route.pattern), index)
        path = plain_path(route.pattern)
        patterns = self._patterns.setdefault(route.host, [])
        if first != index:
            text = "is never reached: route {first} has the same pattern and comes first"
            yield Fault("pattern", Words(text, {"first": first + 1}), warning=True)
        elif path is None:
            patterns.append((index, compile_pattern(route.pattern)))
        elif (hiding := self._hiding(path, patterns)) is not None:
            text = "is never reached: route {first} matches {path} too and comes first"
            yield Fault("pattern", Words(text, {"first": hiding + 1, "path": path}), warning=True)

    def _hiding(self, path: str, patterns: list[tuple[int, re.Pattern[str]]]) -> int | None:
        """Return the route of the first of *patterns* that matches *path*."""
        if len(patterns) * self._count > _MANY:
            return None
        with contextlib.suppress(TooSlow), cpu_limit(_LIMIT_S):
            return next((index for index, pattern in patterns if pattern.match(path)), None)
        return None


def _name_error(named: dict[str, int], index: int, route: Route) -> Iterator[Fault]:
    """Yield that the route at *index* has the name of an earlier one; then it is *named*, too."""
    if route.name and (first := named.setdefault(route.name, index)) != index:
        values = {"first": first + 1, "name": repr(route.name)}
        yield Fault("name", Words("route {first} has the name {name} already", values))


# Patterns


@functools.lru_cache(_KEPT)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile *pattern* as ``tornado.routing.PathMatches`` does: anchored at its end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return re.compile(pattern if pattern.endswith("$") else pattern + "$")


@functools.lru_cache(_KEPT)
def pattern_fault(pattern: Any) -> tuple[Words, int] | None:
    """Say what keeps Tornado from compiling *pattern*, and at which column (from 1)."""
    if not isinstance(pattern, str):
        return Words("must be text"), 0
    if "\0" in pattern:
        return Words("holds a NUL character"), pattern.index("\0") + 1
    try:
        regex = compile_pattern(pattern)
    except re.error as error:
        return Words(error.msg), 1 if error.pos is None else error.pos + 1
    except (OverflowError, ValueError) as error:
        return Words(str(error)), _too_many(pattern)
    except (RecursionError, MemoryError):
        return Words("is nested too deeply"), max(pattern.find("("), 0) + 1
    if len(regex.groupindex) not in (0, regex.groups):
        text = "groups must be either all named or all positional"
        return Words(text), _first_positional(pattern)
    return None


def _too_many(pattern: str) -> int:
    """Return the column of the first repetition whose number is too large."""
    found = re.search(r"\{\d*,?0*(?:[1-9]\d{10,}|4294967295|429496729[6-9]|[5-9]\d{9})", pattern)
    return found.start() + 1 if found else 1


_GROUP = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<plain>\((?!\?))", re.DOTALL)


def _first_positional(pattern: str) -> int:
    return next((found.start() + 1 for found in _GROUP.finditer(pattern) if found["plain"]), 1)


_PLAIN = re.compile(r"\^?((?:[^\\.^$*+?{}\[\]|()\0]|\\[^A-Za-z0-9])*)\$?")


def plain_path(pattern: str) -> str | None:
    """Return the only path that *pattern* matches; None if there may be others."""
    found = _PLAIN.fullmatch(pattern)
    return None if found is None else re.sub(r"\\(.)", r"\1", found[1])


def _pattern_remarks(route: Route) -> Iterator[Fault]:
    pattern = route.pattern
    if not pattern.startswith(("/", "^/", ".", "(", "[", "\\/")):
        words = Words("has no leading slash, which every path has")
        yield Fault("pattern", words, 1, warning=True)
    odd = next((at for at, letter in enumerate(pattern) if not letter.isascii()), None)
    if odd is not None:
        words = Words("holds letters that browsers send percent-encoded")
        yield Fault("pattern", words, odd + 1, warning=True)
    if route.name and not is_reversible(pattern):
        text = "reverse_url({name}) cannot be made from this pattern"
        yield Fault("name", Words(text, {"name": repr(route.name)}), warning=True)


def is_reversible(pattern: str) -> bool:
    """Tell whether ``reverse_url`` can rebuild a path; the rule of ``PathMatches._find_groups``."""
    bare = pattern.removeprefix("^").removesuffix("$")
    if compile_pattern(pattern).groups != bare.count("("):
        return False
    parts = bare.split("(")
    if sum(")" in part for part in parts) != bare.count("("):
        return False  # Nested groups.
    outside = (part.partition(")")[2] if ")" in part else part for part in parts)
    return not any(re.search(r"\\[A-Za-z0-9]", part) for part in outside)


# Arguments and handlers


def kwargs_faults(kwargs: Any) -> Iterator[Fault]:
    """Yield why *kwargs* cannot be the arguments of a route. Text is JSON that is being typed."""
    if isinstance(kwargs, str):
        kwargs, fault = read_kwargs(kwargs)
        if fault is not None:
            yield fault
            return
    if kwargs == {}:
        return
    if not isinstance(kwargs, dict) or not all(isinstance(key, str) for key in kwargs):
        yield Fault("kwargs", Words("kwargs must be a table with text keys"), 1)
        return
    try:
        toml_table("", kwargs)
    except SiteError as error:
        yield Fault("kwargs", Words(error.problems[0].text), 1)
        return
    except RecursionError:
        yield Fault("kwargs", Words("is nested too deeply"), 1)
        return
    if has_odd_number(kwargs):
        yield Fault("kwargs", Words("holds a number that is not finite (nan or inf)"), 1)


def read_kwargs(text: str) -> tuple[Any, Fault | None]:
    """Return the arguments that are written in JSON, or why and where they cannot be read."""
    try:
        return json.loads(text), None
    except json.JSONDecodeError as error:
        return None, Fault("kwargs", Words(error.msg), error.colno, error.lineno)
    except RecursionError:
        return None, Fault("kwargs", Words("is nested too deeply"), 1)
    except ValueError as error:
        return None, Fault("kwargs", Words(str(error)), 1)


def _handler_faults(site: Site, handler: Any) -> Iterator[Fault]:
    if not _is_dotted(handler):
        text = "handler {handler} is not a dotted path such as handlers.x.XHandler"
        yield Fault("handler", Words(text, {"handler": _brief(handler)}), 1)
        return
    package, module, *rest = handler.split(".")
    if package == HANDLERS and rest and f"{module}.py" not in site.handlers:
        values = {"file": f"{HANDLERS}/{module}.py", "handler": handler}
        words = Words("there is no {file} for {handler}", values)
        yield Fault("handler", words, len(package) + 2)


@functools.lru_cache(1_000)
def _is_dotted(path: Any) -> bool:
    if not isinstance(path, str) or "." not in path:
        return False
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in path.split("."))


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…" + text[-1]
