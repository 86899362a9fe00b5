"""The window: cards for every panel, menus and keys."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QPainter,
    QPaintEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QLayout, QMainWindow, QMenuBar, QVBoxLayout, QWidget

from app.recording.store import Store

from .accounting import Accounting
from .app_site import AppSite
from .arrangement import Arrangement
from .attack_dialog import AttackDialog
from .breakpoints import BreakpointsPanel
from .cards import Cards
from .charts import ChartsPanel
from .clients import ClientsPanel
from .clients_again import RequestAgain
from .clients_history import HistoryPanel
from .connections import ConnectionsPanel
from .controls import Controls, Shot
from .cookies_panel import CookiesPanel
from .detail import DetailPanel
from .editors import Editors
from .i18n import language, tr
from .icons import app_icon
from .in_out import InOut
from .log_panel import LogPanel
from .loop_now import LoopNowPanel
from .menus import Menus
from .parts import Banner, IconButton
from .project_commands import ProjectCommands
from .refresher import Refresher
from .request_menu import RequestMenu
from .requests import RequestsPanel
from .selection import Selection
from .site_tree import SiteTree
from .theme import GAP, Theme
from .timeline import TimelinePanel
from .top_bar import TopBar
from .waiting import WaitingPanel
from .work_strip import WorkStrip


class MainWindow(QMainWindow):
    """Shows a store and commands the program through *controls*.

    *accounting* gives the figures; without one they are those of the present.
    """

    closed = Signal()
    """The window was closed by the user: the program ends."""

    def __init__(
        self,
        store: Store,
        controls: Controls,
        theme: Theme,
        accounting: Accounting | None = None,
    ) -> None:
        theme.prepare()
        super().__init__()
        self.store = store
        self.accounting = accounting or Accounting(store)
        self.controls = controls
        self.theme = theme
        self.selection = Selection(self)
        self._refresher = Refresher()
        self._await_request = 0
        """The request to select as soon as it is there; 0 for none."""
        self._laid_out = False
        self.setWindowIcon(app_icon())
        self.setObjectName("loopscope")
        self.setAcceptDrops(True)
        self.setUnifiedTitleAndToolBarOnMac(False)
        self.arrangement = Arrangement(self)
        self._make_panels()
        self.cards = Cards(self, theme)
        self.centre, self.site, self.traffic = (
            self.cards.centre,
            self.cards.site,
            self.cards.traffic,
        )
        self.docks, self.charts_dock = self.cards.docks, self.cards.docks[-1]
        for top_level in (self, *self.docks):  # A dock that floats paints by itself.
            top_level.installEventFilter(self.accounting.spending)
        self._fill_cards()
        self.top_bar = TopBar(controls, theme, lambda: self.selection.request_id)
        self.top_bar.figures.observed = self.accounting.live
        self._make_top()
        self._connect()
        self._dress()
        self.retranslate()
        self.resize(1440, 900)
        if QGuiApplication.platformName() != "offscreen":  # Its screen is small, and nobody's.
            self.resize(self.size().boundedTo(QGuiApplication.primaryScreen().availableSize()))
        self._fresh_state = self.arrangement.state()
        self._restore()

    def _dress(self) -> None:
        """Put on the style sheet, now that all stands in its place; see `Theme.prepare`."""
        self.theme.apply()
        # Qt remembers sizes that it was told without it.
        for widget in self.findChildren(QWidget):
            widget.updateGeometry()
        for layout in self.findChildren(QLayout):
            layout.invalidate()

    def _make_panels(self) -> None:
        store, theme = self.store, self.theme
        selection, controls = self.selection, self.controls
        self.timeline = TimelinePanel(store, theme)
        self.loop_now = LoopNowPanel(store, controls, theme)
        self.charts = ChartsPanel(self.accounting, controls.wall_time, theme)
        self.requests = RequestsPanel(store, selection, theme)
        self.waiting = WaitingPanel(store, controls, theme)
        self.cookies = CookiesPanel(store, controls, selection, theme)
        self.connections = ConnectionsPanel(store, theme)
        self.log = LogPanel(store, selection, theme)
        self.breakpoints = BreakpointsPanel(store, controls, theme)
        self.clients = ClientsPanel(controls, theme)
        self.history = HistoryPanel(controls, theme)
        self.detail = DetailPanel(store, controls, selection, theme)
        self.in_out = InOut(store, controls, selection, self.requests, theme, self)
        self._refresher.add(self.timeline, 0)
        for panel in (self.requests, self.waiting, self.cookies, self.connections, self.log):
            self._refresher.add(panel)
        self._refresher.add(self.breakpoints)
        self._refresher.add(self.loop_now)
        self._refresher.add(self.detail)
        self._refresher.add(self.clients, 0.25)
        self._refresher.add(self.history, 0.25)
        self._refresher.add(self.charts, 0.25)

    def _fill_cards(self) -> None:
        """Put the panels into the cards, and beside their titles what belongs there."""
        cards, theme = self.cards, self.theme
        self.centre.add(self.timeline, "Timeline")
        self.centre.corner.addWidget(self.timeline.tools)
        for panel, title in (
            (self.requests, "Requests"),
            (self.waiting, "Waiting"),
            (self.cookies, "Cookies"),
            (self.connections, "Connections"),
            (self.log, "Log"),
            (self.breakpoints, "Breakpoints"),
            (self.history, "History"),
        ):
            self.traffic.add(panel, title)
        cards.clients.add(self.clients, "Clients")
        for button in (self.clients.add, self.clients.change, self.clients.clear):
            cards.clients.corner.addWidget(button)
        cards.loop.add(self.loop_now, "Loop now")
        self.loop_now.note.setContentsMargins(0, 0, 6, 0)
        cards.loop.corner.addWidget(self.loop_now.note)
        cards.selected.add(self.detail, "Selected request")
        cards.charts.add(self.charts, "Charts")
        cards.charts.corner.addWidget(self.charts.note)
        close = IconButton(theme, "cross", "Close", self.charts_dock.close)
        cards.charts.corner.addWidget(close)
        self.editors = Editors(self.controls, self.centre, theme, self)
        self.tree = SiteTree(self.controls, self.editors, cards.site, theme)

    def _make_top(self) -> None:
        self._menu_bar = QMenuBar()
        self.banner = Banner(self.theme)
        self.work = WorkStrip(self.controls, self.theme)
        self.projects = ProjectCommands(self)
        self.menus = Menus(self, self._menu_bar)
        self.app_site = AppSite(self, self.centre, self.theme)
        top = QWidget()
        layout = QVBoxLayout(top)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._menu_bar)
        layout.addWidget(self.top_bar)
        layout.addSpacing(GAP)
        layout.addWidget(self.banner)
        layout.addWidget(self.work)
        self.setMenuWidget(top)

    def _connect(self) -> None:
        self.theme.changed.connect(self._restyle)
        self.controls.hold.changed.connect(self._show_hold)
        toggle = self.charts_dock.toggleViewAction()
        self.top_bar.figures.clicked.connect(toggle.trigger)
        toggle.triggered.connect(lambda shown: self.charts.setFocus() if shown else None)
        language.changed.connect(self.retranslate)
        self.controls.failed.connect(self.say)
        self.requests.fill.connect(self.fire_first)
        self.timeline.request_selected.connect(self.selection.select)
        for panel in (self.loop_now, self.waiting, self.breakpoints, self.connections):
            panel.request_selected.connect(self.selection.select)
        self.waiting.open_source.connect(self.app_site.open_source)
        self.log.open_source.connect(self.app_site.open_source)
        self.log.can_open = self.app_site.can_open
        self.breakpoints.parked_changed.connect(self._show_parked)
        request_menu = RequestMenu(self.requests.view, self.controls, self.in_out.request)
        request_menu.handler_wanted.connect(self.app_site.open_handler)
        request_menu.added.connect(lambda: self.traffic.show_page(self.breakpoints))
        self.in_out.said.connect(self.banner.say)
        self.in_out.imported.connect(lambda found: self.clients.form.load(found.request))
        again = RequestAgain(
            self.requests.view, self.store, self.controls, lambda: self.clients.client
        )
        again.fired.connect(self._select_next)
        for shots in (again, self.history):
            shots.edit.connect(self._edit_shot)
        self.clients.form.pasted.connect(self.in_out.tell_ignored)
        self.selection.changed.connect(self.timeline.select_request)
        self.detail.heading.connect(self._show_heading)
        self.detail.template.open_template.connect(
            lambda name: self.editors.open_file("templates", name)
        )
        self.editors.failed.connect(self.say)
        for source in (self.clients, self.cookies, self.detail.cookies):
            source.fired.connect(self._select_next)
        self.editors.said.connect(lambda text: self.banner.say(text, "ok"))
        self.editors.saved.connect(lambda: self.banner.say(tr("Saved"), "ok"))
        self.centre.switched.connect(self._switched)
        self.traffic.switched.connect(self._refresher.all_visible)

    def _show_hold(self) -> None:
        state = self.controls.hold.state()
        self.accounting.set_held(state.paused or state.pace < 1)
        self.timeline.set_paused(state.paused_ns)

    def _switched(self) -> None:
        seen = self.centre.stack.currentWidget() is self.timeline
        self.timeline.tools.setVisible(seen)
        self._refresher.all_visible()

    def _show_parked(self, count: int) -> None:
        title = tr("Breakpoints")
        self.traffic.set_title(self.breakpoints, f"{title} ({count})" if count else title)

    def _show_heading(self, request_id: int, text: str) -> None:
        hue = self.theme.hue(request_id) if request_id else None
        self.cards.selected.set_heading(text or tr("Selected request"), hue)

    def _restyle(self) -> None:
        gap = self.theme.px(GAP)
        self.setContentsMargins(gap, 0, gap, gap)
        self._refresher.restyle()

    def retranslate(self) -> None:
        """Set all texts again, after the language changed."""
        self.projects.show_title()
        self.top_bar.retranslate()
        self.work.retranslate()
        self.menus.retranslate()
        self.tree.retranslate()
        self.editors.retranslate()
        self.app_site.retranslate()
        self.centre.retranslate()
        for dock in self.docks:
            dock.retranslate()
        self._refresher.retranslate()
        self._refresher.all_visible()
        if self.theme.settings is not None:
            self.theme.settings.setValue("window/language", language.code)

    def frame(self) -> None:
        """Show what is new. The frame clock calls it after each `Store.apply`; it must be cheap."""
        if not self.isVisible():
            return
        rows = self.store.requests.rows
        if self._await_request and rows and rows[-1][0] >= self._await_request:
            self.selection.select(self._await_request)
            self._await_request = 0
        if self.accounting.advance():
            self._refresher.set_load(self.accounting.load)
            self.loop_now.set_load(self.accounting.load)
            self.top_bar.figures.show_second(self.accounting.latest, self.controls.dropped())
        self._refresher.frame()
        self.top_bar.hold.refresh()

    def _select_next(self) -> None:
        """Select the next request: whoever fires one wants to see it."""
        rows = self.store.requests.rows
        self._await_request = rows[-1][0] + 1 if rows else 1

    def _edit_shot(self, shot: Shot) -> None:
        self.docks[1].show()
        self.clients.edit(shot)

    def fire_first(self) -> None:
        """Fire GET / with the first client."""
        clients = self.controls.clients()
        name = clients[0].name if clients else self.controls.add_client()
        self.controls.fire(Shot(name, "GET", "/", [], b""))

    def open_attack_range(self) -> None:
        """Open the attack range, or come back to it."""
        known = self.findChild(AttackDialog)
        if known is None:
            known = AttackDialog(self.controls.attacks, self.theme, self)
            known.request_selected.connect(self.selection.select)
            known.show()
        known.raise_()
        known.activateWindow()

    def filter_requests(self) -> None:
        """Go to the box in which requests are filtered."""
        self.docks[3].show()
        self.traffic.show_page(self.requests)
        self.requests.filter.setFocus()
        self.requests.filter.selectAll()

    def say(self, text: str) -> None:
        """Show a failure in words."""
        self.banner.say(tr(text))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the strip behind menus and bar from edge to edge; the cards keep a margin."""
        super().paintEvent(event)
        bottom = self.top_bar.mapTo(self, self.top_bar.rect().bottomLeft()).y()
        with QPainter(self) as painter:
            painter.fillRect(0, 0, self.width(), bottom, self.theme.colours.panel)
            painter.setPen(self.theme.colours.line)
            painter.drawLine(0, bottom, self.width(), bottom)

    # -- Layout ----------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._laid_out:
            self._laid_out = True
            self.cards.share_out(self.height() - self.top_bar.height())

    def reset_layout(self) -> None:
        """Put all cards back where they were at the first start."""
        self.arrangement.restore(self._fresh_state)
        self.cards.put_back()
        self.cards.share_out(self.height() - self.top_bar.height())

    def _restore(self) -> None:
        settings = self.theme.settings
        if settings is None:
            return
        self._laid_out = self.arrangement.load(settings)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.projects.dropped(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        folder = self.projects.dropped(event.mimeData())
        if folder is not None:
            event.acceptProposedAction()
            self.projects.open(folder)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.editors.confirm_leaving(self._leave):
            event.ignore()
            return
        settings = self.theme.settings
        if settings is not None:
            self.arrangement.save(settings)
        event.accept()
        self.closed.emit()

    def _leave(self) -> None:
        self.projects.discard()
        self.close()
