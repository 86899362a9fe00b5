"""What is wrong with a site, or probably not meant, as far as that shows without running it."""

from __future__ import annotations

import contextlib
import keyword
import re
import warnings
from collections.abc import Iterator
from types import CodeType
from typing import Any

from .model import HANDLERS, SITE_FILE, TEMPLATES, Problem, Route, Site, name_problems


def check(site: Site) -> list[Problem]:
    """Return what keeps *site* from being served, as far as that shows without running it.

    Disabled routes are not looked at. Templates are checked when the application is built,
    by Tornado's own parser.
    """
    problems = [*name_problems(site), *_route_problems(site)]
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
    if "\0" in text:  # Python says so, but not where.
        return _problem_at(file, text, text.index("\0"), "holds a NUL character")
    try:
        return _compile(text, str(site.folder / HANDLERS / name))
    except SyntaxError as error:
        return Problem(file, error.lineno or 0, max(error.offset or 0, 0), error.msg)
    except UnicodeEncodeError as error:
        what = "holds a lone surrogate, which is no character"
        return _problem_at(file, text, error.start, what)
    except ValueError as error:
        return Problem(file, 0, 0, str(error))
    except (RecursionError, MemoryError, OverflowError):
        what = "is nested too deeply for Python to compile"
        # Python does not say where. Brackets have a limit of their own: it is one long expression.
        longest = max(text.split("\n"), key=len)
        start = len(longest) - len(longest.lstrip())
        return _problem_at(file, text, text.index(longest) + start, what)


def _compile(text: str, path: str) -> CodeType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(text, path, "exec", dont_inherit=True)


def _problem_at(file: str, text: str, position: int, what: str) -> Problem:
    line = text.count("\n", 0, position) + 1
    return Problem(file, line, position - text.rfind("\n", 0, position), what)


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
