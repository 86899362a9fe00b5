"""The filter language: what each expression lets through, and how it says what is wrong."""

from __future__ import annotations

import contextlib
import gc
import gzip
import json
import random
import re
import time
import weakref
from collections.abc import Iterator

import pytest

from app.recording.events import Message, Row
from app.recording.filter import Filter, compile_filter, complete, quoted
from app.recording.filter_keys import (
    ALIASES,
    FAILED,
    KEYS,
    PASSED,
    XSRF_VALUES,
    Key,
    Sources,
)
from app.recording.filter_match import FilterError, regex
from app.recording.limit import TooSlow, cpu_limit
from app.server.breakpoints import PARKED
from app.widgets.request_columns import XSRF_WORDS, xsrf_passed

from .widgets.sample import message

MS = 1_000_000


def head(first: str, *lines: str) -> bytes:
    """Return a raw head."""
    return "\r\n".join([first, *lines, "", ""]).encode("latin-1")


def request(
    id_: int,
    line: str,
    status: int | None = 200,
    *more: str,
    client: str | None = "Alice",
    host: str = "127.0.0.1:8888",
    route: str | None = "/",
    handler: str | None = "HomeHandler",
    lasts_ms: float | None = 1,
    size: int = 100,
    sent: tuple[str, ...] = (),
    body: bytes = b"",
    sent_body: bytes = b"",
    outcome: str | None = "finished",
    stages: tuple[str, ...] = ("prepare", "get", "on_finish"),
) -> Row:
    """Return a request's row; *sent* are lines of its head, *more* those of the response's."""
    method, uri = line.split(" ", 1)
    start = id_ * 1_000 * MS
    end = None if lasts_ms is None else start + round(lasts_ms * MS)
    flat = tuple(part for name in stages for part in (name, start, end, None))
    return (
        *(id_, 1, client, method, uri, "HTTP/1.1", route, handler, status, start, end),
        *(head(f"{line} HTTP/1.1", f"Host: {host}", *sent), sent_body, len(sent_body)),
        head(f"HTTP/1.1 {status} X", *more) if status else b"",
        *(body, size, 0, outcome if end is not None else None, flat),
    )


HTML, JSON = "Content-Type: text/html; charset=UTF-8", "content-type: application/json"
ROWS = [
    request(1, "GET /", 200, HTML, "Etag: \"a1\"", body=b"<h1>Hello World</h1>"),
    request(2, "GET /story/7?page=2", 200, HTML, route=r"/story/(?P<id>\d+)",
            handler="StoryHandler", client="Bob"),
    request(3, "GET /story/12", 404, HTML, route=r"/story/(?P<id>\d+)", handler="StoryHandler"),
    request(4, "POST /login", 302, "Location: /", "Set-Cookie: user=alice; Path=/; HttpOnly",
            route="/login", handler="LoginHandler", sent=("Cookie: _xsrf=2|ab|cd",),
            sent_body=b"name=alice"),
    request(5, "POST /login", 403, HTML, route="/login", handler="LoginHandler", client="Mallory",
            stages=("check_xsrf_cookie", "write_error")),
    request(6, "GET /api/users?name=Alice&sort=up", 200, JSON, route="/api/users",
            handler="UsersHandler", size=12_000, body=b'{"users": ["Alice"]}'),
    request(7, "PUT /api/users/3", 500, JSON, route="/api/users/3", handler="UsersHandler",
            lasts_ms=250),
    request(8, "DELETE /api/users/3", 204, route="/api/users/3", handler="UsersHandler", size=0),
    request(9, "GET /sleep", 200, HTML, route="/sleep", handler="SleepHandler", lasts_ms=1_500),
    request(10, "GET /sleep", None, route="/sleep", handler="SleepHandler", lasts_ms=None,
            stages=("prepare", "get")),
    request(11, "GET /wait", None, route="/wait", handler="WaitHandler", lasts_ms=40,
            outcome="aborted"),
    request(12, "GET /static/app.js", 304, "Etag: \"s\"", "Server: TornadoServer/6.6", client=None,
            route="/static/(.*)", handler="StaticFileHandler", host="example.com", size=0,
            sent=("User-Agent: Mozilla/5.0", "If-None-Match: \"s\"")),
    request(13, "GET /static/app.css", 200, "Content-Type: text/css", client=None, size=2_000_000,
            route="/static/(.*)", handler="StaticFileHandler", host="www.example.com:80"),
    request(14, "GET /chat", 101, "Upgrade: websocket", route="/chat", handler="ChatHandler",
            lasts_ms=9_000, outcome="upgraded", stages=("open", "on_message", "on_close")),
    request(15, "GET /chat", 101, "Upgrade: websocket", route="/chat", handler="ChatHandler",
            lasts_ms=None, stages=("open",), client="Bob"),
    request(16, "GET /nowhere", 404, HTML, route=None, handler=None, client=None),
    request(17, "HEAD /", 200, HTML, size=0, client="Bob"),
    request(18, "OPTIONS /api/users", 204, "Allow: GET, PUT", route="/api/users",
            handler="UsersHandler", size=0),
    request(19, "POST /upload", 201, "Location: /f/1", route="/upload", handler="UploadHandler",
            sent=("Content-Type: multipart/form-data; boundary=x",), sent_body=b"--x\r\nHELLO"),
    request(20, "GET /zip", 200, HTML, "Content-Encoding: gzip", route="/zip",
            body=gzip.compress(b"needle in a haystack")),
    request(21, "GET /caf%C3%A9", 200, "X-Note: a: b", route="/(.*)", client="Client 2",
            sent=('Cookie: theme="dark mode"; lang=zh',)),
    request(22, "GET http://proxy.test/abs", 200, HTML, host="proxy.test"),
    request(23, "GET /parked", None, route="/", lasts_ms=None,
            stages=("prepare", f"{PARKED}get")),
    request(24, "GET /cookies", 200, HTML, "Set-Cookie: a=1", "set-cookie: theme=light; Path=/",
            route="/cookies", handler="CookieHandler", sent=("cookie: a=0",)),
    request(25, "GET /(odd)/path|pipe", 200, HTML, route="/(.*)"),
]  # fmt: skip
MESSAGES = {14: [b"hello", b"Bye"], 15: [b"hello again"], 1: [b"hello"]}
SOURCES = Sources(
    xsrf={
        4: [(4, "passed", "")],
        5: [(5, "no-token", "why")],
        7: [(7, "no-cookie", ""), (7, "wrong-token", "")],
        19: [(19, "overridden", "")],
    },
    messages=lambda id_, after: [
        Message(*message(n, id_, 0, "in", text))
        for n, text in enumerate(MESSAGES.get(id_, []), 1)
        if n > after
    ],
    marked={2, 9},
    now_ns=lambda: 40_000 * MS,
)
ALL = set(range(1, 26))


def numbers(text: str) -> set[int]:
    """Return the numbers of the rows that an expression lets through."""
    found = compile_filter(text, SOURCES)
    return ALL if found is None else {row[0] for row in ROWS if found.accepts(row)}


API = {6, 7, 8, 18}
EXPRESSIONS: list[tuple[str, set[int]]] = [
    ("", ALL),
    ("   ", ALL),
    # Text is searched for in the URL.
    ("story", {2, 3}),
    ("STORY", {2, 3}),
    ("story page", {2}),
    ("name=Alice&sort=up", {6}),
    ("http://127.0.0.1:8888/story", {2, 3}),
    ("127.0.0.1:8888/s", {2, 3, 9, 10}),
    ("ws://", {14, 15}),
    ("proxy.test/abs", {22}),
    ("caf%C3", {21}),
    ("-story", ALL - {2, 3}),
    ("-", set()),
    ("--story", set()),
    ('"/login"', {4, 5}),
    ("'/login'", {4, 5}),
    ('"-"', set()),
    ("/odd", set()),
    ("/(odd)/path", {25}),
    ('"path|pipe"', {25}),
    ("(story)", {2, 3}),
    # Regular expressions.
    (r"/story\/\d$/", set()),
    (r"/story.\d\?/", {2}),
    ("/STORY|LOGIN/", {2, 3, 4, 5}),
    ("-/story|login/", ALL - {2, 3, 4, 5}),
    ("(/story/ | /login/)", {2, 3, 4, 5}),
    (r"/\(odd\)/", {25}),
    # Chrome's keys.
    ("method:POST", {4, 5, 19}),
    ("method:post", {4, 5, 19}),
    ("METHOD:POST", {4, 5, 19}),
    ("-method:GET", {4, 5, 7, 8, 17, 18, 19}),
    ("method:/^P/", {4, 5, 7, 19}),
    ("method:P*", {4, 5, 7, 19}),
    ("status-code:404", {3, 16}),
    ("status-code:4xx", {3, 5, 16}),
    ("status-code:1XX", {14, 15}),
    ("-status-code:2xx", {3, 4, 5, 7, 10, 11, 12, 14, 15, 16, 23}),
    ("url:story", {2, 3}),
    ('url:"story/12"', {3}),
    (r"url:/story.\d\d/", {3}),
    ("domain:example.com", {12}),
    ("domain:*example.com", {12, 13}),
    ("domain:*.example.com", {13}),
    ("domain:127.0.0.1 method:DELETE", {8}),
    ("domain:Proxy.Test", {22}),
    ("scheme:ws", {14, 15}),
    ("scheme:http story", {2, 3}),
    ("mime-type:application/json", {6, 7}),
    ("mime-type:text/*", {1, 2, 3, 5, 9, 13, 16, 17, 20, 22, 24, 25}),
    ("has-response-header:etag", {1, 12}),
    ("has-response-header:set-cookie", {4, 24}),
    ("has-response-header:x-*", {21}),
    ("has-response-header:tag", set()),
    ("larger-than:12000", {6, 13}),
    ("larger-than:12k", {6, 13}),
    ("larger-than:1.5M", {13}),
    ("cookie-name:a", {24}),
    ("cookie-name:theme", {21, 24}),
    ("cookie-value:alice", {4}),
    ('cookie-value:"dark mode"', {21}),
    ('cookie-value:"2|ab|cd"', {4}),
    ("set-cookie-name:theme", {24}),
    ("set-cookie-name:_xsrf", set()),
    ("set-cookie-value:light", {24}),
    ("set-cookie-value:l*", {24}),
    ("is:running", {10, 15, 23}),
    ("is:from-cache", {12}),
    ("is:aborted", {11}),
    ("is:parked", {23}),
    ("is:websocket", {14, 15}),
    ("is:marked", {2, 9}),
    # Our own.
    ("client:bob", {2, 15, 17}),
    ('client:"client 2"', {21}),
    ("-client:*", {12, 13, 16}),
    ("handler:LoginHandler", {4, 5}),
    ("handler:*login*", {4, 5}),
    ("handler:login", set()),
    ("route:/login", {4, 5}),
    (r"route:/story/(?P<id>\d+)", {2, 3}),
    ("route:/api/*", API),
    ("stage:write_error", {5}),
    ("stage:on_message", {14, 15}),
    ("stage:on_*", {row[0] for row in ROWS} - {5, 10, 23}),
    ("xsrf:fail", {5, 7}),
    ("xsrf:pass", {4}),
    ("xsrf:no-token", {5}),
    ("xsrf:wrong-token", {7}),
    ("xsrf:no-cookie", set()),
    ("xsrf:overridden", {19}),
    ("ws-message:hello", {14, 15}),
    ("ws-message:/^bye$/", {14}),
    ("slower-than:200", {7, 9, 10, 14, 15, 23}),
    ("slower-than:1s -is:running", {9, 14}),
    ("slower-than:0.1min", {10, 14, 15, 23}),
    ("slower-than:39999us slower-than:40ms -slower-than:41ms", {11}),
    # mitmproxy's short forms.
    (r"~u story/\d+$", {3}),
    ("~u (story|login)", {2, 3, 4, 5}),
    ("~u (story)|(login)", {2, 3, 4, 5}),
    ("~u 'story/1'", {3}),
    ("~m ^p", {4, 5, 7, 19}),
    ("~m GET|PUT ~u users", {6, 7}),
    ("~c 404", {3, 16}),
    ("!~c 200 & ~m GET", {3, 10, 11, 12, 14, 15, 16, 23}),
    ('~h "etag: .s"', {12}),
    ("~h ^etag", {1, 12}),
    ("~hq user-agent.*mozilla", {12}),
    ("~hs mozilla", set()),
    ("~hs tornado", {12}),
    ("~hs up$", set()),
    ("~hs websocket$", {14, 15}),
    ("~b hello", {1, 19}),
    ("~b needle.in", {20}),
    ("~b hello.world", {1}),
    ("~t json", {6, 7}),
    ("~t multipart", {19}),
    ("~q", {10, 11, 23}),
    ("~e", {11}),
    ("~websocket", {14, 15}),
    ("~websocket is:running", {15}),
    # Binding.
    ("story | login method:POST", {2, 3, 4, 5}),
    ("(story | login) method:POST", {4, 5}),
    ("login & method:POST & status-code:403", {5}),
    ("login method:POST & status-code:403", {5}),
    ("!story login", {4, 5}),
    ("!(story | /api/)", ALL - {2, 3} - API),
    ("!!story", {2, 3}),
    ("! story", ALL - {2, 3}),
    ("-(story | api)", ALL - {2, 3} - API),
    ("!-story", {2, 3}),
    ("!method:GET !method:POST", {7, 8, 17, 18}),
    ("-~m get", {4, 5, 7, 8, 17, 18, 19}),
    ("~c 404 | ~c 500 | ~c 403", {3, 5, 7, 16}),
    ("((story))", {2, 3}),
    ("(story)(page)", {2}),
    ("\N{IDEOGRAPHIC SPACE}story\N{IDEOGRAPHIC SPACE}page", {2}),
    ("login:8888", set()),
]


@pytest.mark.parametrize(("text", "expected"), EXPRESSIONS, ids=[text for text, _ in EXPRESSIONS])
def test_an_expression_lets_through(text: str, expected: set[int]) -> None:
    assert numbers(text) == expected


def test_every_key_and_short_form_stands_in_the_table() -> None:
    written = " ".join(text.lower() for text, _ in EXPRESSIONS)
    assert [key for key in KEYS if f"{key}:" not in written] == []
    assert [alias for alias in ALIASES if f"{alias} " not in f"{written} "] == []


ERRORS = [
    ("status-code:", 12, "value"),
    ("status-code:40", 12, "4xx"),
    ("a status-code:6xx", 14, "4xx"),
    ("~c", 2, "value"),
    ("~c x", 3, "4xx"),
    ("~u", 2, "value"),
    ("~zz", 0, "~websocket"),
    ("~", 0, "~u"),
    ("larger-than:big", 12, "10k"),
    ("larger-than:-1", 12, "10k"),
    ("slower-than:3x", 12, "100ms"),
    ("slower-than:" + "9" * 400, 12, "100ms"),
    ("xsrf:maybe", 5, "no-token"),
    ("is:odd", 3, "running"),
    ("(story", 0, "not closed"),
    ("a (b (c)", 2, "not closed"),
    ("story)", 5, "never opened"),
    ("()", 1, "condition"),
    ("a &", 3, "condition"),
    ("a & & b", 4, "condition"),
    ("| a", 0, "condition"),
    ("a | | b", 4, "condition"),
    ("!", 1, "condition"),
    ('a "b', 2, "not closed"),
    ('"a"b', 3, "space"),
    ("/a(/", 2, "unterminated"),
    ("url:/[z/", 5, "unterminated"),
    ("~u *", 3, "nothing to repeat"),
    ("~b (a", 3, "unterminated"),
    ("~u a{99999999999}", 3, ""),
    ("/(?L)x/", 4, "flag"),
    ("method:GET|method:POST", 10, "space before and after |"),
    ("cookie-value:2|ab|cd", 14, "space before and after |"),
    ("story|login", 5, "space before and after |"),
    ("~m GET&~c 200", 6, "space before and after &"),
    ("status:404", 0, "status-code:"),
    ("metod:GET", 0, "method:"),
    ("a -metod:GET", 3, "method:"),
    ("(" * 100, 50, "Too many"),
]


@pytest.mark.parametrize(("text", "position", "words"), ERRORS, ids=[text for text, *_ in ERRORS])
def test_an_error_says_where_and_what_was_expected(text: str, position: int, words: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text, SOURCES)
    assert caught.value.position == position
    assert words in str(caught.value)


PIECES = [
    *("method:", "GET", "story", " ", " ", "(", ")", "|", "&", "!", "-", "~u", "~c", "200", "/"),
    *('"', "'", "\\", "*", "+", "[", "url:", "x", "\0", "é", "\ud800", "status-code:", "4xx"),
]  # fmt: skip


def test_whatever_is_written_only_a_filter_error_is_raised() -> None:
    chance = random.Random(5)
    valid, wrong = 0, []
    for _ in range(6_000):
        text = "".join(chance.choices(PIECES, k=chance.randrange(12)))
        try:
            numbers(text)
            valid += 1
        except FilterError as error:
            wrong.append((text, error))
    assert valid > 500
    assert all(0 <= error.position <= len(text) and str(error) for text, error in wrong)


LETTERS = ("a", "A", "b", "é", "É", "_", "1", " ", "-")
ATOMS = (
    *LETTERS, *(".", "^", "$", "?", "*", "+", "|", "(", ")", "{0}", "{2}", "(?i:a)", "\\w", "\\W"),
    *("[a-b]", "[^a]", "[^A-Z]", "[@-_]", "[A-b]", "[\\d-]", "[a||b]", "[]a]", "ab", "A+b?"),
    *("\\s", "\\d", "\\b", "\\B", "\\.", "\\-", "\\x41", "\\101", "(?P<A>a)", "\\\\"),
)  # fmt: skip
BEGINS = (
    *("", "[ab]+", "[ab1]{2}", "[Ab]{1,3}?", "[\\d-]{2,}", "\\d{2}", "[^a]{3}", "[a-b]{2,3}"),
    *("[^é]{2}", "[ -b]{3}", "\\d{1}", "[]a]{2}+", "[1]+"),
)


def expressions(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield valid regular expressions, and texts to search."""
    chance = random.Random(seed)
    for _ in range(count):
        pattern = "".join(chance.choices(ATOMS, k=chance.randrange(7)))
        pattern = chance.choice(BEGINS) + pattern if chance.random() < 0.4 else pattern
        text = "".join(chance.choices((*LETTERS, "\n"), k=8))
        with contextlib.suppress(FilterError):
            regex(pattern, 0)
            yield pattern, text


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_expressions_find_the_same_in_any_case() -> None:
    found = []
    for pattern, text in expressions(12_000, 7):
        found.append(re.search(pattern, text, re.IGNORECASE) is not None)
        assert regex(pattern, 0)(text) == found[-1], (pattern, text)
    assert 1_500 < sum(found) < len(found) - 1_500


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_heads_and_bodies_are_searched_as_the_texts_that_they_are() -> None:
    found = []
    for pattern, text in expressions(4_000, 8):
        lines = text.split("\n")
        row = request(1, "GET /ab", 200, *lines, body=text.encode(), host="")
        heads = ("Host: \n\n", "\n".join([*lines, "", ""]))
        expected = {
            "~h": any(re.search(pattern, head, re.I | re.M) for head in heads),
            "~b": any(re.search(pattern, body, re.I | re.S) for body in (text, "")),
        }
        for alias, each in expected.items():
            compiled = compile_filter(f"{alias} {quoted(pattern)}")
            assert compiled is not None
            found.append(each)
            assert compiled.accepts(row) == each, (alias, pattern, text)
    assert 700 < sum(found) < len(found) - 700


def test_de_morgan_holds() -> None:
    chance = random.Random(6)
    parts = [text for text, _ in EXPRESSIONS if text.strip()]
    for _ in range(300):
        a, b = (f"({part})" for part in chance.choices(parts, k=2))
        assert numbers(f"!({a} & {b})") == numbers(f"!{a} | !{b}")
        assert numbers(f"!({a} | {b})") == numbers(f"-{a} -{b}")
        assert numbers(f"{a} {b}") == numbers(a) & numbers(b)
        assert numbers(f"{a} | {b}") == numbers(a) | numbers(b)


def test_the_verdicts_are_those_of_the_table() -> None:
    assert set(XSRF_VALUES) - {"fail", "pass"} == set(XSRF_WORDS)
    assert {verdict for verdict in XSRF_WORDS if xsrf_passed(verdict)} == set(PASSED)
    assert not set(FAILED) & set(PASSED)


def seen(key: Key) -> list[str]:
    """Return the values of a key in the rows."""
    return [value for row in ROWS for value in (key.seen(row) if key.seen else ())]


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("me", ["method:"]),
        ("story -st", ["stage:", "status-code:"]),
        ("(cook", ["cookie-name:", "cookie-value:"]),
        ("method:P", ["POST", "PUT", "OPTIONS"]),
        ("-status-code:40", ["403", "404"]),
        ("~c 40", ["403", "404"]),
        ("~w", ["~websocket"]),
        ("client:c", ['"Client 2"', "Alice"]),
        ("domain:ex", ["example.com", "www.example.com"]),
        ("xsrf:fa", ["fail"]),
        ("ws-message:h", []),
        ("xyz", []),
        ("status-code:404", []),
    ],
)
def test_keys_and_values_are_completed(text: str, choices: list[str]) -> None:
    found = complete(text, len(text), seen)
    assert found.choices == choices
    assert found.end == len(text)
    for choice in found.choices:
        assert text[found.start :].strip('"').lower() in choice.lower()


def test_completion_looks_at_the_cursor() -> None:
    found = complete("me story", 2, seen)
    assert (found.start, found.end, found.choices) == (0, 2, ["method:"])


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "two words",
        r"/story/(?P<id>\d+)",
        "a|b",
        "/static/",
        'a"b',
        "(",
        "a*",
        "'x'",
        "a&!b",
        "/r?a=1&url:x",
        "k)(x",
        r"/story/(\d+)",
    ],
)
def test_a_completed_value_means_itself(value: str) -> None:
    row = (*ROWS[0][:6], value, *ROWS[0][7:])
    found = compile_filter(f"route:{quoted(value)} method:GET")
    assert found is not None
    assert found.accepts(row)
    assert not found.accepts((*row[:6], value + "x", *row[7:]))


def test_filters_know_whether_time_changes_their_answers() -> None:
    def compiled(text: str) -> Filter:
        found = compile_filter(text)
        assert found is not None
        return found

    assert compiled("a | slower-than:1s").changing
    assert compiled("ws-message:x").changing
    assert not compiled("is:running ~c 200 story").changing


def test_a_regular_expression_that_never_ends_is_ended() -> None:
    found = compile_filter("/(a+)+$/")
    assert found is not None
    row = request(1, "GET /" + "a" * 60 + "!")
    with pytest.raises(TooSlow), cpu_limit(0.1):
        found.accepts(row)
    with cpu_limit(5):  # And the next is not, though the last one's time is over.
        assert json.loads("[1]") == [1]


def test_a_capital_may_lie_beyond_ascii() -> None:
    row = request(1, "GET /", body="300 \N{KELVIN SIGN}".encode())
    found = compile_filter("~b '300 k'")
    assert found is not None
    assert found.accepts(row)


def test_what_is_called_as_garbage_goes_is_not_interrupted() -> None:
    class Garbage:
        def __init__(self) -> None:
            self.itself = self

    def last_words() -> None:
        until = time.process_time() + 0.2
        while time.process_time() < until:
            pass
        spoken.append("done")

    def allocate() -> None:
        for _ in range(1_000):
            assert len([[] for _ in range(10_000)]) == 10_000

    spoken: list[str] = []
    weakref.finalize(Garbage(), last_words)
    with pytest.raises(TooSlow), cpu_limit(0.05):
        allocate()
    gc.collect()
    assert spoken == ["done"]


HEADS = (
    b"HTTP/1.1 200 OK\nContent-Type: text/html\n\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
    b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nServer: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n and more\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html",
    b"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-type: text/html\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nContent-Type: text/html\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: \r\n Content-Type: text/html\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 200",
    b"",
)
"""As a recording may hold them. The fifth is cut off."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [("~t html$", {0, 1, 2, 4, 5, 6}), ("~t more$", {3}), ("mime-type:text/html", {0, 1, 2, 4, 5})],
)
def test_what_is_remembered_of_one_response_does_not_change_the_next(
    text: str, expected: set[int]
) -> None:
    row = list(request(1, "GET /"))
    at = row.index(head("HTTP/1.1 200 X"))
    rows = [(*row[:at], each, *row[at + 1 :]) for each in HEADS]
    for order in (range(len(HEADS)), range(len(HEADS) - 1, -1, -1), [*range(len(HEADS))] * 2):
        found = compile_filter(text)
        assert found is not None
        assert {n for n in order if found.accepts(rows[n])} == expected


def test_a_host_is_found_in_heads_with_bare_line_feeds() -> None:
    row = request(1, "GET /")
    raw = head("GET / HTTP/1.1", "Host: 127.0.0.1:8888")
    at = row.index(raw)
    bare = (*row[:at], raw.replace(b"\r\n", b"\n"), *row[at + 1 :])
    for text in ("domain:127.0.0.1", "http://127.0.0.1"):
        found = compile_filter(text)
        assert found is not None
        assert found.accepts(bare)


def test_of_several_hosts_the_first_counts_whatever_was_seen_before() -> None:
    rows = [
        request(1, "GET /", host="b"),
        request(2, "GET /", host="a", sent=("X: y", "Host: b")),
        request(3, "GET /", host="b", sent=("Host: a",)),
    ]
    for order in (rows, rows[::-1]):
        for text, expected in (("domain:a", {2}), ("domain:b", {1, 3}), ("~u //b", {1, 3})):
            found = compile_filter(text)
            assert found is not None
            assert {row[0] for row in order if found.accepts(row)} == expected


def test_huge_texts_are_searched_up_to_a_limit() -> None:
    row = request(1, "GET /", body=b"x" * 200_000 + b"needle")
    found = compile_filter("~b needle | ~b ^x{9}")
    assert found is not None
    assert found.accepts(row)
    assert numbers("~b needle") == {20}
