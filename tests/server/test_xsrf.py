"""XSRF verdicts: agreement with what Tornado does, and words that tell the cases apart."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from urllib.parse import quote

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, HTTPError, RequestHandler

from app.server.client import Client
from app.server.client_messages import ClientRequest, ClientResponse
from app.server.origin_check import Origin
from app.server.xsrf import xsrf_verdict
from app.server.xsrf_detail import detail_of, verdict_of
from app.server.xsrf_token import xsrf_token

from .mutations import mutate


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Tornado warns of each refusal; thousands of them are wanted here."""
    caplog.set_level(logging.ERROR, "tornado.general")
    caplog.set_level(logging.ERROR, "tornado.access")


def unmasked(handler: RequestHandler, text: str) -> bytes | None:
    return handler._decode_xsrf_token(text)[1]


XSRF = "2|9f3ac1d0|6428b1a774da1c1cf0a2030405060708|1763596800"


def test_xsrf_token_fields() -> None:
    token = xsrf_token(XSRF)
    assert (token.version, token.mask.hex(), token.timestamp) == (2, "9f3ac1d0", 1763596800)
    assert token.masked.hex() == "6428b1a774da1c1cf0a2030405060708"
    assert token.token is not None
    assert token.token.hex() == "fb127077ebe0ddcc6f98c2d49a3cc6d8"
    assert [(f.name, f.start, f.end) for f in token.fields] == [
        ("version", 0, 1),
        ("mask", 2, 10),
        ("masked token", 11, 43),
        ("timestamp", 44, 54),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("3|a|b|c", "version 3"),
        ("2|9f3ac1d0|6428", "3 fields"),
        ("2|9f3ac1|6428|1", "mask"),
        ("2|zzzzzzzz|6428|1", "mask"),
        ("2|9f3ac1d0|642|1", "not hex"),
        ("2|9f3ac1d0||1", "empty"),
        ("2|9f3ac1d0|6428|x", "timestamp"),
        ("\ud800", "UTF-8"),
    ],
)
def test_why_a_token_cannot_be_read(text: str, problem: str) -> None:
    token = xsrf_token(text)
    assert not token.token
    assert problem in str(token.problem)


def test_tokens_agree_with_tornado_on_mutations() -> None:
    class Handler(RequestHandler):
        def __init__(self) -> None:
            """Only its decoder is wanted."""

    handler, chance = Handler(), random.Random(6455)
    readable = 0
    for _ in range(10_000):
        text = mutate(chance.choice((XSRF, "6428b1a774da1c1c", "'" + XSRF)), chance)
        token = xsrf_token(text)
        expected = unmasked(handler, text)
        assert (token.token or None) == (expected or None), text
        assert bool(token.problem.text) == (not token.token and bool(text)), text
        readable += token.token is not None
    assert 1_000 < readable < 10_000


class Form(RequestHandler):
    """Gives out a token and takes forms."""

    def get(self) -> None:
        self.write(self.xsrf_token)

    def post(self) -> None:
        self.write("passed")

    put = delete = post


class Checked(Form):
    """Keeps what it needs to ask for a verdict when the check really ran."""

    def check_xsrf_cookie(self) -> None:
        given = xsrf_verdict(
            self.request.method or "",
            self.get_argument("_xsrf", None),
            self.request.headers.get("X-Xsrftoken"),
            self.request.headers.get("X-Csrftoken"),
            self.get_cookie("_xsrf"),
            content_type=self.request.headers.get("Content-Type", ""),
            form_body=b"_xsrf=" in self.request.body,
            misnamed_header="X-XSRF-TOKEN" if "X-Xsrf-Token" in self.request.headers else "",
        )
        self.set_header("Verdict", json.dumps([given.code, given.message, given.passed]))
        self.application.settings["verdicts"].append(given)
        super().check_xsrf_cookie()


TOKEN = "000102030405060708090a0b0c0d0e0f"
ZERO = f"2|00000000|{TOKEN}|1"
MASKED = "2|ffffffff|fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0|9"
OTHER = "2|00000000|ffffffffffffffffffffffffffffffff|1"
FORM = "application/x-www-form-urlencoded"

ROWS = [
    ("passed", "POST", FORM, ZERO, {}, ZERO),
    ("passed", "POST", FORM, MASKED, {}, ZERO),
    ("passed", "POST", FORM, TOKEN, {}, ZERO),
    ("passed", "POST", FORM, ZERO, {}, TOKEN),
    ("passed", "DELETE", "", "", {"X-XSRFToken": MASKED}, ZERO),
    ("passed", "POST", FORM, "", {"X-CSRFToken": MASKED}, ZERO),
    ("passed", "POST", FORM, MASKED, {"X-XSRFToken": OTHER}, ZERO),
    ("passed", "POST", FORM, "plain", {}, "plain"),
    ("no-token", "POST", FORM, "", {}, ZERO),
    ("no-token", "DELETE", "", "", {}, ZERO),
    ("mislabelled-form", "POST", "application/json", MASKED, {}, ZERO),
    ("misnamed-header", "POST", FORM, "", {"X-XSRF-TOKEN": MASKED}, ZERO),
    ("json-body", "POST", "application/json", "", {}, ZERO),
    ("no-token", "POST", FORM, "", {}, None),
    ("invalid-format", "POST", FORM, "2|00|zz|1", {}, ZERO),
    ("unknown-version", "POST", FORM, "3|a|b|c", {}, ZERO),
    ("invalid-format", "POST", FORM, "2|00000000||1", {}, None),
    ("no-cookie", "POST", FORM, MASKED, {}, None),
    ("no-cookie", "POST", FORM, MASKED, {}, ""),
    ("cookie-garbage", "POST", FORM, MASKED, {}, "garbage"),
    ("cookie-garbage", "POST", FORM, MASKED, {}, "3|a|b|c"),
    ("cookie-garbage", "POST", FORM, MASKED, {}, "2|00000000||1"),
    ("quoted-token", "POST", FORM, f'"{MASKED}"', {}, ZERO),
    ("bytes-token", "POST", FORM, f"b'{MASKED}'", {}, ZERO),
    ("wrong-token", "POST", FORM, OTHER, {}, ZERO),
    ("garbage-token", "PUT", FORM, "nonsense", {}, ZERO),
]


async def send(url: str, row: tuple[str, str, str, str, dict[str, str], str | None]) -> None:
    code, method, content_type, argument, headers, cookie = row
    pairs = list(headers.items())
    if content_type:
        pairs.append(("Content-Type", content_type))
    if cookie is not None:
        pairs.append(("Cookie", f"_xsrf={cookie}"))
    body = b"name=alice" + (f"&_xsrf={quote(argument)}".encode() if argument else b"")
    client = Client("Alice")
    request = ClientRequest(url, method, tuple(pairs), body if content_type else b"")
    response = await client.fetch(request)
    client.close()
    assert response.status == (200 if code == "passed" else 403), row


def test_verdicts_agree_with_what_tornado_does() -> None:
    async def main() -> None:
        verdicts: list[object] = []
        app = Application([("/", Checked)], xsrf_cookies=True, verdicts=verdicts)
        listening, port = bind_unused_port()
        server = HTTPServer(app)
        server.add_sockets([listening])
        for row in ROWS:
            await send(f"http://127.0.0.1:{port}/", row)
        given = app.settings["verdicts"]
        assert [verdict.code for verdict in given] == [row[0] for row in ROWS]
        assert all(verdict.passed == (verdict.code == "passed") for verdict in given)
        server.stop()
        await server.close_all_connections()

    asyncio.run(main())


def test_tornado_and_the_verdict_give_the_same_message() -> None:
    class Handler(Form):
        def __init__(self, argument: str | None, cookie: str | None) -> None:
            self.argument, self.cookie = argument, cookie
            self.application = Application()
            self.request = type("Request", (), {"headers": {}})()

        def get_argument(self, name: str, *_: object, **__: object) -> str | None:  # type: ignore[override]
            return self.argument

        def get_cookie(self, name: str, *_: object) -> str | None:  # type: ignore[override]
            return self.cookie

    chance = random.Random(403)
    texts = (ZERO, MASKED, TOKEN, OTHER, "garbage", "3|x", "", f'"{ZERO}"')
    for _ in range(3_000):
        argument = mutate(chance.choice(texts), chance)
        cookie = chance.choice((None, mutate(chance.choice(texts), chance), ZERO))
        message = ""
        try:
            Handler(argument, cookie).check_xsrf_cookie()
        except HTTPError as error:
            message = error.log_message or ""
        verdict = xsrf_verdict("POST", argument, None, None, cookie)
        assert verdict.message == message, (argument, cookie)
        assert bool(verdict.repair.text) != verdict.passed


def test_safe_methods_and_rungs() -> None:
    verdict = xsrf_verdict("GET", None, None, None, None)
    assert (verdict.code, verdict.passed) == ("safe-method", True)
    missing = xsrf_verdict("POST", None, None, None, ZERO)
    assert [(rung.name, rung.state) for rung in missing.rungs] == [
        ("method", "passed"),
        ("source", "failed"),
        ("decode", "not reached"),
        ("cookie", "not reached"),
        ("unmask", "not reached"),
        ("compare", "not reached"),
        ("origin", "not reached"),
    ]
    assert missing.cookie is not None
    wrong = xsrf_verdict("POST", OTHER, None, None, ZERO)
    assert [rung.state for rung in wrong.rungs] == [*["passed"] * 5, "failed", "not reached"]


def test_the_first_source_that_is_not_empty_counts_and_the_losers_are_named() -> None:
    verdict = xsrf_verdict("POST", "", OTHER, ZERO, ZERO)
    assert [(s.name, s.chosen) for s in verdict.sources] == [
        ("_xsrf", False),
        ("X-Xsrftoken", True),
        ("X-Csrftoken", False),
    ]
    assert verdict.code == "wrong-token"
    assert str(verdict.rungs[1].seen) == "found in X-Xsrftoken; X-Csrftoken is not looked at"


def test_each_way_to_be_accepted_has_its_own_sentence() -> None:
    ways = [
        xsrf_verdict("POST", MASKED, None, None, ZERO, in_query=True),
        xsrf_verdict("POST", MASKED, None, None, ZERO),
        xsrf_verdict("POST", ZERO, None, None, MASKED),
        xsrf_verdict("POST", ZERO, None, None, ZERO),
        xsrf_verdict("POST", TOKEN, None, None, ZERO),
        xsrf_verdict("POST", "plain", None, None, "plain"),
    ]
    assert {way.code for way in ways} == {"passed"}
    assert len({str(way.sentence) for way in ways}) == len(ways)
    assert [bool(way.repair.text) for way in ways] == [True, *[False] * 5]


HOST = "127.0.0.1:8888"
EVIL = "http://evil.example"
ORIGINS = [
    (Origin("same-origin", None, HOST, False), "passed"),
    (Origin("none", EVIL, HOST, False), "passed"),
    (Origin("cross-site", EVIL, HOST, False), "cross-site"),
    (Origin("same-site", None, HOST, False), "cross-site"),
    (Origin("", EVIL, HOST, False), "cross-site"),
    (Origin("cross-site", EVIL, HOST, True), "passed"),
    (Origin(None, None, HOST, False), "passed"),
    (Origin(None, f"http://{HOST}", HOST.upper(), False), "passed"),
    (Origin(None, EVIL, HOST, False), "foreign-origin"),
    (Origin(None, "null", HOST, False), "foreign-origin"),
    (Origin(None, "", HOST, False), "foreign-origin"),
    (Origin(None, "http://127.0.0.1", HOST, False), "foreign-origin"),
    (Origin(None, "http://127.0.0.1", HOST, True), "passed"),
]


@pytest.mark.parametrize(("origin", "code"), ORIGINS)
def test_the_origin_check_agrees_with_tornado(origin: Origin, code: str) -> None:
    class Handler(RequestHandler):
        def __init__(self) -> None:
            headers = {"sec-fetch-site": origin.sec_fetch_site, "origin": origin.origin}
            known = {key: value for key, value in headers.items() if value is not None}
            self.request = type("R", (), {"headers": {**known, "Host": origin.host}})()

    error = Handler()._check_cross_origin(lambda _: origin.trusted)
    verdict = xsrf_verdict("POST", ZERO, None, None, ZERO, origin=origin)
    assert verdict.message == (error or "")
    assert verdict.code == code
    assert bool(verdict.repair.text) == (code != "passed")
    assert verdict.rungs[-1].name == "origin"


def test_a_recorded_detail_gives_the_same_verdict_again() -> None:
    origin = Origin("cross-site", EVIL, HOST, False)
    inputs = {
        "method": "POST",
        "argument": "Ünï\n{x}",
        "x_xsrftoken": None,
        "x_csrftoken": ZERO,
        "cookie": MASKED,
        "origin": origin,
    }
    for argument in ("Ünï\n{x}", ZERO):
        inputs["argument"] = argument
        verdict = xsrf_verdict(**inputs)  # type: ignore[arg-type]
        detail = detail_of(verdict, inputs)
        assert verdict_of(detail) == verdict
        assert detail.splitlines()[0] == str(verdict.sentence)
    for damaged in ("", "inputs: {", "inputs: []", 'inputs: {"a": 1}', "no-token"):
        assert verdict_of(damaged) is None


def test_a_real_page_and_form() -> None:
    async def main() -> list[ClientResponse]:
        listening, port = bind_unused_port()
        server = HTTPServer(Application([("/", Form)], xsrf_cookies=True))
        server.add_sockets([listening])
        url = f"http://127.0.0.1:{port}/"
        client = Client("Alice")
        page = await client.fetch(ClientRequest(url))
        header = client.xsrf_header(url)
        assert header is not None
        again = await client.fetch(ClientRequest(url))
        assert page.body != again.body
        verdict = xsrf_verdict("POST", again.body.decode(), None, None, header[1])
        assert verdict.code == "passed"
        responses = [await client.fetch(ClientRequest(url, "POST", (header,)))]
        client.close()
        server.stop()
        await server.close_all_connections()
        return responses

    assert [response.status for response in asyncio.run(main())] == [200]
