"""One control for each kind of setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QWidget

from app.server.settings import SECRETS, Kind, Setting

from .i18n import tr
from .parts import IconButton, set_property
from .settings_text import json_of, text_of, typed
from .theme import Theme

_EXAMPLES = {
    "trusted_origins": "https://a.example, https://b.example",
    "trusted_downstream": "10.0.0.1, 10.0.0.2",
    "xsrf_cookie_kwargs": '{"httponly": true}',
    "google_oauth": '{"key": "…", "secret": "…"}',
    "static_handler_args": '{"default_filename": "index.html"}',
    "default_handler_class": "handlers.module.Class",
    "log_function": "handlers.module.function",
    "ui_modules": "handlers.module",
    "ui_methods": "handlers.module",
}


class WindowUndo(QObject):
    """Leaves Undo and Redo of a field to the page, whose steps reach over all fields."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            keys = QKeySequence.StandardKey
            return event.matches(keys.Undo) or event.matches(keys.Redo)
        return False


class Eye(IconButton):
    """Shows the secrets in some lines, and masks them again."""

    def __init__(self, theme: Theme, lines: Sequence[QLineEdit]) -> None:
        super().__init__(theme, "eye", "Show the secret")
        self.setCheckable(True)
        self.toggled.connect(self.apply)
        self.lines = lines
        self.apply()

    def apply(self) -> None:
        """Show or mask what is in the lines."""
        modes = QLineEdit.EchoMode
        for line in self.lines:
            line.setEchoMode(modes.Normal if self.isChecked() else modes.Password)


class Control(QWidget):
    """Edits one setting. `edited` gives the value, or None for none; True: it is being typed."""

    edited = Signal(object, bool)
    edited_all = Signal(object)
    """Several settings change at once: their values by name."""
    open_object = Signal(str)
    """Go to the Python object of this dotted name."""

    def __init__(self, setting: Setting, theme: Theme) -> None:
        super().__init__()
        self.setting = setting
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(4)
        self._theme = theme

    def hold(self, field: QWidget) -> None:
        """Make *field* the control's own."""
        self.row.addWidget(field, 1)
        self.setFocusProxy(field)
        field.setAccessibleName(self.setting.name)

    def show_value(self, value: Any) -> None:
        """Show a value; None stands for none."""
        raise NotImplementedError

    def show_fault(self, fault: str) -> None:
        """Mark the control as wrong, or as right for an empty text."""

    def set_read_only(self) -> None:
        """Let the value be read only."""
        self.setEnabled(False)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""


class FlagControl(Control):
    """A check box; the default is no value of its own."""

    def __init__(self, setting: Setting, theme: Theme) -> None:
        super().__init__(setting, theme)
        self.box = QCheckBox()
        self.box.clicked.connect(self._clicked)
        self.hold(self.box)

    def _clicked(self, on: bool) -> None:
        self.edited.emit(None if on == self.setting.default else on, False)

    def show_value(self, value: Any) -> None:
        self.box.setChecked(bool(self.setting.default if value is None else value))
        self.retranslate()

    def retranslate(self) -> None:
        self.box.setText(tr("on") if self.box.isChecked() else tr("off"))


class ChoiceControl(Control):
    """A list of the values; the first entry is the default."""

    def __init__(self, setting: Setting, theme: Theme) -> None:
        super().__init__(setting, theme)
        self.list = QComboBox()
        self._values = [None, *(c for c in setting.choices if c != setting.default)]
        self.list.addItems([self._text(value) for value in self._values])
        self.list.activated.connect(lambda at: self.edited.emit(self._values[at], False))
        self.hold(self.list)

    def _text(self, value: Any) -> str:
        default = self.setting.default
        if value is None:
            return "—" if default is None else text_of(default)
        return tr("off") if value is False else text_of(value)

    def show_value(self, value: Any) -> None:
        value = None if value == self.setting.default else value
        self.list.setCurrentIndex(self._values.index(value) if value in self._values else 0)

    def retranslate(self) -> None:
        for at, value in enumerate(self._values):
            self.list.setItemText(at, self._text(value))


class TextControl(Control):
    """A line; what is no value yet stays there and is marked."""

    def __init__(self, setting: Setting, theme: Theme) -> None:
        super().__init__(setting, theme)
        self.line = QLineEdit()
        self.line.setProperty("mono", True)
        self.line.setPlaceholderText(_EXAMPLES.get(setting.name, setting.unit))
        self.line.textEdited.connect(self._typed)
        self.line.installEventFilter(WindowUndo(self))
        self.hold(self.line)
        if setting.kind is Kind.OBJECT:
            self.row.addWidget(IconButton(theme, "file", "Go to the code", self._go))
        if setting.name in SECRETS:
            self.row.addWidget(Eye(theme, [self.line]))

    def _typed(self, text: str) -> None:
        self.edited.emit(typed(self.setting, text), True)

    def _go(self) -> None:
        self.open_object.emit(self.line.text().strip() or text_of(self.setting.default or ""))

    def show_value(self, value: Any) -> None:
        write = json_of if self.setting.kind is Kind.ANY else text_of
        if typed(self.setting, self.line.text()) != value:
            self.line.setText("" if value is None else write(value))

    def show_fault(self, fault: str) -> None:
        set_property(self.line, "state", "error" if fault else "")
        self.line.setToolTip(fault)

    def set_read_only(self) -> None:
        self.line.setReadOnly(True)
        if self.setting.kind is Kind.ANY:  # Nobody knows what is secret in there.
            self.row.addWidget(Eye(self._theme, [self.line]))

    def retranslate(self) -> None:
        for button in self.findChildren(IconButton):
            button.retranslate()


class CodeControl(Control):
    """Says that only Python code can give this; shows what a running application has."""

    def __init__(self, setting: Setting, theme: Theme) -> None:
        super().__init__(setting, theme)
        self.line = QLineEdit()
        self.line.setReadOnly(True)
        self.hold(self.line)
        self.retranslate()

    def show_value(self, value: Any) -> None:
        self.line.setText("" if value is None else text_of(value))

    def set_read_only(self) -> None:
        pass

    def retranslate(self) -> None:
        self.line.setPlaceholderText(tr("Only Python code can give this"))


def make_control(setting: Setting, theme: Theme) -> Control:
    """Return the control that fits *setting*."""
    kinds: dict[Kind, type[Control]] = {
        Kind.FLAG: FlagControl,
        Kind.CHOICE: ChoiceControl,
        Kind.CODE: CodeControl,
    }
    return kinds.get(setting.kind, TextControl)(setting, theme)
