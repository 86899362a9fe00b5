"""How handles came to run: each run's way through the loop, as it was recorded."""

from __future__ import annotations

from typing import NamedTuple

from .events import Run
from .store import Store

_SOCKET = ("read fd ", "write fd ")


class Passage(NamedTuple):
    """One run, and where its handle came from: ``socket``, ``timer`` or ``ready``.

    The last means that it was put straight into the ready queue. ``runs`` says for how many
    it stands, with itself; ``descriptor`` is 0 unless a socket became ready.
    """

    run: Run
    source: str
    descriptor: int
    runs: int


def passages(store: Store, after_run: int, most: int) -> list[Passage]:
    """Return how the runs after one id came to run, in their order.

    Of more than *most* a sample is taken, evenly; each then stands for those left out.
    """
    rows = store.runs.rows
    first = store.runs.position(after_run + 1)
    total = len(rows) - first
    found = []
    for number in range(min(most, total)):
        at, end = (first + total * n // min(most, total) for n in (number, number + 1))
        run = Run(*rows[at])
        found.append(Passage(run, *_source(store, run), end - at))
    return found


def _source(store: Store, run: Run) -> tuple[str, int]:
    name = run.name or ""
    if name.startswith(_SOCKET):
        return "socket", int(name.rpartition(" ")[2])
    # What a run puts straight into the ready queue is scheduled while it lasts.
    cause = store.run(run.cause_run_id)
    later = cause is not None and run.scheduled_ns > cause.end_ns
    return ("timer" if later else "ready"), 0


def words(store: Store, run: Run) -> str:
    """Return what a run did, in the words in which the ready queue announced it."""
    return f"step {store.name_of(run)}" if run.name is None else run.name
