"""The breakpoints and the requests that are parked at them, and what can be done to both."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.recording.recorder import Recorder
from app.recording.store import Store

from .breakpoints_form import BreakpointForm
from .breakpoints_tree import BreakpointsTree
from .controls import Controls
from .i18n import tr
from .icons import icon
from .parts import EmptyState, OrEmpty
from .theme import Theme


class BreakpointsPanel(QWidget):
    """Adds, enables and removes breakpoints; resumes and kills what is parked."""

    request_selected = Signal(int)
    parked_changed = Signal(int)
    """How many requests are parked now."""

    def __init__(
        self,
        store: Store,
        controls: Controls,
        theme: Theme,
        clock: Callable[[], int] = Recorder.clock,
    ) -> None:
        super().__init__()
        self._store = store
        self._points = controls.breakpoints
        self._theme = theme
        self._clock = clock
        self._shown: object = None
        self.form = BreakpointForm(store, controls, theme)
        self.tree = BreakpointsTree(store, theme)
        self.resume, self.resume_all, self.kill, self.remove = (QPushButton() for _ in range(4))
        self.pages = OrEmpty(
            self.tree,
            EmptyState(
                "No breakpoints",
                "A breakpoint parks the requests that it names before a stage, while all others "
                "go on, until you resume or kill them.",
            ),
        )
        self._soon = QTimer(self, singleShot=True, interval=30)
        self._arrange()
        self._connect()
        controls.breakpoints_changed.connect(self._soon_changed)
        self._restyle()
        self.retranslate()

    def _arrange(self) -> None:
        buttons = QVBoxLayout()
        buttons.setContentsMargins(0, 6, 8, 2)
        buttons.setSpacing(6)
        for button in (self.resume, self.resume_all, self.kill, self.remove):
            buttons.addWidget(button)
        buttons.addStretch(1)
        below = QHBoxLayout()
        below.setSpacing(6)
        below.addWidget(self.pages, 1)
        below.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.form)
        layout.addLayout(below, 1)

    def _connect(self) -> None:
        tree = self.tree
        self.form.added.connect(self._points.add)
        tree.ticked.connect(self._points.enable)
        tree.chosen.connect(self._chosen)
        tree.resume.connect(self._resume)
        tree.remove.connect(self._remove)
        self.resume.clicked.connect(self._resume)
        self.resume_all.clicked.connect(self._points.resume_all)
        self.kill.clicked.connect(self._kill)
        self.remove.clicked.connect(self._remove)
        self._soon.timeout.connect(self._changed)
        self._theme.changed.connect(self._restyle)

    def _soon_changed(self) -> None:
        if not self._soon.isActive():  # A burst may park hundreds at once.
            self._soon.start()

    def _changed(self) -> None:
        self.parked_changed.emit(len(self._points.parked()))
        self.refresh()

    def refresh(self) -> None:
        """Show the breakpoints and what is parked as they are now."""
        if not self.isVisible():
            return
        points, parked = self._points.all(), self._points.parked()
        now = self._clock()
        shown = (
            [(point, point.enabled) for point in points],
            [place.request_id for place in parked],
            sum(self._store.request(place.request_id) is not None for place in parked),
        )
        if shown != self._shown:
            self._shown = shown
            self.form.learn()
            self.tree.show_all(points, parked)
            self.pages.show_empty(not points)
            self._enable()
        self.tree.show_ages(parked, now)

    # -- What the user does --------------------------------------------------------------------

    def _enable(self) -> None:
        point, request_id = self.tree.chosen_one()
        self.resume.setEnabled(bool(request_id))
        self.kill.setEnabled(bool(request_id))
        self.resume_all.setEnabled(bool(self._points.parked()))
        self.remove.setEnabled(point is not None)

    def _chosen(self) -> None:
        self._enable()
        _, request_id = self.tree.chosen_one()
        if request_id:
            self.request_selected.emit(request_id)

    def _resume(self) -> None:
        _, request_id = self.tree.chosen_one()
        if request_id:
            self._points.resume(request_id)

    def _kill(self) -> None:
        _, request_id = self.tree.chosen_one()
        if request_id:
            self._points.kill(request_id)

    def _remove(self) -> None:
        point, _ = self.tree.chosen_one()
        if point is not None:
            self._points.remove(point)

    # -- Looks ---------------------------------------------------------------------------------

    def _restyle(self) -> None:
        px = self._theme.px
        for button, name in (
            (self.resume, "play"),
            (self.resume_all, "play"),
            (self.kill, "cross"),
            (self.remove, "trash"),
        ):
            button.setIcon(icon(self._theme, name))
            button.setIconSize(QSize(px(15), px(15)))
        self._shown = None
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self, self.refresh)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.form.retranslate()
        self.pages.empty.retranslate()
        self.tree.retranslate()
        for button, text, tip in (
            (self.resume, tr("Resume"), tr("Let the chosen request go on (Return)")),
            (self.resume_all, tr("Resume all"), tr("Let all parked requests go on")),
            (self.kill, tr("Kill"), tr("Close the chosen request's connection")),
            (self.remove, tr("Remove"), tr("Remove the chosen breakpoint (Delete)")),
        ):
            button.setText(text)
            button.setToolTip(tip)
        self._shown = None
        self._enable()
        self._soon_changed()
