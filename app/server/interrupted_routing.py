"""What a request is answered whose routing had to be interrupted: a pattern that backtracks."""

from __future__ import annotations

from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.log import app_log
from tornado.web import Application, ErrorHandler

from app.recording.blocks import Interrupted, InterruptedStep


def answer_interrupted_routing(application: Application) -> None:
    """Let *application* answer 503 where the watchdog ends its search for a handler."""
    find = application.find_handler

    def find_handler(request: HTTPServerRequest, **kwargs: Any) -> Any:
        try:
            return find(request, **kwargs)
        except (Interrupted, InterruptedStep) as error:
            app_log.error("routing %s was %s", request.path, error)
        return application.get_handler_delegate(request, ErrorHandler, {"status_code": 503})

    application.find_handler = find_handler  # type: ignore[method-assign]
