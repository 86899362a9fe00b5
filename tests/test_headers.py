"""Header blocks and cookies from raw bytes."""

from __future__ import annotations

import random
import zlib

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from app.recording.headers import (
    Cookie,
    cookies,
    ignored_cookies,
    is_name,
    pairs,
    sent_cookies,
    set_cookies,
    unpacked,
    value_of,
    values,
)

LINES = [
    *("Host: a.test", "host:b", "X-Host: c", "Cookie: a=1; b=2", "cookie: c", "Cookie:d=4;e=;f"),
    *('Set-Cookie: g="5"; Path=/; Secure', "set-cookie:h", "Folded: 1\r\n 2\r\n\t3", "Empty:"),
    *("Spaced :  x  ", "No colon at all", "Accept: */*", "X-Note: a: b: c"),
]  # fmt: skip


def test_one_header_is_found_as_all_of_them_are() -> None:
    chance = random.Random(8)
    for _ in range(500):
        lines = chance.choices(LINES, k=chance.randrange(7))
        head = "\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode("latin-1")
        for name in ("Host", "cookie", "SET-COOKIE", "Folded", "Empty", "Accept", "x-note", "None"):
            expected = [value for key, value in pairs(head) if key.lower() == name.lower()]
            assert values(head, name) == expected
            assert value_of(head, name) == (expected[0] if expected else None)


def test_cookies_come_with_names_and_values_in_order() -> None:
    head = b'GET / HTTP/1.1\r\nCookie: a=1; b="2"; lone; =x\r\ncookie: c=3=4\r\n\r\n'
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: d=5; Path=/; HttpOnly\r\nset-cookie: e\r\n\r\n"
    assert [cookie[:3] for cookie in cookies(head, answer)] == [
        *(("in", "a", "1"), ("in", "b", "2"), ("in", "", "x"), ("in", "c", "3=4")),
        *(("out", "d", "5"), ("out", "e", "")),
    ]
    assert cookies(head, answer)[4].attributes == "Path=/; HttpOnly"


@pytest.mark.parametrize(("coding", "bits"), [("gzip", 31), ("deflate", 15)])
def test_bodies_are_unpacked_up_to_a_limit(coding: str, bits: int) -> None:
    packer = zlib.compressobj(wbits=bits)
    body = packer.compress(b"x" * 100_000) + packer.flush()
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n".encode()
    assert unpacked(head, body, 1_000) == b"x" * 1_000
    assert unpacked(head, body[:50], 10) == b"x" * 10
    assert unpacked(head, b"garbage", 5) == b"garba"
    assert unpacked(b"HTTP/1.1 200 OK\r\n\r\n", b"plain", 9) == b"plain"


def test_ignored_cookies_are_those_that_tornado_ignores() -> None:
    chance, letters = random.Random(82), 'ab=;; "\\,:/@\t|é1'
    start, ignored = RequestStartLine("GET", "/", "HTTP/1.1"), 0
    for _ in range(5_000):
        line = "".join(chance.choice(letters) for _ in range(chance.randrange(1, 20)))
        head = f"GET / HTTP/1.1\r\nHost: x\r\nCookie: {line}\r\n\r\n".encode("latin-1")
        request = HTTPServerRequest(
            headers=HTTPHeaders({"Host": "x", "Cookie": line}), start_line=start
        )
        read = {name for name, _ in sent_cookies(head) if is_name(name)}
        assert set(request.cookies) == read, line
        ignored += bool(ignored_cookies(head))
    assert 500 < ignored < 4_900


@pytest.mark.parametrize("text", ["Ålesund: b", "voilà", "à\u3000", "\x85", "a\x85b: c\xa0"])
def test_values_are_those_that_the_handler_gets(text: str) -> None:
    sent = text.encode()
    head = b"GET / HTTP/1.1\r\nX-City: %s\r\nCookie: a=%s; b=1\r\n\r\n" % (sent, sent)
    lines = head.decode("latin-1").partition("\r\n")[2]
    expected = list(HTTPHeaders.parse(lines).get_all())
    assert pairs(head) == expected
    assert values(head, "X-City") == [expected[0][1]]
    value = sent.decode("latin-1")
    assert sent_cookies(head) == [("a", value), ("b", "1")]
    response = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=%s; Path=/\r\n\r\n" % sent
    assert set_cookies(response) == [Cookie("out", "a", value, "Path=/")]
