"""One exchange, request and response, as HAR files hold it; made from what was recorded."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from app.recording import headers
from app.recording.events import Request, Stage
from app.recording.store import SWITCHING, Store
from app.recording.websocket import OPCODES, text_of

from .request import HttpRequest, Pair, recorded

CUT = "the first "
"""How the note of a body begins that was not kept whole."""
_LIMIT = 64 << 20
"""Bytes that a packed body may unpack to."""


@dataclass(frozen=True)
class Response:
    """An answer. ``body`` is without its content coding; ``body_size`` counts what went over the
    wire, -1 when that is not known. ``status`` is 0 when there was no answer."""

    status: int
    reason: str = ""
    version: str = "HTTP/1.1"
    headers: tuple[Pair, ...] = ()
    body: bytes = b""
    body_size: int = -1
    note: str = ""
    """What must be known about the body: that it was cut, for example."""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, in any case of its name, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(frozen=True)
class Timings:
    """Where the time went, in ms; -1 stands for what does not apply (HAR 1.2 §timings)."""

    send: float = 0.0
    wait: float = 0.0
    receive: float = 0.0
    blocked: float = -1
    dns: float = -1
    connect: float = -1
    ssl: float = -1

    @property
    def total(self) -> float:
        """The sum of what applies. ``connect`` holds ``ssl`` already."""
        parts = (self.send, self.wait, self.receive, self.blocked, self.dns, self.connect)
        return sum(part for part in parts if part != -1)


@dataclass(frozen=True)
class WebSocketMessage:
    """One message: ``type`` is ``send`` (by the client) or ``receive``; ``time`` in s since 1970.

    ``data`` is text for opcode 1 and base64 for all others, as in Chrome's files.
    """

    type: str
    time: float
    opcode: int
    data: str


@dataclass(frozen=True)
class Entry:
    """One exchange. ``extras`` is our own part, kept under ``_tornado``."""

    request: HttpRequest
    response: Response
    started: datetime
    timings: Timings = Timings()
    version: str = "HTTP/1.1"
    body_size: int = -1
    """Bytes of the request's body on the wire."""
    note: str = ""
    """What must be known about the request's body."""
    messages: tuple[WebSocketMessage, ...] = ()
    connection: str = ""
    extras: dict[str, Any] = field(default_factory=dict)


def entry_of(store: Store, request: Request, started_at: float, base: str | None) -> Entry:
    """Return the exchange of a recorded request.

    *started_at* is when the recording began, in s since 1970; *base* is the URL of the server.
    Raises ValueError as `recorded` does.
    """
    begun = datetime.fromtimestamp(started_at, UTC)
    sent = recorded(request, base)
    end_ns = request.end_ns if request.end_ns is not None else store.end_ns
    since_ns = request.start_ns - store.origin_ns
    stages = store.stages_of(request.id)
    return Entry(
        sent,
        response_of(request),
        begun + timedelta(microseconds=since_ns // 1_000),
        _timings(request.start_ns, max(end_ns, request.start_ns), stages),
        request.version,
        request.request_size,
        _cut(len(request.request_body), request.request_size),
        messages=_messages(store, request.id, started_at) if request.status == SWITCHING else (),
        connection=str(request.connection_id),
        extras=_extras(store, request, stages),
    )


def _messages(store: Store, request_id: int, started_at: float) -> tuple[WebSocketMessage, ...]:
    return tuple(
        WebSocketMessage(
            "send" if message.direction == "in" else "receive",
            round(started_at + (message.time_ns - store.origin_ns) / 1e9, 6),
            opcode,
            text_of(message)
            if opcode == OPCODES["text"]
            else base64.b64encode(message.payload).decode("ascii"),
        )
        for message in store.messages_of(request_id)
        if (opcode := OPCODES.get(message.opcode))
    )


def response_of(request: Request) -> Response:
    """Return the response that was recorded with a request."""
    head = request.response_head
    line = headers.start_line(head).split(" ", 2)
    pairs = tuple(
        (name, value.encode("latin-1").decode("utf-8", "surrogateescape"))
        for name, value in headers.pairs(head)
    )
    body, note = unpacked(request.response_body, headers.value_of(head, "Content-Encoding") or "")
    return Response(
        request.status or 0,
        line[2] if len(line) > 2 else "",
        line[0] or "HTTP/1.1",
        pairs,
        body,
        request.response_size,
        _cut(len(request.response_body), request.response_size) or note,
    )


def unpacked(body: bytes, coding: str) -> tuple[bytes, str]:
    """Return *body* without its content coding, as far as it goes, and what is to be said of it."""
    coding = coding.strip().lower()
    if coding in ("", "identity") or not body:
        return body, ""
    if coding not in ("gzip", "x-gzip", "deflate"):
        return body, f"content coding {coding[:40]}"
    try:
        return zlib.decompressobj(47).decompress(body, _LIMIT), ""
    except zlib.error:
        return body, f"this is not {coding}"


def _cut(kept: int, whole: int) -> str:
    return f"{CUT}{kept} of {whole} bytes" if kept < whole else ""


def _timings(start_ns: int, end_ns: int, stages: list[Stage]) -> Timings:
    """Return the share of receiving the request, of the handler, and of answering.

    What is before the first stage counts as ``send``: the body arrives. The handler's work up to
    its first flush or finish is ``wait``; what follows is ``receive``.
    """
    first = min((stage.start_ns for stage in stages), default=start_ns)
    answers = [stage.start_ns for stage in stages if stage.name in ("flush", "finish")]
    answer = min(answers, default=end_ns)
    first, answer = min(max(first, start_ns), end_ns), min(max(answer, start_ns), end_ns)
    answer = max(first, answer)
    spans = (first - start_ns, answer - first, end_ns - answer)
    # In parts of 1/1024 ms: then their sum is exact, in whatever order they are added.
    send, wait, receive = (round(span * 1.024e-3) / 1024 for span in spans)
    return Timings(send, wait, receive)


def _extras(store: Store, request: Request, stages: list[Stage]) -> dict[str, Any]:
    def ms(time_ns: int | None) -> float | None:
        return None if time_ns is None else round((time_ns - request.start_ns) / 1e6, 6)

    runs = store.runs_of(request.id)
    return {
        "number": request.id,
        "client": request.client,
        "route": request.route,
        "handler": request.handler,
        "outcome": request.outcome,
        "stages": [
            {
                "name": stage.name,
                "start": ms(stage.start_ns),
                "end": ms(stage.end_ns),
                "detail": stage.detail,
            }
            for stage in stages
        ],
        "runs": {
            "count": len(runs),
            "time": round(sum(run.end_ns - run.start_ns for run in runs) / 1e6, 6),
        },
        "xsrf": [verdict for _, verdict, _ in store.xsrf.get(request.id, [])],
    }
