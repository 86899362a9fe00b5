"""The recorder: a bounded, cheap journal of what the loop and the server do."""

from __future__ import annotations

import time
from collections import Counter
from contextvars import ContextVar
from itertools import takewhile
from operator import itemgetter
from typing import Any, Protocol

from .columns import RunLog
from .events import KINDS, WINDOW, Batch, Row, Task, Wait

_TASK_START = Task._fields.index("start_ns")
_WAIT_START = Wait._fields.index("start_ns")
_by_id = itemgetter(0)
CONNECTION = "connection #"
"""How the roles of accepted connections begin in `Recorder.sockets`; their numbers follow."""

OWNER: ContextVar[int] = ContextVar("loopscope_owner", default=WINDOW)
"""Whom the current run belongs to: a request's number, or one of SERVER, WINDOW, CLIENT.

Every handle inherits it with its context, so whatever a request starts carries its number.
"""


def _take(begun: dict[int, Row], ended: list[Row], start: int, before_ns: int) -> list[Row]:
    """Take the rows of what began before an instant, or before something that has *ended*."""
    newest = max(map(_by_id, ended), default=0)
    taken = list(takewhile(lambda row: row[0] <= newest or row[start] <= before_ns, begun.values()))
    for row in taken:
        del begun[row[0]]
    return taken


class Changing(Protocol):
    """Something under way whose row is made when it is wanted."""

    start_ns: int
    end_ns: int | None
    stages: list[Any]

    def row(self) -> Row:
        """Return the row as it stands now."""


class Recorder:
    """Collects rows, as in `events`, until `drain` takes them.

    The lists are public and are appended to directly by the loop and the server; they keep their
    identity for the recorder's whole life, so a hot path may hold on to ``append``. Nothing here
    is thread-safe: record on the loop's thread.

    *capacity* bounds the rows of each kind, *body_capacity* the bytes of bodies, held between two
    drains; what is over is dropped and counted in `dropped`. *body_cap* cuts one body, in bytes.
    """

    clock = staticmethod(time.monotonic_ns)

    def __init__(
        self,
        capacity: int = 100_000,
        body_capacity: int = 64 << 20,
        body_cap: int = 64 << 10,
    ) -> None:
        self.origin_ns = self.clock()
        self.started_at = time.time()
        self.capacity = capacity
        self.body_capacity = body_capacity
        self.body_cap = body_cap
        self.dropped: Counter[str] = Counter()
        self.run_id = 0
        """The run under way, or the last one: the cause of whatever is scheduled now."""
        self.request_id = 0
        self.connection_id = 0
        self.message_id = 0
        self.owners: dict[int, int] = {}
        """Descriptor → owner: whom the socket's callbacks belong to now."""
        self.sockets: dict[int, str] = {}
        """Descriptor → role and text for the loop panel: ``listen 127.0.0.1:8888``."""
        self.closed: list[int] = []
        """Descriptors of connections that were closed, until the loop has heard of it."""
        self.body_bytes = 0
        self.begun_tasks: dict[int, Row] = {}
        """Rows of tasks that began and have not ended, by id. A thing that begins and ends between
        two drains leaves one row; `drain` takes what stands here by then. Likewise below."""
        self.begun_waits: dict[int, Row] = {}
        self.begun_connections: dict[int, Row] = {}
        self.begun_messages: dict[int, Row] = {}
        self.changed_requests: dict[int, Changing] = {}
        """Requests that began, changed or ended since the last drain, by number."""
        self.ticks: list[Row] = []
        self.runs = RunLog()
        self.connections: list[Row] = []
        self.requests: list[Row] = []
        self.tasks: list[Row] = []
        self.waits: list[Row] = []
        self.xsrf: list[Row] = []
        self.log: list[Row] = []
        self.blocks: list[Row] = []
        self.messages: list[Row] = []
        self._lists: dict[str, list[Row]] = {
            kind: getattr(self, kind) for kind in KINDS if kind != "runs"
        }

    def drain(self, settle_ns: int = 0) -> Batch:
        """Take the rows recorded since the last drain.

        What began less than *settle_ns* ago and goes on is left for a later drain, unless something
        that began after it is taken: most of it will have ended by then, and leave one row instead
        of two.
        """
        self.bound()
        self._take_begun(self.clock() - settle_ns)
        lists = {kind: rows[:] for kind, rows in self._lists.items()}
        batch = Batch(runs=self.runs.take(), **lists)
        for rows in self._lists.values():
            rows.clear()
        self.body_bytes = 0
        return batch

    def _take_begun(self, before_ns: int) -> None:
        self.tasks += _take(self.begun_tasks, self.tasks, _TASK_START, before_ns)
        self.waits += _take(self.begun_waits, self.waits, _WAIT_START, before_ns)
        self.connections += self.begun_connections.values()
        self.begun_connections.clear()
        self.messages += self.begun_messages.values()
        self.begun_messages.clear()
        self._take_requests(before_ns)
        for rows in (self.tasks, self.waits, self.connections, self.requests, self.messages):
            rows.sort(key=_by_id)

    def _take_requests(self, before_ns: int) -> None:
        changed = self.changed_requests
        newest = 0
        for id_, request in changed.items():
            if id_ > newest and (request.end_ns is not None or request.start_ns <= before_ns):
                newest = id_
        self.requests += [request.row() for id_, request in changed.items() if id_ <= newest]
        young = {id_: request for id_, request in changed.items() if id_ > newest}
        changed.clear()
        changed.update(young)

    def bound(self) -> None:
        """Drop and count what exceeds the capacity. The loop calls it now and then."""
        for kind, rows in self._lists.items():
            excess = len(rows) - self.capacity
            if excess > 0:
                del rows[-excess:]
                self.dropped[kind] += excess
        excess = len(self.runs) - self.capacity
        if excess > 0:
            self.runs.drop(excess)
            self.dropped["runs"] += excess
        while len(self.changed_requests) > self.capacity:
            self.changed_requests.popitem()
            self.dropped["requests"] += 1

    def keep(self, body: bytes) -> bytes:
        """Return what may be recorded of *body*: cut at the cap, nothing when all is full."""
        if len(body) > self.body_cap:
            body = body[: self.body_cap]
        self.body_bytes += len(body)
        if self.body_bytes > self.body_capacity:
            self.dropped["bodies"] += 1
            return b""
        return body
