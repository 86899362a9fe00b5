"""One cookie through the requests of a client: where it came, where it was set, what changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .events import Row
from .headers import cookies

_CLIENT, _METHOD, _URI, _REQUEST_HEAD, _RESPONSE_HEAD = 2, 3, 4, 11, 14


class Sighting(NamedTuple):
    """A cookie in one request (``in``) or set by its response (``out``).

    *changed* says that its value is not the one before.
    """

    request_id: int
    method: str
    uri: str
    direction: str
    value: str
    attributes: str
    changed: bool


def history(rows: Iterable[Row], client: str | None, name: str) -> list[Sighting]:
    """Return where the cookie *name* is in a client's requests, oldest first.

    Browsers and other programs have no name: None stands for all of them.
    """
    needle, found, last = name.encode("latin-1", "replace"), list[Sighting](), None
    for row in rows:
        if row[_CLIENT] != client:
            continue
        if needle not in row[_REQUEST_HEAD] and needle not in row[_RESPONSE_HEAD]:
            continue
        for cookie in cookies(row[_REQUEST_HEAD], row[_RESPONSE_HEAD]):
            if cookie.name == name:
                place = (row[0], row[_METHOD], row[_URI], cookie.direction)
                changed = cookie.value != last
                found.append(Sighting(*place, cookie.value, cookie.attributes, changed))
                last = cookie.value
    return found
