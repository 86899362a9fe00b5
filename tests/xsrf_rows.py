"""Every row of the table of XSRF refusals, every accepted case, and the origin check."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

TOKEN = "000102030405060708090a0b0c0d0e0f"
ZERO = f"2|00000000|{TOKEN}|1763596800"
MASKED = "2|ffffffff|fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0|1763596801"
OTHER_MASK = "2|01020304|0103010705070503090b090f0d0f0d0b|1763596802"
WRONG = "2|00000000|ffffffffffffffffffffffffffffffff|1763596803"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class Case(NamedTuple):
    """A request, and the code of the verdict that it must get."""

    code: str
    argument: str = ""
    cookie: str | None = MASKED
    method: str = "POST"
    query: str = ""
    to: str = "/form"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", FORM),)

    @property
    def path(self) -> str:
        """Where it goes: mostly the demo's guest book."""
        return f"{self.to}?_xsrf={quote(self.query)}" if self.query else self.to

    @property
    def body(self) -> str:
        """The guest book's fields, and the token if there is one."""
        token = f"&_xsrf={quote(self.argument)}" if self.argument else ""
        return f"name=alice&message=hello{token}"

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers with the cookie."""
        cookie = {} if self.cookie is None else {"Cookie": f"_xsrf={self.cookie}"}
        return {**dict(self.headers), **cookie}


def _with(*pairs: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return (("Content-Type", FORM), *pairs)


REFUSED = (
    Case("no-token"),
    Case("no-token", method="DELETE", headers=()),
    Case("json-body", headers=(("Content-Type", JSON),)),
    Case("mislabelled-form", MASKED, headers=(("Content-Type", JSON),)),
    Case("misnamed-header", headers=_with(("X-XSRF-TOKEN", MASKED))),
    Case("invalid-format", "2|00|zz|1"),
    Case("unknown-version", "3|00000000|00|1"),
    Case("no-cookie", MASKED, None),
    Case("garbage-token", "nonsense"),
    Case("cookie-garbage", MASKED, "nonsense"),
    Case("quoted-token", f'"{MASKED}"'),
    Case("bytes-token", f"b'{MASKED}'"),
    Case("wrong-token", WRONG),
    Case("cross-site", MASKED, headers=_with(("Sec-Fetch-Site", "cross-site"))),
    Case("foreign-origin", MASKED, headers=_with(("Origin", "http://evil.example"))),
)
ACCEPTED = (
    Case("passed", query=MASKED),
    Case("passed", OTHER_MASK),
    Case("passed", ZERO),
    Case("passed", TOKEN),
    Case("passed", headers=_with(("X-Xsrftoken", MASKED))),
)
