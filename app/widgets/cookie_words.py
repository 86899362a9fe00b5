"""Cookies in words: how long they live, and why browsers keep them back."""

from __future__ import annotations

from app.server.jar import Cookie

from .i18n import tr

REASONS = {
    "Stored": "kept in the jar",
    "Replaced": "took the place of the one before",
    "Removed": "its time was over: the jar forgot it",
    "Expired": "its time is over",
    "DomainMismatch": "it belongs to another host",
    "NotOnPath": "the path of the request is not below the cookie's",
    "SecureOnly": "Secure cookies need HTTPS or this machine",
    "SameSiteStrict": "SameSite=Strict: the request comes from another site",
    "SameSiteLax": "SameSite=Lax: another site may only lead here with a link",
    "SameSiteNone": "SameSite=None",
    "SameSiteUnspecifiedTreatedAsLax": "without SameSite a cookie counts as Lax",
    "SameSiteNoneInsecure": "SameSite=None needs Secure",
    "UserPreferences": "this client keeps no cookies",
    "InvalidDomain": "the response may not speak for that domain",
    "InvalidPrefix": "the name's __Host- or __Secure- asks for more than the attributes give",
    "OverwriteSecure": "it would hide a Secure cookie",
    "DisallowedCharacter": "it holds a control character",
    "NoCookieContent": "there is neither a name nor a value",
    "NameValuePairExceedsMaxSize": "name and value are longer than 4096 bytes",
}
"""What the browsers' words mean."""


def reason_words(reason: str) -> str:
    """Return a reason as browsers name it, and what it means."""
    meaning = REASONS.get(reason)
    return f"{reason}: {tr(meaning)}" if meaning else reason


def left(seconds: float) -> str:
    """Return a time to live, counted down: ``29 d 23 h``, ``4:59``, ``expired``."""
    if seconds <= 0:
        return tr("expired")
    whole = int(seconds)
    if whole >= 86400:
        return tr("{days} d {hours} h", days=whole // 86400, hours=whole % 86400 // 3600)
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"


def expiry(cookie: Cookie, now: float) -> str:
    """Return how long *cookie* still lives at *now*, in seconds since the epoch."""
    return tr("Session") if cookie.expires is None else left(cookie.expires - now)


def unquoted(value: str) -> str:
    """Return a cookie's value without the quotation marks that Tornado puts around it."""
    quoted = len(value) >= 2 and value[0] == value[-1] == '"'
    return value[1:-1] if quoted else value


def quoted_like(value: str, model: str) -> str:
    """Return *value*, in quotation marks if *model* is."""
    return f'"{value}"' if unquoted(model) != model else value
