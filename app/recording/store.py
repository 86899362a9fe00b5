"""The store: a pure fold of recorded rows into what can be looked at."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from .events import SERVER, Batch, Connection, Request, Row, Run, Stage, Task, Tick, Wait
from .lookup import ByOwner, LongSpans

CONNECTIONS_WAIT = "HTTP1Connection._read_message"
"""How the wait of a connection for its handler is called: it says nothing about the handler."""

_ENDS = {
    "connections": Connection._fields.index("closed_ns"),
    "requests": Request._fields.index("end_ns"),
    "tasks": Task._fields.index("end_ns"),
    "waits": Wait._fields.index("end_ns"),
}
"""The kinds of things that begin and end, and where in their rows the end stands."""

_REQUEST_END = _ENDS["requests"]
_REQUEST_RUN = Request._fields.index("run_id")
_RUN_NAME = Run._fields.index("name")
_RUN_OWNER = Run._fields.index("owner")
_RUN_CAUSE = Run._fields.index("cause_run_id")
_run_start = itemgetter(Run._fields.index("start_ns"))
_run_end = itemgetter(Run._fields.index("end_ns"))
_HEAD_IN, _BODY_IN = (Request._fields.index(f"request_{part}") for part in ("head", "body"))
_HEAD_OUT, _BODY_OUT = (Request._fields.index(f"response_{part}") for part in ("head", "body"))

_id = itemgetter(0)
_seq = itemgetter(1)


class Table:
    """Rows of one kind in the order of their ids, bounded: the oldest are forgotten first.

    Look-up by id takes constant time as long as ids are consecutive, else logarithmic time.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.rows: list[Row] = []
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self.rows)

    def index(self, id_: int) -> int | None:
        """Return the index in `rows` of the row with this id, or None."""
        rows = self.rows
        if not rows:
            return None
        guess = id_ - rows[0][0]
        if 0 <= guess < len(rows) and rows[guess][0] == id_:
            return int(guess)
        found = bisect_left(rows, id_, key=_id)
        return found if found < len(rows) and rows[found][0] == id_ else None

    def get(self, id_: int | None) -> Row | None:
        """Return the row with this id, or None when it is unknown or forgotten."""
        found = self.index(id_) if id_ else None
        return None if found is None else self.rows[found]

    def extend(self, rows: list[Row]) -> None:
        """Add *rows*, all of them new."""
        self.rows.extend(rows)
        self._trim()

    def upsert(self, rows: list[Row]) -> None:
        """Add or replace *rows*, which come in the order of their ids.

        A row whose first version was forgotten stays forgotten.
        """
        own = self.rows
        known = bisect_right(rows, own[-1][0], key=_id) if own else 0
        first = own[0][0] if own else 0
        for row in rows[:known]:
            id_ = row[0]
            found: int | None = id_ - first
            if not 0 <= id_ - first < len(own) or own[id_ - first][0] != id_:
                found = self.index(id_)
            if found is not None:
                own[found] = row
            elif id_ > first:
                own.insert(bisect_left(own, id_, key=_id), row)
        own.extend(rows[known:])
        self._trim()

    def _trim(self) -> None:
        # In large steps: removing from the front of a list moves all the rest.
        excess = len(self.rows) - self.capacity
        if excess > self.capacity // 10:
            self.forget(excess)

    def forget(self, count: int) -> list[Row]:
        """Forget the oldest *count* rows and return them."""
        gone = self.rows[:count]
        del self.rows[:count]
        self.forgotten += len(gone)
        return gone


class Capacity(NamedTuple):
    """How many rows of each kind a `Store` holds, and how many bytes of heads and bodies."""

    ticks: int = 200_000
    runs: int = 400_000
    requests: int = 60_000
    connections: int = 50_000
    tasks: int = 60_000
    waits: int = 150_000
    log: int = 20_000
    bytes: int = 96 << 20


class Store:
    """All that is known of a recording, folded from batches of rows; bounded.

    The store never looks at a clock, a socket or a window: the same batches always give the same
    store. Rows are plain tuples; the methods return them under their names.
    """

    def __init__(self, origin_ns: int = 0, capacity: Capacity = Capacity()) -> None:
        self.origin_ns = origin_ns
        self.capacity = capacity
        self.ticks = Table(capacity.ticks)
        self.runs = Table(capacity.runs)
        self.connections = Table(capacity.connections)
        self.requests = Table(capacity.requests)
        self.tasks = Table(capacity.tasks)
        self.waits = Table(capacity.waits)
        self.log: list[Row] = []
        self.log_forgotten = 0
        self.stages: dict[int, list[Row]] = {}
        self.xsrf: dict[int, list[Row]] = {}
        self.open_waits: dict[int, Row] = {}
        """Waits that have not ended, by id."""
        self.open_tasks: dict[int, Row] = {}
        self.open_requests: dict[int, Row] = {}
        self.open_connections: dict[int, Row] = {}
        self.run_ids = ByOwner(Run._fields.index("owner"))
        self.wait_ids = ByOwner(Wait._fields.index("owner"))
        self.long_requests = LongSpans(Request._fields.index("start_ns"), _REQUEST_END)
        self.bytes = 0
        self._adopted = 0
        self.end_ns = origin_ns
        """The time of the latest thing recorded."""

    def apply(self, batch: Batch) -> None:
        """Fold in what was recorded since the batch before."""
        self.ticks.extend(batch.ticks)
        self.runs.extend(batch.runs)
        for kind, end_field in _ENDS.items():
            rows = getattr(batch, kind)
            if rows:
                getattr(self, kind).upsert(rows)
                self._track_open(getattr(self, f"open_{kind}"), rows, end_field)
        self._adopt(batch.requests)
        self.run_ids.add(batch.runs)
        self.wait_ids.add(batch.waits)
        self.long_requests.add(batch.requests)
        self._apply_stages(batch.stages)
        for row in batch.xsrf:
            self.xsrf.setdefault(row[0], []).append(row)
        self.log.extend(batch.log)
        if len(self.log) > self.capacity.log * 1.1:
            excess = len(self.log) - self.capacity.log
            del self.log[:excess]
            self.log_forgotten += excess
        self._apply_requests(batch.requests)
        if batch.runs:
            self.end_ns = max(self.end_ns, _run_end(batch.runs[-1]))

    def _adopt(self, rows: list[Row]) -> None:
        """Give each new request the run that read it from its socket.

        That run came first and could not know the number yet.
        """
        runs = self.runs
        for row in rows[bisect_right(rows, self._adopted, key=_id) :]:
            run = runs.get(row[_REQUEST_RUN])
            found = None if run is None else runs.index(run[_RUN_CAUSE])
            if found is None:
                continue
            cause = runs.rows[found]
            if cause[_RUN_OWNER] == SERVER and str(cause[_RUN_NAME]).startswith("read "):
                runs.rows[found] = (*cause[:_RUN_OWNER], row[0], *cause[_RUN_OWNER + 1 :])
                self.run_ids.ids[row[0]] = [cause[0]]
        if rows:
            self._adopted = max(self._adopted, rows[-1][0])

    @staticmethod
    def _track_open(still_open: dict[int, Row], rows: list[Row], end_field: int) -> None:
        for id_ in still_open.keys() & set(map(_id, rows)):
            del still_open[id_]
        still_open.update([(row[0], row) for row in rows if row[end_field] is None])

    def _apply_stages(self, rows: list[Row]) -> None:
        stages = self.stages
        for request_id, group in groupby(rows, _id):
            known = stages.get(request_id)
            if known is None:
                stages[request_id] = list(group)
                continue
            new = list(group)
            replaced = set(map(_seq, new))
            kept = [row for row in known if row[1] not in replaced]
            stages[request_id] = sorted(kept + new, key=_seq)

    def _apply_requests(self, rows: list[Row]) -> None:
        for row in rows:
            if row[_REQUEST_END] is not None:
                self.bytes += request_bytes(row)
        requests = self.requests
        first = requests.rows[0][0] if requests.rows else 0
        while self.bytes > self.capacity.bytes and len(requests) > 1:
            for gone in requests.forget(max(1, len(requests) // 20)):
                self.bytes -= request_bytes(gone) if gone[_REQUEST_END] is not None else 0
        oldest = requests.rows[0][0] if requests.rows else 0
        if first != oldest or len(self.stages) > len(requests) + 1000:
            self._forget_before(oldest)

    def _forget_before(self, oldest: int) -> None:
        for by_request in (self.stages, self.xsrf):
            # Requests begin in the order of their numbers, so the oldest stand first.
            stale = []
            for id_ in by_request:
                if id_ >= oldest:
                    break
                stale.append(id_)
            for id_ in stale:
                del by_request[id_]
        self.run_ids.forget_before(oldest)
        self.wait_ids.forget_before(oldest)

    def forgotten(self) -> dict[str, int]:
        """Return how many rows of each kind were forgotten to stay within the capacity."""
        kinds = ("ticks", "runs", "connections", "requests", "tasks", "waits")
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

    def connection(self, id_: int | None) -> Connection | None:
        """Return the connection with this id, or None."""
        row = self.connections.get(id_)
        return None if row is None else Connection(*row)

    def stages_of(self, request_id: int) -> list[Stage]:
        """Return the stages of a request in the order in which they began."""
        return [Stage(*row) for row in self.stages.get(request_id, ())]

    def waits_of(self, request_id: int) -> list[Wait]:
        """Return the waits that carry a request's number, oldest first."""
        rows = map(self.waits.get, self.wait_ids.of(request_id))
        return [Wait(*row) for row in rows if row is not None]

    def handler_waits_of(self, request_id: int) -> list[Wait]:
        """Return the same without the connection's own wait, which lasts until the handler ends."""
        return [w for w in self.waits_of(request_id) if not w.future.startswith(CONNECTIONS_WAIT)]

    def runs_of(self, request_id: int) -> list[Run]:
        """Return the runs that carry a request's number, oldest first."""
        rows = map(self.runs.get, self.run_ids.of(request_id))
        return [Run(*row) for row in rows if row is not None]

    def runs_between(self, start_ns: int, end_ns: int) -> list[Row]:
        """Return the rows of the runs that overlap the span, in order."""
        rows = self.runs.rows
        first = bisect_left(rows, start_ns, key=_run_end)
        last = bisect_left(rows, end_ns, key=_run_start)
        return rows[first:last]

    def name_of(self, run: Run) -> str:
        """Return what a run did, in words: the coroutine for a task's step."""
        if run.name is not None:
            return run.name
        task = self.tasks.get(run.task_id)
        return str(task[2]) if task else f"task #{run.task_id}"


def request_bytes(row: Row) -> int:
    """Return the bytes of heads and bodies that a request's row holds."""
    return len(row[_HEAD_IN]) + len(row[_BODY_IN]) + len(row[_HEAD_OUT]) + len(row[_BODY_OUT])
