"""The keys of the filter language: what each asks of a request.

``KEYS`` are written ``key:value``, ``ALIASES`` are mitmproxy's ``~x``, with or without a value.
Each is made into a test of a row, a plain function.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from . import filter_wire as wire
from .events import Message, Request, Row
from .filter_match import FilterError, Match, Remembered, Value, whole, within
from .filter_wire import Test
from .websocket import text_of

ReadAll = Callable[[Row], Iterable[str]]
Make = Callable[[Value, "Sources"], Test]

_AT = {name: at for at, name in enumerate(Request._fields)}
_CLIENT, _METHOD, _URI, _ROUTE = (_AT[n] for n in ("client", "method", "uri", "route"))
_HANDLER, _STATUS, _START, _END = (_AT[n] for n in ("handler", "status", "start_ns", "end_ns"))
_SIZE, _OUTCOME, _STAGES = _AT["response_size"], _AT["outcome"], _AT["stages"]

PASSED = ("passed", "safe-method")
"""The verdicts of an XSRF check that let a request go on."""
FAILED = (
    *("no-token", "json-body", "mislabelled-form", "misnamed-header"),
    *("invalid-format", "unknown-version", "no-cookie", "cookie-garbage"),
    *("quoted-token", "bytes-token", "garbage-token", "wrong-token"),
    *("cross-site", "foreign-origin"),
)
"""Those that do not. ``overridden`` is the handler's own check, which may be either."""

_UNITS = {"": 1, "k": 1_000, "kb": 1_000, "m": 1_000_000, "mb": 1_000_000}
_TIMES = {"us": 1_000, "µs": 1_000, "": 10**6, "ms": 10**6, "s": 10**9, "min": 60 * 10**9}


@dataclass
class Sources:
    """What is known of requests beside their rows.

    *xsrf* holds the rows of `Xsrf`, *messages* is `Store.messages_of`; *marked* are the numbers
    marked in the window. *now_ns* is the time until which is recorded.
    """

    xsrf: Mapping[int, list[Row]] = field(default_factory=dict)
    messages: Callable[[int, int], Iterable[Message]] = lambda request_id, after: ()
    marked: Collection[int] = ()
    now_ns: Callable[[], int] = lambda: 0


class Key(NamedTuple):
    """One key. *make* compiles a value; *seen* gives the values of a row, to complete from.

    Of conditions side by side those of less *cost* are tested first; it is about the time that
    the test takes, in 0.1 µs. *changing* says that the answer may change while the row stays the
    same.
    """

    cost: int
    make: Make
    seen: ReadAll | None = None
    changing: bool = False


# -- What is read from a row -------------------------------------------------------------------


def _stages(row: Row) -> tuple[str, ...]:
    names: tuple[str, ...] = row[_STAGES][::4]
    return names


def _known(at: int) -> ReadAll:
    return lambda row: () if row[at] is None else (str(row[at]),)


def _is_websocket(row: Row) -> bool:
    return bool(row[_STATUS] == 101)


def is_parked(row: Row) -> bool:
    """Return whether a breakpoint keeps a request waiting: such a stage has not ended."""
    if row[_END] is not None:
        return False
    stages = row[_STAGES]
    named = zip(stages[::4], stages[2::4], strict=True)
    return any(end is None and name.startswith("parked ") for name, end in named)


# -- Keys of fields ----------------------------------------------------------------------------


def _field(at: int, compare: Callable[[Value], Match]) -> Make:
    """Compare a field that may be unknown; then nothing matches."""

    def make(value: Value, sources: Sources) -> Test:
        passes = Remembered(compare(value)).__getitem__
        return lambda row: row[at] is not None and passes(row[at])

    return make


def _wire(make: wire.Make) -> Make:
    return lambda value, sources: make(value)


def _scheme(value: Value, sources: Sources) -> Test:
    match = whole(value)
    passes = (match("http"), match("ws"))
    return lambda row: passes[row[_STATUS] == 101]


def _status(value: Value, sources: Sources) -> Test:
    text = value.text.lower()
    if re.fullmatch("[1-5]xx", text):
        first = int(text[0])
        return lambda row: row[_STATUS] is not None and row[_STATUS] // 100 == first
    if not re.fullmatch("[0-9]{3}", text):
        raise FilterError(value.position, "A status such as 404 or 4xx is expected")
    status = int(text)
    return lambda row: row[_STATUS] == status


def _number(value: Value, units: Mapping[str, int], expected: str) -> float:
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)([a-zµ]*)", value.text.lower())
    if found is None or found[2] not in units:
        raise FilterError(value.position, expected)
    return float(found[1]) * units[found[2]]


def _larger(value: Value, sources: Sources) -> Test:
    least = _number(value, _UNITS, "A size such as 500, 10k or 2M is expected")
    return lambda row: row[_SIZE] >= least


def _slower(value: Value, sources: Sources) -> Test:
    least = _number(value, _TIMES, "A time such as 100ms or 1.5s is expected")
    now = sources.now_ns

    def slower(row: Row) -> bool:
        end = row[_END]
        return bool((now() if end is None else end) - row[_START] >= least)

    return slower


def _xsrf(value: Value, sources: Sources) -> Test:
    text, checks = value.text.lower(), sources.xsrf
    if value.regex is not None or text not in XSRF_VALUES:
        expected = "One of these is expected: {words}"
        raise FilterError(value.position, expected, words=", ".join(XSRF_VALUES))
    wanted = {"fail": FAILED, "pass": PASSED[:1]}.get(text, (text,))

    def checked(row: Row) -> bool:
        found = checks.get(row[0])
        return found is not None and found[-1][1] in wanted

    return checked


XSRF_VALUES = ("fail", "pass", *PASSED, *FAILED, "overridden")


def _any_message(match: Callable[[Message], bool], sources: Sources) -> Test:
    """Return a test for WebSockets with such a message; it looks at each message once."""
    looked: dict[int, tuple[int, bool]] = {}

    def test(row: Row) -> bool:
        if not _is_websocket(row):
            return False
        last, found = looked.get(row[0], (0, False))
        if not found:
            for message in sources.messages(row[0], last):
                last, found = message.id, match(message)
                if found:
                    break
            looked[row[0]] = (last, found)
        return found

    return test


def _message(value: Value, sources: Sources) -> Test:
    match = within(value)
    return _any_message(lambda message: match(text_of(message)), sources)


def _stage(value: Value, sources: Sources) -> Test:
    match = whole(value)
    of_message = _any_message(lambda message: match(message.stage.name), sources)
    passes = Remembered[tuple[str, ...]](lambda names: any(map(match, names))).__getitem__
    return lambda row: passes(row[_STAGES][::4]) or of_message(row)


_IS: dict[str, Test] = {
    "running": lambda row: row[_END] is None,
    "from-cache": lambda row: row[_STATUS] == 304,
    "aborted": lambda row: row[_OUTCOME] == "aborted",
    "parked": is_parked,
    "websocket": _is_websocket,
}
IS_VALUES = (*_IS, "marked")


def _is(value: Value, sources: Sources) -> Test:
    text, marked = value.text.lower(), sources.marked
    if text == "marked":
        return lambda row: row[0] in marked
    if text not in _IS:
        expected = "One of these is expected: {words}"
        raise FilterError(value.position, expected, words=", ".join(IS_VALUES))
    return _IS[text]


def _url(value: Value, sources: Sources) -> Test:
    return wire.on_url(within(value))


def _url_pattern(value: Value, sources: Sources) -> Test:
    return wire.on_url(wire.pattern(value))


# -- The keys ----------------------------------------------------------------------------------

KEYS: dict[str, Key] = {
    # Chrome's.
    "cookie-name": Key(6, _wire(wire.has_cookie(0)), wire.cookie_names),
    "cookie-value": Key(6, _wire(wire.has_cookie(1)), wire.cookie_values),
    "domain": Key(3, _wire(wire.on_domain), lambda row: (wire.domain(row),)),
    "has-response-header": Key(2, _wire(wire.has_response_header), wire.response_headers),
    "is": Key(1, _is, lambda row: IS_VALUES),
    "larger-than": Key(1, _larger, lambda row: ("1k", "10k", "100k", "1M")),
    "method": Key(1, _field(_METHOD, whole), _known(_METHOD)),
    "mime-type": Key(5, _wire(wire.has_mime_type), lambda row: (wire.mime_type(row),)),
    "scheme": Key(1, _scheme, lambda row: ("http", "ws")),
    "set-cookie-name": Key(3, _wire(wire.sets_cookie(0)), wire.names_set),
    "set-cookie-value": Key(3, _wire(wire.sets_cookie(1)), wire.values_set),
    "status-code": Key(1, _status, _known(_STATUS)),
    "url": Key(6, _url, lambda row: (row[_URI],)),
    # Our own.
    "client": Key(1, _field(_CLIENT, whole), _known(_CLIENT)),
    "handler": Key(1, _field(_HANDLER, whole), _known(_HANDLER)),
    "route": Key(1, _field(_ROUTE, whole), _known(_ROUTE)),
    "slower-than": Key(1, _slower, lambda row: ("10ms", "100ms", "1s"), changing=True),
    "stage": Key(2, _stage, _stages, changing=True),
    "ws-message": Key(7, _message, None, changing=True),
    "xsrf": Key(2, _xsrf, lambda row: XSRF_VALUES),
}


# -- mitmproxy's short forms -------------------------------------------------------------------

ALIASES: dict[str, Key | Test] = {
    "~b": Key(30, _wire(wire.in_bodies)),
    "~c": Key(1, _status, _known(_STATUS)),
    "~e": _IS["aborted"],
    "~h": Key(10, _wire(wire.in_heads)),
    "~hq": Key(6, _wire(wire.in_request_head)),
    "~hs": Key(6, _wire(wire.in_response_head)),
    "~m": Key(1, _field(_METHOD, wire.pattern), _known(_METHOD)),
    "~q": lambda row: row[_STATUS] is None,
    "~t": Key(6, _wire(wire.has_content_type)),
    "~u": Key(6, _url_pattern, lambda row: (row[_URI],)),
    "~websocket": _is_websocket,
}
"""A test as it is, or a key whose value is a regular expression (a status for ``~c``)."""
