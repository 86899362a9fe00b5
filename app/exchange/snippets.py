"""A request as an HTTPie command, and as a program with Tornado's own client."""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import shell
from .request import ExchangeError, HttpRequest, canonical_url, check

_STANDARD = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")


def httpie(request: HttpRequest) -> str:
    """Return the command for HTTPie 3, for bash and its like.

    Raises ValueError for a request that it cannot send.
    """
    check(request)
    piped = b"\0" in request.body or not _is_text(request.body)
    words = ["http"] if piped else ["http", "--ignore-stdin"]
    if request.follow_redirects:
        words.append("--follow")
    words += [request.method, canonical_url(request.url)]
    for name, value in request.headers:
        if name.lower() != "content-length":
            words.append(f"{name}:{_item(value)}" if value else f"{name};")
    if request.body:
        if request.header("Content-Type") is None:
            words.append("Content-Type:")  # Else HTTPie says that it is JSON.
        words += [] if piped else ["--raw", request.body.decode()]
    command = " ".join(map(shell.bash, words))
    return f"{shell.printf(request.body)} | {command}" if piped else command


def _item(value: str) -> str:
    """Return a header's value as HTTPie reads it: a backslash before its separators."""
    if re.search(r"\\[:;=@]", value):
        raise ExchangeError("HTTPie cannot send a backslash before one of : ; = @")
    return re.sub(r"^[=@:;]", r"\\\g<0>", value)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def async_http_client(request: HttpRequest) -> str:
    """Return a program that sends *request* with Tornado's AsyncHTTPClient and prints the answer.

    Raises ValueError for a request that cannot be sent.
    """
    check(request)
    lines = [
        "import asyncio",
        "",
        "from tornado.httpclient import AsyncHTTPClient, HTTPRequest",
        "from tornado.httputil import HTTPHeaders",
        "",
        "",
        "async def main():",
        "    headers = HTTPHeaders()",
        *(f"    headers.add({literal(name)}, {literal(value)})" for name, value in _kept(request)),
        "    request = HTTPRequest(",
        *(f"        {name}={value}," for name, value in _arguments(request)),
        "    )",
        "    response = await AsyncHTTPClient().fetch(request, raise_error=False)",
        "    print(response.code, response.reason)",
        "    for name, value in response.headers.get_all():",
        '        print(f"{name}: {value}")',
        '    print(response.body.decode("utf-8", "replace"))',
        "",
        "",
        "asyncio.run(main())",
        "",
    ]
    return "\n".join(lines)


def _kept(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """Yield the headers that Tornado does not set by itself, as Latin-1 text."""
    for name, value in request.headers:
        if name.lower() != "content-length":
            yield name, value.encode("utf-8", "surrogateescape").decode("latin-1")


def _arguments(request: HttpRequest) -> Iterator[tuple[str, str]]:
    yield "url", literal(canonical_url(request.url))
    yield "method", literal(request.method)
    yield "headers", "headers"
    expects_body = request.method in ("POST", "PATCH", "PUT")
    if request.body or expects_body:
        yield "body", literal(request.body)
    yield "follow_redirects", str(request.follow_redirects)
    if request.header("Accept-Encoding") is None:
        yield "decompress_response", "False"
    if (request.body and not expects_body) or request.method not in _STANDARD:
        yield "allow_nonstandard_methods", "True"


def literal(value: str | bytes) -> str:
    """Return a Python literal, with double quotes where that needs no escapes."""
    text = repr(value)
    quote = text.index("'") if "'" in text[:2] else -1
    if quote >= 0 and '"' not in text:
        return f'{text[:quote]}"{text[quote + 1 : -1]}"'
    return text
