"""Recorded requests as tests: they run, and they hold on a fresh application."""

from __future__ import annotations

import asyncio
import importlib
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from app.exchange.case import App, async_http_test_case
from app.recording.events import Request, Row
from app.server.client import Client
from app.server.client_messages import ClientRequest
from app.session.in_out import app_of
from app.session.projects import DEMO

from .test_har import TOKEN, demo, url_of

OWN_APP = """
from tornado.web import Application, RequestHandler


class Home(RequestHandler):
    def post(self):
        self.write(self.request.body)


application = Application([("/own", Home)])


def make_app():
    return Application([("/own", Home)])


async def make_later():
    return make_app()
"""
FORM = ("Content-Type", "application/x-www-form-urlencoded")
APP = App(("from app.server.project import application",), f'application("{DEMO.as_posix()}")')


def record(steps: Callable[[Client, str], Awaitable[None]]) -> list[Row]:
    """Let *steps* ask the demo, and return what was recorded."""

    async def run() -> list[Row]:
        async with demo() as (server, clients, store):
            await steps(clients["Alice"], url_of(server))
        return store.requests.rows

    return asyncio.run(run())


def run(text: str, folder: Path, environment: dict[str, str] | None = None) -> str:
    """Run a test module and return what it said; expect it to pass."""
    path = folder / "recorded_test.py"
    path.write_text(text, "utf-8")
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, str(path)],
        capture_output=True,
        cwd=folder,
        env=environment or {**os.environ, "PYTHONPATH": str(root)},
        timeout=50,
    )
    assert done.returncode == 0, f"{text}\n{done.stderr.decode()}"
    return done.stderr.decode()


async def log_in(alice: Client, base: str) -> None:
    page = await alice.fetch(ClientRequest(f"{base}/login"))
    found = TOKEN.search(page.body.decode())
    assert found is not None
    form = f"name=al%26ice&_xsrf={found[1]}".encode()
    answer = await alice.fetch(
        ClientRequest(f"{base}/login", "POST", (FORM,), form, follow_redirects=False)
    )
    assert answer.status == 302


async def look_and_log_in(alice: Client, base: str) -> None:
    await alice.fetch(ClientRequest(f"{base}/"))
    await log_in(alice, base)
    await alice.fetch(ClientRequest(f"{base}/sleep?seconds=0"))
    await alice.fetch(ClientRequest(f"{base}/profile"))


def last(rows: list[Row], uri: str) -> Request:
    return next(Request(*row) for row in reversed(rows) if row[4] == uri)


def test_a_page_behind_a_login_brings_the_login_with_it(tmp_path: Path) -> None:
    rows = record(look_and_log_in)
    text = async_http_test_case(last(rows, "/profile"), rows, APP)
    assert text.count("self.send(") == 3
    assert 'self.cookies["_xsrf"]' in text
    assert "/sleep" not in text
    assert "OK" in run(text, tmp_path)


def test_a_login_that_was_not_recorded_is_made_up_for(tmp_path: Path) -> None:
    rows = record(look_and_log_in)[-1:]
    text = async_http_test_case(last(rows, "/profile"), rows, APP)
    assert "create_signed_value(" in text
    assert '"user", b"al&ice"' in text
    run(text, tmp_path)


def test_a_form_whose_token_was_not_recorded(tmp_path: Path) -> None:
    rows = record(log_in)[-1:]
    text = async_http_test_case(last(rows, "/login"), rows, APP)
    assert "self.assertEqual(response.code, 302)" in text
    assert 'self.assertEqual(response.headers["Location"], "/profile")' in text
    run(text, tmp_path)


def test_a_refused_token_is_refused_again(tmp_path: Path) -> None:
    async def forget_the_token(alice: Client, base: str) -> None:
        await alice.fetch(ClientRequest(f"{base}/login", "POST", (FORM,), b"name=alice"))

    rows = record(forget_the_token)
    text = async_http_test_case(last(rows, "/login"), rows, APP)
    assert "response.code, 403" in text
    run(text, tmp_path)


@pytest.mark.parametrize("name", ["application", "make_app", "make_later"])
def test_an_application_of_ones_own_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file = tmp_path / f"own_{name}.py"
    file.write_text(OWN_APP, "utf-8")
    target = f"{file}:{name}"
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module(f"own_{name}")
    head = b"POST /own HTTP/1.1\r\nHost: localhost\r\n\r\n"
    body = b"\0\xff'\""
    row = Request(
        *(1, 1, None, "POST", "/own", "HTTP/1.1", "/own", "Home", 200, 0, 1, head, body, len(body)),
        *(b"HTTP/1.1 200 OK\r\n\r\n", b"", 0, 1, "finished", ()),
    )
    text = async_http_test_case(row, [], app_of(target, tmp_path))
    assert "app.server" not in text
    run(text, tmp_path)


def test_a_projects_test_needs_nothing_but_its_path(tmp_path: Path) -> None:
    rows = record(log_in)
    text = async_http_test_case(last(rows, "/login"), rows, app_of(None, DEMO))
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    run(text, tmp_path, environment)


def test_what_was_not_kept_whole_is_told() -> None:
    async def send_much(alice: Client, base: str) -> None:
        await alice.fetch(ClientRequest(f"{base}/login", "POST", (FORM,), b"a=" + b"b" * 100_000))

    rows = record(send_much)
    with pytest.raises(ValueError, match="only 65536 bytes of the body of request #1 were kept"):
        async_http_test_case(last(rows, "/login"), rows, APP)
