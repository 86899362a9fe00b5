"""The attacks that a page of another origin can try, and the defences against them.

What a browser sends along with each is after the Fetch standard, Fetch Metadata and RFC 6265bis;
``tests/test_chromium.py`` compares it with what Chromium really sends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from app.server.jar import SameSiteContext
from app.server.site import Site

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
PLANTED = "2|00000000|6c6f6f7073636f70656c6f6f7073636f|1"
"""An XSRF token that anybody can write: cookie and form agree, which is all that is asked."""


@dataclass(frozen=True)
class Attack:
    """One way to make a victim's browser send a request to the site.

    *context* says how the browser sees it for SameSite; *mode* and *dest* are its Sec-Fetch
    headers, *clicked* whether the victim clicked on something. With *preflight* the browser asks
    the site with OPTIONS first. A *neighbour* attacks from another port of the site's own host.
    """

    key: str
    title: str
    what: str
    method: str
    context: SameSiteContext
    mode: str
    dest: str
    clicked: bool = False
    preflight: bool = False
    neighbour: bool = False


ATTACKS = (
    Attack(
        "click",
        "Form, clicked",
        "A page of another site shows a button; behind it is a form that posts to this site.",
        "POST",
        "cross-site-navigation",
        "navigate",
        "document",
        clicked=True,
    ),
    Attack(
        "frame",
        "Form in a hidden frame",
        "The form sends itself as soon as the page is open, into a frame that nobody sees.",
        "POST",
        "cross-site",
        "navigate",
        "iframe",
    ),
    Attack(
        "image",
        "Image",
        "The address of an image in the page is that of the form, with its fields as a query.",
        "GET",
        "cross-site",
        "no-cors",
        "image",
    ),
    Attack(
        "link",
        "Link, clicked",
        "A link leads to the form's address, with its fields as a query.",
        "GET",
        "cross-site-navigation",
        "navigate",
        "document",
        clicked=True,
    ),
    Attack(
        "fetch",
        "fetch of a form",
        "A script posts the form's fields with fetch(), mode no-cors, and with credentials.",
        "POST",
        "cross-site",
        "no-cors",
        "empty",
    ),
    Attack(
        "json",
        "fetch of JSON",
        "A script posts JSON with fetch() and with credentials.",
        "POST",
        "cross-site",
        "cors",
        "empty",
        preflight=True,
    ),
    Attack(
        "neighbour",
        "Form, next port",
        "A page on another port of this very host plants an _xsrf cookie of its own, and its form"
        " sends the same token.",
        "POST",
        "same-site",
        "navigate",
        "document",
        neighbour=True,
    ),
)


@dataclass(frozen=True)
class Defence:
    """How the site is served while it is attacked. None leaves a setting as the site has it.

    *same_site* is what every Set-Cookie says, empty for nothing; with ``None`` come ``Secure``
    cookies, which browsers then demand. *get_posts* lets get() do what post() does.
    """

    key: str
    title: str
    what: str
    xsrf_cookies: bool | None = None
    cross_origin_protection: bool | None = None
    same_site: str | None = None
    get_posts: bool = False


DEFENCES = (
    Defence("served", "As it is served", "The site at its own address, with its own settings."),
    Defence(
        "none",
        "No defence",
        "Cookies say SameSite=None, and nothing is checked.",
        False,
        False,
        "None",
    ),
    Defence(
        "unset",
        "SameSite not given",
        "Cookies say nothing of SameSite, and nothing is checked.",
        False,
        False,
        "",
    ),
    Defence(
        "lax",
        "SameSite=Lax",
        "Cookies say SameSite=Lax, and nothing is checked.",
        False,
        False,
        "Lax",
    ),
    Defence(
        "strict",
        "SameSite=Strict",
        "Cookies say SameSite=Strict, and nothing is checked.",
        False,
        False,
        "Strict",
    ),
    Defence(
        "xsrf",
        "xsrf_cookies",
        "Cookies say SameSite=None; the form's token must agree with the cookie.",
        True,
        False,
        "None",
    ),
    Defence(
        "origin",
        "cross_origin_protection",
        "Cookies say SameSite=None; Tornado looks at Sec-Fetch-Site and Origin.",
        False,
        True,
        "None",
    ),
    Defence(
        "unsafe",
        "All, but get() posts",
        "SameSite=Lax and both checks, but get() does what post() does.",
        True,
        True,
        "Lax",
        get_posts=True,
    ),
)


class Outcome(Enum):
    """What came of an attack; the value is the word for it."""

    FORGED = "Forged"
    """The handler did what it does, with the victim's cookies."""
    STRANGER = "As a stranger"
    """The handler ran, but without the victim's cookies."""
    REFUSED = "Refused"
    """A check of Tornado's answered before the handler ran."""
    READ = "Only read"
    """get() ran, or nothing: not the method that changes something."""
    UNSENT = "Not sent"
    """The browser asked first, and was not allowed to send it."""


@dataclass(frozen=True)
class Target:
    """What is attacked, and how the victim logs in before: paths and form bodies."""

    login_path: str = "/login"
    login_body: str = "name=Alice"
    path: str = "/form"
    body: str = "name=Alice&message=I+never+wrote+this"


def uri_of(attack: Attack, target: Target) -> str:
    """Return the path that an attack is sent to, with the query if it carries the fields."""
    return f"{target.path}?{target.body}" if attack.method == "GET" else target.path


def target_of(site: Site) -> Target:
    """Return what to attack of *site*: its form, as far as its routes tell, and its login."""
    paths = [route.pattern for route in site.routes if route.enabled]
    paths = [path for path in paths if re.fullmatch(r"/[\w/.-]*", path)]
    login = str(site.settings.get("login_url", "/login"))
    forms = [path for path in paths if path.endswith("form")] or [
        path for path in paths if path not in ("/", login)
    ]
    return Target(login, path=forms[0] if forms else "/")


def attack_of(key: str) -> Attack:
    """Return an attack by its key; raises KeyError."""
    return {attack.key: attack for attack in ATTACKS}[key]


def defence_of(key: str) -> Defence:
    """Return a defence by its key; raises KeyError."""
    return {defence.key: defence for defence in DEFENCES}[key]
