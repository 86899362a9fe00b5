"""Rows 1 to 18 of the bad inputs: what is said of a route, where, and what goes on serving."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot
from tornado.httpclient import AsyncHTTPClient

from app.recording.recorder import Recorder
from app.recording.store import Store
from app.server.server import Server
from app.server.site import Route, Site, SiteError, remarks
from app.session.routing import Routing
from app.widgets.routes_editor import RoutesPage
from app.widgets.routes_model import FIELDS, with_text
from app.widgets.theme import Theme

from .speed import Turns, no_garbage

HANDLERS = """from tornado.web import RequestHandler

class Fine(RequestHandler):
    def get(self, *groups):
        self.write("fine")

class One(RequestHandler):
    def get(self, one):
        pass

class NoHandler:
    pass
"""
FINE = "handlers.h.Fine"
FILES = "tornado.web.StaticFileHandler"
DEEP = "/" + "(" * 100_000 + ")" * 100_000
COLUMNS = {field: column for column, field in FIELDS.items()}


class Row(NamedTuple):
    """A row of the catalogue: what is written into which field of a route, and what is said."""

    number: int
    route: Route
    field: str
    text: str
    column: int
    said: str


def row(number: int, field: str, text: str, column: int, said: str, route: Route) -> Any:
    return pytest.param(Row(number, route, field, text, column, said), id=f"row {number}")


ERRORS = [
    row(1, "pattern", "/(", 2, "missing )", Route("/", FINE)),
    row(2, "pattern", r"/(?P<a>\d)/(\d)", 12, "all named or all positional", Route("/", FINE)),
    row(3, "pattern", "/a(?i)b", 3, "global flags", Route("/", FINE)),
    row(4, "pattern", "/a{999999999999}", 3, "too large", Route("/", FINE)),
    row(5, "pattern", DEEP, 2, "nested too deeply", Route("/", FINE)),
    row(6, "pattern", "", 1, "is empty", Route("/", FINE)),
    row(9, "name", "home", 0, "route 1 has the name 'home'", Route("/b", FINE)),
    row(10, "handler", "handlers.h.NoHandler", 12, "not a RequestHandler", Route("/b", FINE)),
    row(11, "kwargs", "[1]", 1, "must be a table", Route("/b", FINE)),
    row(11, "kwargs", '{"a": }', 7, "Expecting value", Route("/b", FINE)),
    row(11, "kwargs", '{"a": null}', 1, "cannot be written", Route("/b", FINE)),
    row(11, "kwargs", "[" * 100_000, 1, "nested too deeply", Route("/b", FINE)),
    row(12, "pattern", "/(a)/(b)", 2, "do not fit get()", Route("/(x)", "handlers.h.One")),
    row(15, "pattern", "/a\0b", 3, "NUL", Route("/", FINE)),
    row(17, "handler", "handlers.h.Gone", 12, "no 'Gone' in h.py", Route("/b", FINE)),
    row(17, "handler", "handlers.gone.Gone", 10, "no handlers/gone.py", Route("/b", FINE)),
    row(18, "handler", FILES, 0, "needs kwargs", Route("/f/(.*)", FINE)),
]
WARNINGS = [
    row(7, "pattern", "b", 1, "no leading slash", Route("/b", FINE)),
    row(8, "pattern", "/", 0, "route 1 has the same pattern", Route("/b", FINE)),
    row(8, "pattern", "/all/new", 0, "route 2 matches /all/new too", Route("/b", FINE)),
    row(14, "name", "n", 0, "reverse_url('n') cannot", Route(r"/(?:a)(b(c))", FINE)),
]


def good(folder: Path) -> Site:
    routes = (Route("/", FINE, name="home"), Route("/all/(.*)", FINE))
    return Site(folder, routes=routes, handlers={"h.py": HANDLERS})


def written(site: Site, bad: Row) -> Site:
    """The site with what the row writes, in a third route."""
    return site.with_routes([*site.routes, with_text(bad.route, COLUMNS[bad.field], bad.text)])


@pytest.mark.parametrize("bad", ERRORS)
def test_the_last_good_version_goes_on_serving(bad: Row, tmp_path: Path) -> None:
    async def main() -> None:
        server = Server(Recorder())
        site = good(tmp_path)
        server.apply(site)
        _, port = server.start("127.0.0.1", 0)
        client = AsyncHTTPClient(force_instance=True)
        try:
            with pytest.raises(SiteError) as caught:
                server.apply(written(site, bad))
            (problem,) = caught.value.problems
            assert (problem.file, problem.route) == ("site.toml", 2)
            assert bad.said in problem.text
            answer = await client.fetch(f"http://127.0.0.1:{port}/")
            assert (answer.code, answer.body) == (200, b"fine")
            assert server.site == site
        finally:
            client.close()
            await server.close()

    asyncio.run(main())


@pytest.mark.parametrize("odd", WARNINGS)
def test_what_is_only_odd_is_served_and_remarked(odd: Row, tmp_path: Path) -> None:
    site = written(good(tmp_path), odd)
    server = Server(Recorder())
    try:
        server.apply(site)
    finally:
        asyncio.run(server.close())
    (remark,) = remarks(site)
    assert (remark.route, remark.field) == (2, odd.field)
    assert odd.said in remark.text


# In the window


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that has the good site."""
    server = Server(Recorder())
    server.apply(good(tmp_path))
    yield server
    asyncio.run(server.close())


@pytest.fixture
def page(server: Server, tmp_path: Path, qtbot: QtBot) -> RoutesPage:
    """The editor of the good site's routes."""
    routing = Routing(server, Store(), lambda: [server.root])
    page = RoutesPage(good(tmp_path), Theme(), routing)
    qtbot.addWidget(page)
    page.resize(900, 700)
    page.show()
    qtbot.waitUntil(lambda: page.tester.given is not None)
    return page


def type_into(page: RoutesPage, bad: Row, qtbot: QtBot) -> QLineEdit:
    """Add the row's route and write into its field, key by key where it is short."""
    page.model.add(2, bad.route)
    index = page.model.index(2, COLUMNS[bad.field])
    page.view.setCurrentIndex(index)
    qtbot.keyClick(page.view, Qt.Key.Key_F2)
    field = page.delegate.field
    assert field is not None
    field.selectAll()
    if 0 < len(bad.text) < 100 and "\0" not in bad.text:
        qtbot.keyClicks(field, bad.text)
    else:
        field.clear()
        field.insert(bad.text)
        field.setModified(True)
        field.textEdited.emit(bad.text)
    return field


@pytest.mark.parametrize("bad", [*ERRORS, *WARNINGS])
def test_it_is_said_below_the_field_while_typing(bad: Row, page: RoutesPage, qtbot: QtBot) -> None:
    field = type_into(page, bad, qtbot)
    of = "kwargs" if bad.number == 18 else bad.field
    qtbot.waitUntil(lambda: any(bad.said in str(f.words) for f in page.model.faults.get(2, ())))
    fault = next(f for f in page.model.faults[2] if bad.said in str(f.words))
    assert fault.field == of
    assert fault.column == bad.column or bad.number == 18
    if of == bad.field:
        assert page.delegate.bubble.isVisibleTo(page)
        assert bad.said in page.delegate.bubble.text()
        assert not bad.column or f"column {bad.column}" in page.delegate.bubble.text()
    assert page.faults.isVisibleTo(page)
    assert field.text().replace("\0", "") == bad.text[: field.maxLength()].replace("\0", "")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.delegate.field is None)
    qtbot.waitUntil(lambda: 2 in page.model.faults)
    assert page.parses == fault.warning
    assert page.model.data(page.model.index(2, COLUMNS[of]), Qt.ItemDataRole.ToolTipRole)


def test_a_route_that_was_refused_is_named_once_and_its_pattern_as_it_is_written(
    server: Server, page: RoutesPage, tmp_path: Path
) -> None:
    site = good(tmp_path)
    site = site.with_routes([*site.routes, Route(r"/tale/(?P<id>\d+", FINE)])
    with pytest.raises(SiteError) as caught:
        server.apply(site)
    page.show_problems(caught.value.problems)
    first = page.faults.item(0)
    assert first is not None
    assert first.text().startswith(r"✗ Route 3: column 7: pattern '/tale/(?P<id>\d+': missing )")


def test_10_000_routes_are_checked_and_tried_without_a_freeze(
    server: Server, tmp_path: Path, qtbot: QtBot
) -> None:
    routes = [Route(f"/page/{n}/(\\d+)", FINE) for n in range(10_000)]
    site = good(tmp_path).with_routes(routes)
    page = RoutesPage(site, Theme(), Routing(server, Store(), lambda: [server.root]))
    qtbot.addWidget(page)
    page.show()
    page.tester.url.setText("/page/9999/7")
    turns = Turns(page)
    with no_garbage():
        qtbot.waitUntil(lambda: "✓" in page.tester.answer.verdict.text(), timeout=30_000)
    assert turns.busiest < turns.all / 4
