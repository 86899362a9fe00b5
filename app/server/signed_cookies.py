"""Signed cookies taken apart: what Tornado decides about them, rung by rung.

Tornado's decoder answers None and leaves the reason open. Here its ladder is walked one rung at a
time, in Tornado's order, so that it can be said which rung failed. Nothing is ever signed here.
Source: ``decode_signed_value`` in ``tornado/web.py``, version 6.6.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from .ladder import VERSION, Field, Ladder, Rung, Words, split_fields

Secret = str | bytes | Mapping[int, str | bytes]
"""``cookie_secret``: one secret, or several by key version."""


class Keys(NamedTuple):
    """``cookie_secret``, None where there is none, and which of several keys signs."""

    secret: Secret | None
    version: int | None = None


DAY = 86400
V1_FUTURE_DAYS = 31
"""Tornado refuses a version 1 timestamp further ahead than this: digits may have been moved."""


@dataclass(frozen=True)
class Anatomy:
    """A signed cookie, taken apart.

    *value* is what Tornado returns: None unless every rung passed. *payload* is the decoded value
    as far as it can be read at all, whatever the signature says. *signed* is how many of the
    leading bytes version 2 signs.
    """

    version: int
    fields: tuple[Field, ...]
    rungs: tuple[Rung, ...]
    value: bytes | None
    payload: bytes | None
    signed: int = 0

    @property
    def failed(self) -> Rung | None:
        """The first rung that failed, or None when the cookie is accepted."""
        return next((rung for rung in self.rungs if rung.state == "failed"), None)

    def field(self, name: str) -> Field | None:
        """Return the field called *name*, or None when it could not be found."""
        return next((field for field in self.fields if field.name == name), None)


def looks_signed(value: str) -> bool:
    """Return whether *value* has the form of a signed cookie, version 1 or 2, damaged or not."""
    raw = value.encode("utf-8", "surrogatepass")
    parts = raw.split(b"|")
    if parts[0] == b"2" and len(parts) > 2:
        return b":" in parts[1] or len(parts) == 6
    return len(parts) == 3 and len(parts[2]) == 40


def signed_cookie(
    value: str,
    name: str,
    secret: Secret,
    now: float,
    max_age_days: float = 31,
    min_version: int = 1,
) -> Anatomy:
    """Take apart the signed cookie *name* with *value* as ``get_signed_cookie`` would at *now*.

    *now* is in seconds since the epoch. The result agrees with
    ``tornado.web.decode_signed_value``. Raises ValueError for a *min_version* above 2, like
    Tornado.
    """
    if min_version > 2:
        raise ValueError(f"Unsupported min_version {min_version}")
    raw = value.encode("utf-8", "surrogatepass")
    version = _version(raw)
    ladder = Ladder()
    ladder.step("present", lambda: (bool(raw), _bytes(len(raw)) if raw else Words("no value")))
    ladder.step("version", lambda: (version in (1, 2), Words("version {n}", {"n": version})))
    ladder.step(
        "min_version",
        lambda: (version >= min_version, Words("at least {n}", {"n": min_version})),
    )
    if version == 2:
        return _version_2(ladder, raw, name, secret, now, max_age_days)
    return _version_1(ladder, raw, version, name, secret, now, max_age_days)


def _version_2(
    ladder: Ladder, raw: bytes, name: str, secret: Secret, now: float, max_age_days: float
) -> Anatomy:
    fields, problem = _fields_2(raw)
    part = {field.name: field.raw for field in fields}
    signature = part.get("signature", b"")
    # Like Tornado: without a signature nothing at all is left to sign.
    signed = len(raw) - len(signature) if signature else 0
    key_version, _ = _integer(part.get("key version", b""))
    key = _key(secret, key_version)
    expected = name.encode()

    def check_signature() -> tuple[bool, Words]:
        good = hmac.compare_digest(signature, _hmac(key, "sha256", raw[:signed]))
        agrees = "HMAC-SHA256 over the first {count} bytes agrees"
        differs = "HMAC-SHA256 over the first {count} bytes does not agree"
        return good, Words(agrees if good else differs, {"count": signed})

    def check_key() -> tuple[bool, Words]:
        words = "key version {n}" if key is not None else "there is no key of version {n}"
        return key is not None, Words(words, {"n": key_version})

    def check_name() -> tuple[bool, Words]:
        return part["name"] == expected, Words("signed for {name}", {"name": _show(part["name"])})

    ladder.step("fields", lambda: (not problem, problem or Words("five fields, lengths agree")))
    ladder.step("key", check_key)
    ladder.step("signature", check_signature)
    ladder.step("name", check_name)
    _time_rungs(ladder, part.get("timestamp", b""), now, max_age_days)
    payload = _base64_rung(ladder, part)
    accepted = payload if ladder.standing else None
    return Anatomy(2, tuple(fields), tuple(ladder.rungs), accepted, payload, signed)


def _version_1(
    ladder: Ladder,
    raw: bytes,
    version: int,
    name: str,
    secret: Secret,
    now: float,
    max_age_days: float,
) -> Anatomy:
    fields = split_fields(raw, ("value", "timestamp", "signature")) if version == 1 else ()
    part = {field.name: field.raw for field in fields}
    stamp = part.get("timestamp", b"")
    count = raw.count(b"|") + 1
    key = None if isinstance(secret, Mapping) else secret

    def check_key() -> tuple[bool, Words]:
        several = "Tornado raises AssertionError: version 1 knows one secret, not several"
        return key is not None, Words("one secret" if key is not None else several)

    def check_signature() -> tuple[bool, Words]:
        digest = _hmac(key, "sha1", name.encode() + part["value"] + stamp)
        good = hmac.compare_digest(part["signature"], digest)
        agrees = "HMAC-SHA1 over name, value and timestamp agrees"
        differs = "HMAC-SHA1 over name, value and timestamp does not agree"
        return good, Words(agrees if good else differs)

    def check_future() -> tuple[bool, Words]:
        ahead = Words("at most {days} days ahead", {"days": V1_FUTURE_DAYS})
        return _integer(stamp)[0] <= now + V1_FUTURE_DAYS * DAY, ahead

    def check_zero() -> tuple[bool, Words]:
        moved = "a timestamp that starts with 0 was moved"
        zero = stamp.startswith(b"0")
        return not zero, Words(moved if zero else "does not start with 0")

    ladder.step("key", check_key)
    ladder.step("fields", lambda: (count == 3, Words("{count} of 3 fields", {"count": count})))
    ladder.step("signature", check_signature)
    _time_rungs(ladder, stamp, now, max_age_days)
    ladder.step("future", check_future)
    ladder.step("leading zero", check_zero)
    payload = _base64_rung(ladder, part)
    accepted = payload if ladder.standing else None
    return Anatomy(version, fields, tuple(ladder.rungs), accepted, payload)


def _time_rungs(ladder: Ladder, stamp: bytes, now: float, max_age_days: float) -> None:
    number, readable = _integer(stamp)
    no_integer = Words("{field} is no integer", {"field": _show(stamp)})
    age = {"days": f"{(now - _bounded(number)) / DAY:.1f}", "most": f"{max_age_days:g}"}
    ladder.step(
        "timestamp",
        lambda: (readable, Words("{time}", {"time": when(number)}) if readable else no_integer),
    )
    ladder.step(
        "age",
        lambda: (
            not number < now - max_age_days * DAY,
            Words("{days} days old, {most} allowed", age),
        ),
    )


def _base64_rung(ladder: Ladder, part: Mapping[str, bytes]) -> bytes | None:
    payload, why = _base64(part["value"]) if "value" in part else (None, "")
    seen = Words("{error}", {"error": why}) if payload is None else _bytes(len(payload))
    ladder.step("base64", lambda: (payload is not None, seen))
    return payload


def _version(raw: bytes) -> int:
    """Like Tornado's ``_get_version``: numbers above 999 are the start of a version 1 value."""
    match = VERSION.match(raw)
    if match is None or len(match[1]) > 3:
        return 1
    return int(match[1])


def _fields_2(raw: bytes) -> tuple[list[Field], Words | None]:
    """Return the fields that can be told apart, and what is wrong with the first that cannot."""
    fields = [Field("version", 0, 0, 1, raw[:1])]
    rest = raw[2:]
    for name in ("key version", "timestamp", "name", "value"):
        start = len(raw) - len(rest)
        prefix, colon, after = rest.partition(b":")
        length, readable = _integer(prefix)
        if not readable:
            return fields, Words(
                "{field}: no length at byte {at}", {"field": Words(name), "at": start}
            )
        content = after[:length]
        if after[length : length + 1] != b"|":
            values = {"field": Words(name), "count": length, "at": start}
            return fields, Words("{field}: no | after {count} bytes, at byte {at}", values)
        value_start = start + len(prefix) + len(colon)
        fields.append(Field(name, start, value_start, value_start + len(content), content))
        rest = after[length + 1 :]
    start = len(raw) - len(rest)
    fields.append(Field("signature", start, start, len(raw), rest))
    if not _integer(fields[1].raw)[1]:
        return fields, Words("{field} is no integer", {"field": _show(fields[1].raw)})
    return fields, None


def _key(secret: Secret, version: int) -> str | bytes | None:
    if isinstance(secret, Mapping):
        return secret.get(version)
    return secret


def _hmac(key: str | bytes | None, digest: str, signed: bytes) -> bytes:
    assert key is not None
    secret = key.encode() if isinstance(key, str) else key
    return hmac.new(secret, signed, getattr(hashlib, digest)).hexdigest().encode()


def _integer(raw: bytes) -> tuple[int, bool]:
    """Return the number and whether there is one, by Python's rules, as Tornado reads it."""
    try:
        return int(raw), True
    except ValueError:
        return 0, False


def _base64(raw: bytes) -> tuple[bytes | None, str]:
    try:
        return base64.b64decode(raw), ""
    except (binascii.Error, ValueError) as error:
        return None, str(error)


def _bytes(count: int) -> Words:
    return Words("{count} bytes", {"count": count})


def _bounded(number: int) -> float:
    return float(max(-(10**15), min(number, 10**15)))


def when(timestamp: float) -> str:
    """Return a time in seconds since the epoch in words, in UTC."""
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return "∞"


def _show(raw: bytes) -> str:
    return repr(raw.decode("utf-8", "backslashreplace"))
