"""Editors: applying, problems, undo, closing."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.recording.store import Store
from app.server.site import Problem
from app.widgets.editor_page import FilePage
from app.widgets.main_window import MainWindow
from app.widgets.new_handler import NewHandler
from app.widgets.routes_editor import RoutesPage
from app.widgets.routes_model import HANDLER, KWARGS, ON, PATTERN, RoutesModel
from app.widgets.theme import Theme

from .fake_controls import FakeControls


@pytest.fixture
def controls() -> FakeControls:
    """The program's stand-in."""
    return FakeControls()


@pytest.fixture
def window(controls: FakeControls, qtbot: QtBot) -> MainWindow:
    """The window over an empty store."""
    window = MainWindow(Store(), controls, Theme())
    qtbot.addWidget(window, before_close_func=lambda w: w.editors.forget_changes())
    window.show()
    return window


def open_home(window: MainWindow) -> FilePage:
    """Open a handler's editor and change it."""
    window.editors.open_file("handlers", "home.py")
    page = window.editors.current()
    assert isinstance(page, FilePage)
    page.editor.insertPlainText("x = 1\n")
    return page


def test_applying_serves_the_text_and_a_problem_keeps_it_edited(
    window: MainWindow, controls: FakeControls
) -> None:
    page = open_home(window)
    assert page.modified
    controls.problems = [Problem("handlers/home.py", 2, 1, "bad"), Problem("site.toml", 0, 0, "x")]
    assert not window.editors.apply([page])
    assert page.modified
    assert page.editor.problem_at(2) == "bad"
    assert "bad" in page.banner.label.text()
    controls.problems = []
    assert window.editors.apply([page])
    assert not page.modified
    assert page.banner.isHidden()
    assert page.editor.problem_at(2) == ""
    assert controls.site.handlers["home.py"].startswith("x = 1\n")


def test_saving_applies_all_editors_first(window: MainWindow, controls: FakeControls) -> None:
    page = open_home(window)
    controls.problems = [Problem("handlers/home.py", 1, 0, "bad")]
    window.editors.save()
    assert controls.saved == []
    controls.problems = []
    window.editors.save()
    assert controls.saved == [None]
    assert not page.modified
    assert not window.editors.unsaved


def test_closing_a_modified_tab_asks(window: MainWindow) -> None:
    page = open_home(window)
    window.editors.close(page)
    box = window.findChild(QMessageBox)
    assert box is not None
    box.reject()
    assert page.key in window.editors.pages
    page.undo()
    assert not page.modified
    window.editors.close(page)
    assert page.key not in window.editors.pages


def test_closing_the_window_asks_when_something_would_be_lost(
    window: MainWindow, qtbot: QtBot
) -> None:
    open_home(window)
    closed: list[None] = []
    window.closed.connect(lambda: closed.append(None))
    assert not window.close()
    assert closed == []
    window.editors.forget_changes()
    assert window.close()
    assert closed == [None]


def test_routes_are_edited_with_undo(
    window: MainWindow, controls: FakeControls, qtmodeltester: ModelTester
) -> None:
    window.editors.open_routes(1)
    page = window.editors.current()
    assert isinstance(page, RoutesPage)
    model, before = page.model, page.model.routes
    assert model.setData(model.index(0, PATTERN), "/home")
    assert model.setData(model.index(0, KWARGS), "{broken")
    assert model.data(model.index(0, KWARGS)) == "{broken"
    page.undo()
    assert model.setData(model.index(0, KWARGS), '{"a": [1]}')
    model.move(0, 1)
    model.remove(5)
    page.add()
    assert page.modified
    for _ in range(5):
        page.undo()
    assert model.routes == before
    assert not page.modified
    for _ in range(5):
        page.redo()
    controls.problems = [Problem("site.toml", 0, 0, "no such handler", 1)]
    assert not window.editors.apply([page])
    assert model.data(model.index(1, HANDLER), 3) == "no such handler"
    controls.problems = []
    assert window.editors.apply([page])
    assert controls.site.routes == model.routes
    qtmodeltester.check(RoutesModel(controls.site.routes, Theme()))


def test_a_route_is_switched_off_with_its_box(window: MainWindow) -> None:
    window.editors.open_routes()
    page = window.editors.current()
    assert isinstance(page, RoutesPage)
    index = page.model.index(0, ON)
    assert page.model.setData(index, Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)
    assert not page.model.routes[0].enabled


def new_handler(window: MainWindow, qtbot: QtBot) -> NewHandler:
    """Press the + of the list of handlers."""
    window.site.tabs.setCurrentIndex(1)
    qtbot.mouseClick(window.tree.add_button, Qt.MouseButton.LeftButton)
    [dialog] = window.findChildren(NewHandler)
    assert isinstance(dialog, NewHandler)
    return dialog


def test_a_handler_is_added_from_a_snippet_with_its_route(
    window: MainWindow, controls: FakeControls, qtbot: QtBot
) -> None:
    dialog = new_handler(window, qtbot)
    dialog.list.setCurrentRow(1)
    dialog.name.selectAll()
    qtbot.keyClicks(dialog.name, "shop_cart")
    assert dialog.pattern.text() == "/shop_cart"
    assert "class ShopCartHandler(RequestHandler)" in dialog.code.text()
    qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)
    assert "class ShopCartHandler" in controls.site.handlers["shop_cart.py"]
    route = controls.site.routes[0]
    assert (route.pattern, route.handler) == ("/shop_cart", "handlers.shop_cart.ShopCartHandler")
    page = window.editors.current()
    assert isinstance(page, FilePage)
    assert page.key == "handlers/shop_cart.py"


def test_a_handler_may_come_without_a_route_and_its_name_must_be_free(
    window: MainWindow, controls: FakeControls, qtbot: QtBot
) -> None:
    dialog = new_handler(window, qtbot)
    before = controls.site.routes
    for name in ("home", "class", "a b", ""):
        dialog.name.setText(name)
        assert not dialog.ok.isEnabled()
        assert dialog.fault.text()
    dialog.name.setText("other")
    dialog.route.setChecked(False)
    controls.problems = [Problem("handlers/other.py", 1, 0, "bad luck")]
    qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)
    assert "bad luck" in dialog.fault.text()
    controls.problems = []
    qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)
    assert "other.py" in controls.site.handlers
    assert controls.site.routes == before


def test_a_template_with_a_bad_name_is_refused(window: MainWindow, controls: FakeControls) -> None:
    window.tree.add_template("../evil.html")
    assert "../evil.html" not in controls.site.templates
    assert window.banner.isVisible()
    window.tree.add_template("new.html")
    assert "new.html" in controls.site.templates


def test_the_client_panel_fires_what_it_says(window: MainWindow, controls: FakeControls) -> None:
    panel = window.clients
    panel.form.method.setCurrentText("POST")
    panel.form.url.setText("/login")
    panel.form.body.setPlainText("a=1")
    panel.form.headers.set_pairs([("no name", "1")])
    panel.shoot(1, 1)
    assert controls.shots == []
    panel.form.headers.set_pairs([("Accept", "text/html")])
    panel.shoot(50, 8)
    shot = controls.shots[0]
    assert (shot.client, shot.method, shot.url, shot.body) == ("Alice", "POST", "/login", b"a=1")
    assert shot[5:8] == (50, 8, False)
    assert ("Accept", "text/html") in shot.headers


def test_the_layout_can_be_reset(window: MainWindow) -> None:
    for dock in window.docks:
        dock.hide()
    window.reset_layout()
    assert [dock for dock in window.docks if dock.isHidden()] == [window.charts_dock]


def test_a_window_with_changed_routes_can_be_destroyed(qtbot: QtBot) -> None:
    window = MainWindow(Store(), FakeControls(), Theme())
    window.editors.open_routes()
    window.editors.open_file("handlers", "home.py")
    for page in window.editors.pages.values():
        if isinstance(page, RoutesPage):
            page.model.remove(0)
        elif isinstance(page, FilePage):
            page.editor.insertPlainText("x")
    with qtbot.waitSignal(window.destroyed):
        window.deleteLater()
