"""What is known of a template: its generated Python, its output, and how their lines are linked.

Lines count from 1 here, positions in a text from 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

Place = tuple[str, int]
"""A template's name and a line of it."""

TEXT = "text"
EXPRESSION = "expression"
MODULE = "module"
CONTROL = "control"
APPLY = "apply"
FRAME = "frame"
"""Lines that stand for no part of the template."""


class CodeLine(NamedTuple):
    """A line of generated Python, and where it comes from.

    ``file`` is empty for what Tornado puts around a template; else lines ``line`` to ``last`` of
    it. ``via`` are the includes and parents through which it got here, the innermost first, and
    ``blocks`` the ``{% block %}`` directives that it stands in.
    ``escape`` is the function that escapes an expression, empty when none does. ``sink`` numbers
    the line that outputs what this one makes: another one within ``{% apply %}``, else itself.
    """

    text: str
    kind: str
    file: str
    line: int
    last: int
    via: tuple[Place, ...]
    blocks: tuple[Place, ...]
    escape: str
    sink: int

    def is_from(self, place: Place) -> bool:
        """Return whether it is made from that line itself."""
        return self.file == place[0] and self.line <= place[1] <= self.last

    def is_within(self, place: Place) -> bool:
        """Return whether that line includes it, or is the block in which it stands."""
        return place in self.via or place in self.blocks


class Span(NamedTuple):
    """A part of the output, from ``start`` to before ``end``, and where it comes from."""

    start: int
    end: int
    code_line: int
    file: str
    line: int
    last: int


class Insert(NamedTuple):
    """What Tornado inserted into the page for UI modules, from ``start`` to before ``end``."""

    start: int
    end: int
    before: str
    """The tag before which it stands."""


class Resource(NamedTuple):
    """What a UI module adds to the page: the name of its method, and what that returned."""

    module: str
    method: str
    text: str
    before: str


class Fault(NamedTuple):
    """What is wrong, and where: a problem of the template's text, or an error of its rendering."""

    text: str
    file: str = ""
    line: int = 0
    column: int = 0
    via: tuple[Place, ...] = ()
    kind: str = ""
    """The class of the exception; empty for a template that cannot be parsed."""

    @property
    def trail(self) -> str:
        """The way to it: ``inner.html:3 ← middle.html:2 ← page.html:5``."""
        places = ((self.file, self.line), *self.via)
        return " ← ".join(f"{file}:{line}" for file, line in places)


TWICE = "twice"
"""A block of that name is there already: the last one is shown in both places."""
DROPPED = "dropped"
"""It stands outside all blocks of a template that extends another, so nobody sees it."""


class Remark(NamedTuple):
    """Something that is allowed and probably not meant; ``name`` is a block's."""

    what: str
    line: int
    name: str = ""


class Name(NamedTuple):
    """A name that a template may use. ``source`` says who puts it there."""

    name: str
    source: str
    value: str


class Reference(NamedTuple):
    """A template and what it extends and includes, down to the last.

    ``how`` is ``extends`` or ``include``, empty for the root; ``line`` is where the one above
    says so. ``missing`` and ``cycle`` are what is wrong with it; a cycle names its members.
    """

    name: str
    how: str
    line: int
    missing: bool
    cycle: tuple[str, ...]
    children: tuple[Reference, ...]

    def walk(self) -> Iterator[Reference]:
        """Yield this one and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class Links:
    """Finds for a line of a template, of the Python or of the output the lines of the others."""

    def __init__(
        self, code: tuple[CodeLine, ...], output: str = "", spans: tuple[Span, ...] = ()
    ) -> None:
        self.code = code
        self.output = output
        self.spans = spans

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        starts.extend(at + 1 for at, char in enumerate(self.output) if char == "\n")
        return starts

    def code_of(self, place: Place) -> list[int]:
        """Return the lines of Python that are made from *place*, or by way of it."""
        numbered = enumerate(self.code, 1)
        return [n for n, line in numbered if line.is_from(place) or line.is_within(place)]

    def source_of(self, code_line: int) -> list[Place]:
        """Return the lines of templates from which a line of Python is made."""
        if not 0 < code_line <= len(self.code):
            return []
        line = self.code[code_line - 1]
        return [(line.file, at) for at in range(line.line, line.last + 1)] if line.file else []

    def output_of(self, place: Place) -> list[Span]:
        """Return the parts of the output that come from *place*, or by way of it."""
        numbered = enumerate(self.code, 1)
        # The parts of a text are linked more finely than the line of Python that writes it.
        made = [
            number
            for number, line in numbered
            if line.is_within(place) or (line.kind != TEXT and line.is_from(place))
        ]
        found = set(self.output_of_code(made))
        found.update(s for s in self.spans if s.file == place[0] and s.line <= place[1] <= s.last)
        return sorted(found)

    def output_of_code(self, code_lines: list[int]) -> list[Span]:
        """Return the parts of the output that lines of Python have made."""
        sinks = set()
        for number in code_lines:
            while self.code[number - 1].sink != number:
                number = self.code[number - 1].sink
            sinks.add(number)
        return [span for span in self.spans if span.code_line in sinks]

    def spans_in(self, output_line: int) -> list[Span]:
        """Return the parts of the output that have something in one of its lines."""
        if not 0 < output_line <= len(self._starts):
            return []
        start = self._starts[output_line - 1]
        end = self._starts[output_line] if output_line < len(self._starts) else len(self.output) + 1
        return [span for span in self.spans if span.start < end and span.end > start]


class Analysis(NamedTuple):
    """What a template says without being rendered.

    ``root`` is the one that is rendered, ``code`` its generated Python. ``fault`` says why there
    is none. ``wanted`` are the names that it uses and does not define.
    """

    root: str
    code: tuple[CodeLine, ...] = ()
    fault: Fault | None = None
    wanted: tuple[str, ...] = ()


class Preview(NamedTuple):
    """A template rendered: the output as far as it got, and what went wrong if anything did."""

    analysis: Analysis
    output: str = ""
    spans: tuple[Span, ...] = ()
    inserts: tuple[Insert, ...] = ()
    resources: tuple[Resource, ...] = ()
    names: tuple[Name, ...] = ()
    missing: tuple[str, ...] = ()
    """Names that the template uses and nobody has given it."""
    fault: Fault | None = None
    seconds: float = 0.0

    @property
    def links(self) -> Links:
        """How the lines are linked."""
        return Links(self.analysis.code, self.output, self.spans)
