"""The pages about one request: all tabs are seen, and what is on the newer of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.recording.events import Row
from app.recording.store import Store
from app.server.ladder import Words
from app.server.trial import Answer, Argument, Asked, Group, Outcome, Rule, Tried
from app.widgets.detail import TABS, DetailPanel
from app.widgets.i18n import language
from app.widgets.request_log import folded
from app.widgets.selection import Selection
from app.widgets.theme import Theme

from .fake_controls import FakeControls
from .sample import MS, batch, request

LEFT = Qt.MouseButton.LeftButton
HEAD = b"GET /story/7 HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def controls() -> FakeControls:
    return FakeControls()


Show = Callable[..., DetailPanel]


@pytest.fixture
def show(qtbot: QtBot, qapp: QApplication, controls: FakeControls) -> Show:
    """Show a request in a panel of a given width, at a tab."""

    def make(row: Row, tab: str, width: int = 390, log: list[Row] | None = None) -> DetailPanel:
        store, selection, theme = Store(), Selection(), Theme()
        theme.set_scheme("dark")
        store.apply(batch(requests=[row], log=log or []))
        panel = DetailPanel(store, controls, selection, theme)
        qtbot.addWidget(panel)
        panel.resize(width, 600)
        panel.show()
        qtbot.waitExposed(panel)
        selection.select(row[0])
        panel.tabs.setCurrentIndex(TABS.index(tab))
        return panel

    return make


def a_request(status: int = 200) -> Row:
    """Return a request with heads and bodies."""
    row = list(request(1, 5 * MS, 9 * MS, status, "GET /story/7"))
    row[6], row[7] = r"/story/(\d+)", "StoryHandler"
    row[11], row[12], row[13] = HEAD, b"asked", 5
    row[14], row[15], row[16] = b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n", b"answered", 8
    return tuple(row)


def texts(page: QWidget) -> list[str]:
    """Return what the labels of a page say."""
    return [each.text() for each in page.findChildren(QLabel) if not each.isHidden()]


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("width", [300, 390, 900])
def test_no_title_is_cut_and_each_is_reached(
    show: Show, qtbot: QtBot, width: int, code: str
) -> None:
    language.choose(code)
    try:
        panel = show(a_request(), "Lifecycle", width)
        tabs = panel.tabs
        tabs.setTabText(0, tabs.tab(0).text())
        panel.retranslate()
        qtbot.waitUntil(lambda: tabs.height() >= tabs.heightForWidth(tabs.width()))
        for at in range(tabs.count()):
            button = tabs.tab(at)
            assert tabs.rect().contains(button.geometry())
            assert button.width() >= button.sizeHint().width()
            assert not any(
                button.geometry().intersects(tabs.tab(other).geometry()) for other in range(at)
            )
            qtbot.mouseClick(button, LEFT)
            assert tabs.currentIndex() == at
    finally:
        language.choose("en")


def test_arrows_go_from_tab_to_tab(show: Show, qtbot: QtBot) -> None:
    panel = show(a_request(), "Lifecycle")
    panel.activateWindow()
    panel.tabs.tab(0).setFocus()
    qtbot.waitUntil(panel.tabs.tab(0).hasFocus)
    qtbot.keyClick(panel.tabs.tab(0), Qt.Key.Key_Right)
    assert panel.tabs.currentIndex() == 1


def test_request_and_response_stand_side_by_side_or_stacked(show: Show, qtbot: QtBot) -> None:
    panel = show(a_request(), "Request", 900)
    views = panel.exchange.request, panel.exchange.response
    assert [view.isVisible() for view in views] == [True, False]
    qtbot.mouseClick(panel.both, LEFT)
    assert [view.isVisible() for view in views] == [True, True]
    assert [view.body.toPlainText() for view in views] == ["asked", "answered"]

    def place(view: QWidget) -> QPoint:
        return view.mapTo(panel, QPoint())

    qtbot.waitUntil(lambda: place(views[1]).x() > place(views[0]).x() + 200)
    assert place(views[0]).y() == place(views[1]).y()
    panel.resize(390, 600)
    qtbot.waitUntil(lambda: place(views[1]).y() > place(views[0]).y() + 100)
    qtbot.mouseClick(panel.both, LEFT)
    panel.tabs.setCurrentIndex(TABS.index("Response"))
    assert [view.isVisible() for view in views] == [False, True]
    panel.tabs.setCurrentIndex(TABS.index("Cookies"))
    assert not panel.both.isVisible()


def test_each_rule_says_what_became_of_it(show: Show, controls: FakeControls) -> None:
    def rule(number: int, pattern: str) -> Rule:
        return Rule(number, number - 1, "", pattern, "StoryHandler", "", "")

    book = controls.fake_routing.book
    assert book is not None
    book.tried = [
        Tried(rule(1, "/other"), Outcome.NO),
        Tried(rule(2, "/story/all"), Outcome.NEAR, 7),
        Tried(rule(3, r"/story/(\d+)"), Outcome.MATCH, 8, (Group("1", 7, 8, "7"),)),
        Tried(rule(4, "/.*"), Outcome.HIDDEN),
    ]
    panel = show(a_request(), "Route")
    said = texts(panel.route)
    assert said[:2] == ["StoryHandler", r"/story/(\d+)"]
    for words in ("does not match", "near miss", "matches", "would match too"):
        assert words in said
    assert "/story/│7" in said
    assert "→ StoryHandler\n1 = '7'" in said
    assert not any("changed since" in each for each in said)
    book.tried[2] = Tried(rule(3, r"/story/(\d+)"), Outcome.NO)
    panel.tabs.setCurrentIndex(0)
    panel.tabs.setCurrentIndex(TABS.index("Route"))
    assert any("changed since" in each for each in texts(panel.route))


def test_the_cards_hold_the_arguments_of_the_methods(
    show: Show, controls: FakeControls, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = controls.fake_routing.book
    assert book is not None
    rule = Rule(1, 0, "", r"/story/(\d+)", "StoryHandler", "", "")

    def trial(asked: Asked) -> Iterator[Tried | Answer]:
        yield Tried(rule, Outcome.MATCH, 8)
        yield Answer(
            asked,
            *(None, Words(""), rule, "StoryHandler", "get", ()),
            arguments=(Argument("number", "'7'", 0),),
            initialize=(Argument("db", "'x'"), Argument("debug", "False")),
        )

    monkeypatch.setattr(book, "trial", trial)
    stages = ("initialize", 6 * MS, 7 * MS, None, "get", 7 * MS, 9 * MS, None)
    shown = show((*a_request()[:-1], stages), "Lifecycle").lifecycle.steps_model.steps
    told = {step.name: step.detail for step in shown if step.kind == "stage"}
    assert told == {"initialize": "db='x', debug=False", "get": "number='7'"}
    # What went elsewhere then had other arguments, if any.
    row = list(a_request())
    row[6] = "/old"
    shown = show((*row[:-1], stages), "Lifecycle").lifecycle.steps_model.steps
    assert not any(step.detail for step in shown)


def test_many_rules_do_not_hold_up_the_window(
    show: Show, controls: FakeControls, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = controls.fake_routing.book
    assert book is not None
    asked = 0

    def trial(_: Asked) -> object:
        nonlocal asked
        while asked < 10_000_000:
            asked += 1
            yield Tried(Rule(asked, asked, "", "/x", "H", "", ""), Outcome.NO)
        yield Answer(Asked("GET", "x", "/"), 404, Words("404"))

    monkeypatch.setattr(book, "trial", trial)
    panel = show(a_request(), "Route")
    assert asked < 5_000_000
    assert "There are more rules than are shown." in texts(panel.route)


TRACEBACK = """Uncaught exception GET /error (127.0.0.1)
HTTPServerRequest(protocol='http')
Traceback (most recent call last):
  File "{web}", line 2012, in _execute
    result = method(*self.path_args, **self.path_kwargs)
             ^^^^^^
  File "{web}", line 9, in inner
    pass
  File "/home/me/handlers/errors.py", line 9, in get
    raise ValueError(x)
ValueError: wrong"""


def test_frames_of_libraries_are_folded_until_asked_for(show: Show, qtbot: QtBot) -> None:
    import tornado.web

    text = TRACEBACK.format(web=tornado.web.__file__)
    lines = folded(text).split("\n")
    assert lines[3] == "  … 2 frames of libraries"
    assert lines[4:] == text.split("\n")[-3:]
    assert folded("no traceback\n    here") == "no traceback\n    here"
    log = [
        (4 * MS, "INFO", "early", 1, "before the request"),
        (6 * MS, "ERROR", "tornado.application", 1, text),
        (7 * MS, "INFO", "other", 2, "of another"),
    ]
    panel = show(a_request(500), "Log", log=log)
    said = texts(panel.log)
    assert said[0] == "✗ ERROR · tornado.application · +1.00 ms"
    assert said[1] == folded(text)
    assert len(said) == 2
    box = panel.log.findChild(QCheckBox)
    assert box is not None
    qtbot.mouseClick(box, LEFT, pos=QPoint(5, box.height() // 2))
    qtbot.waitUntil(lambda: texts(panel.log)[1:] == [text])


def test_nothing_logged_is_told(show: Show) -> None:
    assert texts(show(a_request(), "Log").log)[0] == "Nothing was logged for this request"


def test_what_was_rendered_is_told_and_its_templates_open(
    show: Show, controls: FakeControls, qtbot: QtBot
) -> None:
    controls.fake_templates.named = {"StoryHandler": ["story.html", "base.html"]}
    stages = (
        *("get", 6 * MS, 9 * MS, None, "render", 6 * MS, 8 * MS, None),
        *("write_error", 8 * MS, 9 * MS, None, "render", 8 * MS, 9 * MS, "KeyError: 'x'"),
    )
    panel = show((*a_request()[:-1], stages), "Template")
    said = texts(panel.template)
    assert said[0] == "render() · 2.00 ms"
    assert said[1:3] == ["render() of the error page · 1.00 ms", "✗ KeyError: 'x'"]
    told: list[str] = []
    panel.template.open_template.connect(told.append)
    buttons = panel.template.findChildren(QPushButton)
    for button in buttons:
        qtbot.mouseClick(button, LEFT)
    assert told == ["story.html", "base.html"]
    plain = show(a_request(), "Template")
    assert texts(plain.template)[0] == "No template was rendered with render()"


def test_the_split_of_the_time_is_shown(show: Show) -> None:
    said = texts(show(a_request(), "Timing").timing)
    assert said[0] == "4.00 ms"
    assert "Received" in said
    assert any(each.startswith("100% · its body") for each in said)
