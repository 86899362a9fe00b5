"""The origin check, which comes after that of the token: what it goes by, and why it refuses.

Source: ``_check_cross_origin`` in ``tornado/web.py``, version 6.6.
"""

from __future__ import annotations

from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from .ladder import Words

OriginCode = Literal["cross-site", "foreign-origin"]
ORIGIN_CODES: tuple[OriginCode, ...] = ("cross-site", "foreign-origin")
"""How the check refuses: the browser says so, or the Origin is not this host."""


class Origin(NamedTuple):
    """What the origin check of Tornado 6.6 goes by: headers, None where they are absent.

    *trusted* says whether ``check_trusted_origin`` would let the Origin pass.
    """

    sec_fetch_site: str | None
    origin: str | None
    host: str
    trusted: bool

    def check(self) -> tuple[bool, Words]:
        """Return whether the request passes, and what was seen."""
        site = self.sec_fetch_site
        if site in ("same-origin", "none"):
            return True, Words("Sec-Fetch-Site is {site}", {"site": site})
        if site is None and self.origin is None:
            return True, Words("neither Sec-Fetch-Site nor Origin: no browser sent it")
        shown = {"site": site or "—", "origin": self.origin or "—", "host": self.host}
        if site is None:
            if _host_of(self.origin or "") == self.host.lower():
                return True, Words("Origin and Host are both {host}", {"host": self.host})
            text = "Origin {origin} is not Host {host}"
        else:
            text = "Sec-Fetch-Site is {site}, Origin is {origin}"
        if self.origin and self.trusted:
            return True, Words("{origin} is trusted", {"origin": self.origin})
        names = ("origin", "host") if site is None else ("site", "origin")
        return False, Words(text, {name: shown[name] for name in names})

    def refusal(self) -> tuple[OriginCode, str, Words, Words]:
        """Return the verdict on what does not pass, Tornado's words, why, and a repair."""
        shown = {"origin": self.origin or "—", "site": self.sec_fetch_site, "host": self.host}
        if self.sec_fetch_site is not None:
            code: OriginCode = "cross-site"
            message = f"Sec-Fetch-Site {self.sec_fetch_site} & origin {self.origin!r} not allowed"
            text = "The browser says that another site sent it: {site}."
            sentence = Words(text, _only(shown, "site"))
        else:
            code = "foreign-origin"
            message = f"Origin {self.origin!r} not allowed"
            text = "It was sent by a page of {origin}, but this is {host}."
            sentence = Words(text, _only(shown, "origin", "host"))
        repair = Words("Send it from a page of this very host and port.")
        if self.origin:
            text = (
                "Send it from a page of this host, or add {origin} to the setting trusted_origins."
            )
            repair = Words(text, _only(shown, "origin"))
        return code, message, sentence, repair


def _only(values: dict[str, str | None], *names: str) -> dict[str, object]:
    return {name: values[name] for name in names}


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # Tornado answers this with a 500.
        return None
