"""Parking handlers: what stands in for a lifecycle method while breakpoints are enabled."""

from __future__ import annotations

import functools
import sys
from asyncio import Future
from collections.abc import Callable
from copy import copy
from typing import Any
from weakref import WeakKeyDictionary

from tornado.concurrent import (
    future_set_exception_unless_cancelled,
    future_set_result_unless_cancelled,
)
from tornado.iostream import StreamClosedError
from tornado.web import Finish, RequestHandler

from .breakpoints import KILLED, Breakpoints, Place, parked_at_breakpoint
from .trace import RequestTrace

VERBS = tuple(verb.lower() for verb in RequestHandler.SUPPORTED_METHODS)
_EXECUTE = RequestHandler._execute.__code__
_RESPONSE = ("_headers", "_status_code", "_reason", "_write_buffer", "_new_cookie")
"""What `finish` makes a response of. Once it was called, nothing changes the response any more."""
_SWITCHING_PROTOCOLS = 101

Method = Callable[..., Any]


class Parking:
    """Exchanges methods of observed handler classes while a breakpoint is enabled.

    At all other times the classes are as `Observer` made them, and breakpoints cost nothing.
    """

    def __init__(self, points: Breakpoints) -> None:
        self._points = points
        self._classes: WeakKeyDictionary[type, dict[str, tuple[Method, Method]]]
        self._classes = WeakKeyDictionary()
        points.switched = self._switch

    def watch(self, cls: type[RequestHandler]) -> None:
        """Let requests be parked in the handlers of *cls*, an observed class."""
        methods = {
            name: (method, self._parking(name, method))
            for name in ("prepare", *VERBS, "finish")
            if (method := vars(cls).get(name)) is not None
        }
        self._classes[cls] = methods
        if self._points.active:
            _exchange(cls, methods, True)

    def _switch(self, active: bool) -> None:
        for cls, methods in self._classes.items():
            _exchange(cls, methods, active)

    def _parking(self, name: str, method: Method) -> Method:
        return self._before_finish(method) if name == "finish" else self._before(name, method)

    def _before(self, name: str, method: Method) -> Method:
        stage = name if name == "prepare" else "verb"
        points = self._points

        @functools.wraps(method)
        def parking(self: RequestHandler, *args: Any, **kwargs: Any) -> Any:
            # Only Tornado's own call surely awaits what comes back.
            trace = _trace_of(self)
            if trace is not None and sys._getframe(1).f_code is _EXECUTE:
                place = points.park(stage, trace, name)
                if place is not None:
                    return _when_released(place, method, self, args, kwargs)
            return method(self, *args, **kwargs)

        return parking

    def _before_finish(self, method: Method) -> Method:
        points = self._points

        @functools.wraps(method)
        def parking(self: RequestHandler, *args: Any, **kwargs: Any) -> Any:
            trace = None if self._finished else _trace_of(self)
            # After 101 the handler takes over the socket at once.
            if trace is not None and self._status_code != _SWITCHING_PROTOCOLS:
                place = points.park("finish", trace, "finish")
                if place is not None:
                    finish = functools.partial(method, self, *args, **kwargs)
                    return _postpone(points, place, finish)
            return method(self, *args, **kwargs)

        return parking


def _exchange(cls: type, methods: dict[str, tuple[Method, Method]], active: bool) -> None:
    for name, pair in methods.items():
        setattr(cls, name, pair[active])


def _trace_of(handler: RequestHandler) -> RequestTrace | None:
    return getattr(handler.request, "loopscope_trace", None)


async def _when_released(
    place: Place, method: Method, handler: RequestHandler, args: Any, kwargs: Any
) -> Any:
    """Stand in for ``prepare`` or a verb: wait, then be the method. Tornado awaits both."""
    if await parked_at_breakpoint(place) == KILLED:
        handler._finished = True  # With this, Finish ends the request without a response.
        raise Finish
    result = method(handler, *args, **kwargs)
    return result if result is None else await result


def _postpone(points: Breakpoints, place: Place, finish: functools.partial[Any]) -> Future[None]:
    """Stand in for ``finish``: to its caller the response is finished, and may be awaited."""
    handler: RequestHandler = finish.args[0]
    known = vars(handler)
    response = {name: copy(known[name]) for name in _RESPONSE if name in known}
    handler._finished = True
    sent: Future[None] = Future()
    points.spawn(_finish_when_released(place, finish, handler, response, sent))
    return sent


async def _finish_when_released(
    place: Place,
    finish: functools.partial[Any],
    handler: RequestHandler,
    response: dict[str, Any],
    sent: Future[None],
) -> None:
    try:
        killed = await parked_at_breakpoint(place) == KILLED
    except BaseException:
        place.request.close()  # Somebody cancelled or failed the wait: there is no answer.
        _fail(sent, StreamClosedError())
        raise
    if killed:
        _fail(sent, StreamClosedError())
        return
    vars(handler).update(response, _finished=False)
    try:
        flushed = finish()
    except Exception as error:  # As in RequestHandler._execute, which calls it as a rule.
        handler._handle_request_exception(error)
        flushed = None
    try:
        if flushed is not None:
            await flushed
    except Exception as error:
        _fail(sent, error)
    else:
        future_set_result_unless_cancelled(sent, None)


def _fail(sent: Future[None], error: Exception) -> None:
    future_set_exception_unless_cancelled(sent, error)
    if not sent.cancelled():
        sent.exception()  # Whoever does not wait for it does not want to know.
