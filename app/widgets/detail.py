"""The selected request, in full."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

from app.recording.events import Request
from app.recording.store import SWITCHING, Store

from .controls import Controls
from .cookies_page import CookiesPage
from .detail_pages import TimingPage
from .i18n import tr
from .lifecycle import LifecycleView
from .messages import MessageView
from .parts import EmptyState
from .request_columns import path_of
from .selection import Selection
from .theme import Theme
from .websocket_page import WebSocketPage
from .xsrf_page import XsrfPage

TABS = ("Lifecycle", "Request", "Response", "Cookies", "XSRF", "Timing", "WebSocket")


class DetailPanel(QWidget):
    """Tabs about one request; only the one that is seen is filled."""

    heading = Signal(int, str)
    """The number of the request that is shown (0 for none), and its heading."""

    def __init__(
        self, store: Store, controls: Controls, selection: Selection, theme: Theme
    ) -> None:
        super().__init__()
        self._store = store
        self._selection = selection
        self._shown: object = None
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.lifecycle = LifecycleView(theme)
        self.request = MessageView(theme)
        self.response = MessageView(theme)
        self.cookies = CookiesPage(controls, theme)
        self.xsrf = XsrfPage(theme)
        self.timing = TimingPage(theme)
        self.websocket = WebSocketPage(store, theme)
        self._pages = QStackedWidget()
        pages: tuple[QWidget, ...] = (
            *(self.lifecycle, self.request, self.response),
            *(self.cookies, self.xsrf, self.timing, self.websocket),
        )
        for title, page in zip(TABS, pages, strict=True):
            self.tabs.addTab(tr(title))
            self._pages.addWidget(page)
        self._empty = EmptyState(
            "No request selected",
            "Click a request in the table or in the timeline: its lifecycle, headers, cookies "
            "and XSRF check appear here.",
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        full = QWidget()
        inner = QVBoxLayout(full)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        inner.addWidget(self.tabs)
        inner.addWidget(self._pages)
        self._stack.addWidget(full)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self.tabs.currentChanged.connect(self._turn)
        selection.changed.connect(lambda _: self.refresh())
        theme.changed.connect(self.retranslate)

    def _turn(self, page: int) -> None:
        self._pages.setCurrentIndex(page)
        self._shown = None
        self.refresh()

    def refresh(self) -> None:
        """Show what was recorded since the last call."""
        request = self._store.request(self._selection.request_id)
        self._stack.setCurrentIndex(int(request is not None))
        if request is None:
            self.heading.emit(0, "")
            self._shown = None
            return
        stages = request.stages
        state = (
            *(request.id, request.end_ns, request.outcome, request.status, len(stages)),
            *(stages[-4:], len(self._store.xsrf.get(request.id, ()))),
            self._store.end_ns if request.end_ns is None else 0,
            self._store.messages_seen if request.status == SWITCHING else 0,
        )
        if state != self._shown:
            self._shown = state
            self.heading.emit(
                request.id, f"#{request.id} {request.method} {path_of(request.uri)[:80]}"
            )
            self._fill(request)

    def _fill(self, request: Request) -> None:
        store, page = self._store, self._pages.currentWidget()
        if page is self.lifecycle:
            waits = store.handler_waits_of(request.id)
            self.lifecycle.show_request(request, store.stages_of(request.id), waits)
        elif page is self.request:
            self.request.show_message(
                request.request_head, request.request_body, request.request_size
            )
        elif page is self.response:
            self.response.show_message(
                request.response_head, request.response_body, request.response_size
            )
        elif page is self.cookies:
            self.cookies.show_request(request)
        elif page is self.xsrf:
            self.xsrf.show_checks(store.xsrf.get(request.id, []))
        elif page is self.websocket:
            self.websocket.show_request(request)
        else:
            self.timing.show_request(
                request, store.runs_of(request.id), store.handler_waits_of(request.id), store.end_ns
            )

    def retranslate(self) -> None:
        """Set the texts again, after the language or the theme changed."""
        for at, title in enumerate(TABS):
            self.tabs.setTabText(at, tr(title))
        self._empty.retranslate()
        for page in (self.request, self.response, self.websocket):
            page.retranslate()
        self._shown = None
        self.refresh()
