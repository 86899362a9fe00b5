"""The settings' editor: controls, search, help, undo, secrets, what is not edited here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.recording.store import Store
from app.server.settings import SETTINGS
from app.server.signed_cookies import Keys
from app.server.site import Problem
from app.widgets.editor_page import FilePage
from app.widgets.i18n import language, missing
from app.widgets.main_window import MainWindow
from app.widgets.parts import IconButton
from app.widgets.settings_controls import Eye, TextControl
from app.widgets.settings_page import SettingsPage
from app.widgets.settings_secret import SecretControl
from app.widgets.static_page import StaticPage
from app.widgets.theme import Theme

from .fake_controls import FakeControls


@pytest.fixture
def controls() -> FakeControls:
    """The program's stand-in, with some settings."""
    controls = FakeControls()
    controls._site = replace(
        controls._site,
        settings={"xsrf_cookies": True, "my_own": {"a": [1]}},
        server={"max_body_size": 1000},
    )
    return controls


@pytest.fixture
def window(controls: FakeControls, qtbot: QtBot) -> MainWindow:
    """The window over an empty store."""
    window = MainWindow(Store(), controls, Theme())
    qtbot.addWidget(window, before_close_func=lambda w: w.editors.forget_changes())
    window.resize(1400, 900)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


@pytest.fixture
def page(window: MainWindow) -> SettingsPage:
    """The page, opened."""
    window.editors.open_settings()
    page = window.editors.current()
    assert isinstance(page, SettingsPage)
    return page


def line(page: SettingsPage, name: str) -> QLineEdit:
    """Return the line of a setting, emptied."""
    found = page.list.rows[name].control.findChild(QLineEdit)
    assert found is not None
    found.clear()
    return found


def text(page: SettingsPage, name: str) -> TextControl:
    """Return the control of a setting that is typed."""
    control = page.list.rows[name].control
    assert isinstance(control, TextControl)
    return control


def value(page: SettingsPage, name: str) -> Any:
    return page.model.values.get(name)


def test_every_setting_has_a_row_with_its_value(page: SettingsPage) -> None:
    assert page.list.rows.keys() == SETTINGS.keys() | {"my_own"}
    rows = page.list.rows
    box = rows["xsrf_cookies"].control.findChild(QCheckBox)
    assert box is not None
    assert box.isChecked()
    assert rows["xsrf_cookies"].reset.isVisibleTo(page)
    assert text(page, "max_body_size").line.text() == "1000"
    assert text(page, "my_own").line.text() == '{"a": [1]}'
    assert not rows["gzip"].reset.isVisibleTo(page)
    assert "100 MiB" in rows["max_body_size"].default.toolTip()
    for row in rows.values():
        field = row.control.focusProxy()
        assert field is not None
        assert field.accessibleName().startswith(row.setting.name)


def test_edits_of_all_kinds_are_applied_together(
    page: SettingsPage, window: MainWindow, controls: FakeControls, qtbot: QtBot
) -> None:
    box = page.list.rows["compress_response"].control.findChild(QCheckBox)
    assert box is not None
    qtbot.keyClick(box, Qt.Key.Key_Space)
    qtbot.keyClicks(line(page, "websocket_ping_interval"), "2.5")
    qtbot.keyClicks(line(page, "trusted_origins"), "https://a.example, https://b.example")
    qtbot.keyClicks(line(page, "xsrf_cookie_kwargs"), '{"httponly": true}')
    qtbot.keyClicks(line(page, "max_header_size"), "2048")
    qtbot.keyClicks(line(page, "my_own"), "[1, 2]")
    choice = page.list.rows["xsrf_cookie_version"].control.findChild(QComboBox)
    assert choice is not None
    qtbot.keyClick(choice, Qt.Key.Key_Down)
    assert page.modified
    qtbot.keyClick(box, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert not page.modified
    assert controls.site.settings == {
        "xsrf_cookies": True,
        "my_own": [1, 2],
        "compress_response": True,
        "websocket_ping_interval": 2.5,
        "trusted_origins": ["https://a.example", "https://b.example"],
        "xsrf_cookie_kwargs": {"httponly": True},
        "xsrf_cookie_version": 1,
    }
    assert controls.site.server == {"max_body_size": 1000, "max_header_size": 2048}


NO_VALUES = [
    ("websocket_ping_interval", "often", "must be a number"),
    ("max_body_size", "-1", "must not be negative"),
    ("max_header_size", "1.5", "must be a whole number"),
    ("xsrf_cookie_kwargs", "{broken", "must be a table"),
    ("xsrf_cookie_kwargs", '{"path": null}', "must be a table"),
    ("trusted_origins", "https://a.example/path", "without a path"),
    ("my_own", "1e999", "must be JSON"),
]


def test_what_is_no_value_is_named_at_its_field_and_not_applied(
    page: SettingsPage, window: MainWindow, controls: FakeControls, qtbot: QtBot
) -> None:
    for name, written, said in NO_VALUES:
        field = line(page, name)
        qtbot.keyClicks(field, written)
        assert said in page.list.rows[name].fault.text()
        assert field.text() == written
        assert field.property("state") == "error"
        assert not page.parses
        assert not window.editors.apply([page])
        assert controls.applied == []
        assert name in page.banner.label.text()
        page.undo()
        assert page.list.rows[name].fault.isHidden()
        assert not page.modified


def test_what_the_server_refuses_is_shown_at_its_field(
    page: SettingsPage, window: MainWindow, controls: FakeControls, qtbot: QtBot
) -> None:
    controls.problems = [Problem("site.toml", 0, 0, "setting 'ui_modules': handlers.no: none")]
    qtbot.keyClicks(line(page, "ui_modules"), "handlers.no")
    assert not window.editors.apply([page])
    assert "handlers.no: none" in page.list.rows["ui_modules"].fault.text()
    assert page.list.current() == "ui_modules"
    controls.problems = []
    assert window.editors.apply([page])
    assert page.list.rows["ui_modules"].fault.isHidden()


def test_one_setting_is_reset_by_button_and_by_key(page: SettingsPage, qtbot: QtBot) -> None:
    qtbot.mouseClick(page.list.rows["xsrf_cookies"].reset, Qt.MouseButton.LeftButton)
    assert value(page, "xsrf_cookies") is None
    page.go_to("max_body_size")
    field = text(page, "max_body_size").line
    qtbot.keyClick(field, Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier)
    assert "max_body_size" not in page.model.values
    assert field.text() == ""
    page.undo()
    page.undo()
    assert not page.modified
    assert field.text() == "1000"


def test_undo_reaches_over_all_fields_and_typing_is_one_step(
    page: SettingsPage, window: MainWindow, qtbot: QtBot
) -> None:
    qtbot.keyClicks(line(page, "login_url"), "/login")
    field = line(page, "body_timeout")
    field.setFocus()
    qtbot.keyClicks(field, "12")
    for keys, login, body in (
        (Qt.KeyboardModifier.ControlModifier, "/login", None),
        (Qt.KeyboardModifier.ControlModifier, None, None),
    ):
        qtbot.keyClick(field, Qt.Key.Key_Z, keys)
        assert (value(page, "login_url"), value(page, "body_timeout")) == (login, body)
    window.editors.redo()
    window.editors.redo()
    assert (value(page, "login_url"), value(page, "body_timeout")) == ("/login", 12)
    assert field.text() == "12"


def test_search_finds_names_and_explanations(page: SettingsPage, qtbot: QtBot) -> None:
    def seen() -> set[str]:
        return {name for name, row in page.list.rows.items() if row.isVisibleTo(page)}

    qtbot.keyClicks(page.search, "breach")
    assert seen() == {"xsrf_cookie_version", "compress_response"}
    page.search.setText("no such words")
    assert seen() == set()
    assert page.list.empty.isVisibleTo(page)
    qtbot.mouseClick(page.list.empty.button, Qt.MouseButton.LeftButton)
    assert len(seen()) == len(page.list.rows)
    qtbot.mouseClick(page.changed_only, Qt.MouseButton.LeftButton)
    assert seen() == {"xsrf_cookies", "my_own", "max_body_size"}


def test_help_follows_the_focus(page: SettingsPage, qtbot: QtBot) -> None:
    page.go_to("xheaders")
    qtbot.waitUntil(lambda: page.help_name.text() == "xheaders")
    assert "X-Real-Ip" in page.help.text()
    page.go_to("gzip")
    qtbot.waitUntil(lambda: page.help_name.text() == "gzip")
    assert page.list.rows["gzip"].property("current")
    assert not page.list.rows["xheaders"].property("current")


def secret_of(page: SettingsPage) -> SecretControl:
    control = page.list.rows["cookie_secret"].control
    assert isinstance(control, SecretControl)
    return control


def test_the_secret_is_generated_rotated_shown_and_forgotten(
    page: SettingsPage, controls: FakeControls, qtbot: QtBot
) -> None:
    click = Qt.MouseButton.LeftButton
    secret = secret_of(page)
    qtbot.mouseClick(secret.generate_button, click)
    first = value(page, "cookie_secret")
    assert len(first) >= 43
    assert secret.lines[0].text() == first
    assert first not in secret.lines[0].displayText()
    qtbot.mouseClick(secret.eye, click)
    assert secret.lines[0].displayText() == first
    qtbot.mouseClick(secret.rotate_button, click)
    assert value(page, "cookie_secret")["0"] == first
    assert value(page, "key_version") == 1
    qtbot.mouseClick(secret.rotate_button, click)
    assert list(value(page, "cookie_secret")) == ["0", "1", "2"]
    assert value(page, "key_version") == 2
    assert len(secret.lines) == 3
    secret.forget("2")
    assert list(value(page, "cookie_secret")) == ["0", "1"]
    assert value(page, "key_version") == 1
    assert page.parses
    for _ in range(4):
        page.undo()
    assert not page.modified


def test_rotating_while_none_is_set_keeps_what_this_run_signed(
    page: SettingsPage, controls: FakeControls, qtbot: QtBot
) -> None:
    controls.jars.server_keys = Keys("of this run")
    qtbot.mouseClick(secret_of(page).rotate_button, Qt.MouseButton.LeftButton)
    assert value(page, "cookie_secret")["0"] == "of this run"


def test_a_setting_of_ones_own_is_added_and_removed(page: SettingsPage, qtbot: QtBot) -> None:
    for name in ("two words", "handlers"):
        page.add_own(name)
        assert not page.modified
        assert name in page.banner.label.text()
    field = next(f for f in page.findChildren(QLineEdit) if "your own" in f.accessibleName())
    qtbot.keyClicks(field, "limit")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert value(page, "limit") == ""
    qtbot.keyClicks(line(page, "limit"), "3")
    assert value(page, "limit") == 3
    page.model.set("limit", None)
    assert "limit" not in page.list.rows


def test_a_class_leads_to_its_code(page: SettingsPage, window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClicks(line(page, "default_handler_class"), "handlers.home.HomeHandler")
    click = Qt.MouseButton.LeftButton
    button = text(page, "default_handler_class").findChild(IconButton)
    qtbot.mouseClick(button, click)
    opened = window.editors.current()
    assert isinstance(opened, FilePage)
    assert opened.key == "handlers/home.py"
    assert opened.editor.textCursor().blockNumber() + 1 == 4
    qtbot.mouseClick(text(page, "static_handler_class").findChild(IconButton), click)
    assert "tornado.web.StaticFileHandler is not in handlers/" in page.banner.label.text()


def test_a_page_that_was_not_edited_follows_what_is_served(
    page: SettingsPage, controls: FakeControls
) -> None:
    controls.apply(controls.site.with_settings({"gzip": True}))
    assert page.model.values == {"gzip": True, "max_body_size": 1000}
    assert not page.modified
    assert "my_own" not in page.list.rows


def test_settings_of_an_application_are_to_be_read_only_with_masked_secrets(
    qtbot: QtBot,
) -> None:
    controls = FakeControls()
    controls.may_edit = False
    controls.settings = {
        "cookie_secret": "s3cret",
        "facebook_secret": "fb",
        "debug": True,
        "log_function": "app.logs.log",
        "google_oauth": {"key": "k", "secret": "gs"},
        "theirs": {"password": "pw"},
    }
    window = MainWindow(Store(), controls, Theme())
    qtbot.addWidget(window)
    window.show()
    window.editors.open_settings()
    page = window.editors.current()
    assert isinstance(page, SettingsPage)
    secret = secret_of(page)
    assert secret.lines[0].text() == "s3cret"
    assert "s3cret" not in secret.lines[0].displayText()
    assert not secret.generate_button.isVisibleTo(page)
    assert text(page, "log_function").line.text() == "app.logs.log"
    assert text(page, "theirs").line.isReadOnly()
    for name, secret_text in (("theirs", "pw"), ("google_oauth", "gs")):
        assert secret_text in text(page, name).line.text()
        assert secret_text not in text(page, name).line.displayText()
    qtbot.mouseClick(text(page, "theirs").findChildren(Eye)[0], Qt.MouseButton.LeftButton)
    assert text(page, "theirs").line.displayText() == '{"password": "pw"}'
    controls.settings = {"other": 1}
    controls.server_changed.emit()
    assert text(page, "other").line.text() == "1"
    assert "theirs" not in page.list.rows
    controls.settings = {"facebook_secret": "fb"}
    controls.server_changed.emit()
    assert "fb" not in text(page, "facebook_secret").line.displayText()
    assert "max_body_size" not in page.list.rows
    assert not page.apply_button.isVisibleTo(page)
    assert [b for b in page.findChildren(QPushButton) if "child" in b.text()] == []


def test_the_page_is_chinese_through_and_through(page: SettingsPage) -> None:
    language.choose("zh")
    missing.clear()
    try:
        page.retranslate()
        page.go_to("xsrf_cookies")
        assert page.title == "设置"
        assert missing == set()
    finally:
        language.choose("en")


def test_the_site_card_and_keys_lead_to_the_pages(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.mouseClick(window.tree.foot.settings, Qt.MouseButton.LeftButton)
    assert isinstance(window.editors.current(), SettingsPage)
    qtbot.mouseClick(window.tree.foot.static, Qt.MouseButton.LeftButton)
    assert isinstance(window.editors.current(), StaticPage)
    qtbot.keyClick(window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    assert isinstance(window.editors.current(), SettingsPage)
