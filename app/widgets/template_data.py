"""With which data a template is rendered: a recorded request's, or what is typed in."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.server.templates.facts import Fault

from .code_editor import CodeEditor
from .code_marks import Mark
from .i18n import tr
from .parts import IconButton, label
from .template_controls import Recorded
from .theme import Theme

NEWEST = -1
"""Chosen: whatever request is the newest."""
_TYPING_MS = 300


def _combo() -> QComboBox:
    combo = QComboBox()
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    return combo


class Sources(QWidget):
    """As part of which template it is rendered, and for which request."""

    changed = Signal()
    again = Signal(int)
    """That request is to be sent again."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._name = name
        self._recorded: list[Recorded] = []
        self.root, self.request = _combo(), _combo()
        self.send = IconButton(theme, "send", "Send it again, to keep what its handler passes")
        self.send.clicked.connect(lambda: self.again.emit(self.request_id))
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        row.setSpacing(6)
        row.addWidget(self.root, 2)
        row.addWidget(self.request, 3)
        row.addWidget(self.send)
        for combo in (self.root, self.request):
            combo.activated.connect(lambda _: self.changed.emit())
        self.show_users(())
        self.show_recorded([])

    def show_users(self, users: tuple[str, ...]) -> None:
        """Offer to render the template as part of those that show it."""
        chosen = self.root_name
        self.root.clear()
        self.root.addItem(tr("By itself"), self._name)
        for user in users:
            self.root.addItem(tr("In {name}", name=user), user)
        self.root.setCurrentIndex(max(self.root.findData(chosen), 0))

    @property
    def root_name(self) -> str:
        """The template that is rendered."""
        return str(self.root.currentData() or self._name)

    def choose_root(self, name: str) -> None:
        """Render as part of *name*, if that is offered."""
        self.root.setCurrentIndex(max(self.root.findData(name), 0))

    def show_recorded(self, recorded: list[Recorded]) -> None:
        """Offer those requests."""
        chosen = self.request.currentData()
        self._recorded = recorded
        self.request.clear()
        newest = self._newest()
        if newest is None:
            self.request.addItem(tr("No request yet: GET /"), NEWEST)
        else:
            self.request.addItem(tr("Newest: {request}", request=newest.text), NEWEST)
        for each in recorded:
            text = each.text if each.kept else tr("{request}, without data", request=each.text)
            self.request.addItem(text, each.request_id)
        self.request.addItem(tr("No request"), 0)
        self.request.setCurrentIndex(max(self.request.findData(chosen), 0))
        self.send.setEnabled(bool(self.request_id))

    def _newest(self) -> Recorded | None:
        kept = [each for each in self._recorded if each.kept]
        return next(iter(kept or self._recorded), None)

    @property
    def request_id(self) -> int:
        """The request whose data are taken; 0 for none."""
        chosen = self.request.currentData()
        if chosen != NEWEST:
            return int(chosen or 0)
        newest = self._newest()
        return 0 if newest is None else newest.request_id

    @property
    def kept(self) -> bool:
        """Whether what the handler passed for that request is known."""
        return any(each.kept for each in self._recorded if each.request_id == self.request_id)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.root.setAccessibleName(tr("Rendered as part of"))
        self.root.setToolTip(
            tr("Which template is rendered: this one, or one that extends or includes it")
        )
        self.request.setAccessibleName(tr("Request to render for"))
        self.request.setToolTip(
            tr("Whose data the preview takes: requests whose handlers render this template")
        )
        self.send.retranslate()
        self.show_users(tuple(str(self.root.itemData(at)) for at in range(1, self.root.count())))
        self.show_recorded(self._recorded)


class Typed(QWidget):
    """Values typed in, as literals."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.editor = CodeEditor(theme, "py")
        self.note = label(role="small")
        self.note.setWordWrap(True)
        self.fill = QPushButton()
        self.fill.clicked.connect(self._fill)
        self._missing: tuple[str, ...] = ()
        wait = QTimer(self, singleShot=True, interval=_TYPING_MS)
        wait.timeout.connect(self.changed)
        self.editor.textChanged.connect(lambda: wait.start())
        row = QHBoxLayout()
        row.addWidget(self.note, 1)
        row.addWidget(self.fill, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 2)
        layout.setSpacing(6)
        layout.addLayout(row)
        layout.addWidget(self.editor, 1)
        self.setFocusProxy(self.editor)
        self.show_missing(())

    def show_missing(self, names: tuple[str, ...]) -> None:
        """Offer to fill in names that have no value."""
        self._missing = names
        self.fill.setVisible(bool(names))
        self.fill.setText(tr("Fill in {count} names", count=len(names)))

    def _fill(self) -> None:
        text = self.editor.text().rstrip("\n")
        lines = [f'{name} = ""' for name in self._missing]
        self.editor.replace_text("\n".join([*([text] if text else []), *lines]) + "\n")
        self.editor.setFocus()

    def show_fault(self, fault: Fault | None) -> None:
        """Mark what is no literal."""
        self.editor.show_problems([] if fault is None else [Mark(fault.line, fault.text)])

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.note.setText(
            tr("Literals of Python or JSON: name = value, or one dict. Nothing of it is run.")
        )
        self.editor.setAccessibleName(tr("Values for the template"))
        self.editor.setPlaceholderText('name = "Ada"\nitems = [1, 2, {"price": 3.5}]')
        self.fill.setToolTip(tr("Write a line for each name that the template uses and has not"))
        self.show_missing(self._missing)
