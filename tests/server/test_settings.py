"""The catalogue of settings is Tornado's, values are checked, secrets are rotated."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import tornado
from tornado.httpserver import HTTPServer
from tornado.web import Application, create_signed_value, decode_signed_value

from app.server.settings import (
    GROUPS,
    SERVER_SETTINGS,
    SETTINGS,
    Kind,
    fault,
    faults,
    new_secret,
    rotated,
)
from app.widgets.i18n import load

PACKAGE = Path(tornado.__file__).parent
_READS = re.compile(
    r"""settings\s*(?:\.\s*(?:get|setdefault|pop)\s*\(|\[)\s*["'](\w+)["']"""
    r"""|require_setting\(\s*["'](\w+)["']|["'](\w+)["']\s+(?:not\s+)?in\s+[\w.]*settings\b"""
    r"""|_SETTINGS_KEY\s*=\s*["'](\w+)["']"""
)
_OF_A_TABLE = {"key", "secret"}
"""Read in auth.py from the table ``google_oauth``."""


def read_by_tornado() -> set[str]:
    """Return the names that Tornado's source reads from the settings."""
    found = set()
    for path in PACKAGE.glob("*.py"):
        source = re.sub(r"#[^\n]*", "", path.read_text("utf-8"))
        found |= {name for groups in _READS.findall(source) for name in groups if name}
    return found - _OF_A_TABLE


def arguments(function: Any, without: set[str]) -> dict[str, Any]:
    """Return the named arguments of *function* with their defaults."""
    parameters = inspect.signature(function).parameters.values()
    named = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    return {p.name: p.default for p in named if p.name not in without}


def test_the_catalogue_has_every_setting_that_tornado_reads_and_no_other() -> None:
    ours = set(SETTINGS) - SERVER_SETTINGS
    constructor = arguments(Application.__init__, {"self", "handlers", "transforms"})
    assert len(read_by_tornado()) > 30
    assert ours == read_by_tornado() | set(constructor)


def test_the_catalogue_has_every_argument_of_the_http_server() -> None:
    tornados = arguments(HTTPServer.initialize, {"self", "request_callback"})
    assert tornados.keys() == SERVER_SETTINGS


def test_defaults_are_those_of_tornado() -> None:
    source = re.sub(r"\s+", " ", (PACKAGE / "web.py").read_text("utf-8"))
    for name, literal in re.findall(r"""settings\.get\( ?"(\w+)", ([^ ()]+?) ?\)""", source):
        if literal not in ("StaticFileHandler", "None"):
            assert SETTINGS[name].default == eval(literal) or not SETTINGS[name].default, name
    params = HTTPServer(Application()).conn_params
    for name in ("chunk_size", "max_header_size", "no_keep_alive"):
        assert SETTINGS[name].default == getattr(params, name)
    assert SETTINGS["idle_connection_timeout"].default == params.header_timeout
    assert SETTINGS["decompress_request"].default == params.decompress


def test_names_are_unique_and_every_text_has_its_chinese() -> None:
    listed = [setting.name for group in GROUPS for setting in group.settings]
    assert len(listed) == len(SETTINGS)
    chinese = load("zh")
    texts = [s.help for s in SETTINGS.values()] + [group.title for group in GROUPS]
    assert [text for text in texts if text not in chinese] == []


GOOD: list[tuple[str, Any]] = [
    ("xsrf_cookies", True),
    ("xsrf_cookie_version", 1),
    ("xsrf_cookie_kwargs", {"httponly": True, "samesite": "Lax"}),
    ("trusted_origins", ["https://a.example", "http://[::1]:8000", "null"]),
    ("websocket_ping_interval", 0),
    ("websocket_ping_interval", 2.5),
    ("max_body_size", 0),
    ("autoescape", False),
    ("ui_modules", ["handlers.ui", "handlers.more"]),
    ("cookie_secret", "s"),
    ("my_own", object()),
]
BAD: list[tuple[str, Any, str]] = [
    ("xsrf_cookies", "yes", "must be true or false"),
    ("xsrf_cookie_version", 3, "none of the values"),
    ("xsrf_cookie_kwargs", {"httpOnly": True}, "no such attribute"),
    ("trusted_origins", "https://a.example", "list of texts"),
    ("trusted_origins", ["https://a.example/path"], "without a path"),
    ("websocket_ping_interval", -1, "must not be negative"),
    ("websocket_ping_interval", float("inf"), "must be a number"),
    ("max_header_size", 0, "must be more than 0"),
    ("max_header_size", 1.5, "must be a whole number"),
    ("chunk_size", True, "must be a whole number"),
    ("login_url", 1, "must be text"),
    ("cookie_secret", "", "not empty"),
    ("cookie_secret", {}, "not be empty"),
    ("cookie_secret", {"1": ""}, "not be empty"),
    ("cookie_secret", {"x": "s"}, "must be numbers"),
    ("template_loader", "x", "only Python code"),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_good_values_pass(name: str, value: Any) -> None:
    assert fault(name, value) == ""


@pytest.mark.parametrize(("name", "value", "said"), BAD)
def test_bad_values_are_named(name: str, value: Any, said: str) -> None:
    assert said in faults({name: value})[name]


def test_several_secrets_need_the_version_of_one_of_them() -> None:
    secrets = {"1": "a", "2": "b"}
    assert faults({"cookie_secret": secrets, "key_version": 2}) == {}
    assert "is needed" in faults({"cookie_secret": secrets})["key_version"]
    assert "names no version" in faults({"cookie_secret": secrets, "key_version": 3})["key_version"]


def signed(settings: dict[str, Any], value: str) -> bytes:
    """Sign as a handler would under *settings*."""
    secret = settings["cookie_secret"]
    keys = {int(k): v for k, v in secret.items()} if isinstance(secret, dict) else secret
    return create_signed_value(keys, "user", value, key_version=settings.get("key_version"))


@pytest.mark.parametrize("start", ["first", {"4": "first", "7": "second"}])
def test_rotating_keeps_old_cookies_valid(start: Any) -> None:
    version = 4 if isinstance(start, dict) else None
    before = signed({"cookie_secret": start, "key_version": version}, "alice")
    once = rotated(start, version)
    twice = rotated(once["cookie_secret"], once["key_version"])
    keys = {int(k): v for k, v in twice["cookie_secret"].items()}
    for cookie, user in ((before, b"alice"), (signed(once, "bob"), b"bob")):
        assert decode_signed_value(keys, "user", cookie) == user
    after = signed(twice, "carol")
    assert decode_signed_value(keys, "user", after) == b"carol"
    assert decode_signed_value({4: "first", 0: "first", 7: "second"}, "user", after) is None
    assert len(set(keys.values())) == len(keys)


def test_a_first_rotation_makes_the_first_version() -> None:
    made = rotated(None, None)
    assert made["key_version"] == 1
    assert list(made["cookie_secret"]) == ["1"]
    assert len(new_secret()) >= 43


def test_kinds_have_fitting_defaults() -> None:
    for setting in SETTINGS.values():
        if setting.default is not None and setting.kind is not Kind.CODE:
            assert fault(setting.name, setting.default) == "", setting.name
