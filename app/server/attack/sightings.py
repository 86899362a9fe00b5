"""What came of attacks, read from the recording: fired from here or by any browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from app.recording.events import Request
from app.recording.headers import pairs, value_of
from app.recording.store import Store

from .attacks import ATTACKS, Attack, Outcome, Target, uri_of


class Place(NamedTuple):
    """A cell: the keys of a defence and of an attack."""

    defence: str
    attack: str


class Sighting(NamedTuple):
    """An attack that reached the site. *client* is the built-in client's name, None for another.

    *verdict* is the code of `xsrf_verdict`, empty where nothing was checked; *cookies* are the
    names of the cookies that came along.
    """

    place: Place
    request_id: int
    client: str | None
    outcome: Outcome
    method: str
    status: int
    verdict: str
    cookies: tuple[str, ...]


class Sightings:
    """Finds attacks among the recorded requests; each is told once, when it is over.

    Only requests for *target* count: a browser that is redirected after one attacks nobody. *hosts*
    maps a Host header to the key of its defence, *origins* are those of the attacker and of the
    neighbour. *logins* are the names of the cookies of a login, for each defence.
    """

    def __init__(
        self, store: Store, target: Target, hosts: Mapping[str, str], origins: tuple[str, str]
    ) -> None:
        self.logins: dict[str, frozenset[str]] = {}
        self._store, self._target = store, target
        self._hosts = hosts
        self._origins = origins
        self._open: set[int] = set()
        rows = store.requests.rows
        self._seen = rows[-1][0] if rows else 0

    def look(self) -> list[Sighting]:
        """Return what is new since the last look."""
        table = self._store.requests
        fresh = table.rows[table.position(self._seen + 1) :]
        waiting = [row for id_ in sorted(self._open) if (row := table.get(id_))]
        found = []
        for request in (Request(*row) for row in (*waiting, *fresh)):
            self._open.discard(request.id)
            if request.outcome is None:
                self._open.add(request.id)
            elif (sighting := self._sighting(request)) is not None:
                found.append(sighting)
        if fresh:
            self._seen = fresh[-1][0]
        return found

    def _sighting(self, request: Request) -> Sighting | None:
        headers = {name.lower(): value for name, value in pairs(request.request_head)}
        defence = self._hosts.get(headers.get("host", ""))
        attack = self._attack(request, headers)
        if defence is None or attack is None or _allowed_by_cors(request):
            return None
        cookies = tuple(cookie_names(headers.get("cookie", "")))
        checks = self._store.xsrf.get(request.id, [])
        verdict = str(checks[-1][1]) if checks else ""
        outcome = self._outcome(request, bool(self.logins.get(defence, set()) & set(cookies)))
        return Sighting(
            Place(defence, attack.key),
            request.id,
            request.client,
            outcome,
            request.method,
            request.status or 0,
            verdict,
            cookies,
        )

    def _attack(self, request: Request, headers: Mapping[str, str]) -> Attack | None:
        """Return which attack a request is, by where it comes from and how."""
        source = headers.get("origin") or _origin_of(headers.get("referer", ""))
        if source not in self._origins or "sec-fetch-mode" not in headers:
            return None
        neighbour = source == self._origins[1]
        mode, dest = headers["sec-fetch-mode"], headers.get("sec-fetch-dest", "")
        for attack in ATTACKS:
            how = (attack.mode, attack.dest, attack.neighbour) == (mode, dest, neighbour)
            asks = attack.preflight and request.method == "OPTIONS"
            sent = asks or request.method == attack.method
            if how and sent and request.uri == uri_of(attack, self._target):
                return attack
        return None

    def _outcome(self, request: Request, logged_in: bool) -> Outcome:
        if request.method == "OPTIONS":
            return Outcome.UNSENT
        stages = {stage.name for stage in self._store.stages_of(request.id)}
        if "post" in stages and request.status != 405:
            return Outcome.FORGED if logged_in else Outcome.STRANGER
        return Outcome.REFUSED if request.status == 403 else Outcome.READ


def _allowed_by_cors(request: Request) -> bool:
    """Tell whether this is only a question, which the site answered so that more will come."""
    allows = value_of(request.response_head, "Access-Control-Allow-Origin")
    return request.method == "OPTIONS" and allows is not None


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def cookie_names(header: str) -> list[str]:
    """Return the names in a Cookie header."""
    return [part.partition("=")[0].strip() for part in header.split(";") if part.strip()]
