"""What was written and not saved, kept outside the project until it is.

A draft survives the end of the process, whatever ended it. One process at a time keeps the drafts
of a folder: the one that holds its lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLockFile, QStandardPaths

from app.server.site.journal import exchange
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
