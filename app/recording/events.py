"""The kinds of event that a recording holds; each docstring is its documentation.

On the hot path an event is a *plain tuple* with the fields of its class in order: the garbage
collector stops tracking plain tuples of ints, strings and bytes, never named ones. The classes
here give those rows their names: ``Run(*row)`` reads one, ``Run._fields`` names the columns.

Rules that hold for every kind:

* A field whose name ends in ``_ns`` is a time in nanoseconds on the recorder's monotonic clock
  (since the recording began, once written to a file). ``None`` means "not yet".
* An event is a whole row. A later row with the same key replaces the earlier one, so a thing
  that begins and ends is recorded as two rows with the same id.
* Ids count up from 1. 0 stands for "none".
* ``owner`` says whom a run belongs to: see `domain_of` and `request_of`.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

SERVER = 0
WINDOW = -1
CLIENT = -2

Row = tuple[Any, ...]
"""A plain tuple in the field order of one of the classes below."""


def domain_of(owner: int) -> str:
    """Return the domain of *owner*: ``server``, ``window`` or ``client``."""
    if owner >= SERVER:
        return "server"
    return "window" if owner == WINDOW else "client"


def request_of(owner: int) -> int | None:
    """Return the number of the request that *owner* stands for, or None."""
    return owner if owner > 0 else None


class Tick(NamedTuple):
    """One iteration of the loop: select, due timers, then exactly the handles that were ready.

    ``select_ns`` is when ``select()`` had returned; ``ready`` counts the handles that were run,
    ``timers`` the timers still scheduled and ``descriptors`` those registered in the selector.
    Iterations that had nothing to run are not recorded.
    """

    id: int
    start_ns: int
    select_ns: int
    end_ns: int
    ready: int
    timers: int
    descriptors: int


class Run(NamedTuple):
    """One handle being run by the loop, from ``start_ns`` to ``end_ns``.

    ``cause_run_id`` is the run that scheduled it: 0 when the selector or Qt did. The cause of a
    timer's run is the run that set the timer. ``scheduled_ns`` is when it became ready: when it
    was put into the ready queue, or the timer was due. ``name`` is None for a step of a task;
    ``task_id`` then names it.
    """

    id: int
    tick_id: int
    start_ns: int
    end_ns: int
    name: str | None
    owner: int
    task_id: int
    cause_run_id: int
    scheduled_ns: int


class Connection(NamedTuple):
    """One accepted TCP connection. ``reason`` says who closed it and why, in words."""

    id: int
    remote: str
    opened_ns: int
    closed_ns: int | None
    bytes_in: int
    bytes_out: int
    descriptor: int
    reason: str | None


class Request(NamedTuple):
    """One HTTP request and its response, numbered when its headers have been received.

    Heads are the raw bytes from the wire, start line included; `headers.pairs` takes them apart.
    Bodies are cut at the recorder's cap, the sizes are not. ``run_id`` is the run in which the
    headers arrived; what is malformed is numbered when it has been refused. ``outcome`` is None
    while it is under way, then ``finished``, ``aborted`` (the connection was closed first) or
    ``upgraded`` (handed over to a WebSocket). ``stages`` is flat: four entries for each, in no
    particular order; `stages_of` takes them apart.
    """

    id: int
    connection_id: int
    client: str | None
    method: str
    uri: str
    version: str
    route: str | None
    handler: str | None
    status: int | None
    start_ns: int
    end_ns: int | None
    request_head: bytes
    request_body: bytes
    request_size: int
    response_head: bytes
    response_body: bytes
    response_size: int
    run_id: int
    outcome: str | None
    stages: Row


class Stage(NamedTuple):
    """One method that Tornado called for a request: ``prepare``, ``get``, ``on_finish`` …

    ``detail`` holds what it raised.
    """

    name: str
    start_ns: int
    end_ns: int | None
    detail: str | None


def stages_of(flat: Row) -> list[Stage]:
    """Return the stages in `Request.stages` in the order in which they began."""
    stages = list(map(Stage, flat[::4], flat[1::4], flat[2::4], flat[3::4]))
    stages.sort(key=attrgetter("start_ns"))
    return stages


class Message(NamedTuple):
    """One message on a WebSocket, or a ping, pong or close frame (RFC 6455).

    ``direction`` is ``in`` when it came from the client, else ``out``. ``opcode`` is ``text``,
    ``binary``, ``ping``, ``pong`` or ``close``; of one that the RFC reserves, its number. Of a
    message the fragments are joined and the compression is undone. ``payload`` is cut at the
    recorder's cap, ``size`` (in bytes) is not. ``end_ns`` is when the handler's method had
    returned, or the frame was given to the socket; ``detail`` says what went wrong.
    """

    id: int
    request_id: int
    time_ns: int
    end_ns: int | None
    direction: str
    opcode: str
    size: int
    payload: bytes
    run_id: int
    detail: str | None

    @property
    def stage(self) -> Stage:
        """The method that Tornado called for it, or that was called to send it."""
        name = _METHODS.get((self.direction, self.opcode), self.opcode)
        return Stage(name, self.time_ns, self.end_ns, self.detail)


_METHODS = {
    ("in", "text"): "on_message",
    ("in", "binary"): "on_message",
    ("in", "ping"): "on_ping",
    ("in", "pong"): "on_pong",
    ("out", "text"): "write_message",
    ("out", "binary"): "write_message",
}


class Task(NamedTuple):
    """One `asyncio.Task`. ``outcome`` is ``done``, ``cancelled``, the exception it raised, or
    ``destroyed`` when it was collected as garbage while it waited.

    ``file`` and ``line`` say where its coroutine function is defined.
    """

    id: int
    name: str
    coroutine: str
    file: str
    line: int
    owner: int
    created_by_run_id: int
    start_ns: int
    end_ns: int | None
    outcome: str | None


class Wait(NamedTuple):
    """A task suspended on a Future, from ``start_ns`` to ``end_ns``.

    ``future`` names what is awaited (``sleep``, ``Future #12``, ``Task #3 fetch``); ``where`` is
    the place in the code nearest to the user. ``resolved_by_run_id`` is the run that scheduled the
    task's wake-up, that is, the one that resolved the Future or cancelled the task.
    """

    id: int
    task_id: int
    owner: int
    future: str
    where: str
    start_ns: int
    end_ns: int | None
    resolved_by_run_id: int


class Xsrf(NamedTuple):
    """What ``check_xsrf_cookie`` decided for a request, and why. One row for each check."""

    request_id: int
    verdict: str
    detail: str


class Log(NamedTuple):
    """One record of Python's logging. ``text`` holds the traceback too, when there is one."""

    time_ns: int
    level: str
    logger: str
    request_id: int
    text: str


class Block(NamedTuple):
    """One run that kept the loop from everything else for long.

    ``file``, ``line`` and ``function`` say where it stood when that was noticed, ``stack`` the
    whole way there, the latest call last. ``interrupted`` is 1 when it was ended for it.
    ``delayed`` numbers the other requests that waited meanwhile, as a JSON array of at most 100;
    ``delayed_count`` is how many there were.
    """

    id: int
    run_id: int
    owner: int
    file: str
    line: int
    function: str
    start_ns: int
    end_ns: int
    stack: str
    interrupted: int
    delayed_count: int
    delayed: str


class Batch(NamedTuple):
    """What was recorded since the last drain: the rows of each kind in the order of their keys.

    There is one row for each key, the latest; xsrf and log, which have no keys, are in time order.
    """

    ticks: list[Row]
    runs: Sequence[Row]
    connections: list[Row]
    requests: list[Row]
    tasks: list[Row]
    waits: list[Row]
    xsrf: list[Row]
    log: list[Row]
    blocks: list[Row]
    messages: Sequence[Row] = ()


KINDS: dict[str, type[tuple[Any, ...]]] = {
    "ticks": Tick,
    "runs": Run,
    "connections": Connection,
    "requests": Request,
    "tasks": Task,
    "waits": Wait,
    "xsrf": Xsrf,
    "log": Log,
    "blocks": Block,
    "messages": Message,
}
