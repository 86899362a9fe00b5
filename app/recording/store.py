"""The store: a pure fold of recorded rows into what can be looked at."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import takewhile
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from .columns import RunTable
from .events import (
    SERVER,
    Batch,
    Block,
    Connection,
    Message,
    Request,
    Row,
    Run,
    Stage,
    Task,
    Tick,
    Wait,
    stages_of,
)
from .lookup import SHORT_NS, ByOwner, LongSpans
from .tables import STEPS, OwnedTable, Table

SWITCHING = 101
"""The status of a request that became a WebSocket."""
CONNECTIONS_WAIT = "HTTP1Connection._read_message"
"""How the wait of a connection for its handler is called: it says nothing about the handler."""

_REQUEST_START = Request._fields.index("start_ns")
_REQUEST_END = Request._fields.index("end_ns")
_REQUEST_RUN = Request._fields.index("run_id")
_REQUEST_STATUS = Request._fields.index("status")
_STAGES = Request._fields.index("stages")
_closed = itemgetter(Connection._fields.index("closed_ns"))
_run_end = itemgetter(Run._fields.index("end_ns"))
_MESSAGE_END = Message._fields.index("end_ns")
_PAYLOAD = Message._fields.index("payload")
LATEST_MESSAGES = 100
"""How many of a WebSocket's messages are among its stages."""
_blobs = itemgetter(
    *map(
        Request._fields.index,
        ("request_head", "request_body", "response_head", "response_body"),
    )
)


def _places(kind: Any, owner: str, start: str) -> tuple[int, int]:
    return kind._fields.index(owner), kind._fields.index(start)


class Capacity(NamedTuple):
    """How many rows of each kind a `Store` holds.

    ``bytes`` is how many of heads and bodies, ``message_bytes`` of the payloads of messages.
    """

    ticks: int = 200_000
    runs: int = 400_000
    requests: int = 60_000
    connections: int = 50_000
    tasks: int = 60_000
    waits: int = 150_000
    log: int = 20_000
    blocks: int = 5_000
    bytes: int = 96 << 20
    messages: int = 100_000
    message_bytes: int = 32 << 20


class Store:
    """All that is known of a recording, folded from batches of rows; bounded.

    The store never looks at a clock, a socket or a window: the same batches always give the same
    store. Rows are plain tuples; the methods return them under their names.
    """

    def __init__(self, origin_ns: int = 0, capacity: Capacity = Capacity()) -> None:
        self.origin_ns = origin_ns
        self.capacity = capacity
        self.ticks = Table(capacity.ticks)
        self.runs = RunTable(capacity.runs)
        self.connections = Table(capacity.connections)
        self.requests = Table(capacity.requests)
        self.tasks = Table(capacity.tasks)
        self.waits = OwnedTable(capacity.waits, *_places(Wait, "owner", "start_ns"))
        self.messages = OwnedTable(capacity.messages, *_places(Message, "request_id", "time_ns"))
        self.blocks = Table(capacity.blocks)
        self.log: list[Row] = []
        self.log_forgotten = 0
        self.xsrf: dict[int, list[Row]] = {}
        self.open_requests: dict[int, Row] = {}
        """Requests that have not ended, by number."""
        self.open_connections: dict[int, Row] = {}
        self._runs_by_owner = ByOwner(self.runs)
        self._waits_by_owner = ByOwner(self.waits)
        self._messages_by_request = ByOwner(self.messages)
        self.long_requests = LongSpans()
        self.bytes = 0
        self.message_bytes = 0
        self.end_ns = origin_ns
        """The time of the latest thing recorded."""

    def apply(self, batch: Batch) -> None:
        """Fold in what was recorded since the batch before."""
        self.ticks.extend(batch.ticks)
        if self.runs.extend(batch.runs):
            # Ticks whose runs are forgotten tell nothing.
            self.ticks.forget(self.ticks.position(self.runs.rows.column("tick_id")[0]))
        self.tasks.upsert(batch.tasks)
        self.waits.upsert(batch.waits)
        if batch.connections:
            self.connections.upsert(batch.connections)
            for row in batch.connections:
                if _closed(row) is None:
                    self.open_connections[row[0]] = row
                else:
                    self.open_connections.pop(row[0], None)
        self._apply_requests(batch.requests)
        for row in batch.xsrf:
            self.xsrf.setdefault(row[0], []).append(row)
        if batch.messages:
            self._apply_messages(batch.messages)
        self.blocks.extend(batch.blocks)
        self.log.extend(batch.log)
        if len(self.log) > self.capacity.log * 1.1:
            excess = len(self.log) - self.capacity.log
            del self.log[:excess]
            self.log_forgotten += excess
        if batch.runs:
            self.end_ns = max(self.end_ns, _run_end(batch.runs[-1]))

    def _apply_requests(self, rows: list[Row]) -> None:
        if not rows:
            return
        known = self.requests.rows
        newest = known[-1][0] if known else 0
        still_open, size = self.open_requests, 0
        new: list[Row] = []
        for row in rows:
            id_, start, end = row[0], row[_REQUEST_START], row[_REQUEST_END]
            old = None if id_ > newest else self.requests.get(id_)
            if old is None:
                new.append(row)
            elif old[_REQUEST_END] is not None:
                continue  # Only its last stages are new.
            if end is None:
                still_open[id_] = row
                continue
            still_open.pop(id_, None)
            if id_ <= self.requests.last_forgotten:
                continue
            size += request_bytes(row)
            if end - start >= SHORT_NS:
                self.long_requests.add(id_, start, end)
        self.bytes += size
        self._adopt(new)
        self._forget_bytes(self.requests.upsert(rows))
        self._forget_requests()

    def _apply_messages(self, rows: Sequence[Row]) -> None:
        messages, oldest = self.messages, self.messages.last_forgotten
        self.message_bytes += sum(map(_message_bytes, (row for row in rows if row[0] > oldest)))
        gone = messages.upsert(list(rows))
        while True:
            self.message_bytes -= sum(map(_message_bytes, gone))
            if self.message_bytes <= self.capacity.message_bytes or not messages:
                break
            gone = messages.forget(max(1, len(messages) // STEPS))

    def _adopt(self, requests: list[Row]) -> None:
        """Give new requests the runs that read them from their sockets.

        Those runs came first and could not know the numbers yet.
        """
        position, rows = self.runs.position, self.runs.rows
        ids, causes, owners = map(rows.column, ("id", "cause_run_id", "owner"))
        for request in requests:
            at = position(request[_REQUEST_RUN])
            if at == len(ids):
                continue
            cause = position(causes[at])
            if cause >= at or ids[cause] != causes[at]:
                continue
            if owners[cause] == SERVER and rows.name(cause).startswith("read "):
                owners[cause] = request[0]

    def _forget_requests(self) -> None:
        requests = self.requests
        while self.bytes > self.capacity.bytes and len(requests) > 1:
            self._forget_bytes(requests.forget(max(1, len(requests) // STEPS)))
        if self.xsrf:
            oldest = requests.rows[0][0] if requests.rows else 0
            # Requests begin in the order of their numbers, so the oldest stand first.
            for stale in list(takewhile(lambda id_: id_ < oldest, self.xsrf)):
                del self.xsrf[stale]

    def _forget_bytes(self, gone: list[Row]) -> None:
        self.bytes -= sum(request_bytes(row) for row in gone if row[_REQUEST_END] is not None)

    def forgotten(self) -> dict[str, int]:
        """Return how many rows of each kind were forgotten to stay within the capacity."""
        kinds = ("ticks", "runs", "connections", "requests", "tasks", "waits", "blocks", "messages")
        return {kind: getattr(self, kind).forgotten for kind in kinds} | {"log": self.log_forgotten}

    def request(self, id_: int | None) -> Request | None:
        """Return the request with this number, or None when it is unknown or forgotten."""
        row = self.requests.get(id_)
        return None if row is None else Request(*row)

    def run(self, id_: int | None) -> Run | None:
        """Return the run with this id, or None."""
        row = self.runs.get(id_)
        return None if row is None else Run(*row)

    def task(self, id_: int | None) -> Task | None:
        """Return the task with this id, or None."""
        row = self.tasks.get(id_)
        return None if row is None else Task(*row)

    def tick(self, id_: int | None) -> Tick | None:
        """Return the tick with this id, or None."""
        row = self.ticks.get(id_)
        return None if row is None else Tick(*row)

    def block_of(self, run_id: int) -> Block | None:
        """Return how a run blocked the loop, or None when it did not."""
        rows = reversed(self.blocks.rows)  # Few, and asked for one at a time.
        return next((Block(*row) for row in rows if row[1] == run_id), None)

    def connection(self, id_: int | None) -> Connection | None:
        """Return the connection with this id, or None."""
        row = self.connections.get(id_)
        return None if row is None else Connection(*row)

    def stages_of(self, request_id: int) -> list[Stage]:
        """Return the stages of a request in the order in which they began.

        Of the messages of a WebSocket the `LATEST_MESSAGES` are among them.
        """
        row = self.requests.get(request_id) or self.open_requests.get(request_id)
        if row is None:
            return []
        stages = stages_of(row[_STAGES])
        if row[_REQUEST_STATUS] == SWITCHING:
            latest = self.message_ids(request_id)[-LATEST_MESSAGES:]
            rows = map(self.messages.get, latest)
            stages += [Message(*message).stage for message in rows if message is not None]
            stages.sort(key=attrgetter("start_ns"))
        return stages

    def message_ids(self, request_id: int) -> list[int]:
        """Return the ids of a WebSocket's messages, oldest first; not to be changed."""
        return self._messages_by_request.of(request_id, *self._span(request_id, math.inf))

    @property
    def messages_seen(self) -> int:
        """How many messages there were until now, those included that are forgotten."""
        return self.messages.forgotten + len(self.messages)

    def messages_of(self, request_id: int, after: int = 0) -> Iterator[Message]:
        """Yield the messages of a WebSocket, oldest first; those with ids above *after*."""
        ids = self.message_ids(request_id)
        rows = map(self.messages.get, ids[bisect_right(ids, after) :])
        return (Message(*row) for row in rows if row is not None)

    def waits_of(self, request_id: int) -> list[Wait]:
        """Return the waits that carry a request's number, oldest first."""
        rows = map(self.waits.get, self.wait_ids(request_id))
        return [Wait(*row) for row in rows if row is not None]

    def handler_waits_of(self, request_id: int) -> list[Wait]:
        """Return the same without the connection's own wait, which lasts until the handler ends."""
        return [w for w in self.waits_of(request_id) if not w.future.startswith(CONNECTIONS_WAIT)]

    def runs_of(self, request_id: int) -> list[Run]:
        """Return the runs that carry a request's number, oldest first."""
        rows = map(self.runs.get, self.run_ids(request_id))
        return [Run(*row) for row in rows if row is not None]

    def run_ids(self, owner: int, after_end_ns: float = math.inf) -> list[int]:
        """Return the ids of an owner's runs, oldest first; not to be changed.

        Of what a request left behind, runs that began later than *after_end_ns* after its end may
        be missing.
        """
        return self._runs_by_owner.of(owner, *self._span(owner, after_end_ns))

    def wait_ids(self, owner: int, after_end_ns: float = math.inf) -> list[int]:
        """Return the ids of an owner's waits; see `run_ids`."""
        return self._waits_by_owner.of(owner, *self._span(owner, after_end_ns))

    def _span(self, owner: int, after_end_ns: float) -> tuple[int, float]:
        row = self.requests.get(owner) if owner > 0 else None
        if row is None:
            return 0, math.inf
        end = row[_REQUEST_END]
        # It begins with the run that read it; see `_adopt`.
        run = self.run(row[_REQUEST_RUN])
        first = run and (self.run(run.cause_run_id) or run)
        since = first.start_ns if first else row[_REQUEST_START]
        return since, math.inf if end is None else end + after_end_ns

    def runs_between(self, start_ns: int, end_ns: int) -> list[Row]:
        """Return the rows of the runs that overlap the span, in order."""
        return self.runs.rows[self.runs.ended(start_ns) : self.runs.started(end_ns)]

    def name_of(self, run: Run) -> str:
        """Return what a run did, in words: the coroutine for a task's step."""
        if run.name is not None:
            return run.name
        task = self.tasks.get(run.task_id)
        return str(task[2]) if task else f"task #{run.task_id}"


def _message_bytes(row: Row) -> int:
    # Only the last of its rows counts.
    return 0 if row[_MESSAGE_END] is None else len(row[_PAYLOAD])


def request_bytes(row: Row) -> int:
    """Return the bytes of heads and bodies that a request's row holds."""
    return sum(map(len, _blobs(row)))
