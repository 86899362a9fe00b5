"""HAR files: of a real recording, in and out again, of browsers, without secrets, broken."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.exchange import har, har_import
from app.exchange.entry import Entry, Response, Timings, WebSocketMessage, entry_of, unpacked
from app.exchange.files import write
from app.exchange.har_import import read, read_file
from app.exchange.har_json import HarError
from app.exchange.redact import REDACTED, sanitised, secrets_of, spellings
from app.exchange.request import HttpRequest
from app.recording.events import Request
from app.recording.recorder import Recorder
from app.recording.store import Store
from app.server.client_messages import ClientRequest
from app.server.clients import Clients
from app.server.server import Server
from app.server.site import load
from app.session.projects import DEMO

from ..speed import cost
from ..widgets.sample import MS, batch, message, request
from .har_schema import faults
from .samples import Requests

STARTED = 1_763_700_000.25
TOKEN = re.compile(r'name="_xsrf" value="([^"]+)"')


def dumped(entries: list[Entry]) -> bytes:
    return b"".join(har.dump(entries, "1"))


def without_secrets(entries: list[Entry]) -> list[Entry]:
    known = spellings(secrets_of(entries))
    return [sanitised(entry, known) for entry in entries]


@asynccontextmanager
async def demo() -> AsyncIterator[tuple[Server, Clients, Store]]:
    """The demo site, served and recorded, and clients for it."""
    recorder = Recorder()
    clients, store = Clients(), Store(recorder.origin_ns)
    server = Server(recorder, clients.name_of_peer)
    server.apply(load(DEMO))
    server.start("127.0.0.1", 0)
    try:
        yield server, clients, store
        store.apply(recorder.drain(0))
    finally:
        clients.close()
        await server.close()


def url_of(server: Server) -> str:
    assert server.address is not None
    return f"http://{server.address[0]}:{server.address[1]}"


async def record_login() -> tuple[list[Entry], str]:
    """Log in, look at a page, and return the exchanges and the token that was used."""
    async with demo() as (server, clients, store):
        base, alice = url_of(server), clients["Alice"]
        page = await alice.fetch(ClientRequest(f"{base}/login?password=hunter22"))
        match = TOKEN.search(page.body.decode())
        assert match is not None
        form = f"name=alice&password=hunter22&_xsrf={match[1]}".encode()
        kind = (("Content-Type", "application/x-www-form-urlencoded"),)
        await alice.fetch(ClientRequest(f"{base}/login", "POST", kind, form))
        await alice.fetch(ClientRequest(f"{base}/", headers=(("Accept-Encoding", "gzip"),)))
        head = await alice.fetch(ClientRequest(f"{base}/nowhere", "DELETE"))
        assert head.status in (403, 404)
    rows = [Request(*row) for row in store.requests.rows]
    assert [row.status for row in rows][:4] == [200, 302, 200, 200]
    return [entry_of(store, row, STARTED, base) for row in rows], match[1]


# -- A recording -----------------------------------------------------------------------------


def test_a_recording_is_valid_and_comes_in_again() -> None:
    entries, _ = asyncio.run(record_login())
    data = dumped(entries)
    assert faults(json.loads(data)) == []
    assert read(data).entries == entries
    assert read(b"\xef\xbb\xbf" + data).entries == entries
    assert dumped(read(data).entries) == data


def test_a_recording_says_what_happened() -> None:
    entries, token = asyncio.run(record_login())
    items = json.loads(dumped(entries))["log"]["entries"]
    login = items[1]
    assert login["request"]["postData"]["text"].endswith(token)
    assert login["request"]["cookies"][0]["name"] == "_xsrf"
    assert login["response"]["redirectURL"] == "/profile"
    assert {"name": "user", "httpOnly": True, "path": "/", "_sameSite": "Lax"}.items() <= next(
        cookie for cookie in login["response"]["cookies"] if cookie["name"] == "user"
    ).items()
    assert login["time"] == sum(v for v in login["timings"].values() if v != -1)
    assert login["time"] > 0
    extras = login["_tornado"]
    assert (extras["route"], extras["handler"]) == ("/login", "LoginHandler")
    names = [stage["name"] for stage in extras["stages"]]
    assert names.index("check_xsrf_cookie") < names.index("post") < names.index("finish")
    assert extras["xsrf"] == ["passed"]
    assert all(0 <= s["start"] <= s["end"] <= login["time"] + 1 for s in extras["stages"])
    assert login["startedDateTime"].startswith("2025-11-21T04:40:0")


def test_secrets_stay_behind_unless_they_are_kept() -> None:
    entries, token = asyncio.run(record_login())
    whole, clean = dumped(entries).decode(), dumped(without_secrets(entries)).decode()
    secrets = [token, "hunter22", *re.findall(r"2\|1:0\|[^;\"\\]*", whole)]
    assert len(secrets) > 3
    for secret in secrets:
        assert secret in whole
        assert secret not in clean
    assert not re.search(r"2\|[0-9a-f]{8}\|", clean)
    assert faults(json.loads(clean)) == []
    assert read(clean.encode()).entries == without_secrets(entries)
    items = json.loads(clean)["log"]["entries"]
    assert items[1]["request"]["postData"]["text"] == (
        f"name=alice&password={REDACTED}&_xsrf={REDACTED}"
    )
    assert items[1]["request"]["cookies"] == [{"name": "_xsrf", "value": REDACTED}]
    assert items[0]["request"]["url"].endswith(f"?password={REDACTED}")


@pytest.mark.parametrize(
    ("kind", "body", "clean"),
    [
        ("application/json", '{"user": "a", "password": "p\\"w"}', '"password": "[redacted]"'),
        ("application/json", '{"pin": 1234, "spin": 5}', '"pin": "[redacted]", "spin": 5'),
        ("", "author=me&api_key=k", "author=me&api_key=[redacted]"),
        ("text/html", '<input type="password" value="pw">', 'value="[redacted]"'),
        (
            "multipart/form-data; boundary=x",
            '--x\r\nContent-Disposition: form-data; name="new_password"\r\n\r\npw\r\n--x--\r\n',
            "\r\n\r\n[redacted]\r\n--x--",
        ),
    ],
)
def test_fields_that_hold_secrets(kind: str, body: str, clean: str) -> None:
    request = HttpRequest("POST", "http://h/", (("Content-Type", kind),), body.encode())
    entry = Entry(request, Response(200), datetime.now(UTC))
    assert clean in without_secrets([entry])[0].request.body.decode()


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("application/x-www-form-urlencoded", b"a"),
        ("application/x-www-form-urlencoded", b"a="),
        ("application/json", b'\\"'),
        ("application/json", b'{"'),
        ("text/html", b"<input "),
        ("text/html", b"<input name=password value="),
        ("multipart/form-data", b'Content-Disposition: x; name="password"\r\n'),
        ("multipart/form-data", b'Content-Disposition: x; name="password"\r\n\r\n'),
        ("multipart/form-data", b'name="'),
        ("text/plain", b"2|1:0|10:1|1:"),
        ("", b"a"),
    ],
)
def test_no_body_takes_long_to_clean(kind: str, part: bytes) -> None:
    def clean(size: int) -> None:
        body = part * (size // len(part))
        request = HttpRequest("POST", "http://h/", (("Content-Type", kind),), body)
        without_secrets([Entry(request, Response(200), NOW)])

    assert cost(lambda: clean(32_768), 3) < 48 * cost(lambda: clean(2_048), 5)


def test_credentials_are_hidden_wherever_they_turn_up() -> None:
    sent = HttpRequest(
        "GET", "http://h/", (("Authorization", "Bearer abc/def"), ("X-Api-Key", "k"))
    )
    response = Response(200, headers=(("X-Echo", "abc/def"),), body=b"you are abc%2Fdef")
    entry = Entry(sent, response, datetime.now(UTC), extras={"note": "abc/def"})
    text = dumped(without_secrets([entry])).decode()
    assert "def" not in text.replace("def ", "")
    assert '"Bearer [redacted]"' in text


def test_a_packed_body_that_cannot_be_searched_is_left_out() -> None:
    response = Response(200, headers=(("Content-Encoding", "br"),), body=b"\x0b\x02", body_size=2)
    body, note = unpacked(response.body, "br")
    entry = Entry(HttpRequest("GET", "http://h/"), replace(response, body=body, note=note), NOW)
    assert without_secrets([entry])[0].response.body == b""
    assert "left out" in dumped(without_secrets([entry])).decode()


NOW = datetime(2026, 1, 2, 3, 4, 5, 678_901, UTC)


def test_any_exchange_comes_in_again() -> None:
    requests, rng = Requests(11), random.Random(12)
    entries = []
    for number in range(300):
        timings = [round(rng.random() * 100, 6) for _ in range(3)]
        response = Response(
            rng.choice((200, 404, 0)),
            requests.text(6).strip(),
            "HTTP/1.1",
            (("X-A", requests.text(9, "ab é").strip()), ("Set-Cookie", "a=b; Path=/; Secure")),
            requests.body(),
            rng.randrange(-1, 99),
            rng.choice(("", "the first 1 of 2 bytes")),
        )
        messages = (WebSocketMessage("send", 1.5, 1, requests.text(9)),) * rng.randrange(2)
        entries.append(
            Entry(
                requests.next(),
                response,
                NOW,
                Timings(*timings),
                body_size=rng.randrange(99),
                messages=messages,
                connection=str(number),
                extras={"stages": [{"name": "get", "end": None}]},
            )
        )
    data = dumped(entries)
    assert faults(json.loads(data)) == []
    again = read(data)
    assert again.problems == []
    assert again.entries == entries
    clean = without_secrets(entries)
    assert read(dumped(clean)).entries == clean


# -- Of browsers -----------------------------------------------------------------------------


BROWSERS = Path(__file__).parent / "browsers"
CHROME: dict[str, Any] = json.loads((BROWSERS / "chrome.har").read_text())["log"]["entries"][0]


def file_of(*entries: Any) -> bytes:
    log = {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}}
    return json.dumps({"log": {**log, "pages": [], "entries": list(entries)}}).encode()


def test_what_chrome_exports() -> None:
    result = read_file(BROWSERS / "chrome.har")
    assert result.problems == []
    assert result.creator == "WebInspector 537.36"
    entry = result.entries[0]
    assert entry.request.url == "http://127.0.0.1:8888/login?next=%2F"
    assert [name for name, _ in entry.request.headers] == ["Cookie", "Content-Type"]
    assert entry.request.body == b"name=alice"
    assert entry.response.headers == (("Set-Cookie", "a=b; Path=/"), ("Set-Cookie", "c=d"))
    assert entry.response.body == b"\0\x01\xff"
    assert entry.timings.total == 12.5
    assert faults(json.loads(dumped(result.entries))) == []
    assert read(dumped(result.entries)).entries == result.entries


def test_what_chrome_exports_of_a_websocket() -> None:
    entry = read_file(BROWSERS / "chrome.har").entries[1]
    assert entry.request.url == "http://127.0.0.1:8888/chat/socket"
    assert entry.messages == (WebSocketMessage("send", 1732183200.5, 1, "hi"),)
    item = json.loads(dumped([entry]))["log"]["entries"][0]
    assert item["_webSocketMessages"] == [
        {"type": "send", "time": 1732183200.5, "opcode": 1, "data": "hi"}
    ]


def a_websocket() -> tuple[Store, Request]:
    """A recorded WebSocket and its request."""
    row = request(1, MS, None, 101, "GET /chat")
    head = b"GET /chat HTTP/1.1\r\nHost: h\r\nCookie: user=hunter22\r\n\r\n"
    store = Store()
    messages = [
        message(1, 1, 2 * MS, "in", "你好 hunter22".encode()),
        message(2, 1, 3 * MS, "out", b"\0hunter22\xff", "binary"),
        message(3, 2, 3 * MS, "out", b"of another"),
        message(4, 1, 4 * MS, "in", b"\x03\xe8", "close"),
    ]
    store.apply(batch(requests=[(*row[:11], head, *row[12:])], messages=messages))
    found = store.request(1)
    assert found is not None
    return store, found


def test_the_messages_of_a_websocket_go_out_and_come_in_again() -> None:
    entry = entry_of(*a_websocket(), STARTED, "http://h/")
    assert entry.messages == (
        WebSocketMessage("send", STARTED + 0.002, 1, "你好 hunter22"),
        WebSocketMessage("receive", STARTED + 0.003, 2, "AGh1bnRlcjIy/w=="),
        WebSocketMessage("send", STARTED + 0.004, 8, "A+g="),
    )
    written = dumped([entry])
    assert read(written).entries[0].messages == entry.messages
    assert faults(json.loads(written)) == []


def test_secrets_in_messages_stay_behind() -> None:
    (entry,) = without_secrets([entry_of(*a_websocket(), STARTED, "http://h/")])
    assert entry.messages[0].data == f"你好 {REDACTED}"
    assert base64.b64decode(entry.messages[1].data) == b"\0" + REDACTED.encode() + b"\xff"


def test_what_firefox_exports() -> None:
    result = read(b"\xef\xbb\xbf" + (BROWSERS / "firefox.har").read_bytes())
    entry = result.entries[0]
    assert result.problems == []
    assert entry.request.body == b"a=%C3%A9%26"
    assert entry.started == datetime(2026, 11, 21, 10, 0, 0, 123_000, UTC)
    assert entry.response.body == b""
    assert entry.response.note.startswith("Response bodies")


# -- Broken ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\0\0", "JSON"),
        (b"{", "ends too early"),
        (file_of(CHROME)[:-9], "ends too early"),
        (file_of(CHROME)[:900], "ends too early"),
        ('{"log": "é"}'.encode("latin-1"), "not UTF-8: byte 9"),
        ('{"log": {}}'.encode("utf-16"), "UTF-16"),
        (b"[]", "no HAR file"),
        (b'"log"', "no HAR file"),
        (b'{"log": []}', "no HAR file"),
        (b'{"log": {}}', "entries"),
        (b'{"log": {"entries": {}}}', "entries"),
        (b'{"log": {"entries": [NaN]}}', "NaN"),
        (b'{"log": {"entries": [1e999]}}', "too large"),
        (b'{"log": {"entries": [' + b"1" * 5_000 + b"]}}", "5000 digits"),
        (b'{"log": {"entries": [], "entries": []}}', "'entries' stands twice"),
        (b'{"log": ' + b"[" * 100_000, "nested"),
        (b'{"log": ' + b'{"a":' * 100_000, "nested"),
        (b'{"log": {"entries": [7]}}', r"entries\[0\]: is no object"),
        (b'{"log": {"entries": [{}]}}', "request.url is missing"),
        (file_of({"request": {"url": "http://h/", "method": "\ud800"}}), "surrogate"),
        (file_of({"request": {"url": "data:,x", "method": "GET"}}), "url"),
        (file_of({"request": {"url": "http://h/", "method": "G T"}}), "method"),
        (file_of({"request": {"url": 7, "method": []}}), "url"),
    ],
)
def test_broken_files_are_told_apart(data: bytes, reason: str) -> None:
    with pytest.raises(HarError, match=reason):
        read(data)


def test_a_broken_entry_leaves_the_others() -> None:
    wrong = {**CHROME, "request": {"method": "GET"}}
    odd = {
        **CHROME,
        "startedDateTime": "yesterday",
        "timings": {"wait": "long"},
        "response": {"status": "x", "headers": 5, "content": {"text": "?", "encoding": "base64"}},
    }
    result = read(file_of(wrong, CHROME, odd))
    assert len(result.entries) == 2
    assert result.entries[1].response == Response(0, note="the body could not be read")
    assert "entries[0]: request.url is missing" in result.problems
    named = " ".join(result.problems)
    for path in ("entries[2]: startedDateTime", "entries[2].timings: wait", "entries[2].response:"):
        assert path in named


def test_any_change_to_a_file_is_survived() -> None:
    rng, data = random.Random(5), bytearray((BROWSERS / "chrome.har").read_bytes())
    read_count = 0
    for _ in range(2_000):
        changed = bytearray(data)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(changed))
            changed[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        try:
            dumped(read(bytes(changed)).entries)
        except HarError:
            continue
        read_count += 1
    assert read_count > 50


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="No such file"):
        read_file(tmp_path / "none.har")
    with pytest.raises(OSError, match="No such file"):
        read_file(tmp_path)
    good = tmp_path / "good.har"
    good.write_bytes(file_of(CHROME))
    assert len(read_file(good).entries) == 1
    monkeypatch.setattr(har_import, "MAX_BYTES", 100)
    with pytest.raises(HarError, match="MiB"):
        read_file(good)


def test_a_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.har"
    write(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            write(path, b"new")
    assert path.read_bytes() == b"old"
    write(path, b"new")
    assert path.read_bytes() == b"new"
    assert [child.name for child in tmp_path.iterdir()] == ["out.har"]
