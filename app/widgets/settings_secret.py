"""cookie_secret: one secret or several by version, generated and rotated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.server.cookie_secret import new_secret, rotated
from app.server.settings import Setting

from .i18n import tr
from .parts import IconButton, label, set_property
from .settings_controls import Control, Eye, WindowUndo
from .settings_text import Draft, typed
from .theme import Theme

Secret = str | Mapping[Any, str] | None


class SecretControl(Control):
    """A masked line for each version; *served* gives the secret that signs while none is set."""

    def __init__(
        self,
        setting: Setting,
        theme: Theme,
        served: Callable[[], Secret],
        version: Callable[[], int | None],
    ) -> None:
        super().__init__(setting, theme)
        self._served, self._version = served, version
        self._value: Any = None
        self._versions: list[str] = []
        self._read_only = False
        self.lines: list[QLineEdit] = []
        self._texts: list[tuple[QLabel, str]] = []
        self.generate_button, self.rotate_button = QPushButton(), QPushButton()
        self.generate_button.clicked.connect(self.generate)
        self.rotate_button.clicked.connect(self.rotate)
        self.eye = Eye(theme, self.lines)
        buttons = QHBoxLayout()
        for button in (self.generate_button, self.rotate_button, self.eye):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._holder = QWidget()
        self._column = QVBoxLayout()
        self._column.setSpacing(4)
        self._column.addWidget(self._holder)
        self._column.addLayout(buttons)
        self.row.addLayout(self._column, 1)
        self._build([""])
        self.retranslate()

    # -- Showing ---------------------------------------------------------------------------

    def _build(self, versions: list[str]) -> None:
        """Make a line for each version; a single secret has none."""
        self._versions = versions
        self.lines.clear()
        self._texts.clear()
        holder = QWidget()
        rows = QVBoxLayout(holder)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        for version in versions:
            rows.addLayout(self._line(version))
        self._column.replaceWidget(self._holder, holder)
        self._holder.deleteLater()
        self._holder = holder
        self.setFocusProxy(self.lines[-1])
        self.eye.apply()

    def _line(self, version: str) -> QHBoxLayout:
        line = QLineEdit()
        line.setProperty("mono", True)
        line.setReadOnly(self._read_only)
        line.setAccessibleName(f"{self.setting.name} {version}".strip())
        line.textEdited.connect(lambda text: self._typed(version, text))
        line.installEventFilter(WindowUndo(line))
        self.lines.append(line)
        row = QHBoxLayout()
        row.setSpacing(6)
        if version:
            text = label(role="small")
            self._texts.append((text, version))
            row.addWidget(text)
        row.addWidget(line, 1)
        if version and not self._read_only:
            row.addWidget(
                IconButton(self._theme, "trash", "Forget this key", lambda: self.forget(version))
            )
        return row

    def show_value(self, value: Any) -> None:
        self._value = value
        keys = {str(k): text for k, text in value.items()} if isinstance(value, Mapping) else {}
        if list(keys or {"": ""}) != self._versions:
            self._build(list(keys) or [""])
        for version, line in zip(self._versions, self.lines, strict=True):
            text = keys.get(version, "")
            if not keys:
                text = value.text if isinstance(value, Draft) else value or ""
            if line.text() != text:
                line.setText(text)
        self.retranslate()

    def show_fault(self, fault: str) -> None:
        for line in self.lines:
            set_property(line, "state", "error" if fault else "")
            line.setToolTip(fault)

    def set_read_only(self) -> None:
        self._read_only = True
        self._build(self._versions)
        self.generate_button.hide()
        self.rotate_button.hide()

    # -- Changing --------------------------------------------------------------------------

    def _typed(self, version: str, text: str) -> None:
        if not version:
            self.edited.emit(typed(self.setting, text), True)
        else:
            self.edited.emit({**self._keys(), version: text}, True)

    def _keys(self) -> dict[str, str]:
        return {str(k): text for k, text in self._value.items()}

    def generate(self) -> None:
        """Put one new secret in place of all; what was signed before is void."""
        self.edited_all.emit({self.setting.name: new_secret(), "key_version": None})

    def rotate(self) -> None:
        """Add a secret that signs from now on, and keep the old ones to check old cookies."""
        value = self._value
        if value is None or isinstance(value, Draft):
            value = self._served()
        self.edited_all.emit(rotated(value, self._version()))

    def forget(self, version: str) -> None:
        """Remove a version; the cookies that it signed are void."""
        keys = self._keys()
        del keys[version]
        change: dict[str, Any] = {self.setting.name: keys or None}
        if not keys:
            change["key_version"] = None
        elif str(self._version()) == version:
            change["key_version"] = max(map(int, keys))
        self.edited_all.emit(change)

    def retranslate(self) -> None:
        self.generate_button.setText(tr("Generate"))
        self.generate_button.setToolTip(
            tr("One new random secret in place of all: every cookie signed before is void")
        )
        self.rotate_button.setText(tr("Rotate"))
        self.rotate_button.setToolTip(
            tr("A new version signs from now on; the old ones stay, so old cookies are valid")
        )
        self.eye.retranslate()
        for button in self._holder.findChildren(IconButton):
            button.retranslate()
        for text, version in self._texts:
            signs = str(self._version()) == version
            text.setText(
                tr("version {number} signs", number=version)
                if signs
                else tr("version {number}", number=version)
            )
        if self._versions == [""]:
            self.lines[0].setPlaceholderText(tr("a secret of this run"))
