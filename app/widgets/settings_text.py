"""Values of settings as they are typed."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

from app.server.setting_faults import fault
from app.server.settings import Kind, Setting


class Draft(NamedTuple):
    """What was typed and is no value yet, and why."""

    text: str
    fault: str


def text_of(value: Any) -> str:
    """Return how *value* is typed."""
    if isinstance(value, Draft):
        return value.text
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return json_of(value)


def json_of(value: Any) -> str:
    """Return a project's own value as it is typed: always JSON."""
    if isinstance(value, Draft):
        return value.text
    return json.dumps(value, ensure_ascii=False, default=str)


def shown(setting: Setting, value: Any) -> str:
    """Return *value* with its unit, to be read."""
    if setting.unit == "bytes" and isinstance(value, int) and value % 1024 == 0:
        kib, rest = value // 1024, value // 1024 % 1024
        return f"{kib} KiB" if rest else f"{kib // 1024} MiB"
    return f"{text_of(value)} {setting.unit}".rstrip()


def typed(setting: Setting, text: str) -> Any:
    """Return the value that *text* says, a `Draft` if it is none, and None for nothing typed."""
    text = text.strip()
    if not text:
        return None
    try:
        value = _READERS.get(setting.kind, str)(text)
    except (ValueError, RecursionError):
        return Draft(text, f"must be {setting.kind.value}")
    problem = fault(setting.name, value)
    return Draft(text, problem) if problem else value


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _texts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _object(text: str) -> Any:
    return _json(text) if text[0] in "[{" else text


def _json(text: str) -> Any:
    """Return what *text* says in JSON. Raises ValueError also for what TOML cannot say: null."""
    value = json.loads(text)
    if not _is_sayable(value):
        raise ValueError("TOML has no null and no infinite numbers")
    return value


def _is_sayable(value: Any) -> bool:
    if isinstance(value, dict | list):
        return all(map(_is_sayable, value.values() if isinstance(value, dict) else value))
    return value is not None and (not isinstance(value, float) or math.isfinite(value))


_READERS: dict[Kind, Any] = {
    Kind.WHOLE: int,
    Kind.NUMBER: _number,
    Kind.TEXTS: _texts,
    Kind.TABLE: _json,
    Kind.OBJECT: _object,
    Kind.ANY: _json,
}
