"""The attacker's own server: pages that try each attack, in whatever browser opens them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

from .attacks import (
    ATTACKS,
    DEFENCES,
    FORM,
    JSON,
    PLANTED,
    Attack,
    Defence,
    Target,
    attack_of,
    uri_of,
)

PAGES = Path(__file__).resolve().parents[3] / "resources" / "attack"


class Victim(NamedTuple):
    """A site to attack: ``http://host:port``, and the name of its XSRF cookie."""

    origin: str
    xsrf_cookie: str


class AttackerServer:
    """Serves the pages on *port* of every loopback address; `victims` are by a defence's key.

    *translate* puts a text into the language of the window. Raises OSError when it cannot listen.
    """

    def __init__(self, target: Target, translate: Callable[[str], str]) -> None:
        self.victims: dict[str, Victim] = {}
        self.target = target
        self.translate = translate
        # Both IPv4 and IPv6: browsers try either for localhost.
        self.sockets: list[socket.socket] = bind_sockets(0, "localhost")
        self.port: int = self.sockets[0].getsockname()[1]
        rules: list[Any] = [
            ("/", _IndexPage, {"server": self}),
            (r"/(\w+)/(\w+)", _AttackPage, {"server": self}),
        ]
        application = Application(rules, template_path=str(PAGES), log_function=lambda _: None)
        self._server = HTTPServer(application)
        self._server.add_sockets(self.sockets)

    async def stop(self) -> None:
        """Stop listening and close every connection."""
        self._server.stop()
        await self._server.close_all_connections()


class _Page(RequestHandler):
    """What the pages share. They run nothing that the victim did not open."""

    def initialize(self, server: AttackerServer) -> None:
        self.server = server

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")

    def get_template_namespace(self) -> dict[str, Any]:
        namespace: dict[str, Any] = super().get_template_namespace()
        namespace["_"] = self.server.translate
        return namespace


class _IndexPage(_Page):
    """Every attack against every defence, as links."""

    def get(self) -> None:
        defences = [each for each in DEFENCES if each.key in self.server.victims]
        self.render(
            "index.html",
            attacks=ATTACKS,
            defences=defences,
            victims=self.server.victims,
            login_path=self.server.target.login_path,
            page_of=self._page_of,
        )

    def _page_of(self, defence: Defence, attack: Attack) -> str:
        return page_of(self.server, defence.key, attack)


class _AttackPage(_Page):
    """One attack against one defence: it begins when the page opens, or when its button is
    clicked."""

    def get(self, defence: str, key: str) -> None:
        try:
            victim, attack = self.server.victims[defence], attack_of(key)
        except KeyError:
            raise HTTPError(404) from None
        target, name = self.server.target, ""
        if attack.neighbour:
            name = victim.xsrf_cookie
            self.set_cookie(name, PLANTED)
        self.render(
            "attack.html",
            attack=attack,
            origin=victim.origin,
            url=url_of(victim, attack, target),
            fields=fields_of(victim, attack, target),
            body=target.body,
            content_type=JSON if attack.preflight else FORM,
        )


def page_of(server: AttackerServer, defence: str, attack: Attack) -> str:
    """Return the address of the page that tries *attack*, on the host from which it does."""
    return f"{attacker_origin(server, defence, attack)}/{defence}/{attack.key}"


def attacker_origin(server: AttackerServer, defence: str, attack: Attack) -> str:
    """Return the attacker's origin: the victim's host, or another name of this machine."""
    scheme, _, authority = server.victims[defence].origin.partition("://")
    own = authority.rpartition(":")[0]
    other = "127.0.0.1" if own == "localhost" else "localhost"
    return f"{scheme}://{own if attack.neighbour else other}:{server.port}"


def url_of(victim: Victim, attack: Attack, target: Target) -> str:
    """Return the address that an attack sends a browser to."""
    return f"{victim.origin}{uri_of(attack, target)}"


def fields_of(victim: Victim, attack: Attack, target: Target) -> list[tuple[str, str]]:
    """Return the fields of a forged form."""
    fields = parse_qsl(target.body, keep_blank_values=True)
    return [*fields, (victim.xsrf_cookie, PLANTED)] if attack.neighbour else fields
