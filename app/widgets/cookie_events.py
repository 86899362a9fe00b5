"""What became of cookies lately: set, refused, withheld; and what XSRF checks decided."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from app.recording.events import Row
from app.recording.headers import ignored_cookies, set_cookies
from app.recording.store import Store
from app.server.xsrf_detail import verdict_of

from .controls import Controls
from .cookie_words import reason_words
from .i18n import tr
from .ladder_view import said
from .request_columns import XSRF_WORDS, xsrf_passed
from .theme import Theme

KEPT = 200
"""How many of the latest events are shown."""
_ROLE = Qt.ItemDataRole.UserRole
_ID, _END, _REQUEST_HEAD, _RESPONSE_HEAD = 0, 10, 11, 14


class CookieEvents(QTreeWidget):
    """The latest events, newest first."""

    request_selected = Signal(int)

    def __init__(self, store: Store, controls: Controls, theme: Theme) -> None:
        super().__init__()
        self._store = store
        self._controls = controls
        self._theme = theme
        self._seen = 0
        self._waiting: list[int] = []
        self.any = False
        """Whether there was an event."""
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setUniformRowHeights(True)
        self.setRootIsDecorated(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.header().setStretchLastSection(True)
        for signal in (self.itemClicked, self.itemActivated):
            signal.connect(self._select)

    def _select(self, item: QTreeWidgetItem) -> None:
        self.request_selected.emit(item.data(0, _ROLE))

    def restyle(self) -> None:
        """Take sizes and colours from the theme."""
        for at, width in enumerate((70, 76, 190)):
            self.setColumnWidth(at, self._theme.px(width))
        self._show_again()

    def _show_again(self) -> None:
        """Make the events anew that are shown, of requests that are still known."""
        shown = [self.topLevelItem(at) for at in range(self.topLevelItemCount())]
        ids = dict.fromkeys(item.data(0, _ROLE) for item in reversed(shown) if item is not None)
        at = self.currentIndex().row()
        self.clear()
        for id_ in ids:
            row = self._store.requests.get(id_)
            if row is not None:
                self._add_events(row)
        self.setCurrentIndex(self.model().index(at, 0))

    def collect(self) -> None:
        """Take in the requests that ended since the last call, at most `KEPT` of them."""
        table = self._store.requests
        first = max(self._seen - table.forgotten, len(table.rows) - KEPT, 0)
        new = [row[_ID] for row in table.rows[first:]]
        self._seen = table.forgotten + len(table.rows)
        waiting, self._waiting = [*self._waiting, *new][-KEPT:], []
        for id_ in waiting:
            row = table.get(id_)
            if row is not None and row[_END] is None:
                self._waiting.append(id_)
            elif row is not None:
                self._add_events(row)

    def _add_events(self, row: Row) -> None:
        id_ = row[_ID]
        notes = self._controls.jars.notes(id_)
        for withheld in notes.withheld if notes else ():
            if withheld.reason != "DomainMismatch":  # Cookies of other hosts say nothing new.
                words = reason_words(withheld.reason)
                self._add(id_, tr("withheld"), withheld.name, words, "warn")
        for part in ignored_cookies(row[_REQUEST_HEAD]):
            words = tr("no cookie that Tornado reads: it ignores this")
            self._add(id_, tr("ignored"), part, words, "warn")
        verdicts = notes.verdicts if notes else ()
        for at, cookie in enumerate(set_cookies(row[_RESPONSE_HEAD])):
            pair, verdict = f"{cookie.name}={cookie.value}", verdicts[at : at + 1]
            if verdict and not verdict[0].stored:
                self._add(id_, tr("refused"), pair, reason_words(verdict[0].reason), "error")
            else:
                self._add(id_, tr("set"), pair, cookie.attributes, "text")
        for _, code, detail in self._store.xsrf.get(id_, ()):
            if code != "safe-method":
                mark, token = ("✓", "ok") if xsrf_passed(code) else ("✗", "error")
                verdict_ = verdict_of(detail)
                sentence = said(verdict_.sentence) if verdict_ else detail.partition("\n")[0]
                words = tr(XSRF_WORDS.get(code, str(code)))
                self._add(id_, "XSRF", f"{mark} {words}", sentence, token)

    def _add(self, id_: int, kind: str, what: str, detail: str, token: str) -> None:
        self.any = True
        item = QTreeWidgetItem([f"● #{id_}", kind, what, detail])
        item.setData(0, _ROLE, id_)
        item.setForeground(0, self._theme.hue(id_))
        item.setForeground(2, self._theme.colour(token))
        item.setForeground(3, self._theme.colours.dim)
        item.setFont(2, self._theme.font(mono=True))
        item.setToolTip(2, what)
        item.setToolTip(3, detail)
        self.insertTopLevelItem(0, item)
        if self.topLevelItemCount() > KEPT:
            self.takeTopLevelItem(KEPT)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        titles = ("Request", "Event", "Cookie", "Attributes, or the reason")
        self.setHeaderLabels([tr(title) for title in titles])
        self.setAccessibleName(tr("Latest cookie events"))
        self._show_again()
