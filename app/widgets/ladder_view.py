"""A ladder of checks: which passed, which failed first, which were not reached."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.server.ladder import Rung, Words

from .i18n import tr
from .parts import label
from .theme import Theme

MARKS = {"passed": ("✓", "ok"), "failed": ("✗", "error"), "not reached": ("–", "faint")}
"""The mark of a rung's state, and its colour."""


def said(words: Words) -> str:
    """Return *words* in the chosen language; values that are words too."""
    values = {
        name: said(value) if isinstance(value, Words) else value
        for name, value in words.values.items()
    }
    return tr(words.text, **values) if words.text else ""


class LadderView(QWidget):
    """The rungs one below the other; the first that failed stands out."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.rungs: tuple[Rung, ...] = ()
        self._rows: list[tuple[QLabel, QLabel, QLabel]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(2, 1)

    def show_rungs(self, rungs: Sequence[Rung]) -> None:
        """Show *rungs* in place of those before."""
        self.rungs = tuple(rungs)
        while len(self._rows) < len(rungs):
            self._add_row()
        for at, row in enumerate(self._rows):
            for part in row:
                part.setVisible(at < len(rungs))
            if at < len(rungs):
                self._fill(row, rungs[at])

    def _add_row(self) -> None:
        at = len(self._rows)
        row = (label(), label(), label())
        for column, part in enumerate(row):
            self._grid.addWidget(part, at, column, Qt.AlignmentFlag.AlignTop)
        row[2].setWordWrap(True)
        row[2].setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._rows.append(row)

    def _fill(self, row: tuple[QLabel, QLabel, QLabel], rung: Rung) -> None:
        mark, token = MARKS[rung.state]
        looks = {"passed": ("text", "dim"), "failed": ("error", "error")}
        name_token, seen_token = looks.get(rung.state, ("faint", "faint"))
        seen = said(rung.seen) or tr(rung.state)
        weight = 600 if rung.state == "failed" else 400
        for part, text, colour in zip(
            row, (mark, tr(rung.name), seen), (token, name_token, seen_token), strict=True
        ):
            part.setText(text)
            part.setStyleSheet(f"color: {self._theme.colour(colour).name()}; font-weight: {weight}")
        row[2].setAccessibleName(f"{tr(rung.name)}: {tr(rung.state)}: {seen}")
