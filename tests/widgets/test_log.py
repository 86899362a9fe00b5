"""The log: records as they are, mistakes with what happened, why, and the repair."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.recording.events import Row
from app.recording.mistakes import LOGGER, MISTAKES, Reports
from app.recording.recorder import Recorder
from app.recording.store import Store
from app.widgets import i18n
from app.widgets.editor_page import FilePage
from app.widgets.i18n import language
from app.widgets.log_panel import LogPanel
from app.widgets.main_window import MainWindow
from app.widgets.mistake import MistakeDialog, mistake_of
from app.widgets.selection import Selection
from app.widgets.theme import Theme

from .fake_controls import FakeControls

FILE = "/home/me/site/handlers/home.py"


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    """Leave the language as it was."""
    i18n.missing.clear()
    yield
    language.choose("en")


def reported(*kinds: str, place: str = f"{FILE}:2 in Home.get", detail: str = "0.30 s") -> Store:
    """Return a store with a mistake of each of *kinds*, of request 7."""
    recorder, store = Recorder(), Store()
    for kind in kinds:
        Reports(recorder).report(kind, 7, place, detail)
    store.apply(recorder.drain())
    return store


def texts_of(panel: LogPanel) -> list[list[str]]:
    rows = map(panel.model.row, range(panel.model.rowCount()))
    return [[column.text(row) for column in panel.model.columns] for row in rows]


def panel_of(qtbot: QtBot, store: Store) -> LogPanel:
    panel = LogPanel(store, Selection(), Theme())
    qtbot.addWidget(panel)
    panel.show()
    panel.refresh()
    return panel


@pytest.mark.parametrize("kind", MISTAKES)
def test_every_mistake_has_its_words_in_both_languages(qtbot: QtBot, kind: str) -> None:
    panel = panel_of(qtbot, reported(kind))
    _, _, logger, request, english = texts_of(panel)[0]
    assert (logger, request) == (kind, "#7")
    assert "handlers/home.py:2 in Home.get · 0.30 s" in english
    assert "/home/me" not in english
    language.choose("zh")
    chinese = texts_of(panel)[0][-1]
    assert not i18n.missing
    assert chinese != english
    assert "handlers/home.py:2 in Home.get" in chinese


def test_a_warning_and_a_hint_look_different(qtbot: QtBot) -> None:
    panel = panel_of(qtbot, reported("blocking-call", "sequential-awaits"))
    levels = panel.model.columns[1]
    assert levels.colour is not None
    colours = [levels.colour(panel.model.row(at)) for at in range(2)]
    assert colours == ["warn", "accent"]


@pytest.mark.parametrize(
    ("place", "file", "line"),
    [
        (f"{FILE}:12 in Home.get", FILE, 12),
        (f"helper · {FILE}:25", FILE, 25),
        (r"C:\site\handlers\home.py:3 in Home.get", r"C:\site\handlers\home.py", 3),
        ("Thread-1", "", 0),
        ("", "", 0),
    ],
)
def test_the_line_is_found_in_the_place(place: str, file: str, line: int) -> None:
    row: Row = (0, "WARNING", f"{LOGGER}lost-task", 0, f"What: {place}\nWhy\nRepair")
    mistake = mistake_of(row)
    assert mistake is not None
    assert (mistake.file, mistake.line, mistake.repair) == (file, line, "Repair")


def test_other_records_are_shown_whole(qtbot: QtBot) -> None:
    store = Store()
    store.log.append((0, "ERROR", "tornado.application", 0, "Uncaught\n  line\nValueError: x"))
    panel = panel_of(qtbot, store)
    assert texts_of(panel)[0][-1] == "Uncaught … ValueError: x"
    panel.open_record(store.log[0])
    text = panel.findChild(QPlainTextEdit)
    assert text is not None
    assert text.toPlainText() == store.log[0][4]


def test_return_explains_a_mistake_and_return_again_goes_to_its_line(qtbot: QtBot) -> None:
    store = reported("blocking-call")
    window = MainWindow(store, FakeControls(), Theme())
    qtbot.addWidget(window)
    window.show()
    window.traffic.show_page(window.log)
    window.frame()
    window.log.refresh()
    view = window.log.view
    qtbot.keyClick(view, Qt.Key.Key_Home)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    dialog = window.log.findChild(MistakeDialog)
    assert dialog is not None
    words = [each.text() for each in dialog.findChildren(QLabel)]
    mistake = MISTAKES["blocking-call"]
    assert f"{FILE}:2 in Home.get · 0.30 s" in words
    assert {mistake.what, mistake.why, mistake.repair} <= set(words)
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    page = window.editors.pages["handlers/home.py"]
    assert isinstance(page, FilePage)
    assert page.editor.textCursor().blockNumber() + 1 == 2


def test_files_of_others_cannot_be_opened(qtbot: QtBot) -> None:
    place = f"{Path(__file__)}:2 in f"
    window = MainWindow(reported("blocking-call", place=place), FakeControls(), Theme())
    qtbot.addWidget(window)
    window.log.open_record(window.store.log[0])
    dialog = window.log.findChild(MistakeDialog)
    assert dialog is not None
    assert dialog.open_line not in dialog.findChildren(QPushButton)
    dialog.close()
