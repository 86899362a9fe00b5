"""What the window can ask about routes: what is wrong with them, and who takes a request."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence

from PySide6.QtCore import QObject

from app.server.site import Site
from app.server.site.route_checking import Fault
from app.server.trial import Answer, Asked, Moved, Rule, Tried


class Rulebook:
    """The rules of an application on which requests can be tried; nothing is sent.

    What takes long comes bit by bit, so that a window can look after itself in between.
    """

    faults: Mapping[int, Sequence[Fault]] = {}
    """What is wrong with the routes that it was made of, by their index."""

    def rules(self) -> list[Rule]:
        """Return the rules in the order in which they are tried."""
        raise NotImplementedError

    def trial(self, asked: Asked) -> Iterator[Tried | Answer]:
        """Yield each rule and what becomes of it, then routes that are none; the answer last."""
        raise NotImplementedError

    def moved(self) -> Iterator[Moved | None]:
        """Yield, newest first, the recorded requests that would go elsewhere; None for others."""
        raise NotImplementedError


class RoutingControls(QObject):
    """Rules as they are served, or would be."""

    def served(self) -> Rulebook | None:
        """Return the rules that are served now; None where nothing is that can be looked into."""
        raise NotImplementedError

    def draft(self, site: Site) -> Generator[None, None, Rulebook]:
        """Make the rules of *site* as it is written, bit by bit. Nothing of its code is run."""
        raise NotImplementedError
