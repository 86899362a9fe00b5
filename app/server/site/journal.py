"""Several files exchanged as one: after a crash a folder holds all of the old ones or all the new.

A rename exchanges one file at once, several need a journal. Each new file is first written whole
beside the old one; then a journal that names them all is put in place by one rename. Until then the
folder is the old one, from then on the new one: `finish` does the renames, and whoever reads the
folder after a crash calls it first.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .model import is_within

JOURNAL = ".loopscope-saving"
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{12}\.tmp")
_LEFT_OVER_S = 60
_LONGEST = 16 * 1024 * 1024


class _Exchange(NamedTuple):
    """A file to put in place, or to remove. ``old`` and ``new`` are hashes, empty for no file."""

    target: Path
    temporary: Path
    old: str
    new: str


def exchange(root: Path, files: Sequence[tuple[Path, bytes | None]]) -> None:
    """Put each of *files* below *root* in place, all or none; permissions stay.

    None in place of bytes removes a file.

    Raises OSError with the file concerned.
    """
    finish(root)
    exchanges: list[_Exchange] = []
    try:
        for target, data in files:
            exchanges.append(_prepare(target, data))
        if len(exchanges) > 1:
            _write_journal(root, exchanges)
        elif exchanges:
            _rename(exchanges)
    except BaseException:
        for each in exchanges:
            _remove(each.temporary)
        raise
    finish(root)
    for folder in {each.target.parent for each in exchanges}:
        _remove_left_over(folder)


def finish(root: Path) -> None:
    """Finish the exchange that a crash interrupted in *root*, if there is one. Raises OSError.

    A file that somebody changed after the crash stays as it is.
    """
    journal = root / JOURNAL
    try:
        exchanges = list(_read_journal(root))
    except FileNotFoundError:
        return
    # Those that are in place already have no temporary file any more.
    waiting = [each for each in exchanges if _digest_of(each.temporary) == each.new]
    changed = [each for each in waiting if _digest_of(each.target) not in (each.old, each.new)]
    for each in changed:
        _remove(each.temporary)
    _rename([each for each in waiting if each not in changed])
    journal.unlink(missing_ok=True)
    _sync_folder(root)


def _prepare(target: Path, data: bytes | None) -> _Exchange:
    """Write *data* whole beside *target*, to be renamed."""
    try:
        if data is None:
            return _Exchange(target, _beside(target), _digest_of(target), "")
        target.parent.mkdir(parents=True, exist_ok=True)
        old = _digest_of(target)
        # Whoever may not read the old file may not read the new one either, at no time.
        temporary = _write_beside(target, data, 0o600 if old else 0o666)
        if old:
            shutil.copymode(target, temporary)
    except OSError as error:
        error.filename = str(target)
        raise
    return _Exchange(target, temporary, old, hashlib.sha256(data).hexdigest())


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")


def _write_beside(target: Path, data: bytes, mode: int) -> Path:
    temporary = _beside(target)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, mode)
    try:
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException:
        _remove(temporary)
        raise
    return temporary


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        written = os.write(descriptor, rest)
        if written <= 0:
            raise OSError("the disk took only a part of the file")
        rest = rest[written:]


def _rename(exchanges: Sequence[_Exchange]) -> None:
    for each in exchanges:
        # Two that finish the same exchange at once rename the same files: either may come first.
        with contextlib.suppress(FileNotFoundError):
            if each.new:
                os.replace(each.temporary, each.target)
            else:
                each.target.unlink()
    _sync_folders(exchanges)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _remove_left_over(folder: Path) -> None:
    """Remove what a crash left before there was a journal."""
    now = time.time()
    for path in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):
            if _TEMPORARY.fullmatch(path.name) and path.stat().st_mtime < now - _LEFT_OVER_S:
                path.unlink()


def _digest_of(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""


def _sync_folders(exchanges: Sequence[_Exchange]) -> None:
    for folder in {each.target.parent for each in exchanges}:
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Make the renames durable, where the system lets a folder be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_journal(root: Path, exchanges: Sequence[_Exchange]) -> None:
    _sync_folders(exchanges)
    rows = [
        {
            "target": each.target.relative_to(root).as_posix(),
            "temporary": each.temporary.name,
            "old": each.old,
            "new": each.new,
        }
        for each in exchanges
    ]
    journal = root / JOURNAL
    temporary = _write_beside(journal, json.dumps(rows).encode(), 0o600)
    try:
        os.replace(temporary, journal)
    except BaseException:
        _remove(temporary)
        raise
    _sync_folder(root)


def _read_journal(root: Path) -> Iterator[_Exchange]:
    """Yield what is to be done; nothing of a journal that is not ours. Raises OSError."""
    with (root / JOURNAL).open("rb") as file:
        text = file.read(_LONGEST)
    try:
        rows: Any = json.loads(text)
        found = [(root / row["target"], row["temporary"], row["old"], row["new"]) for row in rows]
    except (ValueError, TypeError, KeyError, RecursionError):
        return
    for target, name, old, new in found:
        temporary = target.parent / name
        if _TEMPORARY.fullmatch(name) and _is_ours(temporary, root) and _is_ours(target, root):
            yield _Exchange(target, temporary, old, new)


def _is_ours(path: Path, root: Path) -> bool:
    """Tell whether *path* is a regular file below *root*, or could become one."""
    if not is_within(path, root) or path.is_symlink():
        return False
    return path.is_file() or not path.exists()
