"""Tests of what went over the wire, for the filter language: URLs, headers, cookies and bodies.

They are asked of tens of thousands of rows at once: what comes again is not worked out again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeVar

from .events import Request, Row
from .filter_match import LONGEST, Match, Needs, Remembered, Value, on_bytes, regex, whole
from .headers import (
    PACKED,
    cookie_pairs,
    finder,
    lines,
    sent_cookies,
    set_cookie,
    set_cookies,
    unfolded,
    unpacked,
    values,
)

Test = Callable[[Row], bool]
"""A compiled condition: whether it holds for a row of `Request`."""
Make = Callable[[Value], Test]
_Made = TypeVar("_Made")

_URI, _STATUS = map(Request._fields.index, ("uri", "status"))
_REQUEST, _RESPONSE = map(Request._fields.index, ("request_head", "response_head"))
_REQUEST_BODY, _RESPONSE_BODY = map(Request._fields.index, ("request_body", "response_body"))


# -- URLs --------------------------------------------------------------------------------------


def domain(row: Row) -> str:
    """Return the host that was asked for, without its port."""
    return _without_port(next(iter(values(row[_REQUEST], "Host")), ""))


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _of_host(make: Callable[[str], _Made]) -> Callable[[bytes], _Made]:
    """Return a reader of what is made of a head's Host; it remembers the last: most are like it."""
    line, made = b"\nHost: \r\n", make("")

    def read(head: bytes) -> _Made:
        nonlocal line, made
        if not head.startswith(line, head.find(b"\nHost: ")):
            host = next(iter(values(head, "Host")), "")
            line, made = b"\nHost: %s\r\n" % host.encode("latin-1"), make(host)
        return made

    return read


def on_domain(value: Value) -> Test:
    """Compare the domain as a whole."""
    match = whole(value)
    passes = _of_host(lambda host: match(_without_port(host)))
    return lambda row: passes(row[_REQUEST])


def on_url(match: Match) -> Test:
    """Return a test of whole URLs."""
    origin = _of_host("://{}".format)

    def test(row: Row) -> bool:
        uri: str = row[_URI]
        if uri[:1] != "/" and "://" in uri[:8]:
            return match(uri)  # A proxy's request line holds the whole.
        scheme = "ws" if row[_STATUS] == 101 else "http"
        return match(scheme + origin(row[_REQUEST]) + uri)

    return test


# -- Headers -----------------------------------------------------------------------------------

_HEADER_NAME = re.compile(rb"\n([^\s:]+)[ \t]*:")


def response_headers(row: Row) -> list[str]:
    """Return the names of the response's headers."""
    return [name.decode("latin-1") for name in _HEADER_NAME.findall(row[_RESPONSE])]


def has_response_header(value: Value) -> Test:
    """Compare names of the response's headers as a whole."""
    if value.regex is not None:
        match = whole(value)
        passes = Remembered[bytes](lambda name: match(name.decode("latin-1"))).__getitem__
        return lambda row: any(map(passes, _HEADER_NAME.findall(row[_RESPONSE])))
    parts = [value.text] if value.quoted else value.text.split("*")
    name = rb"[^\s:]*".join(re.escape(part.encode("latin-1", "replace")) for part in parts)
    search = re.compile(rb"\n(?i:%s)[ \t]*:" % name).search
    return lambda row: search(row[_RESPONSE]) is not None


def _response_header(
    name: str, match: Match, first: Callable[[bytes], int] = lambda head: 0
) -> Test:
    """Return a test for responses in which a header *name* matches, mostly one in its place.

    What *first* finds nowhere in a head of ASCII matches none; see `Needs`.
    """
    line, passes = lines(name), Remembered[bytes](lambda raw: match(unfolded(raw))).__getitem__
    find, known, place = line.findall, b"", 0

    def test(row: Row) -> bool:
        nonlocal known, place
        head: bytes = row[_RESPONSE]
        if known and head.startswith(known, head.find(b"\n") + place):
            return True
        if first(head) < 0 and head.isascii():
            return False
        for raw in find(head):
            if passes(raw):
                found = next(each for each in line.finditer(head) if each[1] == raw)
                start, end = found.start(), found.end() + 2
                if end <= len(head):  # With the next letter: a space would go on with the value.
                    known, place = head[start:end], start - head.find(b"\n")
                return True
        return False

    return test


def _header(name: str, match: Match) -> Callable[[bytes], bool]:
    """Return a test for heads without their start lines in which a header *name* matches."""
    find = finder(name)
    return lambda block: any(match(unfolded(raw)) for raw in find(b"\n" + block))


def _of_request(test: Callable[[bytes], bool]) -> Test:
    """Test what follows the start line of requests."""
    passes = _remembered(test)
    return lambda row: passes(row[_REQUEST].partition(b"\n")[2])


def _remembered(test: Callable[[bytes], bool]) -> Callable[[bytes], bool]:
    """Return *test* for the headers of requests: a client sends the same again and again."""
    return Remembered(test, most=1_024, longest=4_096).__getitem__


def mime_type(row: Row) -> str:
    """Return the response's media type, empty without one."""
    return _type_in(next(iter(values(row[_RESPONSE], "Content-Type")), ""))


def _type_in(header: str) -> str:
    return header.partition(";")[0].strip()


def has_mime_type(value: Value) -> Test:
    """Compare the response's media type as a whole."""
    match, find = whole(value), finder("Content-Type")
    passes = Remembered[bytes](lambda raw: match(_type_in(unfolded(raw)))).__getitem__

    def test(row: Row) -> bool:
        found = find(row[_RESPONSE])
        return passes(found[0] if found else b"")

    return test


def has_content_type(value: Value) -> Test:
    """Search in the Content-Type headers of the response and the request by pattern."""
    match, name = pattern(value), "Content-Type"
    went = _response_header(name, match, Needs(value.text).first)
    came = _of_request(_header(name, match))
    return lambda row: went(row) or came(row)


# -- Cookies -----------------------------------------------------------------------------------


def names_set(row: Row) -> list[str]:
    """Return the names of the cookies that the response sets."""
    return [cookie.name for cookie in set_cookies(row[_RESPONSE])]


def values_set(row: Row) -> list[str]:
    """Return the values of the cookies that the response sets."""
    return [cookie.value for cookie in set_cookies(row[_RESPONSE])]


def cookie_names(row: Row) -> Iterator[str]:
    """Yield the names of all cookies, those of the request first."""
    yield from (name for name, _ in sent_cookies(row[_REQUEST]))
    yield from names_set(row)


def cookie_values(row: Row) -> Iterator[str]:
    """Yield the values of all cookies, those of the request first."""
    yield from (value for _, value in sent_cookies(row[_REQUEST]))
    yield from values_set(row)


def sets_cookie(part: int) -> Make:
    """Compare names (0) or values (1) of the cookies that are set, as a whole."""

    def make(value: Value) -> Test:
        match = whole(value)
        return _response_header("Set-Cookie", lambda text: match(set_cookie(text)[1 + part]))

    return make


def has_cookie(part: int) -> Make:
    """Compare names (0) or values (1) of all cookies as a whole."""

    def make(value: Value) -> Test:
        match = whole(value)
        came = _header("Cookie", lambda text: any(match(each[part]) for each in cookie_pairs(text)))
        asked, went = _of_request(came), sets_cookie(part)(value)
        return lambda row: asked(row) or went(row)

    return make


# -- Whole heads and bodies, by pattern --------------------------------------------------------


def pattern(value: Value, flags: int = 0) -> Match:
    """Compile a regular expression that is not written between slashes."""
    return regex(value.text, value.position + value.quoted, flags)


def _in_block(value: Value) -> Callable[[bytes], bool]:
    """Search in a head without its start line; ^ and $ stand at the ends of a header."""
    match, needs = pattern(value, re.MULTILINE), Needs(value.text)

    def in_text(block: bytes) -> bool:
        return match(block.replace(b"\r", b"").decode("latin-1"))

    if not needs.in_line:
        return Remembered(in_text).__getitem__
    search, first = on_bytes(value.text, re.MULTILINE).search, needs.first
    if needs.enough and needs.texts:
        return lambda block: first(block) >= 0
    if value.text[:1] == "^" and (line := Needs("\n" + value.text[1:])).enough:
        begun = line.first
        return lambda block: begun(b"\n" + block) >= 0

    def in_line(line: bytes) -> bool:
        low = line.lower().replace(b"\r", b"")
        return search(low) is not None if low.isascii() else in_text(line)

    passes = Remembered[bytes](in_line).__getitem__  # Most lines come again and again.

    def in_lines(block: bytes) -> bool:
        if first(block) < 0 and block.isascii():
            return False
        return any(map(passes, needs.lines(block)))

    if not needs.leading:
        return in_lines
    enough, to_ends = needs.enough, re.search("[.$]", value.text) is not None

    def begins(block: bytes) -> bool:
        if not block.isascii():
            return in_lines(block)
        if enough:
            return first(block) >= 0
        if to_ends:
            block = block.replace(b"\r", b"")
        start = first(block)
        return start >= 0 and search(block.lower(), start) is not None

    return begins


def in_request_head(value: Value) -> Test:
    """Search in the headers of the request."""
    return _of_request(_in_block(value))


def in_response_head(value: Value) -> Test:
    """Search in the headers of the response."""
    test = _in_block(value)
    return lambda row: test(row[_RESPONSE].partition(b"\n")[2])


def in_heads(value: Value) -> Test:
    """Search in both heads."""
    test = _in_block(value)
    came = _remembered(test)
    return lambda row: (
        came(row[_REQUEST].partition(b"\n")[2]) or test(row[_RESPONSE].partition(b"\n")[2])
    )


def _in_body(head: int, body: int) -> Make:
    """Search in a body as text, without its content coding."""

    def make(value: Value) -> Test:
        match, needs = pattern(value, re.DOTALL), Needs(value.text)
        first, enough = needs.first, needs.enough

        def text(data: bytes) -> bool:
            return match(data.decode("utf-8", "replace"))

        search = on_bytes(value.text, re.DOTALL).search if needs.in_bytes else None

        def found(data: bytes) -> bool:
            if search and data.isascii():
                return search(data.lower()) is not None
            return text(data)

        again, nothing = lru_cache(64)(found), text(b"")  # Pages are often the same.

        def test(row: Row) -> bool:
            data: bytes = row[body]
            if not data:
                return nothing
            if data[0] in PACKED:
                return text(unpacked(row[head], data, LONGEST))
            data = data[:LONGEST]
            if not data.isascii():  # Some letters are ASCII only when they are small.
                return again(data)
            return first(data) >= 0 and (enough or again(data))

        return test

    return make


def _either(first: Make, second: Make) -> Make:
    def make(value: Value) -> Test:
        one, other = first(value), second(value)
        return lambda row: one(row) or other(row)

    return make


in_bodies = _either(_in_body(_REQUEST, _REQUEST_BODY), _in_body(_RESPONSE, _RESPONSE_BODY))
