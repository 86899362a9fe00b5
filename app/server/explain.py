"""Why a handler's own checks decided as they did, in words."""

from __future__ import annotations

from tornado.web import RequestHandler

from .cookies import xsrf_verdict


def explain_xsrf(handler: RequestHandler, error: BaseException | None) -> tuple[str, str]:
    """Return (verdict, detail) for a ``check_xsrf_cookie`` that raised *error*, or passed.

    The verdict is a code of `cookies.xsrf_verdict`; ``overridden`` when the handler's own check
    decided otherwise than Tornado's would.
    """
    headers = handler.request.headers
    cookie_name = handler.settings.get("xsrf_cookie_name", "_xsrf")
    verdict = xsrf_verdict(
        handler.request.method or "",
        handler.get_argument("_xsrf", None),
        headers.get("X-Xsrftoken"),
        headers.get("X-Csrftoken"),
        handler.get_cookie(cookie_name),
        content_type=headers.get("Content-Type", ""),
        misnamed_header=next((name for name in ("X-XSRF-TOKEN",) if name in headers), ""),
    )
    lines = [verdict.sentence, verdict.repair]
    lines += [f"{rung.state}: {rung.name} — {rung.detail}" for rung in verdict.rungs]
    detail = "\n".join(line for line in lines if line)
    if verdict.passed != (error is None):
        return "overridden", detail
    return verdict.code, detail
