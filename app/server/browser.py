"""What a browser adds to a request: where it comes from, in headers and for cookies.

After the Fetch standard (Origin, Referer), Fetch Metadata (Sec-Fetch-*) and RFC 6265bis
(SameSite). Two things are left out: a browser asks with OPTIONS before it sends some requests to
other origins, and it refuses to show their answers to the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .client_messages import ClientRequest, InvalidRequest, Pair, split
from .hosts import is_loopback, site_of
from .jar import SameSiteContext

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
_DISTANCES = ("same-origin", "same-site", "cross-site")


@dataclass(frozen=True)
class Browser:
    """A browser that shows the page with the URL *page*; its links, forms and scripts ask.

    Without a page, what is asked for with GET was typed into the address bar, and all else comes
    from the site's own pages. Raises InvalidRequest for a page that is no URL.
    """

    page: str = ""

    def __post_init__(self) -> None:
        if self.page:
            try:
                split(self.page)
            except InvalidRequest as error:
                raise InvalidRequest("page", str(error)) from None

    def context(self, request: ClientRequest) -> SameSiteContext:
        """Return how the page stands to *request*, which decides over SameSite cookies."""
        if not self.page or site_of(self.page) == site_of(request.url):
            return "same-site"
        return "cross-site-navigation" if _navigates(request) else "cross-site"

    def headers(self, request: ClientRequest, came_by: Sequence[str] = ()) -> list[Pair]:
        """Return what goes with *request*, to which the URLs *came_by* were redirected."""
        urls = [*came_by, request.url]
        if _opens_socket(request):
            return self._of_socket(request.url)
        typed = not self.page and request.method in ("GET", "HEAD") and _navigates(request)
        page = self.page or urls[0]
        pairs = [] if typed else _referer(page, request.url)
        if request.method not in ("GET", "HEAD"):
            pairs.append(("Origin", _origin(page, urls)))
        if not _trustworthy(request.url):
            return pairs
        navigates = _navigates(request)
        pairs.append(("Sec-Fetch-Site", "none" if typed else _distance(page, urls)))
        pairs.append(("Sec-Fetch-Mode", "navigate" if navigates else "cors"))
        if navigates:
            pairs.append(("Sec-Fetch-User", "?1"))
        pairs.append(("Sec-Fetch-Dest", "document" if navigates else "empty"))
        return pairs

    def _of_socket(self, url: str) -> list[Pair]:
        page = self.page or url
        pairs = [("Origin", _origin(page, [url]))]
        if _trustworthy(url):
            pairs.append(("Sec-Fetch-Site", _distance(page, [url])))
            pairs += [("Sec-Fetch-Mode", "websocket"), ("Sec-Fetch-Dest", "websocket")]
        return pairs


def _opens_socket(request: ClientRequest) -> bool:
    return (request.header("Upgrade") or "").lower() == "websocket"


def _navigates(request: ClientRequest) -> bool:
    """Tell whether a link or a form can send this; if not, a script does, with ``fetch``."""
    if _opens_socket(request):
        return False
    if request.method in ("GET", "HEAD"):
        return True
    kind = (request.header("Content-Type") or _FORM_TYPES[0]).partition(";")[0]
    return request.method == "POST" and kind.strip().lower() in _FORM_TYPES


def _referer(page: str, url: str) -> list[Pair]:
    """Return the header under ``strict-origin-when-cross-origin``, the browsers' default."""
    own, path = split(page)
    if own == split(url)[0]:
        return [("Referer", f"{own}{path}")]
    if own.scheme == "https" and not _trustworthy(url):
        return []
    return [("Referer", f"{own}/")]


def _origin(page: str, urls: Sequence[str]) -> str:
    """Return the header's value: null once a redirect led on from a foreign origin."""
    own = split(page)[0]
    origins = [split(url)[0] for url in urls]
    tainted = any(here != there and here != own for here, there in pairwise(origins))
    downgraded = own.scheme == "https" and origins[-1].scheme != "https"
    return "null" if tainted or downgraded else str(own)


def _distance(page: str, urls: Sequence[str]) -> str:
    """Return the farthest that any of *urls* is from the page."""
    return max((_step(page, url) for url in urls), key=_DISTANCES.index)


def _step(page: str, url: str) -> str:
    if split(page)[0] == split(url)[0]:
        return "same-origin"
    return "same-site" if site_of(page) == site_of(url) else "cross-site"


def _trustworthy(url: str) -> bool:
    origin = split(url)[0]
    return origin.scheme == "https" or is_loopback(origin.host)
