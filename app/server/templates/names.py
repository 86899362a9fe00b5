"""The names that a template may use: who gives them, and what they stand for."""

from __future__ import annotations

import datetime
import reprlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tornado import escape
from tornado.web import Application, RequestHandler

from .errors import described
from .facts import Name
from .job import Job

_TORNADO = {
    "handler": "handler",
    "request": "request",
    "current_user": "current_user",
    "locale": "locale.code",
    "_": '_("Hello")',
    "pgettext": "pgettext",
    "static_url": 'static_url("{static}")',
    "xsrf_form_html": "xsrf_form_html()",
    "reverse_url": 'reverse_url("{route}")',
}
"""What ``RequestHandler.get_template_namespace`` gives, and an example of its use."""
_ALWAYS = {
    "escape": 'escape("<a & b>")',
    "xhtml_escape": 'xhtml_escape("<a & b>")',
    "url_escape": 'url_escape("a b&c")',
    "json_encode": 'json_encode({"a": [1, None]})',
    "squeeze": 'squeeze("a   b")',
    "linkify": 'linkify("see http://a.example")',
    "datetime": "datetime.datetime.now()",
}
"""What ``Template.generate`` gives."""
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 300
_short.maxdict = _short.maxlist = _short.maxtuple = 12
_short.maxlevel = 4


def namespace(given: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``Template.generate`` makes of the names that it is given."""
    own = {name: getattr(escape, name) for name in _ALWAYS if hasattr(escape, name)}
    return {**own, "escape": escape.xhtml_escape, "datetime": datetime, **given, **values}


def names_in(given: Mapping[str, Any], handler: RequestHandler, job: Job) -> Iterator[Name]:
    """Yield all names that the template of *job* may use; *given* is *handler*'s namespace."""
    names = namespace(given, job.values)
    application = handler.application
    if job.expression:
        yield Name(job.expression, "", _evaluated(job.expression, names))
    # What every handler gives is among the values too.
    own = {n: v for n, v in job.values.items() if n in job.typed or n not in _TORNADO}
    for name, value in own.items():
        yield Name(name, "typed in" if name in job.typed else "passed", _text(value))
    for name, example in _TORNADO.items():
        if name not in own:
            shown = _filled(example, job, application)
            yield Name(shown, "RequestHandler", _evaluated(shown, names))
    for name, method in application.ui_methods.items():
        yield Name(f"{name}()", "ui_methods", _text(method))
    for name, module in application.ui_modules.items():
        yield Name(f"{{% module {name}() %}}", "ui_modules", _text(module))
    known = {*_TORNADO, *handler.ui, *own}
    for name in sorted(given.keys() - known):
        yield Name(name, "get_template_namespace", _text(given[name]))
    for name, example in _ALWAYS.items():
        if name not in own:
            yield Name(example, "tornado.template", _evaluated(example, names))


def _filled(example: str, job: Job, application: Application) -> str:
    """Return *example* with a route and a static file that the site has."""
    route = next((route.name for route in job.site.routes if route.name), "name")
    folder = application.settings.get("static_path")
    files = sorted(Path(folder).iterdir()) if folder and Path(folder).is_dir() else []
    static = next((file.name for file in files if file.is_file()), "file")
    return example.replace("{route}", route).replace("{static}", static)


def _evaluated(expression: str, names: dict[str, Any]) -> str:
    try:
        return _text(eval(expression, names))
    except Exception as error:
        return f"✗ {described(error)}"


def _text(value: object) -> str:
    if isinstance(value, str) and len(value) < 300:
        return repr(value)
    try:
        return _short.repr(value)
    except Exception as error:
        return f"✗ {described(error)}"
