"""The requests as a table, newest at the end."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.recording.events import Row
from app.recording.headers import cookies
from app.recording.store import Store
from app.server.breakpoints import PARKED

from .i18n import tr
from .parts import EmptyState, OrEmpty
from .rows_model import Column, RowsModel
from .selection import Selection
from .table import RowsView
from .theme import Theme, status_glyph
from .words import duration, size

XSRF_WORDS = {
    "passed": "passed",
    "safe-method": "—",
    "no-token": "no token",
    "invalid-format": "bad format",
    "no-cookie": "no cookie",
    "cookie-garbage": "bad cookie",
    "quoted-token": "quoted token",
    "bytes-token": "bytes token",
    "wrong-token": "wrong token",
    "overridden": "own check",
}
"""The codes of XSRF verdicts in words."""


def xsrf_passed(verdict: str) -> bool:
    """Return whether a verdict lets the request go on."""
    return verdict in ("passed", "safe-method")


@lru_cache(maxsize=2048)
def _cookie_counts(request_head: bytes, response_head: bytes) -> tuple[int, int]:
    found = cookies(request_head, response_head)
    came = sum(cookie.direction == "in" for cookie in found)
    return came, len(found) - came


def cookie_words(row: Row) -> str:
    """Return how many cookies came in and were set: ``1 → 2``, ``—`` for none."""
    came, went = _cookie_counts(row[11], row[14])
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


def is_parked(row: Row) -> bool:
    """Return whether a breakpoint keeps a request waiting: such a stage has not ended."""
    if row[10] is not None:
        return False
    stages = row[19]
    names, ends = stages[::4], stages[2::4]
    return any(
        end is None and name.startswith(PARKED) for name, end in zip(names, ends, strict=True)
    )


def path_of(uri: str) -> str:
    """Return the path and query as shown: without control characters."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in uri
    )


class RequestsPanel(QWidget):
    """All requests that are still known; a click selects one everywhere."""

    fill = Signal()
    """The empty panel's button was pressed: fire a first request."""

    def __init__(self, store: Store, selection: Selection, theme: Theme) -> None:
        super().__init__()
        self._store = store
        self._selection = selection
        self.model = RowsModel(
            self._columns(),
            lambda: store.requests.rows,
            lambda: store.requests.forgotten,
            settled=lambda row: row[10] is not None,
            parent=self,
        )
        self.view = RowsView(self.model, theme, "Requests")
        self._empty = EmptyState(
            "No requests yet",
            "Each request appears here as soon as its headers have arrived: from the clients "
            "on the left, from a browser, or from a script.",
            "Fire GET /",
        )
        self._or_empty = OrEmpty(self.view, self._empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._or_empty)
        self._empty.clicked.connect(self.fill)
        self.view.current_row.connect(lambda row: selection.select(row[0]))
        selection.changed.connect(self.view.show_row)

    def _columns(self) -> list[Column]:
        return [
            Column("#", 66, lambda row: str(row[0]), dot=lambda row: int(row[0]), mono=True),
            Column("Client", 78, lambda row: row[2] or "—", lambda row: _known(row[2]), spare=1),
            Column("Method", 70, lambda row: row[3], mono=True),
            Column("Path", 120, lambda row: path_of(row[4]), mono=True, stretch=True),
            Column("Handler", 128, lambda row: row[7] or "—", lambda row: _known(row[7]), spare=3),
            Column("Status", 66, status_words, status_colour),
            Column("XSRF", 96, self._xsrf, self._xsrf_colour, spare=2),
            Column("Cookies", 68, cookie_words, spare=4),
            Column("Size", 70, lambda row: size(row[16]), right=True, spare=5),
            Column("Time", 84, self._time, self._time_colour, right=True, mono=True),
        ]

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

    @staticmethod
    def _time(row: Row) -> str:
        return tr("running") if row[10] is None else duration(row[10] - row[9])

    @staticmethod
    def _time_colour(row: Row) -> str:
        return "accent" if row[10] is None else "text"

    def refresh(self) -> None:
        """Show what was recorded since the last call."""
        self.view.refresh()
        empty = self.model.rowCount() == 0
        self._or_empty.show_empty(empty)
        chosen = self._selection.request_id
        if chosen and not self.view.selectionModel().hasSelection():
            self.view.show_row(chosen)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.view.retranslate()
        self._empty.retranslate()


def _known(text: str | None) -> str:
    return "text" if text else "faint"
