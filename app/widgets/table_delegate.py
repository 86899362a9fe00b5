"""Paints the cells of tables as their columns declare them."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPixmap
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QTableView

from .column import Column
from .rows_model import RowsModel
from .theme import ROW, Theme
from .time_bars import Axis

_SIDES = {
    False: int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter),
    True: int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter),
}
MOST = 400
"""How many pictures of cells are kept; then all are forgotten at once."""
_SHORT = 32
"""Cells with more letters than this hardly ever look alike."""
_Key = tuple[int, int, str, str, bool]


class RowDelegate(QStyledItemDelegate):
    """Paints all rows of a view in one go, as Qt's calls for each cell cost more than the cells.

    Most cells look like others: they are painted once and copied.
    """

    def __init__(self, model: RowsModel, theme: Theme, view: QTableView) -> None:
        super().__init__(view)
        self._model = model
        self._theme = theme
        self._view = view
        self._fonts: dict[bool, tuple[QFont, QFontMetrics, float]] = {}
        self._pictures: dict[_Key, QPixmap] = {}
        self._ratio = 1.0
        self._margin = self._dot_room = 0
        self._axes: dict[int, Axis] = {}
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self._pictures.clear()
        for mono in (False, True):
            font = self._theme.font(mono=mono)
            metrics = QFontMetrics(font)
            self._fonts[mono] = (font, metrics, metrics.horizontalAdvance("W"))
        self._margin, self._dot_room = self._theme.px(8), self._theme.px(15)

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(self._theme.px(60), self._theme.px(ROW))

    def paint_rows(self, p: QPainter, area: QRect) -> None:
        """Paint what lies within *area*, a part of the view's viewport."""
        view, model = self._view, self._model
        ratio = view.devicePixelRatioF()
        if ratio != self._ratio:
            self._ratio = ratio
            self._pictures.clear()
        p.fillRect(area, self._theme.colours.panel)
        first, last = view.rowAt(area.top()), view.rowAt(area.bottom())
        if first < 0:
            return
        last = last if last >= 0 else model.rowCount() - 1
        self._axes = self.axes()
        places = self._places(area)
        chosen = {index.row() for index in view.selectionModel().selectedRows()}
        high = view.verticalHeader().defaultSectionSize()
        top = view.rowViewportPosition(first)
        for number in range(first, last + 1):
            for at, left, wide in places:
                self._cell(p, number, at, QRect(left, top, wide, high), number in chosen)
            top += high

    @property
    def outdated(self) -> bool:
        """Whether columns of bars were painted on another axis than they would be now."""
        return self._axes != self.axes()

    def axes(self) -> dict[int, Axis]:
        """Return the axis of each column of bars, for the rows that are in sight."""
        view, columns = self._view, self._model.columns
        able = [at for at, each in enumerate(columns) if each.bars and not view.isColumnHidden(at)]
        first, last = view.rowAt(0), view.rowAt(view.viewport().height() - 1)
        if not able or first < 0:
            return {}
        last = last if last >= 0 else self._model.rowCount() - 1
        rows = [self._model.row(number) for number in range(first, last + 1)]
        return {
            at: column.bars.axis(
                rows,
                view.columnViewportPosition(at) + self._margin,
                view.columnWidth(at) - 2 * self._margin,
            )
            for at in able
            if (column := columns[at]).bars
        }

    def _places(self, area: QRect) -> list[tuple[int, int, int]]:
        """Return the columns that are seen within *area*: which, from where, how wide."""
        view = self._view
        seen = [
            (at, view.columnViewportPosition(at), view.columnWidth(at))
            for at in range(len(self._model.columns))
            if not view.isColumnHidden(at)
        ]
        return [
            place
            for place in seen
            if place[1] <= area.right() and place[1] + place[2] > area.left()
        ]

    def _cell(self, p: QPainter, number: int, at: int, cell: QRect, selected: bool) -> None:
        column, row = self._model.columns[at], self._model.row(number)
        if column.bars is not None:
            self._paint(p, cell, column, "", "text", selected)
            area = cell.adjusted(self._margin, 0, -self._margin, 0)
            column.bars.paint(p, area, self._axes[at], row)
            return
        text = column.text(row)
        token = column.colour(row) if column.colour is not None else "text"
        if column.dot is not None or len(text) > _SHORT:
            dot = column.dot(row) if column.dot is not None else None
            self._paint(p, cell, column, text, token, selected, dot)
            return
        key = (at, cell.width(), text, token, selected)
        picture = self._pictures.get(key)
        if picture is None:
            if len(self._pictures) >= MOST:
                self._pictures.clear()
            picture = self._pictures[key] = self._picture(cell.size(), column, key)
        p.drawPixmap(cell.topLeft(), picture)

    def _picture(self, size: QSize, column: Column, key: _Key) -> QPixmap:
        picture = QPixmap(size * self._ratio)
        picture.setDevicePixelRatio(self._ratio)
        picture.fill(self._theme.colours.panel)
        with QPainter(picture) as p:
            self._paint(p, QRect(0, 0, size.width(), size.height()), column, *key[2:])
        return picture

    def _paint(
        self,
        p: QPainter,
        cell: QRect,
        column: Column,
        text: str,
        token: str,
        selected: bool,
        dot: int | None = None,
    ) -> None:
        theme, colours = self._theme, self._theme.colours
        if selected:
            p.fillRect(cell, colours.selection)
        else:
            p.fillRect(cell.x(), cell.bottom(), cell.width(), 1, colours.raised)
        area = cell.adjusted(self._margin, 0, -self._margin, 0)
        if dot is not None:
            if dot:
                centre = QPointF(area.left() + 4 * theme.zoom, cell.center().y() + 1)
                theme.paint_dot(p, centre, theme.hue(dot))
            area.setLeft(area.left() + self._dot_room)
        font, metrics, widest = self._fonts[column.mono]
        p.setFont(font)
        p.setPen(theme.colour("dim" if selected and token == "faint" else token))
        # Measuring costs more than painting; most texts surely fit.
        if not text.isascii() or len(text) * widest > area.width():
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        p.drawText(area, _SIDES[column.right], text)
