"""A column of a table of recorded rows, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.recording.events import Row

from .time_bars import Bars


@dataclass(frozen=True)
class Column:
    """One column as data. The functions are given a row and stay cheap.

    *colour* names a token of the theme; *dot* gives the request whose hue is shown, 0 for none.
    *width* is in unzoomed pixels; the column with ``stretch`` takes what is left.
    """

    title: str
    width: int
    text: Callable[[Row], str]
    colour: Callable[[Row], str] | None = None
    dot: Callable[[Row], int] | None = None
    mono: bool = False
    right: bool = False
    stretch: bool = False
    spare: int = 0
    """Where there is too little room, columns are hidden from the greatest number on; 0 never."""
    key: Callable[[Row], Any] | None = None
    """What the table is sorted by when it is sorted by this column."""
    bars: Bars | None = None
    """Painted in place of the text, which is then for those who cannot see."""
