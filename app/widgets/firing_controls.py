"""What the window can ask of the clients beside firing: who they are, and what was fired."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from .controls import Shot

KINDS = ("browser", "script", "bare")
"""A browser; a script that keeps cookies; one that does not."""


class Sending(NamedTuple):
    """How a request goes over the wire; see `app.server.client_messages.Wire`.

    0 bytes or requests a second stand for as fast as possible, 0 seconds for waiting as long as it
    takes, ``hang_up_after`` -1 for never.
    """

    http_1_0: bool = False
    keep_alive: bool = True
    chunked: bool = False
    expect_continue: bool = False
    bytes_per_second: int = 0
    hang_up_after: int = -1
    give_up_after: int = 0
    rate: int = 0


class Hop(NamedTuple):
    """One request of several that redirects lead through. ``note`` says what went wrong."""

    method: str
    url: str
    status: int
    note: str


@dataclass
class Fired:
    """One shot and what has come of it so far. ``latencies`` are in seconds, in the order of the
    answers; ``statuses`` counts them, and errors as 0. ``hops`` are the steps of the latest.
    ``following`` is the step that a redirect asks for, when it was not followed."""

    number: int
    shot: Shot
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    hops: list[Hop] = field(default_factory=list)
    following: Shot | None = None
    error: str = ""
    over: bool = False


class Person(NamedTuple):
    """Who a client is: ``kind`` is one of `KINDS`, ``page`` the URL that a browser shows, ``hue``
    the number of its colour, from 1 on."""

    name: str
    kind: str = "browser"
    page: str = ""
    hue: int = 1


class FiringControls(QObject):
    """The clients' doings. `app.session.firing` implements it."""

    refused = Signal(str, str)
    """A request could not be sent: which field is wrong, and why."""

    def history(self) -> list[Fired]:
        """What was fired, newest last; the oldest are forgotten."""
        raise NotImplementedError

    def forget(self) -> None:
        """Empty the history."""
        raise NotImplementedError

    def person(self, client: str) -> Person:
        """Who a client is."""
        raise NotImplementedError

    def change(self, client: str, person: Person) -> None:
        """Make a client somebody else; its jar stays. Raises ValueError."""
        raise NotImplementedError

    def remove(self, client: str) -> None:
        """Remove a client with its jar; what it has under way ends."""
        raise NotImplementedError
