"""The figures of the last second in the top bar: a button that opens the charts."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import NamedTuple

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QCursor, QEnterEvent, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from .accounting import Second
from .i18n import tr
from .theme import Theme
from .words import duration

BUSY = (("server", "server", 1), ("client", "clients", 4), ("window", "window", 3))
"""Whose runs take the loop's time: the field of a `Second`, its name, and its hue."""
LOOP = ("loop", "the loop itself", 0)
"""The loop between the runs."""
OBSERVER = (("intake", "taking in", 2), ("update", "panels", 6), ("paint", "painting", 5))
"""What watching takes."""
_MARK = 13
"""The room for a square and what is between it and its words, in unzoomed pixels."""
RECORDING = ("recording", "recording ≈", 8)
"""The same, within the runs: an estimate."""


def part_colour(theme: Theme, hue: int) -> QColor:
    """Return the colour of a part; 0 stands for a grey."""
    return theme.hue(hue) if hue else theme.colours.faint


def percent(share: float, digits: int = 0) -> str:
    """Return a share in words: ``23 %``."""
    return f"{100 * share:.{digits}f} %"


class Piece(NamedTuple):
    """Some words in one look; *mark* is the colour of a square before them."""

    words: str
    token: str = "dim"
    bold: bool = False
    mark: QColor | None = None


class Group(NamedTuple):
    """Pieces that are shown together; where there is no room, the highest *rank* goes first."""

    rank: int
    pieces: list[Piece]


class Figures(QAbstractButton):
    """Shows as many of the figures as there is room for; all of them are in the tooltip.

    Rich text would be parsed and laid out anew at each change.
    """

    def __init__(self, theme: Theme, *, observed: bool = True) -> None:
        super().__init__()
        self.observed = observed
        """Whether the observer's cost is known: not that of an opened recording."""
        self._theme = theme
        self._groups: list[Group] = []
        self._shown: list[Group] = []
        self._widths: dict[int, int] = {}
        """The room that each group takes, by rank."""
        self._second, self._dropped = Second(), dict[str, int]()
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.renew)
        self.renew()

    def show_second(self, second: Second, dropped: Mapping[str, int]) -> None:
        """Show the figures of a second, and how many rows of each kind were dropped so far."""
        self._second, self._dropped = second, dict(dropped)
        groups = self._make_groups()
        if groups != self._groups:
            self._groups = groups
            self.setAccessibleName("; ".join(_text(group) for group in groups))
            self._fit()
        if self.underMouse():
            self.setToolTip(self._all())

    def renew(self) -> None:
        """Take fonts, colours and texts anew."""
        self._groups = []
        self._fonts = (self._theme.font(), self._theme.font(bold=True))
        self._metrics = [QFontMetrics(font) for font in self._fonts]
        self.setAccessibleDescription(tr("Show or hide the charts of the last minute"))
        self.setToolTip(self._all())
        self.show_second(self._second, self._dropped)
        self.updateGeometry()

    # -- What is shown ---------------------------------------------------------------------

    def _make_groups(self) -> list[Group]:
        second, theme = self._second, self._theme
        before, after = tr("loop {share} busy", share="|").split("|")
        dropped = sum(self._dropped.values())
        groups = [
            Group(1, [Piece(tr("{count} req/s", count=f"{second.requests:,.0f}"))]),
            Group(
                0,
                [Piece(before), Piece(percent(second.busy), "text", True), Piece(after)],
            ),
            Group(
                4,
                [
                    Piece(
                        f"{tr(name)} {100 * getattr(second, field):.0f}",
                        mark=part_colour(theme, hue),
                    )
                    for field, name, hue in BUSY
                ],
            ),
        ]
        if self.observed:
            cost = Piece(tr("observer {share}", share=percent(second.observer)))
            groups.append(Group(2, [cost]))
        groups.append(
            Group(
                -1 if dropped else 3,
                [Piece(tr("dropped {count}", count=f"{dropped:,}"), "warn" if dropped else "dim")],
            )
        )
        return groups

    def _all(self) -> str:
        """Return every figure, as a table for the tooltip."""
        second = self._second
        rows = [
            _row(tr("requests/s"), f"{second.requests:,.0f}", head=True),
            _row(tr("loop busy"), percent(second.busy, 1), head=True),
        ]
        rows += [
            _row(tr(name), percent(getattr(second, field), 1)) for field, name, _ in (*BUSY, LOOP)
        ]
        if second.lag is not None:
            rows.append(_row(tr("loop lag"), "", head=True))
            for name, ns in zip(("median", "p99", "longest"), second.lag, strict=True):
                rows.append(_row(tr(name), duration(ns)))
        if self.observed:
            rows.append(_row(tr("observer"), percent(second.observer, 1), head=True))
            parts = (*OBSERVER, RECORDING)
            rows += [_row(tr(name), percent(getattr(second, field), 1)) for field, name, _ in parts]
        rows.append(_row(tr("dropped"), f"{sum(self._dropped.values()):,}", head=True))
        rows += [_row(tr(kind), f"{count:,}") for kind, count in self._dropped.items() if count]
        table = f"<table width='100%' cellspacing='0'>{''.join(rows)}</table>"
        text = [tr("The last second. Click for the charts of the last minute."), table]
        text.append(tr("The lag is that of tasks and sockets: how long they were ready before."))
        if self.observed:
            text.append(
                tr(
                    "Recording happens inside the runs and cannot be measured there: it is"
                    " estimated from what one of each kind took when the program started."
                )
            )
        return "".join(f"<div>{part}</div>" for part in text)

    def enterEvent(self, event: QEnterEvent) -> None:
        self.setToolTip(self._all())
        super().enterEvent(event)

    # -- Room and painting -----------------------------------------------------------------

    def _fit(self) -> None:
        """Choose what is shown."""
        self._widths = {
            group.rank: sum(self._piece_width(piece) for piece in group.pieces)
            + (len(group.pieces) - 1) * self._between(group)
            for group in self._groups
        }
        shown = sorted(self._groups, key=lambda group: group.rank)
        while len(shown) > 1 and self._width_of(shown) > self.width():
            shown.pop()
        self._shown = [group for group in self._groups if group in shown]
        self.update()

    def _width_of(self, groups: list[Group]) -> int:
        px = self._theme.px
        return sum(self._widths[g.rank] for g in groups) + (len(groups) - 1) * px(22) + px(12)

    def _piece_width(self, piece: Piece) -> int:
        room = self._theme.px(_MARK) if piece.mark else 0
        return self._metrics[piece.bold].horizontalAdvance(piece.words) + room

    def _between(self, group: Group) -> int:
        return self._theme.px(9) if group.pieces[0].mark else 0

    def _area(self) -> QRect:
        """Return where the figures are shown: at the right, in the middle."""
        width = min(self.width(), self._width_of(self._shown))
        height = min(self.height(), self._theme.px(28))
        return QRect(self.width() - width, (self.height() - height) // 2, width, height)

    def hitButton(self, pos: QPoint) -> bool:
        return self._area().contains(pos)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(520), self._theme.px(28))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(104), self._theme.px(28))

    def resizeEvent(self, event: object) -> None:
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        colours, px, area = self._theme.colours, self._theme.px, self._area()
        fonts, metrics = self._fonts, self._metrics
        with QPainter(self) as p:
            p.fillRect(event.rect(), colours.panel)
            hovered = self.underMouse() and area.contains(self.mapFromGlobal(QCursor.pos()))
            if self.isDown() or hovered or self.hasFocus():
                p.setRenderHint(QPainter.RenderHint.Antialiasing)
                p.setPen(colours.accent if self.hasFocus() else colours.line)
                p.setBrush(colours.raised)
                p.drawRoundedRect(area.adjusted(0, 0, -1, -1), px(6), px(6))
                p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            x, middle = area.left() + px(6), area.center().y()
            for group in self._shown:
                if group is not self._shown[0]:
                    p.fillRect(x + px(10), middle, px(2), px(2), colours.faint)
                    x += px(22)
                left = x
                for piece in group.pieces:
                    if piece.mark is not None:
                        p.fillRect(left, middle - px(4) + 1, px(8), px(8), piece.mark)
                        left += px(_MARK)
                    p.setFont(fonts[piece.bold])
                    p.setPen(self._theme.colour(piece.token))
                    p.drawText(left, middle + metrics[0].capHeight() // 2 + 1, piece.words)
                    left += metrics[piece.bold].horizontalAdvance(piece.words)
                    left += self._between(group)
                x += self._widths[group.rank]


def _text(group: Group) -> str:
    between = ", " if group.pieces[0].mark else ""
    return between.join(piece.words for piece in group.pieces)


def _row(name: str, value: str, *, head: bool = False) -> str:
    left, right = escape(name), escape(value)
    if head:
        left, right = f"<b>{left}</b>", f"<b>{right}</b>"
    else:
        left = f"&nbsp;&nbsp;{left}"
    return f"<tr><td>{left}</td><td align='right'>{right}</td></tr>"
