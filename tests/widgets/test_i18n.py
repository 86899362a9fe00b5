"""Every text of the window exists in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.recording.store import Store
from app.widgets import i18n
from app.widgets.i18n import language, load, tr
from app.widgets.main_window import MainWindow
from app.widgets.theme import Theme

from .fake_controls import FakeControls
from .sample import drawing

WIDGETS = Path(i18n.__file__).parent


@pytest.fixture(autouse=True)
def english_again(qapp: QApplication) -> Iterator[None]:
    """Leave the language as it was."""
    i18n.missing.clear()
    yield
    language.choose("en")


def literals() -> set[str]:
    """Return the literal first arguments of all calls of `tr` in the widgets."""
    found = set()
    for path in WIDGETS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tr":
                first = node.args[0]
                for part in (first.body, first.orelse) if isinstance(first, ast.IfExp) else [first]:
                    if isinstance(part, ast.Constant):
                        found.add(str(part.value))
    return found


def test_every_literal_text_has_its_chinese() -> None:
    assert len(literals()) > 100
    assert literals() - set(load("zh")) == set()


def test_translations_keep_the_places_of_values() -> None:
    for english, chinese in load("zh").items():
        if "{%" in english:
            continue
        fields = [{part[1] for part in Formatter().parse(t)} - {None} for t in (english, chinese)]
        assert fields[0] == fields[1], english


def test_no_text_of_the_whole_window_is_missing(qapp: QApplication, qtbot: QtBot) -> None:
    store = Store()
    theme = Theme()
    window = MainWindow(store, FakeControls(), theme)
    qtbot.addWidget(window)
    window.show()
    store.apply(drawing())
    language.choose("zh")
    window.selection.select(105)
    window.editors.open_routes()
    window.editors.open_file("handlers", "home.py")
    for card in (window.site, window.traffic, window.centre):
        for page in range(card.stack.count()):
            card.tabs.setCurrentIndex(page)
            window.frame()
    for page in range(window.detail.tabs.count()):
        window.detail.tabs.setCurrentIndex(page)
    own = {"missing"}  # The sample's verdict.
    assert i18n.missing - own == set()


def test_the_language_changes_while_the_window_is_open(qapp: QApplication, qtbot: QtBot) -> None:
    window = MainWindow(Store(), FakeControls(), Theme())
    qtbot.addWidget(window)
    window.show()
    assert window.clients.fire.text() == "Fire"
    language.choose("zh")
    assert window.clients.fire.text() == "发送"
    assert window.traffic.tabs.tabText(0) == "请求"
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "取消"
    language.choose("en")
    assert window.clients.fire.text() == "Fire"
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Cancel"


def test_unknown_languages_and_texts_do_no_harm(qapp: QApplication) -> None:
    language.choose("xx")
    assert language.code in i18n.LANGUAGES
    assert tr("No such text {n}", n=3) == "No such text 3"


def test_icon_only_buttons_have_names(qapp: QApplication, qtbot: QtBot) -> None:
    window = MainWindow(Store(), FakeControls(), Theme())
    qtbot.addWidget(window)
    window.editors.open_file("handlers", "home.py")
    from PySide6.QtWidgets import QAbstractButton

    nameless = [
        button
        for button in window.findChildren(QAbstractButton)
        if not button.text()
        and not button.accessibleName()
        and not button.objectName().startswith("qt_")
        and type(button.parentWidget()) is QWidget
    ]
    assert nameless == []
