"""What moves on the loop's panel: a token for each run, on its way from where it came from."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from PySide6.QtCore import QEasingCurve, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.recording.flow import Passage

from .theme import Theme
from .timeline_ink import mix
from .timeline_text import Type

TO_READY_S = 0.36
"""How long a token takes from a socket or timer to the ready queue, in s."""
READY_S = 0.14
"""How long it stays there."""
TO_RUN_S = 0.30
"""How long it takes from there to what has just run."""
APART_S = 0.1
"""How long after one token the next one sets out."""
GLOW_S = 0.9
"""How long what has just arrived stays lit."""
MOVING = 6
"""How many tokens are under way under load; of what is more a sample is shown."""
TURN = 24
"""How many set out one after the other when nothing else moves: the runs of one request."""
KEPT = 12
"""How many of the latest runs are listed at most."""

_ease = QEasingCurve(QEasingCurve.Type.InOutCubic)


class Token(NamedTuple):
    """One run on its way; ``source`` is lit as it leaves, the points are left edge and middle."""

    passage: Passage
    text: str
    colour: QColor
    source: QRect
    start: QPoint
    ready: QPoint
    begins: float


class Ran(NamedTuple):
    """A run whose token has arrived, and when."""

    passage: Passage
    at: float


class Tokens:
    """The tokens under way and the runs that have arrived, newest first. Times are in s."""

    def __init__(self) -> None:
        self.moving: deque[Token] = deque()
        self.ran: deque[Ran] = deque(maxlen=KEPT)

    def room(self, count: int) -> int:
        """Return how many of *count* tokens may set out now."""
        if not self.moving and count <= TURN:
            return count
        return max(0, min(count, MOVING - len(self.moving)))

    def settle(self, passages: list[Passage]) -> None:
        """Let everything arrive at once, without moving."""
        for passage in (*(token.passage for token in self.moving), *passages):
            self.ran.appendleft(Ran(passage, 0.0))
        self.moving.clear()

    def begins(self, now: float) -> float:
        """Return when the next token sets out: not before the last one is a bit away."""
        return max(now, self.moving[-1].begins + APART_S) if self.moving else now

    def advance(self, now: float) -> bool:
        """Let those arrive that have; return whether anything still changes."""
        while self.moving and now >= self.moving[0].begins + _whole(self.moving[0]):
            self.ran.appendleft(Ran(self.moving.popleft().passage, now))
        return bool(self.moving or (self.ran and now < self.ran[0].at + GLOW_S))

    def placed(self, now: float, end: QPoint) -> Iterator[tuple[Token, QPoint, float]]:
        """Yield those under way, the first on top: each with its place and how long it moves."""
        for token in reversed(self.moving):
            since = now - token.begins
            if since >= 0:
                yield token, _place(token, since, end), since


def _to_ready(token: Token) -> float:
    return TO_READY_S if token.start != token.ready else 0.0


def _whole(token: Token) -> float:
    return _to_ready(token) + READY_S + TO_RUN_S


def _place(token: Token, since: float, end: QPoint) -> QPoint:
    first = _to_ready(token)
    if since < first:
        return _between(token.start, token.ready, since / first)
    return _between(token.ready, end, (since - first - READY_S) / TO_RUN_S)


def _between(one: QPoint, other: QPoint, share: float) -> QPoint:
    eased = _ease.valueForProgress(min(max(share, 0.0), 1.0))
    step = other - one
    return one + QPoint(round(step.x() * eased), round(step.y() * eased))


def paint_token(p: QPainter, theme: Theme, kind: Type, token: Token, at: QPoint) -> None:
    """Paint a token as a pill with its words, its left edge and middle at *at*."""
    px = theme.px
    high, wide = px(22), kind.width(token.text) + px(32)
    area = QRectF(at.x(), at.y() - high / 2, wide, high)
    p.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    p.setPen(QPen(token.colour, 1.2))
    p.setBrush(mix(token.colour, theme.colour("panel"), 0.24))
    p.drawRoundedRect(area, high / 2, high / 2)
    p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    theme.paint_dot(p, QRectF(at.x() + px(9), at.y() - px(4), px(8), px(8)).center(), token.colour)
    kind.write(p, at.x() + px(23), at.y(), token.text, theme.colour("text"))


def paint_glow(p: QPainter, area: QRect, colour: QColor, strength: float, radius: float) -> None:
    """Ring an area in a colour that fades with *strength*, from 1 to 0."""
    if area.isEmpty():  # Nowhere: what it would ring is not shown.
        return
    faded = QColor(colour)
    faded.setAlphaF(min(max(strength, 0.0), 1.0))
    p.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    p.setPen(QPen(faded, 1.6))
    p.setBrush(Qt.BrushStyle.NoBrush)
    p.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
    p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
