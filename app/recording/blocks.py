"""Blocked loops in words: where a run stood while it lasted, and whom it made wait."""

from __future__ import annotations

import linecache
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter, itemgetter
from pathlib import PurePath
from types import CodeType, FrameType
from typing import NamedTuple

from .events import Block, Request, Run, request_of
from .store import Store
from .tasks import is_library

AFTERMATH_NS = 50_000_000
"""For how long after a block the requests that it delayed are looked for, in ns."""
SHOWN = 100
"""How many of the requests that waited are named."""
_DEEP = 200
"""How many frames are kept."""
_request_start = itemgetter(Request._fields.index("start_ns"))


class Interrupted(BaseException):
    """Raised in code that has blocked the loop for too long."""


class InterruptedStep(Exception):
    """The same for code that `BaseException` would leave hanging, as Tornado's old coroutines."""


class Place(NamedTuple):
    """Where one frame of a stack stands."""

    file: str
    line: int
    function: str
    library: bool

    def __str__(self) -> str:
        """Return the place with the end of its path: enough to recognise it by."""
        return f"{'/'.join(PurePath(self.file).parts[-2:])}:{self.line} in {self.function}"


def frames_above(frame: FrameType | None, base: CodeType) -> list[FrameType] | None:
    """Return the frames from *frame*, the innermost, outwards to that of *base*, which is last.

    None when *base* is not being run.
    """
    found = []
    while frame is not None:
        found.append(frame)
        if frame.f_code is base:
            return found
        frame = frame.f_back
    return None


def places(frames: Iterable[FrameType]) -> list[Place]:
    """Return where *frames* stand."""
    return [
        Place(f.f_code.co_filename, f.f_lineno or 0, f.f_code.co_qualname, is_library(f.f_code))
        for _, f in zip(range(_DEEP), frames, strict=False)
    ]


def culprit(stack: list[Place]) -> Place | None:
    """Return the place in *stack*, innermost first, to show: the user's if there is one."""
    return next((place for place in stack if not place.library), stack[0] if stack else None)


def stack_text(stack: list[Place]) -> str:
    """Return *stack*, innermost first, as a traceback does: the latest call last.

    Frames of libraries are folded, unless there are no others.
    """
    outward = list(reversed(stack))
    if all(place.library for place in stack):
        return "\n".join(_lines(outward))
    lines: list[str] = []
    for library, group in groupby(outward, attrgetter("library")):
        members = list(group)
        if library:
            many = "frames" if len(members) > 1 else "frame"
            lines.append(f"… {len(members)} library {many}, to {members[-1].function}")
        else:
            lines += _lines(members)
    return "\n".join(lines)


def _lines(stack: Iterable[Place]) -> Iterator[str]:
    for place in stack:
        yield f"{place.file}:{place.line} in {place.function}"
        source = linecache.getline(place.file, place.line).strip()
        if source:
            yield f"    {source}"


def delayed_by(store: Store, run: Run) -> list[int]:
    """Return the numbers of the other requests that waited while *run* lasted, in order.

    Those are the ones for which something was run in the rest of its tick or in the next tick,
    since all that was ready then had become so before; and those that came in on sockets which
    were read then. The window may come before the next tick; what was ready for it tells that it
    was due.
    """
    runs = store.runs
    first = runs.position(run.id + 1)
    late = {run.id}
    waited: set[int] = set()
    next_tick = 0
    until = run.end_ns + AFTERMATH_NS
    for at in range(first, len(runs)):
        after = Run(*runs.rows[at])
        if after.tick_id > run.tick_id and not next_tick:
            next_tick = after.tick_id
            if 0 < after.scheduled_ns <= run.end_ns:
                until = max(until, after.start_ns + AFTERMATH_NS)
        if after.start_ns >= until:
            break
        if after.tick_id in (run.tick_id, next_tick):
            waited.add(after.owner)
            late.add(after.id)
        elif after.cause_run_id in late:
            late.add(after.id)
    late.discard(run.id)
    requests = store.requests.rows
    since = bisect_left(requests, run.end_ns, key=_request_start)
    for row in requests[since:]:
        request = Request(*row)
        if request.start_ns >= until:
            break
        if request.run_id in late:
            waited.add(request.id)
    return sorted(number for number in waited if number > 0 and number != run.owner)


def sentence(block: Block) -> str:
    """Say in one line what blocked the loop, for how long, and who waited."""
    verb = "was interrupted, having blocked" if block.interrupted else "blocked"
    seconds = (block.end_ns - block.start_ns) / 1e9
    where = str(Place(block.file, block.line, block.function, False)) if block.file else ""
    parts = [f"{verb} the loop for {seconds:.2f} s: {where or block.function}"]
    number = request_of(block.owner)
    if number is not None:
        parts.append(f"request #{number}")
    if block.delayed_count:
        many = "requests" if block.delayed_count > 1 else "request"
        parts.append(f"{block.delayed_count} other {many} waited")
    return " · ".join(parts)
