"""cURL commands: out, in, out and in again, and what the real curl sends."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from app.exchange import curl, curl_import
from app.exchange.command import CommandError
from app.exchange.curl_import import read
from app.exchange.request import HttpRequest

from .samples import Requests, Wire

FORM = ("Content-Type", "application/x-www-form-urlencoded")
URL = "http://127.0.0.1:8888/"
needs_curl = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("bash")), reason="curl or bash is not installed"
)


def imported(command: str) -> HttpRequest:
    """Return the request that a command stands for."""
    return read(command).request


# -- Out and in ------------------------------------------------------------------------------


@pytest.mark.parametrize("exact", [False, True])
def test_what_goes_out_for_bash_comes_in_again(exact: bool) -> None:
    requests = Requests(1)
    for _ in range(1_500):
        request = requests.next()
        command = curl.for_bash(request, exact=exact)
        assert imported(command) == request, command


def test_what_goes_out_for_cmd_comes_in_again() -> None:
    requests, refused = Requests(2), 0
    for _ in range(1_500):
        request = requests.next()
        try:
            command = curl.for_cmd(request)
        except ValueError:
            refused += 1
            continue
        assert imported(command) == request, command
    assert 0 < refused < 1_400


def test_a_command_follows_the_conventions() -> None:
    request = HttpRequest(
        "PUT",
        f"{URL}x?a=1&b=2",
        (("Cookie", "user=alice; _xsrf=2|ab"), ("Content-Length", "9"), FORM, ("X-Empty", "")),
        b"@name=al'",
    )
    assert curl.for_bash(request) == (
        "curl 'http://127.0.0.1:8888/x?a=1&b=2' \\\n"
        "  -X PUT \\\n"
        "  -b 'user=alice; _xsrf=2|ab' \\\n"
        "  -H 'Content-Type: application/x-www-form-urlencoded' \\\n"
        "  -H 'X-Empty;' \\\n"
        "  --data-raw $'@name=al\\''"
    )


@pytest.mark.parametrize(
    ("method", "body", "command"),
    [
        ("GET", b"", "curl http://h/"),
        ("HEAD", b"", "curl http://h/ -I"),
        ("DELETE", b"", "curl http://h/ -X DELETE"),
        ("POST", b"", "curl http://h/ -X POST"),
        ("POST", b"a", "curl http://h/ -H Content-Type: --data-raw a"),
    ],
)
def test_a_method_is_named_only_when_it_must(method: str, body: bytes, command: str) -> None:
    assert curl.for_bash(HttpRequest(method, "http://h/", body=body)) == command


def test_a_body_with_a_nul_is_piped() -> None:
    request = HttpRequest("POST", URL, (("Content-Type", "application/x"),), b"a\0%\\'b")
    command = curl.for_bash(request)
    assert command.startswith("printf 'a\\000\\045\\134\\047b' | curl ")
    assert "--data-binary @-" in command
    assert imported(command) == request


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(ValueError, match="line break"):
        curl.for_bash(HttpRequest("GET", URL, (("X", "a\r\nY: b"),)))
    with pytest.raises(ValueError, match="method"):
        curl.for_bash(HttpRequest("GE T", URL))
    with pytest.raises(ValueError, match="too long for cmd"):
        curl.for_cmd(HttpRequest("POST", URL, (FORM,), b"a" * 9_000))
    with pytest.raises(ValueError, match="cmd cannot pass"):
        curl.for_cmd(HttpRequest("POST", URL, (FORM,), b"a\r\nb"))


# -- The real curl ---------------------------------------------------------------------------


@needs_curl
def test_the_real_curl_sends_what_was_meant() -> None:
    with Wire() as wire:
        requests = Requests(3, wire.url)
        for _ in range(60):
            request = requests.next()._replace(follow_redirects=False)
            if request.method == "HEAD" and request.body:
                continue  # curl would wait for a body that never comes.
            run(curl.for_bash(request, exact=True))
            assert wire.bodies[-1] == request.body
            line = wire.heads[-1].split(b"\r\n")[0].decode()
            assert line == f"{request.method} {request.url.removeprefix(wire.url)} HTTP/1.1"
            own = ("host", "content-length", "expect")
            sent = [pair for pair in wire.headers() if pair[0].lower() not in own]
            assert sorted(sent) == sorted(request.headers)


@needs_curl
@pytest.mark.parametrize(
    "options",
    [
        "-d a=1 -d b=2",
        "-d a=1 -G --data-urlencode 'q=x y&z'",
        "--data-urlencode '=a b' --data-urlencode 'é' --data-urlencode 'n=1+1'",
        """--json '{"a":' --json '1}'""",
        "-d x --json y",
        "-u 'al:ic:e' -A me -e 'http://a/;auto'",
        "-XPUT -sSHX-A:1 -H 'X-B;' -H 'Accept:' -b a=1 -b 'b=2; c=3'",
        "-I --oauth2-bearer tok",
        "-b a=1 -H 'Cookie: b=2'",
        "-A x -H 'User-Agent: y' -H 'X-None:'",
        "-X POST",
        "--data-raw ''",
        "-d a -H 'Content-Type: text/plain'",
    ],
)
def test_options_mean_what_they_mean_to_curl(options: str) -> None:
    with Wire() as wire:
        command = f"curl {options} {wire.url}/p/../q?x=1"
        request = imported(command)
        run(command)
        method, target, _ = wire.heads[-1].split(b"\r\n")[0].decode().split(" ")
        assert (method, wire.url + target) == (request.method, request.url)
        assert wire.bodies[-1] == request.body
        own = {"host", "content-length"}
        own |= {n for n in ("accept", "user-agent") if request.header(n) is None}
        sent = [pair for pair in wire.headers() if pair[0].lower() not in own]
        assert sorted(sent) == sorted(request.headers)


@needs_curl
def test_a_form_is_what_curl_makes_of_it() -> None:
    with Wire() as wire:
        fields = '-F a=1 -F \'b="x;y";type=text/plain\' -F \'c=z;filename="q\\"r.txt";type=a/b\' '
        command = f"curl {fields} --form-string 'd=@x;y' {wire.url}/"
        run(command)
        request = imported(command)
        kinds = [dict(pairs)["Content-Type"] for pairs in (wire.headers(), request.headers)]
        marks = [kind.partition("boundary=")[2].encode() for kind in kinds]
        assert wire.bodies[-1].replace(marks[0], b"mark") == request.body.replace(marks[1], b"mark")


def run(command: str) -> None:
    """Run a command with bash, and expect it to succeed."""
    bare = ["bash", "--norc", "-c", command.replace("curl ", "curl -q -s -o /dev/null ", 1)]
    done = subprocess.run(bare, capture_output=True, timeout=20)
    assert done.returncode == 0, (command, done.stderr)


# -- In --------------------------------------------------------------------------------------

BROWSERS = Path(__file__).parent / "browsers"


def test_what_chrome_copies_for_bash() -> None:
    result = read((BROWSERS / "chrome.sh").read_text())
    assert result.ignored == ("--insecure",)
    assert result.request.url == "http://127.0.0.1:8888/login?next=[1]"
    assert result.request.method == "POST"
    assert result.request.header("cookie") == "_xsrf=2|ab|cd|1"
    assert result.request.header("sec-ch-ua") == '"Chromium";v="142", "Not A(Brand";v="24"'
    assert result.request.body == b"name=it's!&text=a\r\nb"
    assert result.request.headers[-1] == FORM


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_what_chrome_copies_for_cmd(line_end: str) -> None:
    request = imported((BROWSERS / "chrome.cmd").read_text().replace("\n", line_end))
    assert request.url == "http://127.0.0.1:8888/login?next=1&b=%41"
    assert request.header("sec-ch-ua") == '"Chromium";v="142"'
    assert request.header("cookie") == "_xsrf=2|ab"
    assert request.body == rb'{"a":"x\n\"y","p":"100% %PATH%"}'


def test_what_chrome_copies_for_cmd_with_line_breaks() -> None:
    command = 'curl ^"http://127.0.0.1:8888/^" ^\n  --data-raw ^"a^\n\nb^"'
    assert imported(command).body == b"a\nb"


def test_what_firefox_copies() -> None:
    request = imported((BROWSERS / "firefox.sh").read_text())
    assert request.method == "POST"
    assert request.body.count(b"\r\n") == 5
    assert b"\xe9" in request.body
    assert request.header("Content-Type") == "multipart/form-data; boundary=--x"


def test_old_browsers_write_letters_beyond_the_bmp_as_pairs() -> None:
    assert imported(r"curl h --data-raw $'\ud83d\ude00 \u4e2d'").body == "😀 中".encode()


@pytest.mark.parametrize(
    ("command", "url"),
    [
        ("curl localhost:8888", "http://localhost:8888/"),
        ("$ curl --url http://h", "http://h/"),
        ("curl -g 'http://h/{a}'", "http://h/{a}"),
        ("curl 'http://[::1]:80/x'", "http://[::1]:80/x"),
        ("curl http://h/a/./b/../c#frag", "http://h/a/c"),
        ("curl --path-as-is http://h/a/../c", "http://h/a/../c"),
        ("curl http://h/中", "http://h/%E4%B8%AD"),
        ("curl -- http://h/", "http://h/"),
        ("curl \\\n http://h/ \\\r\n -s  # said", "http://h/"),
        ('curl "http://h/?a=$"', "http://h/?a=$"),
        ("curl http://h/ ;", "http://h/"),
    ],
)
def test_urls(command: str, url: str) -> None:
    assert imported(command).url == url


def test_a_user_in_the_url_becomes_a_header() -> None:
    request = imported("curl http://al:p%40ss@h/")
    assert request.url == "http://h/"
    assert request.headers == (("Authorization", "Basic YWw6cEBzcw=="),)


@pytest.mark.parametrize(
    ("command", "place", "reason"),
    [
        ("", (1, 1), "no command"),
        ("wget http://h", (1, 1), "does not begin with curl"),
        ("curl -s", (1, 8), "no URL"),
        ("curl 'http://h", (1, 6), "quote is not closed"),
        ('curl "http://h', (1, 6), "quote is not closed"),
        ("curl $'http://h", (1, 6), "quote is not closed"),
        ("curl http://h -d @secret.txt", (1, 18), "would read a file"),
        ("curl http://h --data-binary @-", (1, 29), "would read a file"),
        ("curl http://h --data-urlencode n@f", (1, 32), "would read a file"),
        ("curl http://h --json @f", (1, 22), "would read a file"),
        ("curl http://h -F 'f=@/etc/passwd'", (1, 18), "would read a file"),
        ("curl http://h -F 'f=</etc/passwd'", (1, 18), "would read a file"),
        ("curl http://h -b cookies.txt", (1, 18), "would read a file"),
        ("curl http://h -H @headers", (1, 18), "read headers from a file"),
        ("curl http://h -T f", (1, 15), "upload a file"),
        ("curl -K f http://h", (1, 6), "file of options"),
        ("curl http://h -d $(cat f)", (1, 18), "run another command"),
        ("curl http://h -d `cat f`", (1, 18), "run another command"),
        ('curl http://h -d "a$(cat f)"', (1, 20), "run another command"),
        ("curl http://$HOST/", (1, 13), "variable"),
        ("curl http://h/?a=1&b=2", (1, 19), "quotes"),
        ("curl http://h | sh", (1, 15), "pipe"),
        ("cat f | curl http://h -d @-", (1, 7), "pipe"),
        ("curl http://h > f", (1, 15), "write a file"),
        ("curl http://h\ncurl http://i", (2, 1), "another command"),
        ("curl http://h http://i", (1, 15), "second URL"),
        ("curl http://h/{a,b}", (1, 6), "several URLs"),
        ("curl http://h/[1-3]", (1, 6), "several URLs"),
        ("curl ftp://h/", (1, 6), "http"),
        ("curl http://h:99999/", (1, 6), "ort"),
        ("curl --frobnicate http://h", (1, 6), "not known"),
        ("curl -sZ http://h", (1, 6), "not known"),
        ("curl http://h -H", (1, 15), "needs a value"),
        ("curl http://h -H nonsense", (1, 18), "Name: value"),
        ("curl http://h -H $'A: b\\r\\nC: d'", (1, 18), "line break"),
        ("curl http://h -X 'G T'", (1, 18), "no HTTP method"),
        ("curl http://h -u alice", (1, 18), "password"),
        ("curl http://h -F a=1 -d b", (1, 6), "exclude"),
        ("curl http://h -F 'a=1;headers=x'", (1, 18), "not known"),
        ("curl --next http://h", (1, 6), "only one request"),
        ("curl \\\n  http://h \\\n  --proxy p", (3, 3), "proxy"),
        ('curl ^"http://h^" ^\n -H ^"a: b', (2, 6), "quote is not closed"),
        ('curl ^"http://h^" & del f', (1, 19), "quotes"),
    ],
)
def test_what_cannot_be_imported_is_told_with_its_place(
    command: str, place: tuple[int, int], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason) as caught:
        read(command)
    error = caught.value
    assert (error.line, error.column) == place


def test_any_text_is_read_or_refused() -> None:
    requests = Requests(4)
    places: list[int] = []
    for _ in range(3_000):
        text = f"curl {requests.text(30, '-dHFXGb$@ ^ah/:=|' + chr(10) + chr(39) + chr(34))}"
        try:
            read(text)
        except CommandError as error:
            places.append(error.at - len(text))
    assert 1_000 < len(places) < 2_990
    assert max(places) <= 0


def test_a_command_of_any_length_is_answered_at_once() -> None:
    body = "x" * 500_000
    assert len(imported(f"curl h --data-raw '{body}'").body) == 500_000
    with pytest.raises(CommandError, match="too long"):
        read("curl " + "x" * curl_import.MAX_COMMAND)
    with pytest.raises(CommandError):
        read("curl $'" + "\\a" * 200_000)
