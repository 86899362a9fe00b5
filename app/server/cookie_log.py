"""What the built-in clients withheld and refused, to be found by the server's request."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from .jar import Verdict, Withheld

KEPT = 20_000
"""How many requests are remembered; the oldest are forgotten first."""


class CookieNotes(NamedTuple):
    """What a client did about one request's cookies: those that it *withheld*, each with its
    reason, and what became of each Set-Cookie of the answer, in the order of the headers."""

    withheld: Sequence[Withheld]
    verdicts: Sequence[Verdict]


class _Note(NamedTuple):
    start_ns: int
    end_ns: int
    notes: CookieNotes


class CookieLog:
    """Notes of requests by the local port that they were sent from, and when."""

    def __init__(self) -> None:
        self._notes: dict[int, deque[_Note]] = {}
        self._ports: deque[int] = deque()

    def add(
        self, port: int, started: float, withheld: Sequence[Withheld], verdicts: Sequence[Verdict]
    ) -> None:
        """Note what became of cookies in a request that *started* then and has ended now.

        Times are those of ``time.monotonic()``, in s.
        """
        note = _Note(round(started * 1e9), time.monotonic_ns(), CookieNotes(withheld, verdicts))
        self._notes.setdefault(port, deque()).append(note)
        self._ports.append(port)
        if len(self._ports) > KEPT:
            oldest = self._ports.popleft()
            self._notes[oldest].popleft()
            if not self._notes[oldest]:
                del self._notes[oldest]

    def find(self, port: int, at_ns: int) -> CookieNotes | None:
        """Return the notes of the request from *port* that was under way at *at_ns*, or None."""
        found = (
            note for note in self._notes.get(port, ()) if note.start_ns <= at_ns <= note.end_ns
        )
        return next((note.notes for note in found), None)
