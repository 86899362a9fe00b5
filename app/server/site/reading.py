"""Reading a project folder. Nothing of it is run: its Python and its templates are text here."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from .journal import finish
from .model import (
    HANDLERS,
    MAX_FILES,
    MAX_SITE_FILE_BYTES,
    MAX_SOURCE_BYTES,
    SITE_FILE,
    TEMPLATES,
    Problem,
    Site,
    SiteError,
    is_within,
    name_fault,
)
from .site_file import parse_site


def load(folder: str | os.PathLike[str]) -> Site:
    """Read the project in *folder*. Nothing of it is run; an interrupted save is finished first.

    Raises SiteError for a folder or a file that is missing, unreadable, too large, not UTF-8,
    or leads out of the folder by a link, and for a ``site.toml`` that says what it must not.
    """
    root = Path(folder).absolute()
    try:
        _require_folder(root)
        finish(root)
        site = parse_site(_read_text(root, SITE_FILE, MAX_SITE_FILE_BYTES), root)
        return replace(
            site, handlers=_read_sources(root, HANDLERS), templates=_read_sources(root, TEMPLATES)
        )
    except OSError as error:
        raise SiteError([Problem(_shown(error.filename, root), 0, 0, reason(error))]) from error


def _require_folder(root: Path) -> None:
    if not root.exists():
        raise SiteError([Problem(str(root), 0, 0, "there is no such folder")])
    if not root.is_dir():
        raise SiteError([Problem(str(root), 0, 0, "is not a folder; a project is one")])
    if not (root / SITE_FILE).exists():
        raise SiteError([Problem(SITE_FILE, 0, 0, "is missing; a project needs one")], root)


def _shown(filename: Any, root: Path) -> str:
    return str(filename) if filename else str(root)


def reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()


def _read_text(root: Path, name: str, limit: int) -> str:
    """Return the text of the project's file *name*, without a BOM, lines ending in ``\\n``."""
    path = root / name
    if not is_within(path, root):
        raise SiteError([Problem(name, 0, 0, "is a link that leaves the project folder")], root)
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise SiteError([Problem(name, 0, 0, "is not a regular file")], root)
    with path.open("rb") as file:
        # The size asked for may be stale or, on some file systems, always 0: read with a bound.
        data = b"" if status.st_size > limit else file.read(limit + 1)
    if max(status.st_size, len(data)) > limit:
        text = f"is larger than {limit // 1024 // 1024} MB"
        raise SiteError([Problem(name, 0, 0, text)], root)
    try:
        return decode(data)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8")) + 1
        text = f"is not UTF-8 text (byte 0x{data[error.start]:02x})"
        raise SiteError([Problem(name, line, column, text)], root) from error


def decode(data: bytes) -> str:
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8").replace("\r\n", "\n")


def encode(text: str, old: bytes) -> bytes:
    """Return *text* as UTF-8 with the BOM and the line ends of the file's *old* content."""
    if b"\r\n" in old:
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return (b"\xef\xbb\xbf" if old.startswith(b"\xef\xbb\xbf") else b"") + text.encode("utf-8")


def _read_sources(root: Path, folder: str) -> dict[str, str]:
    names = _source_names(root, folder)
    if len(names) > MAX_FILES:
        raise SiteError([Problem(folder, 0, 0, f"holds more than {MAX_FILES:,} files")], root)
    problems: list[Problem] = []
    sources: dict[str, str] = {}
    for name in names:
        fault = name_fault(folder, name)
        if fault:
            problems.append(Problem(f"{folder}/{name}", 0, 0, fault))
            continue
        try:
            sources[name] = _read_text(root, f"{folder}/{name}", MAX_SOURCE_BYTES)
        except SiteError as error:
            problems += error.problems
    if problems:
        raise SiteError(problems, root)
    return sources


def _source_names(root: Path, folder: str) -> list[str]:
    start = root / folder
    if not start.is_dir():
        return []
    if not is_within(start, root):
        raise SiteError([Problem(folder, 0, 0, "is a link that leaves the project folder")], root)
    if folder == HANDLERS:
        return sorted(path.name for path in start.glob("*.py") if path.name[0] != ".")
    return sorted(walk(start))


def walk(start: Path) -> Iterator[str]:
    """Yield the files below *start* as posix names; hidden ones and caches are not ours."""
    for here, folders, files in os.walk(start):
        folders[:] = [name for name in folders if name[0] != "." and name != "__pycache__"]
        for name in files:
            if name[0] != ".":
                yield (Path(here) / name).relative_to(start).as_posix()
