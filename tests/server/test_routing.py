"""What the tester says is what Tornado then does."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tornado.httpserver import HTTPServer
from tornado.routing import HostMatches, Rule, RuleRouter
from tornado.testing import bind_unused_port
from tornado.web import (
    Application,
    FallbackHandler,
    RedirectHandler,
    RequestHandler,
    StaticFileHandler,
)
from tornado.websocket import WebSocketHandler

from app.server.modules import HandlerModules
from app.server.route_draft import drafting, left_out
from app.server.routing import rules_of, trial
from app.server.site import Route, Site
from app.server.trial import Answer, Asked, Outcome, Tried, asked


class Echo(RequestHandler):
    def initialize(self, rule: int) -> None:
        self.rule = rule

    def get(self, *args: str, **kwargs: str) -> None:
        self.write({"rule": self.rule, "values": [*args, *kwargs.values()]})


class Poster(Echo):
    def post(self, *args: str, **kwargs: str) -> None:
        self.get(*args, **kwargs)


class One(Echo):
    def get(self, one: str | None = None) -> None:  # type: ignore[override]
        self.write({"rule": self.rule, "values": [one]})


class Socket(WebSocketHandler):
    def open(self, room: str) -> None:
        pass


class Head(NamedTuple):
    """A response: its status, Location and body."""

    status: int
    location: str
    body: bytes


async def ask_all(application: Application, questions: list[Asked]) -> list[Head]:
    """Send *questions* to a real server, one after the other on few connections."""
    sock, port = bind_unused_port()
    server = HTTPServer(application)
    server.add_sockets([sock])
    answers: dict[int, Head] = {}
    numbers = iter(range(len(questions)))

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            one = questions[number]
            writer.write(f"{one.method} {one.uri} HTTP/1.1\r\nHost: {one.host}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1").split("\r\n")
            fields = dict(line.split(": ", 1) for line in head[1:] if line)
            length = 0 if one.method == "HEAD" else int(fields.get("Content-Length", 0))
            body = await reader.readexactly(length)
            answers[number] = Head(int(head[0].split()[1]), fields.get("Location", ""), body)
        writer.close()

    await asyncio.gather(*(client() for _ in range(4)))
    server.stop()
    await server.close_all_connections()
    return [answers[number] for number in range(len(questions))]


def ask(application: Application, *questions: Asked) -> list[Head]:
    return asyncio.run(ask_all(application, list(questions)))


def tried(application: Application, question: Asked) -> tuple[list[Tried], Answer]:
    *rules, answer = trial(application, question)
    assert isinstance(answer, Answer)
    return [rule for rule in rules if isinstance(rule, Tried)], answer


def answer_to(application: Application, method: str, url: str, host: str = "x.y") -> Answer:
    return tried(application, asked(method, host, url))[1]


# The tester against Tornado, on patterns and paths that nobody chose

Sampler = Callable[[random.Random], str]
HOSTS = ("a.example", "b.example:8080", "127.0.0.1", "WWW.Example")


def letters(rng: random.Random) -> str:
    return "".join(rng.choice("abc%20.-") for _ in range(rng.randint(1, 3)))


def digits(rng: random.Random) -> str:
    return str(rng.randint(0, 999))


PARTS: list[tuple[str, Sampler]] = [
    ("a", lambda rng: "a"),
    ("story", lambda rng: "story"),
    (r"\.html", lambda rng: ".html"),
    (r"x%20y", lambda rng: "x%20y"),
    (r"@(\d+)", digits),
    (r"@(\w+)", lambda rng: rng.choice(["abc", "b_1", "7"])),
    (r"@([^/]+)", letters),
    (r"@(.*)", lambda rng: rng.choice(["", "a/b", "%E4%BD%A0", "%ff", "a+b", "%2F"])),
    (r"@([ab]{2,3})", lambda rng: rng.choice(["ab", "bba"])),
    (r"(?:a|bc)", lambda rng: rng.choice(["a", "bc"])),
    (r"@(\d+)?", lambda rng: rng.choice(["", "5"])),
    (r"(?i:Ab)", lambda rng: rng.choice(["AB", "ab"])),
    (r".+?", letters),
]
"""Pieces of patterns, with what makes texts for them; ``@(`` begins a group, named or not."""


def random_pattern(rng: random.Random) -> tuple[str, Sampler]:
    chosen = [rng.choice(PARTS) for _ in range(rng.randint(1, 3))]
    named = rng.random() < 0.3
    pattern = ""
    for at, (part, _) in enumerate(chosen):
        pattern += "/" + part.replace("@(", f"(?P<g{at}>" if named else "(")
    pattern = rng.choice(["", "", "^"]) + pattern + rng.choice(["", "", "$", "/?"])
    return pattern, lambda rng: "".join("/" + sample(rng) for _, sample in chosen)


def mutated(rng: random.Random, path: str) -> str:
    at = rng.randrange(1, len(path) + 1)
    kind = rng.random()
    if kind < 0.5:
        return path
    if kind < 0.65:
        return path[:at] + rng.choice("a/%7x") + path[at:]
    if kind < 0.8 and at > 1:
        return path[: at - 1] + path[at:]
    return path + rng.choice(["?q=1", "/", "x", "?a=b&a=c", "%00"])


def random_application(
    rng: random.Random, folder: Path
) -> tuple[Application, list[tuple[str, Sampler]]]:
    """An application with 20 rules of all kinds, and their patterns."""
    patterns = [random_pattern(rng) for _ in range(20)]
    by_host: dict[str, list[Any]] = {}
    for number, (pattern, _) in enumerate(patterns):
        host = rng.choice(["", "", "", r"a\.example", r".*\.example", "127.0.0.1"])
        cls: type[RequestHandler] = rng.choice([Echo, Echo, Poster, One])
        kwargs: dict[str, Any] = {"rule": number}
        if rng.random() < 0.15:
            groups = pattern.count("(") - pattern.count("(?:") - pattern.count("(?i")
            url = "/to" + "".join(f"/{{{at}}}" for at in range(groups) if "?P" not in pattern)
            cls, kwargs = RedirectHandler, {"url": url, "permanent": rng.random() < 0.5}
        elif rng.random() < 0.1:
            cls, kwargs = StaticFileHandler, {"path": str(folder)}
        by_host.setdefault(host, []).append((pattern, cls, kwargs))
    settings: dict[str, Any] = {"log_function": lambda handler: None}
    if rng.random() < 0.4:
        settings["static_path"] = str(folder)
    if rng.random() < 0.3:
        settings["default_host"] = "a.example"
    if rng.random() < 0.3:
        settings |= {"default_handler_class": Echo, "default_handler_args": {"rule": -1}}
    application = Application(by_host.pop("", []), **settings)
    for host, rules in by_host.items():
        application.add_handlers(host, rules)
    return application, patterns


def compare(application: Application, question: Asked, answer: Answer, head: Head) -> None:
    said = (question, answer)
    assert (answer.status or 200) == head.status, said
    if head.location:
        assert answer.words.values["location"] == head.location, said
    if head.status == 200 and head.body.startswith(b'{"rule"'):
        values = [group.value for group in answer.groups]
        (rule,) = (given.value for given in answer.initialize if given.name == "rule")
        seen = json.loads(head.body)
        assert seen["rule"] == int(rule), said
        if answer.target.endswith("One"):
            values = values or [None]
        assert seen["values"] == values, said
        got = {argument.group: argument.value for argument in answer.arguments}
        assert all(repr(values[at]) == value for at, value in got.items()), said


@pytest.mark.parametrize("seed", range(10))
def test_the_verdict_is_what_tornado_then_does(
    seed: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "tornado")
    (tmp_path / "favicon.ico").write_bytes(b"icon")
    (tmp_path / "story").mkdir()
    rng = random.Random(seed)
    application, patterns = random_application(rng, tmp_path)
    paths = [mutated(rng, rng.choice(patterns)[1](rng)) for _ in range(192)]
    paths += ["/favicon.ico", "/static/story", "/static/favicon.ico", "/static/../x", "/", "/story"]
    paths += ["//a", "*"]
    methods = ["GET"] * 6 + ["POST", "HEAD", "DELETE", "FOO"]
    questions = [asked(rng.choice(methods), rng.choice(HOSTS), path) for path in paths]
    assert len(patterns) == 20
    assert len(questions) == 200
    heads = ask(application, *questions)
    for question, head in zip(questions, heads, strict=True):
        compare(application, question, tried(application, question)[1], head)
    assert {200, 405} <= {head.status for head in heads}


# What is said


def application_of(*rules: Any, **settings: Any) -> Application:
    return Application(list(rules), log_function=lambda handler: None, **settings)


def test_every_rule_is_told_in_order() -> None:
    application = application_of(
        (r"/story/(\d+)/edit", Echo, {"rule": 1}),
        (r"/about", Echo, {"rule": 2}),
        (r"/story/(?P<number>\d+)", Echo, {"rule": 3}, "story"),
        (r"/story/(.*)", Echo, {"rule": 4}),
        (r"/other", Echo, {"rule": 5}),
    )
    application.add_handlers(r"blog\.example", [(r"/story/7", Echo, {"rule": 6})])
    rules, answer = tried(application, asked("GET", "x.y:80", "/story/7"))
    assert [(one.rule.pattern, one.outcome, one.reached) for one in rules] == [
        (r"/story/7", Outcome.OTHER_HOST, 0),
        (r"/story/(\d+)/edit", Outcome.NEAR, 8),
        ("/about", Outcome.NO, 1),
        (r"/story/(?P<number>\d+)", Outcome.MATCH, 8),
        ("/story/(.*)", Outcome.HIDDEN, 8),
        ("/other", Outcome.LATER, 0),
    ]
    assert rules[0].rule.host == r"blog\.example"
    assert [one.rule.number for one in rules] == [1, 2, 3, 4, 5, 6]
    assert rules[3].groups == (("number", 7, 8, "7"),)
    assert answer.rule == rules[3].rule
    assert answer.arguments == (("number", "'7'", 0),)
    assert answer.initialize == (("rule", "3", -1),)
    assert [str(words) for words in answer.notes] == ["reverse_url('story', '7') is this path"]
    assert answer_to(application, "GET", "/story/7", "blog.example").initialize[0].value == "6"


def test_groups_become_the_parameters_they_are() -> None:
    class Named(RequestHandler):
        def initialize(self, size: int, kind: str = "x") -> None:
            pass

        def get(self, year: str, month: str = "1", *rest: str) -> None:
            pass

    application = application_of((r"/(\d+)/(\w+)?/(.*)", Named, {"size": 3}, "page"))
    answer = answer_to(application, "GET", "/1999//%E4%BD%A0%20b")
    assert answer.target.endswith("Named")
    assert answer.method == "get"
    assert [tuple(one) for one in answer.arguments] == [
        ("year", "'1999'", 0),
        ("month", "None", 1),
        ("*rest", "'你 b'", 2),
    ]
    assert [tuple(one)[:2] for one in answer.initialize] == [("size", "3"), ("kind", "'x'")]
    assert "another path: /1999/None?/" in str(answer.notes[0])


def test_404_and_405_and_what_comes_before_them() -> None:
    application = application_of(("/a", Echo, {"rule": 1}), xsrf_cookies=True)
    assert answer_to(application, "GET", "/b").status == 404
    answer = answer_to(application, "POST", "/a")
    assert answer.status == 405
    assert "has no post()" in str(answer.words)
    assert "403" in str(answer.notes[0])
    assert answer_to(application, "BREW", "/b").status == 405
    assert answer_to(application, "GET", "/a", host="two hosts").status == 400


def test_targets_of_other_kinds(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    fallback = FallbackHandler
    application = application_of(
        ("/old/(.*)", RedirectHandler, {"url": "/new/{0}"}),
        ("/bad/(.*)", RedirectHandler, {"url": "/new/{1}"}),
        ("/files/(.*)", StaticFileHandler, {"path": str(tmp_path)}),
        ("/wsgi/.*", fallback, {"fallback": print}),
        ("/room/(.*)", Socket),
        ("/call", lambda request: None),
    )

    def words(url: str, method: str = "GET") -> str:
        return str(answer_to(application, method, url).words)

    assert words("/old/x%20y?q=1") == "301 to /new/x y?q=1"
    assert words("/bad/x").startswith("500: the address cannot be made")
    assert words("/files/a.txt") == f"the file {tmp_path / 'a.txt'}"
    assert words("/files/b.txt") == "404: no file for b.txt"
    assert words("/files/%2e%2e/x") == "403: no file for ../x"
    assert words("/wsgi/x") == "builtins.print answers"
    assert words("/room/x").startswith("101")
    assert answer_to(application, "GET", "/room/x").arguments[0].name == "room"
    assert words("/room/x", "POST").startswith("405")
    assert words("/call").endswith("<lambda> answers")


def test_a_pattern_that_backtracks_is_given_up() -> None:
    application = application_of(("/(a+)+", Echo, {"rule": 1}), ("/.*", Echo, {"rule": 2}))
    rules, answer = tried(application, asked("GET", "x", "/" + "a" * 50 + "b"))
    assert [one.outcome for one in rules] == [Outcome.SLOW, Outcome.HIDDEN]
    assert answer.status == 503


def test_routers_within_routers_and_applications() -> None:
    inner = application_of(("/in", Echo, {"rule": 1}))
    application = application_of(
        Rule(HostMatches("deep"), [("/x", Echo, {"rule": 2}), ("/in", Echo, {"rule": 3})]),
        Rule(HostMatches("whole"), inner),
        ("/in", Echo, {"rule": 4}),
    )
    assert [rule.pattern for rule in rules_of(application)] == ["/x", "/in", "/in", "/in"]
    for host, path, status, rule in [
        ("deep", "/in", 200, "3"),
        ("deep", "/none", 404, ""),
        ("whole", "/in", 200, "1"),
        ("whole", "/none", 404, ""),
        ("else", "/in", 200, "4"),
    ]:
        answer = answer_to(application, "GET", path, host)
        (head,) = ask(application, asked("GET", host, path))
        assert (answer.status or 200, head.status) == (status, status)
        assert not rule or answer.initialize[0].value == rule


def test_a_router_of_ones_own_may_decline() -> None:
    class Picky(RuleRouter):
        def find_handler(self, request: Any, **kwargs: Any) -> Any:
            return None

    application = application_of(Rule(HostMatches(".*"), Picky()), ("/", Echo, {"rule": 1}))
    rules, answer = tried(application, asked("GET", "x", "/"))
    assert [one.outcome for one in rules] == [Outcome.NO, Outcome.MATCH]
    assert answer.initialize[0].value == "1"


def test_what_is_typed_becomes_what_is_sent() -> None:
    assert asked("GET", "h", "http://a.b:1/x y?q=你#top") == ("GET", "a.b:1", "/x%20y?q=%E4%BD%A0")
    assert asked("GET", "h", "story/7") == ("GET", "h", "/story/7")
    assert asked("GET", "h", "") == ("GET", "h", "/")
    assert asked("GET", "h", "/to?u=http://x/") == ("GET", "h", "/to?u=http://x/")
    with pytest.raises(ValueError, match="one word"):
        asked("GE T", "h", "/")


# Routes that are being edited

HANDLERS = """from tornado.web import RequestHandler

class Page(RequestHandler):
    def get(self, *groups):
        pass
"""


@pytest.fixture
def modules() -> Iterator[HandlerModules]:
    modules = HandlerModules()
    yield modules
    modules.unload()


def drafted(modules: HandlerModules | None, site: Site) -> Any:
    work = drafting(site, modules)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def test_a_draft_leaves_out_what_cannot_be_served(modules: HandlerModules, tmp_path: Path) -> None:
    site = Site(
        tmp_path,
        handlers={"h.py": HANDLERS},
        routes=(
            Route("/(", "handlers.h.Page"),
            Route("/a", "handlers.h.Gone"),
            Route("/b", "handlers.h.Page", enabled=False),
            Route("/later", "antigravity.Handler"),
            Route("/c", "handlers.h.Page", name="c"),
            Route("/d", "no_such_module.Handler"),
        ),
    )
    modules.load(site)
    draft = drafted(modules, site)
    assert {index: faults[0].field for index, faults in draft.faults.items()} == {
        0: "pattern",
        1: "handler",
        5: "handler",
    }
    out = [(one.rule.route, one.outcome) for one in left_out(site, draft)]
    broken, off = Outcome.BROKEN, Outcome.OFF
    assert out == [(0, broken), (1, broken), (2, off), (5, broken)]
    assert [rule.route for rule in rules_of(draft.application)] == [3, 4]
    answer = answer_to(draft.application, "GET", "/later")
    assert answer.target == "antigravity.Handler"


def test_of_a_site_that_is_not_trusted_nothing_is_imported(tmp_path: Path) -> None:
    site = Site(
        tmp_path,
        settings={"default_handler_class": "this.Handler", "ui_modules": "this"},
        handlers={"h.py": HANDLERS},
        routes=(Route("/", "handlers.h.Gone"), Route("/this", "this.s"), Route("/(", "a.B")),
    )
    sys.modules.pop("this", None)
    draft = drafted(None, site)
    assert "this" not in sys.modules
    assert draft.faults.keys() == {2}
    assert answer_to(draft.application, "GET", "/").target == "handlers.h.Gone"
