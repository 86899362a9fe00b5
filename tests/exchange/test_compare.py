"""How responses differ, and requests made ready to be sent again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.exchange.compare import Difference, body_lines, differences
from app.exchange.entry import Entry, Response, WebSocketMessage
from app.exchange.replay import again, can_be_sent
from app.exchange.request import HttpRequest

FORM = ("Content-Type", "application/x-www-form-urlencoded")
MULTIPART = ("Content-Type", "multipart/form-data; boundary=x")
PART = b'--x\r\nContent-Disposition: form-data; name="_xsrf"\r\n\r\n[redacted]\r\n'
OLD, NOW = "http://127.0.0.1:8888", "http://127.0.0.1:9999"
OK = Response(200, "OK", headers=(("A", "1"), ("Date", "x")), body=b"one\ntwo\nthree")


def entry(request: HttpRequest, response: Response = OK) -> Entry:
    return Entry(request, response, datetime.now(UTC))


def test_equal_answers_do_not_differ() -> None:
    assert differences(OK, OK) == []
    assert differences(OK, replace(OK, version="HTTP/2", body_size=9)) == []


def test_status_headers_and_body() -> None:
    now = Response(404, "Not Found", headers=(("a", "2"), ("B", "3"), ("Date", "y")), body=b"one")
    assert differences(OK, now) == [
        Difference("status", "", "200 OK", "404 Not Found"),
        Difference("header", "A", "1", "2"),
        Difference("header", "B", None, "3"),
        Difference("header", "Date", "x", "y", usual=True),
        Difference("body", "", "13 B", "3 B"),
    ]
    assert body_lines(OK, now) == ["@@ -1,3 +1 @@", " one", "-two", "-three"]


def test_new_tokens_are_usual() -> None:
    token, other = (f"2|{mask * 8}|{mask * 32}|17000{mask}" for mask in "12")
    cookie = "_xsrf={}; expires={}; Path=/"
    old = replace(OK, headers=(("Set-Cookie", cookie.format(token, 1)),), body=token.encode())
    new = replace(OK, headers=(("Set-Cookie", cookie.format(other, 2)),), body=other.encode())
    assert [one.usual for one in differences(old, new)] == [True, True]
    gone = replace(new, headers=())
    assert [one.usual for one in differences(old, gone)] == [False, True]
    hidden = replace(old, headers=(), body=b'<input value="[redacted]"> you')
    now = replace(hidden, body=b'<input value="secret"> you')
    assert [one.usual for one in differences(hidden, now)] == [True]
    assert [one.usual for one in differences(hidden, replace(now, body=b"other"))] == [False]


def test_hidden_values_may_stand_in_many_places() -> None:
    old = replace(OK, body=b"a[redacted]" * 200)
    assert [one.usual for one in differences(old, replace(old, body=b"a" * 5_000))] == [True]
    assert [one.usual for one in differences(old, replace(old, body=b"a" * 5_000 + b"<"))] == [
        False
    ]


def test_of_a_body_that_was_cut_only_the_beginning_counts() -> None:
    cut = replace(OK, body=b"one", note="the first 3 of 13 bytes")
    assert differences(cut, OK) == []
    assert [one.what for one in differences(cut, replace(OK, body=b"two three"))] == ["body"]


def test_bytes_and_very_long_texts_tell_their_first_difference() -> None:
    assert body_lines(replace(OK, body=b"\0ab"), replace(OK, body=b"\0ac")) == ["@@ byte 2 @@"]
    long = b"x\n" * 50_000
    assert body_lines(replace(OK, body=long), replace(OK, body=long + b"y")) == [
        "@@ byte 100000 @@"
    ]


# -- Again -----------------------------------------------------------------------------------


def test_it_goes_to_the_server_as_it_is_now() -> None:
    headers = (
        *(("Host", "127.0.0.1:8888"), ("Origin", OLD), ("Referer", f"{OLD}/form")),
        *(("Cookie", "a=b"), ("Connection", "close"), ("X-Other", OLD), FORM),
    )
    sent = again(entry(HttpRequest("POST", f"{OLD}//x?a=1", headers, b"n=1")), NOW, cookies=True)
    kept = (
        *(("Origin", NOW), ("Referer", f"{NOW}/form"), ("Cookie", "a=b"), ("X-Other", OLD), FORM),
    )
    assert sent == (HttpRequest("POST", f"{NOW}//x?a=1", kept, b"n=1"), False)


def test_pages_of_others_stay_what_they_are() -> None:
    headers = (("Origin", "http://127.0.0.1:88889"), ("Referer", "http://evil.example/"))
    sent = again(entry(HttpRequest("POST", f"{OLD}/", headers)), NOW, cookies=True)
    assert sent.request.headers == headers


@pytest.mark.parametrize(
    ("request_", "body", "path"),
    [
        (HttpRequest("POST", f"{OLD}/", (FORM,), b"_xsrf=[redacted]&n=1"), b"n=1", "/"),
        (HttpRequest("POST", f"{OLD}/", (FORM,), b"n=1&_xsrf=[redacted]"), b"n=1", "/"),
        (HttpRequest("POST", f"{OLD}/?a=1&_xsrf=[redacted]&b=2"), b"", "/?a=1&b=2"),
        (HttpRequest("PUT", f"{OLD}/", (("X-Xsrftoken", "[redacted]"),), b"{}"), b"{}", "/"),
        (
            HttpRequest(
                "POST",
                f"{OLD}/",
                (MULTIPART, ("Cookie", "_xsrf=[redacted]")),
                PART + b"--x--\r\n",
            ),
            b"--x--\r\n",
            "/",
        ),
    ],
)
def test_what_was_left_out_comes_from_the_client(
    request_: HttpRequest, body: bytes, path: str
) -> None:
    sent = again(entry(request_), NOW, cookies=True)
    assert sent.attach_xsrf
    assert sent.request.body == body
    assert sent.request.url == NOW + path
    assert "[redacted]" not in str(sent.request.headers)


def test_the_clients_own_cookies_can_go_instead() -> None:
    headers = (("Cookie", "_xsrf=t"), ("X-Xsrftoken", "t"), FORM)
    request = HttpRequest("POST", f"{OLD}/", headers, b"_xsrf=t&n=1")
    sent = again(entry(request), NOW, cookies=False)
    assert sent == (HttpRequest("POST", f"{NOW}/", (FORM,), b"n=1"), True)
    page = again(entry(request._replace(method="GET", body=b"")), NOW, cookies=False)
    assert not page.attach_xsrf


def test_what_is_answered_only_once_can_be_sent() -> None:
    get = entry(HttpRequest("GET", f"{OLD}/"))
    assert can_be_sent(get)
    assert not can_be_sent(entry(HttpRequest("GET", f"{OLD}/"), Response(101)))
    assert not can_be_sent(entry(HttpRequest("GET", f"{OLD}/", (("Upgrade", "websocket"),))))
    assert not can_be_sent(replace(get, messages=(WebSocketMessage("send", 0, 1, "x"),)))
