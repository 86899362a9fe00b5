"""The requests' columns: what stands in their cells, and in which colour."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from math import inf
from operator import itemgetter

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from app.recording.events import Row
from app.recording.filter_keys import PASSED, is_parked
from app.recording.headers import cookie_pairs, finder, unfolded
from app.recording.store import Store

from .column import Column
from .i18n import tr
from .theme import Theme, status_glyph
from .time_bars import Axis, Bars
from .words import duration, since, size

XSRF_WORDS = {
    "passed": "passed",
    "safe-method": "—",
    "no-token": "no token",
    "json-body": "JSON body",
    "mislabelled-form": "mislabelled form",
    "misnamed-header": "wrong header",
    "invalid-format": "bad format",
    "unknown-version": "bad version",
    "no-cookie": "no cookie",
    "cookie-garbage": "bad cookie",
    "quoted-token": "quoted token",
    "bytes-token": "bytes token",
    "garbage-token": "garbage token",
    "wrong-token": "wrong token",
    "cross-site": "cross-site",
    "foreign-origin": "foreign origin",
    "overridden": "own check",
}
"""The codes of XSRF verdicts in words."""


def xsrf_passed(verdict: str) -> bool:
    """Return whether a verdict lets the request go on."""
    return verdict in PASSED


_cookies, _set_cookies = finder("Cookie"), finder("Set-Cookie")


@lru_cache(maxsize=256)
def _pairs(header: bytes) -> int:
    return len(cookie_pairs(unfolded(header)))


def _counted(row: Row) -> tuple[int, int]:
    """Return how many cookies came in and were set."""
    return sum(map(_pairs, _cookies(row[11]))), len(_set_cookies(row[14]))


def cookie_words(row: Row) -> str:
    """Return how many cookies came in and were set: ``1 → 2``, ``—`` for none."""
    came, went = _counted(row)
    if not came and not went:
        return "—"
    return f"{came} → {went}" if went else str(came)


def status_words(row: Row) -> str:
    """Return the status with its glyph, or what became of a request without one."""
    outcome, status = row[18], row[8]
    if outcome == "aborted":
        return f"✗ {tr('aborted')}"
    if is_parked(row):
        return tr("parked")
    if status is None:
        return "…"
    return f"{status} {status_glyph(status)[0]}"


def status_colour(row: Row) -> str:
    """Return the token of a request's status."""
    if is_parked(row):
        return "warn"
    return "error" if row[18] == "aborted" else status_glyph(row[8])[1]


def path_of(uri: str) -> str:
    """Return the path and query as shown: without control characters."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in uri
    )


def request_columns(store: Store, marked: Collection[int], theme: Theme) -> list[Column]:
    """Return the columns; requests whose numbers are among *marked* bear a star."""
    return _Columns(store, marked, theme).all()


class _Columns:
    """The columns of requests, and what they know beside the rows."""

    def __init__(self, store: Store, marked: Collection[int], theme: Theme) -> None:
        self._store = store
        self._marked = marked
        self._theme = theme

    def all(self) -> list[Column]:
        return [
            Column("#", 84, self._number, dot=itemgetter(0), mono=True, key=itemgetter(0)),
            Column(
                *("Client", 78, lambda row: row[2] or "—", lambda row: _known(row[2])),
                spare=1,
                key=lambda row: (row[2] or "").lower(),
            ),
            Column("Method", 70, itemgetter(3), mono=True, key=itemgetter(3)),
            Column(
                *("Path", 120, lambda row: path_of(row[4])),
                mono=True,
                stretch=True,
                key=itemgetter(4),
            ),
            Column(
                *("Handler", 128, lambda row: row[7] or "—", lambda row: _known(row[7])),
                spare=3,
                key=lambda row: row[7] or "",
            ),
            Column("Status", 72, status_words, status_colour, key=lambda row: row[8] or 0),
            Column("XSRF", 96, self._xsrf, self._xsrf_colour, spare=2, key=self._verdict),
            Column("Cookies", 78, cookie_words, spare=4, key=_counted),
            Column(
                *("Size", 70, lambda row: size(row[16])), right=True, spare=5, key=itemgetter(16)
            ),
            Column(
                *("Time", 84, self._time, self._time_colour),
                right=True,
                mono=True,
                key=lambda row: inf if row[10] is None else row[10] - row[9],
            ),
            Column(
                *("Waterfall", 110, self._when),
                spare=6,
                key=itemgetter(9),
                bars=Bars(self._span, self._paint_span),
            ),
        ]

    def _number(self, row: Row) -> str:
        return f"{row[0]} ★" if row[0] in self._marked else str(row[0])

    def _verdict(self, row: Row) -> str:
        checks = self._store.xsrf.get(row[0])
        return str(checks[-1][1]) if checks else "safe-method"

    def _xsrf(self, row: Row) -> str:
        verdict = self._verdict(row)
        words = tr(XSRF_WORDS.get(verdict, verdict))
        return (
            words if verdict == "safe-method" else f"{'✓' if xsrf_passed(verdict) else '✗'} {words}"
        )

    def _xsrf_colour(self, row: Row) -> str:
        verdict = self._verdict(row)
        if verdict == "safe-method":
            return "faint"
        return "ok" if xsrf_passed(verdict) else "error"

    def _span(self, row: Row) -> tuple[int, int]:
        return row[9], max(self._store.end_ns, row[9]) if row[10] is None else row[10]

    def _paint_span(self, p: QPainter, area: QRect, axis: Axis, row: Row) -> None:
        start, end = self._span(row)
        left, high = axis.x(start), self._theme.px(9)
        wide = max(2, axis.x(end) - left)
        hue = self._theme.hue(row[0])
        p.fillRect(min(left, area.right() - 1), area.center().y() - high // 2, wide, high, hue)

    def _when(self, row: Row) -> str:
        start, end = self._span(row)
        return f"{since(start, self._store.origin_ns)} + {duration(end - start)}"

    @staticmethod
    def _time(row: Row) -> str:
        return tr("running") if row[10] is None else duration(row[10] - row[9])

    @staticmethod
    def _time_colour(row: Row) -> str:
        return "accent" if row[10] is None else "text"


def _known(text: str | None) -> str:
    return "text" if text else "faint"
