"""Signed cookies: exact offsets, and agreement with Tornado's own decoder."""

from __future__ import annotations

import hashlib
import hmac
import logging
import random

import pytest
from tornado.web import create_signed_value, decode_signed_value

from app.server.signed_cookies import Secret, looks_signed, signed_cookie

from .mutations import mutate


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Tornado warns of each refusal; thousands of them are wanted here."""
    caplog.set_level(logging.ERROR, "tornado.general")
    caplog.set_level(logging.ERROR, "tornado.access")


NOW = 1_700_000_000.0
SIGNED = (
    "2|1:0|10:1700000000|4:user|8:YWxpY2U=|"
    "bdb1c4cdb16c970d48abd9cc263b2d5c52e300b28ef47923f652d30c1e2b013f"
)
SIGNED_1 = "YWxpY2U=|1700000000|bf1bc0e1aca948d199d1e333b3ac1d177521ec44"


def failed(value: str, secret: Secret = "SECRET", **options: float) -> str:
    anatomy = signed_cookie(value, "user", secret, NOW, **options)  # type: ignore[arg-type]
    assert (anatomy.failed is None) == (anatomy.value is not None)
    return anatomy.failed.name if anatomy.failed else ""


def signed(value: str = "alice", name: str = "user", at: float = NOW, **options: int) -> str:
    return create_signed_value("SECRET", name, value, clock=lambda: at, **options).decode()


def resigned(text: str) -> str:
    """Sign a mutated cookie again, so that the rungs behind the signature are reached too."""
    head = text.rpartition("|")[0] + "|"
    return head + hmac.new(b"SECRET", head.encode(), hashlib.sha256).hexdigest()


def test_version_2_at_exact_offsets() -> None:
    anatomy = signed_cookie(SIGNED, "user", "SECRET", NOW)
    assert len(SIGNED) == 102
    assert (anatomy.value, anatomy.payload, anatomy.version) == (b"alice", b"alice", 2)
    assert anatomy.signed == 38
    assert [(f.name, f.start, f.value_start, f.end) for f in anatomy.fields] == [
        ("version", 0, 0, 1),
        ("key version", 2, 4, 5),
        ("timestamp", 6, 9, 19),
        ("name", 20, 22, 26),
        ("value", 27, 29, 37),
        ("signature", 38, 38, 102),
    ]
    for field in anatomy.fields:
        assert SIGNED.encode()[field.value_start : field.end] == field.raw
    assert [rung.name for rung in anatomy.rungs] == [
        *("present", "version", "min_version", "fields", "key"),
        *("signature", "name", "timestamp", "age", "base64"),
    ]
    assert {rung.state for rung in anatomy.rungs} == {"passed"}


def test_version_1_at_exact_offsets() -> None:
    anatomy = signed_cookie(SIGNED_1, "user", "SECRET", NOW)
    assert (anatomy.value, anatomy.version) == (b"alice", 1)
    assert [(f.name, f.start, f.end) for f in anatomy.fields] == [
        ("value", 0, 8),
        ("timestamp", 9, 19),
        ("signature", 20, 60),
    ]


@pytest.mark.parametrize(
    ("value", "rung"),
    [
        ("", "present"),
        (SIGNED.replace("2|", "3|", 1), "version"),
        (SIGNED.replace("4:user", "5:user"), "fields"),
        (SIGNED.replace("4:user", "x:user"), "fields"),
        (SIGNED[:30], "fields"),
        (SIGNED.replace("1:0", "1:x"), "fields"),
        (SIGNED.replace("YWx", "YWy"), "signature"),
        (SIGNED[:-1] + "0", "signature"),
        (SIGNED[:38], "signature"),
        (signed(name="other"), "name"),
        (resigned(SIGNED.replace("10:1700000000", "10:170000000x")), "timestamp"),
        (resigned(SIGNED.replace("8:YWxpY2U=", "7:YWxpY2U")), "base64"),
        (signed(at=NOW - 32 * 86400), "age"),
        (SIGNED_1[:-1] + "5", "signature"),
        ("no cookie", "fields"),
        (signed(at=NOW + 32 * 86400, version=1), "future"),
        (signed(at=NOW - 32 * 86400, version=1), "age"),
    ],
)
def test_the_first_rung_that_fails(value: str, rung: str) -> None:
    assert failed(value) == rung
    assert decode_signed_value("SECRET", "user", value, clock=lambda: NOW) is None


def test_later_rungs_are_not_reached_but_the_value_still_decodes() -> None:
    anatomy = signed_cookie(SIGNED[:-1] + "0", "user", "SECRET", NOW)
    assert (anatomy.value, anatomy.payload) == (None, b"alice")
    assert [rung.state for rung in anatomy.rungs[-5:]] == ["failed", *["not reached"] * 4]
    cut = signed_cookie(SIGNED[:20], "user", "SECRET", NOW)
    assert [field.name for field in cut.fields] == ["version", "key version", "timestamp"]


def test_options() -> None:
    assert failed(SIGNED, "OTHER") == "signature"
    assert failed(SIGNED, {1: "SECRET"}) == "key"
    assert failed(SIGNED, {0: b"SECRET"}) == ""
    assert failed(SIGNED_1, {0: "SECRET"}) == "key"
    assert failed(SIGNED_1, min_version=2) == "min_version"
    assert failed(SIGNED, max_age_days=0) == ""
    assert failed(signed(at=NOW - 1), max_age_days=0) == "age"
    with pytest.raises(ValueError, match="min_version"):
        signed_cookie(SIGNED, "user", "SECRET", NOW, min_version=3)


def test_agrees_with_tornado_on_mutations() -> None:
    chance = random.Random(6265)
    accepted = 0
    rungs = set()
    for number in range(10_000):
        text = mutate(SIGNED_1 if number % 4 == 0 else SIGNED, chance)
        if number % 4 == 1:
            text = resigned(text)
        secret: Secret = {0: "SECRET", 3: "X"} if number % 8 > 4 and "|1:" in text else "SECRET"
        anatomy = signed_cookie(text, "user", secret, NOW)
        try:
            expected = decode_signed_value(secret, "user", text, clock=lambda: NOW)  # type: ignore[arg-type]
        except AssertionError:  # version 1 and several secrets
            expected = None
        assert anatomy.value == expected, text
        assert (anatomy.failed is None) == (expected is not None)
        rungs.add(anatomy.failed.name if anatomy.failed else "")
        accepted += expected is not None
    assert 1_000 < accepted < 9_000
    assert rungs >= {"", "version", "fields", "key", "signature", "name", "timestamp", "age"}


def test_what_looks_like_a_signed_cookie() -> None:
    assert looks_signed(SIGNED)
    assert looks_signed(SIGNED_1)
    assert looks_signed(SIGNED[:60])
    assert looks_signed(SIGNED.replace("1:0", "10"))
    for plain in ("", "alice", "2|9f3ac1d0|6428b1a774da1c1cf0a2030405060708|1763596800", "a|b|c"):
        assert not looks_signed(plain)
