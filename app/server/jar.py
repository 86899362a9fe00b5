"""A browser's cookie jar: what it keeps, what it sends, and why it does not (RFC 6265bis).

Reasons are the words of the browsers' developer tools (``SetCookieBlockedReason`` and
``CookieBlockedReason`` of the DevTools protocol). ``Expired`` is ours.

Choices where browsers differ, or where a browser needs more than the RFC:

* *Loopback is trustworthy.* ``Secure`` cookies are set by and sent to ``http://localhost``,
  ``*.localhost``, ``127.0.0.0/8`` and ``[::1]``, as in Chrome since 89 and in Firefox.
* Without SameSite a cookie is treated as ``Lax``. Chrome lets such a cookie pass with a form
  posted from another site for two minutes after it was set, and so does this.
* There is no public suffix list: a Domain without a dot is the only one refused as public.
* Cookies ignore ports, and ``127.0.0.1`` is not ``localhost``.

Times are seconds since the epoch. Values are text in which each character is one byte
(Latin-1), as headers arrive, so that whatever was stored is sent back byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from .hosts import domain_matches, host_of, is_address, is_loopback
from .set_cookie import SetCookie, parse_date, parse_set_cookie

SameSiteContext = Literal["same-site", "cross-site-navigation", "cross-site"]
"""Where a request comes from: the same site, a link or form of another one, or anything else
of another one (an image, a fetch)."""

MAX_PAIR = 4096
"""Bytes of name and value together; more is refused (RFC 6265bis §5.6)."""
MAX_AGE = 400 * 86400
"""Seconds that a cookie can live at most, whatever it asks for (RFC 6265bis §5.5)."""
PER_DOMAIN = 180
TOTAL = 3000
"""Cookies kept at most, as in Chrome; the oldest are evicted."""
LAX_UNSAFE_S = 120
"""How long a cookie without SameSite goes along with a cross-site form, in s."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True)
class Cookie:
    """One cookie as a jar keeps it.

    *domain* is a host without a leading dot; *host_only* says that it must match exactly.
    *expires* is None for a session cookie. *same_site* is ``Strict``, ``Lax``, ``None``, or
    empty when none was given, which means Lax.
    """

    name: str
    value: str
    domain: str
    path: str = "/"
    host_only: bool = True
    expires: float | None = None
    created: float = 0.0
    secure: bool = False
    http_only: bool = False
    same_site: str = ""

    @property
    def pair(self) -> str:
        """The cookie as it stands in a Cookie header; a nameless one is its value alone."""
        return f"{self.name}={self.value}" if self.name else self.value

    @property
    def size(self) -> int:
        """Bytes of name and value together, as browsers count them."""
        return len(self.name) + len(self.value)

    def expired(self, now: float) -> bool:
        """Return whether the cookie's time is over at *now*."""
        return self.expires is not None and self.expires <= now


class Verdict(NamedTuple):
    """What became of a Set-Cookie header.

    ``reason`` is ``Stored``, ``Replaced`` or ``Removed``, or why it was refused. ``cookie`` is
    what the header meant; None when it could not be read. ``evicted`` had to make room.
    """

    stored: bool
    reason: str
    name: str
    cookie: Cookie | None = None
    evicted: tuple[Cookie, ...] = ()


class Withheld(NamedTuple):
    """A cookie that a request does not carry, and why."""

    name: str
    reason: str
    cookie: Cookie


class _Place(NamedTuple):
    """What of a URL matters to cookies."""

    host: str
    path: str
    trustworthy: bool


class Jar:
    """The cookies of one client."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str, bool, str], Cookie] = {}

    def store(
        self,
        url: str,
        set_cookie_header: str,
        now: float,
        *,
        same_site_context: SameSiteContext = "same-site",
    ) -> Verdict:
        """Take in one *set_cookie_header* of the response from *url* (RFC 6265bis §5.7).

        Raises ValueError for a URL without a host.
        """
        self._drop_expired(now)
        place = _place(url)
        if _has_controls(set_cookie_header):
            return Verdict(False, "DisallowedCharacter", "")
        parsed = parse_set_cookie(set_cookie_header)
        if not parsed.name and not parsed.value:
            return Verdict(False, "NoCookieContent", "")
        if len(parsed.name) + len(parsed.value) > MAX_PAIR:
            return Verdict(False, "NameValuePairExceedsMaxSize", parsed.name)
        cookie = _meant(parsed, place, now)
        if cookie is None:
            return Verdict(False, "InvalidDomain", parsed.name)
        reason = self._refusal(cookie, parsed, place, same_site_context)
        if reason:
            return Verdict(False, reason, cookie.name, cookie)
        return self._keep(cookie, now)

    def header(
        self,
        url: str,
        now: float,
        *,
        method: str = "GET",
        same_site_context: SameSiteContext = "same-site",
    ) -> tuple[str, list[Withheld]]:
        """Return the Cookie header for a request to *url*, and what it leaves out.

        The header is empty when there is nothing to send. Longer paths come first, then older
        cookies (RFC 6265bis §5.8.3). Raises ValueError for a URL without a host.
        """
        place = _place(url)
        sent: list[Cookie] = []
        withheld: list[Withheld] = []
        for cookie in self.cookies():
            reason = _withholding(cookie, place, now, method, same_site_context)
            if reason:
                withheld.append(Withheld(cookie.name, reason, cookie))
            else:
                sent.append(cookie)
        sent.sort(key=lambda cookie: (-len(cookie.path), cookie.created))
        return "; ".join(cookie.pair for cookie in sent), withheld

    def value_of(self, name: str, url: str, now: float) -> str | None:
        """Return the value of cookie *name* that a same-site request to *url* would carry."""
        place = _place(url)
        fitting = [
            cookie
            for cookie in self.cookies()
            if cookie.name == name and not _withholding(cookie, place, now, "GET", "same-site")
        ]
        return max(fitting, key=lambda cookie: len(cookie.path)).value if fitting else None

    def cookies(self) -> list[Cookie]:
        """Return all cookies, oldest first; those that expired since the last store included."""
        return list(self._cookies.values())

    def put(self, cookie: Cookie) -> None:
        """Keep *cookie* as it is, unchecked, in place of one with the same key: an edit by hand."""
        self._cookies[_key(cookie)] = cookie

    def remove(self, cookie: Cookie) -> bool:
        """Forget the cookie with the key of *cookie*; return whether there was one."""
        return self._cookies.pop(_key(cookie), None) is not None

    def clear(self) -> None:
        """Forget everything."""
        self._cookies.clear()

    def __len__(self) -> int:
        return len(self._cookies)

    def __iter__(self) -> Iterator[Cookie]:
        return iter(self.cookies())

    def _refusal(
        self, cookie: Cookie, parsed: SetCookie, place: _Place, context: SameSiteContext
    ) -> str:
        if cookie.secure and not place.trustworthy:
            return "SecureOnly"
        if cookie.same_site == "None" and not cookie.secure:
            return "SameSiteNoneInsecure"
        if context == "cross-site" and cookie.same_site != "None":
            return _same_site_reason(cookie)
        if not _prefix_holds(cookie, parsed):
            return "InvalidPrefix"
        if not cookie.secure and not place.trustworthy and self._shadows_secure(cookie):
            return "OverwriteSecure"
        return ""

    def _shadows_secure(self, cookie: Cookie) -> bool:
        return any(
            other.secure
            and other.name == cookie.name
            and (
                domain_matches(other.domain, cookie.domain)
                or domain_matches(cookie.domain, other.domain)
            )
            and _path_matches(cookie.path, other.path)
            for other in self._cookies.values()
        )

    def _keep(self, cookie: Cookie, now: float) -> Verdict:
        key = _key(cookie)
        old = self._cookies.get(key)
        if cookie.expired(now):
            self._cookies.pop(key, None)
            return Verdict(True, "Removed", cookie.name, cookie)
        if old is not None:
            cookie = replace(cookie, created=old.created)
        self._cookies[key] = cookie
        reason = "Stored" if old is None else "Replaced"
        return Verdict(True, reason, cookie.name, cookie, self._evict(cookie.domain))

    def _evict(self, domain: str) -> tuple[Cookie, ...]:
        same = [cookie for cookie in self._cookies.values() if cookie.domain == domain]
        excess = same[: max(0, len(same) - PER_DOMAIN)]
        excess = excess or self.cookies()[: max(0, len(self._cookies) - TOTAL)]
        for cookie in excess:
            self.remove(cookie)
        return tuple(excess)

    def _drop_expired(self, now: float) -> None:
        for cookie in self.cookies():
            if cookie.expired(now):
                self.remove(cookie)


def _meant(parsed: SetCookie, place: _Place, now: float) -> Cookie | None:
    """Return the cookie that the header asks for, or None when its Domain is not allowed."""
    attributes = parsed.attributes
    domain = attributes.get("domain", "").removeprefix(".").lower()
    host_only = not domain or (domain == place.host and ("." not in domain or is_address(domain)))
    if domain and not host_only and ("." not in domain or not domain_matches(place.host, domain)):
        return None
    path = attributes.get("path", "")
    return Cookie(
        name=parsed.name,
        value=parsed.value,
        domain=place.host if host_only else domain,
        path=path if path.startswith("/") else _default_path(place.path),
        host_only=host_only,
        expires=_expiry(attributes, now),
        created=now,
        secure="secure" in attributes,
        http_only="httponly" in attributes,
        same_site=_SAME_SITE.get(attributes.get("samesite", "").lower(), ""),
    )


_SAME_SITE = {"strict": "Strict", "lax": "Lax", "none": "None"}


def _expiry(attributes: dict[str, str], now: float) -> float | None:
    """Return when the cookie ends: Max-Age wins over Expires; what cannot be read is ignored."""
    age = attributes.get("max-age", "")
    if re.fullmatch(r"-?[0-9]+", age):
        if age.startswith("-") or not age.strip("0"):
            return 0.0
        return now + (MAX_AGE if len(age.lstrip("0")) > 9 else min(int(age), MAX_AGE))
    expires = parse_date(attributes.get("expires", ""))
    return None if expires is None else min(expires, now + MAX_AGE)


def _prefix_holds(cookie: Cookie, parsed: SetCookie) -> bool:
    """Check ``__Secure-`` and ``__Host-`` (RFC 6265bis §4.1.3); a nameless value may not pose."""
    lower = cookie.name.lower()
    if not lower:
        return not cookie.value.lower().startswith(("__secure-", "__host-"))
    if lower.startswith("__secure-"):
        return cookie.secure
    if lower.startswith("__host-"):
        at_root = parsed.attributes.get("path") == "/"
        return cookie.secure and at_root and not parsed.attributes.get("domain")
    return True


def _withholding(
    cookie: Cookie, place: _Place, now: float, method: str, context: SameSiteContext
) -> str:
    """Return why *cookie* is not sent, or an empty text."""
    exact = place.host == cookie.domain
    if not (exact if cookie.host_only else domain_matches(place.host, cookie.domain)):
        return "DomainMismatch"
    if cookie.expired(now):
        return "Expired"
    if not _path_matches(place.path, cookie.path):
        return "NotOnPath"
    if cookie.secure and not place.trustworthy:
        return "SecureOnly"
    if context == "same-site" or cookie.same_site == "None":
        return ""
    if context == "cross-site-navigation" and cookie.same_site != "Strict":
        young = not cookie.same_site and now - cookie.created < LAX_UNSAFE_S
        if young or method.upper() in SAFE_METHODS:
            return ""
    return _same_site_reason(cookie)


def _same_site_reason(cookie: Cookie) -> str:
    return f"SameSite{cookie.same_site or 'UnspecifiedTreatedAsLax'}"


def _key(cookie: Cookie) -> tuple[str, str, bool, str]:
    return cookie.name, cookie.domain, cookie.host_only, cookie.path


def _place(url: str) -> _Place:
    parts = urlsplit(url)
    host = host_of(url)
    secure = parts.scheme.lower() in ("https", "wss")
    return _Place(host, parts.path or "/", secure or is_loopback(host))


def _path_matches(path: str, cookie_path: str) -> bool:
    """RFC 6265bis §5.1.4."""
    if path == cookie_path:
        return True
    return path.startswith(cookie_path) and (
        cookie_path.endswith("/") or path[len(cookie_path)] == "/"
    )


def _default_path(path: str) -> str:
    """The directory of the URL's path (RFC 6265bis §5.1.4)."""
    return path[: path.rfind("/")] or "/"


def _has_controls(text: str) -> bool:
    return re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text) is not None
