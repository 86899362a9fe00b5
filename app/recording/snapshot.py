"""How the loop stands at one instant: plain values, taken on demand for the panels that show it."""

from __future__ import annotations

from typing import NamedTuple


class Socket(NamedTuple):
    """One descriptor registered in the selector.

    ``role`` is ``listen``, ``connection``, ``client``, ``own`` (the loop's wake-up socket) or
    ``other``; ``owner`` as in `events`: the request the socket is busy with, or 0. ``events`` is
    ``r``, ``w``, ``rw`` or empty while nobody listens.
    """

    descriptor: int
    events: str
    role: str
    owner: int
    text: str


class Timer(NamedTuple):
    """One scheduled timer; ``remaining`` in seconds, never negative."""

    remaining: float
    text: str
    owner: int


class Ready(NamedTuple):
    """One handle in the ready queue and what it will do."""

    text: str
    owner: int


class LoopNow(NamedTuple):
    """The loop between two ticks. Lists are cut at the limit asked for; the counts are not."""

    tick_id: int
    sockets: list[Socket]
    timers: list[Timer]
    ready: list[Ready]
    socket_count: int
    timer_count: int
    ready_count: int


class Frame(NamedTuple):
    """A suspended coroutine frame: where it stands; ``library`` for installed code.

    ``source`` is the line of code there, cut when it is long; empty when it is not to be had.
    """

    file: str
    line: int
    function: str
    library: bool
    source: str = ""


class Phrase(NamedTuple):
    """English words with ``{places}`` and what is in them, so that they can be translated."""

    text: str
    values: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.text.format(**dict(self.values))


class PendingTask(NamedTuple):
    """A task that has not finished, its frames from the outermost to the innermost.

    ``future`` names what it is suspended on and ``resolver`` who can resolve it: the first of
    these to act does. Both are empty when the task is ready to run; ``resolver`` also when nobody
    is known. ``since_ns`` is when the wait began, on the recorder's clock, and ``wait_id`` its
    number. ``kind`` is one of `waiting_kinds.KINDS`, ``future_id`` the number in ``Future #12``;
    0 for a Future that goes by the name of the library's code.

    ``resolvable`` says whether the Future can be given a value. ``machinery`` says why nobody
    should: ``future`` (a library made it), ``library``, ``connection`` or ``loopscope`` (the task
    is theirs); empty for what the program made itself.
    """

    task_id: int
    name: str
    coroutine: str
    owner: int
    frames: list[Frame]
    future: str
    resolver: tuple[Phrase, ...]
    since_ns: int | None
    kind: str = ""
    wait_id: int = 0
    future_id: int = 0
    resolvable: bool = False
    machinery: str = ""
