"""Every setting of a Tornado Application and of its HTTPServer: type, default, meaning.

``tests/server/test_settings.py`` compares the names with the installed Tornado's source. The texts
are English; the window translates them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple


class Kind(Enum):
    """What a setting may be."""

    FLAG = "true or false"
    WHOLE = "a whole number"
    NUMBER = "a number"
    TEXT = "text"
    TEXTS = "a list of texts"
    CHOICE = "one of several values"
    TABLE = "a table"
    SECRET = "a secret"
    OBJECT = "the dotted name of a Python object"
    CODE = "an object that only Python code can give"
    ANY = "JSON"


class Setting(NamedTuple):
    """One setting. ``default`` is what Tornado takes when it is left out; None: nothing."""

    name: str
    kind: Kind
    default: Any
    help: str
    unit: str = ""
    choices: tuple[Any, ...] = ()
    least: float | None = None
    """The smallest number that makes sense."""


class Group(NamedTuple):
    """Settings that belong together."""

    title: str
    settings: tuple[Setting, ...]


_F, _W, _N, _T, _L = Kind.FLAG, Kind.WHOLE, Kind.NUMBER, Kind.TEXT, Kind.TEXTS
_C, _D, _O = Kind.CHOICE, Kind.TABLE, Kind.OBJECT

_COOKIES = (
    Setting(
        "cookie_secret",
        Kind.SECRET,
        None,
        "Signs cookies (set_signed_cookie). Whoever knows it can forge a login. Rotating adds a new"
        " version and keeps the old ones, so that cookies signed before stay valid. When it is left"
        " out, Loopscope signs with a secret of this run.",
    ),
    Setting(
        "key_version",
        _W,
        None,
        "Which version of cookie_secret signs new cookies, when there are several. Old versions"
        " still check old cookies.",
        least=0,
    ),
)
_ORIGINS = (
    Setting(
        "xsrf_cookies",
        _F,
        False,
        "Every request but GET, HEAD and OPTIONS must carry the token of the _xsrf cookie, as a"
        " form field or in X-Xsrftoken; else it is answered with 403. Forms need"
        " {% module xsrf_form_html() %}.",
    ),
    Setting(
        "xsrf_cookie_version",
        _C,
        2,
        "How tokens are written. 2 masks them anew on each response, which defends against BREACH;"
        " 1 is that of old versions of Tornado.",
        choices=(2, 1),
    ),
    Setting(
        "xsrf_cookie_kwargs",
        _D,
        {},
        "Attributes of the _xsrf cookie, as for set_cookie: for example"
        ' {"httponly": true, "secure": true, "samesite": "Lax"}. With httponly, scripts cannot read'
        " the token: pages must carry it.",
    ),
    Setting(
        "xsrf_cookie_name",
        _T,
        "_xsrf",
        "The name of the XSRF cookie. __Host-xsrf together with secure and path / lets browsers"
        " refuse a cookie that a subdomain set.",
    ),
    Setting(
        "cross_origin_protection",
        _F,
        False,
        "Refuses with 403 what a browser sends from another origin (Sec-Fetch-Site, else Origin),"
        " but for GET, HEAD and OPTIONS. Needs no token. Since Tornado 6.6.",
    ),
    Setting(
        "trusted_origins",
        _L,
        [],
        "Origins that cross_origin_protection and WebSockets let through, such as"
        " https://shop.example: scheme, host and port, no path. Since Tornado 6.6.",
    ),
)
_LOGIN = (
    Setting(
        "login_url",
        _T,
        None,
        "Where @authenticated sends people who are not logged in; the page they wanted goes along"
        " as ?next=.",
    ),
    Setting(
        "google_oauth",
        _D,
        None,
        "Login with Google (GoogleOAuth2Mixin): a table with key and secret, from Google's"
        " console.",
    ),
    Setting("facebook_api_key", _T, None, "Login with Facebook: the id of your app there."),
    Setting("facebook_secret", Kind.SECRET, None, "Login with Facebook: the secret of your app."),
    Setting("twitter_consumer_key", _T, None, "Login with Twitter: the key of your app there."),
    Setting(
        "twitter_consumer_secret", Kind.SECRET, None, "Login with Twitter: the secret of your app."
    ),
    Setting(
        "redirect_base_uri",
        _T,
        None,
        "Scheme and host before the path to which the login pages above send people back.",
    ),
)
_ANSWERS = (
    Setting(
        "compress_response",
        _F,
        False,
        "Compresses text that is sent to clients which accept gzip. A compressed page that repeats"
        " what a request brought, beside a secret, can leak that secret (BREACH).",
    ),
    Setting("gzip", _F, False, "The old name of compress_response; either one switches it on."),
    Setting(
        "serve_traceback",
        _F,
        False,
        "Error pages show the traceback. Good while you learn; a gift to attackers on the open"
        " net.",
    ),
    Setting(
        "default_handler_class",
        _O,
        None,
        "The handler for paths that no route matches: your own 404 page. A class in handlers/.",
    ),
    Setting("default_handler_args", _D, {}, "Arguments for initialize() of default_handler_class."),
    Setting(
        "default_host",
        _T,
        None,
        "The host whose routes are taken when a request's Host matches none.",
    ),
    Setting(
        "log_function",
        _O,
        None,
        "A function in handlers/ that is called with the handler when a request is over, in place"
        " of Tornado's access log line.",
    ),
)
_STATIC = (
    Setting(
        "static_path",
        _T,
        None,
        "The folder of the static files, seen from the project folder. When it is left out, static/"
        " is taken if it exists.",
    ),
    Setting(
        "static_url_prefix",
        _T,
        "/static/",
        "The start of the URLs of static files. static_url() puts it before the name.",
    ),
    Setting(
        "static_hash_cache",
        _F,
        True,
        "static_url() remembers each file's hash. Switched off, files are read again on each"
        " request, so that a change shows at once.",
    ),
    Setting(
        "static_handler_class",
        _O,
        "tornado.web.StaticFileHandler",
        "The handler that serves static files, a subclass of StaticFileHandler.",
    ),
    Setting(
        "static_handler_args",
        _D,
        {},
        "Arguments for that handler, for example"
        ' {"default_filename": "index.html"}. The path comes from static_path.',
    ),
)
_TEMPLATES = (
    Setting(
        "autoescape",
        _C,
        "xhtml_escape",
        "What {{ … }} does to its value. Switched off, HTML in data becomes HTML in the page: that"
        " is how scripts are injected.",
        choices=("xhtml_escape", False),
    ),
    Setting(
        "template_whitespace",
        _C,
        None,
        "What becomes of spaces in templates: single makes runs of them one (for HTML and"
        " JavaScript the default), all keeps them, oneline makes newlines spaces as well.",
        choices=("single", "all", "oneline"),
    ),
    Setting(
        "compiled_template_cache",
        _F,
        True,
        "Templates are compiled once. Switched off, on each request anew.",
    ),
    Setting(
        "template_path",
        _T,
        "templates",
        "The folder of the templates, seen from the project folder. Templates elsewhere than in"
        " templates/ are not edited here.",
    ),
    Setting(
        "template_loader",
        Kind.CODE,
        None,
        "An object of tornado.template.BaseLoader that finds templates. Loopscope gives Tornado one"
        " that knows the templates as they are edited here.",
    ),
    Setting(
        "ui_modules",
        _O,
        None,
        "The module whose UIModule classes templates use with {% module Name() %}.",
    ),
    Setting(
        "ui_methods",
        _O,
        None,
        "The module whose functions templates call; each gets the handler as its first argument.",
    ),
)
_WEBSOCKET = (
    Setting(
        "websocket_ping_interval",
        _N,
        None,
        "How often each open WebSocket is pinged, so that dead peers are noticed. 0 or nothing:"
        " never.",
        unit="s",
        least=0,
    ),
    Setting(
        "websocket_ping_timeout",
        _N,
        None,
        "How long the pong may take until the connection is closed; at most the interval, and as"
        " long as it when left out.",
        unit="s",
        least=0,
    ),
    Setting(
        "websocket_max_message_size",
        _W,
        10 * 1024 * 1024,
        "A client that sends a larger message is cut off with close code 1009.",
        unit="bytes",
        least=1,
    ),
)
_DEBUG = (
    Setting(
        "debug",
        _F,
        False,
        "For development: autoreload, serve_traceback, no template cache and no hash cache, all at"
        " once. Here it does all of that but autoreload, which would replace this window's process."
        " A child process shows the whole of it.",
    ),
    Setting(
        "autoreload",
        _F,
        False,
        "Starts the process again when a Python file changes; every connection and everything in"
        " memory is lost. Never done in this process, where editing needs no restart.",
    ),
)
_SERVER = (
    Setting(
        "xheaders",
        _F,
        False,
        "Believes X-Real-Ip, X-Forwarded-For and X-Scheme for the client's address and scheme. Only"
        " behind a proxy that sets them: anybody else can write them too.",
    ),
    Setting(
        "trusted_downstream",
        _L,
        None,
        "Addresses of your own proxies, skipped when X-Forwarded-For is read from its end.",
    ),
    Setting(
        "protocol",
        _C,
        None,
        "The scheme that handlers see, when a proxy takes HTTPS off and says nothing of it.",
        choices=("http", "https"),
    ),
    Setting(
        "no_keep_alive",
        _F,
        False,
        "Closes the connection after each response, as HTTP/1.0 did.",
    ),
    Setting(
        "idle_connection_timeout",
        _N,
        3600,
        "How long a connection may wait for the next request's headers to be complete.",
        unit="s",
        least=0.001,
    ),
    Setting(
        "body_timeout",
        _N,
        None,
        "How long a request's body may take to arrive. Nothing: for ever.",
        unit="s",
        least=0.001,
    ),
    Setting(
        "max_header_size",
        _W,
        65536,
        "Most bytes of a request's head: request line and headers. Past it the connection is"
        " closed.",
        unit="bytes",
        least=1,
    ),
    Setting(
        "max_body_size",
        _W,
        104857600,
        "Most bytes of a request's body; a larger one is refused. Handlers that stream may allow"
        " themselves more.",
        unit="bytes",
        least=0,
    ),
    Setting(
        "max_buffer_size",
        _W,
        104857600,
        "Most bytes that a connection keeps in memory, read but not yet used.",
        unit="bytes",
        least=1,
    ),
    Setting(
        "chunk_size",
        _W,
        65536,
        "How many bytes are read from a socket at a time; also the size of the pieces that"
        " streaming handlers get.",
        unit="bytes",
        least=1,
    ),
    Setting(
        "decompress_request",
        _F,
        False,
        "Unpacks request bodies with Content-Encoding: gzip. max_body_size counts what comes out as"
        " well.",
    ),
    Setting(
        "ssl_options",
        Kind.CODE,
        None,
        "Certificate and key for HTTPS. Loopscope serves plain HTTP on this machine; in production"
        " a proxy usually does HTTPS.",
    ),
)

SERVER_GROUP = "HTTP server"
GROUPS = (
    Group("Signed cookies", _COOKIES),
    Group("XSRF and origins", _ORIGINS),
    Group("Static files", _STATIC),
    Group("Answers", _ANSWERS),
    Group("WebSocket", _WEBSOCKET),
    Group(SERVER_GROUP, _SERVER),
    Group("Templates", _TEMPLATES),
    Group("Login", _LOGIN),
    Group("Debug", _DEBUG),
)
"""All settings. Those of `SERVER_GROUP` are HTTPServer's arguments, the others Application's."""

OWN_GROUP = "Your own"
OWN_HELP = "A setting of your own: handlers read it from self.settings."

SETTINGS = {each.name: each for group in GROUPS for each in group.settings}
SERVER_SETTINGS = frozenset(each.name for each in _SERVER)
SECRETS = frozenset({"google_oauth"}) | {s.name for s in SETTINGS.values() if s.kind is Kind.SECRET}


def setting(name: str) -> Setting:
    """Return what is known of the setting *name*; one of the project's own may be anything."""
    return SETTINGS.get(name) or Setting(name, Kind.ANY, None, OWN_HELP)


def readable(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a running application to be read: Python objects by their names."""
    return {name: _readable(value) for name, value in settings.items()}


def _readable(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return {str(key): _readable(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_readable(each) for each in value]
    name = getattr(value, "__qualname__", "")
    module = getattr(value, "__module__", "")
    return f"{module}.{name}" if name and module else getattr(value, "__name__", repr(value))
