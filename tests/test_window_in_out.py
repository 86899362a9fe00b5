"""Requests out of the real window and into it, against the real server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QDialog, QFileDialog, QMenu
from pytestqt.qtbot import QtBot

from app.application import Program
from app.loop import TickLoop
from app.options import Options
from app.recording.events import Request
from app.session.projects import DEMO
from app.widgets.controls import Shot
from app.widgets.curl_dialog import CurlDialog
from app.widgets.har_export import HarExportDialog
from app.widgets.replay import ReplayDialog, Replayed
from app.widgets.request_menu import RequestMenu

FORM = [("Content-Type", "application/x-www-form-urlencoded")]


@pytest.fixture
def program(running_loop: TickLoop, qtbot: QtBot, tmp_path: Path) -> Iterator[Program]:
    """The whole program with a copy of the demo, serving on a free port."""
    folder = tmp_path / "demo"
    shutil.copytree(DEMO, folder)
    options = Options(project=folder, port=0, trust=True, lang="en")
    program = Program(options, running_loop, running_loop.recorder)
    task = running_loop.create_task(program.run())
    qtbot.waitUntil(lambda: program.session.address is not None and program.window.isVisible())
    yield program
    program.ended.set()
    qtbot.waitUntil(task.done)
    assert task.result() == 0


def fire(program: Program, qtbot: QtBot, shot: Shot) -> Request:
    """Fire a request; return it when the window knows of its end and the client has the answer."""
    before = len(program.store.requests)
    history = program.session.firing.history
    fired = len(history())
    program.session.fire(shot)
    qtbot.waitUntil(lambda: len(history()) > fired and history()[-1].over)
    qtbot.waitUntil(lambda: len(program.store.requests) > before)
    number = program.store.requests.rows[before][0]
    qtbot.waitUntil(lambda: ended(program, number) is not None)
    request = ended(program, number)
    assert request is not None
    return request


def ended(program: Program, number: int) -> Request | None:
    request = program.store.request(number)
    return request if request is not None and request.outcome else None


def trigger(program: Program, menu: str, *names: str) -> None:
    """Choose a command of the menu bar by its names."""
    bar = program.window.menus._bar
    found: QMenu | None = None
    actions: list[QAction] = bar.actions()
    for name in (menu, *names):
        action = next(one for one in actions if one.text().replace("&", "") == name)
        found = action.menu()  # type: ignore[assignment]
        if isinstance(found, QMenu):
            found.aboutToShow.emit()
            actions = found.actions()
        else:
            assert action.isEnabled()
            action.trigger()


def dialog(program: Program, kind: type[QDialog]) -> QDialog:
    """Return the one open dialog of a kind."""
    (found,) = [one for one in program.window.findChildren(kind) if one.isVisible()]
    return found


def choose_file(program: Program, qtbot: QtBot, path: Path) -> None:
    """Answer the file dialog."""
    chooser = dialog(program, QFileDialog)
    assert isinstance(chooser, QFileDialog)
    chooser.fileSelected.emit(str(path))
    chooser.reject()


def log_in(program: Program, qtbot: QtBot) -> list[Request]:
    page = fire(program, qtbot, Shot("Alice", "GET", "/login", [], b""))
    body = b"name=alice&password=hunter22"
    login = Shot("Alice", "POST", "/login", FORM, body, attach_xsrf=True)
    return [
        page,
        fire(program, qtbot, login),
        fire(program, qtbot, Shot("Alice", "GET", "/profile", [], b"")),
    ]


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_a_request_copied_as_curl_does_the_same_again(program: Program, qtbot: QtBot) -> None:
    requests = log_in(program, qtbot)
    assert [request.status for request in requests] == [200, 302, 200]
    program.window.selection.select(requests[1].id)
    qtbot.keyClick(
        program.window,
        Qt.Key.Key_C,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    command = QGuiApplication.clipboard().text()
    assert program.window.banner.label.text() == "Copied as cURL (bash)"
    before = len(program.store.requests)
    done = subprocess.Popen(["bash", "-c", f"{command} -q -s -o {os.devnull}"])
    qtbot.waitUntil(lambda: done.poll() is not None)
    assert done.returncode == 0
    qtbot.waitUntil(lambda: len(program.store.requests) > before)
    number = program.store.requests.rows[-1][0]
    qtbot.waitUntil(lambda: ended(program, number) is not None)
    again = ended(program, number)
    assert again is not None
    assert (again.method, again.uri, again.status) == ("POST", "/login", 302)
    assert again.request_body == requests[1].request_body
    heads = [sorted(one.request_head.lower().splitlines()) for one in (again, requests[1])]
    assert heads[0] == heads[1]


@pytest.mark.parametrize(
    ("form", "part"),
    [
        ("cURL (Windows cmd)", 'curl ^"http://127.0.0.1:'),
        ("HTTPie", "http --ignore-stdin POST http://127.0.0.1:"),
        ("Tornado: AsyncHTTPClient", "AsyncHTTPClient().fetch(request"),
        ("Tornado: AsyncHTTPTestCase", "self.assertEqual(response.code, 302)"),
    ],
)
def test_a_request_is_copied_in_other_forms(
    program: Program, qtbot: QtBot, form: str, part: str
) -> None:
    program.window.selection.select(log_in(program, qtbot)[1].id)
    trigger(program, "Request", "Copy as", form)
    assert part in QGuiApplication.clipboard().text()


def test_a_bodys_end_that_was_not_recorded_is_told(program: Program, qtbot: QtBot) -> None:
    shot = Shot("Alice", "POST", "/login", FORM, b"a=" + b"b" * 100_000, attach_xsrf=True)
    program.window.selection.select(fire(program, qtbot, shot).id)
    trigger(program, "Request", "Copy as", "HTTPie")
    assert "only the first 65.5 kB" in program.window.banner.label.text()
    trigger(program, "Request", "Copy as", "Tornado: AsyncHTTPTestCase")
    assert "Not copied: only 65536 bytes" in program.window.banner.label.text()


def test_a_body_is_saved_to_a_file(program: Program, qtbot: QtBot, tmp_path: Path) -> None:
    shot = Shot("Alice", "GET", "/", [("Accept-Encoding", "gzip")], b"")
    request = fire(program, qtbot, shot)
    context = program.window.findChild(RequestMenu)
    assert context is not None
    menu = context.menu(program.store.requests.rows[-1])
    texts = {action.text(): action for action in menu.actions()}
    assert not texts["Save request body…"].isEnabled()
    texts["Save response body…"].trigger()
    choose_file(program, qtbot, tmp_path / "page.html")
    assert (tmp_path / "page.html").read_bytes() == request.response_body
    assert program.window.banner.label.text() == "Saved page.html"
    texts["Save response body…"].trigger()
    choose_file(program, qtbot, tmp_path / "none" / "page.html")
    assert "Not saved" in program.window.banner.label.text()
    menu.close()


def export(
    program: Program, qtbot: QtBot, path: Path, which: str, *, secrets: bool = False
) -> None:
    trigger(program, "File", "Export HAR…")
    asked = dialog(program, HarExportDialog)
    assert isinstance(asked, HarExportDialog)
    asked.which.setCurrentIndex(asked.which.findText(which, Qt.MatchFlag.MatchStartsWith))
    if secrets:
        qtbot.mouseClick(asked.secrets, Qt.MouseButton.LeftButton)
        assert asked.warning.isVisible()
    qtbot.mouseClick(asked.export, Qt.MouseButton.LeftButton)
    choose_file(program, qtbot, path)
    qtbot.waitUntil(path.exists)


def replay(program: Program, qtbot: QtBot, path: Path) -> ReplayDialog:
    trigger(program, "File", "Import HAR…")
    choose_file(program, qtbot, path)
    qtbot.waitUntil(lambda: bool(program.window.findChildren(ReplayDialog)))
    found = dialog(program, ReplayDialog)
    assert isinstance(found, ReplayDialog)
    return found


def rows(shown: ReplayDialog) -> list[Replayed]:
    return [Replayed(*row) for row in shown.rows]


def results(shown: ReplayDialog) -> list[str]:
    model = shown.model
    return [model.index(at, 5).data() for at in range(model.rowCount())]


@pytest.mark.parametrize("secrets", [False, True])
def test_exported_requests_are_replayed(
    program: Program, qtbot: QtBot, tmp_path: Path, secrets: bool
) -> None:
    log_in(program, qtbot)
    path = tmp_path / "out.har"
    export(program, qtbot, path, "All requests (3)", secrets=secrets)
    text = path.read_text("utf-8")
    assert ("hunter22" in text) == secrets
    assert len(json.loads(text)["log"]["entries"]) == 3
    program.session.jars.clear("Alice")
    shown = replay(program, qtbot, path)
    shown.client.setCurrentText("Bob")
    qtbot.mouseClick(shown.all, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: all(row.now is not None for row in rows(shown)))
    assert [row.now.status for row in rows(shown) if row.now] == [200, 302, 200]
    assert all(text.startswith("✓") for text in results(shown)), results(shown)
    qtbot.waitUntil(lambda: len(program.store.requests) == 6)
    assert [row[2] for row in program.store.requests.rows[3:]] == ["Bob"] * 3
    shown.close()


def test_the_difference_to_the_site_as_it_is_now_is_shown(
    program: Program, qtbot: QtBot, tmp_path: Path
) -> None:
    fire(program, qtbot, Shot("Alice", "GET", "/story/7", [], b""))
    path = tmp_path / "out.har"
    program.window.selection.select(program.store.requests.rows[-1][0])
    export(program, qtbot, path, "The selected request (#1)")
    site = program.session.site
    source = site.handlers["greeting.py"]
    assert "class StoryHandler(BaseHandler):\n" in source
    changed = source.replace(
        "class StoryHandler(BaseHandler):\n",
        "class StoryHandler(BaseHandler):\n"
        "    def prepare(self):\n"
        "        self.set_status(418)\n"
        '        self.set_header("X-New", "1")\n'
        '        self.finish("gone")\n\n',
    )
    assert program.session.apply(site.with_handler("greeting.py", changed)) == []
    shown = replay(program, qtbot, path)
    shown.view.setFocus()
    qtbot.keyClick(shown.view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: rows(shown)[0].now is not None)
    assert results(shown) == ["✗ 3 differences"]
    text = shown.difference.toPlainText()
    assert "✗ Status: 200 OK  →  418 " in text
    assert "✗ X-New: absent  →  1" in text
    assert "\n+gone" in text
    program.session.stop_server()
    qtbot.waitUntil(lambda: program.session.address is None)
    qtbot.mouseClick(shown.one, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: results(shown) == ["✗ no answer"])
    assert "refused the connection" in shown.difference.toPlainText()
    shown.close()


def test_a_replay_can_be_stopped_and_its_window_closed(
    program: Program, qtbot: QtBot, tmp_path: Path
) -> None:
    entry = {
        "request": {"method": "GET", "url": "http://127.0.0.1:1/wait", "headers": []},
        "response": {"status": 200},
        "startedDateTime": "2026-01-01T00:00:00Z",
        "timings": {},
    }
    path = tmp_path / "wait.har"
    path.write_text(json.dumps({"log": {"entries": [entry, entry, {}]}}))
    shown = replay(program, qtbot, path)
    assert "Faults in the file: 1. The first: entries[2]" in shown.problems.text()
    qtbot.mouseClick(shown.all, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(program.store.open_requests) == 1)
    qtbot.mouseClick(shown.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(shown.all.isEnabled)
    assert [row.now is None for row in rows(shown)] == [False, True]
    qtbot.mouseClick(shown.all, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(program.store.open_requests) == 1)
    shown.close()
    program.session.cancel_fire()
    qtbot.waitUntil(lambda: not program.store.open_requests)


def test_a_broken_file_is_told_in_words(program: Program, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "broken.har"
    path.write_bytes(b'{"log": {"entries": [')
    trigger(program, "File", "Import HAR…")
    choose_file(program, qtbot, path)
    qtbot.waitUntil(program.window.banner.isVisible)
    assert "ends too early, at line 1" in program.window.banner.label.text()
    trigger(program, "File", "Import HAR…")
    choose_file(program, qtbot, tmp_path / "none.har")
    qtbot.waitUntil(lambda: "No such file" in program.window.banner.label.text())
    path.write_bytes(b'{"log": {"entries": []}}')
    program.window.in_out.open_har(path)
    qtbot.waitUntil(lambda: "no requests in broken.har" in program.window.banner.label.text())


def test_a_curl_command_is_imported_and_fired(program: Program, qtbot: QtBot) -> None:
    form = program.window.clients.form
    trigger(program, "File", "Import cURL…")
    asked = dialog(program, CurlDialog)
    assert isinstance(asked, CurlDialog)
    asked.text.setPlainText("curl 'http://h")
    assert asked.problem.text() == "Line 1, column 6: this quote is not closed"
    assert not asked.take.isEnabled()
    command = (
        f"curl '{program.session.address}upload?x=1' -X PUT -k -L -H 'X-A: b' "
        "-b 'c=d' --data-raw $'a\\r\\nb\\xff'"
    )
    asked.text.setPlainText(command)
    qtbot.mouseClick(asked.take, Qt.MouseButton.LeftButton)
    assert form.url.text() == "/upload?x=1"
    assert form.method.currentText() == "PUT"
    assert form.follow.isChecked()
    assert program.window.banner.label.text() == "Imported, without -k"
    before = len(program.store.requests)
    qtbot.mouseClick(program.window.clients.fire, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(program.store.requests) > before)
    number = program.store.requests.rows[-1][0]
    qtbot.waitUntil(lambda: ended(program, number) is not None)
    request = ended(program, number)
    assert request is not None
    assert request.method == "PUT"
    assert request.request_body == b"a\r\nb\xff"
    assert b"\r\nCookie: c=d\r\n" in request.request_head


def test_a_curl_command_pasted_for_a_url_is_taken_in(program: Program, qtbot: QtBot) -> None:
    form = program.window.clients.form
    QGuiApplication.clipboard().setText("curl http://127.0.0.1:1/x \\\n  -d 'a=1'")
    form.url.setFocus()
    form.url.selectAll()
    qtbot.keyClick(form.url, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert form.url.text() == "http://127.0.0.1:1/x"
    assert form.method.currentText() == "POST"
    assert form.body.toPlainText() == "a=1"
    QGuiApplication.clipboard().setText("curl http://h -d @/etc/passwd")
    form.url.selectAll()
    qtbot.keyClick(form.url, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert "would read a file" in program.window.banner.label.text()
