"""Reads HAR files: our own, those of browsers, and with a clear word broken ones."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from .entry import Entry, Response, Timings, WebSocketMessage
from .har import EXTRAS
from .request import TOKEN, ExchangeError, HttpRequest, Pair, canonical_url

MAX_BYTES = 128 << 20
"""A larger file is refused before it is read."""
_MOST_PROBLEMS = 100
_EPOCH = datetime.fromtimestamp(0, UTC)
_SURROGATE = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
"""What no text holds; the other lone surrogates are how we write bytes that are not UTF-8."""


class HarError(ExchangeError):
    """A file that is no HAR file, or has a fault that leaves nothing to show."""


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
    root = _parsed(_decoded(data))
    if not isinstance(root, dict) or not isinstance(root.get("log"), dict):
        raise HarError("no HAR file: there is no log in it")
    log = root["log"]
    items = log.get("entries")
    if not isinstance(items, list):
        raise HarError("log.entries is missing, or not a list")
    entries: list[Entry] = []
    problems: list[str] = []
    for number, item in enumerate(items):
        node = _Node(item, f"entries[{number}]", problems)
        try:
            entries.append(_entry(node))
        except _Fault as fault:
            node.problem(str(fault))
    if items and not entries:
        raise HarError("no entry could be read: {problem}", problem=problems[0])
    creator = _Node(log.get("creator"), "creator", [])
    name = " ".join(text for key in ("name", "version") if (text := creator.text(key, "")))
    return Har(entries, problems[:_MOST_PROBLEMS], name)


def _decoded(data: bytes) -> str:
    if not data.strip():
        raise HarError("the file is empty")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise HarError("the file is UTF-16; HAR files are UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise HarError("the file is not UTF-8: byte {place}", place=error.start) from None


def _parsed(text: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_short,
        )
    except json.JSONDecodeError as error:
        early = error.pos >= len(text.rstrip()) or "Unterminated" in error.msg
        template = "not valid JSON at line {line}, column {column}: {what}"
        raise HarError(
            "the file ends too early, at line {line}, column {column}" if early else template,
            line=error.lineno,
            column=error.colno,
            what=error.msg,
        ) from None
    except RecursionError:
        raise HarError("the file is nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise HarError("the key {key} stands twice in one object", key=repr(twice[:60]))
    return found


def _refuse_constant(name: str) -> None:
    raise HarError("{word} is no JSON", word=name)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise HarError("the number {number} is too large", number=text[:20])
    return number


def _short(text: str) -> int:
    if len(text) > 20:
        raise HarError(
            "the number {number} has {count} digits", number=text[:12] + "…", count=len(text)
        )
    return int(text)


# -- Entries ---------------------------------------------------------------------------------


class _Fault(Exception):
    """An entry that cannot be taken over."""


class _Node:
    """An object in the file and its path, which problems name."""

    def __init__(self, value: Any, path: str, problems: list[str]) -> None:
        self.value: dict[str, Any] = value if isinstance(value, dict) else {}
        self.path = path
        self._problems = problems
        if value is not None and not isinstance(value, dict):
            self.problem("is no object")

    def problem(self, text: str) -> None:
        """Note what could not be taken over."""
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(f"{self.path}: {text}")

    def child(self, key: str) -> _Node:
        """Return the object under *key*; an empty one when it is missing."""
        return _Node(self.value.get(key), f"{self.path}.{key}", self._problems)

    def children(self, key: str) -> Iterator[_Node]:
        """Yield the objects of the list under *key*."""
        found = self.value.get(key)
        if found is not None and not isinstance(found, list):
            self.problem(f"{key} is no list")
        for number, item in enumerate(found if isinstance(found, list) else ()):
            yield _Node(item, f"{self.path}.{key}[{number}]", self._problems)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; raises `_Fault` when it is missing and there is no default."""
        found = self.value.get(key)
        if isinstance(found, bool | int | float):
            found = str(found)
        if isinstance(found, str):
            if _SURROGATE.search(found):
                raise _Fault(f"{key} holds half of a surrogate pair")
            return found
        if found is not None:
            self.problem(f"{key} is no text")
        if default is None:
            raise _Fault(f"{self.path.partition('.')[2] or self.path}.{key} is missing")
        return default

    def number(self, key: str, default: float) -> float:
        """Return a number, or the default when it is missing or none."""
        found = self.value.get(key)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return found
        if found is not None:
            self.problem(f"{key} is no number")
        return default


def _entry(node: _Node) -> Entry:
    request, response = node.child("request"), node.child("response")
    pairs = _headers(request)
    url = _url(request.text("url"))
    method = request.text("method").strip()
    if not TOKEN.fullmatch(method):
        raise _Fault(f"request.method {method[:40]!r} is no HTTP method")
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
        raise _Fault(f"request.url {text[:60]!r}: {error}") from None


def _headers(node: _Node) -> tuple[Pair, ...]:
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


def _request_body(request: _Node) -> tuple[bytes, str]:
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


def _base64(node: _Node, key: str, note: str) -> tuple[bytes, str]:
    try:
        return base64.b64decode(node.text(key, ""), validate=True), note
    except (binascii.Error, ValueError):
        node.problem(f"{key} is no base64")
        return b"", note or "the body could not be read"


def _response(node: _Node) -> Response:
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


def _started(node: _Node) -> datetime:
    try:
        found = datetime.fromisoformat(node.text("startedDateTime", ""))
    except ValueError:
        node.problem("startedDateTime is no time")
        return _EPOCH
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _timings(node: _Node) -> Timings:
    defaults = Timings()
    names = [field.name for field in fields(Timings)]
    return Timings(**{name: node.number(name, getattr(defaults, name)) for name in names})


def _message(node: _Node) -> WebSocketMessage:
    return WebSocketMessage(
        node.text("type", "receive"),
        node.number("time", 0.0),
        int(node.number("opcode", 1)),
        node.text("data", ""),
    )
