"""The list of the routes in the site's card: fast with very many, and found by typing."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.recording.store import Store
from app.server.site import Route, Site
from app.widgets.main_window import MainWindow
from app.widgets.routes_editor import RoutesPage
from app.widgets.site_routes import RouteRow, SiteRoutes
from app.widgets.theme import Theme
from tests.speed import cost
from tests.widgets.fake_controls import FakeControls

MANY = 100_000


def window_of(many: int, qtbot: QtBot) -> MainWindow:
    controls = FakeControls()
    routes = tuple(Route(f"/page/{n}", "handlers.h.Page", enabled=n != 1) for n in range(many))
    controls.apply(Site(Path("demo"), routes=routes, handlers={"h.py": ""}))
    window = MainWindow(Store(), controls, Theme())
    qtbot.addWidget(window)
    window.resize(1200, 800)
    window.show()
    return window


def test_one_of_very_many_routes_is_found_by_typing(qtbot: QtBot) -> None:
    window = window_of(MANY, qtbot)
    routes = window.tree.routes
    assert routes.model().rowCount() == MANY
    window.activateWindow()
    routes.setFocus()
    finding = cost(lambda: qtbot.keyClicks(routes, "/page/99998"))
    qtbot.waitUntil(lambda: routes.currentIndex().row() == 99_998)
    model = routes.model()
    # Qt itself would ask for nearly all of them.
    assert finding < 3 * cost(lambda: [model.index(row, 0).data() for row in range(0, MANY, 10)])
    assert routes.visualRect(routes.currentIndex()).intersects(routes.viewport().rect())


def test_return_opens_the_route_in_the_editor(qtbot: QtBot) -> None:
    window = window_of(20, qtbot)
    window.tree.routes.selectRow(17)
    qtbot.keyClick(window.tree.routes, Qt.Key.Key_Return)
    page = window.editors.pages["site.toml"]
    assert isinstance(page, RoutesPage)
    assert page.view.currentIndex().row() == 17


def test_a_route_is_listed_with_its_class_and_tells_the_rest(
    qtbot: QtBot, qtmodeltester: ModelTester
) -> None:
    window = window_of(3, qtbot)
    model = window.tree.routes.model()
    roles = Qt.ItemDataRole
    assert [model.index(1, column).data() for column in (0, 1)] == ["/page/1", "Page"]
    assert model.index(1, 1).data(roles.ToolTipRole) == "handlers.h.Page"
    colours = [model.index(row, 0).data(roles.ForegroundRole) for row in (0, 1)]
    assert colours == [window.theme.colours.text, window.theme.colours.faint]
    small = SiteRoutes(Theme())
    small.routes.show_routes([Route("/a", "x.Y")], lambda _: RouteRow("/a", "Y", "", ""))
    qtmodeltester.check(small.routes)


def test_an_empty_list_says_what_it_is_for_once_it_may_be_edited(qtbot: QtBot) -> None:
    window = window_of(0, qtbot)
    controls = window.controls
    holder = window.tree.routes.parentWidget()
    assert isinstance(controls, FakeControls)
    assert holder is not None
    button = holder.findChild(QPushButton)
    assert isinstance(button, QPushButton)
    for editable, offered in ((True, True), (False, False), (True, True)):
        controls.may_edit = editable
        controls.server_changed.emit()
        assert button.isVisible() is offered
    assert button.text() == "Edit the routes"
