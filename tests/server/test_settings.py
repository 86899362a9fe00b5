"""The catalogue of settings is Tornado's, values are checked, secrets are rotated."""

from __future__ import annotations

import asyncio
import http.client
import inspect
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import tornado
from tornado.httpserver import HTTPServer
from tornado.web import Application, create_signed_value, decode_signed_value

from app.recording.recorder import Recorder
from app.server.cookie_secret import new_secret, rotated
from app.server.server import Server
from app.server.setting_faults import fault, faults
from app.server.settings import GROUPS, SERVER_SETTINGS, SETTINGS, Kind
from app.server.site import Route, Site, SiteError, load, save
from app.widgets.i18n import load as translations

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
    chinese = translations("zh")
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


HANDLER = """
from tornado.web import RequestHandler

class Who(RequestHandler):
    def get(self):
        self.write(self.get_signed_cookie("user") or b"nobody")
    def post(self):
        self.set_signed_cookie("user", "alice")
        self.write(f"{len(self.request.body)} from {self.request.remote_ip}")
"""


def site_of(folder: Path) -> Site:
    return Site(folder, "s", handlers={"who.py": HANDLER}).with_routes(
        [Route("/", "handlers.who.Who")]
    )


class Browser:
    """One connection with a cookie."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.cookie = ""

    async def ask(self, method: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
        return await asyncio.to_thread(self._ask, method, body, headers)

    def _ask(self, method: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            sent["Cookie"] = self.cookie
        self._connection.request(method, "/", body or None, sent)
        response = self._connection.getresponse()
        self.cookie = response.getheader("Set-Cookie", self.cookie).partition(";")[0]
        return response.status, response.read().decode()

    async def announce(self, length: int) -> int:
        """Send the headers of a POST alone; return the status that they are answered with.

        Who refuses a body that was sent may close with bytes unread, and so undo its answer.
        """
        return await asyncio.to_thread(self._announce, length)

    def _announce(self, length: int) -> int:
        self._connection.putrequest("POST", "/")
        self._connection.putheader("Content-Length", str(length))
        self._connection.endheaders()
        return self._connection.getresponse().status

    def close(self) -> None:
        self._connection.close()


def serve(site: Site, visit: Callable[[Server, Callable[[], Browser]], Awaitable[None]]) -> None:
    """Let *visit* talk to a server of its own that serves *site*."""

    async def main() -> None:
        server = Server(Recorder())
        server.apply(site)
        _, port = server.start("127.0.0.1", 0)
        browsers: list[Browser] = []

        def connect() -> Browser:
            browsers.append(Browser(port))
            return browsers[-1]

        try:
            await visit(server, connect)
        finally:
            for browser in browsers:
                browser.close()
            await server.close()

    asyncio.run(main())


def test_a_login_outlives_rotations_of_the_secret(tmp_path: Path) -> None:
    site = site_of(tmp_path).with_settings({"cookie_secret": "first"})

    async def visit(server: Server, connect: Callable[[], Browser]) -> None:
        old, new = connect(), connect()
        await old.ask("POST", b"x")
        settings = rotated("first", None)
        server.apply(site.with_settings(settings))
        await new.ask("POST", b"x")
        assert (await old.ask("GET"))[1] == (await new.ask("GET"))[1] == "alice"
        server.apply(site.with_settings(rotated(settings["cookie_secret"], 1)))
        assert (await old.ask("GET"))[1] == (await new.ask("GET"))[1] == "alice"
        server.apply(site.with_settings({"cookie_secret": new_secret()}))
        assert (await old.ask("GET"))[1] == (await new.ask("GET"))[1] == "nobody"

    serve(site, visit)


def test_limits_of_the_http_server_hold_for_new_connections_and_none_is_dropped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL", "tornado.general")
    site = site_of(tmp_path)

    async def visit(server: Server, connect: Callable[[], Browser]) -> None:
        kept = connect()
        assert (await kept.ask("POST", b"x" * 2000))[1].startswith("2000 ")
        server.apply(site.with_server({"max_body_size": 1000, "xheaders": True}))
        assert (await kept.ask("POST", b"x" * 2000))[1].startswith("2000 ")
        fresh = connect()
        assert await fresh.ask("POST", b"x", X_Real_Ip="9.8.7.6") == (200, "1 from 9.8.7.6")
        assert await fresh.announce(2000) == 400
        server.apply(site)
        assert (await connect().ask("POST", b"x" * 2000, X_Real_Ip="9.8.7.6"))[1] == (
            "2000 from 127.0.0.1"
        )

    serve(site.with_server({}), visit)


def test_the_server_starts_with_the_limits_of_the_site(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL", "tornado.general")

    async def visit(server: Server, connect: Callable[[], Browser]) -> None:
        assert (await connect().ask("POST", b"1234"))[1].startswith("4 ")
        assert await connect().announce(5) == 400

    serve(site_of(tmp_path).with_server({"max_body_size": 4}), visit)


@pytest.mark.parametrize(
    ("server", "said"),
    [({"chunk_size": 0}, "'chunk_size': must be more"), ({"debug": True}, "'debug': is no arg")],
)
def test_bad_arguments_of_the_server_leave_the_last_good_version(
    tmp_path: Path, server: dict[str, Any], said: str
) -> None:
    async def visit(running: Server, connect: Callable[[], Browser]) -> None:
        with pytest.raises(SiteError) as error:
            running.apply(site_of(tmp_path).with_server(server))
        assert said in str(error.value)
        assert (await connect().ask("GET"))[0] == 200

    serve(site_of(tmp_path), visit)


def test_settings_outlive_saving_and_loading(tmp_path: Path) -> None:
    settings = {
        **rotated("first", None),
        "xsrf_cookies": True,
        "xsrf_cookie_kwargs": {"httponly": True, "samesite": "Lax"},
        "trusted_origins": ["https://a.example"],
        "websocket_ping_interval": 2.5,
        "my_own": {"deep": [1, "two"]},
    }
    server = {"max_body_size": 1000, "xheaders": True, "trusted_downstream": ["10.0.0.1"]}
    save(site_of(tmp_path).with_settings(settings).with_server(server), tmp_path)
    loaded = load(tmp_path)
    assert (loaded.settings, loaded.server) == (settings, server)
    assert (tmp_path / "site.toml").read_text().count("[server]") == 1


LOGGED_IN = """
from tornado.web import RequestHandler

class Who(RequestHandler):
    def get_current_user(self):
        return "alice"
    def get(self):
        self.write(self.xsrf_token)
"""


def test_what_tornado_writes_into_its_settings_is_not_the_projects(tmp_path: Path) -> None:
    kwargs = {"httponly": True}
    site = site_of(tmp_path).with_handler("who.py", LOGGED_IN)
    site = site.with_settings({"xsrf_cookie_kwargs": kwargs})

    async def visit(server: Server, connect: Callable[[], Browser]) -> None:
        assert (await connect().ask("GET"))[0] == 200
        assert server.settings["xsrf_cookie_kwargs"] == {"httponly": True, "expires_days": 30}
        assert site.settings == {"xsrf_cookie_kwargs": {"httponly": True}}
        assert kwargs == {"httponly": True}

    serve(site, visit)
