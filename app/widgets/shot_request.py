"""What the form says as a request that can be copied."""

from __future__ import annotations

from app.exchange.request import HttpRequest
from app.server.jar import Cookie

from .controls import Shot


def request_of(shot: Shot, url: str, jar: list[Cookie]) -> HttpRequest:
    """Return what *shot* would send to the absolute *url* with the cookies of *jar*."""
    headers = list(shot.headers)
    if shot.attach_xsrf:
        token = next((cookie.value for cookie in jar if cookie.name == "_xsrf"), None)
        if token is not None:
            headers.append(("X-Xsrftoken", token))
    if jar and not any(name.lower() == "cookie" for name, _ in headers):
        pairs = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
        headers.append(("Cookie", pairs))
    return HttpRequest(shot.method, url, tuple(headers), shot.body, shot.follow_redirects)
