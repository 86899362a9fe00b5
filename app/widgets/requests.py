"""The requests as a table, newest at the end."""

from __future__ import annotations

import time
from collections.abc import Iterable
from operator import itemgetter

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.recording.events import Request
from app.recording.filter import Filter
from app.recording.filter_keys import Key, Sources
from app.recording.filter_match import FilterError
from app.recording.store import Store

from .filter_box import FilterBox
from .i18n import tr
from .parts import EmptyState, IconButton, OrEmpty, SteadyLabel
from .request_columns import request_columns
from .rows_model import RowsModel
from .selection import Selection
from .table import RowsView
from .theme import Theme

LOOK_S = 0.008
"""How long values to complete are looked for, in s."""
MOST_SEEN = 200
"""How many of them are enough."""
_end = itemgetter(Request._fields.index("end_ns"))
TOO_SLOW = "This takes too long on one request: a simpler regular expression is expected"
NOTHING_YET = (
    "No requests yet",
    "Each request appears here as soon as its headers have arrived: from the clients "
    "on the left, from a browser, or from a script.",
    "Fire GET /",
)
NO_MATCH = ("No request matches", "Those that do will appear here.", "Clear the filter")
CLEARED = (
    "Cleared",
    "Only requests from now on appear here. The recording keeps all.",
    "Fire GET /",
)


class RequestsPanel(QWidget):
    """All requests that are still known, or those that a filter lets through.

    A click selects a request everywhere. Keys: M marks, D takes one off, Z all so far.
    """

    fill = Signal()
    """The empty panel's button was pressed: fire a first request."""

    def __init__(self, store: Store, selection: Selection, theme: Theme) -> None:
        super().__init__()
        self._store = store
        self._selection = selection
        self._marked: set[int] = set()
        self._deleted: set[int] = set()
        """Requests that were taken off the table."""
        self._filter: Filter | None = None
        self.model = RowsModel(
            request_columns(store, self._marked, theme),
            lambda: store.requests.rows,
            lambda: store.requests.forgotten,
            settled=_end,
            parent=self,
        )
        self.view = RowsView(self.model, theme, "Requests")
        sources = Sources(store.xsrf, store.messages_of, self._marked, lambda: store.end_ns)
        self.filter = FilterBox(theme, sources, self._seen)
        self.count = SteadyLabel(theme, Qt.AlignmentFlag.AlignRight)
        self.count.setProperty("role", "dim")
        self._follow = IconButton(theme, "down", "Keep the newest request in sight (Shift+F)")
        self._follow.setCheckable(True)
        self._clear = IconButton(theme, "trash", "Hide the requests so far (Z)", self.clear)
        self._empty = EmptyState(*NOTHING_YET)
        self._or_empty = OrEmpty(self.view, self._empty)
        row = QHBoxLayout()
        row.setContentsMargins(8, 6, 8, 2)
        row.setSpacing(6)
        row.addWidget(self.filter, 1)
        for widget in (self.count, self._follow, self._clear):
            row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self._or_empty, 1)
        self._connect()

    def _connect(self) -> None:
        self._empty.clicked.connect(self._empty_clicked)
        self._follow.clicked.connect(self.view.set_following)
        scrolled = self.view.verticalScrollBar().valueChanged
        scrolled.connect(lambda: self._follow.setChecked(self.view.following))
        self.filter.changed.connect(self._set_filter)
        self.filter.textChanged.connect(lambda: self._show_count())
        self.filter.left.connect(self._to_table)
        self.model.went_over.connect(self._show_count)
        self.model.behind.connect(self._show_count)
        self.model.too_slow.connect(self._too_slow)
        self.view.current_row.connect(lambda row: self._selection.select(row[0]))
        self._selection.changed.connect(self.view.show_row)
        for key, slot in (("M", self.toggle_mark), ("D", self.delete), ("Z", self.clear)):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)

    # -- What is shown ---------------------------------------------------------------------

    def _set_filter(self, found: Filter | None) -> None:
        self._filter = found
        self._sift()

    def _sift(self) -> None:
        found, deleted = self._filter, self._deleted
        accepts = found.accepts if found else None
        changing = found is not None and found.changing
        if deleted:
            self.model.set_filter(
                lambda row: row[0] not in deleted and (accepts is None or accepts(row)),
                changing=changing,
            )
        else:
            self.model.set_filter(accepts, changing=changing)

    def _too_slow(self) -> None:
        self.filter.refuse(FilterError(0, TOO_SLOW))
        self._show_count()

    def clear(self) -> None:
        """Hide the requests so far. They stay in the recording."""
        self.model.clear()
        self._deleted.clear()
        self._sift()
        self.refresh()

    def delete(self) -> None:
        """Take the current request off the table and go to the next; the recording keeps it."""
        here = self.view.currentIndex().row()
        if here < 0:
            return
        self._deleted.add(self.model.row(here)[0])
        if self.model.rowCount() > 1:
            self.view.selectRow(here + 1 if here + 1 < self.model.rowCount() else here - 1)
        self._sift()
        self.refresh()

    def toggle_mark(self) -> None:
        """Mark the current request, or take its mark away."""
        row = self.view.currentIndex().row()
        if row >= 0:
            self._marked ^= {self.model.row(row)[0]}
            self.view.viewport().update()
            if self._filter is not None and "is" in self._filter.keys:
                self.model.reload()

    def _to_table(self) -> None:
        self.view.setFocus()
        if not self.view.currentIndex().isValid() and self.model.rowCount():
            self.view.selectRow(0)

    def _empty_clicked(self) -> None:
        if self._filter is not None:
            self.filter.clear()
        else:
            self.fill.emit()

    def _seen(self, key: Key) -> Iterable[str]:
        """Return the values of a key among the newest requests."""
        found: set[str] = set()
        until = time.perf_counter() + LOOK_S
        seen = key.seen or (lambda row: ())
        for row in reversed(self._store.requests.rows):
            found.update(seen(row))
            if time.perf_counter() > until or len(found) > MOST_SEEN:
                break
        return found - {""}

    def _show_count(self) -> None:
        """Say how many requests are shown, of how many; or how far a new filter is."""
        shown = self.model.rowCount()
        table = self._store.requests
        total = len(table.rows) - self.model.hidden
        total -= sum(id_ > table.last_forgotten for id_ in self._deleted)
        if self.model.progress is not None:
            text = f"{self.model.progress:.0%} …"
        elif self._filter is not None:
            sign = "✓" if self.filter.error is None else "✗"
            text = f"{sign} " + tr("{shown} of {total}", shown=f"{shown:,}", total=f"{total:,}")
        else:
            text = tr("{total} requests", total=f"{total:,}")
        self.count.say(text)
        self._or_empty.show_empty(shown == 0)
        if shown == 0:
            filtered = NO_MATCH if self._filter is not None and total else NOTHING_YET
            self._empty.set_texts(*(CLEARED if self.model.hidden and not total else filtered))

    def refresh(self) -> None:
        """Show what was recorded since the last call."""
        self.view.refresh()
        self._show_count()
        self._follow.setChecked(self.view.following)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.view.retranslate()
        self.filter.retranslate()
        self._follow.retranslate()
        self._clear.retranslate()
        self._empty.retranslate()
        self._show_count()
