"""A template rendered for the window: its output piece by piece, each with its origin."""

from __future__ import annotations

import builtins
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType

from tornado.template import Template
from tornado.web import Application, RequestHandler

from app.server.bounded import TooLong
from app.server.site import Site

from .analysis import analyse
from .errors import described
from .facts import Analysis, CodeLine, Fault, Name, Preview, Resource, Span
from .handler import handler_for
from .job import Job
from .loader import SiteLoader, SiteTemplate
from .names import names_in, namespace
from .ui_modules import resources, with_inserts

MAX_OUTPUT = 256 * 1024
"""After how many bytes the output is cut."""
MAX_PIECES = 10_000
"""After how many pieces."""
_BUFFER = "_tt_append = _tt_buffer.append"

Limited = Callable[[Callable[[], object]], None]


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
        return with_inserts(result._replace(output=text, spans=tuple(spans)), self._page)

    def _analyse(self) -> None:
        self._analysis = analyse(self._loader, self._job.root)

    def _render(self) -> None:
        assert self._job.application is not None
        handler = handler_for(self._job.application, self._job.asked, self._loader)
        try:
            given = handler.get_template_namespace()
            known = {*namespace(given, self._job.values), *dir(builtins)}
            self._missing = tuple(n for n in self._analysis.wanted if n not in known)
            self._names = tuple(names_in(given, handler, self._job))
            RequestHandler.render(handler, self._job.root, **self._job.values)
            self._page = handler.page
        finally:
            # What fails here has failed in render() already, for a better reason.
            with suppress(Exception):
                self._resources = tuple(resources(handler))
            path = handler.get_template_path()
            RequestHandler._template_loaders.pop(path, None)

    def _fault(self, error: BaseException) -> Fault:
        if isinstance(error, TooMuch):
            text = f"the output was cut after {MAX_OUTPUT // 1024:,} KB or {MAX_PIECES:,} pieces"
        elif isinstance(error, TooLong):
            text = "took too long and was interrupted"
        else:
            text = described(error)
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
