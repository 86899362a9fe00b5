"""The keys of the filter language: what each reads from a request, and how it compares.

``KEYS`` are written ``key:value``, ``ALIASES`` are mitmproxy's ``~x``, with or without a value.
Each is made into a test of a row, a plain function.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import NamedTuple

from .events import Message, Request, Row
from .headers import sent_cookies, set_cookies, unpacked, values
from .websocket import text_of

Test = Callable[[Row], bool]
Match = Callable[[str], bool]
Read = Callable[[Row], str]
ReadAll = Callable[[Row], Iterable[str]]

LONGEST = 64 << 10
"""How many letters of a text, at most, a regular expression is tried on."""

_AT = {name: at for at, name in enumerate(Request._fields)}
_CLIENT, _METHOD, _URI, _ROUTE = (_AT[n] for n in ("client", "method", "uri", "route"))
_HANDLER, _STATUS, _START, _END = (_AT[n] for n in ("handler", "status", "start_ns", "end_ns"))
_REQUEST, _RESPONSE = _AT["request_head"], _AT["response_head"]
_REQUEST_BODY, _RESPONSE_BODY = _AT["request_body"], _AT["response_body"]
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


class FilterError(ValueError):
    """An expression is wrong at *position*, counted from 0.

    *expected* is an English sentence with ``{name}`` places for *values*.
    """

    def __init__(self, position: int, expected: str, **values: str) -> None:
        super().__init__(expected.format(**values))
        self.position = position
        self.expected = expected
        self.values = values


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


class Value(NamedTuple):
    """The value of a key as it was written. *regex* is the inside of ``/…/``, else None."""

    text: str
    position: int
    quoted: bool = False
    regex: str | None = None


class Key(NamedTuple):
    """One key. *make* compiles a value; *seen* gives the values of a row, to complete from.

    Among conditions that are joined by and, those of less *cost* are tested first. *changing*
    says that the answer may change while the row stays the same.
    """

    cost: int
    make: Callable[[Value, Sources], Test]
    seen: ReadAll | None = None
    changing: bool = False


# -- How values compare ------------------------------------------------------------------------


def regex(text: str, position: int, flags: int = 0) -> Match:
    """Compile a case-insensitive regular expression that stands at *position*."""
    lower = _in_small_letters(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            search = re.compile(text, flags if lower else flags | re.IGNORECASE).search
    except re.error as error:
        at = position + min(error.pos or 0, len(text))
        raise FilterError(at, "Regular expression: {problem}", problem=error.msg) from None
    except (RecursionError, OverflowError, MemoryError, ValueError) as error:
        raise FilterError(position, "Regular expression: {problem}", problem=str(error)) from None
    if lower:
        return lambda text: search(text.lower(), 0, LONGEST) is not None
    return lambda text: search(text, 0, LONGEST) is not None


def _in_small_letters(text: str) -> bool:
    """Return whether an expression means the same, in any case, on a text in small letters.

    That is several times as quick. Classes and names of letters might tell capitals apart.
    """
    plain = text.isascii() and text == text.lower() and "[" not in text and "(?" not in text
    return plain and re.search(r"\\[^bdsw\W]", text) is None


def whole(value: Value) -> Match:
    """Compare whole texts in any case; ``*`` stands for anything."""
    if value.regex is not None:
        return regex(value.regex, value.position + 1)
    wanted = value.text.lower()
    if "*" not in wanted or value.quoted:
        return lambda text: text.lower() == wanted
    return partial(_wild, wanted.split("*"))


def _wild(parts: list[str], text: str) -> bool:
    """Return whether *parts* stand in *text* in order, the first and last at its ends."""
    text = text.lower()
    first, *middle, last = parts
    at, end = len(first), len(text) - len(last)
    if end < at or not (text.startswith(first) and text.endswith(last)):
        return False
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def within(value: Value) -> Match:
    """Search in texts, in any case."""
    if value.regex is not None:
        return regex(value.regex, value.position + 1)
    wanted = value.text.lower()
    return lambda text: wanted in text.lower()


def _of(read: Read, compare: Callable[[Value], Match]) -> Callable[[Value, Sources], Test]:
    def make(value: Value, sources: Sources) -> Test:
        match = compare(value)
        return lambda row: match(read(row))

    return make


def _any_of(read: ReadAll, compare: Callable[[Value], Match]) -> Callable[[Value, Sources], Test]:
    def make(value: Value, sources: Sources) -> Test:
        match = compare(value)
        return lambda row: any(map(match, read(row)))

    return make


def _field(at: int, compare: Callable[[Value], Match]) -> Callable[[Value, Sources], Test]:
    """Compare a field that may be unknown; then nothing matches."""

    def make(value: Value, sources: Sources) -> Test:
        match = compare(value)
        return lambda row: row[at] is not None and match(row[at])

    return make


# -- What is read from a row -------------------------------------------------------------------


def _host(row: Row) -> str:
    return _without_port(next(iter(values(row[_REQUEST], "Host")), ""))


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _scheme(row: Row) -> str:
    return "ws" if _is_websocket(row) else "http"


def _hosts() -> Read:
    """Return a reader of the Host header; it remembers the last, as most are like it."""
    line, host = b"\n\n", ""

    def read(row: Row) -> str:
        nonlocal line, host
        head: bytes = row[_REQUEST]
        if not head.startswith(line, head.find(b"\n")) and line not in head:
            host = next(iter(values(head, "Host")), "")
            line = b"\nHost: %s\r\n" % host.encode("latin-1")
        return host

    return read


def _urls() -> Read:
    """Return a reader of whole URLs."""
    host = _hosts()

    def url(row: Row) -> str:
        uri: str = row[_URI]
        # A proxy's request line holds the whole.
        return uri if "://" in uri[:8] else f"{_scheme(row)}://{host(row)}{uri}"

    return url


def _mime_type(row: Row) -> str:
    found = values(row[_RESPONSE], "Content-Type")
    return found[0].partition(";")[0].strip() if found else ""


_HEADER_NAME = re.compile(rb"\n([^\s:]+)[ \t]*:")


def _response_headers(row: Row) -> list[str]:
    return [name.decode("latin-1") for name in _HEADER_NAME.findall(row[_RESPONSE])]


def _cookie_names(row: Row) -> Iterator[str]:
    yield from (name for name, _ in sent_cookies(row[_REQUEST]))
    yield from _set_cookie_names(row)


def _cookie_values(row: Row) -> Iterator[str]:
    yield from (value for _, value in sent_cookies(row[_REQUEST]))
    yield from _set_cookie_values(row)


def _set_cookie_names(row: Row) -> list[str]:
    return [cookie.name for cookie in set_cookies(row[_RESPONSE])]


def _set_cookie_values(row: Row) -> list[str]:
    return [cookie.value for cookie in set_cookies(row[_RESPONSE])]


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


# -- Keys that read in a way of their own ------------------------------------------------------


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
    return lambda row: any(map(match, _stages(row))) or of_message(row)


_IS: dict[str, Test] = {
    "running": lambda row: row[_END] is None,
    "from-cache": lambda row: row[_STATUS] == 304,
    "aborted": lambda row: row[_OUTCOME] == "aborted",
    "parked": is_parked,
    "websocket": _is_websocket,
}
IS_VALUES = (*_IS, "marked")


def _cookie(part: int) -> Callable[[Value, Sources], Test]:
    """Compare names (0) or values (1) of cookies, those of the request first."""

    def make(value: Value, sources: Sources) -> Test:
        match = whole(value)

        def has(row: Row) -> bool:
            for cookie in sent_cookies(row[_REQUEST]):
                if match(cookie[part]):
                    return True
            return any(match(cookie[1 + part]) for cookie in set_cookies(row[_RESPONSE]))

        return has

    return make


def _is(value: Value, sources: Sources) -> Test:
    text, marked = value.text.lower(), sources.marked
    if text == "marked":
        return lambda row: row[0] in marked
    if text not in _IS:
        expected = "One of these is expected: {words}"
        raise FilterError(value.position, expected, words=", ".join(IS_VALUES))
    return _IS[text]


def _domain(value: Value, sources: Sources) -> Test:
    match, host = whole(value), _hosts()
    return lambda row: match(_without_port(host(row)))


def _has_header(value: Value, sources: Sources) -> Test:
    if value.regex is None and "*" not in value.text:
        return lambda row: bool(values(row[_RESPONSE], value.text))
    return _any_of(_response_headers, whole)(value, sources)


def _url(value: Value, sources: Sources) -> Test:
    match, url = within(value), _urls()
    return lambda row: match(url(row))


KEYS: dict[str, Key] = {
    # Chrome's.
    "cookie-name": Key(6, _cookie(0), _cookie_names),
    "cookie-value": Key(6, _cookie(1), _cookie_values),
    "domain": Key(2, _domain, lambda row: (_host(row),)),
    "has-response-header": Key(4, _has_header, _response_headers),
    "is": Key(1, _is, lambda row: IS_VALUES),
    "larger-than": Key(1, _larger, lambda row: ("1k", "10k", "100k", "1M")),
    "method": Key(1, _field(_METHOD, whole), _known(_METHOD)),
    "mime-type": Key(4, _of(_mime_type, whole), lambda row: (_mime_type(row),)),
    "scheme": Key(1, _of(_scheme, whole), lambda row: ("http", "ws")),
    "set-cookie-name": Key(5, _any_of(_set_cookie_names, whole), _set_cookie_names),
    "set-cookie-value": Key(5, _any_of(_set_cookie_values, whole), _set_cookie_values),
    "status-code": Key(1, _status, _known(_STATUS)),
    "url": Key(3, _url, lambda row: (row[_URI],)),
    # Our own.
    "client": Key(1, _field(_CLIENT, whole), _known(_CLIENT)),
    "handler": Key(2, _field(_HANDLER, whole), _known(_HANDLER)),
    "route": Key(2, _field(_ROUTE, whole), _known(_ROUTE)),
    "slower-than": Key(1, _slower, lambda row: ("10ms", "100ms", "1s"), changing=True),
    "stage": Key(3, _stage, _stages, changing=True),
    "ws-message": Key(7, _message, None, changing=True),
    "xsrf": Key(2, _xsrf, lambda row: XSRF_VALUES),
}


# -- mitmproxy's short forms -------------------------------------------------------------------


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _head_lines(at: int) -> Read:
    # Without the start line, and with \n alone, so that ^ and $ stand at the ends of a header.
    return lambda row: row[at].partition(b"\n")[2].replace(b"\r", b"").decode("latin-1")


def _body(head: int, body: int) -> Read:
    return lambda row: _text(unpacked(row[head], row[body], LONGEST)) if row[body] else ""


_heads = (_head_lines(_REQUEST), _head_lines(_RESPONSE))
_bodies = (_body(_REQUEST, _REQUEST_BODY), _body(_RESPONSE, _RESPONSE_BODY))


def _either(first: Read, second: Read, flags: int) -> Callable[[Value, Sources], Test]:
    def make(value: Value, sources: Sources) -> Test:
        match = _pattern(flags)(value)
        return lambda row: match(first(row)) or match(second(row))

    return make


def _pattern(flags: int = 0) -> Callable[[Value], Match]:
    return lambda value: regex(value.text, value.position + value.quoted, flags)


def _url_pattern(value: Value, sources: Sources) -> Test:
    match, url = _pattern()(value), _urls()
    return lambda row: match(url(row))


def _type_pattern(value: Value, sources: Sources) -> Test:
    match = lru_cache(256)(_pattern()(value))  # There are few types.

    def has(row: Row) -> bool:
        for at in (_RESPONSE, _REQUEST):
            for found in values(row[at], "Content-Type"):
                if match(found):
                    return True
        return False

    return has


ALIASES: dict[str, Key | Test] = {
    "~b": Key(8, _either(*_bodies, re.DOTALL)),
    "~c": Key(1, _status, _known(_STATUS)),
    "~e": _IS["aborted"],
    "~h": Key(6, _either(*_heads, re.MULTILINE)),
    "~hq": Key(5, _of(_heads[0], _pattern(re.MULTILINE))),
    "~hs": Key(5, _of(_heads[1], _pattern(re.MULTILINE))),
    "~m": Key(1, _field(_METHOD, _pattern()), _known(_METHOD)),
    "~q": lambda row: row[_STATUS] is None,
    "~t": Key(5, _type_pattern),
    "~u": Key(3, _url_pattern, lambda row: (row[_URI],)),
    "~websocket": _is_websocket,
}
"""A test as it is, or a key whose value is a regular expression (a status for ``~c``)."""
