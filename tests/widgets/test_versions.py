"""Versions and differences: what is shown, and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.recording.store import Store
from app.widgets.main_window import MainWindow
from app.widgets.theme import Theme
from app.widgets.versions_page import DISK, SERVED, VersionsPage

from .fake_controls import FakeControls

KEY = Qt.Key


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


def edit(window: MainWindow, name: str, text: str) -> None:
    """Type at the beginning of a handler."""
    window.editors.open_file("handlers", name)
    page = window.editors.current()
    assert page is not None
    page.editor.insertPlainText(text)  # type: ignore[attr-defined]


def opened(window: MainWindow, qtbot: QtBot, key: Qt.Key) -> VersionsPage:
    """Press the key of a difference; return the page that opens."""
    qtbot.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
    [page] = window.findChildren(VersionsPage)
    assert isinstance(page, VersionsPage)
    return page


def test_the_difference_from_what_is_served_shows_lines_and_words(
    window: MainWindow, qtbot: QtBot
) -> None:
    edit(window, "home.py", "import os\n")
    page = opened(window, qtbot, KEY.Key_D)
    lines = page.view.text().split("\n")
    assert lines[:2] == ["handlers/home.py", "import os"]
    labels = [page.view.line_label(n).split() for n in range(1, 4)]
    assert labels == [[], ["1", "+"], ["1", "2"]]
    page.view.go_to(2)
    qtbot.keyClick(page.view, KEY.Key_Return)
    assert window.editors.current() is window.editors.pages["handlers/home.py"]
    page.grab()


def test_the_difference_is_anew_when_one_comes_back_to_it(window: MainWindow, qtbot: QtBot) -> None:
    page = opened(window, qtbot, KEY.Key_D)
    assert page.view.text() == "No difference"
    edit(window, "home.py", "import os\n")
    window.centre.show_page(page)
    assert page.view.text().startswith("handlers/home.py\nimport os\n")


def test_versions_are_listed_and_served_again(
    window: MainWindow, controls: FakeControls, qtbot: QtBot
) -> None:
    first = controls.site.handlers["home.py"]
    for text in ("# one\n", "# two\n"):
        edit(window, "home.py", text)
        assert window.editors.apply(window.editors.pages.values())
    page = opened(window, qtbot, KEY.Key_D)
    rows = [page.list.topLevelItem(n) for n in range(page.list.topLevelItemCount())]
    assert [row.text(0) for row in rows if row] == ["• 3", "  2", "  1"]
    assert rows[0] is not None
    assert rows[0].text(2) == "home.py +1 −0"
    page.list.setCurrentIndex(page.list.model().index(1, 0))
    assert "# one" in page.view.text()
    page.list.setCurrentIndex(page.list.model().index(2, 0))
    qtbot.mouseClick(page.serve, Qt.MouseButton.LeftButton)
    assert controls.site.handlers["home.py"] == first
    qtbot.mouseClick(page.redo, Qt.MouseButton.LeftButton)
    assert controls.site.handlers["home.py"].startswith("# one\n")
    assert page.list.topLevelItemCount() == 3


def test_the_difference_from_the_disk(
    window: MainWindow, controls: FakeControls, qtbot: QtBot, tmp_path: Path
) -> None:
    from dataclasses import replace

    from app.server.site import save

    save(controls.site, tmp_path)
    controls.apply(replace(controls.site, folder=tmp_path))
    (tmp_path / "handlers" / "home.py").write_text("x = 1\n")
    page = opened(window, qtbot, KEY.Key_D)
    page.choose(DISK, SERVED)
    text = page.view.text()
    assert text.startswith("handlers/home.py\nx = 1\nfrom tornado.web")
    (tmp_path / "site.toml").write_text("nonsense")
    page.compare()
    assert "site.toml" in page.note.text()


def test_a_huge_difference_is_cut_and_says_so(window: MainWindow, qtbot: QtBot) -> None:
    edit(window, "home.py", "x = 1\n" * 30_000)
    page = opened(window, qtbot, KEY.Key_D)
    last = page.view.text().rpartition("\n")[2]
    assert last.startswith("⋯ 28")
    assert last.endswith("more lines")
    assert page.view.line_label(page.view.blockCount()) == ""


def test_a_disk_that_cannot_be_read_is_said(window: MainWindow, qtbot: QtBot) -> None:
    page = opened(window, qtbot, KEY.Key_D)
    page.choose(DISK, SERVED)
    assert "no such folder" in page.note.text()
