"""A strict check against HAR 1.2, written from its specification: fields, types, no strangers.

http://www.softwareishard.com/blog/har-12-spec/ : names with a leading underscore are free.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

Check = Callable[[Any], bool]
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= -1


def _is_span(value: Any) -> bool:
    return _is_number(value) and value >= 0


def _is_span_or_none(value: Any) -> bool:
    return _is_span(value) or value == -1


def _is_time(value: Any) -> bool:
    return _is_text(value) and _TIME.fullmatch(value) is not None


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_url(value: Any) -> bool:
    return _is_text(value) and urlsplit(value).scheme in ("http", "https")


_COMMENT = {"comment?": _is_text}
_NAMED = {"name": _is_text, "version": _is_text, **_COMMENT}
_PAIR = {"name": _is_text, "value": _is_text, **_COMMENT}
_COOKIE = {
    **_PAIR,
    "path?": _is_text,
    "domain?": _is_text,
    "expires?": _is_time,
    "httpOnly?": _is_flag,
    "secure?": _is_flag,
}
_CONTENT = {
    "size": _is_whole,
    "compression?": lambda value: isinstance(value, int),
    "mimeType": _is_text,
    "text?": _is_text,
    "encoding?": _is_text,
    **_COMMENT,
}
_TIMINGS = {
    **{f"{name}?": _is_span_or_none for name in ("blocked", "dns", "connect", "ssl")},
    **dict.fromkeys(("send", "wait", "receive"), _is_span),
    **_COMMENT,
}
_MESSAGE = {
    "httpVersion": _is_text,
    "cookies": [_COOKIE],
    "headers": [_PAIR],
    "headersSize": _is_whole,
    "bodySize": _is_whole,
    **_COMMENT,
}
_REQUEST = {
    **_MESSAGE,
    "method": _is_text,
    "url": _is_url,
    "queryString": [_PAIR],
    "postData?": {"mimeType": _is_text, "params": [_PAIR], "text": _is_text, **_COMMENT},
}
_RESPONSE = {
    **_MESSAGE,
    "status": _is_whole,
    "statusText": _is_text,
    "content": _CONTENT,
    "redirectURL": _is_text,
}
_ENTRY = {
    "pageref?": _is_text,
    "startedDateTime": _is_time,
    "time": _is_span,
    "request": _REQUEST,
    "response": _RESPONSE,
    "cache": {},
    "timings": _TIMINGS,
    "serverIPAddress?": _is_text,
    "connection?": _is_text,
    **_COMMENT,
}
_LOG = {
    "version": lambda value: value == "1.2",
    "creator": _NAMED,
    "browser?": _NAMED,
    "pages?": [{}],
    "entries": [_ENTRY],
    **_COMMENT,
}


def faults(har: Any) -> list[str]:
    """Return what is wrong with a parsed HAR file, each with its path."""
    return [*_check(har, {"log": _LOG}, ""), *_sums(har)]


def _check(value: Any, rule: Any, path: str) -> list[str]:
    if isinstance(rule, list):
        if not isinstance(value, list):
            return [f"{path}: no list"]
        found = [_check(item, rule[0], f"{path}[{at}]") for at, item in enumerate(value)]
        return [fault for each in found for fault in each]
    if not isinstance(rule, dict):
        return [] if rule(value) else [f"{path}: {value!r}"]
    if not isinstance(value, dict):
        return [f"{path}: no object"]
    result = []
    known = {name.rstrip("?"): (inner, name.endswith("?")) for name, inner in rule.items()}
    for name, (inner, optional) in known.items():
        if name in value:
            result += _check(value[name], inner, f"{path}.{name}")
        elif not optional:
            result.append(f"{path}.{name}: missing")
    strangers = [name for name in value if name not in known and not name.startswith("_")]
    return result + [f"{path}.{name}: unknown" for name in strangers]


def _sums(har: Any) -> list[str]:
    result = []
    for at, entry in enumerate(har["log"]["entries"]):
        parts = [part for part in entry["timings"].values() if part != -1]
        if abs(sum(parts) - entry["time"]) > 1e-6:
            result.append(f"entries[{at}].time is not the sum of its timings")
    return result
