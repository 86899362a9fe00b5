"""HAR 1.2 files (http://www.softwareishard.com/blog/har-12-spec/): written, and read with care."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .entry import Entry, Response
from .request import HttpRequest, Pair

EXTRAS = "_tornado"
"""The field of an entry that holds what only we know."""


def dump(entries: Iterable[Entry], version: str, comment: str = "") -> Iterator[bytes]:
    """Yield the file's bytes, an entry at a time; `har_import.read` gives the entries back.

    *version* is that of the program.
    """
    log = {
        "version": "1.2",
        "creator": {"name": "Loopscope", "version": version},
        "pages": [],
        **({"comment": comment} if comment else {}),
    }
    yield b'{"log": ' + _json(log)[:-1] + b', "entries": ['
    comma = b"\n"
    for entry in entries:
        yield comma + _json(as_har(entry))
        comma = b",\n"
    yield b"\n]}}\n"


def _json(value: object) -> bytes:
    # A lone surrogate is written as an escape: the file stays valid UTF-8.
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False).encode()


def as_har(entry: Entry) -> dict[str, Any]:
    """Return an exchange as an entry of a HAR file."""
    result: dict[str, Any] = {
        "startedDateTime": _iso(entry.started),
        "time": entry.timings.total,
        "request": _request(entry),
        "response": _response(entry.response),
        "cache": {},
        "timings": asdict(entry.timings),
    }
    if entry.connection:
        result["connection"] = entry.connection
    if entry.messages:
        result["_resourceType"] = "websocket"
        result["_webSocketMessages"] = [asdict(message) for message in entry.messages]
    if entry.extras:
        result[EXTRAS] = entry.extras
    return result


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _request(entry: Entry) -> dict[str, Any]:
    request = entry.request
    query = urlsplit(request.url).query
    result: dict[str, Any] = {
        "method": request.method,
        "url": request.url,
        "httpVersion": entry.version,
        "cookies": [
            {"name": name, "value": value.strip('"')}
            for header, text in request.headers
            if header.lower() == "cookie"
            for part in text.split(";")
            for name, equals, value in [part.strip().partition("=")]
            if equals
        ],
        "headers": _pairs(request.headers),
        "queryString": _fields(query),
        "headersSize": -1,
        "bodySize": entry.body_size,
    }
    if request.follow_redirects:
        result["_followRedirects"] = True
    if request.body or entry.note:
        result["postData"] = _post_data(request, entry.note)
    return result


def _fields(form: str) -> list[dict[str, str]]:
    try:
        pairs = parse_qsl(form, keep_blank_values=True, max_num_fields=1_000)
    except ValueError:
        return []
    return [{"name": name, "value": value} for name, value in pairs]


def _pairs(pairs: Iterable[Pair]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _post_data(request: HttpRequest, note: str) -> dict[str, Any]:
    """HAR has no place for a body that is no text: it goes under a name of its own."""
    data: dict[str, Any] = {
        "mimeType": request.header("Content-Type") or "",
        "params": [],
        "text": "",
    }
    text = _text(request.body)
    if text is not None:
        data["text"] = text
    else:
        data["_base64"] = _base64(request.body)
    if note:
        data["comment"] = note
    return data


def _response(response: Response) -> dict[str, Any]:
    content: dict[str, Any] = {
        "size": len(response.body),
        "mimeType": response.header("Content-Type") or "",
    }
    text = _text(response.body)
    content["text"] = _base64(response.body) if text is None else text
    if text is None:
        content["encoding"] = "base64"
    if response.header("Content-Encoding") and response.body_size >= 0:
        content["compression"] = len(response.body) - response.body_size
    if response.note:
        content["comment"] = response.note
    return {
        "status": response.status,
        "statusText": response.reason,
        "httpVersion": response.version,
        "cookies": [_set_cookie(v) for k, v in response.headers if k.lower() == "set-cookie"],
        "headers": _pairs(response.headers),
        "content": content,
        "redirectURL": response.header("Location") or "",
        "headersSize": -1,
        "bodySize": response.body_size,
    }


def _set_cookie(text: str) -> dict[str, Any]:
    first, *attributes = text.split(";")
    name, _, value = first.partition("=")
    cookie: dict[str, Any] = {"name": name.strip(), "value": value.strip().strip('"')}
    cookie |= {"httpOnly": False, "secure": False}
    for attribute in attributes:
        key, _, content = attribute.strip().partition("=")
        match key.lower():
            case "path" | "domain":
                cookie[key.lower()] = content
            case "expires":
                cookie |= _expires(content)
            case "httponly":
                cookie["httpOnly"] = True
            case "secure":
                cookie["secure"] = True
            case "samesite":
                cookie["_sameSite"] = content
    return cookie


def _expires(text: str) -> dict[str, str]:
    for form in ("%a, %d %b %Y %H:%M:%S GMT", "%a, %d-%b-%Y %H:%M:%S GMT"):
        try:
            return {"expires": _iso(datetime.strptime(text, form).replace(tzinfo=UTC))}
        except ValueError:
            continue
    return {}


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _base64(body: bytes) -> str:
    return base64.b64encode(body).decode("ascii")
