"""The range itself: the attacker's server, the site under each defence, and a victim's browser."""

from __future__ import annotations

import asyncio
import contextvars
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode, urlsplit

from app.recording.events import CLIENT
from app.recording.recorder import OWNER, Recorder
from app.recording.store import Store
from app.server.bit_by_bit import alongside
from app.server.browser import Browser
from app.server.client import Client
from app.server.client_messages import ClientRequest, ClientResponse, Pair, split
from app.server.clients import Clients
from app.server.hosts import is_loopback
from app.server.jar import Jar, SameSiteContext
from app.server.ladder import NOTHING, Words
from app.server.server import Server
from app.server.site import Site, SiteError

from .attacks import DEFENCES, FORM, JSON, Attack, Target, attack_of, defence_of
from .origin import AttackerServer, Victim, attacker_origin, fields_of, page_of, url_of
from .predict import Prediction, Settings, predict
from .sightings import Place, Sighting, Sightings, cookie_names
from .variant import variant_class, varied

VICTIM = "Victim"
"""The name of the built-in client that is attacked."""
_ORIGINS = ("click", "neighbour")
"""Attacks that come from the attacker's two origins."""
_SEEN_WITHIN_S = 3.0
"""How long to wait for a request to be in the store, in s."""


class RangeError(Exception):
    """The range cannot be opened; *words* say why."""

    def __init__(self, words: Words) -> None:
        super().__init__(str(words))
        self.words = words


@dataclass(frozen=True)
class _AttackersPage(Browser):
    """A browser that shows the attacker's page, from which *attack* sends its request."""

    attack: Attack = field(kw_only=True)

    def context(self, request: ClientRequest) -> SameSiteContext:
        return self.attack.context

    def headers(self, request: ClientRequest, came_by: object = ()) -> list[Pair]:
        attack, own = self.attack, split(self.page)[0]
        pairs: list[Pair] = [("Referer", f"{own}/")]
        if request.method not in ("GET", "HEAD"):
            pairs.append(("Origin", str(own)))
        site = "same-site" if attack.neighbour else "cross-site"
        pairs += [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", attack.mode)]
        pairs += [("Sec-Fetch-User", "?1")] if attack.clicked else []
        return [*pairs, ("Sec-Fetch-Dest", attack.dest)]


@dataclass
class _Lane:
    """A site under one defence, and the victim's jar for it. *server* is None for the site itself.

    ``logins`` are the names of the cookies that the login set, ``problem`` why there are none.
    """

    origin: str
    settings: dict[str, object]
    server: Server | None = None
    jar: Jar = field(default_factory=Jar)
    logins: frozenset[str] = frozenset()
    problem: Words = NOTHING

    @property
    def victim(self) -> Victim:
        return Victim(self.origin, str(self.settings.get("xsrf_cookie_name", "_xsrf")))


class AttackRange:
    """One open range, from `open` to `close`. All of it is on loopback.

    The site under each defence runs the handlers that *server* has loaded, on a port of its own.
    """

    def __init__(self, recorder: Recorder, store: Store, clients: Clients, server: Server) -> None:
        self.target = Target()
        self.cells: dict[Place, list[Sighting]] = {}
        """What was seen so far, at each place in order."""
        self._recorder, self._store, self._clients = recorder, store, clients
        self._server = server
        self._lanes: dict[str, _Lane] = {}
        self._attacker: AttackerServer | None = None
        self._sightings: Sightings | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can be attacked."""
        return self._sightings is not None

    @property
    def address(self) -> str:
        """The attacker's address; empty while the range is closed."""
        if self._attacker is None:
            return ""
        defence = next(iter(self._lanes))
        return f"{attacker_origin(self._attacker, defence, attack_of('click'))}/"

    def origin_of(self, defence: str) -> str:
        """Return where the site is served under a defence; empty where it is not."""
        lane = self._lanes.get(defence)
        return lane.origin if lane else ""

    def page_of(self, place: Place) -> str:
        """Return the address of the page that tries an attack; empty where nothing is served."""
        if self._attacker is None or place.defence not in self._lanes:
            return ""
        return page_of(self._attacker, place.defence, attack_of(place.attack))

    def problem_of(self, defence: str) -> Words:
        """Return why nobody is logged in there; nothing if somebody is."""
        lane = self._lanes.get(defence)
        return lane.problem if lane else NOTHING

    async def open(
        self, site: Site | None, target: Target, translate: Callable[[str], str]
    ) -> None:
        """Start all servers, and log the victim in at each.

        *site* is None for an application that is not ours to vary: it is attacked as it is.
        Raises RangeError.
        """
        await self.close()
        if self._server.address is None:
            raise RangeError(Words("Start the server first: there is nothing to attack."))
        host, port = self._server.address
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        self.target = target
        try:
            await self._start(site, host, port, translate)
            await asyncio.gather(*(self._log_in(lane) for lane in self._lanes.values()))
        except BaseException:
            await self.close()
            raise
        assert self._attacker is not None
        first = next(iter(self._lanes))
        origins = [attacker_origin(self._attacker, first, attack_of(key)) for key in _ORIGINS]
        hosts = {urlsplit(lane.origin).netloc: key for key, lane in self._lanes.items()}
        self._sightings = Sightings(self._store, target, hosts, (origins[0], origins[1]))
        self._sightings.logins = {key: lane.logins for key, lane in self._lanes.items()}

    async def _start(
        self, site: Site | None, host: str, port: int, translate: Callable[[str], str]
    ) -> None:
        shown = f"[{host}]" if ":" in host else host
        if is_loopback(host):
            self._lanes["served"] = _Lane(f"http://{shown}:{port}", self._server.settings)
        own = "localhost" if host == "localhost" else "127.0.0.1"
        for defence in DEFENCES[1:] if site is not None else ():
            assert site is not None
            variant = varied(site, defence)
            server = Server(self._recorder, self._clients.name_of_peer)
            try:
                observed = variant_class(defence, urlsplit(self.target.path).path)
                application = await alongside(self._server.building(variant, observed))
                server.serve(application)
                _, at = server.start(own, 0)
            except (SiteError, OSError) as error:
                raise RangeError(Words("{error}", {"error": str(error)})) from error
            self._lanes[defence.key] = _Lane(f"http://{own}:{at}", application.settings, server)
        if not self._lanes:
            raise RangeError(Words("The range is on loopback only, and this server is not."))
        context = contextvars.copy_context()
        context.run(OWNER.set, CLIENT)
        try:
            self._attacker = context.run(AttackerServer, self.target, translate)
        except OSError as error:
            raise RangeError(Words("{error}", {"error": str(error)})) from error
        self._attacker.victims = {key: lane.victim for key, lane in self._lanes.items()}
        for sock in self._attacker.sockets:
            self._recorder.sockets[sock.fileno()] = f"listen attacker:{self._attacker.port}"

    async def close(self) -> None:
        """Stop every server of the range. Does nothing when it is closed."""
        attacker, self._attacker, self._sightings = self._attacker, None, None
        lanes, self._lanes = self._lanes, {}
        self.cells = {}
        if attacker is not None:
            for sock in attacker.sockets:
                self._recorder.sockets.pop(sock.fileno(), None)
            await attacker.stop()
        for lane in lanes.values():
            if lane.server is not None:
                await lane.server.close()

    async def _log_in(self, lane: _Lane) -> None:
        """Log the victim in as a browser would: get the page, send its form with the token."""
        client = self._client(lane, Browser())
        url = f"{lane.origin}{self.target.login_path}"
        try:
            await client.fetch(ClientRequest(url, timeout=10))
            token = client.xsrf_header(url, lane.victim.xsrf_cookie)
            headers = (("Content-Type", FORM), *((token,) if token else ()))
            body = self.target.login_body.encode()
            login = ClientRequest(url, "POST", headers, body, follow_redirects=False, timeout=10)
            response = await client.fetch(login)
        except ValueError as error:
            lane.problem = Words("{error}", {"error": str(error)})
            return
        finally:
            client.close()
        stored = {verdict.name for verdict in response.verdicts if verdict.stored}
        lane.logins = frozenset(stored - {lane.victim.xsrf_cookie})
        if not lane.logins:
            lane.problem = _no_login(response)

    def _client(self, lane: _Lane, browser: Browser) -> Client:
        client = Client(
            VICTIM, browser=browser, ports=self._clients.ports, log=self._clients.cookie_log
        )
        client.jar = lane.jar
        return client

    def prediction(self, place: Place) -> Prediction | None:
        """Return what must come of an attack now; None where nothing is served."""
        lane, attack = self._lanes.get(place.defence), attack_of(place.attack)
        if lane is None:
            return None
        client = self._client(lane, _AttackersPage(lane.origin, attack=attack))
        url = url_of(lane.victim, attack, self.target)
        sent, withheld = client.cookie_header(url, attack.method)
        reasons = {each.name: each.reason for each in withheld if each.name in lane.logins}
        reason: str | None = next(iter(reasons.values()), None)
        if lane.logins & set(cookie_names(sent)):
            reason = ""
        cookies = [cookie for cookie in lane.jar.cookies() if cookie.name in lane.logins]
        settings = Settings(
            bool(lane.settings.get("xsrf_cookies")),
            bool(lane.settings.get("cross_origin_protection")),
            cookies[0].same_site if cookies else "",
            defence_of(place.defence).get_posts,
        )
        return predict(attack, settings, reason)

    async def fire(self, place: Place) -> Sighting | None:
        """Attack once with the built-in client as a browser; return what the recording shows.

        None when the site was not reached, or it is not in the recording in time.
        """
        lane, attack = self._lanes.get(place.defence), attack_of(place.attack)
        if lane is None or self._attacker is None:
            return None
        known = len(self.cells.get(place, ()))
        page = page_of(self._attacker, place.defence, attack)
        client = self._client(lane, _AttackersPage(page, attack=attack))
        try:
            await self._visit(lane, page)
            await self._send(client, lane, attack)
        finally:
            client.close()
        deadline = time.monotonic() + _SEEN_WITHIN_S
        while time.monotonic() < deadline:
            self.look()
            seen = self.cells.get(place, [])[known:]
            if seen:
                return seen[-1]
            await asyncio.sleep(0.01)
        return None

    async def _visit(self, lane: _Lane, page: str) -> None:
        """Open the attacker's page, which may plant a cookie."""
        client = self._client(lane, Browser())
        try:
            await client.fetch(ClientRequest(page, timeout=10))
        finally:
            client.close()

    async def _send(self, client: Client, lane: _Lane, attack: Attack) -> None:
        url = url_of(lane.victim, attack, self.target)
        kind = JSON if attack.preflight else FORM
        if attack.preflight and not await self._may_send(client, url, attack):
            return
        fields = fields_of(lane.victim, attack, self.target)
        body = json.dumps(dict(fields)) if attack.preflight else urlencode(fields)
        request = ClientRequest(url, attack.method, follow_redirects=False, timeout=10)
        if attack.method != "GET":
            request = replace(request, headers=(("Content-Type", kind),), body=body.encode())
        await client.fetch(request)

    async def _may_send(self, client: Client, url: str, attack: Attack) -> bool:
        """Ask the site as a browser does, which sends no cookies with the question."""
        asked = (
            ("Access-Control-Request-Method", attack.method),
            ("Access-Control-Request-Headers", "content-type"),
        )
        jar, client.jar = client.jar, Jar()
        answer = await client.fetch(ClientRequest(url, "OPTIONS", asked, timeout=10))
        client.jar = jar
        return answer.header("Access-Control-Allow-Origin") is not None

    def look(self) -> bool:
        """Take in what was recorded since the last look; return whether there was something."""
        found = self._sightings.look() if self._sightings is not None else []
        for sighting in found:
            self.cells.setdefault(sighting.place, []).append(sighting)
        return bool(found)


def _no_login(response: ClientResponse) -> Words:
    if response.error:
        return Words("{error}", {"error": response.error})
    return Words("The login was answered with {status} and no cookie.", {"status": response.status})
