"""A mistake that was recognised: what happened and where, why that is one, and the repair."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePath
from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPushButton, QVBoxLayout, QWidget

from app.recording.events import Row
from app.recording.mistakes import LOGGER

from .i18n import tr
from .parts import label
from .theme import Theme

_SOURCE = re.compile(r"(?P<file>.+\.\w+):(?P<line>\d+)(?P<rest>| in .+)")


class Mistake(NamedTuple):
    """A mistake in the user's language; ``line`` is 0 when its place in the source is unknown."""

    kind: str
    title: str
    place: str
    why: str
    repair: str
    file: str = ""
    line: int = 0

    @property
    def brief(self) -> str:
        """The mistake in one line, with the end of the file's path."""
        place = self.place
        if self.line:
            place = place.replace(self.file, "/".join(PurePath(self.file).parts[-2:]))
        return " · ".join(filter(None, (self.title, place, self.repair)))


def mistake_of(row: Row) -> Mistake | None:
    """Return the mistake that a log record tells of, or None."""
    if not str(row[2]).startswith(LOGGER):
        return None
    what, why, repair = (*str(row[4]).split("\n"), "", "")[:3]
    title, _, place = what.partition(": ")
    found = Mistake(str(row[2])[len(LOGGER) :], tr(title), place, tr(why), tr(repair))
    for part in place.split(" · "):
        source = _SOURCE.fullmatch(part)
        if source is not None:
            return found._replace(file=source["file"], line=int(source["line"]))
    return found


class MistakeDialog(QDialog):
    """Explains a mistake; *open_line*, if given, leads to its line."""

    def __init__(
        self,
        mistake: Mistake,
        theme: Theme,
        parent: QWidget,
        open_line: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(mistake.title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 18, 22, 16)
        layout.setSpacing(4)
        title = _text(mistake.title, "verdict")
        layout.addWidget(title)
        if mistake.place:
            place = _text(mistake.place)
            place.setProperty("mono", True)
            layout.addWidget(place)
        for heading, text in ((tr("Why"), mistake.why), (tr("Repair"), mistake.repair)):
            layout.addSpacing(12)
            layout.addWidget(label(heading, "head"))
            layout.addWidget(_text(text))
        layout.addStretch(1)
        layout.addSpacing(14)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        buttons.rejected.connect(self.close)
        self.open_line = QPushButton(tr("Open the line"))
        layout.addWidget(buttons)
        if open_line is not None:
            self.open_line.setToolTip(tr("Open the file in the editor, at this line"))
            self.open_line.setProperty("primary", True)
            self.open_line.clicked.connect(self.close)
            self.open_line.clicked.connect(lambda: open_line())
            buttons.addButton(self.open_line, QDialogButtonBox.ButtonRole.ActionRole)
            self.open_line.setDefault(True)
            self.open_line.setFocus()
        width = theme.px(620)
        self.resize(width, layout.totalHeightForWidth(width))


def _text(text: str, role: str = "") -> QLabel:
    result = label(text, role)
    result.setWordWrap(True)
    result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return result
