"""The page of the static files, over the real server: each change is what the next request gets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage
from PySide6.QtWidgets import QFileDialog, QLineEdit
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot
from tornado.web import StaticFileHandler

from app.application import Program
from app.recording.store import Store
from app.server.static_files import StaticFolder
from app.session.projects import DEMO
from app.widgets.i18n import language, missing
from app.widgets.main_window import MainWindow
from app.widgets.static_model import PATH, URL, StaticModel
from app.widgets.static_page import StaticPage
from app.widgets.theme import Theme
from tests.test_window import Fetch, fetch, program

from .fake_controls import FakeControls
from .fake_static import FakeStatic

__all__ = ["fetch", "program"]
KEY = Qt.Key


def opened(window: MainWindow) -> StaticPage:
    """Open the page."""
    window.editors.open_static()
    page = window.editors.current()
    assert isinstance(page, StaticPage)
    return page


@pytest.fixture
def page(program: Program, qtbot: QtBot) -> StaticPage:
    """The page of the program's own site."""
    StaticFileHandler.reset()
    program.window.activateWindow()
    qtbot.waitUntil(program.window.isActiveWindow)
    return opened(program.window)


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A file outside of the project."""
    path = tmp_path / "style.css"
    path.write_text("body { color: red }")
    return path


def names(page: StaticPage) -> list[str]:
    return [file.name for file in page.model.files]


def in_the_page(fetch: Fetch) -> str:
    """Return the URL of the style sheet as the site's own pages name it with static_url."""
    found = re.search(r"/static/style\.css\?v=\w+", fetch("/login")[1])
    assert found is not None
    return found[0]


def test_a_file_is_chosen_alone_whatever_keys_are_held(page: StaticPage, qtbot: QtBot) -> None:
    qtbot.keyPress(page.view, KEY.Key_A, Qt.KeyboardModifier.ControlModifier)
    for name in names(page)[:2]:
        page.choose(name)
        assert page.chosen() == [name]
    qtbot.keyRelease(page.view, KEY.Key_Control)


def test_static_url_is_what_pages_say_and_a_replaced_file_has_another_hash(
    program: Program, page: StaticPage, fetch: Fetch, other: Path
) -> None:
    page.choose("style.css")
    before = page.url.text()
    assert before == in_the_page(fetch)
    old = fetch(before)
    page.replace("style.css", other)
    after = page.url.text()
    assert after != before
    assert after == in_the_page(fetch)
    assert fetch(after) == (200, "body { color: red }")
    assert page.banner.isVisibleTo(page)
    assert after.partition("?v=")[2][:16] in page.banner.label.text()
    program.window.editors.undo()
    assert page.url.text() == before == in_the_page(fetch)
    assert fetch(before) == old
    program.window.editors.redo()
    assert page.url.text() == after == in_the_page(fetch)


def test_a_change_on_the_disk_shows_that_tornado_remembers_the_older_hash(
    program: Program, page: StaticPage, fetch: Fetch, other: Path, qtbot: QtBot
) -> None:
    before = in_the_page(fetch)
    (program.session.site.folder / "static" / "style.css").write_bytes(other.read_bytes())
    page.look()
    row = page.model.row_of("style.css")
    assert page.model.data(page.model.index(row, URL)) == before == in_the_page(fetch)
    tip = page.model.data(page.model.index(row, URL), Qt.ItemDataRole.ToolTipRole)
    assert "remembers" in tip
    program.session.apply(program.session.site.with_settings({"static_hash_cache": False}))
    page.look()
    after = page.model.data(page.model.index(row, URL))
    assert after != before
    assert after == in_the_page(fetch)


def test_files_are_added_renamed_and_deleted_with_undo(
    page: StaticPage, fetch: Fetch, other: Path, qtbot: QtBot
) -> None:
    before = names(page)
    added = other.rename(other.with_name("new.css"))
    page.add([added])
    assert fetch("/static/new.css") == (200, "body { color: red }")
    assert page.chosen() == ["new.css"]
    page.rename()
    field = page.view.findChild(QLineEdit)
    assert field is not None
    field.setText("css/other.css")
    qtbot.keyClick(field, KEY.Key_Return)
    qtbot.waitUntil(lambda: "css/other.css" in names(page))
    assert fetch("/static/new.css")[0] == 404
    assert fetch("/static/css/other.css")[0] == 200
    page.choose("css/other.css")
    page.view.setFocus()
    qtbot.keyClick(page.view, KEY.Key_Delete)
    assert fetch("/static/css/other.css")[0] == 404
    assert names(page) == before
    for step in ("css/other.css", "new.css"):
        page.undo()
        assert fetch(f"/static/{step}") == (200, "body { color: red }")
    page.undo()
    assert names(page) == before


def test_dropped_files_are_added_and_folders_are_not(
    page: StaticPage, fetch: Fetch, other: Path
) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in (other, other.parent)])
    actions = Qt.DropAction.CopyAction
    none = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    page.dropEvent(QDropEvent(QPointF(9, 9), actions, data, none[1], none[0]))
    assert fetch("/static/style.css") == (200, "body { color: red }")


def test_names_that_leave_the_folder_or_are_taken_are_refused(page: StaticPage) -> None:
    before = names(page)
    index = page.model.index(page.model.row_of("style.css"), PATH)
    for name in ("../evil.css", "/tmp/evil.css", ".hidden", "a\\b.css", ""):
        page.banner.hide()
        assert not page.model.setData(index, name)
        assert page.banner.isVisibleTo(page)
        assert names(page) == before
    assert not page.model.setData(index, "chat.js")
    assert "chat.js is there already" in page.banner.label.text()
    assert {"style.css", "chat.js"} <= set(names(page))


def test_pictures_text_and_bytes_are_previewed(page: StaticPage, tmp_path: Path) -> None:
    picture = QImage(30, 20, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.red)
    assert picture.save(str(tmp_path / "red.png"))
    (tmp_path / "raw.bin").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no picture")
    (tmp_path / "long.txt").write_text("世" * 100_000)
    page.add([tmp_path / name for name in ("red.png", "raw.bin", "broken.png", "long.txt")])
    preview = page.preview
    page.choose("red.png")
    assert preview.note.text() == "30 × 20"
    assert preview.stack.currentWidget() is preview.picture
    page.choose("raw.bin")
    assert preview.note.text() == "bytes, the first 4,096 bytes"
    assert "00 01 02 03" in preview.text.toPlainText()
    page.choose("broken.png")
    assert "89 50 4e 47" in preview.text.toPlainText()
    page.choose("long.txt")
    assert preview.note.text() == "text, the first 262,144 bytes"
    assert set(preview.text.toPlainText()) == {"世"}
    page.choose("scope.svg")
    assert preview.stack.currentWidget() is preview.picture


def test_files_of_the_disk_appear_while_the_page_is_seen(
    program: Program, page: StaticPage, qtbot: QtBot
) -> None:
    (program.session.site.folder / "static" / "from outside.txt").write_text("x")
    qtbot.waitUntil(lambda: "from outside.txt" in names(page))
    program.window.centre.tabs.setCurrentIndex(0)
    assert not page._look.isActive()


def test_a_site_without_static_files_gets_them(program: Program, fetch: Fetch, other: Path) -> None:
    site = program.session.site
    (site.folder / "static").rename(site.folder / "gone")
    program.session.apply(site)
    page = opened(program.window)
    assert page.body.empty.isVisibleTo(page)
    page.add([other])
    assert fetch("/static/style.css") == (200, "body { color: red }")
    assert not page.body.empty.isVisibleTo(page)
    assert page.url.text().startswith("/static/style.css?v=")


def test_a_folder_outside_of_the_project_is_only_looked_at(
    program: Program, tmp_path: Path, other: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text("x")
    site = program.session.site
    program.session.apply(site.with_settings({"static_path": str(outside)}))
    page = opened(program.window)
    assert names(page) == ["a.txt"]
    page.add([other])
    assert names(page) == ["a.txt"]
    assert "outside of the project" in page.banner.label.text()
    assert not any(button.isEnabled() for button in page.edit_buttons)


def test_files_are_chosen_in_a_dialog(page: StaticPage, fetch: Fetch, other: Path) -> None:
    page.choose_files()
    dialog = page.findChild(QFileDialog)
    assert dialog is not None
    dialog.filesSelected.emit([str(other)])
    dialog.reject()
    assert fetch("/static/style.css") == (200, "body { color: red }")


def test_what_must_not_be_changed_says_why(qtbot: QtBot) -> None:
    controls = FakeControls()
    controls.fake_static.root = StaticFolder(DEMO / "static")
    controls.fake_static.refusal = "The demo stays as it is"
    window = MainWindow(Store(), controls, Theme())
    qtbot.addWidget(window)
    window.show()
    page = opened(window)
    assert page.banner.isVisibleTo(page)
    assert page.banner.label.text() == "The demo stays as it is"
    page.remove()
    page.choose_files()
    assert page.findChild(QFileDialog) is None
    assert controls.fake_static.changes == 0
    language.choose("zh")
    missing.clear()
    page.retranslate()
    language.choose("en")
    assert missing == set()


def test_the_model_is_a_good_one(qtmodeltester: ModelTester, qtbot: QtBot) -> None:
    static = FakeStatic()
    static.root = StaticFolder(DEMO / "static")
    page = QLineEdit()
    qtbot.addWidget(page)
    qtmodeltester.check(StaticModel(static, Theme(), page))
