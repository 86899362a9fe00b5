"""A template's page by itself: names for screen readers, two languages, room, links."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QPlainTextEdit, QTreeWidget
from pytestqt.qtbot import QtBot

from app.server.templates.facts import (
    EXPRESSION,
    TEXT,
    Analysis,
    CodeLine,
    Insert,
    Name,
    Preview,
    Reference,
    Remark,
    Resource,
    Span,
)
from app.widgets import i18n
from app.widgets.i18n import language
from app.widgets.template_controls import Cache, Recorded, Shown
from app.widgets.template_page import TemplatePage
from app.widgets.theme import Theme

from .fake_templates import FakeTemplates

SOURCE = "<p>😀\n{% raw who %}\n{{ who }}</p>"
CODE = (
    CodeLine("_tt_append(b'<p>')", TEXT, "page.html", 1, 1, (), (), "", 1),
    CodeLine("_tt_tmp = who", EXPRESSION, "page.html", 2, 2, (), (), "", 3),
    CodeLine("_tt_append(_tt_tmp)", EXPRESSION, "page.html", 2, 2, (), (), "", 3),
    CodeLine("_tt_tmp = who", EXPRESSION, "page.html", 3, 3, (), (), "xhtml_escape", 5),
    CodeLine("_tt_append(_tt_tmp)", EXPRESSION, "page.html", 3, 3, (), (), "xhtml_escape", 5),
)
OUTPUT = "<p>😀\nAda\nAda</p><i></i>"
SPANS = (
    Span(0, 5, 1, "page.html", 1, 1),
    Span(5, 8, 3, "page.html", 2, 2),
    Span(9, 12, 5, "page.html", 3, 3),
)
SHOWN = Shown(
    Preview(
        Analysis("page.html", CODE),
        OUTPUT,
        SPANS,
        (Insert(16, 23, "</body>"),),
        (Resource("Box", "html_body", "<i></i>", "</body>"),),
        (Name("who", "passed", "'Ada'"), Name("escape(1)", "tornado.template", "✗ TypeError")),
    ),
    Reference(
        "page.html",
        "",
        0,
        False,
        (),
        (
            Reference("gone.html", "include", 2, True, (), ()),
            Reference("page.html", "include", 3, False, ("page.html", "page.html"), ()),
        ),
    ),
    ("index.html",),
    Cache(False, ("page.html",), 0.0123, "missing"),
    True,
    (Remark("twice", 2, "body"),),
)


@pytest.fixture
def templates() -> FakeTemplates:
    """What the page asks."""
    return FakeTemplates()


@pytest.fixture
def page(qtbot: QtBot, templates: FakeTemplates) -> Iterator[TemplatePage]:
    """The page, which has its answer."""
    theme = Theme()
    theme.apply()
    page = TemplatePage("page.html", SOURCE, theme, templates)
    qtbot.addWidget(page)
    page.resize(1200, 700)
    page.show()
    templates.answers[-1](SHOWN)
    yield page
    language.choose("en")


def test_every_control_has_a_name_and_says_what_it_does(page: TemplatePage) -> None:
    page.side.typed.show_missing(("who",))
    page.side.show_origin("base.html", 3)
    kinds = (QAbstractButton, QComboBox, QLineEdit, QPlainTextEdit, QTreeWidget)
    widgets = [w for kind in kinds for w in page.side.findChildren(kind)]
    named = [w for w in widgets if w.objectName() != "qt_toolbar_ext_button"]
    own = [w for w in named if not w.objectName().startswith(("qt_", "Scroll"))]
    assert len(own) > 12
    for widget in own:
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        assert widget.accessibleName() or text, widget
        if isinstance(widget, (QAbstractButton, QComboBox, QLineEdit)):
            assert widget.toolTip() or widget.objectName() == "ScrollLeftButton", widget


def test_chinese_is_complete(page: TemplatePage) -> None:
    i18n.missing.clear()
    language.choose("zh")
    page.retranslate()
    assert i18n.missing == set()
    assert page.side.card.tabs.tabText(0) == "输出"
    assert "第 2 行：块 body" in page.side.fault.accessibleName()


def test_the_tree_says_what_is_missing_and_what_turns_in_a_circle(page: TemplatePage) -> None:
    root = page.side.structure.topLevelItem(0)
    assert root is not None
    items = [root.child(at) for at in range(root.childCount())]
    assert [(item.text(0), item.text(1)) for item in items if item is not None] == [
        ("gone.html", "✗ missing · include, line 2"),
        ("page.html", "✗ circle: page.html → page.html"),
    ]


def test_marks_are_where_they_belong_beside_wide_characters(page: TemplatePage) -> None:
    page.editor.go_to(2)
    assert page.side.python.marks.lines == [2, 3]
    # Qt counts 😀 as two.
    assert page.side.output.marks.linked == [(6, 9)]
    selected = [s.cursor.selectedText() for s in page.side.output.extraSelections()]
    assert "Ada" in selected
    assert "<i></i>" in selected
    assert "who" in [s.cursor.selectedText() for s in page.editor.extraSelections()]


def test_in_a_low_window_the_python_is_a_tab(page: TemplatePage, qtbot: QtBot) -> None:
    assert page.side.card.tabs.count() == 6
    page.resize(600, 300)
    qtbot.waitUntil(lambda: page.side.card.tabs.tabText(0) == "Python")
    assert page.side.python.text()
    page.resize(1200, 800)
    qtbot.waitUntil(lambda: page.side.card.tabs.count() == 6)
    assert page.side.python.isVisible()


def test_requests_are_offered_those_with_data_first(
    page: TemplatePage, templates: FakeTemplates, qtbot: QtBot
) -> None:
    templates.requests["page.html"] = [
        Recorded(9, "#9 GET /new", False),
        Recorded(7, "#7 GET /old", True),
    ]
    page.check()
    assert templates.asked[-1].request_id == 7
    combo = page.side.sources.request
    assert [combo.itemText(at) for at in range(combo.count())] == [
        "Newest: #7 GET /old",
        "#9 GET /new, without data",
        "#7 GET /old",
        "No request",
    ]
    combo.setCurrentIndex(1)
    combo.activated.emit(1)
    assert templates.asked[-1].request_id == 9
    page.side.sources.send.click()
    assert templates.sent == [9]
