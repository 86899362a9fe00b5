"""Cookies and XSRF checks in the real window, fired at the real server over HTTP."""

from __future__ import annotations

import concurrent.futures
import http.client
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel, QTreeWidget, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from app.application import Program
from app.recording import capture
from app.recording.events import Request
from app.recording.headers import sent_cookies
from app.server.jar import Cookie
from app.server.site import Route
from app.widgets.controls import Shot
from app.widgets.cookie_dialog import CookieDialog
from app.widgets.detail import TABS
from app.widgets.i18n import language
from app.widgets.theme import LIGHT
from app.widgets.xor_view import XorView

from .test_window import finished, fire, program
from .xsrf_rows import ACCEPTED, MASKED, REFUSED, WRONG, Case

__all__ = ["program"]

Send = Callable[[Case], Request]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def send(program: Program, qtbot: QtBot) -> Iterator[Send]:
    """Send a case from outside, in a thread; return the request that was recorded."""
    with concurrent.futures.ThreadPoolExecutor() as pool:

        def fire(case: Case) -> Request:
            known = len(finished(program, case.path))
            future = pool.submit(_send, program.session.host_and_port[1], case)
            qtbot.waitUntil(future.done)
            qtbot.waitUntil(lambda: len(finished(program, case.path)) > known)
            request = finished(program, case.path)[-1]
            assert request.status == future.result()
            return request

        yield fire


def _send(port: int, case: Case) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(case.method, case.path, case.body, case.all_headers)
    status = connection.getresponse().status
    connection.close()
    return status


def open_tab(program: Program, request_id: int, title: str) -> None:
    """Select a request and open a tab of it."""
    program.window.selection.select(request_id)
    program.window.detail.tabs.setCurrentIndex(TABS.index(title))


def xsrf_texts(program: Program) -> list[str]:
    """Return what the XSRF page says, from top to bottom."""
    page = program.window.detail.xsrf
    return [each.text() for each in page.findChildren(QLabel) if not each.isHidden()]


def fire_shot(program: Program, qtbot: QtBot, shot: Shot) -> None:
    """Fire, and wait until the window knows what came of it, and the client has the answer."""
    known = len(finished(program, shot.url))
    history = program.session.firing.history
    fired = len(history())
    program.session.fire(shot)
    qtbot.waitUntil(lambda: len(finished(program, shot.url)) > known)
    qtbot.waitUntil(lambda: len(history()) > fired and history()[-1].over)


def recorded(program: Program, folder: Path, query: str) -> list[Any]:
    """Write a recording and ask it."""
    file = folder / "x.loopscope"
    capture.write(program.store, file, {}, 1000, program.session.jars.fates)
    database = sqlite3.connect(file)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def login(program: Program, qtbot: QtBot, client: str, name: str) -> None:
    """Log a client in at the demo with the form's own token in a header."""
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    fire_shot(program, qtbot, Shot(client, "GET", "/login", [], b""))
    sent = Shot(client, "POST", "/login", form, f"name={name}".encode(), attach_xsrf=True)
    fire_shot(program, qtbot, sent)
    assert finished(program, "/login")[-1].status == 302


def jar_item(program: Program, client: str, name: str) -> QTreeWidgetItem | None:
    """Return the row of a cookie in the window's jars."""
    jars = program.window.cookies.jars
    tops = jars.findItems(client, Qt.MatchFlag.MatchExactly)
    children = [tops[0].child(at) for at in range(tops[0].childCount())] if tops else []
    return next((item for item in children if item is not None and item.text(0) == name), None)


def choose(qtbot: QtBot, tree: QTreeWidget, item: QTreeWidgetItem) -> None:
    """Click an item, near its left end: rows may be wider than what is seen of them."""
    tree.scrollToItem(item)
    place = tree.visualItemRect(item)
    qtbot.mouseClick(tree.viewport(), LEFT, pos=QPoint(place.left() + 12, place.center().y()))


def open_cookie(program: Program, qtbot: QtBot, client: str, name: str) -> CookieDialog:
    """Open the dialog of a cookie with the keyboard."""
    panel = program.window.cookies
    program.window.traffic.show_page(panel)
    qtbot.waitUntil(lambda: jar_item(program, client, name) is not None)
    item = jar_item(program, client, name)
    assert item is not None
    choose(qtbot, panel.jars, item)
    qtbot.keyClick(panel.jars, Qt.Key.Key_Return)
    assert panel.dialog is not None
    qtbot.waitUntil(panel.dialog.isVisible)
    return panel.dialog


# -- XSRF ----------------------------------------------------------------------------------


def test_each_way_to_fail_and_to_pass_has_its_verdict_in_window_and_recording(
    program: Program, qtbot: QtBot, send: Send, tmp_path: Path
) -> None:
    told: dict[int, tuple[str, str]] = {}
    for case in (*REFUSED, *ACCEPTED):
        request = send(case)
        open_tab(program, request.id, "XSRF")
        program.window.detail.refresh()
        english = xsrf_texts(program)
        passed = case.code == "passed"
        assert (request.status == 403) != passed, case
        assert english[0].startswith("✓ Passed" if passed else "✗ Refused with 403 · "), case
        assert ("Repair" in english) != passed, case
        language.choose("zh")
        chinese = xsrf_texts(program)
        language.choose("en")
        assert chinese[0].startswith("✓ 通过" if passed else "✗ 以 403 拒绝 · ")
        assert re.search("[一-鿿]", chinese[1]), case
        repair = "" if passed else english[english.index("Repair") + 1]
        if not passed:
            assert re.search("[一-鿿]", chinese[chinese.index("修复") + 1]), case
        told[request.id] = english[1], repair
    assert len({sentence for sentence, _ in told.values()}) == len(told) - 1  # DELETE says the same
    repairs = [repair for _, repair in told.values() if repair]
    assert len(set(repairs)) == len(REFUSED)
    rows = recorded(program, tmp_path, "SELECT request_id, verdict, detail FROM xsrf")
    kept = {number: (verdict, detail) for number, verdict, detail in rows}
    for (number, (sentence, repair)), case in zip(told.items(), (*REFUSED, *ACCEPTED), strict=True):
        verdict, detail = kept[number]
        assert verdict == case.code
        assert sentence in detail.splitlines()
        assert not repair or repair in detail.splitlines()


def test_both_tokens_are_unmasked_byte_by_byte(program: Program, send: Send) -> None:
    request = send(Case("wrong-token", WRONG))
    open_tab(program, request.id, "XSRF")
    view = program.window.detail.xsrf.findChild(XorView)
    assert view is not None
    spoken = view.accessibleDescription()
    assert f"Sent: _xsrf: {'ff' * 16} ⊕ 00000000 = {'ff' * 16}" in spoken
    masked = MASKED.split("|")[2]
    assert f"Cookie: {masked} ⊕ ffffffff = 000102030405060708090a0b0c0d0e0f" in spoken


def test_the_losing_source_is_shown(program: Program, send: Send) -> None:
    headers = (*Case("").headers, ("X-Xsrftoken", WRONG))
    request = send(Case("passed", MASKED, headers=headers))
    open_tab(program, request.id, "XSRF")
    assert "found in _xsrf; X-Xsrftoken is not looked at" in xsrf_texts(program)


def test_the_origin_check_alone_has_its_verdict_too(
    program: Program, send: Send, qtbot: QtBot, tmp_path: Path
) -> None:
    settings = {"xsrf_cookies": False, "cross_origin_protection": True}
    assert program.session.apply(program.session.site.with_settings(settings)) == []
    evil = ("Origin", "http://evil.example")
    socket = (evil, ("Connection", "Upgrade"), ("Upgrade", "websocket"))
    codes = {}
    for case in (
        Case("cross-site", headers=(("Sec-Fetch-Site", "same-site"),)),
        Case("foreign-origin", headers=(evil,)),
        Case("foreign-origin", method="GET", to="/chat/socket", headers=socket),
    ):
        request = send(case)
        assert request.status == 403
        open_tab(program, request.id, "XSRF")
        qtbot.waitUntil(lambda: "Repair" in xsrf_texts(program))
        words = {"cross-site": "cross-site", "foreign-origin": "foreign origin"}[case.code]
        assert xsrf_texts(program)[0] == f"✗ Refused with 403 · {words}"
        codes[request.id] = case.code
    own = send(Case("passed", headers=Case("").headers))
    assert own.status == 303
    open_tab(program, own.id, "XSRF")
    qtbot.waitUntil(lambda: "✓ Passed" in xsrf_texts(program))
    assert "The token is not checked, but the origin is." in xsrf_texts(program)
    codes[own.id] = "passed"
    send(Case("", method="GET"))
    rows = recorded(program, tmp_path, "SELECT request_id, verdict, detail FROM xsrf")
    assert {number: verdict for number, verdict, _ in rows} == codes
    assert len(rows) == len(codes)
    assert rows[1][2].startswith("It was sent by a page of http://evil.example")


def test_an_own_token_check_that_passes_does_not_hide_the_origin_check(
    program: Program, send: Send, tmp_path: Path
) -> None:
    source = (
        "from tornado.web import RequestHandler\n\n\n"
        "class Lenient(RequestHandler):\n"
        "    def check_xsrf_cookie(self) -> None:\n"
        "        pass\n\n"
        "    def post(self) -> None:\n"
        "        pass\n"
    )
    site = program.session.site.with_handler("lenient.py", source)
    route = Route("/lenient", "handlers.lenient.Lenient")
    assert program.session.apply(site.with_routes((route,))) == []
    request = send(Case("", to="/lenient", headers=(("Origin", "http://evil.example"),)))
    assert request.status == 403
    rows = recorded(program, tmp_path, "SELECT verdict FROM xsrf")
    assert rows == [("overridden",), ("foreign-origin",)]


# -- Signed cookies ------------------------------------------------------------------------


def test_an_edited_byte_fails_until_the_button_signs_and_both_can_be_sent(
    program: Program, qtbot: QtBot
) -> None:
    login(program, qtbot, "Alice", "alice")
    profile = fire(program, qtbot, "GET", "/profile")
    open_tab(program, profile.id, "Cookies")
    page = program.window.detail.cookies
    row = page.list.findItems("← user", Qt.MatchFlag.MatchExactly)[0]
    choose(qtbot, page.list, row)
    view = page.anatomy
    assert view.verdict.text() == "✓ get_signed_cookie(\"user\") → b'alice'"
    view.text.setFocus()
    qtbot.keyClick(view.text, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    last = view.text.toPlainText()[-1]
    qtbot.keyClick(view.text, Qt.Key.Key_Backspace)
    qtbot.keyClicks(view.text, "0" if last != "0" else "1")
    assert view.verdict.text() == '✗ get_signed_cookie("user") → None'
    assert [rung.name for rung in view.ladder.rungs if rung.state == "failed"] == ["signature"]
    qtbot.mouseClick(page.resend, LEFT)
    qtbot.waitUntil(lambda: len(finished(program, "/profile")) == 2)
    assert finished(program, "/profile")[-1].status == 302  # To the login page.
    program.window.selection.select(profile.id)
    view.plain.setText("admin")
    qtbot.mouseClick(view.sign, LEFT)
    assert view.verdict.text() == "✓ get_signed_cookie(\"user\") → b'admin'"
    qtbot.mouseClick(page.resend, LEFT)
    qtbot.waitUntil(lambda: len(finished(program, "/profile")) == 3)
    forged = finished(program, "/profile")[-1]
    assert forged.status == 200
    assert b"<strong>admin</strong>" in forged.response_body


def test_another_secret_ends_the_login_but_not_what_earlier_requests_got(
    program: Program, qtbot: QtBot
) -> None:
    login(program, qtbot, "Alice", "alice")
    before = fire(program, qtbot, "GET", "/profile")
    several = {"cookie_secret": {"1": "old", "2": "new"}, "key_version": 2}
    site = program.session.site
    assert program.session.apply(site.with_settings({**site.settings, **several})) == []
    after = fire(program, qtbot, "GET", "/profile")
    assert (before.status, after.status) == (200, 302)
    dialog = open_cookie(program, qtbot, "Alice", "user")
    view = dialog.anatomy
    assert view is not None
    assert [rung.name for rung in view.ladder.rungs if rung.state == "failed"] == ["key"]
    qtbot.mouseClick(view.sign, LEFT)
    assert view.verdict.text() == "✓ get_signed_cookie(\"user\") → b'alice'"
    assert view.text.value.startswith("2|1:2|")
    dialog.url.setText("/profile")
    qtbot.mouseClick(dialog.send, LEFT)
    qtbot.waitUntil(lambda: len(finished(program, "/profile")) == 3)
    assert finished(program, "/profile")[-1].status == 200
    dialog.close()
    page = program.window.detail.cookies
    for request, word in ((before, "✓"), (after, "✗")):
        open_tab(program, request.id, "Cookies")
        choose(qtbot, page.list, page.list.findItems("← user", Qt.MatchFlag.MatchExactly)[0])
        assert page.anatomy.verdict.text().startswith(word)


def test_a_cookie_is_added_edited_and_deleted_by_hand(program: Program, qtbot: QtBot) -> None:
    panel = program.window.cookies
    login(program, qtbot, "Alice", "alice")
    program.window.traffic.show_page(panel)
    qtbot.waitUntil(lambda: jar_item(program, "Alice", "user") is not None)
    top = panel.jars.findItems("Alice", Qt.MatchFlag.MatchExactly)[0]
    choose(qtbot, panel.jars, top)
    qtbot.mouseClick(panel.add, LEFT)
    dialog = panel.dialog
    assert dialog is not None
    qtbot.mouseClick(dialog.save, LEFT)
    assert dialog.banner.isVisible()  # It has no name yet.
    qtbot.keyClicks(dialog.form.name, "lang")
    dialog.tabs.setCurrentIndex(0)
    qtbot.keyClicks(dialog.text, "zh")
    dialog.url.setText("/")
    qtbot.mouseClick(dialog.send, LEFT)
    qtbot.waitUntil(lambda: bool(finished(program, "/")))
    home = finished(program, "/")[-1]
    assert ("lang", "zh") in sent_cookies(home.request_head)
    assert re.search("[一-鿿]", home.response_body.decode())
    dialog.text.setPlainText("en")
    dialog.form.path.setText("/asd")
    qtbot.mouseClick(dialog.save, LEFT)
    qtbot.waitUntil(lambda: "NotOnPath" in _along(program, "lang"))
    panel.url.setText("/asd/below")
    assert _along(program, "lang") == "✓"
    qtbot.mouseClick(dialog.delete, LEFT)
    qtbot.waitUntil(lambda: jar_item(program, "Alice", "lang") is None)
    assert jar_item(program, "Alice", "user") is not None


def _along(program: Program, name: str) -> str:
    item = jar_item(program, "Alice", name)
    return item.text(9) if item is not None else ""


def test_the_history_of_a_cookie_tells_where_it_was_set_and_came_back(
    program: Program, qtbot: QtBot
) -> None:
    login(program, qtbot, "Alice", "alice")
    login(program, qtbot, "Bob", "bob")
    profile = fire(program, qtbot, "GET", "/profile")
    dialog = open_cookie(program, qtbot, "Alice", "user")
    dialog.tabs.setCurrentWidget(dialog.history)
    items = [dialog.history.topLevelItem(at) for at in range(dialog.history.topLevelItemCount())]
    lines = [f"{item.text(1)} {item.text(2)}" for item in items if item is not None]
    assert lines == ["← came GET /profile", "→ set POST /login"]
    first = items[0]
    assert first is not None
    choose(qtbot, dialog.history, first)
    assert program.window.selection.request_id == profile.id
    dialog.close()


def test_withheld_and_refused_cookies_say_why_in_the_words_of_browsers(
    program: Program, qtbot: QtBot, send: Send, tmp_path: Path
) -> None:
    program.window.traffic.show_page(program.window.cookies)
    ghost = Cookie("ghost", "1", "127.0.0.1", path="/asd")
    program.session.jars.put("Alice", ghost)
    fire_shot(program, qtbot, Shot("script", "GET", "/login", [], b""))
    home = fire(program, qtbot, "GET", "/")
    events = program.window.cookies.events

    def lines() -> list[str]:
        items = [events.topLevelItem(at) for at in range(events.topLevelItemCount())]
        return [f"{i.text(1)} {i.text(2)} {i.text(3)}" for i in items if i is not None]

    qtbot.waitUntil(lambda: any(line.startswith("withheld ghost NotOnPath:") for line in lines()))
    assert any(re.match(r"refused _xsrf=.* UserPreferences:", line) for line in lines())
    open_tab(program, home.id, "Cookies")
    page = program.window.detail.cookies
    left = page.list.findItems("⊘ ghost", Qt.MatchFlag.MatchExactly)
    assert [item.text(2).partition(":")[0] for item in left] == ["NotOnPath"]
    garbage = send(Case("", cookie="2|x; rubbish; a b=1", method="GET", headers=()))
    qtbot.waitUntil(lambda: any(line.startswith("ignored rubbish") for line in lines()))
    rows = recorded(program, tmp_path, "SELECT direction, name, verdict, request_id FROM cookies")
    assert ("withheld", "ghost", "NotOnPath", home.id) in rows
    assert [row[:2] for row in rows if row[2] == "UserPreferences"] == [("out", "_xsrf")]
    ignored = [row for row in rows if row[2] == "ignored" and row[3] == garbage.id]
    assert ignored == [("in", "a b", "ignored", garbage.id), ("in", "", "ignored", garbage.id)]


def test_shown_cookies_follow_theme_and_language_and_edits_stay(
    program: Program, qtbot: QtBot
) -> None:
    window, theme = program.window, program.window.theme
    window.traffic.show_page(window.cookies)
    theme.set_scheme("dark")
    login(program, qtbot, "Alice", "alice")
    profile = fire(program, qtbot, "GET", "/profile")
    open_tab(program, profile.id, "Cookies")
    page, events = window.detail.cookies, window.cookies.events
    choose(qtbot, page.list, page.list.findItems("← user", Qt.MatchFlag.MatchExactly)[0])
    qtbot.waitUntil(lambda: bool(events.findItems("set", Qt.MatchFlag.MatchExactly, 1)))
    page.anatomy.text.setPlainText("an edit")
    theme.set_scheme("light")
    for tree in (page.list, events):
        item = tree.topLevelItem(0)
        assert item is not None
        assert item.foreground(2).color() in [getattr(LIGHT, each.name) for each in fields(LIGHT)]
    try:
        language.choose("zh")
        items = [page.list.topLevelItem(0), events.topLevelItem(0), page.list.headerItem()]
        said = [" ".join(item.text(at) for at in range(1, 4)) for item in items if item]
        assert all(re.search("[一-鿿]", text) for text in said), said
        question = page.anatomy.findChildren(QLabel)
        assert any(re.search("[一-鿿]", label.text()) for label in question)
    finally:
        language.choose("en")
    assert page.anatomy.text.toPlainText() == "an edit"
    theme.set_scheme("system")


def test_expiry_counts_down_without_any_traffic(program: Program, qtbot: QtBot) -> None:
    login(program, qtbot, "Alice", "alice")
    user = next(c for c in program.session.clients()[0].cookies if c.name == "user")
    dialog = open_cookie(program, qtbot, "Alice", "user")
    assert user.expires is not None
    dialog.form.max_age.setText("65")
    qtbot.mouseClick(dialog.save, LEFT)
    dialog.close()

    def shown() -> str:
        item = jar_item(program, "Alice", "user")
        return item.text(4) if item is not None else ""

    qtbot.waitUntil(lambda: re.fullmatch(r"1:0\d", shown()) is not None)
    before = shown()
    qtbot.waitUntil(lambda: shown() < before)


def test_two_clients_at_once_never_share_a_cookie(
    program: Program, qtbot: QtBot, qapp: QApplication
) -> None:
    for client, name in (("Alice", "alice"), ("Bob", "bob")):
        login(program, qtbot, client, name)
    own = {
        state.name: {(cookie.name, cookie.value.strip('"')) for cookie in state.cookies}
        for state in program.session.clients()[:2]
    }
    assert not own["Alice"] & own["Bob"]
    for client in own:
        program.session.fire(Shot(client, "GET", "/profile", [], b"", times=200, concurrency=8))
    qtbot.waitUntil(lambda: len(finished(program, "/profile")) == 400, timeout=20_000)
    requests = finished(program, "/profile")
    # They ran side by side: neither client waited for the other's burst.
    order = [request.client for request in requests]
    assert order != sorted(order, key=str)
    for client, shown in (("Alice", b"alice"), ("Bob", b"bob")):
        mine = [request for request in requests if request.client == client]
        assert len(mine) == 200
        assert {request.status for request in mine} == {200}
        assert all(set(sent_cookies(each.request_head)) == own[client] for each in mine)
        assert all(b"<strong>" + shown + b"</strong>" in each.response_body for each in mine)
