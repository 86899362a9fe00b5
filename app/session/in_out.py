"""What the window's commands to export and import do, a little at a time."""

from __future__ import annotations

import asyncio
import inspect
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import TypeVar

from tornado.web import Application

from app import __version__
from app.exchange import files, har, har_import
from app.exchange.case import App
from app.exchange.entry import Entry, Response, entry_of, unpacked
from app.exchange.har_import import Har
from app.exchange.redact import sanitised, secrets_of, spellings
from app.exchange.snippets import literal
from app.recording.store import Store
from app.server.client_messages import ClientResponse
from app.server.target import target_file

T = TypeVar("T")
_SLICE_S = 0.008
"""How long an export works before the window has its turn, in s."""


class InOut:
    """Reads and writes HAR files for a store. ``started_at`` is when its recording began."""

    def __init__(self, store: Store, started_at: float) -> None:
        self.started_at = started_at
        self._store = store

    async def read_har(self, path: Path) -> Har:
        """Read a HAR file in a thread. Raises OSError or HarError."""
        return await asyncio.get_running_loop().run_in_executor(None, har_import.read_file, path)

    async def write_har(
        self, path: Path, numbers: list[int], secrets: bool, base: str | None
    ) -> int:
        """Write the requests with these numbers to *path*; return how many there were.

        Left out is what has been forgotten, and what is no request for a URL. Raises OSError.
        """
        entries = [
            entry async for entry in _gently(numbers, lambda n: self._entry(n, base)) if entry
        ]
        known: list[str] = []
        if not secrets:
            found = [list_ async for list_ in _gently(entries, lambda e: list(secrets_of([e])))]
            known = spellings(secret for list_ in found for secret in list_)
            entries = [e async for e in _gently(entries, lambda e: sanitised(e, known))]
        comment = "" if secrets else "Cookies, credentials, tokens and passwords were left out."
        parts = [part async for part in _gently(har.dump(entries, __version__, comment), _same)]
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, files.write, path, b"".join(parts))
        return len(entries)

    def _entry(self, number: int, base: str | None) -> Entry | None:
        request = self._store.request(number)
        if request is None:
            return None
        try:
            return entry_of(self._store, request, self.started_at, base)
        except ValueError:
            return None


def _same(part: bytes) -> bytes:
    return part


async def _gently(items: Iterable[object], work: Callable[..., T]) -> AsyncIterator[T]:
    """Yield what *work* makes of each item; let others run in between."""
    until = time.monotonic() + _SLICE_S
    for item in items:
        yield work(item)
        if time.monotonic() > until:
            await asyncio.sleep(0)
            until = time.monotonic() + _SLICE_S


def answer_of(answer: ClientResponse) -> Response:
    """Return what a client was answered, its body unpacked."""
    body, note = unpacked(answer.body, answer.header("Content-Encoding") or "")
    return Response(
        answer.status,
        answer.reason,
        answer.version,
        tuple(answer.headers),
        body,
        answer.body_size,
        answer.error or note,
    )


def app_of(target: str | None, folder: Path) -> App:
    """Return how a test makes the application: that of ``--app``, or the project's in *folder*."""
    if target is None:
        root = Path(__file__).resolve().parents[2]
        imports = (
            "import sys",
            f"sys.path.insert(0, {literal(str(root))})  # Loopscope builds projects.",
            "from app.server.project import application",
        )
        return App(imports, f"application({literal(str(folder.resolve()))})")
    place, _, name = target.rpartition(":")
    file = target_file(target)
    module = place if file is None else file.stem
    where = Path.cwd() if file is None else file.resolve().parent
    made = getattr(sys.modules.get(module), name, None)
    make = name if isinstance(made, Application) else f"{name}()"
    if inspect.iscoroutinefunction(made):
        make = f"self.io_loop.run_sync({name})"
    imports = (
        "import sys",
        f"sys.path.insert(0, {literal(str(where))})",
        f"from {module} import {name}",
    )
    return App(imports, make)
