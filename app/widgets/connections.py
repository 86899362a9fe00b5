"""The connections as a table: one bar for each socket, with its requests on it."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QToolTip, QVBoxLayout, QWidget

from app.recording.events import Request, Row
from app.recording.headers import values
from app.recording.store import SWITCHING, Store

from .column import Column
from .i18n import tr
from .parts import EmptyState, OrEmpty
from .request_columns import path_of, status_words
from .rows_model import RowsModel
from .table import RowsView
from .theme import Theme
from .time_bars import Axis, Bar, Bars, bars
from .words import duration, since, size

TITLE = "Timeline"
"""The heading of the bars."""
_GOOD = ("closed by the client", "not kept alive", "closed by the server")
"""Reasons to close that are in order."""
MALFORMED = "malformed request"
"""The reason after a request that Tornado could not read: it always closes then."""


class ConnectionsPanel(QWidget):
    """All TCP connections that are still known, newest at the end.

    A click on a request in a bar selects it everywhere; Return goes from one to the next.
    """

    request_selected = Signal(int)

    def __init__(self, store: Store, theme: Theme) -> None:
        super().__init__()
        self._store = store
        self._theme = theme
        self._counts: Counter[int] = Counter()
        self._carried: dict[int, list[int]] = {}
        """Connection → the numbers of its requests that are still known."""
        self._counted = self._gone = 0
        self._stepped = 0
        """The request that Return went to last."""
        self.model = RowsModel(
            self._columns(),
            lambda: store.connections.rows,
            lambda: store.connections.forgotten,
            settled=lambda row: row[3] is not None,
            parent=self,
        )
        self.view = RowsView(self.model, theme, "Connections")
        self._empty = EmptyState(
            "No connections yet", "Each TCP connection that the server accepts appears here."
        )
        self._or_empty = OrEmpty(self.view, self._empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._or_empty)
        self.view.activated_row.connect(self._step)
        self.view.viewport().installEventFilter(self)

    def _columns(self) -> list[Column]:
        return [
            Column("#", 56, lambda row: str(row[0]), mono=True),
            Column("Remote", 136, lambda row: row[1], mono=True, spare=6),
            Column("Opened", 84, self._opened, mono=True, right=True, spare=5),
            Column("Age", 84, self._age, mono=True, right=True, spare=1),
            Column(
                *(TITLE, 150, self._bar_words),
                stretch=True,
                bars=Bars(self._span, self._paint_bar),
            ),
            Column("Requests", 78, self._requests, mono=True, right=True, spare=3),
            Column("Version", 66, self._version, mono=True),
            Column("Keep-alive", 86, self._kept, self._kept_colour),
            Column("In", 72, lambda row: _bytes(row, 4), right=True, spare=8),
            Column("Out", 72, lambda row: _bytes(row, 5), right=True, spare=7),
            Column("State", 160, _state, _state_colour),
        ]

    # -- Words -----------------------------------------------------------------------------

    def _opened(self, row: Row) -> str:
        return since(row[2], self._store.origin_ns)

    def _age(self, row: Row) -> str:
        start, end = self._span(row)
        return duration(end - start)

    def _requests(self, row: Row) -> str:
        return str(self._counts[row[0]])

    def _latest(self, row: Row) -> Request | None:
        ids = self._carried.get(row[0])
        return self._store.request(ids[-1]) if ids else None

    def _version(self, row: Row) -> str:
        latest = self._latest(row)
        return (latest.version.removeprefix("HTTP/") if latest else "") or "—"

    def _kept(self, row: Row) -> str:
        latest = self._latest(row)
        if latest is not None and latest.status == SWITCHING:
            return "WebSocket"
        kept = None if latest is None else kept_alive(latest) and row[7] != MALFORMED
        if kept is None:
            return "—"
        return f"✓ {tr('yes')}" if kept else f"✗ {tr('no')}"

    def _kept_colour(self, row: Row) -> str:
        return "ok" if self._kept(row).startswith("✓") else "dim"

    def _bar_words(self, row: Row) -> str:
        ids = self._carried.get(row[0], [])
        numbers = " ".join(f"#{id_}" for id_ in ids[-10:])
        return f"{self._age(row)} · … {numbers}" if len(ids) > 10 else f"{self._age(row)} {numbers}"

    # -- Bars ------------------------------------------------------------------------------

    def _span(self, row: Row) -> tuple[int, int]:
        return row[2], row[3] if row[3] is not None else max(self._store.end_ns, row[2])

    def _bars(self, row: Row, axis: Axis) -> list[Bar]:
        ids = self._carried.get(row[0], [])
        return list(bars(ids, self._store.requests, axis, self._store.end_ns))

    def _paint_bar(self, p: QPainter, area: QRect, axis: Axis, row: Row) -> None:
        theme, middle = self._theme, area.center().y()
        start, end = self._span(row)
        left, right = axis.x(start), axis.x(end)
        high, thick = theme.px(14), theme.px(4)
        p.fillRect(left, middle - thick // 2, max(1, right - left), thick, theme.colours.line)
        for bar in self._bars(row, axis):
            request = self._store.requests.get(bar.id)
            hue = theme.hue(bar.id)
            p.fillRect(bar.left, middle - high // 2, bar.right - bar.left, high, hue)
            if request is not None and _failed(request):
                low = middle - high // 2 + high
                p.fillRect(bar.left, low, bar.right - bar.left, theme.px(2), theme.colours.error)
        if row[3] is not None:
            colour = theme.colour(_state_colour(row))
            p.fillRect(right, middle - high // 2, theme.px(2), high, colour)

    def _request_at(self, place: QPoint) -> int:
        """Return the number of the request whose bar is at *place*, 0 for none."""
        number, column = self.view.rowAt(place.y()), self.view.columnAt(place.x())
        axis = self.view.axis(column)
        if number < 0 or axis is None:
            return 0
        near = [
            (max(bar.left - place.x(), place.x() - bar.right, 0), bar.id)
            for bar in self._bars(self.model.row(number), axis)
        ]
        distance, id_ = min(near, default=(99, 0))
        return id_ if distance <= 3 else 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Select what is clicked in a bar; say what is under the mouse."""
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonPress:
            id_ = self._request_at(event.position().toPoint())
            if id_ and event.button() == Qt.MouseButton.LeftButton:
                self.request_selected.emit(id_)
        elif isinstance(event, QHelpEvent):
            row = self._store.requests.get(self._request_at(event.pos()))
            if row is not None:
                QToolTip.showText(event.globalPos(), self._tip(row), self.view)
                return True
        return False

    def _tip(self, row: Row) -> str:
        took = tr("running") if row[10] is None else duration(row[10] - row[9])
        return f"#{row[0]} {row[3]} {path_of(row[4])[:80]} · {status_words(row)} · {took}"

    def _step(self, row: Row) -> None:
        """Go to the connection's next request, after the last to its first."""
        ids = self._carried.get(row[0], [])
        if not ids:
            return
        at = bisect_right(ids, self._stepped) if self._stepped in ids else 0
        self._stepped = ids[at % len(ids)]
        self.request_selected.emit(self._stepped)

    # -- What is recorded ------------------------------------------------------------------

    def _count(self) -> None:
        """Take in the requests that came since the last call; forget what the store forgot."""
        table = self._store.requests
        for row in table.rows[max(0, self._counted - table.forgotten) :]:
            self._counts[row[1]] += 1
            self._carried.setdefault(row[1], []).append(row[0])
        self._counted = table.forgotten + len(table.rows)
        if table.last_forgotten > self._gone:
            self._gone = table.last_forgotten
            for ids in self._carried.values():
                del ids[: bisect_right(ids, self._gone)]
            self._carried = {key: ids for key, ids in self._carried.items() if ids}
            oldest = self._store.connections.last_forgotten
            self._counts = Counter({k: n for k, n in self._counts.items() if k > oldest})

    def refresh(self) -> None:
        """Show what was recorded since the last call."""
        self._count()
        self.view.refresh()
        self._or_empty.show_empty(self.model.rowCount() == 0)
        if self._store.open_connections:
            self.view.viewport().update()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.view.retranslate()
        self._empty.retranslate()


def kept_alive(request: Request) -> bool | None:
    """Return whether the connection may carry another request; None: not decided yet.

    As Tornado decides (``HTTP1Connection._can_keep_alive``), which is RFC 9112, section 9.3.
    """
    if not request.response_head:
        return None if request.end_ns is None else False
    asked, answered = (
        [token.strip().lower() for line in values(head, "Connection") for token in line.split(",")]
        for head in (request.request_head, request.response_head)
    )
    if "close" in asked or "close" in answered:
        return False
    return request.version == "HTTP/1.1" or "keep-alive" in answered


def _bytes(row: Row, field: int) -> str:
    """Bytes are counted when the connection is over."""
    return "…" if row[3] is None else size(row[field])


def _state(row: Row) -> str:
    return f"● {tr('open')}" if row[3] is None else f"○ {tr(row[7] or 'closed')}"


def _state_colour(row: Row) -> str:
    if row[3] is None:
        return "ok"
    return "dim" if row[7] in _GOOD else "error"


def _failed(row: Row) -> bool:
    return row[18] == "aborted" or (row[8] or 0) >= 400
