"""Paints the cells of tables as their columns declare them."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPointF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from .rows_model import RowsModel
from .theme import ROW, Theme

_SELECTED = QStyle.StateFlag.State_Selected
_SIDES = {
    False: int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter),
    True: int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter),
}


class RowDelegate(QStyledItemDelegate):
    """One call per cell, no style sheet involved: tables repaint eight times a second."""

    def __init__(self, model: RowsModel, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._theme = theme
        self._fonts: dict[bool, tuple[QFont, QFontMetrics, float]] = {}
        self._margin = self._dot_room = 0
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        for mono in (False, True):
            font = self._theme.font(mono=mono)
            metrics = QFontMetrics(font)
            self._fonts[mono] = (font, metrics, metrics.horizontalAdvance("W"))
        self._margin, self._dot_room = self._theme.px(8), self._theme.px(15)

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(self._theme.px(60), self._theme.px(ROW))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        column = self._model.columns[index.column()]
        row = self._model.row(index.row())
        theme, colours, rect = self._theme, self._theme.colours, option.rect
        selected = bool(option.state & _SELECTED)
        if selected:
            painter.fillRect(rect, colours.selection)
        else:
            painter.fillRect(rect.x(), rect.bottom(), rect.width(), 1, colours.raised)
        area = rect.adjusted(self._margin, 0, -self._margin, 0)
        if column.dot is not None:
            request_id = column.dot(row)
            if request_id:
                centre = QPointF(area.left() + 4 * theme.zoom, rect.center().y() + 1)
                theme.paint_dot(painter, centre, theme.hue(request_id))
            area.setLeft(area.left() + self._dot_room)
        font, metrics, widest = self._fonts[column.mono]
        token = column.colour(row) if column.colour is not None else "text"
        painter.setFont(font)
        painter.setPen(theme.colour("dim" if selected and token == "faint" else token))
        text = column.text(row)
        # Measuring costs more than painting; most texts surely fit.
        if not text.isascii() or len(text) * widest > area.width():
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, _SIDES[column.right], text)
