"""Go to a line: of the file that is seen, or of any file of the site."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCompleter, QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from .code_editor import CodeEditor
from .controls import Controls
from .editors import Editors
from .i18n import tr
from .parts import label, set_property


def parse(text: str) -> tuple[str, int, int]:
    """Return file, line and column of ``file:line:column``; the line is -1 for anything else."""
    parts = [part.strip() for part in text.strip().rstrip(":").split(":")]
    name = "" if parts[0].isdecimal() else parts.pop(0)
    if len(parts) > 2 or not all(part.isdecimal() for part in parts) or not (name or parts):
        return name, -1, 0
    line, column, *_ = (*map(int, parts), 0, 0)
    return name, line, column


class GoToLine(QDialog):
    """Takes ``12``, ``12:5``, ``login.py``, ``handlers/login.py:12:5``."""

    def __init__(self, controls: Controls, editors: Editors, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Go to line"))
        self._editors = editors
        site = controls.site
        self._files = [f"handlers/{name}" for name in site.handlers]
        self._files += [f"templates/{name}" for name in site.templates]
        self.field = QLineEdit()
        self.field.setProperty("mono", True)
        self.field.setAccessibleName(tr("Go to line"))
        self.field.setPlaceholderText("12   login.py:12   base.html:3:5")
        self.field.setToolTip(tr("A line, or a file and a line; Return goes there"))
        completer = QCompleter(self._files, self.field)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.field.setCompleter(completer)
        self.field.textChanged.connect(lambda: set_property(self.field, "state", ""))
        self.hint = label(tr("A line, or a file and a line; Return goes there"), "dim")
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(10)
        column.addWidget(self.hint)
        column.addWidget(self.field)
        column.addWidget(buttons)
        self.setMinimumWidth(420)

    def accept(self) -> None:
        """Go to the place, or say that there is none."""
        if self._go(self.field.text()):
            super().accept()
        else:
            set_property(self.field, "state", "error")
            self.hint.setText(tr("There is no such file or line"))

    def _go(self, text: str) -> bool:
        name, line, column = parse(text)
        if line < 0:
            return False
        if not name:
            return self._go_here(line, column)
        file = self._file(name)
        if file is None:
            return False
        folder, _, rest = file.partition("/")
        self._editors.open_file(folder, rest, line, column)
        return True

    def _go_here(self, line: int, column: int) -> bool:
        page = self._editors.current()
        editor = page.findChild(CodeEditor) if page is not None else None
        if editor is None or not 1 <= line <= editor.blockCount():
            return False
        editor.go_to(line, column)
        editor.setFocus()
        return True

    def _file(self, name: str) -> str | None:
        """Return the file of the site that *name* means: all of its path, or the only such end."""
        if name in self._files:
            return name
        ends = [file for file in self._files if file.endswith(f"/{name}")]
        return ends[0] if ends else None
