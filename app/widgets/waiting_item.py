"""One unfinished task in the tree: its frames, and what the innermost one waits for."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import PurePath

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QTreeWidgetItem

from app.recording.events import domain_of
from app.recording.snapshot import Frame, PendingTask
from app.recording.waiting_kinds import KINDS

from .i18n import tr
from .theme import Theme
from .timeline_view import duration

PLACE = Qt.ItemDataRole.UserRole + 1
"""The file and line that an item opens."""


class TaskItem(QTreeWidgetItem):
    """A task and its frames, changed in place as the task goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.task: PendingTask | None = None
        self._theme: Theme | None = None
        self._last: QTreeWidgetItem | None = None
        self._built: list[Frame] | None = None
        """The frames that the rows below were made of."""
        self.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
        self._dotted: tuple[int, str] | None = None
        self._warned = False

    @property
    def sentence(self) -> QTreeWidgetItem | None:
        """The row that says what is waited for, below the frames."""
        return self._last

    def restyle(self) -> None:
        """Build everything anew: the theme or the language has changed."""
        task, theme = self.task, self._theme
        self.task = self._dotted = self._built = None
        if task is not None and theme is not None:
            self.show(task, theme)

    def show(self, task: PendingTask, theme: Theme) -> None:
        """Show *task* as it is now, but for `show_age`."""
        before, self.task, self._theme = self.task, task, theme
        if self.isExpanded():
            self.build()
        if before is None or before[:5] != task[:5]:
            whose = f"#{task.owner} " if task.owner > 0 else ""
            _set(self, 0, f"{whose}{title(task)}")
            kind = "" if task.owner > 0 else f" · {tr(domain_of(task.owner))}"
            self.setToolTip(0, _plain(f"{task.name}{kind}"))
            self._dot(task.owner, theme)
        self.setData(0, PLACE, place_of(task))
        _set(self, 1, what(task) if task.future else tr("ready to run"))
        if before is None or before.future != task.future:
            self.setToolTip(1, _plain(task.future))
        _set(self, 2, who(task) if task.future else "")
        self._warn(bool(task.future) and not task.resolver and task.owner >= 0)
        if self._last is not None:
            _set(self._last, 0, self._sentence(task))

    def build(self) -> None:
        """Make the rows below: only those of an open task are seen."""
        task, theme = self.task, self._theme
        if task is not None and theme is not None and self._built != task.frames:
            self._built = task.frames
            self._show_frames(task, theme)

    def show_age(self, now_ns: int) -> None:
        """Show how long the wait has lasted."""
        since = self.task.since_ns if self.task is not None else None
        _set(self, 3, age(now_ns - since) if since is not None else "")

    def _sentence(self, task: PendingTask) -> str:
        if not task.future:
            return tr("ready to run: it waits for its turn in the ready queue")
        text = tr("waits for {future}", future=what(task))
        if not task.resolver:
            return f"{text} · {who(task)}"
        return f"{text} · {tr('can be resolved by: {who}', who=who(task))}"

    def _warn(self, unknown: bool) -> None:
        """Let it be seen that nobody is known who could resolve it."""
        if unknown != self._warned and self._theme is not None:
            self._warned = unknown
            dim = "text" if self.task is None or self.task.owner >= 0 else "dim"
            self.setForeground(2, QBrush(self._theme.colour("warn" if unknown else dim)))

    def _dot(self, owner: int, theme: Theme) -> None:
        colour = theme.hue(owner) if owner > 0 else theme.colour("faint")
        key = (owner, colour.name())
        if key != self._dotted:
            self._dotted = key
            self.setIcon(0, dot(theme, colour))
            self.setSizeHint(0, QSize(0, theme.px(26)))
            dim = theme.colour("text" if owner >= 0 else "dim")
            for column in range(4):
                self.setForeground(column, QBrush(dim))
            self._warned = False
            self.setFont(3, theme.font(mono=True))

    def _show_frames(self, task: PendingTask, theme: Theme) -> None:
        open_before = {child.text(0) for child in self._children() if child.isExpanded()}
        self.takeChildren()
        for library, group in groupby(task.frames, key=lambda frame: frame.library):
            frames = list(group)
            if library and len(frames) > 1:
                self.addChild(self._folded(frames, theme))
            else:
                self.addChildren([_frame(frame, theme) for frame in frames])
        self._last = QTreeWidgetItem([self._sentence(task)])
        self._last.setForeground(0, QBrush(theme.colour("accent")))
        place = place_of(task)
        self._last.setData(0, PLACE, place)
        self.addChild(self._last)
        for child in self._children():
            child.setExpanded(child.text(0) in open_before)
        self.span()

    @staticmethod
    def _folded(frames: list[Frame], theme: Theme) -> QTreeWidgetItem:
        names = " → ".join(frame.function for frame in frames)
        item = QTreeWidgetItem([tr("{count} library frames", count=len(frames)) + f" · {names}"])
        item.setForeground(0, QBrush(theme.colour("dim")))
        item.addChildren([_frame(frame, theme) for frame in frames])
        return item

    def span(self) -> None:
        """Let frames use the whole width."""
        for child in self.with_children():
            if child is not self:
                child.setFirstColumnSpanned(True)

    def _children(self) -> Iterator[QTreeWidgetItem]:
        yield from _children(self)

    def with_children(self) -> Iterator[QTreeWidgetItem]:
        """Yield this item and all those below."""
        yield self
        for child in self._children():
            yield child
            yield from _children(child)


def _children(item: QTreeWidgetItem) -> Iterator[QTreeWidgetItem]:
    for number in range(item.childCount()):
        child = item.child(number)
        if child is not None:
            yield child


def _frame(frame: Frame, theme: Theme) -> QTreeWidgetItem:
    text = f"{PurePath(frame.file).name}:{frame.line}  {frame.function}"
    item = QTreeWidgetItem([f"{text}    {frame.source}" if frame.source else text])
    item.setData(0, PLACE, (frame.file, frame.line))
    item.setToolTip(0, _plain(f"{frame.file}:{frame.line}"))
    item.setFont(0, theme.font(mono=True))
    item.setForeground(0, QBrush(theme.colour("dim" if frame.library else "text")))
    return item


def place_of(task: PendingTask) -> tuple[str, int] | None:
    """Return the file and line where the user's code stands."""
    return next(((f.file, f.line) for f in task.frames[::-1] if not f.library), None)


def title(task: PendingTask) -> str:
    """Return the user's function that the task runs, or else its coroutine."""
    return next((frame.function for frame in task.frames if not frame.library), task.coroutine)


def what(task: PendingTask) -> str:
    """Return what a task waits for, in words of the chosen language."""
    named = task.kind in ("", "future", "library")
    return task.future if named else tr(KINDS[task.kind])


def who(task: PendingTask) -> str:
    """Return who can resolve what a task waits for, in words of the chosen language."""
    words = (tr(phrase.text, **dict(phrase.values)) for phrase in task.resolver)
    return tr(" or ").join(words) or tr("no known resolver")


def age(ns: int) -> str:
    """Return how long something has lasted, steadily: ``0.4 s``, ``12.3 s``, ``2 min 05 s``."""
    seconds = max(0, ns) / 1e9
    if seconds < 60:
        return duration(max(0, ns)) if seconds < 0.1 else f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def dot(theme: Theme, colour: QColor) -> QIcon:
    """Return the round mark of a request as an icon."""
    size = QSize(theme.px(16), theme.px(16))
    pixmap = QPixmap(size * 2)
    pixmap.setDevicePixelRatio(2)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as p:
        theme.paint_dot(p, QPointF(size.width() / 2, size.height() / 2), colour)
    return QIcon(pixmap)


def _plain(text: str) -> str:
    return f"<qt>{escape(text)}</qt>"


def _set(item: QTreeWidgetItem, column: int, text: str) -> None:
    if item.text(column) != text:
        item.setText(column, text)
