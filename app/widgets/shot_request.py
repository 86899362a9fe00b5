"""What the form says as a request that can be copied."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.exchange.request import HttpRequest

from .controls import JarCookie, Shot


def request_of(shot: Shot, url: str, jar: list[JarCookie]) -> HttpRequest:
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


def goes_to(cookie: JarCookie, url: str) -> bool:
    """Return whether a cookie's domain, path and Secure let it go to *url* (RFC 6265 §5.4)."""
    parts = urlsplit(url)
    host, path = parts.hostname or "", parts.path or "/"
    domain = cookie.domain.lstrip(".").lower()
    at_home = not domain or host == domain or host.endswith(f".{domain}")
    base = cookie.path or "/"
    below = path == base or path.startswith(base if base.endswith("/") else f"{base}/")
    return at_home and below and (not cookie.secure or parts.scheme == "https")
