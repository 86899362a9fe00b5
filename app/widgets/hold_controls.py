"""What the window can ask of time: to pause the server, to step it, and to slow it down."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal


class Step(Enum):
    """How far a paused server may go on."""

    RUN = "run"
    TICK = "tick"
    STAGE = "stage"
    """Until the request given with it has reached another stage."""


class HoldState(NamedTuple):
    """How the server is held: ``pace`` as a share of its own speed, ``parked`` counts what is
    ready and held back, ``paused_ns`` is when it was paused, on the recorder's clock."""

    paused: bool
    pace: float
    parked: int
    paused_ns: int | None


class HoldControls(QObject):
    """Holds the server and its clock; window and clients go on."""

    changed = Signal()
    """The server was paused or goes on, stepped, or goes at another pace."""

    def state(self) -> HoldState:
        """How the server is held."""
        raise NotImplementedError

    def pause(self) -> None:
        """Hold the server and its clock."""
        raise NotImplementedError

    def resume(self) -> None:
        """Let the server go on."""
        raise NotImplementedError

    def step(self, step: Step, request_id: int = 0) -> None:
        """Let a paused server go on for one *step*; pause it first if need be.

        Nothing is done, and the user is told so, where a request that is over has no next stage.
        """
        raise NotImplementedError

    def set_pace(self, pace: float) -> None:
        """Let the server and its clock go at a share of their own speed."""
        raise NotImplementedError
