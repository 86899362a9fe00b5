"""A small recording made by hand, like the one in the drawings, for the tests of the panels."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from app.recording.events import CLIENT, WINDOW, Batch, Row
from app.recording.store import Store

MS = 1_000_000
US = 1_000


def batch(**kinds: list[Row]) -> Batch:
    """Return a batch with the given rows; the other kinds are empty."""
    return Batch(**{kind: kinds.get(kind, []) for kind in Batch._fields})


def request(
    id_: int,
    start_ns: int,
    end_ns: int | None = None,
    status: int | None = None,
    line: str = "GET /",
    outcome: str | None = None,
) -> Row:
    """Return a request's row; *line* is its method and path."""
    method, uri = line.split(" ", 1)
    done = outcome or ("finished" if end_ns is not None else None)
    return (
        *(id_, 1, "Alice", method, uri, "HTTP/1.1", uri, "Handler", status, start_ns, end_ns),
        *(b"", b"", 0, b"", b"", 0, 0, done, ()),
    )


def message(
    id_: int, request_id: int, time_ns: int, direction: str, data: bytes = b"hi", kind: str = "text"
) -> Row:
    """Return the row of a WebSocket's message that took 0.1 ms."""
    before = (id_, request_id, time_ns, time_ns + 100 * US)
    return (*before, direction, kind, len(data), data, 0, None)


class Sample:
    """Collects rows; every run is a tick of its own."""

    def __init__(self, origin_ns: int = 0) -> None:
        self.origin = origin_ns
        self.runs: list[Row] = []
        self.ticks: list[Row] = []
        self.requests: list[Row] = []
        self.stages: dict[int, Row] = {}
        self.waits: list[Row] = []
        self.xsrf: list[Row] = []

    def run(self, start: float, end: float, owner: int, name: str | None = "step") -> None:
        """Add a run, in milliseconds."""
        self.runs.append(
            (0, 0, self.at(start), self.at(end), name, owner, 0, 0, self.at(start) - 20 * US)
        )

    def at(self, ms: float) -> int:
        """Return a time in nanoseconds."""
        return self.origin + round(ms * MS)

    def stage(self, request_id: int, name: str, start: float, end: float | None) -> None:
        """Add a stage, in milliseconds."""
        until = None if end is None else self.at(end)
        stage = (name, self.at(start), until, None)
        self.stages[request_id] = (*self.stages.get(request_id, ()), *stage)

    def wait(
        self, owner: int, future: str, start: float, end: float | None, by: float | None = None
    ) -> None:
        """Add a wait; *by* is when the run begins that resolves it."""
        until = None if end is None else self.at(end)
        cause = -1 if by is None else self.at(by)
        self.waits.append((0, owner, owner, future, "h.py:12 in get", self.at(start), until, cause))

    def batch(self) -> Batch:
        """Number everything in the order of time and return it."""
        self.runs.sort(key=lambda row: row[2])
        runs = [(n + 1, n + 1, *row[2:]) for n, row in enumerate(self.runs)]
        at = {row[2]: row[0] for row in runs}
        ticks = [(r[0], r[2] - 30 * US, r[2] - 5 * US, r[3] + 5 * US, 1, 2, 4) for r in runs]
        self.waits.sort(key=lambda row: row[5])
        waits = [(n + 1, *row[1:7], at.get(row[7], 0)) for n, row in enumerate(self.waits)]
        return batch(
            runs=runs,
            ticks=ticks,
            requests=[(*row[:-1], self.stages.get(row[0], ())) for row in self.requests],
            waits=waits,
            xsrf=self.xsrf,
        )


def drawing(origin_ns: int = 0, *, open_end: bool = False) -> Batch:
    """Return the recording of the drawings: six requests, one woken by another."""
    s = Sample(origin_ns)
    r = s.requests
    r.append(request(101, s.at(4), s.at(42), 200, "GET /"))
    for name, a, b in [
        ("prepare", 6, 16),
        ("get", 16, 42),
        ("finish", 30, 42),
        ("on_finish", 38, 42),
    ]:
        s.stage(101, name, a, b)
    s.run(4, 5, 101)
    s.run(6, 42, 101)
    r.append(request(102, s.at(44), s.at(158), 200, "GET /wait"))
    s.stage(102, "get", 45, 158)
    s.run(44, 53, 102)
    s.wait(102, "Future #17", 53, 140, by=122)
    s.run(140, 158, 102)
    r.append(request(103, s.at(61), None if open_end else s.at(172), 200, "GET /sleep"))
    s.stage(103, "get", 62, None if open_end else 172)
    s.run(61, 70, 103)
    s.wait(103, "sleep #3", 70, None if open_end else 161, by=159.6)
    if not open_end:
        s.run(159.6, 159.9, 103, "timer")
        s.run(161, 172, 103)
    r.append(request(104, s.at(80), s.at(106), 403, "POST /login"))
    s.stage(104, "check_xsrf_cookie", 81, 88)
    s.stage(104, "write_error", 89, 106)
    s.run(80, 106, 104)
    s.xsrf.append((104, "no-token", ""))
    r.append(request(105, s.at(121), s.at(138), 200, "GET /resolve?value=42"))
    s.stage(105, "get", 122, 131)
    s.stage(105, "finish", 131, 138)
    s.run(121, 121.4, 105)
    s.run(122, 138, 105)
    r.append(request(106, s.at(175), s.at(189), 200, "GET /story/7"))
    s.stage(106, "prepare", 175, 180)
    s.stage(106, "get", 180, 189)
    s.run(175, 189, 106)
    for at in (0.5, 42.6, 72, 108, 173):
        s.run(at, at + 1.1, WINDOW, "paint")
    for at in (3, 76, 118.5, 120):
        s.run(at, at + 0.6, CLIENT, "read")
    return s.batch()


def store_of(*batches: Batch, origin_ns: int = 0) -> Store:
    """Return a store that holds the batches."""
    store = Store(origin_ns)
    for each in batches:
        store.apply(each)
    return store


def steps_of(function: Callable[[], object]) -> int:
    """Call a function; return how many lines of Python it took, calls and loops included."""
    count = 0

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    gc.disable()  # What it collects may run Python of its own.
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
        gc.enable()
    return count
