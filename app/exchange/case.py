"""A recorded request as a test that runs by itself: with the login and XSRF steps it needs."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from app.recording import headers
from app.recording.events import Request, Row

from .request import ExchangeError, HttpRequest, recorded
from .snippets import literal

_OWN = ("cookie", "content-length", "host", "connection", "accept-encoding", "transfer-encoding")
_CARRIERS = ("x-xsrftoken", "x-csrftoken")
_SIGNED = re.compile(
    r"2\|\d+:\d+\|\d+:\d+\|\d+:(?P<name>[^|]*)\|\d+:(?P<value>[^|]*)\|[0-9a-f]{64}"
)
XSRF = "_xsrf"


class App(NamedTuple):
    """How a test comes by the application: lines to import, and an expression that makes it."""

    imports: tuple[str, ...]
    make: str


class _Step(NamedTuple):
    request: Request
    sent: HttpRequest


def async_http_test_case(request: Request, rows: Iterable[Row], app: App) -> str:
    """Return a module with an AsyncHTTPTestCase that repeats *request* on a fresh application.

    *rows* are the recorded requests, oldest first. Those among them whose responses set the
    cookies that *request* carries come first, as steps. A cookie that was set before the
    recording began is made by the test: signed with the application's own secret if it was
    signed. XSRF tokens are taken from the cookie. Raises ValueError when *request* cannot be
    sent again, or a body was not kept whole.
    """
    if request.status is None or request.status == 101:
        raise ExchangeError("a test needs a response that has come, and no WebSocket")
    steps, missing = _steps(request, rows)
    name = re.sub(r"\W+", "_", urlsplit(steps[-1].sent.url).path.strip("/")).strip("_") or "root"
    signed = [value for value in missing.values() if _SIGNED.fullmatch(value)]
    lines = [
        f'"""{request.method} {_harmless(request.uri)}, as it was recorded."""',
        "",
        "import unittest",
        "",
        "from tornado.httputil import HTTPHeaders",
        "from tornado.testing import AsyncHTTPTestCase",
        *(["from tornado.web import create_signed_value"] if signed else []),
        *(["", *app.imports] if app.imports else []),
        *_CLASS.format(make=app.make).splitlines(),
        "",
        f"    def test_{request.method.lower()}_{name}(self):",
        *_made_cookies(missing, steps),
    ]
    for step in steps[:-1]:
        lines.append(f"        # {_purpose(step)}")
        lines += _call(step)
    lines += _call(steps[-1], "response = ")
    lines.append(f"        self.assertEqual(response.code, {request.status})")
    location = headers.value_of(request.response_head, "Location")
    if location is not None:
        lines.append(f'        self.assertEqual(response.headers["Location"], {literal(location)})')
    return "\n".join([*lines, "", "", 'if __name__ == "__main__":', "    unittest.main()", ""])


_CLASS = '''

class RecordedTest(AsyncHTTPTestCase):
    def get_app(self):
        return {make}

    def setUp(self):
        super().setUp()
        self.cookies = {{}}

    def send(self, method, path, *headers, body=None):
        """Send a request with the cookies so far, and keep those that come back."""
        fields = HTTPHeaders()
        for name, value in headers:
            fields.add(name, value)
        if self.cookies:
            fields["Cookie"] = "; ".join(f"{{k}}={{v}}" for k, v in self.cookies.items())
        response = self.fetch(
            path,
            method=method,
            headers=fields,
            body=body,
            follow_redirects=False,
            allow_nonstandard_methods=True,
        )
        for line in response.headers.get_list("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response
'''


def _harmless(uri: str) -> str:
    text = uri.encode("ascii", "backslashreplace").decode()
    return re.sub(r'[\\"]', lambda match: f"%{ord(match[0]):02X}", text)


# -- Which steps -----------------------------------------------------------------------------


def _steps(request: Request, rows: Iterable[Row]) -> tuple[list[_Step], dict[str, str]]:
    """Return the requests to repeat, in order, and the cookies that none of them sets."""
    before = [Request(*row) for row in rows if row[0] < request.id and row[8] is not None]
    before = [one for one in before if _same_asker(one, request)]
    chosen: dict[int, Request] = {}
    missing: dict[str, str] = {}
    _choose(request, before, chosen, missing)
    return [_step(chosen[number]) for number in sorted(chosen)], missing


def _same_asker(one: Request, other: Request) -> bool:
    if one.client or other.client:
        return one.client == other.client
    agents = [headers.value_of(r.request_head, "User-Agent") for r in (one, other)]
    return agents[0] == agents[1]


def _choose(
    request: Request, before: list[Request], chosen: dict[int, Request], missing: dict[str, str]
) -> None:
    """Put *request* into *chosen*, after those that set the cookies which it carries."""
    waiting = [request]
    while waiting:
        current = waiting.pop()
        if current.id in chosen:
            continue
        chosen[current.id] = current
        for cookie in headers.cookies(current.request_head, b""):
            setter = _setter(cookie.name, [one for one in before if one.id < current.id])
            if setter is None:
                missing.setdefault(cookie.name, cookie.value)
            else:
                waiting.append(setter)


def _setter(name: str, before: list[Request]) -> Request | None:
    """Return the last request whose response set the cookie *name*."""
    for request in reversed(before):
        for cookie in headers.cookies(b"", request.response_head):
            if cookie.name == name and cookie.value:
                return request
    return None


def _step(request: Request) -> _Step:
    if request.request_size > len(request.request_body):
        kept = len(request.request_body)
        raise ExchangeError(
            "only {kept} bytes of the body of request #{number} were kept",
            kept=kept,
            number=request.id,
        )
    return _Step(request, recorded(request, "http://127.0.0.1/"))


def _purpose(step: _Step) -> str:
    names = [cookie.name for cookie in headers.cookies(b"", step.request.response_head)]
    return f"It sets {', '.join(re.sub(r'[^ -~]', '?', name) for name in dict.fromkeys(names))}."


# -- As code ---------------------------------------------------------------------------------


def _made_cookies(missing: dict[str, str], steps: list[_Step]) -> Iterator[str]:
    """Yield the lines for cookies that were there before the recording began."""
    tokens = any(_uses_token(step) for step in steps)
    sets = any(
        cookie.name == XSRF
        for step in steps
        for cookie in headers.cookies(b"", step.request.response_head)
    )
    if tokens and not sets:
        # Tornado compares the token with the cookie, wherever both come from.
        missing = {**missing, XSRF: "0123456789abcdef" * 2}
    for name, value in missing.items():
        match = _SIGNED.fullmatch(value)
        if match is None:
            yield f"        self.cookies[{literal(name)}] = {literal(value)}"
            continue
        try:
            plain = base64.b64decode(match["value"])
        except ValueError:
            plain = b""
        yield "        settings = self._app.settings"
        yield f"        self.cookies[{literal(name)}] = create_signed_value("
        yield f'            settings["cookie_secret"], {literal(name)}, {literal(plain)},'
        yield '            key_version=settings.get("key_version"),'
        yield "        ).decode()"


def _uses_token(step: _Step) -> bool:
    return "self.cookies" in "".join(_call(step))


def _call(step: _Step, target: str = "") -> list[str]:
    """Return the lines that send a step."""
    sent = step.sent
    parts = urlsplit(sent.url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    arguments = [literal(sent.method), _with_tokens(path, _tokens_in(parts.query))]
    for name, value in sent.headers:
        if name.lower() in _CARRIERS:
            arguments.append(f'({literal(name)}, self.cookies["{XSRF}"])')
        elif name.lower() not in _OWN and name.lower() not in ("origin", "referer"):
            latin = value.encode("utf-8", "surrogateescape").decode("latin-1")
            arguments.append(f"({literal(name)}, {literal(latin)})")
    if sent.body:
        arguments.append(f"body={_body(sent)}")
    elif sent.method in ("POST", "PUT", "PATCH"):
        arguments.append('body=b""')
    one_line = f"        {target}self.send({', '.join(arguments)})"
    if len(one_line) <= 96:
        return [one_line]
    lines = [f"            {argument}," for argument in arguments]
    return [f"        {target}self.send(", *lines, "        )"]


def _tokens_in(form: str) -> list[str]:
    """Return the XSRF tokens in a urlencoded form, as they stand there."""
    return re.findall(rf"(?:^|&){XSRF}=([^&]+)", form)


def _with_tokens(text: str, tokens: list[str]) -> str:
    """Return the expression for *text* in which the cookie stands for each of *tokens*."""
    for token in tokens:
        before, _, after = text.partition(token)
        rest = f" + {literal(after)}" if after else ""
        return f'{literal(before)} + self.cookies["{XSRF}"]{rest}'
    return literal(text)


def _body(sent: HttpRequest) -> str:
    kind = (sent.header("Content-Type") or "").lower()
    body = sent.body
    if "urlencoded" in kind:
        tokens = _tokens_in(body.decode("latin-1"))
    elif "multipart" in kind:
        pattern = rb'name="' + XSRF.encode() + rb'"(?:\r\n[^\r\n]+)*\r\n\r\n(.*?)\r\n--'
        tokens = [token.decode("latin-1") for token in re.findall(pattern, body, re.DOTALL)]
    else:
        tokens = []
    tokens = [token for token in tokens if token]
    if not tokens:
        return literal(body)
    before, _, after = body.partition(tokens[0].encode("latin-1"))
    rest = f" + {literal(after)}" if after else ""
    return f'{literal(before)} + self.cookies["{XSRF}"].encode(){rest}'
