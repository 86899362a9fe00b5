"""Whose code may run: trust is given once and remembered by content."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PySide6.QtCore import QSettings

from app.server.site import Site, digest

_KEY = "trusted"
_REMEMBERED = 200


def fingerprint(what: Path | Site) -> str:
    """Return a hash over a file, or over all that a site would run, and where it is.

    Raises OSError when the file cannot be read.
    """
    path = what.folder if isinstance(what, Site) else what
    found = hashlib.sha256(str(path.resolve()).encode("utf-8", "surrogateescape"))
    found.update(digest(what).encode() if isinstance(what, Site) else path.read_bytes())
    return found.hexdigest()


def is_trusted(what: Path | Site) -> bool:
    """Return whether the user trusted exactly this content before."""
    return is_known(fingerprint(what))


def is_known(mark: str) -> bool:
    """Return whether the user trusted the content of this `fingerprint`."""
    return mark in _remembered()


def remember(what: Path | Site) -> None:
    """Remember that the user trusts this content."""
    remember_mark(fingerprint(what))


def remember_mark(mark: str) -> None:
    """Remember that the user trusts the content of this `fingerprint`."""
    known = [each for each in _remembered() if each != mark]
    QSettings().setValue(_KEY, [*known, mark][-_REMEMBERED:])


def _remembered() -> list[str]:
    value = QSettings().value(_KEY, [], type=list)
    return [str(entry) for entry in value] if isinstance(value, list) else []
