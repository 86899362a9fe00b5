"""Cookies: the clients' jars, and what responses set and XSRF checks decided."""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QSplitter,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.recording.events import Row
from app.recording.headers import cookies
from app.recording.store import Store

from .controls import Controls, JarCookie
from .i18n import tr
from .parts import EmptyState
from .request_columns import XSRF_WORDS, xsrf_passed
from .selection import Selection
from .theme import Theme

COLUMNS = (
    *("Name", "Value", "Domain", "Path", "Expires / Max-Age", "Size"),
    *("HttpOnly", "Secure", "SameSite"),
)
WIDTHS = (120, 220, 100, 60, 130, 50, 70, 60, 80)
KEPT = 200
"""How many of the latest events are shown."""


class CookiesPanel(QWidget):
    """Above, each client's jar with the columns of Chrome; below, what changed lately."""

    def __init__(
        self, store: Store, controls: Controls, selection: Selection, theme: Theme
    ) -> None:
        super().__init__()
        self._store = store
        self._controls = controls
        self._theme = theme
        self._selection = selection
        self._seen = 0
        self._waiting: list[int] = []
        self._jars_shown: object = None
        self._events_shown: deque[tuple[int, str, str, str]] = deque(maxlen=KEPT)
        self.jars = self._tree()
        self.events = self._tree()
        self.events.setRootIsDecorated(False)
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._split.addWidget(self.jars)
        self._split.addWidget(self.events)
        self._split.setSizes([300, 160])
        self._empty = EmptyState(
            "No cookies yet",
            "When a response sets a cookie, its client's jar appears here, with every attribute.",
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._split)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self.events.itemClicked.connect(self._select)
        self.events.itemActivated.connect(self._select)
        theme.changed.connect(self._restyle)
        self.retranslate()
        self._restyle()

    def _select(self, item: QTreeWidgetItem) -> None:
        self._selection.select(item.data(0, Qt.ItemDataRole.UserRole))

    @staticmethod
    def _tree() -> QTreeWidget:
        tree = QTreeWidget()
        tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        tree.setUniformRowHeights(True)
        tree.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        tree.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        tree.header().setStretchLastSection(True)
        return tree

    def _restyle(self) -> None:
        for at, width in enumerate(WIDTHS):
            self.jars.setColumnWidth(at, self._theme.px(width))
        for at, width in enumerate((90, 150, 150)):
            self.events.setColumnWidth(at, self._theme.px(width))
        self._jars_shown = None
        if self.isVisible():
            self.refresh()

    def refresh(self) -> None:
        """Show what was recorded since the last call."""
        self._collect()
        states = self._controls.clients()
        shown = [(state.name, state.cookies) for state in states]
        if shown != self._jars_shown:
            self._jars_shown = shown
            self._fill_jars(shown)
        has_any = bool(self._events_shown) or any(jar for _, jar in shown)
        self._stack.setCurrentIndex(int(has_any))

    def _fill_jars(self, jars: list[tuple[str, list[JarCookie]]]) -> None:
        self.jars.clear()
        mono = self._theme.font(mono=True)
        for at, (name, jar) in enumerate(jars):
            top = QTreeWidgetItem([name, tr("{count} cookies", count=len(jar))])
            top.setForeground(0, self._theme.hue(at + 1))
            top.setForeground(1, self._theme.colours.dim)
            self.jars.addTopLevelItem(top)
            for cookie in jar:
                item = QTreeWidgetItem(_cells(cookie))
                for column in range(2):
                    item.setFont(column, mono)
                item.setToolTip(1, cookie.value)
                top.addChild(item)
            top.setExpanded(True)

    def _collect(self) -> None:
        """Take in the requests that ended since the last call, at most `KEPT` of them."""
        table = self._store.requests
        first = max(self._seen - table.forgotten, len(table.rows) - KEPT, 0)
        new = [row[0] for row in table.rows[first:]]
        self._seen = table.forgotten + len(table.rows)
        waiting, self._waiting = [*self._waiting, *new][-KEPT:], []
        for id_ in waiting:
            row = table.get(id_)
            if row is not None and row[10] is None:
                self._waiting.append(id_)
            elif row is not None:
                self._add_events(row)

    def _add_events(self, row: Row) -> None:
        id_ = row[0]
        for cookie in cookies(b"", row[14]):
            self._add(id_, tr("set"), f"{cookie.name}={cookie.value}", cookie.attributes, "text")
        for _, verdict, detail in self._store.xsrf.get(id_, ()):
            if verdict != "safe-method":
                words = tr(XSRF_WORDS.get(verdict) or verdict)
                mark, token = ("✓", "ok") if xsrf_passed(verdict) else ("✗", "error")
                first = detail.partition("\n")[0]
                self._add(id_, "XSRF", f"{mark} {words}", tr(first), token)

    def _add(self, id_: int, kind: str, what: str, detail: str, token: str) -> None:
        self._events_shown.append((id_, kind, what, detail))
        item = QTreeWidgetItem([f"● #{id_}", kind, what, detail])
        item.setData(0, Qt.ItemDataRole.UserRole, id_)
        item.setForeground(0, self._theme.hue(id_))
        item.setForeground(2, self._theme.colour(token))
        item.setForeground(3, self._theme.colours.dim)
        item.setFont(2, self._theme.font(mono=True))
        item.setToolTip(2, what)
        item.setToolTip(3, detail)
        self.events.insertTopLevelItem(0, item)
        if self.events.topLevelItemCount() > KEPT:
            self.events.takeTopLevelItem(KEPT)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.jars.setHeaderLabels([tr(title) for title in COLUMNS])
        self.events.setHeaderLabels([tr(t) for t in ("Request", "Event", "Cookie", "Attributes")])
        self.jars.setAccessibleName(tr("Cookie jars"))
        self.events.setAccessibleName(tr("Latest cookie events"))
        self._empty.retranslate()
        self._jars_shown = None


def _cells(cookie: JarCookie) -> list[str]:
    bytes_ = len(cookie.name.encode()) + len(cookie.value.encode())
    return [
        *(cookie.name, cookie.value, cookie.domain, cookie.path),
        *(cookie.expires or tr("Session"), str(bytes_)),
        *("✓" if cookie.http_only else "", "✓" if cookie.secure else "", cookie.same_site),
    ]
