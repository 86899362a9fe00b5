"""What Tornado answers once its rules have chosen a handler, as far as that is certain before."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import (
    Application,
    ErrorHandler,
    FallbackHandler,
    HTTPError,
    RedirectHandler,
    RequestHandler,
    StaticFileHandler,
)
from tornado.websocket import WebSocketHandler

from .ladder import NOTHING, Words
from .rules import call_fault, is_class
from .trial import Answer, Argument, Asked, Group, Rule


class Wire:
    """Stands for a connection: takes a response's head, sends nothing."""

    def __init__(self) -> None:
        self.status = 0
        self.headers = HTTPHeaders()

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """Hear of no close."""

    def write_headers(self, start_line: Any, headers: HTTPHeaders, chunk: bytes = b"") -> None:
        """Keep the head."""
        self.status, self.headers = start_line.code, headers

    def finish(self) -> None:
        """Go nowhere."""


def request_of(asked: Asked) -> HTTPServerRequest:
    """Return the request that Tornado makes of *asked*. Raises HTTPInputError where it refuses."""
    line = RequestStartLine(asked.method, asked.uri, "HTTP/1.1")
    headers = HTTPHeaders({"Host": asked.host})
    return HTTPServerRequest(connection=Wire(), start_line=line, headers=headers)  # type: ignore[arg-type]


class Chosen(NamedTuple):
    """The rule that took a request, with what Tornado hands to its handler."""

    application: Application
    target: Any
    kwargs: Mapping[str, Any]
    named: Mapping[str, bytes | None]
    reverse: Callable[..., str | None] | None


def nobody(asked: Asked, request: HTTPServerRequest, application: Application) -> Answer:
    """Return what is answered when no rule matches."""
    cls = application.settings.get("default_handler_class")
    if cls is None:
        kwargs = {"status_code": 404}
        answer = Answer(asked, 404, Words("no rule matches: 404"), target=name_of(ErrorHandler))
        if asked.method not in ErrorHandler.SUPPORTED_METHODS:
            answer = answer._replace(status=405, words=_unknown_method(asked))
        return answer._replace(initialize=_initialize(ErrorHandler, kwargs))
    kwargs = application.settings.get("default_handler_args", {})
    answer = answer_of(asked, request, None, (), Chosen(application, cls, kwargs, {}, None))
    if answer.status is not None:
        return answer._replace(notes=(Words("no rule matches"), *answer.notes))
    words = Words("no rule matches: {target} answers", {"target": answer.target})
    return answer._replace(words=words, notes=(*answer.notes, answer.words))


def _unknown_method(asked: Asked) -> Words:
    return Words("405: {method} is none of SUPPORTED_METHODS", {"method": asked.method})


def answer_of(
    asked: Asked,
    request: HTTPServerRequest,
    rule: Rule | None,
    groups: tuple[Group, ...],
    chosen: Chosen,
) -> Answer:
    """Return what becomes of a request that *rule* took, or that none did."""
    target, name = chosen.target, name_of(chosen.target)
    base = Answer(asked, None, NOTHING, rule, name, groups=groups)
    if not is_class(target, RequestHandler):
        return base._replace(words=Words("{target} answers", {"target": name}))
    notes = (*_reverse(rule, groups, chosen, asked), *_xsrf(asked, chosen))
    base = base._replace(initialize=_initialize(target, chosen.kwargs), notes=notes)
    if asked.method not in target.SUPPORTED_METHODS:
        return base._replace(status=405, words=_unknown_method(asked))
    if any(group.value is None and group.start >= 0 for group in groups):
        return base._replace(status=400, words=Words("400: the path is not UTF-8 text"))
    if target.prepare is FallbackHandler.prepare:
        values = {"target": name_of(chosen.kwargs.get("fallback"))}
        return base._replace(method="prepare", words=Words("{target} answers", values))
    return _method_answer(base, request, chosen)


def _method_answer(base: Answer, request: HTTPServerRequest, chosen: Chosen) -> Answer:
    target, name = chosen.target, base.asked.method.lower()
    method = getattr(target, name, None)
    if issubclass(target, WebSocketHandler) and name == "get":
        name, method = "open", target.open
    base = base._replace(method=name)
    words = {"method": name, "handler": base.target}
    plain = inspect.unwrap(target.prepare) is RequestHandler.prepare  # Else it may answer first.
    if method is None or inspect.unwrap(method) is RequestHandler._unimplemented_method:
        text = "405: {handler} has no {method}(), unless prepare() answers first"
        return base._replace(status=405 if plain else None, words=Words(text, words))
    places = {group.name: at for at, group in enumerate(base.groups)}
    args = [] if chosen.named else list(range(len(base.groups)))
    named = places if chosen.named else {}
    fault = call_fault(method, [target, *args], named)
    if fault:
        text = "500: the groups do not fit {method}(): {fault}"
        status = 500 if plain else None
        return base._replace(status=status, words=Words(text, {**words, "fault": fault}))
    base = base._replace(arguments=_arguments(method, args, named, base.groups))
    if name == "open":
        text = "101 for a request that asks for a WebSocket, else 400"
        return base._replace(words=Words(text))
    if target is RedirectHandler:
        return _redirect(base, request, chosen)
    if target is StaticFileHandler:
        return _static(base, request, chosen)
    return base


def _arguments(
    method: Any, args: list[Any], named: Mapping[str, Any], groups: tuple[Group, ...]
) -> tuple[Argument, ...]:
    """Return the parameters of *method* with the groups that they get."""
    try:
        bound = inspect.signature(method).bind(None, *args, **named).arguments
    except (TypeError, ValueError):
        bound = {**{str(at): at for at in args}, **named}
    found: list[Argument] = []
    for name, at in list(bound.items()):
        if isinstance(at, tuple):
            found += [Argument(f"*{name}", repr(groups[each].value), each) for each in at]
        elif isinstance(at, dict):
            found += [Argument(key, repr(groups[each].value), each) for key, each in at.items()]
        elif at is not None:
            found.append(Argument(name, repr(groups[at].value), at))
    return tuple(found)


def _initialize(target: Any, kwargs: Mapping[str, Any]) -> tuple[Argument, ...]:
    try:
        signature = inspect.signature(target.initialize)
        bound = signature.bind(None, **kwargs)
    except (TypeError, ValueError):
        return tuple(Argument(name, brief(value)) for name, value in kwargs.items())
    bound.apply_defaults()
    values: dict[str, Any] = {}
    for name, value in list(bound.arguments.items())[1:]:
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            values |= value
        elif kind is not inspect.Parameter.VAR_POSITIONAL:
            values[name] = value
    return tuple(Argument(name, brief(value)) for name, value in values.items())


def _reverse(
    rule: Rule | None, groups: tuple[Group, ...], chosen: Chosen, asked: Asked
) -> tuple[Words, ...]:
    if rule is None or not rule.name or chosen.reverse is None:
        return ()
    values = [group.value for group in groups]
    call = ", ".join([repr(rule.name), *map(repr, values)])
    try:
        path = chosen.reverse(*values)
    except (ValueError, AssertionError):
        return (Words("reverse_url({call}) cannot be made from this pattern", {"call": call}),)
    if path == asked.path:
        return (Words("reverse_url({call}) is this path", {"call": call}),)
    return (Words("reverse_url({call}) is another path: {path}", {"call": call, "path": path}),)


def _xsrf(asked: Asked, chosen: Chosen) -> tuple[Words, ...]:
    if asked.method in ("GET", "HEAD", "OPTIONS"):
        return ()
    if not chosen.application.settings.get("xsrf_cookies"):
        return ()
    if inspect.unwrap(chosen.target.check_xsrf_cookie) is not RequestHandler.check_xsrf_cookie:
        return ()
    return (Words("without a valid XSRF token the answer is 403 before that"),)


def _quiet(cls: type[RequestHandler], request: HTTPServerRequest, chosen: Chosen) -> Any:
    """Return one of Tornado's own handlers that writes to a `Wire`, and nothing to the log."""
    quiet = type(cls.__name__, (cls,), {"_log": lambda self: None})
    handler: Any = quiet(chosen.application, request, **chosen.kwargs)
    handler._transforms = []
    return handler


def _redirect(base: Answer, request: HTTPServerRequest, chosen: Chosen) -> Answer:
    """Let Tornado's RedirectHandler redirect."""
    try:
        handler = _quiet(RedirectHandler, request, chosen)
        named = {group.name: group.value for group in base.groups} if chosen.named else {}
        handler.get(*([] if named else [group.value for group in base.groups]), **named)
    except HTTPError as error:
        status = error.status_code
        return base._replace(status=status, words=Words(f"{status}: {error.log_message or ''}"))
    except Exception as error:
        text = "500: the address cannot be made: {error}"
        return base._replace(status=500, words=Words(text, {"error": error}))
    wire: Any = request.connection
    values = {"status": wire.status, "location": wire.headers.get("Location", "")}
    return base._replace(status=wire.status, words=Words("{status} to {location}", values))


def _static(base: Answer, request: HTTPServerRequest, chosen: Chosen) -> Answer:
    """Let Tornado's StaticFileHandler look for the file, without reading it."""
    wire: Any = request.connection
    try:
        handler = _quiet(StaticFileHandler, request, chosen)
        handler.path = handler.parse_url_path(base.groups[0].value)
        absolute = StaticFileHandler.get_absolute_path(handler.root, handler.path)
        file = handler.validate_absolute_path(handler.root, absolute)
    except HTTPError as error:
        values = {"status": error.status_code, "path": base.groups[0].value}
        words = Words("{status}: no file for {path}", values)
        return base._replace(status=error.status_code, words=words)
    except Exception as error:
        return base._replace(status=500, words=Words("500: {error}", {"error": error}))
    if file is None:
        values = {"status": wire.status, "location": wire.headers.get("Location", "")}
        return base._replace(status=wire.status, words=Words("{status} to {location}", values))
    return base._replace(words=Words("the file {file}", {"file": file}))


def name_of(target: Any) -> str:
    """Return a dotted name for what a rule leads to."""
    name = getattr(target, "__qualname__", None)
    if isinstance(name, str):
        return f"{getattr(target, '__module__', '')}.{name}".lstrip(".")
    return f"{type(target).__module__}.{type(target).__qualname__}"


def brief(value: Any) -> str:
    """Return *value* in Python's notation, cut where it is long; never raises."""
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 80 else f"{text[:77]}…"
