"""The words of what goes in and out, and the small dialogs on their own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

import app.exchange
from app.exchange import curl_options
from app.exchange.curl_import import Imported
from app.recording.events import Request
from app.widgets.curl_dialog import CurlDialog, looks_like_curl
from app.widgets.i18n import language, load
from app.widgets.main_window import MainWindow
from app.widgets.request_out import file_name
from app.widgets.theme import Theme

from .fake_controls import FakeControls
from .sample import drawing, request, store_of


def reasons() -> Iterator[str]:
    """Yield the templates of all errors that say why something cannot go out or in."""
    for path in Path(app.exchange.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
                if name in ("error", "CommandError", "HarError", "ExchangeError"):
                    for part in ast.walk(node.args[0]):
                        if isinstance(part, ast.Constant) and " " in str(part.value).strip():
                            yield str(part.value)
    for option in curl_options.LONG.values():
        if option.reason:
            yield f"{{option}}: {option.reason}"


def test_every_reason_has_its_chinese() -> None:
    found = set(reasons())
    assert len(found) > 40
    assert found - set(load("zh")) == set()


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = MainWindow(store_of(drawing()), FakeControls(), Theme())
    qtbot.addWidget(window)
    window.show()
    return window


def test_a_command_on_the_clipboard_is_there_already(qtbot: QtBot, window: MainWindow) -> None:
    QGuiApplication.clipboard().setText("curl http://h -d 😀 -d @f")
    dialog = CurlDialog(window.theme, window)
    found: list[Imported] = []
    dialog.imported.connect(found.append)
    dialog.open()
    language.choose("zh")
    try:
        dialog.text.appendPlainText("")
        assert dialog.problem.text() == "第 1 行第 23 列: @f 会读取文件：请粘贴文件内容"
    finally:
        language.choose("en")
    (mark,) = dialog.text.extraSelections()
    assert mark.cursor.selectedText() == "@f"
    dialog.text.setPlainText("curl http://h -d 😀")
    assert dialog.problem.text() == "POST http://h/"
    qtbot.mouseClick(dialog.take, Qt.MouseButton.LeftButton)
    assert [one.request.body for one in found] == ["😀".encode()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("curl http://h", True),
        ("$ curl http://h", True),
        ("curl.exe ^\n http://h", True),
        ("printf 'a' | curl http://h -d @-", True),
        ("/curl", False),
        ("curl", False),
        ("", False),
    ],
)
def test_what_looks_like_a_command(text: str, expected: bool) -> None:
    assert looks_like_curl(text) == expected


def test_nothing_selected_is_nothing_to_copy(window: MainWindow) -> None:
    QGuiApplication.clipboard().setText("before")
    window.in_out.request.copy(0, "HTTPie")
    assert QGuiApplication.clipboard().text() == "before"


def test_an_export_of_nothing_says_so(qtbot: QtBot) -> None:
    window = MainWindow(store_of(), FakeControls(), Theme())
    qtbot.addWidget(window)
    window.show()
    window.in_out.export_har()
    assert window.banner.label.text() == "There are no requests to export yet."


def test_a_filtered_table_can_be_exported_alone(window: MainWindow) -> None:
    window.requests.model.set_filter(lambda row: row[3] == "POST")
    window.selection.select(105)
    assert window.in_out.choices() == {
        "All requests (6)": [101, 102, 103, 104, 105, 106],
        "Those shown in the table (1)": [104],
        "The selected request (#105)": [105],
    }


@pytest.mark.parametrize(
    ("line", "kind", "name"),
    [
        ("GET /", "text/html; charset=UTF-8", "body.html"),
        ("GET /a/b%20c/", "application/json", "b_c.json"),
        ("GET /x/style.css?v=1", "text/css", "style.css"),
        ("GET /..%2f..%2fetc", "x/y", "etc.bin"),
        ("OPTIONS *", "", "body.bin"),
    ],
)
def test_files_are_named_after_the_path(line: str, kind: str, name: str) -> None:
    row = Request(*request(1, 0, 1, 200, line))
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode()
    assert file_name(row._replace(response_head=head), "response") == name
