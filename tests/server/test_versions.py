"""The history of versions, and differences between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.server import versions as module
from app.server.difference import CAME, FILE, GAP, GONE, SAME, Row, difference
from app.server.site import Route, Site
from app.server.versions import Change, Versions, compare

from ..speed import cost

SITE = Site(Path("/a"), handlers={"x.py": "a\nb\n"})


def with_text(text: str) -> Site:
    """Return the site with another handler."""
    return SITE.with_handler("x.py", text)


def test_each_site_is_a_version_once() -> None:
    versions = Versions()
    assert versions.note(SITE, 1.0)
    assert not versions.note(SITE, 2.0)
    assert not versions.note(replace(SITE), 2.0)
    assert versions.note(with_text("b\n"), 3.0)
    assert [(v.number, v.time, v.parent) for v in versions] == [(1, 1.0, 0), (2, 3.0, 1)]
    assert versions[2].changes == (Change("changed", "handlers/x.py", 0, 1),)


def go(versions: Versions, number: int) -> None:
    versions.note(versions.going_to(number), 9.0)


def test_undo_redo_and_another_way_from_there() -> None:
    versions = Versions()
    for text in ("1", "2", "3"):
        versions.note(with_text(text), 1.0)
    go(versions, 2)
    go(versions, 1)
    assert versions.current == 1
    assert versions.before() is None
    after = versions.after()
    assert after is not None
    assert after.number == 2
    go(versions, 2)
    after = versions.after()
    assert after is not None
    assert after.number == 3
    versions.note(with_text("4"), 2.0)
    assert (versions.current, versions[4].parent) == (4, 2)
    assert versions.after() is None
    go(versions, 3)  # What was left is still there.
    before = versions.before()
    assert before is not None
    assert before.number == 2


def test_a_failed_way_back_changes_nothing() -> None:
    versions = Versions()
    versions.note(with_text("1"), 1.0)
    versions.note(with_text("2"), 1.0)
    versions.going_to(1)
    assert not versions.note(with_text("2"), 2.0)  # Still what it was.
    assert versions.current == 2
    assert versions.note(with_text("1"), 3.0)
    assert versions.current == 3


def test_saving_elsewhere_keeps_the_history_and_another_project_begins_one() -> None:
    versions = Versions()
    versions.note(SITE, 1.0)
    versions.note(with_text("2"), 2.0)
    versions.note(replace(with_text("2"), folder=Path("/b")), 3.0)
    assert len(versions) == 2
    assert versions.going_to(1).folder == Path("/b")
    versions.note(Site(Path("/c"), handlers={"y.py": ""}), 4.0)
    assert [v.changes for v in versions] == [()]


def test_history_is_bounded(monkeypatch: object) -> None:
    versions = Versions()
    for n in range(module.MOST + 5):
        versions.note(with_text(str(n)), 1.0)
    assert len(versions) == module.MOST
    assert versions[versions.current].site.handlers["x.py"] == str(module.MOST + 4)
    big = "x" * (module.MOST_CHARACTERS // 2)
    for n in range(4):
        versions.note(with_text(f"{big}{n}"), 1.0)
    assert len(versions) <= 3


def test_changes_name_files_that_came_and_went() -> None:
    new = SITE.without_handler("x.py").with_template("t.html", "1\n2\n")
    new = new.with_routes((Route("/", "a.B"),))
    assert {change.file: change.kind for change in compare(SITE, new)} == {
        "handlers/x.py": "removed",
        "templates/t.html": "added",
        "site.toml": "changed",
    }


def test_a_difference_has_context_gaps_and_spans() -> None:
    old = [f"line {n}" for n in range(40)]
    new = list(old)
    new[5] = "line five"
    del new[30]
    rows = difference({"x": "\n".join(old)}, {"x": "\n".join(new)})
    assert rows[0].kind == FILE
    assert [row.kind for row in rows[1:]].count(GAP) == 1
    [gone, deleted] = [row for row in rows if row.kind == GONE]
    [came] = [row for row in rows if row.kind == CAME]
    assert (gone.old, gone.text, came.new, came.text) == (6, "line 5", 6, "line five")
    assert "".join(came.text[a:b] for a, b in came.spans) == "five"
    assert (deleted.old, deleted.text) == (31, "line 30")
    for row in rows:
        if row.kind == SAME:
            assert (old[row.old - 1], new[row.new - 1]) == (row.text, row.text)
    assert difference({"x": "1"}, {"x": "1"}) == []


def test_a_long_file_with_a_small_change_is_compared_fast() -> None:
    text = "same\n" * 100_000
    rows = difference({"x": text + "a"}, {"x": text + "b"})
    assert [row.kind for row in rows] == [FILE, SAME, SAME, SAME, GONE, CAME]


def test_files_that_differ_everywhere_are_compared_in_time() -> None:
    old = [f"line {n} of a text" for n in range(8_000)]
    new = [line if n % 3 else f"{line}!" for n, line in enumerate(old)]

    def compare(lines: int) -> list[Row]:
        return difference({"x": "\n".join(old[:lines])}, {"x": "\n".join(new[:lines])})

    rows = compare(8_000)
    assert [row.text for row in rows if row.kind in (CAME, SAME)] == new
    assert [row.text for row in rows if row.kind in (GONE, SAME)] == old
    # So many lines are still compared with each other.
    assert cost(lambda: compare(8_000), 3) < cost(lambda: compare(1_000), 3)
