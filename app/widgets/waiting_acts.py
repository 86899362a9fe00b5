"""Ending a wait by hand: the commands, the small buttons in the tree, and the dialogs."""

from __future__ import annotations

import ast
from functools import partial

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.recording.snapshot import PendingTask

from .controls import Controls
from .i18n import tr
from .parts import label, set_property
from .theme import Theme
from .waiting_item import title, what

ERRORS: tuple[type[Exception], ...] = (RuntimeError, ValueError, TimeoutError, OSError)
ACTS = {"resolve": "Resolve…", "fail": "Fail…", "cancel": "Cancel"}
_VERBS = {"resolve": "Resolve", "fail": "Fail", "cancel": "Cancel the task"}
_TITLES = {
    "resolve": "Give {what} a value",
    "fail": "Let {what} fail",
    "cancel": "Cancel {what}",
}
_WARNINGS = {
    "future": "A library made this Future for its own use. A value or an exception that it does "
    "not expect may break it.",
    "library": "This task belongs to a library, not to the program's own code.",
    "connection": "This task belongs to a connection and carries its request.",
    "loopscope": "This task is Loopscope's own. Ending its wait may end the program.",
}


class Acts:
    """What can be done about a wait; asks first what must be asked."""

    def __init__(self, controls: Controls, parent: QWidget) -> None:
        self._controls = controls
        self._parent = parent
        self.dialog: ActDialog | None = None

    def possible(self, act: str, task: PendingTask) -> bool:
        """Return whether *act*, one of `ACTS`, can be done to a task."""
        return act == "cancel" or task.resolvable

    def begin(self, act: str, task: PendingTask) -> None:
        """Do *act*, or open the dialog that asks for what is needed."""
        if act == "cancel" and warning(act, task) == "":
            self._controls.cancel_task(task.task_id)
            return
        self.dialog = dialog = ActDialog(act, task, self._parent)
        dialog.decided.connect(partial(self._do, act, task))
        dialog.destroyed.connect(partial(self._gone, dialog))
        dialog.open()

    def _gone(self, dialog: ActDialog) -> None:
        if self.dialog is dialog:
            self.dialog = None

    def _do(self, act: str, task: PendingTask, value: object) -> None:
        if act == "resolve":
            self._controls.resolve_wait(task.task_id, task.wait_id, value)
        elif act == "fail":
            assert isinstance(value, Exception)
            self._controls.fail_wait(task.task_id, task.wait_id, value)
        else:
            self._controls.cancel_task(task.task_id)

    def menu(self, task: PendingTask) -> QMenu:
        """Return a menu of all acts; the caller may add to it and shows it."""
        menu = QMenu(self._parent)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for act, text in ACTS.items():
            action = menu.addAction(tr(text))
            action.setEnabled(self.possible(act, task))
            action.triggered.connect(partial(self.begin, act, task))
        return menu


def warning(act: str, task: PendingTask) -> str:
    """Return what to consider before *act* is done to a task; empty for nothing."""
    if act == "cancel" and task.machinery == "future":
        return ""  # The library gets CancelledError, as it expects from any task.
    return tr(_WARNINGS[task.machinery]) if task.machinery else ""


class ActBar(QFrame):
    """The acts as small buttons, laid over the right end of a row."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("rowBar")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.px(6), 0, theme.px(6), 0)
        layout.setSpacing(theme.px(5))
        self.buttons = {act: QToolButton() for act in ACTS}
        for act, button in self.buttons.items():
            button.setProperty("small", True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(partial(self.chosen.emit, act))
            layout.addWidget(button)
        self.retranslate()
        self.hide()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        for act, button in self.buttons.items():
            button.setText(tr(ACTS[act]))
            button.setAccessibleName(tr(_VERBS[act]))

    def place(self, row: QRect, width: int, current: bool) -> None:
        """Stand at the right end of *row*, a rectangle of the parent that is *width* wide."""
        set_property(self, "current", current)
        wanted = min(self.sizeHint().width(), width)
        self.setGeometry(QRect(QPoint(width - wanted, row.top()), row.size()))
        self.resize(wanted, row.height())
        self.show()
        self.raise_()


class ActDialog(QDialog):
    """Asks for a value or an exception, and warns of what is not the program's own."""

    decided = Signal(object)
    """The value, the exception, or None for a cancel."""

    def __init__(self, act: str, task: PendingTask, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._act, self._task = act, task
        self.value, self.error, self.message = QLineEdit(), QComboBox(), QLineEdit()
        self.problem = label("", "error")
        self.problem.setWordWrap(True)
        self.problem.hide()
        future = task.future if task.future_id else f"Future ({what(task)})"
        heading = tr(_TITLES[act], what=title(task) if act == "cancel" else future)
        self.setWindowTitle(heading)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(20, 16, 20, 14)
        self._layout.setSpacing(10)
        self._layout.addWidget(label(heading, "verdict"))
        whose = f"#{task.owner} " if task.owner > 0 else ""
        self._layout.addWidget(label(f"{whose}{title(task)}", "dim"))
        self._add_fields()
        self.warning = label(warning(act, task), "warn")
        self.warning.setWordWrap(True)
        self.warning.setVisible(bool(self.warning.text()))
        self._layout.addWidget(self.warning)
        self._add_buttons()
        self.setMinimumWidth(400)

    def _add_fields(self) -> None:
        for field in (self.value, self.message):
            field.setProperty("mono", True)
            field.textEdited.connect(self.problem.hide)
        if self._act == "resolve":
            self.value.setPlaceholderText("42   'text'   None   [1, 2]   {'key': True}")
            self.value.setAccessibleName(tr("Value, as a Python literal"))
            self._layout.addWidget(label(tr("Value, as a Python literal"), "small"))
            self._layout.addWidget(self.value)
        elif self._act == "fail":
            self.error.addItems([error.__name__ for error in ERRORS])
            self.error.setProperty("mono", True)
            form = QFormLayout()
            form.setSpacing(8)
            form.addRow(tr("Exception"), self.error)
            form.addRow(tr("Text"), self.message)
            self._layout.addLayout(form)
        self._layout.addWidget(self.problem)

    def _add_buttons(self) -> None:
        warned = bool(self.warning.text())
        text = tr(_VERBS[self._act])
        self.accept_button = QPushButton(tr("{act} all the same", act=text) if warned else text)
        self.back = QPushButton(tr("Back"))
        row = QHBoxLayout()
        row.addStretch()
        for button in (self.back, self.accept_button):
            button.setAutoDefault(False)
            row.addWidget(button)
        # What is warned of is not done by a careless Return. (A QDialogButtonBox would do it.)
        self.accept_button.setProperty("primary", not warned)
        self.accept_button.setDefault(not warned)
        self.accept_button.clicked.connect(self._decide)
        self.back.clicked.connect(self.reject)
        self._layout.addSpacing(4)
        self._layout.addLayout(row)

    def _decide(self) -> None:
        result: object = None
        if self._act == "resolve":
            try:
                result = literal(self.value.text())
            except ValueError as error:
                self.problem.setText(str(error))
                self.problem.show()
                set_property(self.value, "state", "error")
                self.value.setFocus()
                return
        elif self._act == "fail":
            result = ERRORS[self.error.currentIndex()](self.message.text())
        self.decided.emit(result)
        self.accept()

    def means(self, task: PendingTask) -> bool:
        """Return whether this is about the wait that *task* is in."""
        same = task.task_id == self._task.task_id
        return same and (self._act == "cancel" or task.wait_id == self._task.wait_id)

    def is_over(self) -> None:
        """The wait that was meant has ended meanwhile: nothing can be done any more."""
        self.problem.setText(tr("This wait is over: the task has gone on meanwhile."))
        self.problem.show()
        self.accept_button.setEnabled(False)


def literal(text: str) -> object:
    """Return the value that a Python literal stands for; raises ValueError, in words."""
    if not text.strip():
        raise ValueError(tr("Type a value: 42, 'text', None …"))
    try:
        value: object = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        if text.strip().isidentifier():
            name = text.strip()[:40]
            hint = tr("{name} is a name, not a value. Text stands in quotes.", name=name)
            raise ValueError(hint) from None
        raise ValueError(
            tr("This is not a Python literal: numbers, text in quotes, lists, dicts, True, None …")
        ) from None
    return value
