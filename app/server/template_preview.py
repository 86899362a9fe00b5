"""A template rendered for the window: its output piece by piece, each with its origin.

The handler is made anew from a recorded request, as Tornado would route it, and none of its
methods is called but ``initialize`` and what rendering asks for. What is written goes nowhere.
"""

from __future__ import annotations

import builtins
import datetime
import reprlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, cast

from tornado import escape
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.template import BaseLoader, Template
from tornado.web import Application, RequestHandler, _HandlerDelegate

from app.server.bounded import TooLong
from app.server.site import Site
from app.server.template_facts import (
    Analysis,
    CodeLine,
    Fault,
    Insert,
    Name,
    Preview,
    Resource,
    Span,
)
from app.server.templates import SiteLoader, SiteTemplate, analyse

MAX_OUTPUT = 256 * 1024
"""After how many bytes the output is cut."""
MAX_PIECES = 10_000
"""After how many pieces."""
BOUND = frozenset(
    ["handler", "request", "static_url", "xsrf_form_html", "reverse_url", "modules", "_tt_modules"]
)
"""Names that belong to one handler object."""
_BUFFER = "_tt_append = _tt_buffer.append"

Limited = Callable[[Callable[[], object]], None]


class AsRequest(NamedTuple):
    """The request for which a template is rendered."""

    method: str = "GET"
    uri: str = "/"
    version: str = "HTTP/1.1"
    headers: tuple[tuple[str, str], ...] = (("Host", "127.0.0.1"),)
    body: bytes = b""


class TooMuch(BaseException):
    """The template writes more than is shown."""


class _Output:
    """What the template that is shown appends to its output: pieces and their lines of Python."""

    def __init__(self) -> None:
        self.pieces: list[tuple[int, bytes]] = []
        self._size = self._count = 0
        self._begun = False

    def note(self, buffer: list[bytes]) -> Callable[[bytes], None]:
        """Stand in for ``_tt_buffer.append``. The first buffer is that of the whole page."""
        outermost, self._begun = not self._begun, True

        def append(piece: bytes) -> None:
            self._size += len(piece)
            self._count += 1
            if self._size > MAX_OUTPUT or self._count > MAX_PIECES:
                raise TooMuch
            if outermost:
                self.pieces.append((sys._getframe(1).f_lineno, piece))
            buffer.append(piece)

        return append


class _PreviewLoader(SiteLoader):
    """Compiles templates so that they note what they append; their lines stay as they are."""

    def __init__(self, site: Site, rendered: Callable[[], None], output: _Output) -> None:
        super().__init__(site, rendered)
        self.namespace["_tt_note"] = output.note

    def _create_template(self, name: str) -> Template:
        template = super()._create_template(name)
        lines = template.code.split("\n")
        code = "\n".join(
            line.replace(_BUFFER, "_tt_append = _tt_note(_tt_buffer)", 1)
            if line.lstrip().startswith(_BUFFER)
            else line
            for line in lines
        )
        template.compiled = compile(code, generated_name(name), "exec", dont_inherit=True)
        return template


def generated_name(name: str) -> str:
    """Return the file that Tornado names in tracebacks through template *name*."""
    return f"{name.replace('.', '_')}.generated.py"


# The handler


class _Nowhere:
    """A connection on which nothing comes or goes."""

    def set_close_callback(self, callback: object) -> None:
        """Tornado asks for it; it is never closed."""


class _Shown(RequestHandler):
    """What a handler's class is mixed with: renders from *loader*, and keeps what it renders."""

    loader: BaseLoader
    page = b""

    def get_template_path(self) -> str:
        return f"<preview {id(self)}>"

    def create_template_loader(self, template_path: str) -> BaseLoader:
        return self.loader

    def finish(self, chunk: Any = None) -> Any:
        self.page = chunk if isinstance(chunk, bytes) else b""


def _handler(application: Application, asked: AsRequest, loader: BaseLoader) -> _Shown:
    headers = HTTPHeaders()
    for name, value in asked.headers:
        headers.add(name, value)
    headers.setdefault("Host", "127.0.0.1")
    request = HTTPServerRequest(
        headers=headers,
        body=asked.body,
        connection=cast(Any, _Nowhere()),
        start_line=RequestStartLine(asked.method, asked.uri, asked.version),
    )
    request._parse_body()
    delegate = application.find_handler(request)
    cls: type[RequestHandler] = RequestHandler
    arguments: dict[str, Any] = {}
    if isinstance(delegate, _HandlerDelegate):
        cls, arguments = delegate.handler_class, delegate.handler_kwargs
    names = {"loader": loader, "__module__": cls.__module__, "__qualname__": cls.__qualname__}
    shown = cast("type[_Shown]", type(cls.__name__, (_Shown, cls), names))
    return shown(application, request, **arguments)


# Rendering


class Job(NamedTuple):
    """What to render: template ``root`` of a site, for a request, with values."""

    site: Site
    root: str
    application: Application | None = None
    """What serves the site; without one nothing of it may run."""
    asked: AsRequest = AsRequest()
    values: Mapping[str, Any] = {}
    typed: frozenset[str] = frozenset()
    """Which of the values were typed in; the others are the handler's."""
    expression: str = ""
    """What to evaluate beside it."""


def preview(job: Job, limited: Limited) -> Preview:
    """Render a template as *job* says. *limited* calls what may take too long."""
    return _Rendering(job).run(limited)


class _Rendering:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._output = _Output()
        self._loader = _PreviewLoader(job.site, _rendered_by(job.application), self._output)
        self._analysis = Analysis(job.root)
        self._page: bytes | None = None
        self._names: tuple[Name, ...] = ()
        self._missing: tuple[str, ...] = ()
        self._resources: tuple[Resource, ...] = ()

    def run(self, limited: Limited) -> Preview:
        begun = time.perf_counter()
        fault: Fault | None = None
        try:
            limited(self._analyse)
            fault = self._analysis.fault
            if fault is None and self._job.application is not None:
                limited(self._render)
        except BaseException as error:
            fault = self._fault(error)
        result = Preview(
            self._analysis,
            names=self._names,
            missing=self._missing,
            resources=self._resources,
            fault=fault,
            seconds=time.perf_counter() - begun,
        )
        text, spans = self._spans()
        return _with_inserts(result._replace(output=text, spans=tuple(spans)), self._page)

    def _analyse(self) -> None:
        self._analysis = analyse(self._loader, self._job.root)

    def _render(self) -> None:
        assert self._job.application is not None
        handler = _handler(self._job.application, self._job.asked, self._loader)
        try:
            given = handler.get_template_namespace()
            known = {*_namespace(given, self._job.values), *dir(builtins)}
            self._missing = tuple(n for n in self._analysis.wanted if n not in known)
            self._names = tuple(_names(given, handler, self._job))
            RequestHandler.render(handler, self._job.root, **self._job.values)
            self._page = handler.page
        finally:
            # What fails here has failed in render() already, for a better reason.
            with suppress(Exception):
                self._resources = tuple(_resources(handler))
            path = handler.get_template_path()
            RequestHandler._template_loaders.pop(path, None)

    def _fault(self, error: BaseException) -> Fault:
        if isinstance(error, TooMuch):
            text = f"the output was cut after {MAX_OUTPUT // 1024:,} KB or {MAX_PIECES:,} pieces"
        elif isinstance(error, TooLong):
            text = "took too long and was interrupted"
        else:
            text = _described(error)
        place = _place_of(error.__traceback__, self._loader)
        kind = type(error).__name__
        if place is None:
            return Fault(text, kind=kind)
        return Fault(text, place.file, place.line, 0, place.via, kind)

    def _spans(self) -> tuple[str, list[Span]]:
        template = self._loader.templates.get(self._job.root)
        if not isinstance(template, SiteTemplate):
            return "", []
        texts: list[str] = []
        spans: list[Span] = []
        at = 0
        for number, piece in self._output.pieces:
            text = piece.decode("utf-8", "replace")
            line = template.lines[number - 1]
            for start, end, first, last in _parts(text, line, template.chunks.get(number)):
                spans.append(Span(at + start, at + end, number, line.file, first, last))
            texts.append(text)
            at += len(text)
        return "".join(texts), spans


def _rendered_by(application: Application | None) -> Callable[[], None]:
    loader = application.settings.get("template_loader") if application is not None else None
    return loader.rendered if isinstance(loader, SiteLoader) else lambda: None


def _parts(
    text: str, line: CodeLine, chunk: tuple[str, int] | None
) -> Iterator[tuple[int, int, int, int]]:
    """Yield parts of a piece of output, and from which to which line of the template it is made.

    A text has lost some of its whitespace on the way; what is left is in the same order.
    """
    if chunk is None:
        yield 0, len(text), line.line, line.last
        return
    value, number = chunk
    source = iter(value)
    start, of = 0, line.line
    for at, char in enumerate(text):
        if char.isspace():
            continue
        for original in source:
            number += original == "\n"
            if original == char:
                break
        if number != of:
            if at > start:
                yield start, at, of, of
            start, of = at, number
    if start < len(text):
        yield start, len(text), of, of


def _place_of(trace: TracebackType | None, loader: SiteLoader) -> CodeLine | None:
    """Return the line of the innermost template that an error passed through."""
    templates = {generated_name(name): loader.templates[name] for name in loader.templates}
    found: CodeLine | None = None
    while trace is not None:
        template = templates.get(trace.tb_frame.f_code.co_filename)
        if isinstance(template, SiteTemplate) and 0 < trace.tb_lineno <= len(template.lines):
            line = template.lines[trace.tb_lineno - 1]
            found = line if line.file else found
        trace = trace.tb_next
    return found


def _described(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:
        text = ""
    if isinstance(error, ValueError) and text == "subsection not found":
        text += ": UI modules add to <head> and <body>, and the page has no end of them"
    return f"{name}: {text}" if text else name


# What UI modules add


_METHODS = (
    ("css_files", "</head>"),
    ("embedded_css", "</head>"),
    ("html_head", "</head>"),
    ("javascript_files", "</body>"),
    ("embedded_javascript", "</body>"),
    ("html_body", "</body>"),
)


def _resources(handler: RequestHandler) -> Iterator[Resource]:
    for name, module in getattr(handler, "_active_modules", {}).items():
        for method, before in _METHODS:
            added = getattr(module, method)()
            if isinstance(added, bytes):
                added = added.decode("utf-8", "replace")
            elif added and not isinstance(added, str):
                added = "\n".join(map(str, added))
            if added:
                yield Resource(name, method, added, before)


def _with_inserts(result: Preview, page: bytes | None) -> Preview:
    """Return *result* with the page as it is sent: with what was inserted for UI modules."""
    plain = result.output
    final = plain if page is None else page.decode("utf-8", "replace")
    added = len(final) - len(plain)
    if added <= 0:
        return result
    body = plain.rfind("</body>")
    body = len(plain) if body < 0 else body
    head = max(plain.find("</head>"), 0)
    if head > body:
        return result
    middle = plain[head:body]
    in_head = final.rfind(middle, head, head + added + len(middle)) - head
    if in_head < 0:
        return result
    inserts = [
        Insert(head, head + in_head, "</head>"),
        Insert(body + in_head, body + added, "</body>"),
    ]
    spans = tuple(_moved(result.spans, ((head, in_head), (body, added - in_head))))
    kept = tuple(insert for insert in inserts if insert.end > insert.start)
    return result._replace(output=final, spans=spans, inserts=kept)


def _moved(spans: Iterable[Span], inserted: tuple[tuple[int, int], ...]) -> Iterator[Span]:
    """Yield *spans* where they are after that many characters were inserted at those places."""
    for span in spans:
        cuts = [at for at, count in inserted if count and span.start < at < span.end]
        for start, end in zip([span.start, *cuts], [*cuts, span.end], strict=True):
            by = sum(count for at, count in inserted if at <= start)
            yield span._replace(start=start + by, end=end + by)


# Names


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


def _namespace(given: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``Template.generate`` makes of the names that it is given."""
    own = {name: getattr(escape, name) for name in _ALWAYS if hasattr(escape, name)}
    return {**own, "escape": escape.xhtml_escape, "datetime": datetime, **given, **values}


def _names(given: Mapping[str, Any], handler: _Shown, job: Job) -> Iterator[Name]:
    names = _namespace(given, job.values)
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
        return f"✗ {_described(error)}"


def _text(value: object) -> str:
    if isinstance(value, str) and len(value) < 300:
        return repr(value)
    try:
        return _short.repr(value)
    except Exception as error:
        return f"✗ {_described(error)}"
