"""The named clients, and the form that fires their requests."""

from __future__ import annotations

from urllib.parse import urljoin

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QStackedWidget,
    QTabBar,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.exchange.curl import for_bash
from app.exchange.request import ExchangeError

from .client_dialog import ClientDialog, dot
from .clients_form import RequestForm
from .controls import Controls, Shot
from .i18n import tr
from .icons import icon
from .parts import IconButton, label
from .shot_request import request_of
from .socket_form import SocketForm
from .theme import ROW, Theme


class ClientsPanel(QWidget):
    """Who asks, and what they ask."""

    fired = Signal()
    """A request was fired from here."""

    def __init__(self, controls: Controls, theme: Theme) -> None:
        super().__init__()
        self._controls = controls
        self._theme = theme
        self._shown: object = None
        self._busy = False
        self.list = QTreeWidget()
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.add = IconButton(theme, "plus", "Add a client", self._add)
        self.clear = IconButton(theme, "trash", "Clear this client's cookies", self._clear)
        self.change = IconButton(theme, "edit", "Change this client (F2)", self.open_dialog)
        self.form = RequestForm(controls, theme)
        self.fire = QPushButton()
        self.fire.setProperty("primary", True)
        self.burst = QPushButton()
        self.count, self.at_once = QSpinBox(), QSpinBox()
        for box, value, top in ((self.count, 50, 100_000), (self.at_once, 8, 500)):
            box.setRange(1, top)
            box.setValue(value)
        self.cancel = IconButton(theme, "cross", "Cancel what is under way", self._cancel)
        self.curl = QPushButton()
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.kinds = QTabBar()
        self.kinds.setDrawBase(False)
        self.kinds.setExpanding(False)
        self.pages = QStackedWidget()
        self.socket = SocketForm(controls, theme, lambda: self.client)
        self._arrange()
        self._connect()
        self._restyle()
        self.retranslate()
        self.refresh()

    def _arrange(self) -> None:
        once, many = QHBoxLayout(), QHBoxLayout()
        for row in (once, many):
            row.setSpacing(6)
        once.addWidget(self.fire, 1)
        once.addWidget(self.curl)
        many.addWidget(self.burst, 1)
        many.addWidget(self.count)
        many.addWidget(label("×"))
        many.addWidget(self.at_once)
        many.addWidget(self.cancel)
        request = QWidget()
        form = QVBoxLayout(request)
        form.setContentsMargins(0, 0, 0, 0)
        form.setSpacing(8)
        form.addWidget(self.form)
        form.addLayout(once)
        form.addLayout(many)
        form.addWidget(self.progress)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        self._forms = (request, self.socket)
        for page in self._forms:
            self.kinds.addTab("")
            self.pages.addWidget(page)
        self._turn(0)
        below = QVBoxLayout()
        below.setContentsMargins(12, 0, 12, 4)
        below.setSpacing(6)
        below.addWidget(self.kinds)
        below.addWidget(self.pages)
        layout.addWidget(self.list, 1)
        layout.addLayout(below)

    def _connect(self) -> None:
        self.kinds.currentChanged.connect(self._turn)
        self.list.itemActivated.connect(lambda: self.open_dialog())
        rename = QShortcut(QKeySequence("F2"), self.list)
        rename.setContext(Qt.ShortcutContext.WidgetShortcut)
        rename.activated.connect(lambda: self.open_dialog())
        self.list.currentItemChanged.connect(lambda: self.socket.refresh())
        self.curl.clicked.connect(lambda: self.copy_curl())
        self.fire.clicked.connect(lambda: self.shoot(1, 1))
        self.burst.clicked.connect(lambda: self.shoot(self.count.value(), self.at_once.value()))
        self.form.submitted.connect(lambda: self.shoot(1, 1))
        self._controls.clients_changed.connect(self.refresh)
        self._controls.fired.connect(self._progress)
        self._theme.changed.connect(self._restyle)

    def _turn(self, at: int) -> None:
        """Show the form for HTTP or WebSocket; only that one asks for room."""
        for place, form in enumerate(self._forms):
            policy = QSizePolicy.Policy.Preferred if place == at else QSizePolicy.Policy.Ignored
            form.setSizePolicy(QSizePolicy.Policy.Preferred, policy)
        self.pages.setCurrentIndex(at)

    def _restyle(self) -> None:
        px = self._theme.px
        self.fire.setIcon(icon(self._theme, "send", "on_hue"))
        self.burst.setIcon(icon(self._theme, "burst"))
        self.curl.setIcon(icon(self._theme, "copy"))
        for button in (self.fire, self.burst, self.curl):
            button.setIconSize(QSize(px(15), px(15)))
        self.count.setFixedWidth(px(72))
        self.at_once.setFixedWidth(px(58))
        self.progress.setFixedHeight(px(4))
        self.list.setMinimumHeight(px(2 * ROW))
        self.form.method.setFixedWidth(px(92))
        self._shown = None
        self.refresh()

    def refresh(self) -> None:
        """Show the clients as they are now."""
        states = self._controls.clients()
        shown = [(s.name, len(s.cookies), s.under_way, s.hue) for s in states]
        if shown == self._shown:
            return
        self._shown = shown
        current, row = self.client, self.list.currentIndex().row()
        names = [state.name for state in states]
        chosen = names.index(current) if current in names else min(max(row, 0), len(names) - 1)
        self.list.clear()
        for at, (name, cookies, under_way, hue) in enumerate(shown):
            words = tr("{count} cookies", count=cookies) if cookies else tr("no cookies")
            if under_way:
                words = f"{tr('{count} under way', count=under_way)} · {words}"
            item = QTreeWidgetItem([name, words])
            item.setIcon(0, dot(self._theme, self._theme.hue(hue)))
            item.setForeground(1, self._theme.colours.dim)
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setSizeHint(0, QSize(10, self._theme.px(ROW)))
            self.list.addTopLevelItem(item)
            if at == chosen:
                self.list.setCurrentItem(item)

    @property
    def client(self) -> str:
        """The name of the client that is chosen; empty when there is none."""
        item = self.list.currentItem()
        return item.text(0) if item is not None else ""

    def _add(self) -> None:
        name = self._controls.add_client()
        self.refresh()
        for item in self.list.findItems(name, Qt.MatchFlag.MatchExactly):
            self.list.setCurrentItem(item)

    def _clear(self) -> None:
        if self.client:
            self._controls.jars.clear(self.client)

    def open_dialog(self) -> ClientDialog | None:
        """Ask who the chosen client is to be."""
        if not self.client:
            return None
        dialog = ClientDialog(self.client, self._controls, self._theme, self)
        dialog.open()
        return dialog

    def edit(self, shot: Shot) -> None:
        """Show a shot in the form, with its client chosen."""
        for item in self.list.findItems(shot.client, Qt.MatchFlag.MatchExactly):
            self.list.setCurrentItem(item)
        self.kinds.setCurrentIndex(0)
        self.form.load_shot(shot)

    def shot(self, count: int = 1, at_once: int = 1) -> Shot:
        """Return what the form says, for the chosen client; a first client is made if needed."""
        if not self.client:
            self._add()
        return self.form.shot(self.client, count, at_once)

    def shoot(self, count: int, at_once: int) -> None:
        """Fire what the form says."""
        if not self.form.valid():
            return
        try:
            shot = self.shot(count, at_once)
        except OSError as error:
            self._controls.failed.emit(f"{error.filename}: {error.strerror}")
            return
        self._controls.fire(shot)
        self.fired.emit()

    def _cancel(self) -> None:
        self._controls.cancel_fire()

    def _progress(self, answered: int, total: int) -> None:
        self.progress.setRange(0, max(total, 1))
        self.progress.setValue(answered)
        busy = answered < total
        self.progress.setToolTip(tr("{answered} of {total}", answered=answered, total=total))
        self.cancel.setEnabled(busy)
        if not busy:
            self.progress.setValue(0)

    def copy_curl(self) -> None:
        """Copy what would be sent as a command line."""
        try:
            shot = self.shot()
        except OSError as error:
            self._controls.failed.emit(f"{error.filename}: {error.strerror}")
            return
        host, port = self._controls.host_and_port
        base = self._controls.address or f"http://{host}:{port}/"
        url = urljoin(base, shot.url)
        jars = {state.name: state.cookies for state in self._controls.clients()}
        try:
            stays = {w.cookie for w in self._controls.jars.withheld(shot.client, url, shot.method)}
            jar = [cookie for cookie in jars.get(shot.client, []) if cookie not in stays]
            text = for_bash(request_of(shot, url, jar))
        except ExchangeError as error:
            self._controls.failed.emit(tr(error.template, **error.values))
            return
        QGuiApplication.clipboard().setText(text)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.list.setAccessibleName(tr("Clients"))
        self.fire.setText(tr("Fire"))
        self.fire.setToolTip(tr("Send this request (Ctrl+Return)"))
        self.burst.setText(tr("Burst"))
        self.burst.setToolTip(tr("Send it many times, several at once"))
        self.count.setToolTip(tr("How many"))
        self.count.setAccessibleName(tr("How many"))
        self.at_once.setToolTip(tr("How many at once"))
        self.at_once.setAccessibleName(tr("How many at once"))
        self.progress.setAccessibleName(tr("Progress"))
        self.curl.setText(tr("cURL"))
        self.curl.setToolTip(tr("Copy as cURL"))
        self.curl.setAccessibleName(tr("Copy as cURL"))
        for at, kind in enumerate(("HTTP", "WebSocket")):
            self.kinds.setTabText(at, tr(kind))
        self.kinds.setAccessibleName(tr("What the client speaks"))
        for button in (self.add, self.change, self.clear, self.cancel):
            button.retranslate()
        self.socket.retranslate()
        self.form.retranslate()
        self.cancel.setEnabled(False)
        self._shown = None
        self.refresh()
