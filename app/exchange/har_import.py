"""Reads HAR files: our own, those of browsers, and with a clear word broken ones."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from .entry import Entry, Response, Timings, WebSocketMessage
from .har import EXTRAS
from .har_json import MOST_PROBLEMS, Fault, HarError, Node, parsed
from .request import TOKEN, HttpRequest, Pair, canonical_url

MAX_BYTES = 128 << 20
"""A larger file is refused before it is read."""
_EPOCH = datetime.fromtimestamp(0, UTC)


class Har(NamedTuple):
    """What a file holds. *problems* name the entries and fields that could not be taken over."""

    entries: list[Entry]
    problems: list[str]
    creator: str = ""


def read_file(path: Path) -> Har:
    """Read the HAR file at *path*; raises OSError or HarError."""
    if not path.is_file():
        raise FileNotFoundError(2, "No such file", str(path))
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise HarError(
            "the file has {size} MiB, more than {most} MiB", size=size >> 20, most=MAX_BYTES >> 20
        )
    return read(path.read_bytes())


def read(data: bytes) -> Har:
    """Return what the HAR file *data* holds; raises HarError. A byte order mark is tolerated."""
    root = parsed(data)
    if not isinstance(root, dict) or not isinstance(root.get("log"), dict):
        raise HarError("no HAR file: there is no log in it")
    log = root["log"]
    items = log.get("entries")
    if not isinstance(items, list):
        raise HarError("log.entries is missing, or not a list")
    entries: list[Entry] = []
    problems: list[str] = []
    for number, item in enumerate(items):
        node = Node(item, f"entries[{number}]", problems)
        try:
            entries.append(_entry(node))
        except Fault as fault:
            node.problem(str(fault))
    if items and not entries:
        raise HarError("no entry could be read: {problem}", problem=problems[0])
    creator = Node(log.get("creator"), "creator", [])
    name = " ".join(text for key in ("name", "version") if (text := creator.text(key, "")))
    return Har(entries, problems[:MOST_PROBLEMS], name)


def _entry(node: Node) -> Entry:
    request, response = node.child("request"), node.child("response")
    pairs = _headers(request)
    url = _url(request.text("url"))
    method = request.text("method").strip()
    if not TOKEN.fullmatch(method):
        raise Fault(f"request.method {method[:40]!r} is no HTTP method")
    own = {"content-length"}
    own |= (
        {"host"} if ("host", urlsplit(url).netloc) in [(k.lower(), v) for k, v in pairs] else set()
    )
    body, note = _request_body(request)
    sent = HttpRequest(
        method,
        url,
        tuple(pair for pair in pairs if pair[0].lower() not in own),
        body,
        request.value.get("_followRedirects") is True,
    )
    extras = node.value.get(EXTRAS)
    return Entry(
        sent,
        _response(response),
        _started(node),
        _timings(node.child("timings")),
        request.text("httpVersion", "HTTP/1.1"),
        int(request.number("bodySize", -1)),
        note,
        tuple(map(_message, node.children("_webSocketMessages"))),
        node.text("connection", ""),
        extras if isinstance(extras, dict) else {},
    )


def _url(text: str) -> str:
    try:
        # What a browser notes as ws:// begins as a request of HTTP.
        return canonical_url(re.sub(r"^ws(s?)://", r"http\1://", text, flags=re.IGNORECASE))
    except ValueError as error:
        raise Fault(f"request.url {text[:60]!r}: {error}") from None


def _headers(node: Node) -> tuple[Pair, ...]:
    """Return the headers; the pseudo-headers of HTTP/2, ``:authority`` and so on, are none."""
    found = []
    for item in node.children("headers"):
        name, value = item.text("name", "").strip(), item.text("value", "").strip()
        if name.startswith(":"):
            continue
        if not TOKEN.fullmatch(name):
            item.problem(f"{name[:40]!r} is no header name")
        else:
            # Browsers join several values of one name with a line break.
            found += [
                (name, line.strip()) for line in re.split(r"[\r\n]+", value.replace("\0", ""))
            ]
    return tuple(found)


def _request_body(request: Node) -> tuple[bytes, str]:
    node = request.child("postData")
    note = node.text("comment", "")
    if "_base64" in node.value:
        return _base64(node, "_base64", note)
    if node.text("encoding", "") == "base64":
        return _base64(node, "text", note)
    text = node.text("text", "")
    if text:
        return text.encode("utf-8", "surrogateescape"), note
    params = list(node.children("params"))
    if not params:
        return b"", note
    if "multipart" in node.text("mimeType", "") or any(
        item.value.get("fileName") for item in params
    ):
        node.problem("the fields of a multipart form cannot be put together again")
        return b"", note or "the body was not kept"
    pairs = [(item.text("name", ""), item.text("value", "")) for item in params]
    return urlencode(pairs).encode(), note


def _base64(node: Node, key: str, note: str) -> tuple[bytes, str]:
    try:
        return base64.b64decode(node.text(key, ""), validate=True), note
    except (binascii.Error, ValueError):
        node.problem(f"{key} is no base64")
        return b"", note or "the body could not be read"


def _response(node: Node) -> Response:
    content = node.child("content")
    note = content.text("comment", "")
    if content.text("encoding", "") == "base64":
        body, note = _base64(content, "text", note)
    else:
        body = content.text("text", "").encode("utf-8", "surrogateescape")
        if not body and content.number("size", 0) > 0:
            note = note or "the body was not kept"
    return Response(
        int(node.number("status", 0)),
        node.text("statusText", ""),
        node.text("httpVersion", "HTTP/1.1"),
        _headers(node),
        body,
        int(node.number("bodySize", -1)),
        note,
    )


def _started(node: Node) -> datetime:
    try:
        found = datetime.fromisoformat(node.text("startedDateTime", ""))
    except ValueError:
        node.problem("startedDateTime is no time")
        return _EPOCH
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _timings(node: Node) -> Timings:
    defaults = Timings()
    names = [field.name for field in fields(Timings)]
    return Timings(**{name: node.number(name, getattr(defaults, name)) for name in names})


def _message(node: Node) -> WebSocketMessage:
    return WebSocketMessage(
        node.text("type", "receive"),
        node.number("time", 0.0),
        int(node.number("opcode", 1)),
        node.text("data", ""),
    )
