"""What the window's commands to the clients do: who they are, what they fire, what came of it."""

from __future__ import annotations

from asyncio import CancelledError
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from typing import Any

from app.server.browser import Browser
from app.server.client import Client
from app.server.client_messages import ClientRequest, ClientResponse, InvalidRequest, Wire
from app.server.clients import Clients
from app.widgets.controls import Controls, Shot
from app.widgets.firing_controls import Fired, FiringControls, Hop, Person, Sending

KEPT = 200
"""How many shots the history holds."""
Spawn = Callable[[Coroutine[Any, Any, None]], None]


class Firing(FiringControls):
    """Fires for *controls*, whose signals tell of it.

    *absolute* completes URLs, *spawn* starts a coroutine as the clients' own.
    """

    def __init__(
        self,
        controls: Controls,
        clients: Clients,
        absolute: Callable[[str], str],
        spawn: Spawn,
    ) -> None:
        super().__init__(controls)
        self.under_way: Counter[str] = Counter()
        self._controls = controls
        self._clients = clients
        self._absolute = absolute
        self._spawn = spawn
        self._history: deque[Fired] = deque(maxlen=KEPT)
        self._count = 0

    def history(self) -> list[Fired]:
        return list(self._history)

    def forget(self) -> None:
        self._history.clear()

    def person(self, client: str) -> Person:
        who = self._clients[client]
        if who.browser is not None:
            return Person(who.name, "browser", who.browser.page, who.hue)
        return Person(who.name, "script" if who.keeps_cookies else "bare", "", who.hue)

    def change(self, client: str, person: Person) -> None:
        browser = Browser(person.page.strip()) if person.kind == "browser" else None
        self._clients.rename(client, person.name.strip())
        who = self._clients[person.name.strip()]
        who.browser, who.keeps_cookies = browser, person.kind != "bare"
        who.hue = person.hue
        self.under_way[who.name] += self.under_way.pop(client, 0)
        self._controls.clients_changed.emit()

    def remove(self, client: str) -> None:
        self._clients.remove(client)
        self._controls.clients_changed.emit()

    def request(self, shot: Shot) -> ClientRequest:
        """Return what *shot* asks for. Raises ValueError when it cannot be sent."""
        try:
            url = self._absolute(shot.url)
        except ValueError as error:
            raise InvalidRequest("url", f"not a URL: {error}") from None
        headers = list(shot.headers)
        if shot.attach_xsrf:
            token = self._clients[shot.client].xsrf_header(url)
            headers += [token] if token else []
        return ClientRequest(
            url,
            shot.method,
            tuple(headers),
            shot.body,
            follow_redirects=shot.follow_redirects,
            # Without one: a lesson may let a request wait for as long as it talks.
            timeout=shot.sending.give_up_after or None,
            wire=_wire(shot.sending),
        )

    def fire(self, shot: Shot) -> None:
        """Fire *shot*; the history tells of it, or `refused` why it cannot be."""
        try:
            request = self.request(shot)
        except InvalidRequest as error:
            self._refuse(error)
            return
        self._count += 1
        fired = Fired(self._count, shot)
        self._spawn(self._fire(fired, self._clients[shot.client], request))

    def _refuse(self, error: InvalidRequest) -> None:
        self.refused.emit(error.field, str(error))
        self._controls.failed.emit(str(error))

    async def _fire(self, fired: Fired, client: Client, request: ClientRequest) -> None:
        shot = fired.shot
        self._controls.fired.emit(0, shot.times)
        self.under_way[client.name] += shot.times
        self._history.append(fired)

        def heard(done: int, response: ClientResponse) -> None:
            _note(fired, response)
            self._controls.fired.emit(done, shot.times)

        try:
            rate = shot.sending.rate or None
            await client.burst(request, shot.times, shot.concurrency, heard, rate=rate)
        except InvalidRequest as error:
            self._history.remove(fired)
            self._refuse(error)
        except CancelledError:
            fired.error = "cancelled"
            raise
        else:
            if fired.error:
                self._controls.failed.emit(fired.error)
        finally:
            fired.over = True
            self.under_way[client.name] -= shot.times
            self._controls.fired.emit(shot.times, shot.times)
            self._controls.clients_changed.emit()


def _wire(sending: Sending) -> Wire:
    return Wire(
        "HTTP/1.0" if sending.http_1_0 else "HTTP/1.1",
        sending.keep_alive,
        sending.chunked,
        sending.expect_continue,
        sending.bytes_per_second or None,
        None if sending.hang_up_after < 0 else sending.hang_up_after,
    )


def _note(fired: Fired, response: ClientResponse) -> None:
    """Take in what came of one request."""
    fired.latencies.append(response.elapsed)
    fired.statuses[response.status] += 1
    fired.error = fired.error or response.error
    steps = [*response.redirects, response]
    fired.hops = [Hop(step.method, step.url, step.status, step.error) for step in steps]
    following = response.following
    fired.following = None
    if following is not None:
        fired.following = fired.shot._replace(
            method=following.method,
            url=following.url,
            headers=list(following.headers),
            body=following.body,
            attach_xsrf=False,  # The token is among the headers.
            times=1,
            concurrency=1,
        )
