"""Imported requests, fired at the site as it is now, and how the answers differ."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

import shiboken6
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.exchange.compare import Difference, differences
from app.exchange.entry import Entry, Response
from app.exchange.har_import import Har
from app.exchange.replay import again, can_be_sent
from app.recording.events import Row

from .column import Column
from .controls import Controls, Shot
from .difference_view import DifferenceView
from .i18n import language, tr
from .parts import label
from .request_columns import path_of
from .rows_model import RowsModel
from .table import RowsView
from .theme import Theme, status_glyph


class Replayed(NamedTuple):
    """A row of the list. ``now`` is None until there is an answer."""

    number: int
    entry: Entry
    asked: bool = False
    now: Response | None = None
    found: tuple[Difference, ...] = ()

    @property
    def serious(self) -> int:
        """How many differences are not usual."""
        return sum(not one.usual for one in self.found)


class ReplayDialog(QDialog):
    """The list, the buttons that fire it, and the differences of the request that is selected."""

    def __init__(
        self, name: str, har: Har, controls: Controls, theme: Theme, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._name, self._har = name, har
        self._controls = controls
        self.rows: list[Row] = [Replayed(n, e) for n, e in enumerate(har.entries, 1)]
        self._queue: list[int] = []
        self.resize(theme.px(980), theme.px(660))
        self.heading, self.problems = label("", "verdict"), label("", "warn")
        self.problems.setWordWrap(True)
        self.client, self.cookies = QComboBox(), QCheckBox()
        self.cookies.setChecked(True)
        self.all, self.one, self.stop = QPushButton(), QPushButton(), QPushButton()
        for button in (self.all, self.one, self.stop):
            button.setAutoDefault(False)
        self.all.setProperty("primary", True)
        self.model = RowsModel(
            _columns(), lambda: self.rows, settled=lambda row: False, parent=self
        )
        self.view = RowsView(self.model, theme, "Imported requests")
        self.view.setMinimumHeight(theme.px(120))
        self.difference = DifferenceView(theme)
        self._arrange(theme)
        self.view.current_row.connect(lambda row: self._show())
        self.view.activated_row.connect(lambda row: self.replay_one())
        self.all.clicked.connect(self.replay_all)
        self.one.clicked.connect(self.replay_one)
        self.stop.clicked.connect(self.cancel)
        controls.clients_changed.connect(self._learn_clients)
        language.changed.connect(self.retranslate)
        self._learn_clients()
        self.retranslate()
        self.view.refresh()
        self.view.scrollToTop()
        self.view.selectRow(0)

    def _arrange(self, theme: Theme) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        self.client_label = label("", "dim")
        row.addWidget(self.client_label)
        row.addWidget(self.client)
        row.addWidget(self.cookies)
        row.addStretch()
        for button in (self.stop, self.one, self.all):
            row.addWidget(button)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.view)
        split.addWidget(self.difference)
        split.setChildrenCollapsible(False)
        split.setSizes([theme.px(300), theme.px(280)])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(10)
        layout.addWidget(self.heading)
        layout.addWidget(self.problems)
        layout.addLayout(row)
        layout.addWidget(split, 1)

    def _learn_clients(self) -> None:
        names = [state.name for state in self._controls.clients()]
        if names != [self.client.itemText(at) for at in range(self.client.count())]:
            chosen = self.client.currentText()
            self.client.clear()
            self.client.addItems(names)
            self.client.setCurrentText(chosen)

    # -- Firing ----------------------------------------------------------------------------

    def replay_all(self) -> None:
        """Fire all requests, each when the one before has been answered."""
        self._start([at for at, row in enumerate(self.rows) if can_be_sent(row[1])])

    def replay_one(self) -> None:
        """Fire the request that is selected."""
        at = self.view.currentIndex().row()
        if at >= 0 and can_be_sent(self.rows[at][1]):
            self._start([at])

    def _start(self, places: list[int]) -> None:
        if self._queue:
            return
        self._queue = places
        self._next()

    def cancel(self) -> None:
        """Fire no more, and cancel what is under way."""
        del self._queue[1:]
        self._controls.cancel_fire()

    def _next(self) -> None:
        self._enable()
        if not self._queue:
            return
        at = self._queue[0]
        row = Replayed(*self.rows[at])
        self._put(row._replace(asked=True, now=None, found=()))
        host, port = self._controls.host_and_port
        origin = (self._controls.address or f"http://{host}:{port}/").rstrip("/")
        sent, attach = again(row.entry, origin, cookies=self.cookies.isChecked())
        shot = Shot(
            *(self.client.currentText(), sent.method, sent.url, list(sent.headers), sent.body),
            attach_xsrf=attach,
        )
        self._controls.ask(shot, partial(self._answered, at))

    def _answered(self, at: int, now: Response) -> None:
        if not shiboken6.isValid(self):
            return  # It was closed meanwhile.
        row = Replayed(*self.rows[at])
        found = tuple(differences(row.entry.response, now)) if now.status else ()
        self._put(row._replace(asked=False, now=now, found=found))
        del self._queue[:1]
        QTimer.singleShot(0, self, self._next)  # Not from here: an answer may come at once.

    def _put(self, row: Replayed) -> None:
        self.rows[row.number - 1] = row
        self.view.refresh()
        self._show()

    def _enable(self) -> None:
        busy = bool(self._queue)
        at = self.view.currentIndex().row()
        self.all.setEnabled(not busy)
        self.one.setEnabled(not busy and at >= 0 and can_be_sent(self.rows[at][1]))
        self.stop.setEnabled(busy)

    # -- Showing ---------------------------------------------------------------------------

    def _show(self) -> None:
        at = self.view.currentIndex().row()
        if 0 <= at < len(self.rows):
            row = Replayed(*self.rows[at])
            self.difference.show_answer(row.entry, row.now, row.found)
        self._enable()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setWindowTitle(tr("Replay {name}", name=self._name))
        count = tr("{count} requests", count=len(self.rows))
        parts = (self._name, self._har.creator, count)
        self.heading.setText(" · ".join(text for text in parts if text))
        problems = self._har.problems
        if problems:
            words = tr(
                "Faults in the file: {count}. The first: {first}",
                count=len(problems),
                first=problems[0],
            )
            self.problems.setText(words)
        self.problems.setToolTip("\n".join(problems[:20]))
        self.problems.setVisible(bool(problems))
        self.client_label.setText(tr("Client"))
        self.client.setAccessibleName(tr("Client"))
        self.client.setToolTip(tr("Whose connections and cookies are used"))
        self.cookies.setText(tr("Send the recorded cookies"))
        self.cookies.setToolTip(
            tr("Off, or where the file holds none: the client's own cookies and XSRF token")
        )
        self.all.setText(tr("Replay all"))
        self.all.setToolTip(tr("Fire all requests at the server, one after the other"))
        self.one.setText(tr("Replay"))
        self.one.setToolTip(tr("Fire the selected request (Return)"))
        self.stop.setText(tr("Stop"))
        self.stop.setToolTip(tr("Fire no more, and cancel what is under way"))
        self.view.retranslate()
        self._show()


def _columns() -> list[Column]:
    return [
        Column("#", 56, lambda row: str(row[0]), dot=lambda row: int(row[0]), mono=True),
        Column("Method", 76, lambda row: row[1].request.method, mono=True),
        Column("Path", 160, lambda row: _path(row[1]), mono=True, stretch=True),
        Column("Recorded", 92, lambda row: _status(row[1].response), _recorded_colour),
        Column("Now", 92, _now, _now_colour),
        Column("Difference", 270, _result, _result_colour),
    ]


def _path(entry: Entry) -> str:
    parts = urlsplit(entry.request.url)
    return path_of(parts.path + (f"?{parts.query}" if parts.query else ""))


def _status(response: Response) -> str:
    return f"{response.status} {status_glyph(response.status)[0]}" if response.status else "—"


def _recorded_colour(row: Row) -> str:
    return status_glyph(row[1].response.status)[1] if row[1].response.status else "faint"


def _now(row: Row) -> str:
    return "…" if row[2] else "" if row[3] is None else _status(row[3])


def _now_colour(row: Row) -> str:
    return "dim" if row[3] is None else status_glyph(row[3].status)[1] if row[3].status else "error"


def _result(row: Row) -> str:
    if not can_be_sent(row[1]):
        return tr("a WebSocket is not replayed")
    if row[3] is None:
        return ""
    if not row[3].status:
        return f"✗ {tr('no answer')}"
    serious = Replayed(*row).serious
    if serious:
        words = tr("{count} differences", count=serious) if serious > 1 else tr("1 difference")
        return f"✗ {words}"
    return f"✓ {tr('same but for what is new each time')}" if row[4] else f"✓ {tr('same')}"


def _result_colour(row: Row) -> str:
    if row[3] is None:
        return "faint"
    return "error" if not row[3].status or Replayed(*row).serious else "ok"
