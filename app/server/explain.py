"""Why a handler's own checks decided as they did, in words."""

from __future__ import annotations

from typing import Any

from tornado.web import RequestHandler

from .xsrf import ORIGIN_CODES, Origin, xsrf_verdict
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


def _origin(handler: RequestHandler) -> Origin | None:
    """Return what the origin check will go by; None when it is off."""
    if not handler.settings.get("cross_origin_protection"):
        return None
    headers = handler.request.headers
    origin = headers.get("Origin")
    trusted = origin is not None and _trusts(handler, origin)
    return Origin(headers.get("Sec-Fetch-Site"), origin, headers.get("Host", ""), trusted)


def _trusts(handler: RequestHandler, origin: str) -> bool:
    # The method under the observed one, so that no stage is left: Tornado will ask for itself.
    check = type(handler).check_trusted_origin
    try:
        return bool(getattr(check, "__wrapped__", check)(handler, origin))
    except Exception:
        return False
