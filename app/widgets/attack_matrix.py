"""The matrix of the attack range: a row for each defence, a column for each attack."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QHeaderView, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from app.server.attack.attacks import ATTACKS, DEFENCES, Defence, Outcome
from app.server.attack.sightings import Place, Sighting

from .attack_controls import AttackControls, Cell
from .i18n import tr
from .theme import HEAD, SIZE, SMALL, Theme

Index = QModelIndex | QPersistentModelIndex
LOOKS = {
    Outcome.FORGED: ("✗", "error"),
    Outcome.STRANGER: ("○", "warn"),
    Outcome.REFUSED: ("✓", "ok"),
    Outcome.READ: ("✓", "ok"),
    Outcome.UNSENT: ("✓", "ok"),
}
"""The glyph of an outcome and its colour: red where the attacker had their way."""
_ROW, _FIRST = 52, 190
_CELL = Qt.ItemDataRole.UserRole


def outcome_words(outcome: Outcome) -> str:
    """Return an outcome with its glyph."""
    return f"{LOOKS[outcome][0]} {tr(outcome.value)}"


def agrees(cell: Cell, sighting: Sighting) -> bool:
    """Tell whether what was seen is what was predicted."""
    return cell.prediction is not None and cell.prediction.outcome is sighting.outcome


def notes(cell: Cell) -> list[str]:
    """Return the small lines of a cell: how what was seen stands to what was predicted."""
    if cell.prediction is None:
        return []
    predicted = tr(cell.prediction.outcome.value)
    lines = []
    if cell.fired is None:
        lines.append(tr("predicted"))
    elif agrees(cell, cell.fired):
        lines.append(tr("as predicted · {status}", status=cell.fired.status))
    else:
        lines.append(tr("≠ predicted: {outcome}", outcome=predicted))
    if cell.browsed is not None:
        seen = outcome_words(cell.browsed.outcome)
        lines.append(tr("browser: {outcome}", outcome=seen))
    return lines


class MatrixModel(QAbstractTableModel):
    """The defences and what is known of each attack; asked of the program each time."""

    def __init__(self, controls: AttackControls) -> None:
        super().__init__()
        self._controls = controls
        controls.changed.connect(self._changed)

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(DEFENCES)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else 1 + len(ATTACKS)

    def place(self, index: Index) -> Place | None:
        """Return the place of a cell; None for the column of the defences."""
        if not index.isValid() or index.column() == 0:
            return None
        return Place(DEFENCES[index.row()].key, ATTACKS[index.column() - 1].key)

    def places(self, index: Index) -> list[Place]:
        """Return what to fire at a cell: its place, or its whole row."""
        place = self.place(index)
        if place is not None:
            return [place]
        return [Place(DEFENCES[index.row()].key, attack.key) for attack in ATTACKS]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        place = self.place(index)
        if place is None:
            return self._head(DEFENCES[index.row()], role)
        if role == _CELL:
            return self._controls.cell(place)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            cell = self._controls.cell(place)
            if cell.prediction is None:
                return "–"
            seen = cell.fired.outcome if cell.fired else cell.prediction.outcome
            return ", ".join([outcome_words(seen), *notes(cell)])
        if role == Qt.ItemDataRole.ToolTipRole:
            return tr("Enter or a double click attacks here")
        return None

    def _head(self, defence: Defence, role: int) -> Any:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return tr(defence.title)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tr(defence.what)
        return self._controls.origin_of(defence.key) if role == _CELL else None

    def headerData(
        self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if way == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return tr("Defence") if section == 0 else tr(ATTACKS[section - 1].title)
        if role == Qt.ItemDataRole.ToolTipRole and section:
            return tr(ATTACKS[section - 1].what)
        return None

    def _changed(self) -> None:
        self.dataChanged.emit(self.index(0, 0), self.index(len(DEFENCES) - 1, len(ATTACKS)))

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(ATTACKS))
        self._changed()


class _CellDelegate(QStyledItemDelegate):
    """Paints a cell: the outcome on its colour, and below how it stands to the prediction."""

    def __init__(self, theme: Theme, view: QTableView) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rect: QRect = option.rect.adjusted(2, 2, -2, -2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if index.column() == 0:
            self._paint_head(painter, rect, index)
        else:
            self._paint_cell(painter, rect, index.data(_CELL))
        if index == self._view.currentIndex():
            painter.setPen(QPen(self._theme.colours.accent, self._theme.px(2)))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect, 5, 5)
        painter.restore()

    def _paint_head(self, painter: QPainter, rect: QRect, index: Index) -> None:
        origin = str(index.data(_CELL)).removeprefix("http://")
        lines = [(str(index.data()), "text", HEAD, True), (origin, "dim", SMALL, False)]
        self._paint_lines(painter, rect, lines if origin else lines[:1])

    def _paint_cell(self, painter: QPainter, rect: QRect, cell: Cell) -> None:
        colours = self._theme.colours
        if cell.prediction is None:
            painter.setPen(colours.faint)
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, "–")
            return
        outcome = cell.fired.outcome if cell.fired else cell.prediction.outcome
        token = LOOKS[outcome][1]
        hue = self._theme.colour(token)
        if cell.fired:
            tint = QColor(hue)
            tint.setAlpha(52 if self._theme.dark else 36)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tint)
        else:
            painter.setPen(QPen(colours.line, 1, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect, 5, 5)
        wrong = cell.fired is not None and not agrees(cell, cell.fired)
        lines = [(outcome_words(outcome), token, SIZE, cell.fired is not None)]
        for at, note in enumerate(notes(cell)):
            lines.append((note, "error" if wrong and at == 0 else "dim", SMALL, False))
        self._paint_lines(painter, rect, lines)

    def _paint_lines(
        self, painter: QPainter, rect: QRect, lines: list[tuple[str, str, float, bool]]
    ) -> None:
        rect = rect.adjusted(self._theme.px(8), 0, -self._theme.px(4), 0)
        high = self._theme.px(17)
        top = rect.center().y() - high * len(lines) // 2
        for text, token, size, bold in lines:
            painter.setFont(self._theme.font(size, bold=bold))
            painter.setPen(self._theme.colour(token))
            shown = painter.fontMetrics().elidedText(
                text, Qt.TextElideMode.ElideRight, rect.width()
            )
            line = QRect(rect.left(), top, rect.width(), high)
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, shown)
            top += high


class MatrixView(QTableView):
    """The matrix. Arrow keys move, Enter and double clicks attack."""

    attacked = Signal(list)
    """The places to attack."""
    moved = Signal()
    """Another cell is the current one."""

    def __init__(self, controls: AttackControls, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.matrix = MatrixModel(controls)
        self.setModel(self.matrix)
        self.setItemDelegate(_CellDelegate(theme, self))
        self.setSelectionMode(QTableView.SelectionMode.NoSelection)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed)
        header.setHighlightSections(False)
        header.setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
        )
        self.doubleClicked.connect(lambda index: self.attacked.emit(self.matrix.places(index)))
        theme.changed.connect(self.restyle)
        self.restyle()
        self.setCurrentIndex(self.matrix.index(0, 1))

    def restyle(self) -> None:
        """Take the sizes from the theme."""
        self.horizontalHeader().setFixedHeight(self._theme.px(40))
        self.verticalHeader().setDefaultSectionSize(self._theme.px(_ROW))
        self.setColumnWidth(0, self._theme.px(_FIRST))

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self.moved.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.attacked.emit(self.matrix.places(self.currentIndex()))
            return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.restyle()
