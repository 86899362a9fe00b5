"""Unmasking, byte by byte: masked ⊕ mask = token, for what was sent and for the cookie."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.server.xsrf_token import XsrfToken

from .i18n import tr
from .theme import SMALL, Theme

LINES = ("masked", "⊕ mask", "= token")


class Side(NamedTuple):
    """One of the two sides: its title and its token, None when there was none."""

    title: str
    token: XsrfToken | None


class XorView(QWidget):
    """Both sides with their bytes in columns; 16 to a line, or 8 where there is less room.

    Bytes of the tokens that are equal on both sides are green, others red.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.sides: tuple[Side, ...] = ()
        self._places: list[tuple[QRect, str]] = []
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_sides(self, *sides: Side) -> None:
        """Show the tokens of *sides*, one below the other."""
        self.sides = sides
        self.setAccessibleName(tr("Unmasking, byte by byte"))
        self.setAccessibleDescription("; ".join(map(_spoken, sides)))
        self.updateGeometry()
        self.update()

    # -- Sizes -----------------------------------------------------------------------------

    def _cell(self) -> int:
        metrics = QFontMetrics(self._theme.font(mono=True))
        return metrics.horizontalAdvance("00") + self._theme.px(5)

    def _head(self) -> int:
        metrics = QFontMetrics(self._theme.font(SMALL))
        return max(metrics.horizontalAdvance(tr(line)) for line in LINES) + self._theme.px(8)

    def _columns(self, width: int) -> int:
        return 16 if width >= self._head() + 16 * self._cell() + self._theme.px(9) else 8

    def _line(self) -> int:
        return self._theme.px(19)

    def heightForWidth(self, width: int) -> int:
        columns, lines = self._columns(width), 0.0
        for side in self.sides:
            blocks = max(1, -(-len(_bytes_of(side)) // columns)) if _bytes_of(side) else 1
            lines += 1.2 + (3.3 * blocks if _bytes_of(side) else 1.3)
        return round(lines * self._line())

    def hasHeightForWidth(self) -> bool:
        return True

    def sizeHint(self) -> QSize:
        width = self._head() + 8 * self._cell() + self._theme.px(6)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        width = self._head() + 8 * self._cell() + self._theme.px(6)
        return QSize(width, self.heightForWidth(max(width, self.width())))

    # -- Painting --------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        self._places.clear()
        columns, top = self._columns(self.width()), 0.0
        with QPainter(self) as painter:
            for at, side in enumerate(self.sides):
                other = self.sides[1 - at].token if len(self.sides) == 2 else None
                top = self._paint_side(painter, side, other, columns, top)

    def _paint_side(
        self,
        p: QPainter,
        side: Side,
        other: XsrfToken | None,
        columns: int,
        top: float,
    ) -> float:
        line, colours = self._line(), self._theme.colours
        p.setFont(self._theme.font(bold=True))
        p.setPen(colours.text)
        p.drawText(QRect(0, round(top), self.width(), line), _LEFT, side.title)
        top += 1.2 * line
        shown = _bytes_of(side)
        if not shown:
            p.setFont(self._theme.font(SMALL))
            p.setPen(colours.faint)
            words = tr("nothing to unmask") if side.token else tr("there was none")
            p.drawText(QRect(0, round(top), self.width(), line), _LEFT, words)
            return top + 1.3 * line
        for first in range(0, len(shown), columns):
            rows = (self._masked, self._mask, self._plain)
            for name, paint in zip(LINES, rows, strict=True):
                p.setFont(self._theme.font(SMALL))
                p.setPen(colours.dim)
                p.drawText(QRect(0, round(top), self._head(), line), _LEFT, tr(name))
                p.setFont(self._theme.font(mono=True, bold=name == LINES[2]))
                for column, byte in enumerate(range(first, min(first + columns, len(shown)))):
                    paint(p, side, other, byte, self._place(column, top))
                top += line
            top += 0.3 * line
        return top

    def _place(self, column: int, top: float) -> QRect:
        gap = self._theme.px(3) * (column // 4)
        left = self._head() + column * self._cell() + gap
        return QRect(left, round(top), self._cell(), self._line())

    def _masked(
        self, p: QPainter, side: Side, other: XsrfToken | None, at: int, place: QRect
    ) -> None:
        masked = side.token.masked if side.token and side.token.mask else b""
        self._byte(p, masked, at, place, "dim")

    def _mask(
        self, p: QPainter, side: Side, other: XsrfToken | None, at: int, place: QRect
    ) -> None:
        mask = side.token.mask if side.token else b""
        p.setPen(self._theme.hue(at % 4 + 1))
        p.drawText(place, _LEFT, f"{mask[at % 4]:02x}" if mask else "··")

    def _plain(
        self, p: QPainter, side: Side, other: XsrfToken | None, at: int, place: QRect
    ) -> None:
        token = side.token.token if side.token else None
        facing = other.token if other else None
        same = bool(token and facing and len(facing) == len(token) and facing[at] == token[at])
        self._byte(p, token or b"", at, place, "ok" if same else "error" if facing else "text")
        self._places.append((place, self._sum(side, at)))

    def _byte(self, p: QPainter, data: bytes, at: int, place: QRect, token: str) -> None:
        p.setPen(self._theme.colour(token if at < len(data) else "faint"))
        p.drawText(place, _LEFT, f"{data[at]:02x}" if at < len(data) else "··")

    @staticmethod
    def _sum(side: Side, at: int) -> str:
        token = side.token
        if token is None or token.token is None:
            return ""
        if not token.mask:
            return tr("Byte {n}: {token}, without a mask", n=at, token=f"{token.token[at]:02x}")
        a, b, c = token.masked[at], token.mask[at % 4], token.token[at]
        return tr("Byte {n}: {sum}", n=at, sum=f"{a:02x} ⊕ {b:02x} = {c:02x}")

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            self._tell(event.pos(), event.globalPos())
            return True
        return super().event(event)

    def _tell(self, place: QPoint, where: QPoint) -> None:
        column = next((text for rect, text in self._places if rect.contains(place)), "")
        QToolTip.showText(where, column, self)


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


def _bytes_of(side: Side) -> bytes:
    """Return as many bytes as there are columns to show: the token's, or what of it is known."""
    token = side.token
    return b"" if token is None else (token.token or token.masked)[:64]


def _spoken(side: Side) -> str:
    token = side.token
    if token is None:
        return f"{side.title}: {tr('there was none')}"
    plain = token.token.hex() if token.token else "—"
    return f"{side.title}: {token.masked.hex()} ⊕ {token.mask.hex()} = {plain}"
