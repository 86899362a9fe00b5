"""The verdict on a request that could be forged: the XSRF token, then the origin.

The decision is Tornado's; this agrees with it and says what led to it. Sources:
``check_xsrf_cookie`` and ``_check_cross_origin`` in ``tornado/web.py``, version 6.6.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

from .ladder import NOTHING, Ladder, Rung, Words
from .origin_check import ORIGIN_CODES, Origin, OriginCode
from .xsrf_token import XsrfToken, xsrf_token

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
MISSING = "'_xsrf' argument missing from POST"
FORMAT = "'_xsrf' argument has invalid format"
MISMATCH = "XSRF cookie does not match POST argument"
SOURCES = ("_xsrf", "X-Xsrftoken", "X-Csrftoken")
"""Where Tornado looks for a token, in its order: an argument, then two headers."""

XsrfCode = (
    OriginCode
    | Literal[
        "safe-method",
        "passed",
        "no-token",
        "json-body",
        "mislabelled-form",
        "misnamed-header",
        "invalid-format",
        "unknown-version",
        "no-cookie",
        "cookie-garbage",
        "quoted-token",
        "bytes-token",
        "garbage-token",
        "wrong-token",
    ]
)


class Source(NamedTuple):
    """A place where a token may stand, and what stood there; *chosen* is the one that counts."""

    name: str
    text: str
    chosen: bool


@dataclass(frozen=True)
class Verdict:
    """Why the checks passed or refused a request.

    *repair* is one thing to do, empty when nothing is wrong. *message* is what Tornado says with
    its 403, empty when the checks pass. *sources* are the places that were searched; *token* and
    *cookie* are both sides of the comparison, for as much of them as there was.
    """

    code: XsrfCode
    sentence: Words
    repair: Words
    method: str
    message: str = ""
    sources: tuple[Source, ...] = ()
    token: XsrfToken | None = None
    cookie: XsrfToken | None = None
    origin: Rung | None = None

    @cached_property
    def rungs(self) -> tuple[Rung, ...]:
        """The checks in Tornado's order. They are put into words only when somebody looks."""
        if self.code == "safe-method":
            return _safe_rungs(self.sentence)
        rungs = _rungs(self) if self.sources else _method_rung(self.method)
        return (*rungs, self.origin or Rung("origin", "not reached"))

    @property
    def passed(self) -> bool:
        """Whether the request goes on to ``prepare``."""
        return not self.message


def xsrf_verdict(
    method: str,
    argument: str | None,
    x_xsrftoken: str | None,
    x_csrftoken: str | None,
    cookie: str | None,
    *,
    in_query: bool = False,
    content_type: str = "",
    form_body: bool = False,
    misnamed_header: str = "",
    origin: Origin | None = None,
) -> Verdict:
    """Explain what Tornado's checks decide about a request.

    *argument* is what ``get_argument("_xsrf", None)`` gave and *in_query* whether it stood in the
    URL, *cookie* what ``get_cookie`` gave for the XSRF cookie; the others are header values.
    *content_type*, *form_body* (the body looks like a form with a token) and *misnamed_header* (a
    header that looks meant, such as ``X-XSRF-TOKEN``) only sharpen the words. Without *origin*
    the origin is not checked.
    """
    if method.upper() in SAFE_METHODS:
        return _safe(method)
    texts = (argument, x_xsrftoken, x_csrftoken)
    chosen = next((at for at, text in enumerate(texts) if text), None)
    sources = tuple(
        Source(name, text or "", at == chosen)
        for at, (name, text) in enumerate(zip(SOURCES, texts, strict=True))
    )
    token = xsrf_token(texts[chosen] or "") if chosen is not None else None
    expected = xsrf_token(cookie) if cookie else None
    code = _code(token, expected)
    if code == "no-token":
        code = _why_missing(content_type, form_body, misnamed_header)
    sentence, repair = _words(code, method, token, expected, content_type, misnamed_header)
    if code == "passed" and in_query and chosen == 0:
        sentence, repair = _IN_QUERY
    message = _MESSAGES.get(code, "")
    verdict = Verdict(code, sentence, repair, method, message, sources, token, expected)
    return _with_origin(verdict, origin)


def _code(token: XsrfToken | None, cookie: XsrfToken | None) -> XsrfCode:
    if token is None:
        return "no-token"
    if not token.token:
        return "invalid-format" if token.version == 2 else "unknown-version"
    if cookie is None:
        return "no-cookie"
    if cookie.token is not None and hmac.compare_digest(token.token, cookie.token):
        return "passed"
    if not cookie.token or cookie.literal:
        return "cookie-garbage"
    if not token.literal:
        return "wrong-token"
    if re.match(r"""b(['"]).*\1$""", token.text):
        return "bytes-token"
    if re.match(r"""(['"]).*\1$""", token.text):
        return "quoted-token"
    return "garbage-token"


def _why_missing(content_type: str, form_body: bool, misnamed_header: str) -> XsrfCode:
    if misnamed_header:
        return "misnamed-header"
    if form_body:
        return "mislabelled-form"
    return "json-body" if "json" in content_type.lower() else "no-token"


_IN_QUERY = (
    Words("The token came in the query, and agrees with the cookie."),
    Words("Better send it in the form's body: addresses end up in logs and histories."),
)
_MESSAGES: dict[XsrfCode, str] = {
    **dict.fromkeys(("no-token", "json-body", "mislabelled-form", "misnamed-header"), MISSING),
    **dict.fromkeys(("invalid-format", "unknown-version"), FORMAT),
    **dict.fromkeys(("no-cookie", "cookie-garbage", "quoted-token"), MISMATCH),
    **dict.fromkeys(("bytes-token", "garbage-token", "wrong-token"), MISMATCH),
}
_WORDS: dict[XsrfCode, tuple[Words, Words]] = {
    "no-token": (
        Words("The request was sent without a token."),
        Words("Put {% module xsrf_form_html() %} inside the form, or send the header X-Xsrftoken."),
    ),
    "json-body": (
        Words("The body is JSON: Tornado finds arguments only in forms and in the query."),
        Words("Send the token in the header X-Xsrftoken."),
    ),
    "mislabelled-form": (
        Words("The body is a form with a token, but its Content-Type says {type}."),
        Words("Send it with Content-Type: application/x-www-form-urlencoded."),
    ),
    "misnamed-header": (
        Words("The token was sent in {header}, which Tornado does not read."),
        Words("Name the header X-Xsrftoken."),
    ),
    "invalid-format": (
        Words("The token cannot be read: {problem}."),
        Words("Send the token as it was given out: 2|mask|masked token|timestamp."),
    ),
    "unknown-version": (
        Words("The token cannot be read: {problem}."),
        Words("Send a token that this Tornado gave out; it writes version 2."),
    ),
    "no-cookie": (
        Words("A token was sent, but no _xsrf cookie came with it."),
        Words(
            "Read self.xsrf_token (or the form's module) in a page before, so that the cookie is "
            "set, and stay on one host: 127.0.0.1 is not localhost."
        ),
    ),
    "cookie-garbage": (
        Words("The _xsrf cookie is no XSRF token, so nothing can match it."),
        Words("Delete the _xsrf cookie and load the page again: Tornado sets a new one."),
    ),
    "quoted-token": (
        Words("The token was sent in quotation marks, which became part of it."),
        Words("Send the token without the quotation marks."),
    ),
    "bytes-token": (
        Words("The token was sent as Python prints bytes: b'…'."),
        Words("Decode it first: self.xsrf_token.decode()."),
    ),
    "garbage-token": (
        Words("What was sent is no XSRF token: it is compared as it stands, and differs."),
        Words("Send the value of the hidden field _xsrf, or of the _xsrf cookie, unchanged."),
    ),
    "wrong-token": (
        Words("The token and the cookie are both readable, but differ once unmasked."),
        Words("Take the token from a page that was loaded with this very cookie."),
    ),
}


def _words(
    code: XsrfCode,
    method: str,
    token: XsrfToken | None,
    cookie: XsrfToken | None,
    content_type: str,
    misnamed_header: str,
) -> tuple[Words, Words]:
    """Return the sentence and the repair."""
    if code == "passed" and token is not None and cookie is not None:
        return _agreement(token, cookie), NOTHING
    sentence, repair = _WORDS[code]
    if code == "no-token" and method.upper() == "DELETE":
        repair = Words("Send the token in the header X-Xsrftoken: no form can send a DELETE.")
    values = {
        "type": content_type.partition(";")[0].strip() or "—",
        "header": misnamed_header,
        "problem": token.problem if token is not None else NOTHING,
    }
    used = {name: value for name, value in values.items() if f"{{{name}}}" in sentence.text}
    return Words(sentence.text, used), repair


def _agreement(token: XsrfToken, cookie: XsrfToken) -> Words:
    if token.literal:
        return Words("Neither is in Tornado's format, but both are the same text.")
    if token.version != cookie.version:
        values = {"token": token.version, "cookie": cookie.version}
        return Words(
            "A token of version {token} against a cookie of version {cookie}: "
            "unmasked, they agree.",
            values,
        )
    if token.text == cookie.text:
        return Words("The token is the cookie itself: both are the same text.")
    if token.mask == b"\0\0\0\0":
        return Words("The token's mask is zero, so it stands there unmasked; it agrees.")
    return Words("As texts they differ, since each page gets another mask; unmasked, they agree.")


def _safe(method: str) -> Verdict:
    seen = Words("{method} is a safe method: nothing is checked", {"method": method})
    return Verdict("safe-method", seen, NOTHING, method)


def _safe_rungs(seen: Words) -> tuple[Rung, ...]:
    names = ("source", "decode", "cookie", "unmask", "compare", "origin")
    return (Rung("method", "passed", seen), *(Rung(name, "not reached") for name in names))


def _method_rung(method: str) -> tuple[Rung]:
    return (Rung("method", "passed", Words("{method} is checked", {"method": method})),)


def _rungs(verdict: Verdict) -> tuple[Rung, ...]:
    """Return the rungs of the token's check."""
    token, cookie, code = verdict.token, verdict.cookie, verdict.code
    ladder = Ladder()
    ladder.step("source", lambda: (token is not None, _found(verdict.sources)))
    ladder.step("decode", lambda: (bool(token and token.token), _describe(token)))
    if cookie is None:
        ladder.step("cookie", lambda: (False, Words("no _xsrf cookie")))
    else:
        ladder.step("cookie", lambda: (code != "cookie-garbage", _describe(cookie)))
    ladder.step("unmask", lambda: (True, _unmasked(token, cookie)))
    same = code == "passed" or code in ORIGIN_CODES
    compared = Words("the token and the cookie are the same" if same else "they differ")
    ladder.step("compare", lambda: (same, compared))
    return (*_method_rung(verdict.method), *ladder.rungs)


def _found(sources: tuple[Source, ...]) -> Words:
    chosen = next((source.name for source in sources if source.chosen), "")
    if not chosen:
        return Words("none in _xsrf, X-Xsrftoken, X-Csrftoken")
    losers = ", ".join(source.name for source in sources if source.text and not source.chosen)
    if losers:
        values = {"source": chosen, "others": losers}
        return Words("found in {source}; {others} is not looked at", values)
    return Words("found in {source}", {"source": chosen})


def _describe(token: XsrfToken | None) -> Words:
    if token is None:
        return NOTHING
    if token.problem.text:
        return token.problem
    if token.literal:
        return Words("no token format: taken as it stands")
    return Words("version {n}", {"n": token.version})


def _unmasked(token: XsrfToken | None, cookie: XsrfToken | None) -> Words:
    sides = [side.token.hex() if side and side.token else "—" for side in (token, cookie)]
    shown = [side if len(side) <= 12 else f"{side[:8]}…" for side in sides]
    return Words("token {token}, cookie {cookie}", {"token": shown[0], "cookie": shown[1]})


# The origin


def origin_verdict(method: str, origin: Origin) -> Verdict:
    """Explain the origin check alone: of a WebSocket, or where ``xsrf_cookies`` is off."""
    passed = Words("The token is not checked, but the origin is.")
    return _with_origin(Verdict("passed", passed, NOTHING, method), origin)


def _with_origin(verdict: Verdict, origin: Origin | None) -> Verdict:
    """Return *verdict* with the origin check, which comes last."""
    if not verdict.passed:
        return verdict
    if origin is None:
        rung = Rung("origin", "not reached", Words("cross_origin_protection is off"))
        return replace(verdict, origin=rung)
    passed, seen = origin.check()
    if passed:
        return replace(verdict, origin=Rung("origin", "passed", seen))
    code, message, sentence, repair = origin.refusal()
    rung = Rung("origin", "failed", seen)
    return replace(
        verdict, code=code, sentence=sentence, repair=repair, origin=rung, message=message
    )
