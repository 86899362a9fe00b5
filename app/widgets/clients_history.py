"""What the clients fired and what came of it: steps of redirects, bursts with their latencies."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from .controls import Controls, Shot
from .firing_controls import Fired, Hop
from .histogram import Histogram
from .i18n import tr
from .parts import EmptyState, IconButton, OrEmpty, label
from .request_columns import path_of
from .theme import ROW, Theme, status_glyph
from .words import duration

_NUMBER = Qt.ItemDataRole.UserRole


class HistoryPanel(QWidget):
    """All shots, newest at the end. Keys: R sends again, Shift+D goes to the form, N next step."""

    edit = Signal(object)
    """A `Shot` is to be shown in the form."""

    def __init__(self, controls: Controls, theme: Theme) -> None:
        super().__init__()
        self._controls = controls
        self._theme = theme
        self._shown: dict[int, object] = {}
        self.tree = QTreeWidget()
        self.tree.setColumnCount(5)
        self.tree.setUniformRowHeights(True)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.histogram = Histogram(theme)
        self.summary = label("", "head")
        self.again, self.change, self.step = QPushButton(), QPushButton(), QPushButton()
        self.clear = IconButton(theme, "trash", "Empty the history", self._clear)
        self._empty = EmptyState(
            "Nothing fired yet",
            "What the clients send appears here, with each step of a redirect, and the latencies "
            "of a burst.",
        )
        self._or_empty = OrEmpty(self._arranged(), self._empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._or_empty)
        self._connect()
        self._restyle()
        self.retranslate()

    def _arranged(self) -> QWidget:
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in (self.again, self.change, self.step):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.clear)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(12, 8, 12, 6)
        column.setSpacing(6)
        column.addWidget(self.summary)
        column.addWidget(self.histogram, 1)
        column.addLayout(buttons)
        split = QSplitter()
        split.setChildrenCollapsible(False)
        split.addWidget(self.tree)
        split.addWidget(right)
        split.setSizes([self._theme.px(520), self._theme.px(260)])
        return split

    def _connect(self) -> None:
        self.tree.currentItemChanged.connect(lambda: self._show_chosen())
        self.tree.itemActivated.connect(lambda: self.send_again())
        self.again.clicked.connect(lambda: self.send_again())
        self.change.clicked.connect(lambda: self.duplicate())
        self.step.clicked.connect(lambda: self.take_step())
        for keys, slot in (
            ("R", self.send_again),
            ("Shift+D", self.duplicate),
            ("N", self.take_step),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)
        self._theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        for column, width in enumerate((90, 60, 0, 76, 72)):
            if width:
                self.tree.setColumnWidth(column, self._theme.px(width))
        self._shown.clear()
        self.tree.clear()
        self.refresh()

    # -- What is shown ---------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what has come since the last call."""
        history = self._controls.firing.history()
        self._or_empty.show_empty(not history)
        while self.tree.topLevelItemCount() and (
            not history or self._number(0) < history[0].number
        ):
            self._shown.pop(self._number(0), None)
            self.tree.takeTopLevelItem(0)
        for at, fired in enumerate(history):
            state = (len(fired.latencies), fired.over)
            if self._shown.get(fired.number) == state:
                continue
            new = fired.number not in self._shown
            self._shown[fired.number] = state
            item = self.tree.topLevelItem(at)
            if new or item is None:
                item = QTreeWidgetItem()
                self.tree.insertTopLevelItem(at, item)
                self.tree.setCurrentItem(item)
            self._fill(item, fired)
        self._show_chosen()

    def _number(self, at: int) -> int:
        item = self.tree.topLevelItem(at)
        return int(item.data(0, _NUMBER)) if item is not None else 0

    def _fill(self, item: QTreeWidgetItem, fired: Fired) -> None:
        theme, shot = self._theme, fired.shot
        last = fired.latencies[-1] if fired.latencies else None
        cells = [
            shot.client,
            shot.method,
            path_of(shot.url) + (f"  × {shot.times}" if shot.times > 1 else ""),
            _outcome(fired),
            "" if last is None or shot.times > 1 else duration(round(last * 1e9)),
        ]
        for column, text in enumerate(cells):
            item.setText(column, text)
        item.setData(0, _NUMBER, fired.number)
        item.setForeground(0, theme.hue(self._hue(shot.client)))
        item.setForeground(3, theme.colour(_colour(fired)))
        item.setTextAlignment(4, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        item.setToolTip(2, path_of(shot.url))
        item.setToolTip(3, fired.error)
        item.setSizeHint(0, QSize(10, theme.px(ROW - 4)))
        item.takeChildren()
        if len(fired.hops) > 1:
            for hop in fired.hops:
                item.addChild(self._step_item(hop))
            item.setExpanded(True)

    def _step_item(self, hop: Hop) -> QTreeWidgetItem:
        glyph, token = status_glyph(hop.status or None)
        words = f"{hop.status} {glyph}" if hop.status else hop.note
        own = (self._controls.address or "").rstrip("/")
        url = hop.url.removeprefix(own) if own else hop.url
        step = QTreeWidgetItem(["", hop.method, path_of(url), words, ""])
        step.setSizeHint(0, QSize(10, self._theme.px(ROW - 4)))
        step.setToolTip(2, path_of(hop.url))
        step.setForeground(3, self._theme.colour(token if hop.status else "error"))
        step.setToolTip(3, hop.note)
        return step

    def _hue(self, client: str) -> int:
        return next((s.hue for s in self._controls.clients() if s.name == client), 1)

    def chosen(self) -> Fired | None:
        """Return the shot that is selected, itself or one of its steps."""
        item = self.tree.currentItem()
        if item is None:
            return None
        number = (item.parent() or item).data(0, _NUMBER)
        found = (each for each in self._controls.firing.history() if each.number == number)
        return next(found, None)

    def _show_chosen(self) -> None:
        fired = self.chosen()
        for button in (self.again, self.change):
            button.setEnabled(fired is not None)
        self.step.setVisible(fired is not None and fired.following is not None)
        if fired is None:
            self.summary.setText("")
            self.histogram.show_latencies([], 1)
            return
        counts = ", ".join(
            f"{_status(status)} × {count}" for status, count in sorted(fired.statuses.items())
        )
        total = tr("{answered} of {total}", answered=len(fired.latencies), total=fired.shot.times)
        self.summary.setText(f"{total}: {counts}" if counts else total)
        self.histogram.show_latencies(fired.latencies, self._hue(fired.shot.client))

    # -- What can be done ------------------------------------------------------------------

    def send_again(self) -> None:
        """Fire the chosen shot as it was."""
        if (fired := self.chosen()) is not None:
            self._fire(fired.shot)

    def duplicate(self) -> None:
        """Show the chosen shot in the form, to be changed and fired."""
        if (fired := self.chosen()) is not None:
            self.edit.emit(fired.shot)

    def take_step(self) -> None:
        """Ask for the address that the chosen redirect names."""
        if (fired := self.chosen()) is not None and fired.following is not None:
            self._fire(fired.following)

    def _fire(self, shot: Shot) -> None:
        if any(state.name == shot.client for state in self._controls.clients()):
            self._controls.fire(shot)
        else:
            self._controls.failed.emit(tr("There is no client called {name}", name=shot.client))

    def _clear(self) -> None:
        self._controls.firing.forget()
        self.refresh()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        titles = ("Client", "Method", "URL", "Answer", "Time")
        self.tree.setHeaderLabels([tr(title) for title in titles])
        self.tree.setAccessibleName(tr("History of the clients"))
        for button, text, tip in (
            (self.again, "Send again", "Fire it as it was (R)"),
            (self.change, "Edit", "Show it in the form, to be changed and fired (Shift+D)"),
            (self.step, "Next step", "Ask for the address in Location (N)"),
        ):
            button.setText(tr(text))
            button.setToolTip(tr(tip))
        self.clear.retranslate()
        self._empty.retranslate()
        self._shown.clear()
        self.tree.clear()
        self.refresh()


def _outcome(fired: Fired) -> str:
    """Return what came of a shot in a few words."""
    if not fired.over:
        return f"{len(fired.latencies)} / {fired.shot.times} …"
    if fired.shot.times > 1:
        bad = sum(count for status, count in fired.statuses.items() if status not in range(1, 400))
        missing = fired.shot.times - len(fired.latencies)
        return f"✗ {bad + missing}" if bad + missing else f"✓ {fired.shot.times}"
    status = fired.hops[-1].status if fired.hops else 0
    return _status(status) if status else f"✗ {tr(fired.error)}"


def _status(status: int) -> str:
    return f"{status} {status_glyph(status)[0]}" if status else f"✗ {tr('no answer')}"


def _colour(fired: Fired) -> str:
    if not fired.over:
        return "dim"
    if fired.error or len(fired.latencies) < fired.shot.times:
        return "error"
    return status_glyph(max(fired.statuses, default=0))[1]
