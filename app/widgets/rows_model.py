"""Rows as a table model: columns declared as data, changes announced once per refresh."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.recording.events import Row

from .i18n import tr

Index = QModelIndex | QPersistentModelIndex
_RECENT = 200
"""How many of the newest rows are looked at again for a late change."""
_LOOK_AGAIN = 2_000
"""How many unsettled rows are looked at again at each refresh, at most."""


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


class RowsModel(QAbstractTableModel):
    """Recorded rows as a table, oldest first.

    *rows* gives the store's list and *forgotten* how many were removed from its front so far;
    *settled* says that a row will hardly change any more. `refresh` compares and announces what is
    new, gone or changed. Its cost grows with what happened since the last time, not with history.
    """

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
        self._accept: Callable[[Row], bool] | None = None
        self._rows: list[Row] = []
        # The place of each of `_rows` in the source, counted since the recording began.
        self._places: array[int] = array("q")
        self._seen = 0
        self._unsettled: dict[int, None] = {}

    def row(self, index: int) -> Row:
        """Return a row by its place in the table."""
        return self._rows[index]

    def find(self, id_: int) -> int | None:
        """Return the place of the row whose first field is *id_*, or None."""
        found = bisect_left(self._rows, id_, key=lambda row: row[0])
        return found if found < len(self._rows) and self._rows[found][0] == id_ else None

    def set_filter(self, accept: Callable[[Row], bool] | None) -> None:
        """Show only rows that *accept* returns True for; None shows all."""
        self._accept = accept
        self.reload()

    def reload(self) -> None:
        """Read everything anew."""
        self.beginResetModel()
        self._rows.clear()
        del self._places[:]
        self._unsettled.clear()
        self._seen = self._source_forgotten()
        new, places = self._take()
        self._add(new, places)
        self.endResetModel()

    def refresh(self) -> int:
        """Announce what happened since the last call; return how many first rows went away."""
        if not self._consistent():
            self.reload()
            return 0
        gone = bisect_left(self._places, self._source_forgotten())
        if gone:
            self._remove(gone)
        self._update()
        new, places = self._take()
        if new:
            first = len(self._rows)
            self.beginInsertRows(QModelIndex(), first, first + len(new) - 1)
            self._add(new, places)
            self.endInsertRows()
        return gone

    def _consistent(self) -> bool:
        """Return whether the last row is still where it was: a late row may have been inserted."""
        forgotten, source = self._source_forgotten(), self._source()
        if self._seen > forgotten + len(source):
            return False
        if not self._rows or self._places[-1] < forgotten:
            return True
        return bool(source[self._places[-1] - forgotten][0] == self._rows[-1][0])

    def _take(self) -> tuple[list[Row], list[int]]:
        source, forgotten = self._source(), self._source_forgotten()
        start = max(self._seen, forgotten)
        self._seen = forgotten + len(source)
        new = source[start - forgotten :]
        if self._accept is None:
            return new, list(range(start, self._seen))
        kept = [(row, start + at) for at, row in enumerate(new) if self._accept(row)]
        return [row for row, _ in kept], [place for _, place in kept]

    def _add(self, new: list[Row], places: list[int]) -> None:
        settled, unsettled = self._settled, self._unsettled
        self._rows.extend(new)
        self._places.extend(places)
        for row, place in zip(new, places, strict=True):
            if not settled(row):
                unsettled[place] = None

    def _remove(self, gone: int) -> None:
        self.beginRemoveRows(QModelIndex(), 0, gone - 1)
        for place in self._places[:gone]:
            self._unsettled.pop(place, None)
        del self._rows[:gone]
        del self._places[:gone]
        self.endRemoveRows()

    def _update(self) -> None:
        """Take over rows that were replaced in the source; announce them in merged ranges."""
        source, forgotten = self._source(), self._source_forgotten()
        changed: list[int] = []
        recent = range(max(0, len(self._rows) - _RECENT), len(self._rows))
        older = [place for place, _ in zip(self._unsettled, range(_LOOK_AGAIN), strict=False)]
        places = set(self._places[recent.start : recent.stop]).union(older)
        for place in places:
            at = bisect_left(self._places, place)
            row = source[place - forgotten]
            if row is not self._rows[at]:
                self._rows[at] = row
                changed.append(at)
            if place in self._unsettled:
                del self._unsettled[place]
                if not self._settled(row):
                    self._unsettled[place] = None  # at the end: others are looked at next time
        last = len(self.columns) - 1
        for first, end in merged(sorted(changed)):
            self.dataChanged.emit(self.index(first, 0), self.index(end, last))

    def retranslate(self) -> None:
        """Show the headings in the language that is on."""
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.columns) - 1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[index.column()].text(self._rows[index.row()])
        if role == Qt.ItemDataRole.ToolTipRole and self.columns[index.column()].stretch:
            return self.columns[index.column()].text(self._rows[index.row()])
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(self.columns[section].title)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight
            if not self.columns[section].right:
                side = Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None


def merged(numbers: list[int]) -> list[tuple[int, int]]:
    """Return sorted *numbers* as (first, last) ranges without gaps."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and number <= ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges
