"""Signed cookies and XSRF tokens: exact offsets, and agreement with Tornado's own decisions."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import random
from urllib.parse import quote

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import (
    Application,
    HTTPError,
    RequestHandler,
    create_signed_value,
    decode_signed_value,
)

from app.server.client import Client, ClientRequest, ClientResponse
from app.server.cookies import Secret, signed_cookie, xsrf_token, xsrf_verdict


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Tornado warns of each refusal; thousands of them are wanted here."""
    caplog.set_level(logging.ERROR, "tornado.general")
    caplog.set_level(logging.ERROR, "tornado.access")


NOW = 1_700_000_000.0
SIGNED = (
    "2|1:0|10:1700000000|4:user|8:YWxpY2U=|"
    "bdb1c4cdb16c970d48abd9cc263b2d5c52e300b28ef47923f652d30c1e2b013f"
)
SIGNED_1 = "YWxpY2U=|1700000000|bf1bc0e1aca948d199d1e333b3ac1d177521ec44"


def failed(value: str, secret: Secret = "SECRET", **options: float) -> str:
    anatomy = signed_cookie(value, "user", secret, NOW, **options)  # type: ignore[arg-type]
    assert (anatomy.failed is None) == (anatomy.value is not None)
    return anatomy.failed.name if anatomy.failed else ""


def signed(value: str = "alice", name: str = "user", at: float = NOW, **options: int) -> str:
    return create_signed_value("SECRET", name, value, clock=lambda: at, **options).decode()


def test_version_2_at_exact_offsets() -> None:
    anatomy = signed_cookie(SIGNED, "user", "SECRET", NOW)
    assert len(SIGNED) == 102
    assert (anatomy.value, anatomy.payload, anatomy.version) == (b"alice", b"alice", 2)
    assert anatomy.signed == 38
    assert [(f.name, f.start, f.value_start, f.end) for f in anatomy.fields] == [
        ("version", 0, 0, 1),
        ("key version", 2, 4, 5),
        ("timestamp", 6, 9, 19),
        ("name", 20, 22, 26),
        ("value", 27, 29, 37),
        ("signature", 38, 38, 102),
    ]
    for field in anatomy.fields:
        assert SIGNED.encode()[field.value_start : field.end] == field.raw
    assert [rung.name for rung in anatomy.rungs] == [
        *("present", "version", "min_version", "fields", "key"),
        *("signature", "name", "timestamp", "age", "base64"),
    ]
    assert {rung.state for rung in anatomy.rungs} == {"passed"}


def test_version_1_at_exact_offsets() -> None:
    anatomy = signed_cookie(SIGNED_1, "user", "SECRET", NOW)
    assert (anatomy.value, anatomy.version) == (b"alice", 1)
    assert [(f.name, f.start, f.end) for f in anatomy.fields] == [
        ("value", 0, 8),
        ("timestamp", 9, 19),
        ("signature", 20, 60),
    ]


@pytest.mark.parametrize(
    ("value", "rung"),
    [
        ("", "present"),
        (SIGNED.replace("2|", "3|", 1), "version"),
        (SIGNED.replace("4:user", "5:user"), "fields"),
        (SIGNED.replace("4:user", "x:user"), "fields"),
        (SIGNED[:30], "fields"),
        (SIGNED.replace("1:0", "1:x"), "fields"),
        (SIGNED.replace("YWx", "YWy"), "signature"),
        (SIGNED[:-1] + "0", "signature"),
        (SIGNED[:38], "signature"),
        (signed(name="other"), "name"),
        (signed(at=NOW - 32 * 86400), "age"),
        (SIGNED_1[:-1] + "5", "signature"),
        ("no cookie", "fields"),
        (signed(at=NOW + 32 * 86400, version=1), "future"),
        (signed(at=NOW - 32 * 86400, version=1), "age"),
    ],
)
def test_the_first_rung_that_fails(value: str, rung: str) -> None:
    assert failed(value) == rung
    assert decode_signed_value("SECRET", "user", value, clock=lambda: NOW) is None


def test_later_rungs_are_not_reached_but_the_value_still_decodes() -> None:
    anatomy = signed_cookie(SIGNED[:-1] + "0", "user", "SECRET", NOW)
    assert (anatomy.value, anatomy.payload) == (None, b"alice")
    assert [rung.state for rung in anatomy.rungs[-5:]] == ["failed", *["not reached"] * 4]
    cut = signed_cookie(SIGNED[:20], "user", "SECRET", NOW)
    assert [field.name for field in cut.fields] == ["version", "key version", "timestamp"]


def test_options() -> None:
    assert failed(SIGNED, "OTHER") == "signature"
    assert failed(SIGNED, {1: "SECRET"}) == "key"
    assert failed(SIGNED, {0: b"SECRET"}) == ""
    assert failed(SIGNED_1, {0: "SECRET"}) == "key"
    assert failed(SIGNED_1, min_version=2) == "min_version"
    assert failed(SIGNED, max_age_days=0) == ""
    assert failed(signed(at=NOW - 1), max_age_days=0) == "age"
    with pytest.raises(ValueError, match="min_version"):
        signed_cookie(SIGNED, "user", "SECRET", NOW, min_version=3)


ALPHABET = "0123456789|:=-+_ abcdefYWxpZ2U\n\u0660é"


def mutate(text: str, chance: random.Random) -> str:
    characters = list(text)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        place = chance.randrange(len(characters) + 1)
        what = chance.randrange(4)
        if what == 0:
            characters.insert(place, chance.choice(ALPHABET))
        elif what == 1:
            del characters[place : place + chance.choice((1, 1, 1, 10))]
        elif what == 2:
            characters[place : place + 1] = [chance.choice(ALPHABET)]
        else:
            other = chance.randrange(len(characters) + 1)
            characters[place:place] = characters[min(place, other) : max(place, other)][:20]
    return "".join(characters)


def resigned(text: str) -> str:
    """Sign a mutated cookie again, so that the rungs behind the signature are reached too."""
    head = text.rpartition("|")[0] + "|"
    return head + hmac.new(b"SECRET", head.encode(), hashlib.sha256).hexdigest()


def test_agrees_with_tornado_on_mutations() -> None:
    chance = random.Random(6265)
    accepted = 0
    rungs = set()
    for number in range(10_000):
        text = mutate(SIGNED_1 if number % 4 == 0 else SIGNED, chance)
        if number % 4 == 1:
            text = resigned(text)
        secret: Secret = {0: "SECRET", 3: "X"} if number % 8 > 4 and "|1:" in text else "SECRET"
        anatomy = signed_cookie(text, "user", secret, NOW)
        try:
            expected = decode_signed_value(secret, "user", text, clock=lambda: NOW)  # type: ignore[arg-type]
        except AssertionError:  # version 1 and several secrets
            expected = None
        assert anatomy.value == expected, text
        assert (anatomy.failed is None) == (expected is not None)
        rungs.add(anatomy.failed.name if anatomy.failed else "")
        accepted += expected is not None
    assert 1_000 < accepted < 9_000
    assert rungs >= {"", "version", "fields", "key", "signature", "name", "timestamp", "age"}


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
    assert problem in token.problem


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
        assert bool(token.problem) == (not token.token and bool(text)), text
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
    ("no-token", "POST", "application/json", MASKED, {}, ZERO),
    ("no-token", "POST", FORM, "", {"X-XSRF-TOKEN": MASKED}, ZERO),
    ("no-token", "POST", FORM, "", {}, None),
    ("invalid-format", "POST", FORM, "2|00|zz|1", {}, ZERO),
    ("invalid-format", "POST", FORM, "3|a|b|c", {}, ZERO),
    ("invalid-format", "POST", FORM, "2|00000000||1", {}, None),
    ("no-cookie", "POST", FORM, MASKED, {}, None),
    ("no-cookie", "POST", FORM, MASKED, {}, ""),
    ("cookie-garbage", "POST", FORM, MASKED, {}, "garbage"),
    ("cookie-garbage", "POST", FORM, MASKED, {}, "3|a|b|c"),
    ("cookie-garbage", "POST", FORM, MASKED, {}, "2|00000000||1"),
    ("quoted-token", "POST", FORM, f'"{MASKED}"', {}, ZERO),
    ("bytes-token", "POST", FORM, f"b'{MASKED}'", {}, ZERO),
    ("wrong-token", "POST", FORM, OTHER, {}, ZERO),
    ("wrong-token", "PUT", FORM, "nonsense", {}, ZERO),
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
        assert bool(verdict.repair) != verdict.passed


def test_safe_methods_and_rungs() -> None:
    verdict = xsrf_verdict("GET", None, None, None, None)
    assert (verdict.code, verdict.passed) == ("safe-method", True)
    missing = xsrf_verdict("POST", None, None, None, ZERO)
    assert [(rung.name, rung.state) for rung in missing.rungs] == [
        ("method", "passed"),
        ("token", "failed"),
        ("format", "not reached"),
        ("cookie", "not reached"),
        ("compare", "not reached"),
    ]
    assert missing.cookie is not None
    wrong = xsrf_verdict("POST", OTHER, None, None, ZERO)
    assert [rung.state for rung in wrong.rungs] == [*["passed"] * 4, "failed"]


def test_words_sharpen_with_what_is_known() -> None:
    json_body = xsrf_verdict("POST", None, None, None, ZERO, content_type="application/json")
    misnamed = xsrf_verdict("POST", None, None, None, ZERO, misnamed_header="X-XSRF-TOKEN")
    plain = xsrf_verdict("POST", None, None, None, ZERO)
    assert len({json_body.sentence, misnamed.sentence, plain.sentence}) == 3


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
