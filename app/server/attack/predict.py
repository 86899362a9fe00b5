"""What must come of an attack, reasoned from the rules before anything is sent."""

from __future__ import annotations

from typing import NamedTuple

from app.server.ladder import Words

from .attacks import Attack, Outcome


class Settings(NamedTuple):
    """What of the site's settings decides; *same_site* is that of the victim's cookie."""

    xsrf_cookies: bool
    cross_origin_protection: bool
    same_site: str
    get_posts: bool = False


class Prediction(NamedTuple):
    """What must come of an attack, and why."""

    outcome: Outcome
    reason: Words


_UNSENT = Words(
    "No form can send JSON, so the browser asks with OPTIONS first; this site allows no other"
    " origin, and nothing is sent."
)
_READ = Words(
    "GET is a safe method: no check looks at it, and none need, as long as get() changes nothing."
)
_NO_TOKEN = Words(
    "The token is missing: it stands in pages that the attacker's page is not allowed to read."
)
_SAYS_SITE = Words(
    "The browser itself says where the form comes from: Sec-Fetch-Site is {site}, and no page can"
    " change that."
)
_STRANGER = Words(
    "The browser keeps the cookie back from other sites ({reason}). The handler runs, but for a"
    " stranger: safe where it asks who it is, and not where it does not."
)
_NO_LOGIN = Words("There is no cookie of a login, so the handler runs for a stranger in any case.")
_PLANTED = Words(
    "Cookies ignore ports: the planted _xsrf cookie takes the place of the real one, and agrees"
    " with the token in the form."
)
_SAME_SITE = Words(
    "Another port is another origin, but the same site: SameSite keeps nothing back, and nothing"
    " else is checked."
)
_YOUNG = Words(
    "Without SameSite the cookie counts as Lax, but for two minutes after it was set Chrome sends"
    " it along with such forms all the same."
)
_UNSAFE = Words(
    "get() does what post() does, but GET is never checked; and SameSite={same_site} lets cookies"
    " go along with a link."
)
_SENT = Words("The browser sends the cookie along, and nothing asks where the form comes from.")
_SENT_UNSEEN = Words(
    "The browser sends the cookie along (unless it blocks those of third parties), and nothing"
    " asks where the form comes from."
)
_SENT_GET = Words(
    "The browser sends the cookie along, get() does what post() does, and GET is never checked."
)


def predict(attack: Attack, settings: Settings, withheld: str | None) -> Prediction:
    """Return what must come of *attack*.

    *withheld* is why the browser keeps the victim's cookie back, empty when it sends it, None
    when there is none.
    """
    if attack.preflight:
        return Prediction(Outcome.UNSENT, _UNSENT)
    if attack.method == "GET":
        if not settings.get_posts:
            return Prediction(Outcome.READ, _READ)
    elif settings.xsrf_cookies and not attack.neighbour:
        return Prediction(Outcome.REFUSED, _NO_TOKEN)
    elif settings.cross_origin_protection:
        site = "same-site" if attack.neighbour else "cross-site"
        return Prediction(Outcome.REFUSED, Words(_SAYS_SITE.text, {"site": site}))
    if withheld is None:
        return Prediction(Outcome.STRANGER, _NO_LOGIN)
    if withheld:
        return Prediction(Outcome.STRANGER, Words(_STRANGER.text, {"reason": withheld}))
    return Prediction(Outcome.FORGED, _why_forged(attack, settings))


def _why_forged(attack: Attack, settings: Settings) -> Words:
    if attack.neighbour:
        return _PLANTED if settings.xsrf_cookies else _SAME_SITE
    if attack.method == "GET":
        lax = settings.same_site == "Lax"
        return Words(_UNSAFE.text, {"same_site": settings.same_site}) if lax else _SENT_GET
    if attack.context == "cross-site":
        return _SENT_UNSEEN
    return _SENT if settings.same_site else _YOUNG
