"""A project on the disk: what loads, what is refused and where, what a save changes."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from tornado.routing import PathMatches

from app.server.site import (
    Problem,
    Route,
    Site,
    SiteError,
    check,
    digest,
    dumps,
    load,
    remarks,
    save,
)

SITE = """\
# The teacher's own comment.
[site]
name = "Lesson 1"

[settings]
xsrf_cookies = true

[[routes]]
pattern = "/"
handler = "handlers.greeting.GreetingHandler"
name = "home"

[[routes]]
pattern = "/old"
handler = "tornado.web.RedirectHandler"
kwargs = { url = "/" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    for name in ("handlers", "templates/parts", "static"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "handlers/greeting.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "templates/a.html").write_text("<p>你好</p>\n", encoding="utf-8")
    (tmp_path / "templates/parts/b.html").write_text("b", encoding="utf-8")
    (tmp_path / "static/s.css").write_text("p {}", encoding="utf-8")
    return tmp_path


def problems_of(folder: Path) -> list[Problem]:
    with pytest.raises(SiteError) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)
    return caught.value.problems


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below *folder* with its inode, which tells a rewritten file from an old one."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(p.relative_to(folder)): (p.stat().st_ino, p.read_bytes()) for p in files}


# Loading


def test_loads_what_is_on_the_disk(folder: Path) -> None:
    site = load(folder)
    assert (site.folder, site.name, site.settings) == (folder, "Lesson 1", {"xsrf_cookies": True})
    assert site.routes == (
        Route("/", "handlers.greeting.GreetingHandler", name="home"),
        Route("/old", "tornado.web.RedirectHandler", kwargs={"url": "/"}),
    )
    assert site.handlers == {"greeting.py": "x = 1\n"}
    assert site.templates == {"a.html": "<p>你好</p>\n", "parts/b.html": "b"}
    assert check(site) == []


def test_a_relative_folder_stays_where_it_is(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    site = load(folder.name)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert site.folder == folder


def test_caches_and_hidden_files_are_not_sources(folder: Path) -> None:
    for name in ("handlers/.x.py", "templates/.swp", "templates/__pycache__/a.pyc"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"\xff")
    assert load(folder).templates.keys() == {"a.html", "parts/b.html"}


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("", 0, 0, "is empty"),
        ("[site]\nname = = 1\n", 2, 8, "Invalid value"),
        ('[site]\nname = "x', 2, 0, "at the end of the file"),
        ('[site]\nname = "a"\nname = "b"\n', 3, 11, "Cannot overwrite"),
        ("[site]\nname = 3\n", 2, 0, "'name' in [site] must be text"),
        ("site = 3\n", 1, 0, "must be a table: [site]"),
        ("[site]\n[routes]\n", 2, 0, "must be an array of tables"),
        ("[site]\ncolour = 1\n", 2, 0, "unknown key 'colour'"),
        ("[site]\n\n[sets]\n", 3, 0, "unknown key 'sets' in the file"),
        ('[site]\n[[routes]]\npattern = "/"\n', 2, 0, "route 1 needs 'handler'"),
        ('[[routes]]\npattern = 1\nhandler = "a.b"\n', 1, 0, "'pattern' in route 1 must be text"),
        ('[[routes]]\npattern = "/"\nhandler = "a.b"\nkwargs = 3\n', 1, 0, "'kwargs'"),
        ('[[routes]]\npattern = "/"\nhandler = "a.b"\nenabled = 1\n', 1, 0, "true or false"),
        ("routes = [3]\n", 0, 0, "route 1 must be a table"),
        ("[settings]\nx = nan\n", 0, 0, "not finite"),
        ("[settings]\nx = [{ y = 1e999 }]\n", 0, 0, "not finite"),
        ("[settings]\nx = " + "1" * 5000, 0, 0, "Exceeds the limit"),
        ("[settings]\nx = " + "[" * 100_000, 0, 0, "nested too deeply"),
        ("[settings]\nx = " + "{ y = " * 100_000, 0, 0, "nested too deeply"),
        ("[settings]\na" + ".b" * 100_000 + " = 1", 2, 0, "nested too deeply"),
        ("[settings]\na" + ' . "b"' * 5_000 + " = 1", 2, 0, "nested too deeply"),
        ("[site]\nname = 'a\0'\n", 2, 10, "Found invalid character"),
    ],
)
def test_a_broken_site_file_says_where(
    folder: Path, text: str, line: int, column: int, said: str
) -> None:
    (folder / "site.toml").write_text(text, encoding="utf-8")
    (problem,) = problems_of(folder)
    assert (problem.file, problem.line, problem.column) == ("site.toml", line, column)
    assert said in problem.text


def test_a_missing_folder_a_file_and_an_empty_folder(folder: Path, tmp_path: Path) -> None:
    assert "no such folder" in problems_of(tmp_path / "nowhere")[0].text
    assert "is not a folder" in problems_of(folder / "site.toml")[0].text
    assert problems_of(folder / "static")[0].file == "site.toml"


@pytest.mark.parametrize("name", ["site.toml", "handlers/greeting.py", "templates/a.html"])
def test_text_that_is_not_utf8_says_which_byte(folder: Path, name: str) -> None:
    (folder / name).write_bytes("一\né".encode() + b"\xe9\n")
    assert problems_of(folder) == [Problem(name, 2, 2, "is not UTF-8 text (byte 0xe9)")]


def test_a_byte_order_mark_is_no_part_of_the_text(folder: Path) -> None:
    for name in ("site.toml", "handlers/greeting.py"):
        (folder / name).write_bytes(b"\xef\xbb\xbf" + (folder / name).read_bytes())
    before = snapshot(folder)
    site = load(folder)
    assert site.handlers["greeting.py"] == "x = 1\n"
    save(site, folder)
    assert snapshot(folder) == before


def test_a_huge_file_is_refused_without_being_read(folder: Path) -> None:
    for name in ("site.toml", "handlers/greeting.py"):
        with (folder / name).open("r+b") as file:
            file.truncate(1 << 30)
    assert "larger than 64 MB" in problems_of(folder)[0].text


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.parametrize("name", ["templates/link.html", "handlers/link.py"])
def test_a_link_that_leaves_the_folder_is_refused(
    folder: Path, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret"
    outside.write_text("secret", encoding="utf-8")
    (folder / name).symlink_to(outside)
    assert problems_of(folder) == [Problem(name, 0, 0, "is a link that leaves the project folder")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_does_not_hang_the_load(folder: Path) -> None:
    os.mkfifo(folder / "templates/pipe.html")
    assert "not a regular file" in problems_of(folder)[0].text


# Checking


def site_with(*routes: Route, **sources: str) -> Site:
    return Site(Path("/project"), routes=routes, handlers=dict(sources))


@pytest.mark.parametrize(
    ("pattern", "column", "said"),
    [
        ("/(", 2, "missing )"),
        ("/a(?i)b", 3, "global flags not at the start"),
        ("/{2}a{999999999999}", 6, "repetition number is too large"),
        ("/" + "(" * 100_000 + ")" * 100_000, 2, "nested too deeply"),
        (r"/(\d+)/(?P<x>\d+)", 2, "all named or all positional"),
        ("/a\0b", 3, "NUL"),
        (None, 0, "must be text"),
        ("", 1, "is empty"),
    ],
)
def test_a_bad_pattern_is_a_problem_at_its_column(pattern: Any, column: int, said: str) -> None:
    (problem,) = check(site_with(Route(pattern, "tornado.web.RequestHandler")))
    assert (problem.file, problem.column, problem.route) == ("site.toml", column, 0)
    assert said in problem.text
    assert len(problem.text) < 200


@pytest.mark.parametrize(
    "pattern", ["/", "nothing", r"/(\d+)/(\w+)", r"/(?P<a>x)$", "/你好", "/a\\"]
)
def test_patterns_that_tornado_takes_are_no_problem(pattern: str) -> None:
    assert check(site_with(Route(pattern, "tornado.web.RequestHandler"))) == []


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (Route("/", "Handler"), "not a dotted path"),
        (Route("/", "handlers.a-b.Handler"), "not a dotted path"),
        (Route("/", "handlers.class.Handler"), "not a dotted path"),
        (Route("/", "handlers.gone.Handler"), "no handlers/gone.py"),
        (Route("/", "a.B", kwargs=[1]), "kwargs must be a table"),  # type: ignore[arg-type]
        (Route("/", "a.B", host="(x"), "host '(x'"),
    ],
)
def test_a_bad_route_is_a_problem(route: Route, said: str) -> None:
    (problem,) = check(site_with(Route("/ok", "a.B"), route))
    assert said in problem.text
    assert problem.route == 1


def test_a_name_is_given_once() -> None:
    routes = (Route("/a", "a.B", name="x"), Route("/b", "a.B", name="x"))
    (problem,) = check(site_with(*routes))
    assert "route 1 has the name 'x' already" in problem.text


def test_a_disabled_route_may_be_unfinished() -> None:
    assert check(site_with(Route("/(", "", enabled=False))) == []


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("def f(:\n", 1, 7),
        ("if 1:\n\tx\n        y\n", 3, 0),
        ("x = 1\ny = '\ud800'\n", 2, 6),
        ("x = 1\xa0+ 1\n", 1, 6),
        ("x = " + "(" * 5000, 1, 0),
        ("y = 1\nx = " + "-" * 100_000 + "1", 2, 1),
        ("y = 1\nx = 1" + "+1" * 100_000, 2, 1),
        ("y = 1\n x\0\n", 2, 3),
        ("return 1\n", 1, 1),
    ],
)
def test_handler_syntax_is_a_problem_at_its_line(source: str, line: int, column: int) -> None:
    (problem,) = check(Site(Path("/project"), handlers={"x.py": source}))
    assert (problem.file, problem.line) == ("handlers/x.py", line)
    if column:
        assert problem.column == column


def test_the_column_is_that_of_the_text_and_not_of_the_file_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers" / "x.py").write_text("\n\n")
    (problem,) = check(Site(tmp_path, handlers={"x.py": "import os\ndef f(:\n"}))
    assert (problem.line, problem.column) == (2, 7)


@pytest.mark.parametrize(
    "name", ["../x.html", "/etc/passwd", "a/../../x", "C:/x", "a\\b", "", "a//b", "./a", "a\0b"]
)
def test_names_that_leave_the_folder_are_refused_everywhere(name: str, tmp_path: Path) -> None:
    site = Site(tmp_path / "project", templates={name: "x"})
    assert check(site)
    with pytest.raises(SiteError):
        save(site, tmp_path / "project")
    with pytest.raises(SiteError):
        Site(tmp_path).with_template(name, "x")
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize("name", ["sub/x.py", "x.txt", "../x.py"])
def test_handlers_are_python_files_of_one_folder(name: str) -> None:
    with pytest.raises(SiteError):
        Site(Path("/project")).with_handler(name, "")


def test_remarks_name_what_is_probably_not_meant() -> None:
    site = Site(
        Path("/project"),
        routes=(
            Route("/a", "a.B"),
            Route("/a", "a.C"),
            Route("b", "a.B"),
            Route(r"/\d+", "a.B", name="n"),
            Route(r"/(?:x)/(a(b))", "a.B", name="m"),
            Route(r"/ok/(\d+)", "a.B", name="ok"),
        ),
        handlers={"x.py": "a = 1\nb = a is 1\n"},
        templates={"t.html": "{% block a %}{% end %}\n{% block a %}{% end %}"},
    )
    found = {(p.file, p.line, p.route): p.text for p in remarks(site)}
    assert found.keys() == {
        ("site.toml", 0, 1),
        ("site.toml", 0, 2),
        ("site.toml", 0, 3),
        ("handlers/x.py", 2, -1),
        ("templates/t.html", 2, -1),
        ("site.toml", 0, 4),
    }
    assert "never reached" in found["site.toml", 0, 1]


@pytest.mark.parametrize(
    "pattern",
    ["/", "", r"/a\.b", r"/(\d+)/x", r"/\d", r"/(?:a)(b)", "^/a(.*)$", r"/(?P<a>\w+)", r"/a\(b"],
)
def test_reversible_is_what_tornado_can_reverse(pattern: str) -> None:
    site = site_with(Route(pattern, "a.B", name="n"))
    said = any("reverse_url" in problem.text for problem in remarks(site))
    assert said == (PathMatches(pattern)._path is None)


# Editing


def test_edits_return_new_sites(folder: Path) -> None:
    site = load(folder)
    edited = (
        site.with_template("new.html", "n")
        .with_handler("greeting.py", "y = 2\n")
        .with_routes([Route("/", "a.B")])
        .with_settings({"x": 1})
        .without_template("a.html")
    )
    assert site == load(folder)
    assert edited.templates == {"parts/b.html": "b", "new.html": "n"}
    assert edited.handlers == {"greeting.py": "y = 2\n"}
    assert (edited.routes, edited.settings) == ((Route("/", "a.B"),), {"x": 1})
    assert edited.without_handler("greeting.py").handlers == {}


def test_the_digest_follows_all_that_runs(folder: Path) -> None:
    site = load(folder)
    edits = [
        site,
        site.with_handler("greeting.py", "x = 2\n"),
        site.with_template("a.html", ""),
        site.with_settings({}),
        site.with_routes(site.routes[:1]),
        site.with_template("a.htmlx", ""),
    ]
    assert len({digest(edit) for edit in edits}) == len(edits)
    assert digest(load(folder)) == digest(site)


# Saving


def test_saving_unchanged_touches_nothing(folder: Path) -> None:
    before = snapshot(folder)
    save(load(folder), folder)
    assert snapshot(folder) == before


def test_saving_writes_only_what_changed_and_deletes_nothing(folder: Path) -> None:
    before = snapshot(folder)
    save(load(folder).with_template("a.html", "new").without_handler("greeting.py"), folder)
    after = snapshot(folder)
    assert after.pop("templates/a.html")[1] == b"new"
    before.pop("templates/a.html")
    assert after == before


def test_line_ends_and_permissions_of_a_file_are_kept(folder: Path) -> None:
    path = folder / "handlers/greeting.py"
    path.write_bytes(b"\xef\xbb\xbfx = 1\r\ny = 2\r\n")
    path.chmod(0o640)
    site = load(folder)
    assert site.handlers["greeting.py"] == "x = 1\ny = 2\n"
    save(site.with_handler("greeting.py", "x = 1\ny = 3\n"), folder)
    assert path.read_bytes() == b"\xef\xbb\xbfx = 1\r\ny = 3\r\n"
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o640


def test_what_is_saved_loads_again(tmp_path: Path) -> None:
    site = Site(
        tmp_path / "p",
        name='Ein "Name"\n\x01\x7f',
        settings={
            "t": True,
            "n": -3,
            "f": 1.5,
            "e": 1e30,
            "l": ["a", 1, []],
            "d": {"x y": {"z": {}}, "": "'"},
            "odd key": "\t\\",
        },
        routes=(
            Route(r"/a/(\d+)'", "a.B", "n", {"url": r"\d"}, r".*\.example", False),
            Route(r"/b/(\w+)", "a.B"),
        ),
        handlers={"a.py": "B = 1\n", "e.py": ""},
        templates={"x/y/z.html": "z"},
    )
    save(site, tmp_path / "p")
    again = load(tmp_path / "p")
    assert again == site
    assert dumps(again) == dumps(site)
    assert r"pattern = '/b/(\w+)'" in dumps(site)


def test_a_true_that_became_1_is_a_change(folder: Path) -> None:
    save(load(folder).with_settings({"xsrf_cookies": 1}), folder)
    assert load(folder).settings["xsrf_cookies"] is not True


def test_saving_elsewhere_brings_the_static_files(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    save(load(folder), target)
    assert (target / "static/s.css").read_text(encoding="utf-8") == "p {}"
    (target / "static/s.css").write_text("mine", encoding="utf-8")
    save(load(folder), target)
    assert (target / "static/s.css").read_text(encoding="utf-8") == "mine"


def test_a_value_that_toml_lacks_is_refused_before_anything_is_written(folder: Path) -> None:
    before = snapshot(folder)
    with pytest.raises(SiteError, match="NoneType"):
        save(load(folder).with_settings({"x": None}).with_template("a.html", "new"), folder)
    with pytest.raises(SiteError, match="surrogate"):
        save(load(folder).with_handler("z.py", "\ud800").with_handler("a.py", "x"), folder)
    assert snapshot(folder) == before


@pytest.mark.parametrize("taken", [0, 3])
def test_a_full_disk_leaves_the_old_file(
    folder: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(folder)
    write = os.write
    calls: list[int] = []

    def short(descriptor: int, data: memoryview) -> int:
        calls.append(descriptor)
        if len(calls) > 1 or not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data[:taken])

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(SiteError, match=r"a\.html.*no space left"):
        save(load(folder).with_template("a.html", "much longer than that"), folder)
    assert snapshot(folder) == before


def test_a_write_that_comes_back_short_is_continued(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:2]))
    save(load(folder).with_template("a.html", "seven characters more"), folder)
    assert (folder / "templates/a.html").read_text(encoding="utf-8") == "seven characters more"


def test_a_crash_before_the_exchange_leaves_the_old_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(folder)

    def killed(*paths: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save(load(folder).with_template("a.html", "new"), folder)
    assert snapshot(folder) == before


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_saving_never_follows_a_link_out(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site = load(folder).with_template("out/x.html", "x")
    outside = tmp_path_factory.mktemp("outside")
    (folder / "templates/out").symlink_to(outside)
    with pytest.raises(SiteError, match="leaves the project folder"):
        save(site, folder)
    assert list(outside.iterdir()) == []


def test_a_site_error_is_one_line_and_counts_the_rest() -> None:
    error = SiteError(
        [Problem("a.py", 3, 4, "first\nline"), Problem("b.py", 0, 0, "second")], Path("/p")
    )
    assert str(error) == f"/p{os.sep}a.py:3:4: first line (and 1 more)".replace("//", "/")
