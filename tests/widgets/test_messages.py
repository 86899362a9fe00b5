"""Bodies as they are shown, and requests as command lines."""

from __future__ import annotations

import gzip

import pytest
from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.exchange.request import HttpRequest
from app.widgets.body_words import Part, as_text, hex_dump, multipart, pretty
from app.widgets.clients_body import guessed_type
from app.widgets.clients_form import example
from app.widgets.controls import Shot
from app.widgets.header_words import HEADERS
from app.widgets.i18n import load
from app.widgets.messages import MessageView
from app.widgets.shot_request import request_of
from app.widgets.theme import Theme

from .fake_clients import cookie


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
        (head("text/plain", "gzip"), gzip.compress(b"hello", mtime=0), "hello"),
        (head("text/plain", "gzip"), b"not gzip", "not gzip"),
        (head("text/html"), b"<script>alert(1)</script>", "<script>alert(1)</script>"),
        (head("text/plain; charset=gb2312"), "中文".encode("gb2312"), "中文"),
        (head('text/html; charset="iso-8859-1"'), b"caf\xe9", "café"),
        (head("text/plain; charset=utf-16"), "中".encode("utf-16"), "中"),
        (head("text/plain; charset=shift_jis"), "日本".encode("shift_jis")[:-1], "日"),
        (head("text/plain; charset=hex"), b"6869", "6869"),
        (head("text/plain; charset=nonsense"), "é".encode(), "é"),
        (head("text/plain; charset=ascii"), "é".encode(), "é"),
        (b"", b"", ""),
    ],
)
def test_bodies_are_shown_as_they_are_best_read(message: bytes, body: bytes, shown: str) -> None:
    assert pretty(message, body) == shown


FORM = (
    b'--X\r\nContent-Disposition: form-data; name="who"\r\n\r\n\xe4\xb8\xad\r\n'
    b'--X\r\nContent-Disposition: form-data; name="up"; filename="a \\"b\\".txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nline 1\r\n\r\nline 2\r\n"
    b"--X\r\ncontent-disposition: form-data; name=bin; filename=b.bin\r\n\r\n\x00\xff\r\n"
    b"--X--\r\n"
)
MULTIPART = "multipart/form-data; boundary=X"


def test_a_form_with_files_is_taken_apart() -> None:
    parts = multipart(MULTIPART, FORM)
    assert [(part.name, part.filename, part.body, part.whole) for part in parts] == [
        ("who", None, "中".encode(), True),
        ("up", 'a \\"b\\".txt', b"line 1\r\n\r\nline 2", True),
        ("bin", "b.bin", b"\0\xff", True),
    ]
    shown = pretty(head(MULTIPART), FORM).split("\n")
    assert shown[0] == "who = 中"
    assert shown[1].startswith('up = ▸ a \\"b\\".txt · text/plain · 16 B')
    assert "bin = ▸ b.bin · no type · 2 B" in shown
    assert "    000000  00 ff" in shown[-1]


def test_a_form_that_is_cut_is_taken_apart_as_far_as_it_goes() -> None:
    for at in range(len(FORM)):
        parts = multipart(MULTIPART, FORM[:at])
        assert all(isinstance(part, Part) for part in parts)
        assert pretty(head(MULTIPART), FORM[:at]) or at == 0
    [*_, last] = multipart(MULTIPART, FORM[:170])
    assert (last.name, last.whole) == ("up", False)
    assert multipart("multipart/form-data", FORM) == []


def png(width: int, height: int) -> bytes:
    """Return a red picture as a file."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(0xFF0000)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def test_pictures_are_shown_and_raw_they_are_bytes(qtbot: QtBot) -> None:
    view = MessageView(Theme())
    qtbot.addWidget(view)
    view.show()
    data = png(600, 300)
    view.show_message(head("image/png"), data, len(data))
    assert (view.picture.isVisible(), view.body.isVisible()) == (True, False)
    assert view.picture.pixmap().width() == 320
    assert view.picture.pixmap().height() == 160
    qtbot.mouseClick(view.findChild(QPushButton), Qt.MouseButton.LeftButton)
    assert (view.picture.isVisible(), view.body.isVisible()) == (False, True)
    assert view.body.toPlainText().startswith("000000  89 50 4e 47")


@pytest.mark.parametrize(("kind", "data"), [("image/png", b"none"), ("image/svg+xml", b"<svg/>")])
def test_what_is_no_picture_is_shown_as_it_is(qtbot: QtBot, kind: str, data: bytes) -> None:
    view = MessageView(Theme())
    qtbot.addWidget(view)
    view.show()
    view.show_message(head(kind), data, len(data))
    assert (view.picture.isVisible(), view.body.isVisible()) == (False, True)
    assert view.body.toPlainText() == data.decode()


def test_each_header_says_what_it_means(qtbot: QtBot) -> None:
    view = MessageView(Theme())
    qtbot.addWidget(view)
    view.show()
    view.show_message(b"GET / HTTP/1.1\r\nHOST: a\r\nX-Own: b\r\n\r\n", b"", 0)
    item = view.headers.item(0, 1)
    assert item is not None
    assert item.toolTip() == HEADERS["host"]
    view.headers.setCurrentCell(0, 0)
    assert view.meaning.isVisible()
    assert view.meaning.text() == f"HOST: {HEADERS['host']}"
    qtbot.keyClick(view.headers, Qt.Key.Key_Down)
    assert not view.meaning.isVisible()
    assert set(HEADERS.values()) <= set(load("zh"))


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
