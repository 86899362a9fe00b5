"""What the window can ask about templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from app.server.templates.facts import Preview, Reference, Remark

DATA = "data"
"""Stands for the file of a fault in what was typed in."""


class Recorded(NamedTuple):
    """A recorded request for which a template may be rendered.

    ``kept`` tells whether what its handler passed to the template is known.
    """

    request_id: int
    text: str
    kept: bool


class Asked(NamedTuple):
    """What a page wants to see: its template's ``text``, as part of ``root``.

    ``request_id`` is the recorded request whose data are taken; 0 for none. ``typed`` are values
    as literals, ``expression`` is evaluated beside it.
    """

    name: str
    text: str
    root: str
    request_id: int = 0
    typed: str = ""
    expression: str = ""


class Cache(NamedTuple):
    """The template cache: whether it is on, what it holds, and what compiling takes without it.

    ``disk`` is ``same``, ``differs`` or ``missing``: the file, compared with what is served.
    """

    on: bool
    compiled: tuple[str, ...]
    seconds: float
    disk: str


class Shown(NamedTuple):
    """The answer. ``users`` are the templates that show this one, ``remarks`` are about it."""

    preview: Preview
    tree: Reference
    users: tuple[str, ...]
    cache: Cache
    trusted: bool
    remarks: tuple[Remark, ...] = ()


class TemplateControls(QObject):
    """Templates analysed and rendered beside the window, in a limited time."""

    rendered = Signal(str)
    """A handler rendered that template, and what it passed is kept now."""

    def watch(self, who: QObject) -> None:
        """Keep what handlers pass to templates, as long as *who* lives."""
        raise NotImplementedError

    def of_handler(self, handler: str) -> list[str]:
        """The templates that the code of a handler class names."""
        raise NotImplementedError

    def recorded(self, name: str) -> list[Recorded]:
        """The latest requests whose handlers render a template, the latest first."""
        raise NotImplementedError

    def show(self, asked: Asked, done: Callable[[Shown], None]) -> None:
        """Analyse and render; *done* hears the answer, unless something else is asked before."""
        raise NotImplementedError

    def send_again(self, request_id: int) -> None:
        """Send a recorded request again, so that what its handler passes is kept."""
        raise NotImplementedError
