"""The timeline's row of buttons: follow, zoom, fit, jump, measure, filter, lanes."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from .i18n import tr
from .parts import IconButton
from .theme import Theme


class TimelineTools(QWidget):
    """Buttons for the mouse; the keys do the same. The panel connects and updates them."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.follow, self.more, self.less, self.fit = (_button() for _ in range(4))
        self.follow.setCheckable(True)
        self.follow.setChecked(True)
        self.jump = IconButton(theme, "target", "Go to the selected request (J)")
        self.measure = IconButton(theme, "ruler", "Measure by dragging (M, or Shift and drag)")
        self.measure.setCheckable(True)
        self.filter = IconButton(theme, "search", "Filter the lanes by words (/)")
        self.filter.setCheckable(True)
        self.lanes = IconButton(theme, "lanes", "Which lanes are shown (L)")
        self.lanes.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self)
        self.lanes.setMenu(self.menu)
        self._icons = (self.jump, self.measure, self.filter, self.lanes)
        self.state = _label()
        self.span = _label()
        self.span.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 2, 4, 2)
        row.setSpacing(4)
        row.addWidget(self.follow)
        row.addWidget(self.state)
        row.addStretch()
        for widget in (self.more, self.span, self.less, self.fit, *self._icons):
            row.addWidget(widget)

    def show_state(self, following: bool, state: str, span: str) -> None:
        """Say whether the view follows, what it does, and how much time it shows."""
        self.follow.setChecked(following)
        self.state.setText(state)
        self.span.setText(span)

    def retranslate(self) -> None:
        """Set all texts again in the chosen language."""
        texts = (
            (self.follow, tr("Follow live"), tr("Follow the present (Shift+F)")),
            (self.more, "−", tr("Show more time (−)")),
            (self.less, "+", tr("Show less time (+)")),
            (self.fit, tr("Fit"), tr("Show the measured span, the selected request, or all (0)")),
        )
        for button, text, tip in texts:
            button.setText(text)
            button.setToolTip(tip)
            button.setAccessibleName(tip)
        for icon in self._icons:
            icon.retranslate()
        self.span.setToolTip(tr("The time shown"))


def _button() -> QToolButton:
    button = QToolButton()
    button.setProperty("flat", True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _label() -> QLabel:
    label = QLabel()
    label.setProperty("role", "dim")
    return label
