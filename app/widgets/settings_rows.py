"""One setting as a row: mark, name, control, default, reset."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout

from app.server.settings import Setting

from .i18n import tr
from .parts import ElidedLabel, IconButton, label, set_property
from .settings_controls import Control
from .settings_text import shown
from .theme import Theme

_NAME, _DEFAULT = 216, 128


class SettingRow(QFrame):
    """A setting; `reset_wanted` asks to leave it out again."""

    reset_wanted = Signal(str)

    def __init__(self, setting: Setting, control: Control, theme: Theme) -> None:
        super().__init__()
        self.setting = setting
        self.control = control
        self._theme = theme
        self.setObjectName("rowBar")
        self.mark = label("●")
        self.name = ElidedLabel(setting.name)
        self.name.setProperty("mono", True)
        self.default = ElidedLabel()
        for fixed in (self.name, self.default):
            fixed.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.default.setProperty("role", "small")
        self.reset = IconButton(theme, "reset", "Back to the default", self._reset)
        room = self.reset.sizePolicy()
        room.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(room)
        self.fault = label(role="error")
        self.fault.setWordWrap(True)
        self.fault.hide()
        row = QHBoxLayout()
        row.setSpacing(6)
        top = Qt.AlignmentFlag.AlignTop
        row.addWidget(self.mark, 0, top)
        row.addWidget(self.name, 0, top)
        right = QVBoxLayout()
        right.setSpacing(2)
        right.addWidget(control)
        right.addWidget(self.fault)
        row.addLayout(right, 1)
        row.addWidget(self.default, 0, top)
        row.addWidget(self.reset, 0, top)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(10, 2, 8, 2)
        outer.addLayout(row)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.retranslate()

    def _restyle(self) -> None:
        px = self._theme.px
        for part in (self.mark, self.name, self.default):
            part.setFixedHeight(px(28))
        self.mark.setFixedWidth(px(12))
        self.name.setFixedWidth(px(_NAME))
        self.default.setFixedWidth(px(_DEFAULT))
        self.mark.setStyleSheet(f"color: {self._theme.colour('accent').name()}")

    def _reset(self) -> None:
        self.reset_wanted.emit(self.setting.name)

    def show_value(self, value: Any, fault: str) -> None:
        """Show the value, None for none, and what is wrong with it."""
        self.control.show_value(value)
        self.control.show_fault(tr(fault))
        self.fault.setText(tr(fault))
        self.fault.setVisible(bool(fault))
        self.mark.setText("" if value is None else "●")
        self.mark.setToolTip("" if value is None else tr("Changed"))
        self.reset.setEnabled(value is not None)
        self.reset.setVisible(value is not None)
        strong = "text" if value is not None else "dim"
        self.name.setStyleSheet(f"color: {self._theme.colour(strong).name()}")

    def set_current(self, current: bool) -> None:
        """Highlight the row whose help is shown."""
        set_property(self, "current", current)

    def set_read_only(self) -> None:
        """Let the value be read only."""
        self.control.set_read_only()
        self.reset.setFixedWidth(0)

    def matches(self, words: list[str]) -> bool:
        """Tell whether every word stands in the name or the help."""
        text = f"{self.setting.name} {self.setting.help} {tr(self.setting.help)}".lower()
        return all(word in text for word in words)

    def explanation(self) -> str:
        """Return the help, for people."""
        return tr(self.setting.help)

    def _default_text(self) -> str:
        default = self.setting.default
        if default in (None, {}, []):
            return tr("none")
        if isinstance(default, bool):
            return tr("on") if default else tr("off")
        return shown(self.setting, default)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.default.set_full(tr("default: {value}", value=self._default_text()))
        self.setToolTip(tr(self.setting.help))
        self.control.retranslate()
        self.reset.retranslate()
