"""Signed cookies and XSRF tokens taken apart: what Tornado decides about them, step by step.

Tornado's decoders answer None and leave the reason open. Here their ladders are walked one rung
at a time, in Tornado's order, so that it can be said which rung failed. Nothing is ever signed.
Sources: ``decode_signed_value``, ``_decode_xsrf_token`` and ``check_xsrf_cookie`` in
``tornado/web.py``, version 6.6.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple

Secret = str | bytes | Mapping[int, str | bytes]
"""``cookie_secret``: one secret, or several by key version."""

State = Literal["passed", "failed", "not reached"]

DAY = 86400
V1_FUTURE_DAYS = 31
"""Tornado refuses a version 1 timestamp further ahead than this: digits may have been moved."""


class Rung(NamedTuple):
    """One check, its outcome and what was seen."""

    name: str
    state: State
    detail: str = ""


class Field(NamedTuple):
    """One part of a cookie or token. Offsets count bytes of the UTF-8 text.

    ``start`` includes the length prefix (``10:``), ``value_start`` does not; ``end`` is the
    offset after the last byte.
    """

    name: str
    start: int
    value_start: int
    end: int
    raw: bytes

    @property
    def text(self) -> str:
        """The field as text; what is not UTF-8 is shown as escapes."""
        return self.raw.decode("utf-8", "backslashreplace")


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


class _Ladder:
    """Rungs in order; after the first that fails, the others are not reached."""

    def __init__(self) -> None:
        self.rungs: list[Rung] = []
        self.standing = True

    def step(self, name: str, check: Callable[[], tuple[bool, str]]) -> None:
        """Run *check* and note its outcome, unless an earlier rung failed."""
        if not self.standing:
            self.rungs.append(Rung(name, "not reached"))
            return
        self.standing, detail = check()
        self.rungs.append(Rung(name, "passed" if self.standing else "failed", detail))


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
    ladder = _Ladder()
    ladder.step("present", lambda: (bool(raw), f"{len(raw)} bytes" if raw else "no value"))
    ladder.step("version", lambda: (version in (1, 2), f"version {version}"))
    ladder.step("min_version", lambda: (version >= min_version, f"at least {min_version}"))
    if version == 2:
        return _version_2(ladder, raw, name, secret, now, max_age_days)
    return _version_1(ladder, raw, version, name, secret, now, max_age_days)


def _version_2(
    ladder: _Ladder, raw: bytes, name: str, secret: Secret, now: float, max_age_days: float
) -> Anatomy:
    fields, problem = _fields_2(raw)
    part = {field.name: field.raw for field in fields}
    signature = part.get("signature", b"")
    # Like Tornado: without a signature nothing at all is left to sign.
    signed = len(raw) - len(signature) if signature else 0
    key_version, _ = _integer(part.get("key version", b""))
    key = _key(secret, key_version)
    expected = name.encode()

    def check_signature() -> tuple[bool, str]:
        good = hmac.compare_digest(signature, _hmac(key, "sha256", raw[:signed]))
        span = f"HMAC-SHA256 over bytes 0 to {signed}"
        return good, f"{span} {'agrees' if good else 'does not agree'}"

    ladder.step("fields", lambda: (not problem, problem or "five fields, lengths agree"))
    ladder.step("key", lambda: (key is not None, f"key version {key_version}"))
    ladder.step("signature", check_signature)
    ladder.step("name", lambda: (part["name"] == expected, f"signed for {_show(part['name'])}"))
    _time_rungs(ladder, part.get("timestamp", b""), now, max_age_days)
    payload, why = _base64(part["value"]) if "value" in part else (None, "")
    ladder.step("base64", lambda: (payload is not None, why))
    accepted = payload if ladder.standing else None
    return Anatomy(2, tuple(fields), tuple(ladder.rungs), accepted, payload, signed)


def _version_1(
    ladder: _Ladder,
    raw: bytes,
    version: int,
    name: str,
    secret: Secret,
    now: float,
    max_age_days: float,
) -> Anatomy:
    fields = _fields_1(raw) if version == 1 else []
    part = {field.name: field.raw for field in fields}
    stamp = part.get("timestamp", b"")
    count = raw.count(b"|") + 1
    key = None if isinstance(secret, Mapping) else secret

    def check_signature() -> tuple[bool, str]:
        digest = _hmac(key, "sha1", name.encode() + part["value"] + stamp)
        good = hmac.compare_digest(part["signature"], digest)
        verb = "agrees" if good else "does not agree"
        return good, f"HMAC-SHA1 over name, value and timestamp {verb}"

    several = "Tornado raises AssertionError: version 1 knows one secret, not several"
    ladder.step("key", lambda: (key is not None, "one secret" if key is not None else several))
    ladder.step("fields", lambda: (count == 3, f"{count} fields, 3 needed"))
    ladder.step("signature", check_signature)
    _time_rungs(ladder, stamp, now, max_age_days)
    limit = now + V1_FUTURE_DAYS * DAY
    ladder.step(
        "future",
        lambda: (_integer(stamp)[0] <= limit, f"at most {V1_FUTURE_DAYS} days ahead"),
    )
    ladder.step(
        "leading zero",
        lambda: (not stamp.startswith(b"0"), "a timestamp that starts with 0 was moved"),
    )
    payload, why = _base64(part["value"]) if "value" in part else (None, "")
    ladder.step("base64", lambda: (payload is not None, why))
    accepted = payload if ladder.standing else None
    return Anatomy(version, tuple(fields), tuple(ladder.rungs), accepted, payload)


def _time_rungs(ladder: _Ladder, stamp: bytes, now: float, max_age_days: float) -> None:
    number, readable = _integer(stamp)
    detail = _when(number) if readable else f"{_show(stamp)} is no integer"
    ladder.step("timestamp", lambda: (readable, detail))
    ladder.step(
        "age",
        lambda: (
            not number < now - max_age_days * DAY,
            f"{(now - _bounded(number)) / DAY:.1f} days old, {max_age_days:g} allowed",
        ),
    )


_VERSION = re.compile(rb"^([1-9][0-9]*)\|(.*)$")


def _version(raw: bytes) -> int:
    """Like Tornado's ``_get_version``: numbers above 999 are the start of a version 1 value."""
    match = _VERSION.match(raw)
    if match is None or len(match[1]) > 3:
        return 1
    return int(match[1])


def _fields_2(raw: bytes) -> tuple[list[Field], str]:
    """Return the fields that can be told apart, and what is wrong with the first that cannot."""
    fields = [Field("version", 0, 0, 1, raw[:1])]
    rest = raw[2:]
    for name in ("key version", "timestamp", "name", "value"):
        start = len(raw) - len(rest)
        prefix, colon, after = rest.partition(b":")
        length, readable = _integer(prefix)
        if not readable:
            return fields, f"{name}: no length at byte {start}"
        content = after[:length]
        if after[length : length + 1] != b"|":
            return fields, f"{name}: no | after {length} bytes, at byte {start}"
        value_start = start + len(prefix) + len(colon)
        fields.append(Field(name, start, value_start, value_start + len(content), content))
        rest = after[length + 1 :]
    start = len(raw) - len(rest)
    fields.append(Field("signature", start, start, len(raw), rest))
    if not _integer(fields[1].raw)[1]:
        return fields, f"key version {_show(fields[1].raw)} is no integer"
    return fields, ""


def _fields_1(raw: bytes) -> list[Field]:
    fields = []
    start = 0
    for name, part in zip(("value", "timestamp", "signature"), raw.split(b"|"), strict=False):
        fields.append(Field(name, start, start, start + len(part), part))
        start += len(part) + 1
    return fields


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
        decoded = base64.b64decode(raw)
    except (binascii.Error, ValueError) as error:
        return None, str(error)
    return decoded, f"{len(decoded)} bytes"


def _bounded(number: int) -> float:
    return float(max(-(10**15), min(number, 10**15)))


def _when(timestamp: int) -> str:
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return "far outside the calendar"


def _show(raw: bytes) -> str:
    return repr(raw.decode("utf-8", "backslashreplace"))


@dataclass(frozen=True)
class XsrfToken:
    """An XSRF token or cookie, taken apart.

    ``token[i] == masked[i] ^ mask[i % 4]``. *token* is None when it cannot be read, and *problem*
    then says why. Version 1 has no mask; text that is no hex counts as its own bytes (*literal*),
    because Tornado takes it so.
    """

    text: str
    version: int
    mask: bytes = b""
    masked: bytes = b""
    token: bytes | None = None
    timestamp: int | None = None
    fields: tuple[Field, ...] = ()
    literal: bool = False
    problem: str = ""


def xsrf_token(text: str) -> XsrfToken:
    """Take *text* apart as Tornado's ``_decode_xsrf_token`` does; never raises."""
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return XsrfToken(text, 0, problem="the text cannot be written as UTF-8")
    match = _VERSION.match(raw)
    if match is None:
        return _token_1(text, raw)
    if match[1] != b"2":
        version = int(match[1]) if len(match[1]) <= 9 else 0
        shown = match[1][:9].decode()
        return XsrfToken(text, version, problem=f"version {shown} is unknown; 1 and 2 exist")
    return _token_2(text, raw)


def _token_1(text: str, raw: bytes) -> XsrfToken:
    field = (Field("token", 0, 0, len(raw), raw),)
    try:
        token = binascii.a2b_hex(raw)
    except binascii.Error:
        return XsrfToken(text, 1, token=raw, fields=field, literal=True)
    return XsrfToken(text, 1, masked=token, token=token, fields=field)


def _token_2(text: str, raw: bytes) -> XsrfToken:
    names = ("version", "mask", "masked token", "timestamp")
    fields: list[Field] = []
    start = 0
    for name, part in zip(names, raw.split(b"|"), strict=False):
        fields.append(Field(name, start, start, start + len(part), part))
        start += len(part) + 1
    token = XsrfToken(text, 2, fields=tuple(fields))
    count = raw.count(b"|") + 1
    if count != 4:
        return _with(token, problem=f"{count} fields, 4 needed")
    _, mask_text, masked_text, stamp = text.split("|")
    mask, masked = _hex(mask_text), _hex(masked_text)
    if mask is None or len(mask) != 4:
        return _with(token, masked=masked or b"", problem="the mask is not 8 hex digits")
    if masked is None:
        return _with(token, mask=mask, problem="the masked token is not hex")
    try:
        timestamp = int(stamp)
    except ValueError:
        return _with(token, mask=mask, masked=masked, problem="the timestamp is no integer")
    plain = bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked))
    problem = "" if plain else "the token is empty"
    return XsrfToken(
        text, 2, mask, masked, plain, timestamp, tuple(fields), literal=False, problem=problem
    )


def _with(token: XsrfToken, mask: bytes = b"", masked: bytes = b"", problem: str = "") -> XsrfToken:
    return XsrfToken(
        token.text, token.version, mask, masked, None, None, token.fields, problem=problem
    )


def _hex(text: str) -> bytes | None:
    try:
        return binascii.a2b_hex(text.encode())
    except (binascii.Error, ValueError):
        return None


SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
MISSING = "'_xsrf' argument missing from POST"
FORMAT = "'_xsrf' argument has invalid format"
MISMATCH = "XSRF cookie does not match POST argument"

XsrfCode = Literal[
    "safe-method",
    "passed",
    "no-token",
    "invalid-format",
    "no-cookie",
    "cookie-garbage",
    "quoted-token",
    "bytes-token",
    "wrong-token",
]


@dataclass(frozen=True)
class Verdict:
    """Why the XSRF check passed or refused a request.

    *repair* is one thing to do, empty when nothing is wrong. *message* is what Tornado says with
    its 403, empty when the check passes. *source* says where the token was found; *token* and
    *cookie* are both sides of the comparison, for as much of them as there was.
    """

    code: XsrfCode
    sentence: str
    repair: str
    rungs: tuple[Rung, ...]
    message: str = ""
    source: str = ""
    token: XsrfToken | None = None
    cookie: XsrfToken | None = None

    @property
    def passed(self) -> bool:
        """Whether the request goes on to ``prepare``."""
        return not self.message


def xsrf_verdict(
    method: str,
    argument: str | None,
    x_xsrftoken: str | None,
    x_csrftoken: str | None,
    cookie: str | None,
    *,
    content_type: str = "",
    misnamed_header: str = "",
) -> Verdict:
    """Explain what ``check_xsrf_cookie`` decides about a request.

    *argument* is what ``get_argument("_xsrf", None)`` gave, *cookie* what ``get_cookie`` gave for
    the XSRF cookie; the others are header values. *content_type* and *misnamed_header* (a header
    that looks meant, such as ``X-XSRF-TOKEN``) only sharpen the words. The decision itself is
    Tornado's; this agrees with it.
    """
    if method.upper() in SAFE_METHODS:
        return _safe(method)
    source, text = _input(argument, x_xsrftoken, x_csrftoken)
    token = xsrf_token(text) if text else None
    expected = xsrf_token(cookie) if cookie else None
    code = _code(token, expected)
    words = _WORDS[code]
    sentence, repair, message = words.sentence, words.repair, words.message
    if code == "no-token":
        sentence, repair = _missing(content_type, misnamed_header)
    elif code == "invalid-format" and token is not None:
        sentence = f"{sentence.removesuffix('.')}: {token.problem}."
    rungs = _rungs(method, source, token, expected, code)
    return Verdict(code, sentence, repair, rungs, message, source, token, expected)


def _code(token: XsrfToken | None, cookie: XsrfToken | None) -> XsrfCode:
    if token is None:
        return "no-token"
    if not token.token:
        return "invalid-format"
    if cookie is None:
        return "no-cookie"
    if cookie.token is not None and hmac.compare_digest(token.token, cookie.token):
        return "passed"
    if not cookie.token or cookie.literal:
        return "cookie-garbage"
    if token.literal and re.match(r"""b(['"]).*\1$""", token.text):
        return "bytes-token"
    if token.literal and re.match(r"""(['"]).*\1$""", token.text):
        return "quoted-token"
    return "wrong-token"


class _Words(NamedTuple):
    sentence: str
    repair: str
    message: str


_WORDS: dict[XsrfCode, _Words] = {
    "passed": _Words("The token and the cookie agree.", "", ""),
    "no-token": _Words("", "", MISSING),
    "invalid-format": _Words(
        "The token has an invalid format.",
        "Send the token as it was given out: 2|mask|masked token|timestamp.",
        FORMAT,
    ),
    "no-cookie": _Words(
        "A token was sent, but no _xsrf cookie came with it.",
        "Read self.xsrf_token (or the form's module) in a page before, so that the cookie is set, "
        "and stay on one host: 127.0.0.1 is not localhost.",
        MISMATCH,
    ),
    "cookie-garbage": _Words(
        "The _xsrf cookie is no XSRF token, so nothing can match it.",
        "Delete the _xsrf cookie and load the page again: Tornado sets a new one.",
        MISMATCH,
    ),
    "quoted-token": _Words(
        "The token was sent in quotation marks, which became part of it.",
        "Send the token without the quotation marks.",
        MISMATCH,
    ),
    "bytes-token": _Words(
        "The token was sent as Python prints bytes: b'…'.",
        "Decode it first: self.xsrf_token.decode().",
        MISMATCH,
    ),
    "wrong-token": _Words(
        "The token and the cookie are both readable, but differ once unmasked.",
        "Take the token from a page that was loaded with this very cookie.",
        MISMATCH,
    ),
}


def _safe(method: str) -> Verdict:
    rungs = (
        Rung("method", "passed", f"{method} is a safe method: nothing is checked"),
        *(Rung(name, "not reached") for name in ("token", "format", "cookie", "compare")),
    )
    return Verdict("safe-method", f"{method} is not checked.", "", rungs)


def _input(
    argument: str | None, x_xsrftoken: str | None, x_csrftoken: str | None
) -> tuple[str, str]:
    """Return where the first token that is not empty comes from, and the token."""
    for source, text in (
        ("_xsrf", argument),
        ("X-Xsrftoken", x_xsrftoken),
        ("X-Csrftoken", x_csrftoken),
    ):
        if text:
            return source, text
    return "", ""


def _missing(content_type: str, misnamed_header: str) -> tuple[str, str]:
    if misnamed_header:
        return (
            f"The token was sent in {misnamed_header}, which Tornado does not read.",
            "Name the header X-Xsrftoken.",
        )
    if "json" in content_type.lower():
        return (
            "The body is JSON: Tornado finds arguments only in forms and in the query.",
            "Send the token in the header X-Xsrftoken.",
        )
    return (
        "The request was sent without a token.",
        "Put {% module xsrf_form_html() %} inside the form, or send the header X-Xsrftoken.",
    )


def _rungs(
    method: str,
    source: str,
    token: XsrfToken | None,
    cookie: XsrfToken | None,
    code: XsrfCode,
) -> tuple[Rung, ...]:
    ladder = _Ladder()
    ladder.step("method", lambda: (True, f"{method} is not a safe method"))
    ladder.step(
        "token",
        lambda: (
            token is not None,
            f"found in {source}" if token else "none in _xsrf, X-Xsrftoken, X-Csrftoken",
        ),
    )
    ladder.step("format", lambda: (code != "invalid-format", _describe(token)))
    readable = code not in ("no-cookie", "cookie-garbage")
    ladder.step("cookie", lambda: (readable, _describe(cookie) if cookie else "no _xsrf cookie"))
    same = code == "passed"
    ladder.step("compare", lambda: (same, "unmasked, they agree" if same else "they differ"))
    return tuple(ladder.rungs)


def _describe(token: XsrfToken | None) -> str:
    if token is None:
        return ""
    if token.problem:
        return token.problem
    return "no token format: taken as it stands" if token.literal else f"version {token.version}"
