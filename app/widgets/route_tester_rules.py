"""The rules that a tried request came by, as a table: what fitted of the path is told apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app.server.trial import Asked, Outcome, Tried

from .i18n import tr
from .plain_table import PlainTable
from .routes_model import LONGEST
from .rows_model import Index
from .theme import Theme

COLUMNS = ("#", "Verdict", "Rule", "Path as far as it fits", "Target")
NUMBER, VERDICT, RULE, PATH, TARGET = range(5)
LOOKS = {
    Outcome.MATCH: ("✓", "ok"),
    Outcome.NEAR: ("≈", "warn"),
    Outcome.NO: ("✗", "dim"),
    Outcome.OTHER_HOST: ("≠", "dim"),
    Outcome.SLOW: ("∞", "error"),
    Outcome.HIDDEN: ("◌", "warn"),
    Outcome.LATER: ("·", "faint"),
    Outcome.BROKEN: ("!", "error"),
    Outcome.OFF: ("○", "faint"),
}
"""The glyph of an outcome and the name of its colour."""


def words_of(one: Tried, path: str) -> str:
    """Return what became of a rule, in words."""
    if one.outcome is Outcome.BROKEN:
        return tr(one.words.text, **one.words.values)
    if one.outcome is Outcome.SLOW:
        return tr("the pattern backtracks: given up after 50 ms")
    if one.outcome not in (Outcome.NEAR, Outcome.NO):
        return ""
    if one.reached >= len(path):
        return tr("all of the path fits, but more is expected")
    return tr(
        "{count} of {total} characters fit, then {letter} does not",
        count=one.reached,
        total=len(path),
        letter=repr(path[one.reached]),
    )


class TriedModel(QAbstractTableModel):
    """Rules and what became of them, in order."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rows: list[Tried] = []
        self.path = ""

    def begin(self, asked: Asked) -> None:
        """Begin anew."""
        self.beginResetModel()
        self.rows, self.path = [], asked.path
        self.endResetModel()

    def add(self, more: Iterable[Tried]) -> None:
        """Append rules."""
        own = list(more)
        if own:
            self.beginInsertRows(QModelIndex(), len(self.rows), len(self.rows) + len(own) - 1)
            self.rows += own
            self.endInsertRows()

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        one, column, roles = self.rows[index.row()], index.column(), Qt.ItemDataRole
        if role in (roles.DisplayRole, roles.ToolTipRole):
            return self._text(one, column)
        if role == roles.FontRole and column in (RULE, TARGET, PATH):
            return self._theme.font(mono=True)
        if role == roles.ForegroundRole:
            quiet = one.outcome in (Outcome.LATER, Outcome.OFF, Outcome.OTHER_HOST)
            token = LOOKS[one.outcome][1] if column == VERDICT else "faint" if quiet else "text"
            return self._theme.colour("dim" if token == "faint" else token)
        return None

    def _text(self, one: Tried, column: int) -> str:
        rule = one.rule
        if column == NUMBER:
            return str(rule.number or "–")
        if column == VERDICT:
            return f"{LOOKS[one.outcome][0]} {tr(one.outcome.value)}"
        if column == RULE:
            pattern = rule.pattern[:LONGEST]
            return f"{rule.host}  {pattern}" if rule.host else pattern
        return rule.target if column == TARGET else words_of(one, self.path)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return tr(COLUMNS[section]) if role == Qt.ItemDataRole.DisplayRole else None


class _PathDelegate(QStyledItemDelegate):
    """Paints the path: what fits, the character at which it ends, and the rest."""

    def __init__(self, model: TriedModel, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._model = model
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        one = self._model.rows[index.row()]
        if one.outcome not in (Outcome.MATCH, Outcome.NEAR, Outcome.NO, Outcome.HIDDEN):
            super().paint(painter, option, index)
            return
        c, path = self._theme.colours, self._model.path
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, c.selection)
        font = self._theme.font(mono=True)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        area = QRectF(option.rect).adjusted(self._theme.px(6), 0, 0, 0)
        at = one.reached
        fits = c.dim if one.outcome is Outcome.HIDDEN else c.ok
        for text, colour in (
            (path[:at], fits),
            (path[at : at + 1], c.error),
            (path[at + 1 :], c.dim),
        ):
            painter.setPen(colour)
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, text)
            width = metrics.horizontalAdvance(text)
            if colour is c.error and text:
                line = area.center().y() + metrics.height() / 2
                painter.drawLine(area.left(), line, area.left() + width, line)  # type: ignore[call-overload]
            area.setLeft(area.left() + width)


class TriedView(PlainTable):
    """The table of a trial; it leads the eye to the rule that takes the request."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, ((NUMBER, 34), (VERDICT, 112), (RULE, 170), (PATH, 150)))
        self.tried = TriedModel(theme, self)
        self.setModel(self.tried)
        self.setItemDelegateForColumn(PATH, _PathDelegate(self.tried, theme, self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()

    def choose(self, one: Tried | None) -> None:
        """Select the row of a rule and make it seen."""
        rows = self.tried.rows
        if one is not None and one in rows:
            row = rows.index(one)
            self.choose_row(row)
            self.scrollTo(self.tried.index(row, 0), self.ScrollHint.PositionAtCenter)
        else:
            self.clearSelection()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setAccessibleName(tr("Rules in the order in which they are tried"))
        self.tried.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)
