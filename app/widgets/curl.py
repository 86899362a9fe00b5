"""A request as a cURL command line."""

from __future__ import annotations

import shlex
from urllib.parse import urlsplit

from .controls import JarCookie, Shot


def curl(shot: Shot, url: str, jar: list[JarCookie]) -> str:
    """Return the command that sends what *shot* would send to the absolute *url*.

    Bodies go with ``--data-raw``: ``-d`` would read files for a leading ``@``.
    """
    words = ["curl", "-i"]
    if shot.method != ("POST" if shot.body else "GET"):
        words += ["-I"] if shot.method == "HEAD" else ["-X", shot.method]
    words.append(url)
    headers = [pair for pair in shot.headers if pair[0].lower() != "content-length"]
    for name, value in headers:
        words += ["-H", f"{name}: {value}" if value else f"{name};"]
    if shot.attach_xsrf:
        token = next((cookie.value for cookie in jar if cookie.name == "_xsrf"), None)
        if token is not None:
            words += ["-H", f"X-Xsrftoken: {token}"]
    if jar and not any(name.lower() == "cookie" for name, _ in headers):
        words += ["-b", "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)]
    if shot.body:
        words += ["--data-raw", shot.body.decode("utf-8", "surrogateescape")]
        if not any(name.lower() == "content-type" for name, _ in headers):
            words += ["-H", "Content-Type: application/x-www-form-urlencoded"]
    return " ".join(shlex.quote(word) for word in words)


def goes_to(cookie: JarCookie, url: str) -> bool:
    """Return whether a cookie's domain, path and Secure let it go to *url* (RFC 6265 §5.4)."""
    parts = urlsplit(url)
    host, path = parts.hostname or "", parts.path or "/"
    domain = cookie.domain.lstrip(".").lower()
    at_home = not domain or host == domain or host.endswith(f".{domain}")
    base = cookie.path or "/"
    below = path == base or path.startswith(base if base.endswith("/") else f"{base}/")
    return at_home and below and (not cookie.secure or parts.scheme == "https")
