"""Exchanges without their secrets: cookies, credentials, XSRF tokens, passwords."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from urllib.parse import quote, quote_plus, unquote_plus

from .entry import Entry, Response, WebSocketMessage
from .request import HttpRequest, Pair

REDACTED = "[redacted]"
"""Stands where a secret stood."""

_SECRET_NAME = re.compile(
    r"pass(?:w(?:or)?d|phrase|code)?(?![a-z])|passw|pwd|secret|token|xsrf|csrf|api[-_]?key"
    r"|authorization|credential|session|signature|(?<![a-z])(?:auth|otp|pin|cvc|cvv)(?![a-z])",
    re.IGNORECASE,
)
_TOKENS = re.compile(
    r"2\|[0-9a-f]{8}\|[0-9a-f]{32}\|\d+"  # an XSRF token, version 2
    r"|2\|\d+:\d+\|\d+:\d+\|\d+:[^|\s\"]*\|\d+:[^|\s\"]*\|[0-9a-f]{64}"  # a signed value
    r"|2%7C[0-9a-f]{8}%7C[0-9a-f]{32}%7C\d+",
    re.IGNORECASE,
)
_WHOLE = frozenset(
    [
        "authorization",
        "proxy-authorization",
        "x-xsrftoken",
        "x-csrftoken",
        "x-xsrf-token",
        "x-csrf-token",
        "x-api-key",
        "api-key",
        "x-auth-token",
    ]
)
_SHORTEST = 6
"""A secret with fewer letters is not looked for elsewhere: it would be found everywhere."""
_MOST = 400
"""Secrets that are looked for everywhere; of more than these, each only in its own exchange."""


def is_secret(name: str) -> bool:
    """Tell whether a field or header of this name holds a password, a token or the like."""
    return _SECRET_NAME.search(name) is not None


def secrets_of(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the secrets in cookies, credentials and forms, to be looked for everywhere else."""
    for entry in entries:
        found: list[str] = []
        _without(entry, [], found.append)
        for value in found:
            if len(value) >= _SHORTEST and not _TOKENS.fullmatch(value):
                yield value


def spellings(secrets: Iterable[str]) -> list[str]:
    """Return each secret as it stands in texts, URLs and forms; the longest first."""
    known = list(dict.fromkeys(secrets))[:_MOST]
    forms = {form for value in known for form in (value, quote(value, safe=""), quote_plus(value))}
    return sorted(map(_latin, forms), key=len, reverse=True)


def sanitised(entry: Entry, known: list[str]) -> Entry:
    """Return *entry* without its secrets, and without those of *known* wherever they stand."""
    if len(known) >= _MOST:
        known = [*spellings(secrets_of([entry])), *known]
    return _without(entry, known, lambda value: None)


def masked(text: str) -> str:
    """Return *text* with XSRF tokens and signed values hidden: they differ each time."""
    return _TOKENS.sub(REDACTED, text)


Note = Callable[[str], None]


def _without(entry: Entry, known: list[str], note: Note) -> Entry:
    def plain(text: str) -> str:
        return _unlatin(_hide(_latin(text), known))

    request, response = entry.request, entry.response
    body, why = _body(request.body, request.header, known, note)
    answer, answer_why = _body(response.body, response.header, known, note, response.note)
    return replace(
        entry,
        request=HttpRequest(
            request.method,
            plain(_in_url(request.url, note)),
            tuple(_header(pair, plain, note) for pair in request.headers),
            body,
            request.follow_redirects,
        ),
        response=Response(
            response.status,
            response.reason,
            response.version,
            tuple(_header(pair, plain, note) for pair in response.headers),
            answer,
            response.body_size,
            answer_why or response.note,
        ),
        note=why or entry.note,
        messages=tuple(_message(message, plain, known, note) for message in entry.messages),
        extras=json.loads(plain(json.dumps(entry.extras, ensure_ascii=False))),
    )


def _message(
    message: WebSocketMessage, plain: Callable[[str], str], known: list[str], note: Note
) -> WebSocketMessage:
    if message.opcode == 1:
        return replace(message, data=plain(_in_json(message.data, note)))
    try:
        data = base64.b64decode(message.data, validate=True).decode("latin-1")
    except ValueError:  # from somebody else's file
        return replace(message, data="")
    hidden = _hide(data, known).encode("latin-1")
    return replace(message, data=base64.b64encode(hidden).decode("ascii"))


def _latin(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _unlatin(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "surrogateescape")


def _hide(text: str, known: list[str]) -> str:
    for secret in known:
        if secret in text:
            text = text.replace(secret, REDACTED)
    return _TOKENS.sub(REDACTED, text)


def _header(pair: Pair, plain: Callable[[str], str], note: Note) -> Pair:
    name, value = pair
    lower = name.lower()
    if lower == "cookie":
        return name, re.sub(r"[^;\s][^;]*", lambda part: _cookie(part[0], note), value)
    if lower == "set-cookie":
        first, semicolon, rest = value.partition(";")
        return name, _cookie(first, note) + semicolon + plain(rest)
    if lower.endswith("authorization"):
        scheme, blank, rest = value.partition(" ")
        note(rest or scheme)
        return name, f"{scheme} {REDACTED}" if blank else REDACTED
    if lower in _WHOLE or (is_secret(name) and not lower.startswith(("sec-", "access-control-"))):
        note(value)
        return name, REDACTED
    return name, plain(_in_url(value, note) if lower in ("referer", "location") else value)


def _cookie(text: str, note: Note) -> str:
    name, equals, value = text.partition("=")
    if not equals:  # Browsers take it for a value without a name.
        name, value = "", text
    if not value.strip('"'):
        return text
    note(value.strip('"'))
    return f"{name}{equals}{REDACTED}"


# -- Bodies ----------------------------------------------------------------------------------
# Whoever asks chooses these texts: no expression may look at a letter again and again.


def _body(
    body: bytes,
    header: Callable[[str], str | None],
    known: list[str],
    note: Note,
    said: str = "",
) -> tuple[bytes, str]:
    """Return *body* without secrets, and what is to be said of it if it had to go."""
    if not body:
        return body, ""
    packed = said.startswith("content coding") or header("Content-Encoding")
    if packed and not _is_readable(body, said):
        return b"", "left out: packed, it cannot be searched for secrets"
    kind = (header("Content-Type") or "").lower()
    text = body.decode("latin-1")
    if "urlencoded" in kind:
        text = _in_form(text, note)
    elif "multipart/" in kind:
        text = _in_multipart(text, note)
    elif "html" in kind or "xml" in kind:
        text = _in_html(text, note)
    elif "json" in kind or "javascript" in kind or text.lstrip()[:1] in ("{", "["):
        text = _in_json(text, note)
    elif re.match(r"[\w.%+-]+=[^\s]*$", text):
        text = _in_form(text, note)
    return _hide(text, known).encode("latin-1"), ""


def _is_readable(body: bytes, said: str) -> bool:
    if said:
        return not said.startswith(("content coding", "this is not"))
    return b"\0" not in body[:1000] and body[:2] != b"\x1f\x8b"


def _in_url(url: str, note: Note) -> str:
    before, mark, query = url.partition("?")
    before = re.sub(r"(?<=://)[^/@]+(?=@)", REDACTED, before)
    return before + mark + _in_form(query, note)


_FIELD = re.compile(r"(?<![^&;?#\s])([^&=;?#\s]++)=([^&#\s]+)")


def _in_form(text: str, note: Note) -> str:
    def value(match: re.Match[str]) -> str:
        name, value = match.groups()
        if not is_secret(unquote_plus(name)):
            return match[0]
        note(unquote_plus(value))
        return f"{name}={REDACTED}"

    return _FIELD.sub(value, text)


_PART = re.compile(
    r'^(content-disposition:[^\r\n]*?\bname="([^"\r\n]*)"[^\r\n]*\r?\n(?:[^\r\n]+\r?\n){0,20}+\r?\n)'
    r"((?:(?!\r?\n--).)*+)",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)


def _in_multipart(text: str, note: Note) -> str:
    def value(match: re.Match[str]) -> str:
        if not is_secret(match[2]):
            return match[0]
        note(match[3])
        return match[1] + REDACTED

    return _PART.sub(value, text)


_MEMBER = re.compile(
    r'(?<=[{,\s])"((?:[^"\\]|\\.)*+)"(\s*:\s*)'
    r'(?:"((?:[^"\\]|\\.)*+)"|(-?\d[\d.eE+-]*|true|false))'
)


def _in_json(text: str, note: Note) -> str:
    def value(match: re.Match[str]) -> str:
        name, colon, string, other = match.groups()
        if not is_secret(name) or (string is None and other in ("true", "false")):
            return match[0]
        note(string or other or "")
        return f'"{name}"{colon}"{REDACTED}"'

    return _MEMBER.sub(value, text)


_INPUT = re.compile(r"<(?:input|meta)\b[^<>]*>", re.IGNORECASE)
_NAME = re.compile(r"""\b(?:name|id|type)\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_VALUE = re.compile(r"""(\b(?:value|content)\s*=\s*)("[^"]*"|'[^']*'|[^\s>]+)""", re.IGNORECASE)


def _in_html(text: str, note: Note) -> str:
    def value(match: re.Match[str]) -> str:
        if not any(is_secret(name) for name in _NAME.findall(match[0])):
            return match[0]
        for _, found in _VALUE.findall(match[0]):
            note(found.strip("\"'"))
        return _VALUE.sub(rf'\1"{REDACTED}"', match[0])

    return _INPUT.sub(value, text)
