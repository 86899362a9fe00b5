"""The static files of a project: a folder on the disk, which Tornado serves as it is."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .site import MAX_FILES, STATIC, Problem, SiteError
from .site.journal import exchange
from .site.model import is_within, name_fault
from .site.reading import walk

LARGEST = 32 * 1024 * 1024
"""The largest file, in bytes, that is taken in; one can be undone from memory."""


class StaticFile(NamedTuple):
    """A file below the folder; ``name`` is its path there, with slashes."""

    name: str
    size: int
    modified_ns: int

    @property
    def type(self) -> str:
        """Its media type as StaticFileHandler guesses it from the name."""
        kind, encoding = mimetypes.guess_type(self.name)
        if encoding:
            return "application/gzip" if encoding == "gzip" else "application/octet-stream"
        return kind or "application/octet-stream"


class StaticFolder:
    """The files below *root*. Nothing is read or written outside of it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def files(self) -> list[StaticFile]:
        """Return the files by name, `MAX_FILES` at most; none when there is no such folder."""
        return sorted(self._found())

    def _found(self) -> Iterator[StaticFile]:
        for count, name in enumerate(walk(self.root)):
            if count >= MAX_FILES:
                return
            try:
                status = os.stat(self.root / name)
            except OSError:
                continue  # Deleted meanwhile, or a link to nowhere.
            yield StaticFile(name, status.st_size, status.st_mtime_ns)

    def path(self, name: str) -> Path:
        """Return where *name* is. Raises SiteError when that is outside of the folder."""
        fault = name_fault(STATIC, name)
        if not fault and any(part.startswith(".") for part in name.split("/")):
            fault = f"{name!r} would be hidden"
        path = self.root / name
        if not fault and not is_within(path, self.root):
            fault = "is a link that leaves the folder"
        if fault:
            raise _error(name, fault)
        return path

    def read(self, name: str, most: int = LARGEST) -> bytes:
        """Return the first *most* bytes of a file. Raises SiteError."""
        path = self.path(name)
        try:
            with path.open("rb") as file:
                return file.read(most)
        except OSError as error:
            raise _error(name, (error.strerror or str(error)).lower()) from error

    def write(self, name: str, data: bytes | None) -> bytes | None:
        """Let *name* hold *data*, None for no such file; return what it held, None for none.

        Raises SiteError, also for what is too large to be undone; the file is then as it was.
        """
        path = self.path(name)
        try:
            before = self._content(path)
        except OSError as error:
            raise _error(name, (error.strerror or str(error)).lower()) from error
        if max(len(data or b""), len(before or b"")) > LARGEST:
            raise _error(name, f"is larger than {LARGEST // 1024 // 1024} MB")
        try:
            if data is not None:
                exchange(self.root, [(path, data)])
            elif before is not None:
                path.unlink()
        except OSError as error:
            raise _error(name, (error.strerror or str(error)).lower()) from error
        return before

    @staticmethod
    def _content(path: Path) -> bytes | None:
        if not path.exists():
            return None
        with path.open("rb") as file:
            return file.read(LARGEST + 1)

    def exists(self, name: str) -> bool:
        """Tell whether there is such a file. Raises SiteError for a name that leaves the folder."""
        return self.path(name).exists()


def _error(name: str, text: str) -> SiteError:
    return SiteError([Problem(f"{STATIC}/{name}", 0, 0, text)])
