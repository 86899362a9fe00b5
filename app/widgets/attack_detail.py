"""One cell of the attack matrix in full: what is tried, what must come of it, and what did."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.server.attack.attacks import attack_of, defence_of
from app.server.attack.sightings import Place, Sighting

from .attack_controls import AttackControls, Cell
from .attack_matrix import LOOKS, agrees, outcome_words
from .i18n import tr
from .ladder_view import said
from .parts import label
from .theme import Theme

_LINES = ("Attack", "Defence", "Prediction", "Built-in client", "Your browser")


class AttackDetail(QWidget):
    """The words for the current cell."""

    request_selected = Signal(int)

    def __init__(self, controls: AttackControls, theme: Theme) -> None:
        super().__init__()
        self._controls, self._theme = controls, theme
        self._place: Place | None = None
        self._request = 0
        self.title = label("", "verdict")
        self.names = [label("", "dim") for _ in _LINES]
        self.texts = [self._text() for _ in _LINES]
        self.show_request = QPushButton()
        self.show_request.setAutoDefault(False)
        self.show_request.clicked.connect(lambda: self.request_selected.emit(self._request))
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        for at, (name, text) in enumerate(zip(self.names, self.texts, strict=True)):
            grid.addWidget(name, at, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(text, at, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(self.title)
        layout.addLayout(grid)
        layout.addWidget(self.show_request, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addStretch(1)
        theme.changed.connect(self.refresh)
        self.retranslate()

    def _text(self) -> QLabel:
        text = label()
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return text

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        for name, text in zip(self.names, _LINES, strict=True):
            name.setText(tr(text))
        self.show_request.setToolTip(tr("Select the request in the main window"))
        self.refresh()

    def show_place(self, place: Place | None) -> None:
        """Show the cell at *place*."""
        self._place = place
        self.refresh()

    def refresh(self) -> None:
        """Show what is known by now."""
        self.setEnabled(self._place is not None)
        if self._place is None:
            return
        attack, defence = attack_of(self._place.attack), defence_of(self._place.defence)
        cell = self._controls.cell(self._place)
        self.title.setText(f"{tr(attack.title)}  ×  {tr(defence.title)}")
        prediction = ""
        if cell.prediction is not None:
            outcome, reason = cell.prediction
            prediction = f"{outcome_words(outcome)} · {said(reason)}"
        texts = [
            tr(attack.what),
            tr(defence.what),
            prediction,
            self._seen(cell, cell.fired),
            self._seen(cell, cell.browsed),
        ]
        problem = self._controls.problem_of(self._place.defence)
        if problem.text:
            texts[1] += " " + said(problem)
        for shown, text in zip(self.texts, texts, strict=True):
            shown.setText(text or "–")
        for shown, sighting in ((self.texts[3], cell.fired), (self.texts[4], cell.browsed)):
            token = LOOKS[sighting.outcome][1] if sighting else "dim"
            shown.setStyleSheet(f"color: {self._theme.colour(token).name()}")
        latest = cell.browsed or cell.fired
        self._request = latest.request_id if latest else 0
        self.show_request.setText(tr("Show request {number}", number=self._request or "–"))
        self.show_request.setEnabled(self._request > 0)

    def _seen(self, cell: Cell, sighting: Sighting | None) -> str:
        """Say what came of an attack, and whether that was predicted."""
        if sighting is None:
            return tr("not tried yet")
        verdict = tr("as predicted") if agrees(cell, sighting) else tr("not as predicted")
        answered = tr(
            "{method} was answered with {status}", method=sighting.method, status=sighting.status
        )
        cookies = tr("cookies that came along: {names}", names=", ".join(sighting.cookies) or "–")
        return f"{outcome_words(sighting.outcome)} · {verdict} · {answered} · {cookies}"
