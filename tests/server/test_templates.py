"""Templates: bad ones are named at their place, and every line is linked to what becomes of it."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.template import DictLoader
from tornado.web import Application

from app.recording.recorder import Recorder
from app.server.bounded import Bounded, TooLong
from app.server.build import build_application
from app.server.literals import read_values
from app.server.modules import HandlerModules
from app.server.server import Server
from app.server.site import Problem, Route, Site, SiteError, load, remarks
from app.server.templates.analysis import analyse, template_remarks
from app.server.templates.facts import DROPPED, TWICE, Fault, Links, Preview, Remark
from app.server.templates.job import AsRequest, Job
from app.server.templates.limit import MAX_OUTPUT, OutputTooLarge
from app.server.templates.loader import SiteLoader
from app.server.templates.preview import preview
from app.server.templates.tree import references, users_of
from tests.test_program import program, rows

HANDLERS = """\
from tornado.web import RequestHandler, UIModule

class Page(RequestHandler):
    def get(self):
        self.render("page.html")

class Named(RequestHandler):
    def initialize(self, title="none"):
        self.title = title
    def get_current_user(self):
        return self.get_cookie("user")
    def get_template_namespace(self):
        return {**super().get_template_namespace(), "title": self.title}
    def get(self, word):
        self.render("page.html", word=word)

class Box(UIModule):
    def render(self, text):
        return self.render_string("box.html", text=text)
    def embedded_css(self):
        return "b { color: red }"
    def css_files(self):
        return "/box.css"
    def embedded_javascript(self):
        return "boxed()"
    def html_body(self):
        return "<i>last</i>"

def shout(handler, text):
    return text.upper()
"""
ROUTES = (
    Route("/", "handlers.h.Page", name="home"),
    Route(r"/named/(\w+)", "handlers.h.Named", kwargs={"title": "Title"}),
)
SETTINGS = {"ui_modules": "handlers.h", "ui_methods": "handlers.h", "xsrf_cookies": True}


def site_of(folder: Path = Path("/project"), **templates: str) -> Site:
    """Return a site with those templates; ``a__b`` stands for ``a/b.html``."""
    texts = {name.replace("__", "/") + ".html": text for name, text in templates.items()}
    return Site(folder, "", SETTINGS, routes=ROUTES, handlers={"h.py": HANDLERS}, templates=texts)


@pytest.fixture
def modules() -> Iterator[HandlerModules]:
    modules = HandlerModules()
    yield modules
    modules.unload()


def application_of(modules: HandlerModules, site: Site) -> Application:
    modules.load(site)
    return build_application(site, modules)


def at_once(call: Callable[[], object]) -> None:
    """Set no limit."""
    call()


def show(site: Site, application: Application | None = None, **options: Any) -> Preview:
    """Render ``page.html`` of *site* as the window does, but without a limit."""
    job = Job(site, "page.html", application or Application(), **options)
    return preview(job, at_once)


def answers(*sites: Site) -> tuple[list[list[Problem]], list[HTTPResponse]]:
    """Serve the first site, apply the others, and ask for ``/`` each time."""

    async def main() -> tuple[list[list[Problem]], list[HTTPResponse]]:
        server, client = Server(Recorder()), AsyncHTTPClient(force_instance=True)
        host, port = server.start("127.0.0.1", 0)
        problems: list[list[Problem]] = []
        responses: list[HTTPResponse] = []
        try:
            for site in sites:
                try:
                    server.apply(site)
                    problems.append([])
                except SiteError as error:
                    problems.append(error.problems)
                url = f"http://{host}:{port}/"
                responses.append(await client.fetch(url, raise_error=False))
        finally:
            client.close()
            await server.close()
        return problems, responses

    return asyncio.run(main())


# Bad inputs, by their rows


@pytest.mark.parametrize(
    ("row", "text", "place", "said"),
    [
        (19, "a\n  {{ x", (2, 3), "Missing end expression }}"),
        (20, "a\nb{% if 1 %}\nc\n{% if 2 %}{% end %}\n", (2, 2), "Missing {% end %} block for if"),
        (20, "{% for x in y %}\n {% block b %}\n", (2, 2), "Missing {% end %} block for block"),
        (21, "\n {% nothing x %}", (2, 2), "unknown operator: 'nothing'"),
        (22, "a\nb {% end %}", (2, 3), "Extra {% end %} block"),
        (23, "a\n\n<b>{{ 1 + }}\n", (3, 10), "invalid syntax"),
        (23, "{{ [1,\n  2 +] }}", (2, 6), "invalid syntax"),
        (23, '{{ "# x:3" + }}', (1, 13), "invalid syntax"),
        (23, "a\n{% if x = 1 %}{% end %}", (2, 7), "invalid syntax"),
        (23, "{% set x y %}", (1, 10), "invalid syntax"),
        (25, 'a\n {% extends "gone.html" %}', (2, 2), "there is no template 'gone.html'"),
        (25, 'a\n {% include "gone.html" %}', (2, 2), "there is no template 'gone.html'"),
        (25, '\n{% if 1 %} {% extends "b.html" %}{% end %}', (2, 12), "must not stand within"),
        (25, 'a\n{% include "c.html" %}', (2, 1), "'c.html' extends another template"),
        (26, '{% extends "b.html" %}', (2, 1), "page.html → b.html → page.html"),
        (27, 'x\n{% include "page.html" %}', (2, 1), "circle: page.html → page.html"),
        (32, "{% if 1 %}\n" * 200 + "{% end %}" * 200, (99, 1), "too many"),
        (32, "{% if 1 %}\n" * 5000 + "{% end %}" * 5000, (99, 1), "too deeply"),
        (32, "a\n {{ 1 }}{{ " + "-" * 100_000 + "1 }}", (2, 9), "too deeply"),
        (23, "\0\n {{ 1\0 }}", (2, 6), "a NUL character"),
        (23, "a\n{{ '\ud800' }}", (2, 5), "a lone surrogate"),
        (33, "a\n  {% autoescape nope %}{{ 1 }}", (2, 3), "no autoescape function 'nope'"),
        (34, "a\n {% try %}\nx\n{% end %}\n{{ 1 }}", (2, 5), "'except' or 'finally'"),
    ],
)
def test_a_broken_template_is_told_at_its_place_and_the_last_good_one_is_served(
    row: int, text: str, place: tuple[int, int], said: str
) -> None:
    good = site_of(page="good", b='\n{% extends "page.html" %}', c='{% extends "d.html" %}', d="")
    bad = good.with_template("page.html", text)
    problems, responses = answers(good.without_template("b.html"), bad)
    problem = next(each for each in problems[1] if said in each.text)
    assert problem.file == ("templates/b.html" if row == 26 else "templates/page.html")
    assert (problem.line, problem.column) == place
    assert [response.body for response in responses] == [b"good", b"good"]


def test_row_24_an_undefined_name_is_a_500_and_the_log_has_the_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    problems, (response,) = answers(site_of(page="a\n\n{{ nowhere }}"))
    assert problems == [[]]
    assert response.code == 500
    assert "page.html:3" in caplog.text


def test_row_28_a_block_that_is_there_twice_is_a_warning() -> None:
    text = "{% block a %}1{% end %}\n{% block a %}2{% end %}"
    problems, (response,) = answers(site_of(page=text))
    (remark,) = remarks(site_of(page=text))
    assert (remark.file, remark.line) == ("templates/page.html", 2)
    assert problems == [[]]
    assert response.body == b"2\n2"


LOOPS = [
    (29, "a\n{% while True %}x{% end %}", "page.html:2"),
    (29, "{% while True %}x{% continue %}{% end %}", "page.html:1"),
    (29, "\n{% while True %}{% try %}x{% except Exception %}{% end %}{% end %}", "page.html:2"),
    (29, "{% while True %}{% try %}x{% finally %}{% continue %}{% end %}{% end %}", ""),
    (29, '\n\n{% include "b.html" %}', "b.html:2 (via page.html:3)"),
    (29, "\n{% module Box('y') %}", "box.html:2"),
    (30, "a\nb{% for i in range(1000000000) %}x{% end %}", "page.html:2"),
    (30, "{% for i in range(1000000000) %}\n{{ i }}{% end %}", "page.html:1"),
    (30, "{% for i in range(1000000000) %}\n{{ '<' * 50000 }}{% end %}", "page.html:2"),
    (30, "{% for i in range(1000000000) %}\n{% raw b'x' * 50000 %}{% end %}", "page.html:2"),
    (30, "{% for i in range(1000000000) %}\n{{ [i] * 20000 }}{% end %}", "page.html:2"),
    (30, "\n{{ 'x' * 10000000 }}", "page.html:2"),
    (
        30,
        "\n{% for i in range(50) %}\n{% apply str %}{% raw 'x' * 50000 %}{% end %}{% end %}",
        ":3",
    ),
]


@pytest.mark.parametrize(("row", "text", "place"), LOOPS)
def test_rows_29_and_30_the_output_is_capped_and_the_log_has_the_line(
    row: int,
    text: str,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("app.server.templates.limit.MAX_OUTPUT", 1 << 20)
    loop = "\n{% while True %}{{ 'y' }}{% end %}"
    problems, (bad, good) = answers(site_of(page=text, b=loop, box=loop), site_of(page="good"))
    assert problems == [[], []]
    assert (bad.code, good.body) == (500, b"good")
    (record,) = (each for each in caplog.records if each.name == "tornado.application")
    assert record.exc_info is not None
    assert f"{place}: the output is larger than 1 MB" in str(record.exc_info[1])


def test_rows_29_and_30_small_pieces_do_not_take_many_times_their_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.server.templates.limit.MAX_OUTPUT", 1 << 18)
    template = SiteLoader(site_of(page="{% while True %}{{ chr(97) }}{% end %}")).load("page.html")
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        with pytest.raises(OutputTooLarge):
            template.generate()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most - before < 3 << 18


def site_folder(folder: Path, pages: dict[str, str]) -> None:
    """Make a project with those templates, and a route that renders the one that is asked for."""
    for name in ("handlers", "templates"):
        (folder / name).mkdir()
    (folder / "handlers/h.py").write_text(
        "from tornado.web import RequestHandler\n\nclass Page(RequestHandler):\n"
        "    def get(self, name):\n        self.render(name)\n"
    )
    pattern = "[[routes]]\npattern = '/(.*)'\nhandler = 'handlers.h.Page'\n"
    (folder / "site.toml").write_text(pattern)
    for name, text in pages.items():
        (folder / "templates" / name).write_text(text)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
def test_rows_29_and_30_a_template_that_never_ends_is_interrupted(tmp_path: Path) -> None:
    pages = {
        "while.html": "{% while True %}x{% end %}",
        "billion.html": "{% for i in range(1000000000) %}{% end %}",
        "fine.html": "fine",
    }
    site_folder(tmp_path, pages)
    with program(str(tmp_path), "--trust", "--block-limit", "0.3", cwd=tmp_path) as it:
        for name in pages:
            assert it.get(f"/{name}")[0] == (200 if name == "fine.html" else 503)
        it.end()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and prlimit")
def test_rows_29_and_30_memory_stays_within_bounds_also_without_the_watchdog(
    tmp_path: Path,
) -> None:
    from resource import RLIMIT_AS, prlimit

    pages = {
        "while.html": "\n{% while True %}" + "x" * 50 + "{% end %}",
        "billion.html": "\n{% for i in range(1000000000) %}{{ '<' * 1000000 }}{% end %}",
        "once.html": "\n{{ 'x' * 100000000 }}",
    }
    site_folder(tmp_path, {**pages, "never.html": "\n{{ 'x' * 10 ** 10 }}", "fine.html": "fine"})
    capture = str(tmp_path / "a.loopscope")
    options = ("--trust", "--block-limit", "0", "--capture", capture)
    with program(str(tmp_path), *options, cwd=tmp_path) as it:

        def memory(kind: str) -> int:
            status = Path(f"/proc/{it.process.pid}/status").read_text()
            return int(status.partition(f"{kind}:")[2].split()[0]) * 1024

        assert it.get("/fine.html")[0] == 200
        before = memory("VmRSS")
        for name in pages:
            for _ in range(3):
                assert it.get(f"/{name}")[0] == 500
                assert it.get("/fine.html") == (200, b"fine")
        assert memory("VmHWM") - before < 3.5 * MAX_OUTPUT
        assert memory("VmRSS") - before < MAX_OUTPUT
        room = memory("VmSize") + (1 << 30)
        prlimit(it.process.pid, RLIMIT_AS, (room, room))
        assert it.get("/never.html")[0] == 500
        assert it.get("/fine.html") == (200, b"fine")
        it.end()
    logged = rows(Path(capture), "SELECT text FROM log WHERE logger = 'tornado.application'")
    said = [text.rstrip().rpartition("\n")[2].rpartition(".Output")[2] for (text,) in logged]
    expected = [f"TooLarge: {name}:2: the output is larger than 64 MB" for name in pages]
    assert said == [text for text in expected for _ in range(3)] + ["MemoryError"]


def test_row_31_what_is_not_utf_8_is_told_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "site.toml").write_text("[site]\n")
    (tmp_path / "templates/page.html").write_bytes(b"a\nbc\xe9\n")
    with pytest.raises(SiteError) as caught:
        load(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == ("templates/page.html", 2, 3)


# In the window: bounded


def bounded(
    site: Site, seconds: float = 0.3, application: Application | None = None, **options: Any
) -> Preview | BaseException:
    """Render ``page.html`` as the window does, in a thread with a limit."""
    job = Job(site, "page.html", application or Application(), **options)
    return in_a_thread(lambda limited: preview(job, limited), seconds)


def in_a_thread(
    work: Callable[[Callable[[Callable[[], object]], None]], Preview], seconds: float
) -> Preview | BaseException:
    """Return what *work* returns within *seconds*, or what ends it."""
    done = threading.Event()
    results: list[Preview | BaseException] = []

    def finish(result: Preview | BaseException) -> None:
        results.append(result)
        done.set()

    Bounded(work, seconds, finish).start()
    assert done.wait(20)
    return results[0]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a\n{% while True %}x{% end %}", 2, "the output was cut"),
        ("{% while True %}{% set x = 1 %}{% end %}", 1, "interrupted"),
        ("\n{% for i in range(1000000000) %}{% end %}", 2, "interrupted"),
        ('{{ "x" * 10000000 }}', 1, "the output was cut"),
        ('{{ __import__("sys").exit(3) }}', 1, "SystemExit: 3"),
        ("a\n{{ nowhere }}", 2, "NameError: name 'nowhere' is not defined"),
    ],
)
def test_a_preview_ends_and_says_where_it_stood(text: str, line: int, said: str) -> None:
    result = bounded(site_of(page=text), 0.3 if said == "interrupted" else 10)
    assert isinstance(result, Preview)
    assert result.fault is not None
    assert said in result.fault.text
    assert result.fault.file == "page.html"
    assert line in (0, result.fault.line)
    assert len(result.output) <= 256 * 1024


STUBBORN = """
class Stubborn(UIModule):
    def render(self):
        while True:
            try: self.work()
            except BaseException: pass

    def work(self):
        while True:
            try:
                self.kept = []
            except BaseException as error:
                self.kept.append(error)
            finally:
                continue
"""


LOOP = "{% while True %}{% try %}"
END = "{% end %}{% end %}"
WORK = '{% set squeeze("x") %}'


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{LOOP}x{{% except %}}{END}", id="except"),
        pytest.param(f"{LOOP}{WORK}{{% finally %}}{{% continue %}}{END}", id="continue"),
        pytest.param(
            f"{LOOP}{{% try %}}{WORK}{{% except %}}{WORK}{{% end %}}{{% except %}}{WORK}{END}",
            id="nested",
        ),
        pytest.param(
            f"{{% try %}}{LOOP}{WORK}{{% except %}}{END}{{% finally %}}{WORK}{{% end %}}",
            id="around",
        ),
        pytest.param(
            "{% set kept = [] %}"
            f"{LOOP}{WORK}{{% except BaseException as e %}}{{% set kept.append(e) %}}{END}",
            id="kept",
        ),
        pytest.param(f"{LOOP}{{% module Stubborn() %}}{{% except %}}{END}", id="called"),
    ],
)
def test_a_preview_ends_that_swallows_what_interrupts_it(
    modules: HandlerModules, text: str
) -> None:
    site = replace(site_of(page=text), handlers={"h.py": HANDLERS + STUBBORN})
    application = application_of(modules, site)
    for _ in range(10):  # Where it is interrupted is chance.
        result = bounded(site, 0.05, application=application)
        assert isinstance(result, Preview)
        assert result.fault is not None
        assert result.fault.kind == "TooLong"


def test_nothing_is_traced_when_a_preview_is_over() -> None:
    traced: list[object] = []
    job = Job(
        site_of(page="{% while True %}{% try %}x{% except %}{% end %}{% end %}"),
        "page.html",
        Application(),
    )

    def work(limited: Callable[[Callable[[], object]], None]) -> Preview:
        result = preview(job, limited)
        traced.append(sys.gettrace())
        return result

    before = sys.gettrace()
    assert isinstance(in_a_thread(work, 0.05), Preview)
    assert traced == [before]


def test_a_collection_of_garbage_is_not_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lost.append)
    gone: list[object] = []

    class Node:
        pass

    def work() -> None:
        for _ in range(20_000):
            pass

    def ended(_: object) -> None:
        work()
        gone.append(1)

    def collect() -> None:
        node: Any = Node()
        node.itself = node
        kept = weakref.ref(node, ended)
        del node
        gc.collect(0)
        assert kept() is None
        work()

    site = site_of(page="{% while True %}{% set collect() %}{% end %}")
    for _ in range(10):
        result = bounded(site, 0.02, values={"collect": collect})
        assert isinstance(result, Preview)
    assert gone
    assert lost == []


def test_threads_take_turns_as_before_when_a_preview_is_over() -> None:
    before = sys.getswitchinterval()
    bounded(site_of(page="{{ __import__('time').sleep(0.05) }}"))
    deadline = time.monotonic() + 20
    while sys.getswitchinterval() != before and time.monotonic() < deadline:
        time.sleep(0.01)  # The thread that tells the result ends a moment later.
    assert sys.getswitchinterval() == before


@pytest.mark.parametrize("code", ["pass", "while True: pass", "time.sleep(0.3)"])
def test_code_is_traced_as_before_when_a_preview_is_over(code: str) -> None:
    # In a process of its own: what goes wrong here cannot be interrupted.
    script = f"""
import sys, threading, time
from app.server.bounded import Bounded
def work():
    {code}
done = threading.Event()
Bounded(lambda limited: limited(work), 0.05, lambda result: done.set()).start()
assert done.wait(20)
sys.settrace(lambda *args: None)
(lambda: print("traced"))()
"""
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=50,
    )
    assert ran.stdout == "traced\n", ran.stderr


def test_a_preview_that_cannot_be_stopped_is_left_alone() -> None:
    result = bounded(site_of(page="{{ __import__('time').sleep(5) }}"), 0.1)
    assert isinstance(result, TooLong)


def test_without_an_application_nothing_runs(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    text = f"{{{{ open({str(mark)!r}, 'w') }}}}"
    job = Job(site_of(page=text), "page.html", None)
    result = preview(job, at_once)
    assert result.analysis.code
    assert (result.output, result.fault) == ("", None)
    assert not mark.exists()


# Errors through includes


def test_an_error_three_includes_deep_lands_on_its_line() -> None:
    site = site_of(
        page='{% extends "base.html" %}\n{% block b %}\n\n{% include "one.html" %}{% end %}',
        base="<p>\n{% block b %}{% end %}",
        one='1\n{% include "deep/two.html" %}',
        deep__two='2\n\n\n{% include "three.html" %}',
        deep__three="3\n4\n5\n\n{% if 1 %}\n  {{ 1 // 0 }}\n{% end %}",
    )
    fault = show(site).fault
    assert fault is not None
    assert (fault.kind, fault.file, fault.line) == ("ZeroDivisionError", "deep/three.html", 6)
    assert fault.via == (("deep/two.html", 4), ("one.html", 2), ("page.html", 4), ("base.html", 2))
    assert fault.trail.startswith("deep/three.html:6 ← deep/two.html:4 ← one.html:2 ← page.html:4")
    for text, place in (("\n\n {{ 1 + }}", (3, 8)), ("\n{% if %}{% end %}", (2, 6))):
        fault = show(site.with_template("deep/three.html", text)).fault
        assert fault is not None
        assert (fault.file, fault.line, fault.column) == ("deep/three.html", *place)


def test_an_error_within_a_ui_module_lands_in_its_own_template(modules: HandlerModules) -> None:
    site = site_of(page="\n{% module Box(1) %}", box="\n\n{{ text.gone }}")
    fault = show(site, application_of(modules, site)).fault
    assert fault is not None
    assert (fault.file, fault.line, fault.kind) == ("box.html", 3, "AttributeError")


# Links


def long_page(random_: random.Random, whitespace: str) -> tuple[Site, dict[tuple[str, int], str]]:
    """Return a page of 200 lines that extends and includes, and what each line must show."""
    marks: dict[tuple[str, int], str] = {}

    def line(file: str, number: int) -> str:
        if random_.random() < 0.1:
            return "   "
        mark = marks[file, number] = f"{file[0]}{number}."
        return random_.choice(
            [
                f"  <p>{mark}</p>",
                f"{{{{ {mark!r} }}}}  ",
                f"a {{{{ 1 }}}} {mark} {{# {{{{ no }}}} #}} {{{{ 2 }}}}",
                f"{{% if 1 %}}{mark}{{% end %}}",
                f"{{% raw '{mark}' %}}\t{{{{!",
                f"{{% for i in range(3) %}}{mark}{{% end %}}",
                f"{{% apply bytes.strip %}} {mark} {{% end %}}",
                f"\t<b>{mark}</b>  &  ",
            ]
        )

    def lines(file: str, count: int, first: int) -> list[str]:
        return [line(file, number) for number in range(first, first + count)]

    page = ['{% extends "base.html" %}', f"{{% whitespace {whitespace} %}}{{% block b %}}"]
    page += lines("page.html", 98, 3)
    page.append('{% include "inner.html" %}')
    page += lines("page.html", 98, 102)
    page.append("{% end %}")
    inner = ["", *lines("inner.html", 20, 2)]
    base = ["<html>", "{% block b %}{% end %}", *lines("base.html", 10, 3)]
    site = site_of(page="\n".join(page), inner="\n".join(inner), base="\n".join(base))
    return site, marks


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("whitespace", ["single", "all", "oneline"])
def test_the_three_views_of_a_200_line_page_are_linked_line_by_line(
    seed: int, whitespace: str
) -> None:
    site, marks = long_page(random.Random(seed), whitespace)
    assert len(site.templates["page.html"].split("\n")) >= 200
    result = show(site)
    assert result.fault is None
    assert "".join(result.output[s.start : s.end] for s in result.spans) == result.output
    links = result.links
    code = result.analysis.code
    assert len(marks) > 180
    for place, mark in marks.items():
        shown = "".join(result.output[s.start : s.end] for s in links.output_of(place))
        assert mark in shown
        assert not any(other in shown for other in marks.values() if other != mark)
        made = links.code_of(place)
        assert any(mark in code[number - 1].text for number in made)
        assert all(place in links.source_of(number) for number in made)
        at = result.output.index(mark)
        back = links.spans_in(result.output.count("\n", 0, at) + 1)
        assert place in [(s.file, n) for s in back for n in range(s.line, s.last + 1)]
    for number, line in enumerate(code, 1):
        written = "".join(result.output[s.start : s.end] for s in links.output_of_code([number]))
        for place, mark in marks.items():
            if mark in line.text:
                assert place in links.source_of(number)
                assert mark in written


def test_the_line_of_an_include_or_a_block_shows_all_that_stands_there() -> None:
    site = site_of(page='x\n{% include "inner.html" %}\n{% block b %}\n1\n{% end %}', inner="a\nb")
    result = show(site)
    links = result.links

    def shown(place: tuple[str, int]) -> str:
        return "".join(result.output[s.start : s.end] for s in links.output_of(place))

    assert shown(("page.html", 2)).split() == ["a", "b"]
    assert shown(("page.html", 3)).split() == ["1"]
    assert shown(("inner.html", 2)).split() == ["b"]


def test_code_and_output_are_tornados_own(modules: HandlerModules) -> None:
    site = site_of(page='{% for i in [1, 2] %}<{{ i }}>\n{% end %}{% include "b.html" %}', b="é")
    problems, (response,) = answers(site)
    assert problems == [[]]
    assert show(site).output.encode() == response.body
    code = [line.text for line in analyse(SiteLoader(site), "page.html").code]
    own = DictLoader(site.templates).load("page.html").code.rstrip("\n").split("\n")
    assert code == [line.partition("  # ")[0] for line in own]
    assert Links(()).code_of(("page.html", 1)) == []


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in many %}<{{ i }}>{% if i % 7 %}{% continue %}{% else %}&{% end %}é\n{% end %}",
        "{% for i in many %}{% try %}{{ 1 / (i%2) }}{% except %}?{% finally %}.{% end %}{% end %}",
        "{% for i in few %}{{ '<é' * 20000 }}{% raw b'x' * 20000 %}{{ ['y'] * 9000 }}{% end %}",
        "{% autoescape None %}{{ None }}{{ b'<' }}{{ 'é<' }}{{ 1.5 }}{{ value }}{{ value * 9000 }}",
        "{% for i in few %}{% apply upper %}{% for k in many %}a{{ k }}{% end %}{% end %}{% end %}",
        "{% while many %}{% set k = many.pop() %}.{% if k == 4 %}{% break %}{% end %}{% end %}",
        "{% for i in () %}{% else %}_tt_append = _tt_buffer.append{% end %}{{ 'pass' }}\npass",
    ],
)
def test_all_that_fits_is_rendered_as_tornado_renders_it(text: str) -> None:
    class Text(str):
        pass

    site = site_of(page=text)
    names = {"value": Text("&é"), "upper": bytes.upper, "few": range(9)}
    own = DictLoader(site.templates).load("page.html")
    served = SiteLoader(site).load("page.html")
    many = list(range(3000))
    assert served.generate(many=[*many], **names) == own.generate(many=many, **names)
    code = [line.text for line in analyse(SiteLoader(site), "page.html").code]
    assert code == [line.partition("  # ")[0] for line in own.code.rstrip("\n").split("\n")]


def test_a_preview_of_a_text_about_generated_python_shows_that_text() -> None:
    text = "_tt_append = _tt_buffer.append"
    assert show(site_of(page=text)).output == text


# Escaping


def test_who_escapes_what_is_known_for_every_expression() -> None:
    site = site_of(
        page='{{ a }}\n{% raw b %}\n{% module Box(1) %}\n{% include "inner.html" %}',
        inner="{% autoescape json_encode %}{{ c }}",
    )
    lines = analyse(SiteLoader(site), "page.html").code
    found = {
        line.text.strip(): (line.kind, line.escape)
        for line in lines
        if "_tt_tmp = " in line.text and "_tt_utf8" not in line.text
    }
    assert found == {
        "_tt_tmp = a": ("expression", "xhtml_escape"),
        "_tt_tmp = b": ("expression", ""),
        "_tt_tmp = _tt_modules.Box(1)": ("module", ""),
        "_tt_tmp = c": ("expression", "json_encode"),
    }


# Names


def test_names_are_those_of_the_recorded_request(modules: HandlerModules, tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static/a.css").write_text("a")
    site = site_of(tmp_path, page="{{ word }} {{ title }} {{ shout('a') }} {{ gone }}")
    application = application_of(modules, site)
    headers = (("Host", "a.example"), ("Cookie", "user=Ada"))
    asked = AsRequest("GET", "/named/x?y=1", "HTTP/1.1", headers)
    values = {"word": ["w"]}
    result = show(site, application, asked=asked, values=values, expression="1 + 1")
    names = {name.name: (name.source, name.value) for name in result.names}
    assert names["1 + 1"] == ("", "2")
    assert names["word"] == ("passed", "['w']")
    assert names["current_user"] == ("RequestHandler", "'Ada'")
    assert "Named object" in names["handler"][1]
    assert "/named/x?y=1" in names["request"][1]
    assert names['static_url("a.css")'][1].startswith("'/static/a.css?v=")
    assert names['reverse_url("home")'][1] == "'/'"
    assert 'name="_xsrf"' in names["xsrf_form_html()"][1]
    assert names["title"] == ("get_template_namespace", "'Title'")
    assert names["shout()"][0] == "ui_methods"
    assert names["{% module Box() %}"][0] == "ui_modules"
    assert names['url_escape("a b&c")'] == ("tornado.template", "'a+b%26c'")
    assert result.missing == ("gone",)
    assert result.output == "[&#x27;w&#x27;] Title A "
    assert result.fault is not None


def test_a_handler_that_cannot_be_made_is_a_fault(modules: HandlerModules) -> None:
    site = site_of(page="x")
    broken = HANDLERS.replace("self.title = title", "raise LookupError('no title')")
    application = application_of(modules, site.with_handler("h.py", broken))
    result = show(site, application, asked=AsRequest(uri="/named/x"))
    assert result.fault is not None
    assert result.fault.text == "LookupError: no title"


# UI modules


def test_what_ui_modules_add_is_shown_where_it_lands(modules: HandlerModules) -> None:
    page = "<head>\n</head><body>\n{% module Box('hi') %}{{ 1 }}</body>"
    site = site_of(page=page, box="<b>{{ text }}</b>")
    result = show(site, application_of(modules, site))
    assert result.fault is None
    problems, (response,) = answers(site)
    assert problems == [[]]
    assert result.output.encode() == response.body
    head, body = result.inserts
    assert (head.before, body.before) == ("</head>", "</body>")
    in_head, in_body = (result.output[i.start : i.end] for i in result.inserts)
    assert in_head.count("box.css") == in_head.count("color: red") == 1
    assert in_body.count("boxed()") == in_body.count("<i>last</i>") == 1
    added = {(r.module, r.method): (r.text, r.before) for r in result.resources}
    assert added["Box", "css_files"] == ("/box.css", "</head>")
    assert added["Box", "embedded_javascript"] == ("boxed()", "</body>")
    shown = "".join(
        result.output[s.start : s.end] for s in result.links.output_of(("page.html", 3))
    )
    assert shown == "<b>hi</b>1</body>"


def test_a_page_without_a_head_has_no_room_for_them(modules: HandlerModules) -> None:
    site = site_of(page="{% module Box('hi') %}", box="{{ text }}")
    fault = show(site, application_of(modules, site)).fault
    assert fault is not None
    assert fault.text.startswith("ValueError: subsection not found: UI modules add to")


# The tree


def test_the_tree_names_what_is_missing_and_circles() -> None:
    site = site_of(
        page='{% extends "base.html" %}\n{% include "parts/a.html" %}',
        base='{% include "gone.html" %}',
        parts__a='\n{% if 1 %}{% include "b.html" %}{% end %}',
        parts__b='{% include "a.html" %}',
        other="{{ 1",
    )
    loader = SiteLoader(site)
    tree = references(site.templates, "page.html", loader)
    found = [(r.how, r.name, r.line, r.missing, r.cycle) for r in tree.walk()]
    assert found == [
        ("", "page.html", 0, False, ()),
        ("extends", "base.html", 1, False, ()),
        ("include", "gone.html", 1, True, ()),
        ("include", "parts/a.html", 2, False, ()),
        ("include", "parts/b.html", 2, False, ()),
        ("include", "parts/a.html", 1, False, ("parts/a.html", "parts/b.html", "parts/a.html")),
    ]
    assert users_of(site.templates, "parts/b.html", loader) == ["page.html", "parts/a.html"]
    assert references(site.templates, "other.html", loader).children == ()


# Data typed in


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("a = 1\nb = ['x', {'y': None}]", {"a": 1, "b": ["x", {"y": None}]}),
        ("a = [true, null]", {"a": [True, None]}),
        ('{"a": false, "b": "你好"}', {"a": False, "b": "你好"}),
        (" {'a': (1, 2), 'b': b'x'}", {"a": (1, 2), "b": b"x"}),
    ],
)
def test_data_is_python_literals_or_json(text: str, values: dict[str, Any]) -> None:
    assert read_values(text) == values


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 1\nb = open('x')", (2, 5)),
        ("a = __import__('os').system('true')", (1, 5)),
        ("a == 1", (1, 1)),
        ("a = (1", (1, 5)),
        ("{'a': open}", (0, 0)),
        ("{" * 5000, None),
        ("[1]", (1, 1)),
        ("{'a b': 1}", (0, 0)),
        ("a = b = 1", (1, 1)),
    ],
)
def test_data_that_is_no_literal_is_refused(text: str, place: tuple[int, int] | None) -> None:
    fault = read_values(text)
    assert isinstance(fault, Fault)
    assert fault.text
    assert place is None or (fault.line, fault.column) == place


def test_nobody_is_told_of_renders_unless_he_asks(modules: HandlerModules) -> None:
    site = site_of(page="{{ word }}")
    application = application_of(modules, site)
    loader = application.settings["template_loader"]
    assert loader.on_render is None
    heard: list[tuple[str, Any]] = []
    loader.on_render = lambda name, names: heard.append((name, names["word"]))
    assert loader.load("page.html").generate(word=3) == b"3"
    assert heard == [("page.html", 3)]


@pytest.mark.parametrize(("on", "shown"), [(True, "old"), (False, "new")])
def test_a_change_on_the_disk_shows_at_once_only_without_the_cache(
    tmp_path: Path, on: bool, shown: str
) -> None:
    file = tmp_path / "pages/page.html"
    file.parent.mkdir()
    file.write_text("old")
    settings = {**SETTINGS, "template_path": "pages", "compiled_template_cache": on}

    async def main() -> list[bytes]:
        server, client = Server(Recorder()), AsyncHTTPClient(force_instance=True)
        host, port = server.start("127.0.0.1", 0)
        server.apply(site_of(tmp_path).with_settings(settings))
        bodies = []
        for text in ("old", "new"):
            file.write_text(text)
            bodies.append((await client.fetch(f"http://{host}:{port}/")).body)
        client.close()
        await server.close()
        return bodies

    assert asyncio.run(main()) == [b"old", shown.encode()]


def test_what_is_probably_not_meant_is_remarked() -> None:
    text = '{% extends "b.html" %}\n a\n{% block x %}{% end %}\n{{ 1 }}{% set y = 1 %}\n{# #}'
    assert template_remarks("a.html", text) == [
        Remark(DROPPED, 2),
        Remark(DROPPED, 4),
        Remark(DROPPED, 4),
    ]
    twice = "{% if 1 %}{% block x %}{% end %}{% end %}\n{% block x %}{% end %}"
    assert template_remarks("a.html", twice) == [Remark(TWICE, 2, "x")]
    assert template_remarks("a.html", "{{ 1") == []


class LoggingTexts(dict[str, str]):
    """Templates; when the included one is asked for, another thread logs an error."""

    def __getitem__(self, name: str) -> str:
        if name == "inner.html":
            log = logging.getLogger("tornado.application")
            thread = threading.Thread(target=log.error, args=["of the server"])
            thread.start()
            thread.join()
        return super().__getitem__(name)


def test_what_the_server_logs_while_a_template_is_looked_at_is_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = site_of(page='{% include "inner.html" %}{{ 1 + }}', inner="")
    loader = SiteLoader(replace(site, templates=LoggingTexts(site.templates)))
    assert analyse(loader, "page.html").fault is not None
    assert caplog.messages
    assert set(caplog.messages) == {"of the server"}
