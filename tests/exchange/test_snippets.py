"""HTTPie commands, and programs with Tornado's own client that really run."""

from __future__ import annotations

import ast
import shlex
import subprocess
import sys

import pytest

from app.exchange.request import HttpRequest
from app.exchange.snippets import async_http_client, httpie, literal

from .samples import Requests, Wire

URL = "http://127.0.0.1:8888/x?a=1&b=2"


def test_httpie() -> None:
    headers = (("Cookie", "a=1; b=2"), ("X-Empty", ""), ("X-At", "@f"), ("Content-Length", "3"))
    request = HttpRequest("POST", URL, headers, b"a=1", follow_redirects=True)
    assert shlex.split(httpie(request)) == [
        *("http", "--ignore-stdin", "--follow", "POST", URL),
        *("Cookie:a=1; b=2", "X-Empty;", "X-At:\\@f", "Content-Type:", "--raw", "a=1"),
    ]


def test_httpie_gets_bytes_by_a_pipe() -> None:
    request = HttpRequest("POST", URL, (("Content-Type", "x/y"),), b"\0\xff")
    assert httpie(request) == f"printf '\\000\\377' | http POST '{URL}' Content-Type:x/y"


def test_httpie_cannot_say_everything() -> None:
    with pytest.raises(ValueError, match="backslash"):
        httpie(HttpRequest("GET", URL, (("X", "a\\=b"),)))


def test_a_program_with_tornados_client_sends_what_was_meant() -> None:
    with Wire() as wire:
        requests = Requests(7, wire.url)
        chosen = [requests.next()._replace(follow_redirects=False) for _ in range(12)]
        # In one process: starting Python for each would take most of the time.
        whole = "\n".join(f"exec({async_http_client(request)!r}, {{}})" for request in chosen)
        done = subprocess.run([sys.executable, "-"], input=whole.encode(), capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        assert done.stdout.count(b"200 OK") == len(chosen)
        assert wire.bodies == [request.body for request in chosen]
        for head, request in zip(wire.heads, chosen, strict=True):
            lines = head.split(b"\r\n")
            assert lines[0].decode().split(" ")[0] == request.method
            for name, value in request.headers:
                line = f"{name.title()}: {value}".rstrip().encode("utf-8", "surrogateescape")
                assert line in [known.rstrip() for known in lines]


def test_the_program_is_readable() -> None:
    program = async_http_client(HttpRequest("POST", URL, (("A", "b"),), b"a=1"))
    assert '        url="http://127.0.0.1:8888/x?a=1&b=2",\n        method="POST",' in program
    assert '    headers.add("A", "b")' in program
    assert "allow_nonstandard_methods" not in program


@pytest.mark.parametrize("value", ["", "a", "a'b", 'a"b', "a\"'\n\\", b"\0\xff'", b'"'])
def test_literals_say_what_they_mean(value: str | bytes) -> None:
    assert ast.literal_eval(literal(value)) == value
