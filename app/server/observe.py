"""Observed handlers: each lifecycle method that Tornado really calls leaves a stage."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import Awaitable, Callable
from types import CoroutineType, FunctionType
from typing import Any, NoReturn, cast

from tornado.escape import utf8
from tornado.routing import HostMatches, Matcher, PathMatches, Rule, RuleRouter
from tornado.web import Application, ErrorHandler, HTTPError, RequestHandler
from tornado.websocket import WebSocketHandler

from app.recording.blocks import Interrupted, InterruptedStep
from app.recording.recorder import Recorder

from .bit_by_bit import Work, finish
from .error_words import error_words
from .explain import noting_origin
from .parking import Parking
from .trace import RequestTrace
from .websocket import BINARY, IN, TEXT, Passing, noting

_now = time.monotonic_ns
_VERBS = tuple(verb.lower() for verb in RequestHandler.SUPPORTED_METHODS)
_AWAITED = frozenset({"prepare", "data_received", "open", *_VERBS})
"""The methods whose result Tornado awaits when it is awaitable."""
_PLAIN = frozenset(
    {
        "set_default_headers",
        "prepare",
        "check_xsrf_cookie",
        "get_current_user",
        "get_user_locale",
        "on_finish",
        "on_connection_close",
        "on_close",
    }
)
"""The methods that take no arguments."""
STAGES = (
    "set_default_headers",
    "initialize",
    "check_xsrf_cookie",
    "check_trusted_origin",
    "prepare",
    *_VERBS,
    "data_received",
    "get_current_user",
    "get_user_locale",
    "redirect",
    "render",
    "send_error",
    "write_error",
    "flush",
    "finish",
    "on_finish",
    "on_connection_close",
)
WEBSOCKET_STAGES = ("check_origin", "open", "on_close")

Explain = Callable[[RequestHandler, "BaseException | None"], tuple[str, str]]
"""Explains what ``check_xsrf_cookie`` decided: (verdict, detail) from the handler and its error."""


class Observer:
    """Makes observed subclasses of handler classes, and applications that use them."""

    def __init__(
        self,
        recorder: Recorder,
        explain_xsrf: Explain | None = None,
        parking: Parking | None = None,
    ) -> None:
        self._recorder = recorder
        self._explain_xsrf = explain_xsrf
        self._parking = parking

    def observe(self, application: Application) -> Application:
        """Let *application* use observed handlers; `get_handler_delegate` is where all pass."""
        return finish(self.observing(application))

    def observing(self, application: Application) -> Work[Application]:
        """Do as `observe` does, bit by bit: there may be very many rules."""
        routes = _Routes(application)
        yield from routes.reading()
        classes: dict[type[RequestHandler], tuple[type[RequestHandler], str]] = {}
        original = application.get_handler_delegate

        def get_handler_delegate(
            request: Any, target_class: type[RequestHandler], *args: Any, **kwargs: Any
        ) -> Any:
            known = classes.get(target_class)
            if known is None:
                known = (self._subclass(target_class), target_class.__qualname__)
                classes[target_class] = known
            trace: RequestTrace | None = getattr(request.connection, "trace", None)
            if trace is not None:
                found = routes.by_class.get(target_class)
                if found is not None and len(found) == 1:
                    trace.route = found[0][2]
                else:
                    trace.route = routes.pattern(target_class, request)
                trace.handler = known[1]
                request.loopscope_trace = trace
            return original(request, known[0], *args, **kwargs)

        application.get_handler_delegate = get_handler_delegate  # type: ignore[method-assign]
        return application

    def _subclass(self, cls: type[RequestHandler]) -> type[RequestHandler]:
        """Return the observed subclass of *cls*: same name, same behaviour, leaving stages."""
        names = STAGES + (WEBSOCKET_STAGES if issubclass(cls, WebSocketHandler) else ())
        namespace: dict[str, Any] = {
            "__module__": cls.__module__,
            "__qualname__": cls.__qualname__,
            "__doc__": cls.__doc__,
        }
        for name in names:
            method = getattr(cls, name, None)
            if method is not None:
                namespace[name] = self._stage(name, method)
        if self._explain_xsrf is not None:
            namespace["_check_cross_origin"] = noting_origin(
                cls._check_cross_origin, self._recorder
            )
        if issubclass(cls, WebSocketHandler):
            namespace["get_websocket_protocol"] = noting(cls.get_websocket_protocol)
            namespace["on_message"] = _message_stage(cls.on_message)
            for name in ("write_message", "ping"):
                namespace[name] = _sending(name, getattr(cls, name))
        observed = cast("type[RequestHandler]", type(cls.__name__, (cls,), namespace))
        if self._parking is not None:
            self._parking.watch(observed)
        return observed

    def _stage(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        if name == "check_xsrf_cookie":
            method = self._explained(method)
        if name in _PLAIN and _does_nothing(method):
            return _empty_stage(name, method)
        make = _plain_stage if name in _PLAIN else _sync_stage
        return make(name, method)

    def _explained(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def check_xsrf_cookie(self_: RequestHandler) -> Any:
            error: BaseException | None = None
            try:
                return method(self_)
            except BaseException as raised:
                error = raised
                raise
            finally:
                trace = getattr(self_.request, "loopscope_trace", None)
                if trace is not None and self._explain_xsrf is not None:
                    row = (trace.id, *self._explain_xsrf(self_, error))
                    self._recorder.xsrf.append(row)

        return check_xsrf_cookie


def _sync_stage(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    awaited = name in _AWAITED

    @functools.wraps(method)
    def stage(self: RequestHandler, *args: Any, **kwargs: Any) -> Any:
        try:
            trace: RequestTrace = self.request.loopscope_trace  # type: ignore[attr-defined]
        except AttributeError:
            return method(self, *args, **kwargs)
        start = _now()
        try:
            result = method(self, *args, **kwargs)
        except BaseException as error:
            trace.add_stage(name, start, error_words(error))
            _reraise(error, awaited)
        if (
            awaited
            and result is not None
            and (type(result) is CoroutineType or inspect.isawaitable(result))
        ):
            return _rest_of_stage(trace, trace.begin_stage(name, start), result)
        trace.stages.extend((name, start, _now(), None))
        if trace.drained:
            trace.changed()
        return result

    return stage


def _plain_stage(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """As `_sync_stage`, for methods that Tornado calls without arguments.

    They are most of what runs for a request; passing arguments through would cost as much again.
    """
    awaited = name in _AWAITED

    @functools.wraps(method)
    def stage(self: RequestHandler) -> Any:
        try:
            trace: RequestTrace = self.request.loopscope_trace  # type: ignore[attr-defined]
        except AttributeError:
            return method(self)
        start = _now()
        try:
            result = method(self)
        except BaseException as error:
            trace.add_stage(name, start, error_words(error))
            _reraise(error, awaited)
        if awaited and result is not None and inspect.isawaitable(result):
            return _rest_of_stage(trace, trace.begin_stage(name, start), result)
        trace.stages.extend((name, start, _now(), None))
        if trace.drained:
            trace.changed()
        return result

    return stage


def _nothing(self: RequestHandler) -> None:
    pass


def _nothing_documented(self: RequestHandler) -> None:
    """Do nothing."""


_NOTHING = {code.co_code for code in (_nothing.__code__, _nothing_documented.__code__)}


def _does_nothing(method: object) -> bool:
    """Return whether calling *method* has no effect, as with most of RequestHandler's own."""
    if not isinstance(method, FunctionType):
        return False
    code = method.__code__
    return code.co_code in _NOTHING and code.co_consts[-1] is None and code.co_argcount == 1


def _empty_stage(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """As `_plain_stage`, for methods that do nothing: they need not be called."""

    @functools.wraps(method)
    def stage(self: RequestHandler) -> None:
        trace: RequestTrace | None = getattr(self.request, "loopscope_trace", None)
        if trace is not None:
            trace.stages.extend((name, _now(), _now(), None))
            if trace.drained:
                trace.changed()

    return stage


async def _rest_of_stage(trace: RequestTrace, place: int, result: Awaitable[Any]) -> Any:
    """Await *result* and record the end of the stage that it belongs to."""
    detail = None
    try:
        return await result
    except BaseException as error:
        detail = error_words(error)
        _reraise(error, True)
    finally:
        trace.end_stage(place, detail)


def _message_stage(method: Callable[..., Any]) -> Callable[..., Any]:
    """As `_sync_stage` for ``on_message``: the stage is the message's, see `events.Message`."""

    @functools.wraps(method)
    def on_message(self: WebSocketHandler, message: str | bytes) -> Any:
        trace: RequestTrace | None = getattr(self.request, "loopscope_trace", None)
        if trace is None:
            return method(self, message)
        opcode = TEXT if isinstance(message, str) else BINARY
        passing = trace.begin_message(IN, opcode, utf8(message))
        passing.flaw = getattr(self.ws_connection, "flaw", None)
        try:
            result = method(self, message)
        except BaseException as error:
            passing.ended(error_words(error))
            _reraise(error, True)
        if result is not None and inspect.isawaitable(result):
            passing.begun()
            return _rest_of_message(passing, result)
        passing.ended()
        return result

    return on_message


async def _rest_of_message(passing: Passing, result: Awaitable[Any]) -> Any:
    detail = None
    try:
        return await result
    except BaseException as error:
        detail = error_words(error)
        _reraise(error, True)
    finally:
        passing.ended(detail)


def _sending(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """Leave a stage only when a message cannot be sent; see `NotedProtocol` for the others."""

    @functools.wraps(method)
    def send(self: WebSocketHandler, *args: Any, **kwargs: Any) -> Any:
        start = _now()
        try:
            return method(self, *args, **kwargs)
        except BaseException as error:
            trace: RequestTrace | None = getattr(self.request, "loopscope_trace", None)
            if trace is not None:
                trace.add_failure(name, start, error_words(error))
            raise

    return send


def _reraise(error: BaseException, user_code: bool) -> NoReturn:
    """Raise *error* again, or what must stand for it.

    ``sys.exit()`` in a handler must not end the window around it: it becomes a 500. A handler that
    was interrupted because it blocked the loop becomes a 503.
    """
    if isinstance(error, (Interrupted, InterruptedStep)):
        raise HTTPError(503, "%s", error) from error
    passes = (Exception, asyncio.CancelledError, GeneratorExit)
    if isinstance(error, passes) or not user_code:
        raise error
    raise HTTPError(500, "%s in a handler", error_words(error)) from error


class _Routes:
    """Which pattern of an application led to a handler class."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.by_class: dict[object, list[tuple[Matcher, list[Matcher], str]]] = {}
        """By handler class, what its rules match, then what the routers around them do."""

    def reading(self) -> Work[None]:
        """Note which rules lead where."""
        self.by_class.clear()
        yield from self._walk(self._application.default_router.rules, [])

    def _walk(self, rules: list[Rule], outer: list[Matcher]) -> Work[None]:
        for rule in rules:
            yield 0
            if isinstance(rule.target, RuleRouter):
                yield from self._walk(rule.target.rules, [*outer, rule.matcher])
            else:
                found = (rule.matcher, outer, _text([*outer, rule.matcher]))
                self.by_class.setdefault(rule.target, []).append(found)

    def pattern(self, target: type[RequestHandler], request: Any) -> str | None:
        """Return the pattern that routed *request* to *target*; None for none, as with a 404.

        Rules are tried in order, so the first one for *target* that matches is the one.
        """
        found = self.by_class.get(target)
        if found is None and target is not ErrorHandler:
            finish(self.reading())  # add_handlers() may have been called since.
            found = self.by_class.get(target)
        if not found:
            return None
        if len(found) == 1:
            return found[0][2]
        for own, outer, text in found:
            if own.match(request) is None:
                continue
            if all(matcher.match(request) is not None for matcher in outer):
                return text
        return None


def _text(matchers: list[Matcher]) -> str:
    parts = []
    for matcher in matchers:
        if isinstance(matcher, HostMatches):
            parts.append(matcher.host_pattern.pattern.removesuffix("$"))
        elif isinstance(matcher, PathMatches):
            parts.append(matcher.regex.pattern.removesuffix("$"))
    return "".join(parts)
