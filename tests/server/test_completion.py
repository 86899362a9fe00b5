"""What can be written at a place: read from sources, nothing is run."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import tornado.web
import tornado.websocket

from app.server.completion import Completer
from app.server.source_names import Name

from ..speed import cost

DEMO = Path(__file__).resolve().parents[2] / "resources" / "demo" / "handlers"
HANDLERS = {path.name: path.read_text("utf-8") for path in DEMO.glob("*.py")}
HEAD = "import asyncio\nimport tornado.web\nfrom tornado.web import RequestHandler as R\n"
HEAD += "from handlers.base import BaseHandler\nfrom tornado import websocket\n"


def at(text: str) -> dict[str, str]:
    """Return the names offered where | stands, with their signatures."""
    text = HEAD + text
    position = text.index("|")
    text = text.replace("|", "", 1)
    found = Completer().complete(text, position, "new.py", HANDLERS)
    return {name.name: name.signature for name in found.names}


def test_imports_offer_what_a_module_holds() -> None:
    public = {name for name in vars(tornado.web) if not name.startswith("_")}
    own = {n for n in public if getattr(vars(tornado.web)[n], "__module__", "") == "tornado.web"}
    assert own <= at("from tornado.web import |").keys()
    assert list(at("from tornado.web import Redi|")) == ["RedirectHandler"]
    assert "websocket" in at("import tornado.|")
    assert {"base", "login"} <= at("from handlers.|").keys()
    assert list(at("from handlers.login import L|")) == ["LoginHandler", "LogoutHandler"]
    assert {"tornado", "handlers", "asyncio"} <= at("import |").keys()


@pytest.mark.parametrize("base", ["R", "tornado.web.RequestHandler", "BaseHandler"])
def test_def_offers_every_method_with_its_parameters(base: str) -> None:
    found = at(f"class New({base}):\n    async def |\n    def put(self): pass\n")
    members = inspect.getmembers(tornado.web.RequestHandler, inspect.isfunction)
    public = {name for name, _ in members if not name.startswith("_")}
    assert public - found.keys() == {"put"}
    assert list(found)[:2] == ["get", "post"]
    for name in public - {"put"}:
        wanted = list(inspect.signature(getattr(tornado.web.RequestHandler, name)).parameters)
        written = list(inspect.signature(eval(f"lambda {found[name]}: 0", _NAMES)).parameters)
        if wanted != ["self", "args", "kwargs"] and name != "initialize":
            assert written == wanted


_NAMES = vars(tornado.web)


def test_a_websocket_has_its_own_methods() -> None:
    found = at("class S(websocket.WebSocketHandler):\n    def o|\n")
    assert found["on_message"] == "self, message"
    assert {"open", "on_close", "on_finish", "options"} <= found.keys()


def test_self_has_methods_attributes_and_those_of_its_bases() -> None:
    text = "class New(BaseHandler):\n    def get(self):\n        self.mine = 1\n        self.{}|\n"
    found = at(text.format(""))
    assert {"mine", "get_number", "request", "render", "current_user"} <= found.keys()
    assert list(at(text.format("get_num"))) == ["get_number"]
    assert {"headers", "body", "arguments", "remote_ip"} <= at(text.format("request.")).keys()
    assert "reverse_url" in at(text.format("application."))
    assert at(text.format("no_such_thing.")) == {}


def test_the_text_may_be_broken_around_the_place() -> None:
    text = "class New(BaseHandler):\n    def get(self):\n        if (\n        self.rend|\n"
    assert "render" in at(text)
    assert "render" in at(f"{text}class Other(:\n    pass\n")


def test_words_of_the_module_and_of_python() -> None:
    assert {"tornado", "BaseHandler", "asyncio"} <= at("def f():\n    |").keys()
    assert list(at("rais|")) == ["raise"]
    assert at("asyncio.sle|")["sleep"].startswith("delay")
    assert at("tornado.web.authen|").keys() == {"authenticated"}
    assert "get_message" in at("tornado.web.HTTPError.|")


@pytest.mark.parametrize(
    "text",
    ["# self.|", "x = 'self.|", '"""\nself.|', "1|3", "no_such.|", "def |", "class N|", "é.|"],
)
def test_nothing_is_offered_where_nothing_is_known(text: str) -> None:
    assert len(at(text)) == 0


def test_nothing_of_the_site_is_run() -> None:
    bad = {"base.py": "raise SystemExit\nclass BaseHandler: x = 1\n"}
    text = "from handlers.base import BaseHandler\nBaseHandler."
    found = Completer().complete(text, len(text), "new.py", bad)
    assert [name.name for name in found.names] == ["x"]


def test_classes_that_inherit_in_a_circle_come_to_an_end() -> None:
    text = "class A(B):\n    x = 1\nclass B(A):\n    def f(self):\n        self."
    found = Completer().complete(text, len(text), "new.py", {})
    assert {name.name for name in found.names} == {"x", "f"}


def test_a_long_module_is_read_once_while_a_line_is_written() -> None:
    body = "".join(f"    def method_{n}(self, a, b={n}):\n        return a\n" for n in range(1_500))
    text = f"class Long:\n{body}        self."
    completer = Completer()
    found = []

    def complete() -> None:
        found.append(completer.complete(text, len(text), "new.py", {}))

    reading, writing = cost(complete), 0.0
    for letter in "method_1":
        text += letter
        writing += cost(complete)
    assert len(found[-1].names) == 611
    assert writing < reading


def test_a_huge_text_costs_nothing() -> None:
    def complete(lines: int) -> tuple[Name, ...]:
        text = "x = 1\n" * lines + "x."
        return Completer().complete(text, len(text), "new.py", {}).names

    # Once: what was read is remembered.
    assert cost(lambda: complete(200_000)) < cost(lambda: complete(4_000))
    assert complete(200_000) == ()
