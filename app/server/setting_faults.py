"""What is wrong with settings, as far as that shows without running anything."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from .settings import Kind, Setting, setting

_COOKIE_ATTRIBUTES = frozenset(
    ("domain", "expires", "path", "expires_days", "max_age", "httponly", "secure", "samesite")
)
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s]+|null")


def faults(settings: Mapping[str, Any]) -> dict[str, str]:
    """Say what is wrong with each of *settings*, by name, as far as that shows without running.

    Settings that the catalogue does not know are the project's own and may be anything.
    """
    found = {name: fault(name, value) for name, value in settings.items()}
    secret, version = settings.get("cookie_secret"), settings.get("key_version")
    if isinstance(secret, Mapping) and not found["cookie_secret"] and not found.get("key_version"):
        if version is None:
            found["key_version"] = "is needed when cookie_secret has several versions"
        elif str(version) not in map(str, secret):
            found["key_version"] = "names no version of cookie_secret"
    return {name: text for name, text in found.items() if text}


def fault(name: str, value: Any) -> str:
    """Say what is wrong with *value* for the setting *name*; empty when it may be that."""
    known = setting(name)
    text = _CHECKS[known.kind](known, value)
    if not text and name == "trusted_origins" and not all(map(_ORIGIN.fullmatch, value)):
        return "an origin is scheme://host or scheme://host:port, without a path"
    if not text and name == "xsrf_cookie_kwargs" and not set(value) <= _COOKIE_ATTRIBUTES:
        return "set_cookie knows no such attribute"
    return text


def _number(setting: Setting, value: Any) -> str:
    kinds = int if setting.kind is Kind.WHOLE else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
        return "must be " + setting.kind.value
    if setting.least is not None and value < setting.least:
        return "must not be negative" if setting.least == 0 else "must be more than 0"
    return ""


def _is_secret(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _secret(setting: Setting, value: Any) -> str:
    if isinstance(value, Mapping) and setting.name == "cookie_secret":
        if not all(str(version).isdecimal() for version in value):
            return "key versions must be numbers"
        return "" if value and all(map(_is_secret, value.values())) else "must not be empty"
    return "" if _is_secret(value) else "must be text, and not empty"


def _texts(setting: Setting, value: Any) -> str:
    fine = isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    return "" if fine else "must be a list of texts"


def _of(*kinds: type) -> Callable[[Setting, Any], str]:
    def check(setting: Setting, value: Any) -> str:
        return "" if isinstance(value, kinds) else "must be " + setting.kind.value

    return check


_CHECKS: dict[Kind, Callable[[Setting, Any], str]] = {
    Kind.FLAG: _of(bool, int),
    Kind.WHOLE: _number,
    Kind.NUMBER: _number,
    Kind.TEXT: _of(str),
    Kind.TEXTS: _texts,
    Kind.CHOICE: lambda setting, value: "" if value in setting.choices else "is none of the values",
    Kind.TABLE: _of(dict),
    Kind.SECRET: _secret,
    Kind.OBJECT: _of(str, list, dict),
    Kind.ANY: lambda setting, value: "",
    Kind.CODE: lambda setting, value: "only Python code can give this",
}
