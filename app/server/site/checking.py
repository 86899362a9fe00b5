"""What is wrong with a site, or probably not meant, as far as that shows without running it."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType

from app.server.setting_faults import faults
from app.server.settings import SERVER_SETTINGS

from ..bit_by_bit import Work, finish
from .model import HANDLERS, SITE_FILE, TEMPLATES, Problem, Site, name_problems
from .route_checking import route_problems, route_remarks


def check(site: Site) -> list[Problem]:
    """Return what keeps *site* from being served, as far as that shows without running it.

    Disabled routes are not looked at. Templates are checked when the application is built,
    by Tornado's own parser.
    """
    return finish(checking(site))


def checking(site: Site) -> Work[list[Problem]]:
    """Do as `check` does, bit by bit."""
    problems = [*name_problems(site), *(yield from route_problems(site))]
    problems += _setting_problems(site)
    for name, text in site.handlers.items():
        yield 1
        compiled = compile_handler(site, name, text)
        if isinstance(compiled, Problem):
            problems.append(compiled)
    return problems


def remarks(site: Site) -> list[Problem]:
    """Return what is allowed in *site* but is probably not meant: a route that is shadowed …"""
    return [*route_remarks(site), *_template_remarks(site), *_handler_remarks(site)]


def compile_handler(site: Site, name: str, text: str) -> CodeType | Problem:
    """Compile *text* as ``handlers/<name>`` of *site*, or say what is wrong with it."""
    file = f"{HANDLERS}/{name}"
    if "\0" in text:  # Python says so, but not where.
        return _problem_at(file, text, text.index("\0"), "holds a NUL character")
    try:
        return _compile(text, str(site.folder / HANDLERS / name))
    except SyntaxError as error:
        return Problem(file, error.lineno or 0, _column(text, error), error.msg)
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


@lru_cache(maxsize=512)
def _compile(text: str, path: str) -> CodeType:
    """Compile a module; most are the same with each apply, and asked for more than once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(text, path, "exec", dont_inherit=True)


def _column(text: str, error: SyntaxError) -> int:
    """Return the column of *error*, counted from 1.

    Python counts it in the line that the file on the disk has there, if there is such a file.
    """
    try:
        _compile(text, f"<{error.filename}>")
    except SyntaxError as again:
        return max(again.offset or 0, 0)
    return max(error.offset or 0, 0)


def _problem_at(file: str, text: str, position: int, what: str) -> Problem:
    line = text.count("\n", 0, position) + 1
    return Problem(file, line, position - text.rfind("\n", 0, position), what)


def _setting_problems(site: Site) -> Iterator[Problem]:
    for key, fault in faults({**site.settings, **site.server}).items():
        yield Problem(SITE_FILE, 0, 0, f"setting {key!r}: {fault}")
    for key in site.server.keys() - SERVER_SETTINGS:
        yield Problem(SITE_FILE, 0, 0, f"setting {key!r}: is no argument of Tornado's HTTPServer")


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
