"""Paints the cells of tables as their columns declare them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPointF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from .theme import ROW, Theme

if TYPE_CHECKING:
    from .rows_model import Column

ROLE_COLUMN = Qt.ItemDataRole.UserRole + 1
ROLE_ROW = Qt.ItemDataRole.UserRole + 2


class RowDelegate(QStyledItemDelegate):
    """One call per cell, no style sheet involved: tables repaint eight times a second."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._fonts: dict[bool, QFont] = {}
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self._fonts = {mono: self._theme.font(mono=mono) for mono in (False, True)}

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
        column: Column = index.data(ROLE_COLUMN)
        row = index.data(ROLE_ROW)
        if column is None or row is None:
            return
        theme, colours = self._theme, self._theme.colours
        rect = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(rect, colours.selection)
        else:
            painter.setPen(QPen(colours.raised))
            painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        text_rect = rect.adjusted(theme.px(8), 0, -theme.px(8), 0)
        if column.dot is not None:
            request_id = column.dot(row)
            if request_id:
                centre = QPointF(text_rect.left() + 4 * theme.zoom, rect.center().y() + 1)
                theme.paint_dot(painter, centre, theme.hue(request_id))
            text_rect.setLeft(text_rect.left() + theme.px(15))
        painter.setFont(self._fonts[column.mono])
        token = column.colour(row) if column.colour is not None else "text"
        if selected and token == "faint":
            token = "dim"
        painter.setPen(theme.colour(token))
        text = painter.fontMetrics().elidedText(
            column.text(row), Qt.TextElideMode.ElideRight, text_rect.width()
        )
        side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(text_rect, side | Qt.AlignmentFlag.AlignVCenter, text)
