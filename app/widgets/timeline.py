"""The timeline: every tick, run, stage and wait of the requests in view, as it happens."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QScrollBar, QVBoxLayout, QWidget

from app.recording.events import WINDOW
from app.recording.recorder import Recorder
from app.recording.store import Store

from .i18n import tr
from .theme import Theme
from .timeline_canvas import TimelineCanvas
from .timeline_filter import LaneFilter
from .timeline_keys import ZOOM, Keys
from .timeline_menu import fill
from .timeline_moves import Moves
from .timeline_tools import TimelineTools
from .timeline_view import duration, moment

FRAME_MS = 25
"""The least time between two frames."""
NEXT_MS = 36
"""How long the frame after one that brought news is left to the next call of `refresh`."""
QUIET_MS = 250
"""After so much time without news the timeline says that it is idle."""
_TAIL = 0.03
"""How much of the span the present runs on after the last thing that happened."""


class TimelinePanel(QWidget):
    """Shows a store on a time axis that follows the present or can be looked back on.

    `refresh` says that something may be new; the panel paces itself, goes on while a request is
    under way, and stands still when nothing happens. *clock* gives the present in nanoseconds on
    the recorder's clock; None for a recording that has ended.
    """

    request_selected = Signal(int)
    """The user chose a request."""

    def __init__(
        self,
        store: Store,
        theme: Theme,
        clock: Callable[[], int] | None = Recorder.clock,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._theme = theme
        self._clock = clock
        self._activity = float(store.end_ns)
        """When something other than the window ran last."""
        self._seen_run = 0
        self._edge = -1.0
        """The present as it was last drawn."""
        self._stale = False
        self._shown_state: tuple[object, ...] = ()
        self._busy = False
        """Whether something happens, or has just happened."""
        self._since_paint, self._since_news = QElapsedTimer(), QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._frame)
        self._scroll = QScrollBar(Qt.Orientation.Vertical)
        self._scroll.hide()
        self.canvas = TimelineCanvas(store, theme, self._scroll, self.now)
        self.tools = TimelineTools(theme)
        """The row of buttons. It may be moved elsewhere, for example into a tab bar's corner."""
        self.filter = LaneFilter(theme)
        self.moves = Moves(self)
        self._keys = Keys(self)
        self._arrange()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._connect()
        theme.changed.connect(self._restyle)
        self.retranslate()

    def _connect(self) -> None:
        tools, canvas = self.tools, self.canvas
        tools.follow.clicked.connect(lambda: self.set_following(not self.following))
        tools.more.clicked.connect(lambda: self.moves.zoom(ZOOM))
        tools.less.clicked.connect(lambda: self.moves.zoom(1 / ZOOM))
        tools.fit.clicked.connect(self.moves.fit)
        tools.jump.clicked.connect(self.moves.jump)
        tools.measure.clicked.connect(self._set_measuring)
        tools.filter.clicked.connect(self._toggle_filter)
        tools.menu.aboutToShow.connect(lambda: fill(tools.menu, canvas, None, self.moves.fit))
        self.filter.changed.connect(self._filtered)
        self.filter.left.connect(self.setFocus)
        canvas.selected.connect(self.select_and_tell)
        canvas.zoomed_to.connect(self.moves.show_request)
        canvas.moved.connect(self.show_state)
        canvas.menu_asked.connect(self._open_menu)

    def _set_measuring(self, on: bool) -> None:
        self.canvas.mouse.measures = on
        self.canvas.mouse.set_cursor()
        if not on:
            self.canvas.set_measure(None)

    def _toggle_filter(self) -> None:
        if self.filter.isVisible():
            self.filter.close_filter()
        else:
            self.filter.open_filter()
        self.tools.filter.setChecked(self.filter.isVisible())

    def _filtered(self, text: str) -> None:
        self.canvas.rows.traffic.choose(text)
        self.tools.filter.setChecked(self.filter.isVisible())
        self.canvas.update()

    def _open_menu(self, at: QPoint) -> None:
        row, menu = self.canvas.focused, QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        fill(menu, self.canvas, row, lambda: self.moves.show_request(int(row.key) if row else 0))
        menu.popup(at)

    def _arrange(self) -> None:
        body = QHBoxLayout()
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(0)
        body.addWidget(self.canvas, 1)
        body.addWidget(self._scroll)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tools)
        column.addWidget(self.filter)
        column.addLayout(body, 1)

    @property
    def following(self) -> bool:
        """Whether the view follows the present."""
        return self.canvas.view.following

    def set_following(self, on: bool) -> None:
        """Follow the present, or stay where the view is."""
        self.canvas.view.following = on
        if on:
            self.canvas.view.follow(self.present)
            self._stale = True
            self.refresh()
        self.show_state()

    def set_paused(self, at_ns: int | None) -> None:
        """Mark where the server was paused, on the recorder's clock; None when it runs."""
        self.canvas.paused_ns = at_ns
        self._stale = True
        self.refresh()
        self.show_state()

    def set_store(self, store: Store, clock: Callable[[], int] | None) -> None:
        """Show another store, for example an opened recording."""
        self._store = store
        self.canvas.set_store(store)
        self._clock = clock
        self._seen_run, self._activity, self._edge = 0, float(store.end_ns), -1.0
        self._stale = True
        self.refresh()

    def select_request(self, request_id: int) -> None:
        """Mark a request as selected; 0 for none."""
        if request_id != self.canvas.request_id:
            self.canvas.request_id = request_id
            if self.isVisible():
                self.canvas.focus_on_request(request_id)
            self.canvas.update()

    def select_and_tell(self, request_id: int) -> None:
        """Select a request here and everywhere."""
        self.select_request(request_id)
        self.request_selected.emit(request_id)

    def now(self) -> float:
        """The present as the timeline shows it: it stands still while the server is paused."""
        paused = self.canvas.paused_ns
        if paused is not None:
            return max(float(paused), self._activity)
        return float(self._clock()) if self._clock else float(self._store.end_ns)

    @property
    def present(self) -> float:
        """The present as it was last drawn: where following stands."""
        return max(self._edge, self._activity)

    @property
    def live(self) -> bool:
        """Whether a request is under way, so that time must be seen to pass."""
        paused = self.canvas.paused_ns is not None
        return bool(self._store.open_requests) and not paused and self._clock is not None

    def refresh(self) -> None:
        """Take in what is new in the store. Cheap when nothing is; paints at most every 25 ms."""
        if self.isVisible():
            rest = FRAME_MS - self._since_paint.elapsed() if self._since_paint.isValid() else 0
            if rest > 5:
                self._timer.start(rest)
            else:
                self._frame()

    def _frame(self) -> None:
        news = self._note_activity()
        view, now, before = self.canvas.view, self.now(), self._edge
        if self.live:
            self._edge = max(now, self._activity)
        else:
            self._edge = max(min(now, self._activity + _TAIL * view.span), self._activity)
        moved = False
        if view.following:
            moved = self._edge != before and view.follow(self._edge)
        elif self._edge - before >= view.scale:
            moved = view.start < self._edge and before < view.end
        else:
            self._edge = before  # Until it has gone on by a pixel.
        if moved or news or self._stale:
            self._stale = False
            self._since_paint.start()
            self.canvas.renew_frame()
        if news:
            self._since_news.start()
        self._go_on(news, self.live or now < self._activity + _TAIL * view.span)
        self.show_state()

    def _go_on(self, news: bool, moving: bool) -> None:
        """Arrange the next frame, if there is to be one before the next `refresh`."""
        recent = self._since_news.isValid() and self._since_news.elapsed() < QUIET_MS
        self._busy = news or moving or recent
        if not self._busy or not self.isVisible():
            self._timer.stop()
        else:
            self._timer.start(NEXT_MS if news else FRAME_MS if moving else QUIET_MS)

    def _note_activity(self) -> bool:
        """Find the last run that is not the window's own; the window must not wake itself."""
        rows = self._store.runs.rows
        at, before = len(rows) - 1, self._activity
        oldest = max(0, at - 500)
        while at >= oldest and rows[at][0] > self._seen_run:
            if rows[at][5] != WINDOW:
                self._activity = max(self._activity, float(rows[at][3]))
                break
            at -= 1
        self._seen_run = rows[-1][0] if rows else 0
        return self._activity != before

    def show_state(self) -> None:
        """Say in words what the view shows."""
        view, paused = self.canvas.view, self.canvas.paused_ns
        key = (
            *(view.span, view.following, paused, self._busy),
            0 if view.following else view.start,
        )
        if key == self._shown_state:
            return
        self._shown_state = key
        if paused is not None:
            state = tr("paused")
        elif not view.following:
            state = tr(
                "from {moment}", moment=moment(view.start - self._store.origin_ns, short=True)
            )
        else:
            state = tr("live") if self._busy else tr("idle")
        self.tools.show_state(view.following, state, duration(view.span))

    def showEvent(self, event: QShowEvent) -> None:
        self._stale = True
        QTimer.singleShot(0, self, self.refresh)

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._keys.press(event):
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self._keys.menu()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.canvas.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.canvas.update()

    def _restyle(self) -> None:
        self.canvas.renew()

    def retranslate(self) -> None:
        """Set all texts again in the chosen language."""
        self.tools.retranslate()
        self.filter.retranslate()
        self.setAccessibleName(tr("Timeline"))
        self._shown_state = ()
        self.show_state()
        self.canvas.update()
