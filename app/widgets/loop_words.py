"""What is on the loop's panel, in words: short ones to paint, and all that is known to point at."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QRect

from app.recording.events import domain_of
from app.recording.flow import Passage, words
from app.recording.snapshot import Ready, Socket, Timer
from app.recording.store import Store

from .i18n import tr
from .timeline_text import Type
from .timeline_view import duration

_KNOWN = {
    "_set_result_unless_cancelled": "asyncio.sleep",
    "sleep.<locals>.<lambda>": "gen.sleep",
}
"""Callbacks by whose names nobody would know them."""
_EVENTS = {"r": "reading", "w": "writing", "rw": "reading and writing"}


class Spot(NamedTuple):
    """Something on the panel that can be pointed at. ``key`` names it from one look to the next."""

    area: QRect
    owner: int
    words: str
    key: tuple[object, ...]


def chip(socket: Socket) -> str:
    """Return a socket's number and whose it is: ``fd 14 #101``, ``fd 15 client Alice``."""
    if socket.owner > 0:
        return f"fd {socket.descriptor} #{socket.owner}"
    role = "idle" if socket.role == "connection" else socket.role
    client = socket.text.rpartition(" port ")[0] if socket.role == "client" else ""
    return " ".join(part for part in (f"fd {socket.descriptor}", tr(role), client) if part)


def of_socket(store: Store, socket: Socket) -> str:
    """Return all that is known of a socket."""
    what = f"{tr(socket.role)} {socket.text}".strip()
    events = tr(_EVENTS.get(socket.events, socket.events))
    watched = tr("watched for {events}", events=events)
    return _joined(f"fd {socket.descriptor}", what, watched, request(store, socket.owner))


def of_timer(store: Store, timer: Timer) -> str:
    """Return what a timer will do, when, and for whom."""
    due = tr("due in {time}", time=remaining(timer.remaining))
    return _joined(called(timer.text), due, _true(timer.text), request(store, timer.owner))


def of_ready(store: Store, ready: Ready) -> str:
    """Return what a handle in the ready queue will do, and for whom."""
    return _joined(brief(ready.text, ready.owner), tr("runs next"), request(store, ready.owner))


def of_run(store: Store, passage: Passage) -> str:
    """Return what a run did, for how long, and how it came about."""
    run = passage.run
    text = words(store, run)
    took = tr("took {time}", time=duration(run.end_ns - run.start_ns))
    cause = store.run(run.cause_run_id)
    by = tr("scheduled by {what}", what=words(store, cause)) if cause else ""
    others = f"{passage.runs - 1:,}"
    more = tr("stands for {count} more", count=others) if passage.runs > 1 else ""
    whose = request(store, run.owner) or tr(domain_of(run.owner))
    return _joined(text, took, _source(passage), by, whose, more)


def _source(passage: Passage) -> str:
    if passage.source == "socket":
        return tr("fd {fd} had become ready", fd=passage.descriptor)
    return tr("its timer was due") if passage.source == "timer" else ""


def request(store: Store, owner: int) -> str:
    """Return ``#101 GET /wait`` for a request that is known; empty for no request."""
    if owner <= 0:
        return ""
    found = store.request(owner)
    return f"#{owner} {found.method} {found.uri}"[:100] if found else f"#{owner}"


def brief(text: str, owner: int) -> str:
    """Return what a handle does, behind the number of its request."""
    return f"#{owner} {called(text)}" if owner > 0 else called(text)


def called(text: str) -> str:
    """Return what a callback is called, without where in a function it was defined."""
    known = _KNOWN.get(text)
    return known or text.partition(".<locals>")[0]


def _true(text: str) -> str:
    return text if called(text) != text else ""


def fit(kind: Type, text: str, width: int) -> str:
    """Return *text* in *width*: whole, without class and verb around a name, or cut."""
    head, _, name = text.rpartition(" ")
    if name.startswith("#"):  # A task's number alone would look like a request's.
        head, _, task = head.rpartition(" ")
        name = f"{task} {name}"
    short = name.rpartition(".")[2]
    number = head.partition(" ")[0] if head.startswith("#") else ""
    shorter = (text, f"{head} {short}".strip(), f"{number} {short}".strip())
    return next((one for one in shorter if kind.width(one) <= width), kind.cut(shorter[-1], width))


def remaining(seconds: float) -> str:
    """Return the time until a timer is due, in a few digits: ``31 ms``, ``3.6 s``, ``59 min``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds >= 599.5 else f"{seconds / 60:.1f} min"


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
