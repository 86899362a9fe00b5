"""A site becomes an Application: routes, settings, templates, and what is refused."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from app.server.bit_by_bit import finish
from app.server.build import build_application
from app.server.modules import HandlerModules
from app.server.site import Problem, Route, Site, SiteError
from app.server.templates.analysis import template_problems
from app.server.templates.loader import SiteLoader

HANDLERS = """\
from tornado.web import RequestHandler, StaticFileHandler, UIModule
from tornado.websocket import WebSocketHandler

class Page(RequestHandler):
    def get(self):
        self.render(self.get_query_argument("t", "page.html"))

class Item(RequestHandler):
    def get(self, item):
        self.write(item)

class Either(RequestHandler):
    def get(self):
        self.write("all")
    def delete(self, item):
        self.write(item)

class Given(RequestHandler):
    def initialize(self, value):
        self.value = value
    def get(self):
        self.write({"value": self.value})

class Seen(RequestHandler):
    def initialize(self, seen):
        self.seen = seen
    def get(self):
        self.seen.append(self.request.path)
        self.write({"seen": self.seen})

class Missing(RequestHandler):
    def prepare(self):
        self.set_status(404)
        self.finish("nothing here")

class Socket(WebSocketHandler):
    def open(self, room):
        pass

class Files(StaticFileHandler):
    pass

class Box(UIModule):
    def render(self, text):
        return "[" + text + "]"

def shout(handler, text):
    return text.upper()

def plain(request):
    pass

class NoHandler:
    pass

number = 3
"""


@pytest.fixture
def modules() -> Iterator[HandlerModules]:
    modules = HandlerModules()
    yield modules
    modules.unload()


def site_of(folder: Path, *routes: Route, **templates: str) -> Site:
    texts = {name.replace("__", "/") + ".html": text for name, text in templates.items()}
    return Site(folder, routes=routes, handlers={"h.py": HANDLERS}, templates=texts)


def build(modules: HandlerModules, site: Site) -> Application:
    modules.load(site)
    return build_application(site, modules)


def problems_of(modules: HandlerModules, site: Site) -> list[Problem]:
    modules.load(site)
    with pytest.raises(SiteError) as caught:
        build_application(site, modules)
    return caught.value.problems


def fetch(application: Application, *paths: str, **options: Any) -> list[HTTPResponse]:
    async def main() -> list[HTTPResponse]:
        sock, port = bind_unused_port()
        server = HTTPServer(application)
        server.add_sockets([sock])
        client = AsyncHTTPClient(force_instance=True)
        try:
            return [
                await client.fetch(
                    HTTPRequest(f"http://127.0.0.1:{port}{path}", **options), raise_error=False
                )
                for path in paths
            ]
        finally:
            client.close()
            server.stop()
            await server.close_all_connections()

    return asyncio.run(main())


def bodies(application: Application, *paths: str, **options: Any) -> list[str]:
    return [response.body.decode() for response in fetch(application, *paths, **options)]


# Routes


def test_routes_reach_their_handlers_in_order(modules: HandlerModules, tmp_path: Path) -> None:
    site = site_of(
        tmp_path,
        Route(r"/item/(\w+)", "handlers.h.Item", name="item"),
        Route("/item/special", "handlers.h.Page"),
        Route("/given", "handlers.h.Given", kwargs={"value": [1]}),
        Route("/old", "tornado.web.RedirectHandler", kwargs={"url": "/item/new"}),
        Route("/off", "handlers.h.Gone", enabled=False),
    )
    application = build(modules, site)
    assert bodies(application, "/item/a", "/item/special", "/given", "/old") == [
        "a",
        "special",
        '{"value": [1]}',
        "new",
    ]
    assert [response.code for response in fetch(application, "/off")] == [404]
    assert application.reverse_url("item", "x y") == "/item/x%20y"


def test_what_a_handler_does_to_its_arguments_is_no_edit(
    modules: HandlerModules, tmp_path: Path
) -> None:
    route = Route("/", "handlers.h.Seen", kwargs={"seen": []})
    application = build(modules, site_of(tmp_path, route))
    assert bodies(application, "/", "/") == ['{"seen": ["/"]}', '{"seen": ["/", "/"]}']
    assert route.kwargs == {"seen": []}


def test_a_host_has_routes_of_its_own(modules: HandlerModules, tmp_path: Path) -> None:
    site = site_of(
        tmp_path,
        Route("/", "handlers.h.Given", kwargs={"value": "any"}),
        Route("/", "handlers.h.Given", kwargs={"value": "blog"}, host=r"blog\.example"),
        Route(r"/(only)", "handlers.h.Item", host=r"blog\.example", name="only"),
    )
    application = build(modules, site)
    assert bodies(application, "/", headers={"Host": "blog.example"}) == ['{"value": "blog"}']
    assert bodies(application, "/", headers={"Host": "other.example"}) == ['{"value": "any"}']
    assert fetch(application, "/only")[0].code == 404
    assert application.reverse_url("only", "only") == "/only"


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (Route("/", "handlers.h.Gone"), "no 'Gone' in h.py"),
        (Route("/", "handlers.h.NoHandler"), "not a RequestHandler"),
        (Route("/", "handlers.h.number"), "not a RequestHandler"),
        (Route("/", "tornado.web"), "not a RequestHandler"),
        (Route("/", "no_such.Thing"), "no module 'no_such'"),
        (Route("/(.*)", "tornado.web.StaticFileHandler"), "needs kwargs"),
        (Route("/(.*)", "handlers.h.Files"), "needs kwargs"),
        (Route("/", "handlers.h.Given"), "missing a required argument: 'value'"),
        (Route("/", "handlers.h.Page", kwargs={"x": 1}), "unexpected keyword argument"),
        (Route("/(a)/(b)", "handlers.h.Item"), "do not fit get()"),
        (Route("/(?P<other>a)", "handlers.h.Item"), "do not fit get()"),
        (Route("/", "handlers.h.Item"), "do not fit get()"),
        (Route("/", "handlers.h.Socket"), "do not fit open()"),
        (Route("/(", "handlers.h.Page"), "missing )"),
    ],
)
def test_a_route_that_cannot_work_is_a_problem(
    modules: HandlerModules, tmp_path: Path, route: Route, said: str
) -> None:
    ok = Route("/ok", "handlers.h.Page")
    (problem,) = problems_of(modules, site_of(tmp_path, ok, route, page="x"))
    assert said in problem.text
    assert (problem.file, problem.route) == ("site.toml", 1)


@pytest.mark.parametrize(
    "route",
    [
        Route("/either", "handlers.h.Either"),
        Route("/either/(.*)", "handlers.h.Either"),
        Route("/plain", "handlers.h.plain"),
        Route("/room/(.*)", "handlers.h.Socket"),
        Route("/files/(.*)", "tornado.web.StaticFileHandler", kwargs={"path": "static"}),
        Route("/x/(.*)", "tornado.web.RedirectHandler", kwargs={"url": "/{0}"}),
    ],
)
def test_targets_that_tornado_takes(modules: HandlerModules, tmp_path: Path, route: Route) -> None:
    build(modules, site_of(tmp_path, route))


def test_every_problem_is_reported_at_once(modules: HandlerModules, tmp_path: Path) -> None:
    site = site_of(
        tmp_path,
        Route("/a", "handlers.h.Gone"),
        Route("/b", "handlers.h.NoHandler"),
        page="{{ x",
    ).with_settings({"ui_modules": "handlers.none"})
    assert len(problems_of(modules, site)) == 4


# Settings


def test_settings_reach_tornado(modules: HandlerModules, tmp_path: Path) -> None:
    site = site_of(
        tmp_path, Route("/", "handlers.h.Page"), page='{% module Box("a") %}{{ shout("b") }}'
    ).with_settings(
        {
            "ui_modules": "handlers.h",
            "ui_methods": ["handlers.h"],
            "default_handler_class": "handlers.h.Missing",
            "xsrf_cookies": True,
        }
    )
    application = build(modules, site)
    assert bodies(application, "/", "/nowhere") == ["[a]B", "nothing here"]
    assert application.settings["xsrf_cookies"] is True


def test_debug_never_restarts_this_process(modules: HandlerModules, tmp_path: Path) -> None:
    site = site_of(tmp_path).with_settings({"debug": True, "autoreload": True})
    settings = build(modules, site).settings
    assert (settings["debug"], settings["autoreload"]) == (False, False)
    assert settings["serve_traceback"] is True


def test_the_cookie_secret_is_kept_over_edits(modules: HandlerModules, tmp_path: Path) -> None:
    site = site_of(tmp_path)
    secrets = {build(modules, site).settings["cookie_secret"] for _ in range(2)}
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 32
    versions = site.with_settings({"cookie_secret": {"1": "a", "2": "b"}, "key_version": 2})
    assert build(modules, versions).settings["cookie_secret"] == {1: "a", 2: "b"}


def test_static_files_come_from_the_project_folder(
    modules: HandlerModules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    for folder in ("static", "other"):
        (project / folder).mkdir(parents=True)
        (project / folder / "a.txt").write_text(folder, encoding="utf-8")
    files = Route("/files/(.*)", "tornado.web.StaticFileHandler", kwargs={"path": "other"})
    site = site_of(project, files)
    monkeypatch.chdir(tmp_path)
    assert bodies(build(modules, site), "/static/a.txt", "/files/a.txt") == ["static", "other"]
    other = site.with_settings({"static_path": "other", "static_url_prefix": "/s/"})
    assert bodies(build(modules, other), "/s/a.txt") == ["other"]
    assert "static_path" not in build(modules, site_of(tmp_path)).settings


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"default_handler_class": "handlers.h.NoHandler"}, "default_handler_class': is not"),
        ({"default_handler_class": "handlers.h.None_"}, "no 'None_'"),
        ({"static_handler_class": "handlers.h.Page"}, "not a StaticFileHandler"),
        ({"ui_modules": "handlers.gone"}, "'ui_modules': handlers.gone"),
        ({"ui_modules": 3}, "dotted name of a Python object"),
        ({"ui_methods": {"a": 3}}, "must name a module"),
        ({"handlers": []}, "no setting of a Tornado Application"),
        ({"not a name": 1}, "no setting of a Tornado Application"),
        ({"cookie_secret": ""}, "must be text"),
        ({"xsrf_cookie_version": 3}, "none of the values"),
        ({"cookie_secret": {"x": "a"}}, "must be numbers"),
        ({"static_path": 3}, "must be text"),
        ({"template_path": 3}, "must be text"),
    ],
)
def test_a_bad_setting_is_a_problem(
    modules: HandlerModules, tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    (problem,) = problems_of(modules, site_of(tmp_path).with_settings(settings))
    assert said in problem.text
    assert problem.file == "site.toml"


def test_an_application_class_of_ones_own(modules: HandlerModules, tmp_path: Path) -> None:
    class Mine(Application):
        pass

    site = site_of(tmp_path)
    modules.load(site)
    assert type(build_application(site, modules, Mine)) is Mine


# Templates

PAGE = Route("/", "handlers.h.Page")


def test_templates_come_from_memory_with_the_names_of_the_file_system(
    modules: HandlerModules, tmp_path: Path
) -> None:
    site = site_of(
        tmp_path,
        PAGE,
        base="<{% block body %}{% end %}>",
        page='{% extends "base.html" %}{% block body %}{% include "parts/one.html" %}{% end %}',
        parts__one="1{% include two.html %}",
        parts__two="2{% include '../three.html' %}",
        three="3",
    )
    application = build(modules, site)
    absolute = (tmp_path / "templates/three.html").as_posix()
    found = bodies(application, "/", "/?t=./parts/two.html", f"/?t={absolute}")
    assert found == ["<123>", "23", "3"]
    assert fetch(application, "/?t=gone.html")[0].code == 500


def test_an_edit_shows_at_once_and_old_applications_keep_theirs(
    modules: HandlerModules, tmp_path: Path
) -> None:
    site = site_of(tmp_path, PAGE, page="old")
    old = build(modules, site)
    assert bodies(old, "/") == ["old"]
    new = build(modules, site.with_template("page.html", "new"))
    assert bodies(new, "/") == ["new"]
    assert bodies(old, "/") == ["old"]
    assert bodies(new, "/") == ["new"]


def test_loaders_of_old_applications_are_let_go(modules: HandlerModules, tmp_path: Path) -> None:
    gc.collect()
    before = len(RequestHandler._template_loaders)
    for number in range(5):
        application = build(modules, site_of(tmp_path, PAGE, page=str(number)))
        assert bodies(application, "/") == [str(number)]
    del application
    gc.collect()
    assert len(RequestHandler._template_loaders) <= before


def test_a_handler_with_a_template_path_of_its_own_sees_edits(
    modules: HandlerModules, tmp_path: Path
) -> None:
    code = HANDLERS + "\nPage.get_template_path = lambda self: 'somewhere'\n"
    site = site_of(tmp_path, PAGE, page="old").with_handler("h.py", code)
    assert bodies(build(modules, site), "/") == ["old"]
    assert bodies(build(modules, site.with_template("page.html", "new")), "/") == ["new"]


def test_another_template_path_is_read_from_the_disk(
    modules: HandlerModules, tmp_path: Path
) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/page.html").write_text("disk", encoding="utf-8")
    site = site_of(tmp_path, PAGE, page="memory").with_settings({"template_path": "pages"})
    assert bodies(build(modules, site), "/") == ["disk"]


def test_autoescape_and_whitespace_settings(modules: HandlerModules, tmp_path: Path) -> None:
    site = site_of(tmp_path, PAGE, page='{{ "<b>" }}  x')
    assert bodies(build(modules, site), "/") == ["&lt;b&gt; x"]
    settings = {"autoescape": False, "template_whitespace": "all"}
    assert bodies(build(modules, site.with_settings(settings)), "/") == ["<b>  x"]


def problems_in(modules: HandlerModules, **templates: str) -> list[tuple[str, int, str]]:
    loader = SiteLoader(site_of(Path("/project"), **templates), modules.cache_lines)
    return [(p.file, p.line, p.text) for p in finish(template_problems(loader))]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a\n{{ x", 2, "Missing end expression"),
        ("\n{% if x %}\n", 2, "Missing {% end %} block for if"),
        ("\n\n{% nothing %}", 3, "unknown operator"),
        ("a\n{% end %}", 2, "Extra {% end %}"),
        ("a\n\n{{ 1 + }}\nb", 3, "invalid syntax"),
        ("a\n{% for in x %}{% end %}", 2, "invalid syntax"),
        ("a\n{% module Box( %}", 2, "was never closed"),
        ("a\n{{ (1 +\n 2 + ) }}", 3, "invalid syntax"),
        ("a\n{% extends gone.html %}", 2, "there is no template 'gone.html'"),
        ("a\n\n{% include 'gone.html' %}", 3, "there is no template 'gone.html'"),
        ("a\n{% try %}x{% end %}", 2, "expected 'except' or 'finally' block"),
        ("\n{% autoescape nonsense %}{{ 1 }}", 2, "no autoescape function 'nonsense'"),
        ("{% whitespace odd %}", 1, "invalid whitespace mode"),
    ],
)
def test_a_broken_template_is_a_problem_at_its_line(
    modules: HandlerModules, text: str, line: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    (found,) = problems_in(modules, page=text)
    assert found[0] == "templates/page.html"
    assert said in found[2]
    assert found[1] == line
    assert caplog.records == []


def test_200_nested_ifs_are_a_problem(modules: HandlerModules) -> None:
    (problem,) = problems_in(modules, page="{% if 1 %}\n" * 200 + "{% end %}" * 200)
    assert "too many" in problem[2]
    (problem,) = problems_in(modules, page="{% if 1 %}" * 5000 + "{% end %}" * 5000)
    assert "too deeply" in problem[2]


def test_circles_are_named(modules: HandlerModules) -> None:
    assert problems_in(modules, a="x\n{% include a.html %}") == [
        ("templates/a.html", 2, "templates include each other in a circle: a.html → a.html")
    ]
    found = problems_in(
        modules,
        a='{% extends "d/b.html" %}',
        d__b='\n{% extends "../c.html" %}',
        c="\n\n{% include d/b.html %}",
    )
    assert ("templates/c.html", 3) in [(file, line) for file, line, _ in found]
    assert any("d/b.html → c.html → d/b.html" in text for _, _, text in found)


def test_a_broken_parent_is_one_problem_of_the_parent(modules: HandlerModules) -> None:
    child = '{% extends "base.html" %}'
    found = problems_in(modules, a=child, b=child, base="\n{{ 1 + }}{% block x %}{% end %}")
    assert [(file, line) for file, line, _ in found] == [("templates/base.html", 2)]


def test_an_autoescape_function_may_be_imported(modules: HandlerModules) -> None:
    text = "{% from html import escape as mine %}{% autoescape mine %}{{ 1 }}"
    assert problems_in(modules, a=text, b="{% autoescape None %}", c="{% autoescape shout %}") == [
        ("templates/c.html", 1, "there is no autoescape function 'shout'")
    ]


def test_lines_in_tracebacks_survive_rendering(
    modules: HandlerModules, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    code = HANDLERS.replace("self.render(", "1/0 if self.render_string('page.html') else (")
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers/h.py").write_text("# saved\n" * 9, encoding="utf-8")
    site = site_of(tmp_path, PAGE, page="x").with_handler("h.py", code)
    assert fetch(build(modules, site), "/")[0].code == 500
    assert "1/0 if self.render_string" in caplog.text


def test_an_undefined_name_shows_the_line_of_the_template(
    modules: HandlerModules, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = site_of(tmp_path, PAGE, page="a\n\n{{ nowhere }}")
    assert fetch(build(modules, site), "/")[0].code == 500
    assert "page.html:3" in caplog.text
