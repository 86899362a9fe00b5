"""What the window can ask of the attack range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from app.server.attack.attacks import Target
from app.server.attack.predict import Prediction
from app.server.attack.sightings import Place, Sighting
from app.server.ladder import Words


class Cell(NamedTuple):
    """What is known of an attack against a defence.

    ``prediction`` is None where nothing is served. ``fired`` is the latest attack of the built-in
    client, ``browsed`` that of any other browser.
    """

    prediction: Prediction | None = None
    fired: Sighting | None = None
    browsed: Sighting | None = None


class AttackControls(QObject):
    """The range: opened on demand, and closed with its window. Commands return at once."""

    changed = Signal()
    """The range was opened or closed, or an attack reached the site."""
    refused = Signal(str)
    """The range cannot be opened; the text says why, for the user."""

    @property
    def address(self) -> str:
        """The attacker's address; empty while the range is closed."""
        raise NotImplementedError

    @property
    def busy(self) -> bool:
        """Whether attacks are being fired."""
        raise NotImplementedError

    def default_target(self) -> Target:
        """What to attack of the site that is served."""
        raise NotImplementedError

    def open_range(self, target: Target) -> None:
        """Open the range, anew if it is open already, and log the victim in."""
        raise NotImplementedError

    def close_range(self) -> None:
        """Stop all that `open_range` started."""
        raise NotImplementedError

    def fire(self, places: Sequence[Place]) -> None:
        """Attack at each of *places* in turn."""
        raise NotImplementedError

    def look(self) -> None:
        """Take in what was recorded meanwhile; `changed` tells when there was something."""
        raise NotImplementedError

    def cell(self, place: Place) -> Cell:
        """Return what is known at a place now."""
        raise NotImplementedError

    def origin_of(self, defence: str) -> str:
        """Return where the site is served under a defence; empty where it is not."""
        raise NotImplementedError

    def page_of(self, place: Place) -> str:
        """Return the address of the attacker's page there; empty where nothing is served."""
        raise NotImplementedError

    def problem_of(self, defence: str) -> Words:
        """Return why nobody is logged in there; nothing if somebody is."""
        raise NotImplementedError
