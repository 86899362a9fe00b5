"""A request's lifecycle: the methods that Tornado called, in true order, and those it skipped."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QRect, QSize, Qt
from PySide6.QtGui import QBrush, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.recording.events import Request, Stage, Wait

from .i18n import tr
from .rows_model import Index
from .theme import SMALL, Theme
from .words import duration, short_place

ORDER = ("set_default_headers", "initialize", "check_xsrf_cookie", "prepare")
ENDING = ("finish", "on_finish")
ALWAYS = frozenset({"set_default_headers", "initialize", "prepare", *ENDING})
"""Methods that Tornado calls for every request, unless something stops it before."""


class Step(NamedTuple):
    """One card; its kind is stage, error, running, skipped, pending or wait."""

    kind: str
    name: str
    note: str
    detail: str
    depth: int


def is_error(detail: str | None) -> bool:
    """Return whether a stage's detail is what it raised: ``HTTPError: HTTP 403: …``."""
    name = (detail or "").split(":", 1)[0]
    return name.isidentifier() and name[:1].isupper() and name != "Finish"


def steps(
    request: Request,
    stages: list[Stage],
    waits: list[Wait],
    arguments: Mapping[str, str] = MappingProxyType({}),
) -> list[Step]:
    """Return the cards of a request, in the order in which things began.

    *arguments* are those of its methods, in words.
    """
    events: list[tuple[int, int, Stage | Wait]] = [(s.start_ns, n, s) for n, s in enumerate(stages)]
    events += [(w.start_ns, 1 << 30, w) for w in waits]
    events.sort(key=lambda event: event[:2])
    result: list[Step] = []
    under_way: list[Stage] = []
    for start, _, event in events:
        under_way = [stage for stage in under_way if stage.end_ns is None or stage.end_ns > start]
        if isinstance(event, Stage):
            detail = event.detail or arguments.get(event.name)
            result.append(_stage_step(event._replace(detail=detail), len(under_way)))
            under_way.append(event)
        else:
            result.append(_wait_step(event, len(under_way)))
    return _with_missing(request, result)


def _stage_step(stage: Stage, depth: int) -> Step:
    if stage.end_ns is None:
        return Step("running", stage.name, tr("running"), stage.detail or "", depth)
    note = duration(stage.end_ns - stage.start_ns)
    kind = "error" if is_error(stage.detail) else "stage"
    return Step(kind, stage.name, note, stage.detail or "", depth)


def _wait_step(wait: Wait, depth: int) -> Step:
    note = tr("waiting") if wait.end_ns is None else duration(wait.end_ns - wait.start_ns)
    return Step("wait", wait.future, note, short_place(wait.where), depth)


def _with_missing(request: Request, found: list[Step]) -> list[Step]:
    """Put the methods that were not called where they would have been."""
    verb = request.method.lower()
    order = (*ORDER, verb, *ENDING)
    done = request.end_ns is not None
    upgraded = request.outcome == "upgraded"
    result, place = list(found), 0
    for name in order:
        at = next((i for i, s in enumerate(result) if s.name == name and s.kind != "wait"), None)
        if at is not None:
            place = at + 1
            while place < len(result) and result[place].depth > result[at].depth:
                place += 1
            continue
        if (name in ALWAYS or name == verb) and not (upgraded and name in ENDING):
            kind, note = ("skipped", tr("skipped")) if done else ("pending", tr("not yet"))
            result.insert(place if done else len(result), Step(kind, name, note, "", 0))
            place = place + 1 if done else len(result)
    return result


class StepsModel(QAbstractListModel):
    """The cards as a list, for the view and for screen readers."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.steps: list[Step] = []

    def show_steps(self, new: list[Step]) -> None:
        """Show other cards; the place in the list is kept while their names stay."""
        if [s[:2] for s in new[: len(self.steps)]] != [s[:2] for s in self.steps]:
            self.beginResetModel()
            self.steps = new
            self.endResetModel()
            return
        old = len(self.steps)
        if len(new) > old:
            self.beginInsertRows(QModelIndex(), old, len(new) - 1)
            self.steps = new
            self.endInsertRows()
        self.steps = new
        if new:
            self.dataChanged.emit(self.index(0), self.index(len(new) - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.steps)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.steps):
            return None
        step = self.steps[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{step.name} {step.note}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return step.detail or None
        if role == Qt.ItemDataRole.UserRole:
            return step
        return None


class StepDelegate(QStyledItemDelegate):
    """Paints the cards: solid ones ran, hatched ones waited, dashed ones were skipped."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.request_id = 1

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        step: Step = index.data(Qt.ItemDataRole.UserRole)
        return QSize(self._theme.px(120), self._theme.px(48 if step.detail else 31))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        step: Step = index.data(Qt.ItemDataRole.UserRole)
        px = self._theme.px
        card = option.rect.adjusted(px(12 + 14 * min(step.depth, 6)), px(2), -px(12), -px(2))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_card(painter, card, step, bool(option.state & QStyle.StateFlag.State_Selected))
        self._paint_words(painter, card.adjusted(px(13), 0, -px(10), 0), step)
        painter.restore()

    def _paint_card(self, painter: QPainter, card: QRect, step: Step, selected: bool) -> None:
        theme, c, radius = self._theme, self._theme.colours, self._theme.px(5)
        hue = theme.hue(self.request_id)
        if step.kind in ("skipped", "pending"):
            painter.setPen(QPen(c.line, 1, Qt.PenStyle.DashLine))
            painter.drawRoundedRect(card.adjusted(0, 0, -1, -1), radius, radius)
            return
        painter.setPen(QPen(c.accent, 1) if selected else Qt.PenStyle.NoPen)
        if step.kind == "wait":
            pale = hue.toHsv()
            pale.setAlpha(38)
            painter.setBrush(pale)
            painter.drawRoundedRect(card, radius, radius)
            pale.setAlpha(90)
            painter.setBrush(QBrush(pale, Qt.BrushStyle.BDiagPattern))
            painter.drawRoundedRect(card, radius, radius)
            return
        painter.setBrush(c.raised)
        painter.drawRoundedRect(card, radius, radius)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(c.error if step.kind == "error" else hue)
        painter.setClipRect(QRect(card.left(), card.top(), theme.px(3), card.height()))
        painter.drawRoundedRect(card, radius, radius)
        painter.setClipping(False)

    def _paint_words(self, painter: QPainter, area: QRect, step: Step) -> None:
        theme, c = self._theme, self._theme.colours
        gone = step.kind in ("skipped", "pending")
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        line = QRect(area)
        if step.detail:
            line.setHeight(theme.px(27))
            below = QRect(area.left(), line.bottom() - theme.px(4), area.width(), theme.px(19))
            painter.setFont(theme.font(SMALL))
            painter.setPen(c.error if step.kind == "error" else c.dim)
            text = painter.fontMetrics().elidedText(
                step.detail.split("\n")[0], Qt.TextElideMode.ElideRight, below.width()
            )
            painter.drawText(below, left, text)
        painter.setFont(theme.font(SMALL))
        note = f"{step.note} ✗" if step.kind == "error" else step.note
        colours = {"error": c.error, "running": c.accent}
        painter.setPen(colours.get(step.kind, c.dim))
        painter.drawText(line, right, note)
        room = line.width() - painter.fontMetrics().horizontalAdvance(note) - theme.px(8)
        painter.setFont(theme.font(mono=True))
        painter.setPen(c.faint if gone else c.text)
        name = f"{tr('waits for')} {step.name}" if step.kind == "wait" else step.name
        painter.drawText(
            line, left, painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, room)
        )


class LifecycleView(QListView):
    """The cards of one request."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.steps_model = StepsModel(self)
        self._cards = StepDelegate(theme, self)
        self.setModel(self.steps_model)
        self.setItemDelegate(self._cards)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        theme.changed.connect(self.doItemsLayout)

    def show_request(
        self,
        request: Request,
        stages: list[Stage],
        waits: list[Wait],
        arguments: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Show a request as it stands; see `steps`."""
        self.setAccessibleName(tr("Lifecycle"))
        self._cards.request_id = request.id
        self.steps_model.show_steps(steps(request, stages, waits, arguments))
