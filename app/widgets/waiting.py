"""The tasks that have not finished: where each stands, what it waits for, who can resolve it."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.recording.recorder import Recorder
from app.recording.snapshot import PendingTask
from app.recording.store import Store

from .controls import Controls
from .i18n import tr
from .parts import EmptyState, OrEmpty, label
from .theme import Theme
from .waiting_acts import ActBar, Acts
from .waiting_item import PLACE, TaskItem

_PAUSE_S = 0.24
_LONGEST_PAUSE_S = 4.0
_SHARE = 0.01
"""The share of the time that may be spent on asking: ten thousand tasks are asked less often."""
LISTED = 300
"""How many tasks are listed at most."""
_STEP, _STEP_MS = 60, 60
"""By how many rows the list grows at a time, and how soon it goes on, in ms."""
_OPEN = 60
"""From more tasks than this on, new ones are not opened by themselves."""
_WIDTHS = {1: 122, 3: 100}
"""What these columns need; the others share the rest."""


class WaitingPanel(QWidget):
    """A tree of `Controls.waiting`, at most four times a second; what is open stays open."""

    request_selected = Signal(int)
    open_source = Signal(str, int)
    """A frame was chosen: its file and line."""

    def __init__(
        self,
        store: Store,
        controls: Controls,
        theme: Theme,
        clock: Callable[[], int] = Recorder.clock,
    ) -> None:
        super().__init__()
        self._store = store
        self._controls = controls
        self._theme = theme
        self._clock = clock
        self._items: dict[int, TaskItem] = {}
        self._due = 0.0
        self._filling = False
        self.tree = QTreeWidget()
        self.tree.setColumnCount(4)
        self.tree.setUniformRowHeights(True)
        self.tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.tree.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.tree.setAllColumnsShowFocus(True)
        self.tree.setExpandsOnDoubleClick(False)
        self.tree.itemActivated.connect(self._activated)
        self.tree.itemExpanded.connect(self._opened)
        self.tree.currentItemChanged.connect(self._chosen)
        header = self.tree.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setStretchLastSection(False)
        for column in (0, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._open_menu)
        self._add_acts()
        empty = EmptyState(
            "Nothing waits",
            "Each task that awaits something appears here: where it stands in its code, "
            "the Future that it waits for, and who can resolve it.",
        )
        self.pages = OrEmpty(self.tree, empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.more = label("", "dim")
        self.more.setContentsMargins(12, 4, 12, 4)
        layout.addWidget(self.pages)
        layout.addWidget(self.more)
        self._ticker = QTimer(self)
        self._ticker.setInterval(1000)
        self._ticker.timeout.connect(self.refresh)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.retranslate()

    def _add_acts(self) -> None:
        tree = self.tree
        self.acts = Acts(self._controls, self)
        self.bar = ActBar(self._theme, tree.viewport())
        self.bar.chosen.connect(self._act)
        tree.viewport().installEventFilter(self)
        for moved in (tree.expanded, tree.collapsed, tree.verticalScrollBar().valueChanged):
            moved.connect(self._place_bar)
            moved.connect(self._show_ages)

    def refresh(self) -> None:
        """Ask again who waits, unless it was just asked: then only time goes on."""
        now = time.monotonic()
        if not self.isVisible():
            return
        if now < self._due:
            self._show_ages()
            return
        limit = min(LISTED, len(self._items) + _STEP)
        tasks = self._controls.waiting(limit + 1)
        self.show_tasks(tasks)
        if limit < min(LISTED, len(tasks)):
            self._due = 0.0
            QTimer.singleShot(_STEP_MS, self, self.refresh)
            return
        end = time.monotonic()
        self._due = end + min(max(_PAUSE_S, (end - now) / _SHARE), _LONGEST_PAUSE_S)

    def _show_ages(self) -> None:
        """Let the waits grow longer that are seen."""
        item, now = self.tree.itemAt(1, 1), self._clock()
        bottom = self.tree.viewport().height()
        while item is not None and self.tree.visualItemRect(item).top() < bottom:
            if isinstance(item, TaskItem):
                item.show_age(now)
            item = self.tree.itemBelow(item)

    def show_tasks(self, tasks: list[PendingTask]) -> None:
        """Show these tasks: the server's first, then the clients' and the window's own.

        Of the server's, the program's own come before those that belong to connections.
        """
        self.more.setVisible(len(tasks) > LISTED)
        tasks = sorted(tasks[:LISTED], key=_order)
        wanted = {task.task_id for task in tasks}
        tree = self.tree
        self._filling = True
        for id_ in [id_ for id_ in self._items if id_ not in wanted]:
            tree.takeTopLevelItem(tree.indexOfTopLevelItem(self._items.pop(id_)))
        for place, task in enumerate(tasks):
            item = self._items.get(task.task_id)
            if item is None:
                item = self._items[task.task_id] = TaskItem()
                tree.insertTopLevelItem(place, item)
                if task.owner > 0 and not _hidden(task) and len(tasks) <= _OPEN:
                    item.setExpanded(True)
            elif tree.topLevelItem(place) is not item:
                self._move(item, place)
            if item.task is not task:
                item.show(task, self._theme)
        self._filling = False
        self.pages.show_empty(not tasks)
        self._show_ages()
        self._place_bar()
        dialog = self.acts.dialog
        if dialog is not None and not any(dialog.means(task) for task in tasks):
            dialog.is_over()

    def _opened(self, item: QTreeWidgetItem) -> None:
        if isinstance(item, TaskItem):
            item.build()

    def _move(self, item: TaskItem, place: int) -> None:
        """Put an item at another place; Qt forgets what was open and current meanwhile."""
        tree, current = self.tree, self.tree.currentItem()
        open_items = [one for one in item.with_children() if one.isExpanded()]
        tree.takeTopLevelItem(tree.indexOfTopLevelItem(item))
        tree.insertTopLevelItem(place, item)
        for one in open_items:
            one.setExpanded(True)
        item.span()
        if current is not None:
            tree.setCurrentItem(current)

    def _chosen(self, item: QTreeWidgetItem | None) -> None:
        if self._filling or item is None:
            return
        top = _top(item)
        # Under a mouse nothing must move.
        if top is item and top.sentence is not None and not QGuiApplication.mouseButtons():
            self.tree.scrollToItem(top.sentence)
            self.tree.scrollToItem(top)
        self._place_bar()
        if top is not None and top.task is not None and top.task.owner > 0:
            self.request_selected.emit(top.task.owner)

    # -- Ending a wait -------------------------------------------------------------------------

    def _current(self) -> TaskItem | None:
        item = self.tree.currentItem()
        return None if item is None else _top(item)

    def _place_bar(self) -> None:
        """Lay the buttons over the row that says what the current task waits for."""
        top, tree = self._current(), self.tree
        if top is None or top.task is None:
            self.bar.hide()
            return
        row = top.sentence if top.isExpanded() and top.sentence is not None else top
        place = tree.visualItemRect(row)
        if place.isEmpty() or not tree.viewport().rect().intersects(place):
            self.bar.hide()
            return
        for act, button in self.bar.buttons.items():
            button.setEnabled(self.acts.possible(act, top.task))
        self.bar.place(place, tree.viewport().width(), tree.currentItem() is row)

    def _act(self, act: str) -> None:
        top = self._current()
        if top is not None and top.task is not None and self.acts.possible(act, top.task):
            self.acts.begin(act, top.task)
            self._due = 0.0

    def _open_menu(self, at: QPoint) -> None:
        item = self.tree.currentItem()  # A click has made it the current one.
        top = None if item is None else _top(item)
        if item is None or top is None or top.task is None:
            return
        menu = self.acts.menu(top.task)
        first = menu.actions()[0]
        line = menu.addAction(tr("Open the line"))
        line.setEnabled(bool(item.data(0, PLACE)))
        line.triggered.connect(lambda: self._activated(item))
        menu.insertAction(first, line)
        menu.insertSeparator(first)
        self.menu = menu
        menu.popup(self.tree.viewport().mapToGlobal(at))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            QTimer.singleShot(0, self, self._place_bar)
        return super().eventFilter(watched, event)

    def _activated(self, item: QTreeWidgetItem) -> None:
        place = item.data(0, PLACE)
        if place:
            file, line = place
            self.open_source.emit(str(file), int(line))
        elif item.childCount():
            item.setExpanded(not item.isExpanded())

    def _restyle(self) -> None:
        px = self._theme.px
        for column, width in _WIDTHS.items():
            self.tree.setColumnWidth(column, px(width))
        self.tree.header().setMinimumSectionSize(px(60))
        self.tree.setIndentation(px(18))
        for item in self._items.values():
            item.restyle()

    def showEvent(self, event: QShowEvent) -> None:
        self._ticker.start()
        QTimer.singleShot(0, self, self.refresh)

    def hideEvent(self, event: QHideEvent) -> None:
        self._ticker.stop()

    def retranslate(self) -> None:
        """Set all texts again in the chosen language."""
        self.tree.setHeaderLabels(
            [tr("Task"), tr("Waits for"), tr("Can be resolved by"), tr("Waiting")]
        )
        self.setAccessibleName(tr("Waiting"))
        self.tree.setAccessibleName(tr("Waiting"))
        self.pages.empty.retranslate()
        for item in self._items.values():
            item.restyle()
        self.bar.retranslate()
        self.more.setText(tr("The {count} longest waits are listed; there are more.", count=LISTED))
        self._due = 0.0
        self.refresh()


def _hidden(task: PendingTask) -> bool:
    """Return whether none of the program's own code stands in a task."""
    return task.machinery not in ("", "future")


def _order(task: PendingTask) -> tuple[bool, int, bool]:
    return task.owner < 0, -task.owner if task.owner < 0 else 0, _hidden(task)


def _top(item: QTreeWidgetItem) -> TaskItem | None:
    """Return the task that an item of the tree belongs to."""
    while (above := item.parent()) is not None:
        item = above
    return item if isinstance(item, TaskItem) else None
