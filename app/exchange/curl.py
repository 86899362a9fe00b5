"""A request as a cURL command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from . import shell
from .request import ExchangeError, HttpRequest, canonical_url, check

_LONG = 100_000
"""Bytes of a body above which it is piped: Linux takes at most 128 KiB in one argument."""
_CMD_LONG = 8_191
"""Letters that cmd.exe takes in one command."""
_ADDED = ("User-Agent", "Accept")
"""The headers that curl sends unless it is told not to."""


def for_bash(request: HttpRequest, *, exact: bool = False) -> str:
    """Return the command for bash, zsh and their like; `curl_import.read` gives *request* back.

    Bodies go with ``--data-raw``: ``-d`` would read files for a leading ``@``. What no argument
    can hold is piped in by printf. *exact* leaves out headers that curl would add by itself.
    Raises ValueError for a request that curl cannot send.
    """
    body = request.body
    piped = b"\0" in body or len(body) > _LONG
    words = list(_words(request, exact, "@-" if piped else _text(body)))
    command = _lines(words, shell.bash, "\\")
    return f"{shell.printf(body)} | {command}" if piped else command


def for_cmd(request: HttpRequest, *, exact: bool = False) -> str:
    """Return the command for Windows' cmd.exe; see `for_bash`.

    Raises ValueError when it holds what cmd cannot pass on: control characters, CR LF, bytes
    that are not UTF-8.
    """
    command = _lines(list(_words(request, exact, _text(request.body))), shell.cmd, "^")
    if len(command) > _CMD_LONG:
        raise ExchangeError("the command is too long for cmd: it takes 8191 letters")
    return command


def _lines(words: list[str], quote: Callable[[str], str], joint: str) -> str:
    """Return the words as one command; one option to a line when there are many."""
    parts = [words[0]]
    for word in words[1:]:
        quoted = word if word.startswith("-") and re.fullmatch(r"[\w-]+", word) else quote(word)
        if word.startswith("-") and len(words) > 8 and parts[-1] != "curl":
            parts.append(f"{joint}\n ")
        parts.append(quoted)
    return " ".join(parts)


def _words(request: HttpRequest, exact: bool, data: str) -> Iterator[str]:
    check(request)
    url = canonical_url(request.url)
    yield "curl"
    yield url
    yield from _options(request, url)
    cookies = [value for name, value in request.headers if name.lower() == "cookie"]
    for name, value in request.headers:
        if name.lower() == "content-length":
            continue
        if name == "Cookie" and len(cookies) == 1 and "=" in value:
            yield from ("-b", value)
        else:
            yield from ("-H", f"{name}: {value}" if value else f"{name};")
    unwanted = _ADDED if exact else ()
    for name in (*unwanted, "Content-Type") if request.body else unwanted:
        if request.header(name) is None:
            yield from ("-H", f"{name}:")
    if request.body:
        yield from ("--data-binary" if data == "@-" else "--data-raw", data)


def _options(request: HttpRequest, url: str) -> Iterator[str]:
    if request.method == "HEAD" and not request.body:
        yield "-I"
    elif request.method != ("POST" if request.body else "GET"):
        yield from ("-X", request.method)
    if request.follow_redirects:
        yield "-L"
    if request.header("Accept-Encoding"):
        yield "--compressed"
    if re.search(r"[][{}]", url):
        yield "-g"
    if re.search(r"/\.\.?(/|$)", urlsplit(url).path):
        yield "--path-as-is"


def _text(body: bytes) -> str:
    return body.decode("utf-8", "surrogateescape")
