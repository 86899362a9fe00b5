"""Two clients at once, each logged in as somebody else: no cookie of one ever reaches the other."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import defaultdict
from pathlib import Path

from tornado.web import decode_signed_value

from app.recording.events import Request
from app.recording.headers import sent_cookies, set_cookies
from app.recording.recorder import Recorder
from app.recording.store import Store
from app.server.client import Client
from app.server.client_messages import ClientRequest
from app.server.clients import Clients
from app.server.server import Server
from app.server.site import load

DEMO = Path(__file__).resolve().parents[2] / "resources" / "demo"
USERS = {"Alice": "ann", "Bob": "bert"}
EACH = 200
AT_ONCE = 8
FORM = ("Content-Type", "application/x-www-form-urlencoded")


async def log_in(client: Client, url: str) -> str:
    """Log *client* in as its user; return the page that it is led to."""
    await client.fetch(ClientRequest(f"{url}/login"))
    token = client.xsrf_header(url)
    assert token is not None
    body = f"name={USERS[client.name]}".encode()
    response = await client.fetch(ClientRequest(f"{url}/login", "POST", (FORM, token), body))
    return response.body.decode()


async def use(client: Client, url: str) -> None:
    """Send `EACH` requests, several at once: pages that name the user, and new logins."""
    numbers = iter(range(EACH))

    async def work() -> None:
        for number in numbers:
            if number % 5 == 0:
                page = await log_in(client, url)  # three requests
            else:
                page = (await client.fetch(ClientRequest(f"{url}/profile"))).body.decode()
            assert USERS[client.name] in page
            assert not any(name in page for who, name in USERS.items() if who != client.name)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())


def test_no_cookie_crosses_between_clients_that_are_logged_in_at_once() -> None:
    recorder, store, clients = Recorder(), Store(), Clients()
    server = Server(recorder, clients.name_of_peer)

    async def main() -> None:
        server.apply(load(DEMO))
        _, port = server.start("127.0.0.1", 0)
        url = f"http://127.0.0.1:{port}"
        with contextlib.closing(clients):
            for name in USERS:
                await log_in(clients[name], url)
            await asyncio.gather(*(use(clients[name], url) for name in USERS))
        store.apply(recorder.drain())
        await server.close()

    asyncio.run(main())
    secret = server.keys.at(None).secret
    requests = [Request(*row) for row in store.requests.rows]
    came: dict[str, set[str]] = defaultdict(set)
    given: dict[str, set[str]] = defaultdict(set)
    count: dict[str, int] = defaultdict(int)
    for request in requests:
        assert request.client is not None
        count[request.client] += 1
        for cookie, value in sent_cookies(request.request_head):
            came[request.client].add(value)
            if cookie == "user":
                user = decode_signed_value(secret, cookie, value)  # type: ignore[arg-type]
                assert user == USERS[request.client].encode()
        given[request.client] |= {each.value for each in set_cookies(request.response_head)}
    assert set(count) == set(USERS)
    assert min(count.values()) >= EACH
    for name in USERS:
        jar = {cookie.value.strip('"') for cookie in clients[name].jar.cookies()}
        assert came[name] <= given[name]
        assert jar <= given[name]
        assert len(jar) == 2  # user and _xsrf
    assert not given["Alice"] & given["Bob"]
    # The clients really took turns.
    turns = sum(a.client != b.client for a, b in itertools.pairwise(requests))
    assert turns > EACH / 4
