"""The editor of the routes: order, and the tester below it."""

from __future__ import annotations

import ast
import asyncio
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QModelIndex, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.recording.recorder import Recorder
from app.recording.store import Store
from app.server import routing
from app.server.server import Server
from app.server.site import Route, Site
from app.server.trial import Outcome
from app.session.routing import Routing
from app.widgets.i18n import language, load
from app.widgets.route_tester_rules import PATH
from app.widgets.routes_editor import RoutesPage
from app.widgets.routes_model import ON, PATTERN, RoutesModel
from app.widgets.theme import Theme

from .sample import MS, batch, request

HANDLERS = """from tornado.web import RequestHandler

class Home(RequestHandler):
    def get(self):
        pass

class Story(RequestHandler):
    def initialize(self, size=10):
        pass

    def get(self, number):
        pass
"""
ROUTES = (
    Route("/", "handlers.h.Home", name="home"),
    Route(r"/story/(\d+)", "handlers.h.Story", name="story"),
    Route("/last", "handlers.h.Home"),
)


@pytest.fixture
def store() -> Store:
    """A store with three requests to the server."""
    store = Store()
    rows = []
    places = (("/", "Home"), ("/story/7", "Story"), ("/story/7", "Story"))
    for at, (path, handler) in enumerate(places, 1):
        row = list(request(at, at * MS, at * MS + 5, 200, f"GET {path}"))
        row[6:8] = ["/" if at == 1 else r"/story/(\d+)", handler]
        row[11] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
        rows.append(tuple(row))
    store.apply(batch(requests=rows))
    return store


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of the routes."""
    server = Server(Recorder())
    server.apply(Site(tmp_path, routes=ROUTES, handlers={"h.py": HANDLERS}))
    yield server
    asyncio.run(server.close())


@pytest.fixture
def page(server: Server, store: Store, qtbot: QtBot) -> RoutesPage:
    """The editor of what the server serves."""
    assert server.site is not None
    page = RoutesPage(server.site, Theme(), Routing(server, store, lambda: [server.root]))
    qtbot.addWidget(page)
    page.resize(900, 700)
    page.show()
    qtbot.waitUntil(lambda: "✓" in page.tester.answer.verdict.text())
    return page


def verdict(page: RoutesPage, url: str, qtbot: QtBot) -> str:
    """Type an address and return what is said at the end."""
    tester = page.tester
    tester.url.clear()
    qtbot.keyClicks(tester.url, url)
    qtbot.keyClick(tester.url, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: tester.given is not None and tester.given.asked.uri == url)
    return tester.answer.verdict.text()


def patterns(page: RoutesPage) -> list[str]:
    return [route.pattern for route in page.model.routes]


def drop(page: RoutesPage, row: int, before: int) -> None:
    """Drag a row to the place before another."""
    data = page.model.mimeData([page.model.index(row, PATTERN)])
    move = Qt.DropAction.MoveAction
    page.model.dropMimeData(data, move, before, 0, QModelIndex())


def test_rows_are_dragged_and_moved_by_keys(page: RoutesPage, qtbot: QtBot) -> None:
    drop(page, 0, 3)
    assert patterns(page) == [r"/story/(\d+)", "/last", "/"]
    assert page.view.currentIndex().row() == 2
    drop(page, 2, 0)
    assert patterns(page) == ["/", r"/story/(\d+)", "/last"]
    for same in (1, 2):
        drop(page, 1, same)
        assert patterns(page) == ["/", r"/story/(\d+)", "/last"]
    page.view.setFocus()
    page.view.setCurrentIndex(page.model.index(0, PATTERN))
    qtbot.keyClick(page.view, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert patterns(page) == [r"/story/(\d+)", "/", "/last"]
    page.undo()
    page.undo()
    page.undo()
    assert patterns(page) == ["/", r"/story/(\d+)", "/last"]
    assert not page.modified


def test_a_dropped_row_of_another_kind_does_nothing(
    page: RoutesPage, qtmodeltester: ModelTester
) -> None:
    data = QMimeData()
    data.setText("1")
    move = Qt.DropAction.MoveAction
    assert not page.model.dropMimeData(data, move, 0, 0, QModelIndex())
    assert not page.modified
    qtmodeltester.check(page.model)
    qtmodeltester.check(page.tester.rules.tried)


def test_the_tester_tells_rule_after_rule(page: RoutesPage, qtbot: QtBot) -> None:
    assert verdict(page, "/story/7", qtbot) == "✓ rule 2 → Story.get()"
    rows = page.tester.rules.tried.rows
    assert [one.outcome for one in rows] == [Outcome.NO, Outcome.MATCH, Outcome.LATER]
    assert page.tester.rules.currentIndex().row() == 1
    capture = page.tester.answer.capture
    assert capture.isVisibleTo(page)
    assert capture.accessibleName() == "/story/7 → get(number='7')"
    facts = page.tester.answer.facts.text()
    assert "initialize(size=10)" in facts
    assert "reverse_url('story', '7') is this path" in facts
    assert verdict(page, "/story/x", qtbot) == "✗ no rule matches: 404"
    tried = page.tester.rules.tried
    assert tried.data(tried.index(1, PATH)) == "7 of 8 characters fit, then 'x' does not"
    assert "Closest: rule 2" in page.tester.answer.facts.text()
    page.tester.method.setEditText("POST")
    assert verdict(page, "/", qtbot).startswith("✗ rule 1 → Home.post(): 405")
    page.tester.method.setEditText("TWO WORDS")
    qtbot.waitUntil(lambda: page.tester.answer.verdict.text() == "a method is one word")


def test_what_is_edited_is_tried_and_compared_with_what_is_served(
    page: RoutesPage, server: Server, qtbot: QtBot
) -> None:
    page.model.setData(page.model.index(1, PATTERN), r"/tale/(\d+)")
    qtbot.waitUntil(lambda: page.model.faults == {} and page.tester.edited)
    assert verdict(page, "/story/7", qtbot) == "✗ no rule matches: 404"
    now = page.tester.answer.now
    qtbot.waitUntil(lambda: now.text() == "Served now: rule 2 → Story.get()")
    assert now.isVisibleTo(page)
    assert server.site is not None
    site = page.into(server.site)
    server.apply(site)
    page.served(site)
    qtbot.waitUntil(lambda: not page.tester.edited)
    assert verdict(page, "/tale/7", qtbot) == "✓ rule 2 → Story.get()"
    assert not now.isVisibleTo(page)


def test_recorded_requests_that_would_go_elsewhere_are_listed(
    page: RoutesPage, server: Server, qtbot: QtBot
) -> None:
    tester = page.tester
    tester.tabs.setCurrentIndex(1)
    qtbot.waitUntil(lambda: tester.note.text() == "0 requests would go elsewhere")
    assert tester.moved_or_none.empty.isVisibleTo(page)
    page.model.setData(page.model.index(1, PATTERN), r"/story/(\w+)")  # The same handler answers.
    qtbot.waitUntil(lambda: tester.edited)
    qtbot.waitUntil(lambda: tester.note.text() == "0 requests would go elsewhere")
    box = page.model.index(1, ON)
    page.model.setData(box, Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)
    qtbot.waitUntil(lambda: tester.note.text() == "2 requests would go elsewhere")
    item = tester.moved.topLevelItem(0)
    assert item is not None
    texts = [item.text(column) for column in range(4)]
    assert texts == ["2", "GET /story/7", r"Story   /story/(\d+)", "404"]
    assert server.site is not None
    site = page.into(server.site)
    server.apply(site)
    page.served(site)
    qtbot.waitUntil(lambda: not tester.edited)
    qtbot.waitUntil(lambda: tester.note.text() == "2 requests would go elsewhere")
    tester.moved.itemActivated.emit(tester.moved.topLevelItem(0), 0)
    assert tester.url.text() == "/story/7"
    assert tester.tabs.currentIndex() == 0


def test_a_broken_route_is_told_among_the_rules(page: RoutesPage, qtbot: QtBot) -> None:
    page.model.setData(page.model.index(0, PATTERN), "/(")
    qtbot.waitUntil(lambda: 0 in page.model.faults)
    assert verdict(page, "/last", qtbot) == "✓ rule 2 → Home.get()"
    broken = page.tester.rules.tried.rows[-1]
    assert (broken.outcome, broken.rule.route) == (Outcome.BROKEN, 0)
    page.faults.setFocus()
    page.faults.setCurrentRow(0)
    qtbot.keyClick(page.faults, Qt.Key.Key_Return)
    field = page.delegate.field
    assert field is not None
    assert (field.text(), field.cursorPosition()) == ("/(", 1)


def test_keys_and_names(page: RoutesPage, qtbot: QtBot) -> None:
    qtbot.keyClick(page.view, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert page.focusWidget() is page.tester.url
    controls: tuple[QWidget, ...] = (
        *(page.tester.url, page.tester.host, page.tester.method, page.tester.rules),
        *(page.tester.moved, page.tester.tabs, page.view, page.faults),
    )
    assert all(control.accessibleName() for control in controls)


MODULES = ("answering", "routing", "rules", "site/route_checking")


def words(module: str) -> set[str]:
    """Return every text that a module of the server puts into words."""
    tree = ast.parse((Path(routing.__file__).parent / f"{module}.py").read_text("utf-8"))
    found = set()
    for node in ast.walk(tree):
        called = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Words"
        named = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "text"
        value = node.args[0] if called else node.value if named else None  # type: ignore[attr-defined]
        if isinstance(value, ast.Constant):
            found.add(str(value.value))
    return found - {""}


def test_all_that_is_said_of_routes_is_said_in_chinese_too() -> None:
    texts = {text for name in MODULES for text in words(name)}
    assert len(texts) > 25
    assert {text for text in texts if text not in load("zh")} == set()
    assert {outcome.value for outcome in Outcome} <= set(load("zh"))


def test_the_language_changes_what_is_said(page: RoutesPage, qtbot: QtBot) -> None:
    try:
        language.choose("zh")
        page.retranslate()
        assert verdict(page, "/none", qtbot) == "✗ 没有规则匹配：404"
    finally:
        language.choose("en")


def test_many_edits_of_many_routes_can_be_undone_and_keep_only_what_changed(qtbot: QtBot) -> None:
    routes = [Route(f"/{n}", "handlers.h.Page") for n in range(5_000)]
    model = RoutesModel(routes, Theme())
    before = model.routes
    tracemalloc.start()
    try:
        for at in range(50):
            assert model.setData(model.index(at * 7, PATTERN), f"/edited/{at}")
            assert model.move(at, 1)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 500_000
    after = model.routes
    assert model.undo_stack.count() == 100
    while model.undo_stack.canUndo():
        model.undo_stack.undo()
    assert model.routes == before
    while model.undo_stack.canRedo():
        model.undo_stack.redo()
    assert model.routes == after
