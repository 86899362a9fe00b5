"""Rows as a table model: changes are announced once per refresh."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from operator import itemgetter
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)

from app.recording.events import Row
from app.recording.limit import TooSlow

from .column import Column
from .i18n import tr
from .rows_order import Ordered, Placed, merged
from .rows_scan import Change, Scan, Wanted

Index = QModelIndex | QPersistentModelIndex
MANY = 60
"""With more changes at a time than these the table is announced as new."""
_id = itemgetter(0)


@dataclass
class _Edits:
    """What happens to the table: indexes of rows that go or change, and rows that come."""

    gone: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    new: list[Placed] = field(default_factory=list)


class RowsModel(QAbstractTableModel):
    """Recorded rows as a table, oldest first unless they are sorted.

    *rows* gives the store's list and *forgotten* how many were removed from its front so far;
    *settled* says that a row will hardly change any more. `refresh` compares and announces what is
    new, gone or changed. Its cost grows with what happened since the last time, not with history.
    A new filter or order goes over all rows in slices; until that is done the old one stays.
    """

    went_over = Signal()
    """A new filter or order went over more rows, or is through."""
    too_slow = Signal()
    """The filter is stuck on a row. A new one is given up; of the one that is on, no row is added
    any more."""

    behind = Signal()
    """More rows are new than could be tested at a time: `refresh` is to be called again."""

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Callable[[], list[Row]],
        forgotten: Callable[[], int] = lambda: 0,
        settled: Callable[[Row], bool] = lambda row: True,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self._source = rows
        self._source_forgotten = forgotten
        self._settled = settled
        self._shown = Ordered()
        self._scan = Scan(Wanted(), settled)
        self._next_scan: Scan | None = None
        self._forgotten = 0
        self.order: tuple[int, bool] | None = None
        """The column by which rows are sorted, and whether descending."""
        self._slices = QTimer(self, singleShot=True, interval=0)
        self._slices.timeout.connect(self._go_on)

    def row(self, index: int) -> Row:
        """Return a row by its place in the table."""
        return self._shown.rows[index]

    def find(self, id_: int) -> int | None:
        """Return the index of the row whose first field is *id_*, or None."""
        source, forgotten = self._source(), self._source_forgotten()
        at = bisect_left(source, id_, key=_id)
        if at >= len(source) or source[at][0] != id_:
            return None
        return self._shown.find(at + forgotten, self._scan.seen(at + forgotten) or source[at])

    # -- What is shown ---------------------------------------------------------------------

    @property
    def hidden(self) -> int:
        """How many of the source's rows `clear` has hidden."""
        return max(self._wanted.floor - self._source_forgotten(), 0)

    @property
    def progress(self) -> float | None:
        """Of a new filter or order: the share of the rows it went over; None when it is through."""
        if self._next_scan is None:
            return None
        end = self._source_forgotten() + len(self._source())
        return self._next_scan.next / max(end, 1)

    @property
    def _wanted(self) -> Wanted:
        return (self._next_scan or self._scan).wanted

    def set_filter(self, accept: Callable[[Row], bool] | None, *, changing: bool = False) -> None:
        """Show only rows that *accept* returns True for; None shows all. See `Wanted`."""
        self._want(self._wanted._replace(accept=accept, changing=changing))

    def set_order(self, order: tuple[int, bool] | None) -> None:
        """Sort by a column, perhaps descending; None: in the order in which they came."""
        self.order = order
        self.retranslate()
        key = None if order is None else self.columns[order[0]].key
        self._want(self._wanted._replace(key=key, descending=bool(order and order[1])))

    def clear(self) -> None:
        """Hide all rows so far."""
        floor = self._source_forgotten() + len(self._source())
        self._want(self._wanted._replace(floor=floor))

    def reload(self) -> None:
        """Go over all rows again."""
        self._want(self._wanted)

    def _want(self, wanted: Wanted) -> None:
        self._next_scan = Scan(wanted, self._settled)
        self._go_on()

    def _go_on(self) -> None:
        """Go over more rows for the new filter or order; when it is through, show them."""
        scan = self._next_scan
        if scan is None:
            self.behind.emit()
            return
        source, forgotten = self._source(), self._source_forgotten()
        place = scan.unshifted(source, forgotten)
        if place is None:
            scan = self._next_scan = Scan(scan.wanted, self._settled)
        elif place < scan.next:
            scan.go_back(place)
        try:
            done = scan.slice(source, forgotten)
        except TooSlow:
            self._next_scan = None
            self.too_slow.emit()
            return
        if done:
            self._next_scan = None
            self._show(scan)
        else:
            self._slices.start()
        self.went_over.emit()

    def _show(self, scan: Scan) -> None:
        self.beginResetModel()
        self._scan = scan
        key, descending = scan.wanted.key, scan.wanted.descending
        self._shown = Ordered(*scan.take(), key=key, descending=descending)
        self.endResetModel()
        self.refresh()

    # -- What happened since ---------------------------------------------------------------

    def refresh(self) -> int:
        """Announce what happened since the last call; return how many first rows went away."""
        scan, source, forgotten = self._scan, self._source(), self._source_forgotten()
        place = scan.unshifted(source, forgotten)
        if place is None:
            if self._next_scan is None:
                self.reload()
            return 0
        gone = self._forget(forgotten)
        edits = _Edits()
        if place < scan.next:
            found = (self._shown.find(*one) for one in scan.go_back(place))
            edits.gone = [at for at in found if at is not None]
        try:
            self._compare(scan.changed(source, forgotten), edits)
            if not scan.slice(source, forgotten):
                self._slices.start()
        except TooSlow:
            scan.wanted = scan.wanted._replace(accept=lambda row: False)
            self.too_slow.emit()
        rows, places, keys = scan.take()
        # Nearly always so, and then there may be thousands.
        at_end = self._shown.precedes(places)
        if not at_end:
            edits.new += zip_longest(rows, places, keys)
        self._apply(edits)
        if at_end and rows:
            end = len(self._shown.rows)
            self.beginInsertRows(QModelIndex(), end, end + len(rows) - 1)
            self._shown.extend(rows, places)
            self.endInsertRows()
        return gone

    def _forget(self, forgotten: int) -> int:
        """Remove what the source forgot; return how many rows that were at the front."""
        if forgotten == self._forgotten:
            return 0
        self._forgotten = forgotten
        stale = self._shown.before(forgotten)
        self._apply(_Edits(gone=stale))
        return len(stale) if self._shown.key is None else 0

    def _compare(self, changes: list[Change], edits: _Edits) -> None:
        """Note what *changes* mean for the table; take over rows that stay where they are."""
        key = self._shown.key
        for place, old, new, shown in changes:
            at, by = self._shown.find(place, old), key(new) if key is not None else None
            if at is not None and shown and (by is None or by == self._shown.keys[at]):
                if new is not old:
                    self._shown.rows[at] = new
                    edits.changed.append(at)
                continue
            if at is not None:
                edits.gone.append(at)
            if shown:
                edits.new.append((new, place, by))

    def _apply(self, edits: _Edits) -> None:
        """Make and announce the changes in merged ranges; if they are many, as a whole."""
        last, none = len(self.columns) - 1, QModelIndex()
        for first, end in merged(sorted(edits.changed)):
            self.dataChanged.emit(self.index(first, 0), self.index(end, last))
        gone = merged(sorted(edits.gone))
        many = len(gone) + self._shown.scattered(edits.new) > MANY
        if many:
            self.beginResetModel()
        for first, end in reversed(gone):
            if not many:
                self.beginRemoveRows(none, first, end)
            self._shown.remove(first, end)
            if not many:
                self.endRemoveRows()
        for at, group in reversed(self._shown.groups(edits.new)):
            if not many:
                self.beginInsertRows(none, at, at + len(group) - 1)
            self._shown.insert(at, group)
            if not many:
                self.endInsertRows()
        if many:
            self.endResetModel()

    def retranslate(self) -> None:
        """Show the headings as they are now."""
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.columns) - 1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._shown.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._shown.rows):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[index.column()].text(self._shown.rows[index.row()])
        if role == Qt.ItemDataRole.ToolTipRole and self.columns[index.column()].stretch:
            return self.columns[index.column()].text(self._shown.rows[index.row()])
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            arrow = {(section, False): "\N{THIN SPACE}↑", (section, True): "\N{THIN SPACE}↓"}
            return tr(self.columns[section].title) + arrow.get(self.order or (-1, False), "")
        if role == Qt.ItemDataRole.ToolTipRole and self.columns[section].key is not None:
            return tr("Sort by this column: upwards, downwards, not at all")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight
            if not self.columns[section].right:
                side = Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None
