"""Breakpoints, from the real window on the real server."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTreeWidgetItem
from pytestqt.qtbot import QtBot

from app.application import Program
from app.server.breakpoints import Breakpoint
from app.widgets.request_columns import status_words
from app.widgets.request_menu import RequestMenu

from .test_window import Fetch, fetch, finished, fire, program
from .test_window_hold import Begin, begin

__all__ = ["begin", "fetch", "program"]


def show_breakpoints(program: Program) -> None:
    program.window.traffic.show_page(program.window.breakpoints)


def parked(program: Program, qtbot: QtBot) -> QTreeWidgetItem:
    """Wait for the first parked request in the list."""
    tree = program.window.breakpoints.tree

    def first() -> QTreeWidgetItem | None:
        point = tree.topLevelItem(0)
        return point.child(0) if point is not None and point.childCount() else None

    qtbot.waitUntil(lambda: first() is not None)
    item = first()
    assert item is not None
    return item


def test_a_request_is_parked_while_the_others_and_the_window_go_on(
    program: Program, qtbot: QtBot, begin: Begin, fetch: Fetch
) -> None:
    window = program.window
    panel = window.breakpoints
    undisturbed = fetch("/story/7")
    show_breakpoints(program)
    route = next(r.pattern for r in program.session.site.routes if "story" in r.pattern)
    panel.form.place.setCurrentText(route)
    assert panel.form.place.currentText() == route
    qtbot.mouseClick(panel.form.add, Qt.MouseButton.LeftButton)
    future = begin("/story/7")
    item = parked(program, qtbot)
    qtbot.waitUntil(lambda: item.text(1) == "" or "GET /story/7" in parked(program, qtbot).text(1))
    request = fire(program, qtbot, "GET", "/")
    assert request.status == 200
    assert [fetch("/")[0] for _ in range(5)] == [200] * 5
    assert not future.done()
    waiting = [task for task in program.session.waiting() if task.owner > 0]
    assert any(task.future == "parked_at_breakpoint" for task in waiting)
    assert any("Resume" in str(task.resolver) for task in waiting)
    number = program.session.breakpoints.parked()[0].request_id
    assert status_words(program.store.open_requests[number]) == "parked"
    before = parked(program, qtbot).text(3)
    qtbot.waitUntil(lambda: parked(program, qtbot).text(3) != before)
    qtbot.mouseClick(panel.resume, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(future.done)
    assert future.result() == undisturbed
    assert program.session.breakpoints.parked() == []


def test_the_menu_of_a_request_breaks_the_next_one_which_is_killed(
    program: Program, qtbot: QtBot, begin: Begin
) -> None:
    window = program.window
    first = fire(program, qtbot, "GET", "/story/1")
    menu = window.findChild(RequestMenu)
    assert menu is not None
    menu.menu(program.store.requests.rows[-1]).actions()[2].trigger()
    assert [point.stage for point in program.session.breakpoints.all()] == ["finish"]
    future = begin("/story/2")
    parked(program, qtbot)
    qtbot.mouseClick(window.breakpoints.kill, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(future.done)
    assert future.exception() is not None
    qtbot.waitUntil(lambda: bool(finished(program, "/story/2")))
    assert finished(program, "/story/2")[0].outcome == "aborted"
    assert first.outcome == "finished"


def test_keys_of_the_table_resume_and_kill_what_is_parked(
    program: Program, qtbot: QtBot, begin: Begin
) -> None:
    view = program.window.requests.view
    program.session.breakpoints.add(Breakpoint("verb", handler=_handler_of(program, "/story/1")))

    def park(path: str) -> Future[Any]:
        future = begin(path)
        qtbot.waitUntil(lambda: len(program.session.breakpoints.parked()) == 1)
        number = program.session.breakpoints.parked()[0].request_id
        qtbot.waitUntil(lambda: program.store.request(number) is not None)
        program.window.requests.refresh()
        program.window.selection.select(number)
        view.setFocus()
        qtbot.waitUntil(view.hasFocus)
        return future

    resumed = park("/story/1")
    qtbot.keyClick(view, Qt.Key.Key_A)
    qtbot.waitUntil(resumed.done)
    assert resumed.exception() is None
    killed = park("/story/2")
    qtbot.keyClick(view, Qt.Key.Key_X)
    qtbot.waitUntil(killed.done)
    assert killed.exception() is not None
    all_ = park("/story/3")
    qtbot.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(all_.done)
    assert all_.exception() is None


@pytest.mark.parametrize("end", ["stop", "quit", "paused"])
def test_the_server_ends_while_a_request_is_parked(
    program: Program, qtbot: QtBot, begin: Begin, end: str
) -> None:
    stages = ("received", "prepare", "verb", "finish")
    routes: list[Callable[[], object]] = []
    for stage, path in zip(stages, ("/", "/sleep", "/login", "/story/1"), strict=True):
        program.session.breakpoints.add(Breakpoint(stage, handler=_handler_of(program, path)))
        routes.append(begin(path).done)
    qtbot.waitUntil(lambda: len(program.session.breakpoints.parked()) == 4)
    if end == "paused":
        program.session.hold.pause()
    if end == "stop":
        program.session.stop_server()
        qtbot.waitUntil(lambda: all(done() for done in routes))
        assert program.session.breakpoints.parked() == []
    # For the others the fixture ends the program.


def _handler_of(program: Program, path: str) -> str:
    name = {"/": "Home", "/sleep": "Sleep", "/login": "Login", "/story/1": "Story"}[path]
    classes = [route.handler.rpartition(".")[2] for route in program.session.site.routes]
    return next(each for each in classes if each == f"{name}Handler")
