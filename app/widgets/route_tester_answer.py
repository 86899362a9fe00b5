"""What a tried request would be answered: groups of the path fly into the handler's arguments."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QPointF, QRectF, QSize, Qt, QVariantAnimation
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.server.trial import Answer, Outcome, Tried

from .i18n import tr
from .parts import label
from .theme import Theme, status_glyph

_FLIGHT_MS = 450
_LONGEST = 40


class CaptureView(QWidget):
    """The path over the call of the handler's method, each group joined to its argument."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._answer: Answer | None = None
        self._flight = QVariantAnimation(self)
        self._flight.setStartValue(0.0)
        self._flight.setEndValue(1.0)
        self._flight.setDuration(_FLIGHT_MS)
        self._flight.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._flight.valueChanged.connect(lambda _: self.update())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def show_answer(self, answer: Answer | None) -> None:
        """Show the groups of an answer; nothing without any."""
        before, self._answer = self._answer, answer
        self.setVisible(answer is not None and answer.rule is not None and bool(answer.method))
        if answer is None:
            return
        call = ", ".join(f"{one.name}={one.value}" for one in answer.arguments)
        self.setAccessibleName(f"{answer.asked.path} → {answer.method}({call})")
        self.setToolTip(self.accessibleName())
        if self.isVisible() and answer.arguments and (before is None or before[5:] != answer[5:]):
            self._flight.start()
        self.updateGeometry()
        self.update()

    def _fonts(self) -> QFontMetricsF:
        return QFontMetricsF(self._theme.font(mono=True))

    def _pieces(self) -> list[tuple[str, int]]:
        """Return the text of the call with the group that each piece stands for; -1 for none."""
        assert self._answer is not None
        pieces: list[tuple[str, int]] = [(f"{self._answer.method}(", -1)]
        for at, one in enumerate(self._answer.arguments):
            value = one.value if len(one.value) <= _LONGEST else f"{one.value[:_LONGEST]}…"
            pieces.append((", " if at else "", -1))
            pieces.append((f"{one.name}={value}", one.group))
        return [*pieces, (")", -1)]

    def sizeHint(self) -> QSize:
        metrics = self._fonts()
        if self._answer is None:
            return QSize(0, 0)
        call = sum(metrics.horizontalAdvance(text) for text, _ in self._pieces())
        width = max(call, metrics.horizontalAdvance(self._answer.asked.path))
        margin = self._theme.px(24)
        return QSize(int(width) + margin, self._theme.px(92))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._answer is None:
            return
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            p.setFont(self._theme.font(mono=True))
            self._paint(p, self._answer)

    def _paint(self, p: QPainter, answer: Answer) -> None:
        metrics, px = self._fonts(), self._theme.px
        left, height = px(12), metrics.height() + px(6)
        top, bottom = px(6), self.height() - height - px(8)
        above: dict[int, QRectF] = {}
        for at, group in enumerate(answer.groups):
            if group.start >= 0:
                start = left + metrics.horizontalAdvance(answer.asked.path[: group.start])
                width = metrics.horizontalAdvance(answer.asked.path[group.start : group.end])
                above[at] = QRectF(start, top, max(width, px(3)), height)
                self._chip(p, above[at], self._theme.hue(at + 1), "")
        p.setPen(self._theme.colours.text)
        area = QRectF(left, top, self.width(), height)
        p.drawText(area, Qt.AlignmentFlag.AlignVCenter, answer.asked.path)
        x = float(left)
        for text, of in self._pieces():
            width = metrics.horizontalAdvance(text)
            below = QRectF(x, bottom, width, height)
            if of in above:
                self._join(p, above[of], below, self._theme.hue(of + 1), text)
            elif of >= 0:
                self._chip(p, below, self._theme.hue(of + 1), text)
            else:
                p.setPen(self._theme.colours.dim)
                p.drawText(below, Qt.AlignmentFlag.AlignVCenter, text)
            x += width

    def _join(self, p: QPainter, above: QRectF, below: QRectF, hue: QColor, text: str) -> None:
        start = QPointF(above.center().x(), above.bottom())
        end = QPointF(below.center().x(), below.top())
        middle = (start.y() + end.y()) / 2
        way = QPainterPath(start)
        way.cubicTo(QPointF(start.x(), middle), QPointF(end.x(), middle), end)
        p.setPen(QPen(hue, self._theme.px(1.5)))
        p.setBrush(Qt.BrushStyle.NoBrush)
        p.drawPath(way)
        flying = self._flight.state() == QVariantAnimation.State.Running
        share = float(self._flight.currentValue() or 0.0) if flying else 1.0
        place = QRectF(below)
        place.moveCenter(above.center() + (below.center() - above.center()) * share)
        self._chip(p, place, hue, text)

    def _chip(self, p: QPainter, area: QRectF, hue: QColor, text: str) -> None:
        soft = QColor(hue)
        soft.setAlpha(60)
        p.setPen(QPen(hue, 1))
        p.setBrush(soft)
        p.drawRoundedRect(area.adjusted(-2, 0, 2, 0), 4, 4)
        p.setPen(self._theme.colours.text)
        p.drawText(area, Qt.AlignmentFlag.AlignCenter, text)


class AnswerView(QScrollArea):
    """The verdict, the flight of the groups, and what else is known."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.verdict = label(role="verdict")
        self.verdict.setWordWrap(True)
        self.capture = CaptureView(theme)
        self.facts = label()
        self.now = label()
        for each in (self.facts, self.now):
            each.setWordWrap(True)
            each.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(14, 8, 12, 8)
        column.setSpacing(6)
        for widget in (self.verdict, self.capture, self.facts, self.now):
            column.addWidget(widget)
        column.addStretch(1)
        self.setWidget(inner)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)

    def show_answer(self, answer: Answer, tried: list[Tried], served: Answer | None) -> None:
        """Show an answer; *served* is what comes now, if something else does."""
        missed = answer.rule is None
        glyph, token = ("✗", "error") if missed else status_glyph(answer.status or 200)
        self.verdict.setText(f"{glyph} {self._headline(answer)}")
        self._colour(self.verdict, token)
        self.capture.show_answer(answer)
        self.facts.setText("\n".join(self._facts(answer, tried)))
        text = self._headline(served) if served is not None else ""
        self.now.setText(tr("Served now: {answer}", answer=text) if text else "")
        self._colour(self.now, "warn")
        self.now.setVisible(bool(text))

    def say(self, text: str) -> None:
        """Show why there is no answer."""
        self.verdict.setText(text)
        self._colour(self.verdict, "dim")
        self.capture.show_answer(None)
        self.facts.clear()
        self.now.hide()

    def _colour(self, widget: QLabel, token: str) -> None:
        widget.setStyleSheet(f"color: {self._theme.colour(token).name()}")

    @staticmethod
    def _headline(answer: Answer) -> str:
        words = tr(answer.words.text, **answer.words.values)
        if answer.rule is None:
            return words
        target = answer.target.rpartition(".")[2]
        call = f"{target}.{answer.method}()" if answer.method else target
        text = tr("rule {number} → {call}", number=answer.rule.number, call=call)
        return f"{text}: {words}" if words else text

    @staticmethod
    def _facts(answer: Answer, tried: list[Tried]) -> list[str]:
        lines = [tr(words.text, **words.values) for words in answer.notes if words.text]
        if answer.initialize:
            call = ", ".join(f"{one.name}={one.value}" for one in answer.initialize)
            lines.insert(0, f"initialize({call})")
        if answer.rule is not None and answer.rule.route >= 0:
            lines.insert(0, tr("route {number} of the table", number=answer.rule.route + 1))
        if answer.target:
            lines.insert(0, answer.target)
        hidden = [str(one.rule.number) for one in tried if one.outcome is Outcome.HIDDEN]
        if hidden:
            text = tr("Hidden for this request: rules {numbers}", numbers=", ".join(hidden[:20]))
            lines.append(text)
        near = max(tried, key=lambda one: one.reached, default=None)
        if answer.rule is None and near is not None and near.outcome is Outcome.NEAR:
            values = {"number": near.rule.number, "pattern": near.rule.pattern}
            lines.append(tr("Closest: rule {number}, {pattern}", **values))
        return lines
