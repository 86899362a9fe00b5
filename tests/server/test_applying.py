"""A site that comes to be served bit by bit: what is served meanwhile, and when it is given up."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient

from app.recording.recorder import Recorder
from app.server.bit_by_bit import finish
from app.server.server import Server
from app.server.site import Route, Site, SiteError

HANDLER = """from tornado.web import RequestHandler
class Page(RequestHandler):
    def get(self):
        self.write("{}")
"""
MANY = 50


def site_of(folder: Path, text: str, host: str = "") -> Site:
    routes = [Route(f"/{text}/{n}", "handlers.h.Page", host=host) for n in range(MANY)]
    return Site(folder, routes=tuple(routes), handlers={"h.py": HANDLER.format(text)})


async def body(port: int, path: str) -> tuple[int, bytes]:
    client = AsyncHTTPClient(force_instance=True)
    try:
        answer = await client.fetch(f"http://127.0.0.1:{port}{path}", raise_error=False)
    finally:
        client.close()
    return answer.code, answer.body


@pytest.mark.parametrize("host", ["", "127.0.0.1"])
def test_the_old_site_is_served_until_all_of_the_new_one_is_there(
    tmp_path: Path, host: str
) -> None:
    async def main() -> None:
        server = Server(Recorder())
        server.apply(site_of(tmp_path, "old", host))
        _, port = server.start("127.0.0.1", 0)
        shares = []
        try:
            for share in server.applying(site_of(tmp_path, "new", host)):
                shares.append(share)
                if len(shares) % 20 == 0:
                    assert await body(port, f"/old/{MANY - 1}") == (200, b"old")
                    assert (await body(port, "/new/0"))[0] == 404
            assert len(shares) >= 3 * MANY, "it takes at least a bit for each route and step"
            assert shares == sorted(shares)
            assert 0 <= shares[0] <= shares[-1] <= 1
            assert (await body(port, "/old/0"))[0] == 404
            assert await body(port, "/new/0") == await body(port, f"/new/{MANY - 1}")
            assert await body(port, "/new/0") == (200, b"new")
        finally:
            await server.close()

    asyncio.run(main())


def test_what_is_given_up_or_fails_at_the_end_leaves_no_trace(tmp_path: Path) -> None:
    server, old = Server(Recorder()), site_of(tmp_path, "old")
    try:
        server.apply(old)
        module, root = sys.modules["handlers.h"], server.root
        work = server.applying(site_of(tmp_path, "new"))
        while sys.modules["handlers.h"] is module:
            next(work)
        next(work)
        work.close()
        assert sys.modules["handlers.h"] is module
        with pytest.raises(SiteError, match=r"broken\.html"):
            server.apply(site_of(tmp_path, "new").with_template("broken.html", "{{"))
        assert sys.modules["handlers.h"] is module
        assert (server.root, server.site) == (root, old)
        server.apply(site_of(tmp_path, "new"))
        assert sys.modules["handlers.h"] is not module
    finally:
        asyncio.run(server.close())


def test_templates_are_compiled_again_where_something_about_them_changed(tmp_path: Path) -> None:
    templates = {
        "alone.html": "alone",
        "base.html": "<{% block b %}{% end %}>",
        "page.html": "{% extends base.html %}{% block b %}{% include part.html %}{% end %}",
        "part.html": "{{ '&' }}",
    }
    server = Server(Recorder())
    site = Site(tmp_path, handlers={"h.py": HANDLER.format("x")}, templates=templates)

    def compiled() -> dict[str, object]:
        loader = server.settings["template_loader"]
        assert all(template.loader is loader for template in loader.templates.values())
        return {name: loader.load(name).compiled for name in templates}

    def again(changed: Site) -> set[str]:
        before = compiled()
        server.apply(changed)
        return {name for name, code in compiled().items() if code is not before[name]}

    def page() -> bytes:
        return bytes(server.settings["template_loader"].load("page.html").generate())

    try:
        server.apply(site)
        first = weakref.ref(server.settings["template_loader"])
        assert again(site.with_handler("other.py", "")) == set()
        assert again(site.with_template("part.html", "part")) == {"page.html", "part.html"}
        assert page() == b"<part>"
        assert again(site.with_template("base.html", "[{% block b %}{% end %}]")) == {
            *("base.html", "page.html", "part.html"),
        }
        assert page() == b"[&amp;]"
        assert again(site.with_settings({"autoescape": False})) == set(templates)
        assert page() == b"<&>"
        gc.collect()
        assert first() is None, "what is taken over keeps no older loader"
    finally:
        asyncio.run(server.close())


def test_what_was_served_is_let_go_without_the_garbage_collector(tmp_path: Path) -> None:
    server, site = Server(Recorder()), site_of(tmp_path, "old")
    routes = [Route(f"/{n}", "handlers.h.Page", name=f"name {n}") for n in range(10_001)]
    gc.disable()
    try:
        server.apply(site.with_routes([*site.routes, *routes]))
        old = weakref.ref(server.root)
        server.apply(site)
        finish(server.letting_go())
        assert old() is None
    finally:
        gc.enable()
        asyncio.run(server.close())
