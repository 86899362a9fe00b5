"""The selected request, in full."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.recording.events import Request
from app.recording.store import SWITCHING, Store

from .controls import Controls
from .cookies_page import CookiesPage
from .detail_pages import TimingPage
from .exchange_page import ExchangePage
from .i18n import tr
from .lifecycle import LifecycleView
from .parts import EmptyState, IconButton
from .request_columns import path_of
from .request_log import RequestLog
from .route_page import RoutePage, arguments_of
from .selection import Selection
from .tab_rows import TabRows
from .template_tab import TemplateTab
from .theme import Theme
from .websocket_page import WebSocketPage
from .xsrf_page import XsrfPage

TABS = (
    *("Lifecycle", "Request", "Response", "Cookies", "XSRF"),
    *("Route", "Template", "Timing", "WebSocket", "Log"),
)
REQUEST, RESPONSE = TABS.index("Request"), TABS.index("Response")


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
        self._controls = controls
        self._shown: object = None
        self._called: tuple[int, str | None, dict[str, str]] = (0, None, {})
        """The latest request whose arguments were asked for, its route, and they."""
        self.tabs = TabRows(theme)
        self.both = IconButton(theme, "columns", "Request and response side by side", self._pair)
        self.both.setCheckable(True)
        self.lifecycle = LifecycleView(theme)
        self.exchange = ExchangePage(theme)
        self.cookies = CookiesPage(controls, theme)
        self.xsrf = XsrfPage(theme)
        self.route = RoutePage(controls.routing, theme)
        self.template = TemplateTab(controls.templates, theme)
        self.timing = TimingPage(store, theme)
        self.websocket = WebSocketPage(store, theme)
        self.log = RequestLog(store, theme)
        self._of_tab: tuple[QWidget, ...] = (
            *(self.lifecycle, self.exchange, self.exchange, self.cookies, self.xsrf),
            *(self.route, self.template, self.timing, self.websocket, self.log),
        )
        self._pages = QStackedWidget()
        for title in TABS:
            self.tabs.addTab(tr(title))
        for page in dict.fromkeys(self._of_tab):
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
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 6, 0)
        head.addWidget(self.tabs, 1)
        head.addWidget(self.both, 0, Qt.AlignmentFlag.AlignBottom)
        inner.addLayout(head)
        inner.addWidget(self._pages, 1)
        self._stack.addWidget(full)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self._turn(0)
        self.tabs.currentChanged.connect(self._turn)
        selection.changed.connect(lambda _: self.refresh())
        theme.changed.connect(self.retranslate)

    def _turn(self, tab: int) -> None:
        self._pages.setCurrentWidget(self._of_tab[tab])
        self.both.setVisible(tab in (REQUEST, RESPONSE))
        self._pair()

    def _pair(self) -> None:
        """Show the request, the response or both, as the tab and the button say."""
        tab, both = self.tabs.currentIndex(), self.both.isChecked()
        self.exchange.show_parts(both or tab == REQUEST, both or tab == RESPONSE)
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
            *(stages[-4:], len(self._store.xsrf.get(request.id, ())), self._logged),
            self._store.end_ns if request.end_ns is None else 0,
            self._store.messages_seen if request.status == SWITCHING else 0,
        )
        if state != self._shown:
            self._shown = state
            self.heading.emit(
                request.id, f"#{request.id} {request.method} {path_of(request.uri)[:80]}"
            )
            self._fill(request)

    @property
    def _logged(self) -> int:
        """How many records there were until now, where that changes what is seen."""
        store = self._store
        return (
            store.log_forgotten + len(store.log) if self._pages.currentWidget() is self.log else 0
        )

    def _fill(self, request: Request) -> None:
        store, page = self._store, self._pages.currentWidget()
        if page is self.lifecycle:
            waits = store.handler_waits_of(request.id)
            stages, arguments = store.stages_of(request.id), self._arguments_of(request)
            self.lifecycle.show_request(request, stages, waits, arguments)
        elif page is self.exchange:
            self.exchange.show_request(request)
        elif page is self.cookies:
            self.cookies.show_request(request)
        elif page is self.xsrf:
            self.xsrf.show_checks(store.xsrf.get(request.id, []))
        elif page is self.websocket:
            self.websocket.show_request(request)
        elif page is self.route:
            self.route.show_request(request)
        elif page is self.template:
            self.template.show_request(request, store.stages_of(request.id))
        elif page is self.log:
            self.log.show_request(request)
        else:
            self.timing.show_request(request)

    def _arguments_of(self, request: Request) -> dict[str, str]:
        if self._called[:2] != (request.id, request.route):
            arguments = arguments_of(self._controls.routing, request)
            self._called = (request.id, request.route, arguments)
        return self._called[2]

    def retranslate(self) -> None:
        """Set the texts again, after the language or the theme changed."""
        for at, title in enumerate(TABS):
            self.tabs.setTabText(at, tr(title))
        self._empty.retranslate()
        self.both.retranslate()
        for page in (self.exchange, self.cookies, self.websocket):
            page.retranslate()
        self._shown = None
        self.refresh()
