"""The template's page in the real window: data of real requests, links, errors, nothing blocked."""

from __future__ import annotations

import concurrent.futures
import itertools
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from pytestqt.qtbot import QtBot

from app.application import Program
from app.loop import TickLoop
from app.options import Options
from app.server.site import load
from app.session.projects import DEMO
from app.widgets.template_page import TemplatePage

from .speed import cost

CTRL_ALT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
Fetch = Callable[[str], str]


@pytest.fixture
def program(running_loop: TickLoop, qtbot: QtBot, tmp_path: Path) -> Iterator[Program]:
    """The whole program with a copy of the demo, serving on a free port."""
    folder = tmp_path / "demo"
    shutil.copytree(DEMO, folder)
    options = Options(project=folder, port=0, trust=True, lang="en")
    program = Program(options, running_loop, running_loop.recorder)
    task = running_loop.create_task(program.run())
    qtbot.waitUntil(lambda: program.session.address is not None and program.window.isVisible())
    program.window.resize(1920, 1080)
    yield program
    program.window.editors.forget_changes()
    program.ended.set()
    qtbot.waitUntil(task.done)
    assert task.result() == 0


@pytest.fixture
def fetch(program: Program, qtbot: QtBot) -> Iterator[Fetch]:
    """Fetch a path from outside, in a thread of its own, while the window goes on."""
    with concurrent.futures.ThreadPoolExecutor() as pool:

        def get(path: str) -> str:
            future = pool.submit(_get, f"{program.session.address}{path.lstrip('/')}")
            qtbot.waitUntil(future.done)
            return future.result()

        yield get


def _get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return str(response.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.read().decode())


def open_template(program: Program, name: str) -> TemplatePage:
    """Open the page of a template."""
    program.window.editors.open_file("templates", name)
    page = program.window.editors.current()
    assert isinstance(page, TemplatePage)
    return page


def rendered(page: TemplatePage) -> str:
    """Return the output that the page shows."""
    return page.side.output.text()


def strip(page: TemplatePage) -> str:
    """Return what the page says is wrong."""
    return "" if page.side.fault.isHidden() else page.side.fault.accessibleName()


def rows(page: TemplatePage) -> dict[str, tuple[str, str]]:
    """Return the names that the page lists, with their values and where they are from."""
    tree = page.side.names.tree
    items = [tree.topLevelItem(at) for at in range(tree.topLevelItemCount())]
    return {item.text(0): (item.text(1), item.text(2)) for item in items if item is not None}


def test_a_request_gives_the_preview_its_real_data(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    page = open_template(program, "story.html")
    qtbot.waitUntil(lambda: "No data for" in strip(page))
    assert page.editor.problems() == []
    served = fetch("/story/41877?lang=zh")
    qtbot.waitUntil(lambda: "41877" in rendered(page))
    assert strip(page) == ""
    # The page names the request that it is made for, so that it is the same to the last byte.
    assert rendered(page) == served
    assert rows(page)["locale.code"] == ("'zh'", "RequestHandler")
    assert rows(page)["story_id"][1] == "passed"
    assert "/story/41877?lang=zh" in rows(page)["request"][0]


def test_a_request_from_before_is_sent_again_for_its_data(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    fetch("/story/52661")
    qtbot.waitUntil(lambda: program.store.requests.get(1) is not None)
    page = open_template(program, "story.html")
    qtbot.waitUntil(lambda: "/story/52661" in page.side.sources.request.currentText())
    assert not page.side.sources.kept
    qtbot.waitUntil(page.side.sources.send.isEnabled)
    qtbot.mouseClick(page.side.sources.send, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "52661" in rendered(page) and page.side.sources.kept)


def test_data_may_be_typed_in(program: Program, qtbot: QtBot) -> None:
    page = open_template(program, "story.html")
    qtbot.waitUntil(lambda: "No data for" in strip(page))
    qtbot.mouseClick(page.side.fault, Qt.MouseButton.LeftButton)
    typed = page.side.typed
    qtbot.waitUntil(lambda: typed.fill.isVisible())
    qtbot.mouseClick(typed.fill, Qt.MouseButton.LeftButton)
    assert 'story_id = ""' in typed.editor.text()
    typed.editor.replace_text(typed.editor.text().replace('story_id = ""', 'story_id = "777"'))
    qtbot.waitUntil(lambda: "777" in rendered(page))
    assert rows(page)["story_id"] == ("'777'", "typed in")
    typed.editor.replace_text("story_id = open('x')")
    qtbot.waitUntil(lambda: "not a literal" in strip(page))
    assert typed.editor.problem_at(1).startswith("not a literal")


def test_the_cursor_in_one_view_marks_the_lines_of_the_others(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    page = open_template(program, "story.html")
    fetch("/story/70919")
    qtbot.waitUntil(lambda: "70919" in rendered(page))
    lines = page.text.split("\n")
    number = next(n for n, text in enumerate(lines, 1) if "story_id" in text and "{{" in text)
    page.editor.setFocus()
    page.editor.go_to(number)
    python, output = page.side.python, page.side.output
    code = python.text().split("\n")
    assert python.marks.lines
    assert any("story_id" in code[line - 1] for line in python.marks.lines)
    assert all(
        f"story.html:{number}" in code[line - 1] or "_tt_append(b" in code[line - 1]
        for line in python.marks.lines
    )
    shown = "".join(output.text()[start:end] for start, end in output.marks.linked)
    assert "70919" in shown
    # And back: from the Python, from the output.
    at = next(line for line in python.marks.lines if "story_id" in code[line - 1])
    python.setFocus()
    python.go_to(at)
    assert page.marks.lines == [number]
    start = output.text().index("<meta charset")
    output.setFocus()
    output.go_to(output.text().count("\n", 0, start) + 1)
    assert page.marks.lines == []
    assert page.side.origin.text().startswith("base.html:4")
    qtbot.mouseClick(page.side.origin, Qt.MouseButton.LeftButton)
    other = program.window.editors.current()
    assert isinstance(other, TemplatePage)
    assert other.name == "base.html"


def test_an_error_is_marked_on_its_line_while_it_is_typed(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    page = open_template(program, "story.html")
    good = fetch("/story/70919")
    qtbot.waitUntil(lambda: "70919" in rendered(page))
    text = page.text
    page.editor.setFocus()
    page.editor.go_to(4)
    qtbot.keyClicks(page.editor, "<b>{{ 1 + }}")
    qtbot.waitUntil(lambda: bool(page.editor.problem_at(4)))
    (mark,) = page.editor.problems()
    assert (mark.line, mark.column) == (4, 10)
    page.editor.replace_text(text.replace("{% block body %}", "{% block body %}\n{{ 1 // 0 }}"))
    line = page.text[: page.text.index("1 // 0")].count("\n") + 1
    qtbot.waitUntil(lambda: "ZeroDivisionError" in page.editor.problem_at(line))
    assert f"story.html:{line}" in strip(page)
    assert fetch("/story/70919") == good


BAD = {
    "19 an expression that is not closed": ("a\n  {{ x", 2, 3),
    "20 an if that is not closed": ("a\nb{% if 1 %}\nc\n", 2, 2),
    "21 an unknown tag": ("\n {% nothing x %}", 2, 2),
    "22 an end too many": ("a\nb {% end %}", 2, 3),
    "23 an expression that is no Python": ("a\n\n<b>{{ 1 + }}\n", 3, 10),
    "25 a parent that is missing": ('\n{% extends "gone.html" %}', 2, 1),
    "26 a circle": ('\n{% extends "circle.html" %}', 2, 1),
    "27 itself": ('x\n{% include "story.html" %}', 2, 1),
    "32 200 nested ifs": ("{% if 1 %}\n" * 200 + "{% end %}" * 200, 99, 1),
    "33 no such autoescape function": ("a\n  {% autoescape nope %}{{ 1 }}", 2, 3),
    "34 a try without except": ("a\n {% try %}\nx\n{% end %}\n", 2, 5),
}


def test_a_bad_template_is_an_error_at_its_place_and_is_not_served(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    circle = program.session.site.with_template("circle.html", '{% extends "story.html" %}')
    assert program.session.apply(circle) == []
    page = open_template(program, "story.html")

    def apply() -> None:
        qtbot.mouseClick(page.apply_button, Qt.MouseButton.LeftButton)

    page.editor.replace_text(f"{page.text}\n")
    usual = cost(apply)
    assert page.editor.problems() == []
    good = fetch("/story/70919")
    for row, (text, line, column) in BAD.items():
        page.editor.replace_text(text)
        assert cost(apply) < 10 * usual, row
        [mark] = page.editor.problems()
        assert (mark.line, mark.column) == (line, column), row
        assert not row.startswith("26") or "circle.html → story.html" in mark.text
        shown = page.problems.item(0)
        assert shown is not None
        assert f"{line}:{column}" in shown.text(), row
        assert page.banner.isVisible(), row
        assert (page.text, page.modified) == (text, True), row
        assert fetch("/story/70919") == good, row


def says(page: TemplatePage, words: str) -> bool:
    """Return whether the page says that something is wrong."""
    return words in strip(page)


ENDLESS = (
    ("{% while True %}{% set x = 1 %}{% end %}", "longer than a second"),
    ("{% while True %}<p>x</p>\n{% end %}", "was cut"),
    ("{% for i in range(1000000000) %}{% end %}", "longer than a second"),
    ('{% for i in range(3) %}{{ "x" * 80000 }}{% end %}{{ 1 // 0 }}', "ZeroDivisionError"),
)


def test_a_template_that_never_ends_does_not_block_the_window(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    page = open_template(program, "story.html")
    qtbot.waitUntil(lambda: "No data" in strip(page))
    beats: list[tuple[float, float]] = []
    gaps: list[tuple[float, float]] = []

    def beat() -> None:
        # The other processes of a loaded machine take none of this thread's and process's time.
        beats.append((time.thread_time(), time.process_time()))

    timer = QTimer(page, interval=10)
    timer.timeout.connect(beat)
    for text, said in ENDLESS:
        beat()
        timer.start()
        page.editor.replace_text(text)
        qtbot.waitUntil(partial(says, page, said))
        qtbot.wait(150)  # The colours come a moment later.
        timer.stop()
        gaps += [(b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise(beats)]
        beats.clear()
        page.editor.replace_text("fine")
        qtbot.waitUntil(lambda: strip(page) == "" and rendered(page) == "fine")
    in_all = sum(of_all for _, of_all in gaps)
    # One of those that never end, done by the window itself, would be near a half.
    assert max(own for own, _ in gaps) < in_all / 10
    assert max(of_all for _, of_all in gaps) < in_all / 4
    assert "Story" in fetch("/story/70919")


def test_a_part_is_shown_in_a_page_that_was_rendered(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    page = open_template(program, "base.html")
    fetch("/story/70919")
    qtbot.waitUntil(lambda: page.side.sources.root_name == "story.html")
    qtbot.waitUntil(lambda: "70919" in rendered(page))
    structure = page.side.structure
    items = [structure.topLevelItem(at) for at in range(structure.topLevelItemCount())]
    texts = [item.text(0) for item in items if item is not None]
    assert texts[0] == "base.html"
    assert "Shown in" in texts


def test_an_expression_is_evaluated_with_the_names(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    page = open_template(program, "story.html")
    fetch("/story/70919")
    qtbot.keyClicks(page.side.names.field, 'url_escape("a b") + request.path')
    wanted = ("'a+b/story/70919'", "tried here")
    qtbot.waitUntil(lambda: wanted in rows(page).values())


def test_nothing_of_an_untrusted_project_is_rendered(
    program: Program, qtbot: QtBot, tmp_path: Path
) -> None:
    folder, mark = tmp_path / "other", tmp_path / "ran"
    shutil.copytree(DEMO, folder)
    (folder / "templates/evil.html").write_text(f"a\n{{{{ open({str(mark)!r}, 'w') }}}}")
    program.session.show(load(folder))
    page = open_template(program, "evil.html")
    qtbot.waitUntil(lambda: "until you trust it" in strip(page))
    page.side.typed.editor.replace_text("a = 1")
    page.side.names.field.setText(f"open({str(mark)!r}, 'w')")
    qtbot.wait(600)  # It would have been rendered anew by now.
    assert "evil.html:2" in page.side.python.text()
    assert rendered(page) == ""
    assert not mark.exists()


def test_clicking_in_the_list_of_escapes_goes_to_the_line(program: Program, qtbot: QtBot) -> None:
    page = open_template(program, "story.html")
    page.editor.replace_text("a\n{{ 1 }}\n{% raw 2 %}")
    escaping = page.side.escaping
    qtbot.waitUntil(lambda: escaping.topLevelItemCount() == 2)
    page.side.card.show_page(escaping)
    item = escaping.topLevelItem(1)
    assert item is not None
    assert [item.text(column) for column in range(3)] == [
        "story.html:3",
        "2",
        "⚠ nothing: it is output raw",
    ]
    assert len(page.editor.extraSelections()) == 2  # The cursor's line, and what is raw.
    centre: QPoint = escaping.visualItemRect(item).center()
    qtbot.mouseClick(escaping.viewport(), Qt.MouseButton.LeftButton, pos=centre)
    assert page.editor.textCursor().blockNumber() == 2


def test_a_page_may_be_closed_while_it_is_rendered(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    page = open_template(program, "story.html")
    fetch("/story/70919")
    qtbot.waitUntil(lambda: page.side.sources.kept)
    page.editor.replace_text("{% while True %}{% set x = 1 %}{% end %}")
    page.check()
    program.window.editors.forget_changes()
    templates = program.session.templates
    # Nobody looks any more, so nothing of the handlers' is held.
    qtbot.waitUntil(lambda: [r.kept for r in templates.recorded("story.html")] == [False])
    again = open_template(program, "story.html")
    qtbot.waitUntil(lambda: "story.html" in again.side.python.text())


def test_the_template_of_a_ui_module_has_the_data_of_its_last_use(
    program: Program, qtbot: QtBot, fetch: Fetch
) -> None:
    page = open_template(program, "modules/card.html")
    fetch("/")
    qtbot.waitUntil(lambda: "/nowhere" in rendered(page))
    assert rows(page)["title"] == ("'Error 404'", "passed")
    assert rendered(page).startswith('<a class="card" href="/nowhere">')


def test_what_is_half_typed_is_not_applied_as_one_types(program: Program, qtbot: QtBot) -> None:
    page = open_template(program, "story.html")
    qtbot.waitUntil(lambda: bool(page.side.python.text()))
    assert page.parses
    before = page.side.python.text()
    page.editor.replace_text("{% if 1 %}")
    qtbot.waitUntil(lambda: not page.parses)
    assert page.side.python.text() == before
    page.editor.replace_text("{% if 1 %}{% end %}")
    assert page.parses


def test_no_page_makes_a_small_window_grow(program: Program, qtbot: QtBot) -> None:
    window, editors = program.window, program.window.editors
    window.resize(1280, 800)
    pages = (
        editors.open_routes,
        editors.open_settings,
        editors.open_static,
        partial(editors.open_file, "handlers", "greeting.py"),
        partial(qtbot.keyClick, window, Qt.Key.Key_H, CTRL_ALT),
    )
    for open_page in pages:
        open_page()
        qtbot.wait(20)
        assert window.height() == 800
    side = open_template(program, "home.html").side
    qtbot.wait(20)
    assert window.height() == 800
    window.resize(1280, 1080)
    qtbot.waitUntil(side.top.stack.isVisible)
    window.resize(1280, 800)
    qtbot.waitUntil(lambda: not side.top.stack.isVisible())
    assert window.height() == 800


def test_f6_goes_round_the_views(program: Program, qtbot: QtBot) -> None:
    page = open_template(program, "story.html")
    page.editor.setFocus()
    seen = []
    for _ in range(3):
        qtbot.keyClick(page.window().focusWidget(), Qt.Key.Key_F6)
        seen.append(page.window().focusWidget())
    assert seen == [page.side.python, page.side.output, page.editor]
    page.toggle.click()
    assert page.side.isHidden()
    qtbot.keyClick(page.editor, Qt.Key.Key_F6)
    assert not page.side.isHidden()


def test_what_is_probably_not_meant_is_a_warning(program: Program, qtbot: QtBot) -> None:
    page = open_template(program, "home.html")
    page.editor.replace_text("\n{% block a %}1{% end %}\n{% block a %}2{% end %}")
    qtbot.waitUntil(lambda: "Line 3: block a is here twice" in strip(page))
    assert page.editor.problems() == []
    qtbot.mouseClick(page.side.fault, Qt.MouseButton.LeftButton)
    assert page.editor.textCursor().blockNumber() == 2
    page.editor.replace_text('{% extends "base.html" %}\n\nlost{% block body %}x{% end %}')
    qtbot.waitUntil(lambda: "Line 3: outside all blocks" in strip(page))
    assert "lost" not in rendered(page)


def test_an_error_three_includes_deep_is_one_click_away(program: Program, qtbot: QtBot) -> None:
    site = program.session.site
    for name, text in (
        ("one.html", '1\n{% include "deep/two.html" %}'),
        ("deep/two.html", '\n\n{% include "three.html" %}'),
        ("deep/three.html", "a\nb\nc\n{{ 1 // 0 }}"),
        ("page.html", '<p>\n{% include "one.html" %}'),
    ):
        site = site.with_template(name, text)
    assert program.session.apply(site) == []
    page = open_template(program, "page.html")
    qtbot.waitUntil(lambda: "ZeroDivisionError" in strip(page))
    trail = "deep/three.html:4 ← deep/two.html:3 ← one.html:2 ← page.html:2"
    assert strip(page).endswith(trail)
    assert page.editor.problems() == []
    qtbot.mouseClick(page.side.fault, Qt.MouseButton.LeftButton)
    other = program.window.editors.current()
    assert isinstance(other, TemplatePage)
    assert (other.name, other.editor.textCursor().blockNumber()) == ("deep/three.html", 3)
    qtbot.waitUntil(lambda: "ZeroDivisionError" in other.editor.problem_at(4))


def test_what_the_template_cache_does_is_told(program: Program, qtbot: QtBot) -> None:
    site = program.session.site
    page = open_template(program, "story.html")
    (site.folder / "templates/story.html").write_text("changed")
    structure = page.side.structure

    def lines() -> list[str]:
        tops = [structure.topLevelItem(at) for at in range(structure.topLevelItemCount())]
        cache = next((top for top in tops if top and top.text(0) == "Template cache"), None)
        rows = [cache.child(at) for at in range(cache.childCount())] if cache else []
        return [row.text(0) for row in rows if row is not None]

    qtbot.waitUntil(lambda: "The file on the disk is not what is served." in lines())
    assert lines()[0].startswith("On: each")
    program.session.apply(site.with_settings({**site.settings, "compiled_template_cache": False}))
    qtbot.waitUntil(lambda: lines()[0].startswith("Off: every request"))
