"""Bodies as they are shown, and requests as command lines."""

from __future__ import annotations

import gzip

import pytest
from pytestqt.qtbot import QtBot

from app.exchange.request import HttpRequest
from app.widgets.clients_body import guessed_type
from app.widgets.clients_form import example
from app.widgets.controls import Shot
from app.widgets.messages import MessageView, as_text, hex_dump, pretty
from app.widgets.shot_request import request_of
from app.widgets.theme import Theme

from .fake_controls import cookie


def head(content_type: str, coding: str = "") -> bytes:
    """Return a response head."""
    extra = f"Content-Encoding: {coding}\r\n" if coding else ""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{extra}\r\n".encode()


@pytest.mark.parametrize(
    ("message", "body", "shown"),
    [
        (head("application/json"), '{"a":"中"}'.encode(), '{\n  "a": "中"\n}'),
        (head("application/json"), b'{"cut":', '{"cut":'),
        (head("application/json"), b"[" * 50_000, "[" * 50_000),
        (head("application/x-www-form-urlencoded"), b"a=1&long=%E4%B8%AD", "a    = 1\nlong = 中"),
        (head("text/plain", "gzip"), gzip.compress(b"hello"), "hello"),
        (head("text/plain", "gzip"), b"not gzip", "not gzip"),
        (head("text/html"), b"<script>alert(1)</script>", "<script>alert(1)</script>"),
        (b"", b"", ""),
    ],
)
def test_bodies_are_shown_as_they_are_best_read(message: bytes, body: bytes, shown: str) -> None:
    assert pretty(message, body) == shown


def test_binary_is_a_dump_and_cut_text_is_text() -> None:
    assert as_text(b"\xff\xfe\x00\x01 binary") is None
    assert as_text("中文".encode()[:-1]) == "中"
    assert hex_dump(b"A\x00") == f"000000  {'41 00':<47}  A·"


def test_markup_in_a_message_stays_text(qtbot: QtBot) -> None:
    view = MessageView(Theme())
    qtbot.addWidget(view)
    view.show_message(b"GET /<b>x</b> HTTP/1.1\r\nX: <img src=a>\r\n\r\n", b"<h1>no</h1>", 11)
    assert view.body.toPlainText() == "<h1>no</h1>"
    item = view.headers.item(0, 1)
    assert item is not None
    assert item.text() == "<img src=a>"


def test_a_shot_is_copied_with_what_the_jar_adds() -> None:
    shot = Shot("Alice", "POST", "/a", [("X", "it's")], b"@/etc/passwd&x='1'", attach_xsrf=True)
    request = request_of(shot, "http://h/a?b=1&c=2", [cookie("_xsrf", "tok en")])
    assert request == HttpRequest(
        "POST",
        "http://h/a?b=1&c=2",
        (("X", "it's"), ("X-Xsrftoken", "tok en"), ("Cookie", "_xsrf=tok en")),
        b"@/etc/passwd&x='1'",
    )


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/", "/"),
        (r"/story/(?P<id>\d+)", "/story/1"),
        (r"/a\.html$", "/a.html"),
        (r"/files/(.*)", "/files/x"),
    ],
)
def test_routes_give_examples(pattern: str, path: str) -> None:
    assert example(pattern) == path


def test_the_type_of_a_body_is_guessed() -> None:
    assert guessed_type(b' {"a": 1}') == "application/json"
    assert guessed_type(b"a=1") == "application/x-www-form-urlencoded"
