"""Whose code may run: trust is given once and remembered by content."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PySide6.QtCore import QSettings

_KEY = "trusted"
_REMEMBERED = 200


def fingerprint(path: Path) -> str:
    """Return a hash over a file, or over all code and templates of a project folder.

    Raises OSError when something cannot be read.
    """
    digest = hashlib.sha256(str(path.resolve()).encode())
    if path.is_file():
        digest.update(path.read_bytes())
        return digest.hexdigest()
    for file in sorted(path.rglob("*")):
        if file.suffix in {".py", ".toml", ".html"} and file.is_file():
            digest.update(str(file.relative_to(path)).encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def is_trusted(path: Path) -> bool:
    """Return whether the user trusted exactly this content before."""
    return fingerprint(path) in _remembered()


def remember(path: Path) -> None:
    """Remember that the user trusts this content."""
    known = _remembered()
    known.append(fingerprint(path))
    QSettings().setValue(_KEY, known[-_REMEMBERED:])


def _remembered() -> list[str]:
    value = QSettings().value(_KEY, [], type=list)
    return [str(entry) for entry in value] if isinstance(value, list) else []
