"""Set-Cookie headers and cookie dates, read as browsers read them (RFC 6265bis)."""

from __future__ import annotations

import calendar
import re
from typing import NamedTuple

MAX_ATTRIBUTE = 1024
"""Bytes of an attribute's value; a longer attribute is ignored (RFC 6265bis §5.6)."""


class SetCookie(NamedTuple):
    """A Set-Cookie header, split. Attribute names are lower case; of doubles the last counts."""

    name: str
    value: str
    attributes: dict[str, str]


def parse_set_cookie(header: str) -> SetCookie:
    """Split a Set-Cookie *header* as browsers do (RFC 6265bis §5.6): quotes stay in the value."""
    pair, *rest = header.split(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", name
    attributes: dict[str, str] = {}
    for part in rest:
        key, _, text = part.partition("=")
        if len(text.strip(" \t")) <= MAX_ATTRIBUTE:
            attributes[key.strip(" \t").lower()] = text.strip(" \t")
    return SetCookie(name.strip(" \t"), value.strip(" \t"), attributes)


def parse_date(text: str) -> float | None:
    """Read a cookie date, in seconds since the epoch, or None (RFC 6265bis §5.1.1)."""
    found: dict[str, tuple[int, ...]] = {}
    for token in re.split(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+", text):
        for part, read in _DATE_PARTS:
            if part not in found and (numbers := read(token)) is not None:
                found[part] = numbers
                break
    if len(found) < len(_DATE_PARTS):
        return None
    (hour, minute, second), (day,), (month,) = found["time"], found["day"], found["month"]
    year = found["year"][0]
    year += 1900 if 70 <= year <= 99 else 2000 if year <= 69 else 0
    if year < 1601 or hour > 23 or minute > 59 or second > 59:
        return None
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    return float(calendar.timegm((year, month, day, hour, minute, second)))


def _read_time(token: str) -> tuple[int, ...] | None:
    match = re.match(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])", token)
    return tuple(int(group) for group in match.groups()) if match else None


def _read_day(token: str) -> tuple[int, ...] | None:
    match = re.match(r"([0-9]{1,2})(?![0-9])", token)
    return (int(match[1]),) if match else None


def _read_month(token: str) -> tuple[int, ...] | None:
    names = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
    return (names.index(token[:3].lower()) + 1,) if token[:3].lower() in names else None


def _read_year(token: str) -> tuple[int, ...] | None:
    match = re.match(r"([0-9]{2,4})(?![0-9])", token)
    return (int(match[1]),) if match else None


_DATE_PARTS = (
    ("time", _read_time),
    ("day", _read_day),
    ("month", _read_month),
    ("year", _read_year),
)
