"""What was written and not saved, kept outside the project until it is.

A draft survives the end of the process, whatever ended it. One process at a time keeps the drafts
of a folder: the one that holds its lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLockFile, QStandardPaths

from app.server.site import Site
from app.server.site.journal import exchange
from app.server.versions import files
from app.session.long_work import AT_ONCE_S, aside
from app.widgets.project_controls import Draft

_LONGEST = 256 * 1024 * 1024


class Drafts:
    """The draft of one project, and the lock of its *folder*.

    The lock tells apart who writes; it does not survive its process.
    """

    def __init__(self, folder: Path) -> None:
        place = QStandardPaths.StandardLocation.GenericDataLocation
        self._root = Path(QStandardPaths.writableLocation(place)) / "Loopscope" / "drafts"
        with contextlib.suppress(OSError):  # `keep` says so, once there is something to keep.
            # Texts may hold secrets.
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = str(folder.resolve()).encode("utf-8", "surrogateescape")
        stem = hashlib.sha256(path).hexdigest()[:24]
        self._folder = folder
        self._file = self._root / f"{stem}.json"
        self._lock = QLockFile(str(self._root / f"{stem}.lock"))
        self._lock.setStaleLockTime(0)  # However long it is open; only a dead process lets go.
        self._kept: dict[str, str] | None = None
        held = QLockFile.LockError.LockFailedError
        self.alone = self._lock.tryLock(0) or self._lock.error() != held
        """Whether no other process has the project open."""

    @property
    def holder(self) -> int:
        """The process that has the project open."""
        return int(self._lock.getLockInfo()[0])

    def release(self) -> None:
        """Let another process have the project."""
        self._lock.unlock()
        self.alone = False

    def keep(self, files: dict[str, str]) -> None:
        """Keep the texts of *files*; with none, there is no draft any more. Raises OSError."""
        if not self.alone or files == self._kept:
            return
        if files:
            row = {"folder": str(self._folder), "time": time.time(), "files": files}
            # A lone surrogate is text too as long as it is only typed.
            exchange(self._root, [(self._file, json.dumps(row).encode())])
        else:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                self._file.unlink()
        self._kept = files

    def find(self) -> Draft | None:
        """Return what was kept, if something was and no other process is at it."""
        if not self.alone:
            return None
        try:
            with self._file.open("rb") as file:
                row: Any = json.loads(file.read(_LONGEST))
            files = {str(name): str(text) for name, text in row["files"].items()}
            return Draft(float(row["time"]), files) if files else None
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None


class Drafting:
    """Keeps drafts beside the window, one after the other: what was asked for later holds."""

    def __init__(self) -> None:
        self._turn = 0
        self._writing = threading.Lock()
        self._kept: tuple[Site, dict[str, str]] | None = None
        """Of what there is a draft, so that nothing is done again."""

    def keep(self, drafts: Drafts, site: Site, disk: dict[str, str]) -> None:
        """Keep what *site* says and the *disk* does not. Raises OSError, if that comes soon."""
        if (site, disk) == self._kept:
            return
        self._turn += 1
        kept = aside(self._keep, self._turn, drafts, site, disk)
        try:
            kept.result(AT_ONCE_S)
        except TimeoutError:
            kept.add_done_callback(_tell_failure)

    def _keep(self, turn: int, drafts: Drafts, site: Site, disk: dict[str, str]) -> None:
        unsaved = {name: text for name, text in files(site).items() if text != disk.get(name)}
        with self._writing:
            if turn == self._turn:
                drafts.keep(unsaved)
                self._kept = site, disk

    def forget(self, drafts: Drafts | None) -> None:
        """There is to be no draft any more. Raises OSError."""
        self.end()
        if drafts is not None:
            drafts.keep({})

    def end(self) -> None:
        """Keep nothing of what is under way."""
        self._turn += 1
        with self._writing:
            self._kept = None


def _tell_failure(kept: Future[None]) -> None:
    if (error := kept.exception()) is not None:
        logging.getLogger(__name__).warning("unsaved text cannot be kept: %s", error)
