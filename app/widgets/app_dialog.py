"""Which application to open: a file or module, what in it, and the program's own arguments."""

from __future__ import annotations

import ast
from pathlib import Path

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from .app_controls import AppControls
from .i18n import tr
from .parts import ElidedLabel, label
from .theme import Theme

_RECENT, _KEPT = "application/recent", 12
_LIKELY = ("make_app", "create_app", "get_app", "app", "application", "main")


def candidates(file: Path) -> list[str]:
    """Return what in a Python file may give an application, the likeliest first.

    The file is read, not run; what cannot be parsed gives nothing.
    """
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            needed = len(node.args.args) - len(node.args.defaults)
            if not needed and not node.name.startswith("_"):
                found.append(node.name)
        elif isinstance(node, ast.ClassDef):
            if any(ast.unparse(base).endswith("Application") for base in node.bases):
                found.append(node.name)
        elif isinstance(node, ast.Assign) and _makes_application(node.value):
            found += [each.id for each in node.targets if isinstance(each, ast.Name)]
    rank = {name: at for at, name in enumerate(_LIKELY)}
    return sorted(dict.fromkeys(found), key=lambda name: rank.get(name, len(rank)))


def _makes_application(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func).endswith("Application")


class OpenAppDialog(QDialog):
    """Asks for a target; `chosen` gives it with the arguments. A wrong one is told, and stays."""

    chosen = Signal(str, str)

    def __init__(self, app: AppControls, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._app = app
        self.setWindowTitle(tr("Open application"))
        self.resize(theme.px(560), theme.px(230))
        self.place, self.what, self.arguments = QComboBox(), QComboBox(), QLineEdit()
        for box in (self.place, self.what):
            box.setEditable(True)
            box.setProperty("mono", True)
        self.arguments.setProperty("mono", True)
        recent = QSettings().value(_RECENT, [], type=list)
        self.place.addItems([str(each) for each in recent] if isinstance(recent, list) else [])
        self.place.setEditText(app.target)
        self.arguments.setText(app.arguments)
        self.browse = QPushButton(tr("Browse…"))
        self.browse.setToolTip(tr("Choose a Python file"))
        self.browse.clicked.connect(self._browse)
        self.problem = ElidedLabel()
        self.problem.setProperty("role", "error")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setIcon(QIcon())
        self.open_button = self.buttons.addButton(
            tr("Open"), QDialogButtonBox.ButtonRole.AcceptRole
        )
        self.open_button.setProperty("primary", True)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        self.place.editTextChanged.connect(self._look)
        self._arrange()
        self._look()

    def _arrange(self) -> None:
        line = self.place.lineEdit()
        assert line is not None  # It is editable.
        line.setPlaceholderText("app.py / package.module:make_app")
        first = QHBoxLayout()
        first.addWidget(self.place, 1)
        first.addWidget(self.browse)
        form = QFormLayout()
        for title, field, tip in (
            (tr("File or module"), self.place, tr("A Python file, or module:callable")),
            (
                tr("What in it"),
                self.what,
                tr("An Application, a function that makes one, or one that runs the whole program"),
            ),
            (tr("Arguments"), self.arguments, tr("What the program finds in sys.argv")),
        ):
            name = label(title)
            name.setBuddy(field)
            field.setToolTip(tip)
            field.setAccessibleName(title)
            form.addRow(name, first if field is self.place else field)
        note = label(
            tr("The program may listen by itself: it is watched on its own port."), "small"
        )
        note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(note)
        column.addWidget(self.problem)
        column.addStretch(1)
        column.addWidget(self.buttons)

    def _browse(self) -> None:
        dialog = QFileDialog(self, tr("Choose a Python file"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setNameFilter("Python (*.py)")
        dialog.fileSelected.connect(self.place.setEditText)
        dialog.open()

    def _look(self) -> None:
        """Offer what the file has; whoever names it with a colon has chosen."""
        text = self.place.currentText().strip()
        self.problem.set_full("")
        self.open_button.setEnabled(bool(text))
        file = text.endswith(".py")
        self.what.setEnabled(file)
        names = candidates(Path(text)) if file and Path(text).is_file() else []
        self.what.clear()
        self.what.addItems([*names, "__main__"] if file else [])

    @property
    def target(self) -> str:
        """What is named so far."""
        place, name = self.place.currentText().strip(), self.what.currentText().strip()
        return f"{place}:{name}" if place.endswith(".py") and name else place

    def _accept(self) -> None:
        target = self.target
        try:
            self._app.ask_trust(target)
        except ValueError as error:
            self.problem.set_full(str(error))
            self.place.setFocus()
            return
        known = QSettings().value(_RECENT, [], type=list)
        others = [str(e) for e in known if e != target] if isinstance(known, list) else []
        QSettings().setValue(_RECENT, [target, *others][:_KEPT])
        self.accept()
        self.chosen.emit(target, self.arguments.text().strip())
