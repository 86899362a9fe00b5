"""Why a handler's own checks decided as they did, in words."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tornado.web import RequestHandler

from app.recording.recorder import Recorder

from .origin_check import ORIGIN_CODES, Origin
from .xsrf import SAFE_METHODS, origin_verdict, xsrf_verdict
from .xsrf_detail import detail_of

_MISNAMED = ("X-XSRF-TOKEN", "X-CSRF-TOKEN")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def explain_xsrf(handler: RequestHandler, error: BaseException | None) -> tuple[str, str]:
    """Return (verdict, detail) for a ``check_xsrf_cookie`` that raised *error*, or passed.

    The verdict is a code of `xsrf_verdict`; ``overridden`` when the handler's own check decided
    otherwise than Tornado's would. The origin check, which follows at once, is foreseen.
    """
    request, headers = handler.request, handler.request.headers
    content_type = headers.get("Content-Type", "")
    is_form = content_type.lower().startswith(_FORMS)
    inputs: dict[str, Any] = {
        "method": request.method or "",
        "argument": handler.get_argument("_xsrf", None),
        "x_xsrftoken": headers.get("X-Xsrftoken"),
        "x_csrftoken": headers.get("X-Csrftoken"),
        "cookie": handler.get_cookie(handler.settings.get("xsrf_cookie_name", "_xsrf")),
        "in_query": "_xsrf" in request.query_arguments and "_xsrf" not in request.body_arguments,
        "content_type": content_type,
        "form_body": not is_form and b"_xsrf=" in request.body[:65536],
        "misnamed_header": next((name for name in _MISNAMED if name in headers), ""),
        "origin": _origin(handler),
    }
    verdict = xsrf_verdict(**inputs)
    detail = detail_of(verdict, inputs)
    if (verdict.passed or verdict.code in ORIGIN_CODES) != (error is None):
        return "overridden", detail
    return verdict.code, detail


OriginCheck = Callable[[RequestHandler, Callable[[str], bool]], "str | None"]
"""`RequestHandler._check_cross_origin`: takes what is asked for a foreign Origin."""


def noting_origin(method: OriginCheck, recorder: Recorder) -> OriginCheck:
    """Return *method*, adding a row to *recorder* where the check of the token left none.

    That is so where ``xsrf_cookies`` is off, in the handshake of a WebSocket, and after a
    handler's own ``check_xsrf_cookie`` that lets pass what Tornado's would refuse.
    """

    @functools.wraps(method)
    def _check_cross_origin(self: RequestHandler, check: Callable[[str], bool]) -> str | None:
        trusted = False

        def noted(origin: str) -> bool:
            nonlocal trusted
            trusted = bool(check(origin))
            return trusted

        error = method(self, noted)
        trace = getattr(self.request, "loopscope_trace", None)
        if trace is None:
            return error
        rows, verb = recorder.xsrf, self.request.method or ""
        # Nothing runs between the two checks, so the other's row is the last.
        told = rows[-1][1] if rows and rows[-1][0] == trace.id else ""
        if told not in ORIGIN_CODES if error else not told and verb not in SAFE_METHODS:
            inputs: dict[str, Any] = {"method": verb, "origin": _seen(self, trusted)}
            verdict = origin_verdict(**inputs)
            rows.append((trace.id, verdict.code, detail_of(verdict, inputs)))
        return error

    return _check_cross_origin


def _origin(handler: RequestHandler) -> Origin | None:
    """Return what the origin check will go by; None when it is off."""
    if not handler.settings.get("cross_origin_protection"):
        return None
    origin = handler.request.headers.get("Origin")
    return _seen(handler, origin is not None and _trusts(handler, origin))


def _seen(handler: RequestHandler, trusted: bool) -> Origin:
    headers = handler.request.headers
    site, host = headers.get("Sec-Fetch-Site"), headers.get("Host", "")
    return Origin(site, headers.get("Origin"), host, trusted)


def _trusts(handler: RequestHandler, origin: str) -> bool:
    # The method under the observed one, so that no stage is left: Tornado will ask for itself.
    check = type(handler).check_trusted_origin
    try:
        return bool(getattr(check, "__wrapped__", check)(handler, origin))
    except Exception:
        return False
