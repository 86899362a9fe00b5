"""Handler modules: what runs again, what a failure leaves behind, what a traceback shows."""

from __future__ import annotations

import inspect
import linecache
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from app.server.modules import HandlerModules
from app.server.site import Site, SiteError

RUNS: list[str] = []
"""Names of the modules in the order in which their code ran."""

NOTE = f"import sys; sys.modules[{__name__!r}].RUNS.append(__name__)\n"


@pytest.fixture
def modules() -> Iterator[HandlerModules]:
    before = (set(sys.modules), list(sys.meta_path), set(linecache.cache))
    RUNS.clear()
    modules = HandlerModules()
    yield modules
    modules.unload()
    assert list(sys.meta_path) == before[1]
    assert not {name for name in sys.modules if name.split(".")[0] == "handlers"} - before[0]


def site_of(folder: Path, **sources: str) -> Site:
    return Site(folder, handlers={f"{name}.py": NOTE + text for name, text in sources.items()})


def failure(modules: HandlerModules, site: Site) -> tuple[str, int, str]:
    with pytest.raises(SiteError) as caught:
        modules.load(site)
    problem = caught.value.problems[0]
    return problem.file, problem.line, problem.text


def test_handlers_import_each_other_as_under_plain_tornado(
    modules: HandlerModules, tmp_path: Path
) -> None:
    modules.load(
        site_of(
            tmp_path,
            a="from handlers.b import B\nfrom . import c\nfrom .c import C\nimport handlers.b",
            b="class B: pass",
            c="class C: pass",
        )
    )
    assert modules.resolve("handlers.a.B") is modules.resolve("handlers.b.B")
    assert modules.resolve("handlers.a.c.C") is modules.resolve("handlers.c.C")
    assert modules.resolve("handlers.a").__file__ == str(tmp_path / "handlers/a.py")
    assert modules.resolve("handlers.b.B").__module__ == "handlers.b"


def test_only_what_changed_and_what_imports_it_runs_again(
    modules: HandlerModules, tmp_path: Path
) -> None:
    site = site_of(
        tmp_path,
        base="",
        middle="from handlers.base import *",
        top="def late():\n    from .middle import x",
        chat="clients = set()",
    )
    modules.load(site)
    assert sorted(RUNS) == [f"handlers.{name}" for name in ("base", "chat", "middle", "top")]
    modules.resolve("handlers.chat.clients").add("someone")
    RUNS.clear()
    modules.load(site.with_template("a.html", "changed"))
    assert RUNS == []
    modules.load(site.with_handler("base.py", NOTE + "x = 1"))
    assert sorted(RUNS) == ["handlers.base", "handlers.middle", "handlers.top"]
    assert modules.resolve("handlers.chat.clients") == {"someone"}
    assert modules.resolve("handlers.middle.x") == 1


def test_the_package_itself_can_hold_code(modules: HandlerModules, tmp_path: Path) -> None:
    site = site_of(tmp_path, __init__="shared = []", a="from handlers import shared", b="")
    modules.load(site)
    assert modules.resolve("handlers.a.shared") is modules.resolve("handlers.shared")
    RUNS.clear()
    modules.load(site.with_handler("__init__.py", NOTE + "shared = {}"))
    assert sorted(RUNS) == ["handlers", "handlers.a"]
    assert modules.resolve("handlers.a.shared") == {}
    assert modules.resolve("handlers.b").__name__ == "handlers.b"


def test_a_module_that_is_gone_cannot_be_imported_any_more(
    modules: HandlerModules, tmp_path: Path
) -> None:
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers/a.py").write_text("on_the_disk = True", encoding="utf-8")
    site = site_of(tmp_path, a="", b="from handlers import a")
    modules.load(site)
    file, line, text = failure(modules, site.without_handler("a.py"))
    assert (file, line) == ("handlers/b.py", 2)
    assert "ImportError" in text
    modules.load(site.without_handler("a.py").without_handler("b.py"))
    for name in ("handlers.a", "handlers.b"):
        with pytest.raises(ImportError):
            modules.resolve(name)


@pytest.mark.parametrize(
    ("code", "line", "said"),
    [
        ("x = 1\nimport no_such_module", 3, "No module named 'no_such_module'"),
        ("import sys\nsys.exit(3)", 3, "SystemExit: 3"),
        ("raise KeyboardInterrupt", 2, "KeyboardInterrupt"),
        ("class Odd(BaseException):\n    def __str__(self):\n        1/0\nraise Odd", 5, "Odd"),
        ("def f():\n    1/0\n\nf()", 3, "ZeroDivisionError"),
        ("from handlers.good import missing", 2, "cannot import name 'missing'"),
        ("import json\njson.loads('{')", 3, "JSONDecodeError"),
        ("def f(): f()\nf()", 2, "RecursionError"),
        ("x = (", 2, "never closed"),
    ],
)
def test_a_failed_load_changes_nothing(
    modules: HandlerModules, tmp_path: Path, code: str, line: int, said: str
) -> None:
    good = site_of(tmp_path, good="value = []", user="from handlers.good import value")
    modules.load(good)
    before = {name: module for name, module in sys.modules.items() if "handlers" in name}
    value = modules.resolve("handlers.user.value")
    names = dict(vars(sys.modules["handlers"]))
    bad = good.with_handler("bad.py", NOTE + code).with_handler("good.py", "value = {}\n")
    file, at, text = failure(modules, bad)
    assert (file, at) == ("handlers/bad.py", line)
    assert said in text
    assert {n: m for n, m in sys.modules.items() if "handlers" in n} == before
    assert vars(sys.modules["handlers"]) == names
    assert modules.resolve("handlers.user.value") is value
    RUNS.clear()
    modules.load(good)
    assert RUNS == []


def test_a_first_load_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    before = (set(sys.modules), list(sys.meta_path))
    modules = HandlerModules()
    with pytest.raises(SiteError):
        modules.load(site_of(tmp_path, a="1/0"))
    assert (set(sys.modules), list(sys.meta_path)) == before


def test_every_syntax_error_is_reported_at_once(modules: HandlerModules, tmp_path: Path) -> None:
    with pytest.raises(SiteError) as caught:
        modules.load(site_of(tmp_path, a="def", b="x = 1", c="class"))
    assert [problem.file for problem in caught.value.problems] == ["handlers/a.py", "handlers/c.py"]
    assert RUNS == []


def test_a_foreign_package_of_that_name_comes_back(tmp_path: Path) -> None:
    foreign = ModuleType("handlers")
    sys.modules["handlers"] = foreign
    try:
        modules = HandlerModules()
        modules.load(site_of(tmp_path, a=""))
        assert sys.modules["handlers"] is not foreign
        modules.unload()
        assert sys.modules["handlers"] is foreign
    finally:
        sys.modules.pop("handlers", None)


def traceback_of(modules: HandlerModules, dotted: str) -> str:
    try:
        modules.resolve(dotted)()
    except ZeroDivisionError:
        return traceback.format_exc()
    raise AssertionError("no exception")


def test_a_traceback_shows_the_line_that_ran_and_not_the_one_on_the_disk(
    modules: HandlerModules, tmp_path: Path
) -> None:
    path = tmp_path / "handlers/a.py"
    path.parent.mkdir()
    path.write_text("# one\n# two\n# three, saved\n", encoding="utf-8")
    modules.load(site_of(tmp_path, a="def f():\n    return 1 / 0  # edited, not saved"))
    text = traceback_of(modules, "handlers.a.f")
    assert f'File "{path}", line 3' in text
    assert "edited, not saved" in text
    linecache.clearcache()
    modules.cache_lines()
    assert "edited, not saved" in traceback_of(modules, "handlers.a.f")
    assert "edited" in inspect.getsource(modules.resolve("handlers.a.f"))


def test_resolve_finds_any_module_and_explains_what_it_does_not(
    modules: HandlerModules, tmp_path: Path
) -> None:
    modules.load(site_of(tmp_path, a="class A:\n    class Inner: pass"))
    assert modules.resolve("handlers.a.A.Inner").__name__ == "Inner"
    assert modules.resolve("tornado.web.RedirectHandler").__module__ == "tornado.web"
    assert modules.resolve("tornado.web").__name__ == "tornado.web"
    for dotted, said in (
        ("handlers.a.B", "no 'B' in a.py"),
        ("handlers.b.B", "no 'b' in"),
        ("no_such.module.X", "no module 'no_such'"),
    ):
        with pytest.raises(ImportError, match=said):
            modules.resolve(dotted)


def test_resolve_contains_what_an_installed_module_raises(
    modules: HandlerModules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "quits_at_import.py").write_text("raise SystemExit('no')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match="SystemExit: no"):
        modules.resolve("quits_at_import.X")


def test_unload_takes_the_lines_away(tmp_path: Path) -> None:
    modules = HandlerModules()
    modules.load(site_of(tmp_path, a=""))
    assert str(tmp_path / "handlers/a.py") in linecache.cache
    modules.unload()
    assert str(tmp_path / "handlers/a.py") not in linecache.cache
    modules.unload()
    modules.load(site_of(tmp_path, a="again = True"))
    assert modules.resolve("handlers.a.again") is True
    modules.unload()
