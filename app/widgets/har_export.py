"""Asks which requests go into a HAR file, and whether their secrets do."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from .i18n import tr
from .parts import label


class HarExportDialog(QDialog):
    """*choices* are the numbers of requests to choose from, by what they are in words."""

    chosen = Signal(list, bool)
    """The numbers of the requests, and whether their secrets are kept."""

    def __init__(self, choices: dict[str, list[int]], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Export HAR"))
        self.setMinimumWidth(440)
        self.which = QComboBox()
        self.which.setAccessibleName(tr("Requests"))
        self.which.setToolTip(tr("Which requests go into the file"))
        for words, numbers in choices.items():
            self.which.addItem(words, numbers)
        self.secrets = QCheckBox(tr("Keep cookies, credentials, tokens and passwords"))
        self.secrets.setToolTip(tr("Off: their values are replaced wherever they stand"))
        self.warning = label(
            tr("Whoever has the file can then log in as the people in it."), "warn"
        )
        self.warning.setWordWrap(True)
        self.export = QPushButton(tr("Export…"))
        self.export.setToolTip(tr("Choose the file"))
        self.export.setProperty("primary", True)
        self.export.setDefault(True)
        self.back = QPushButton(tr("Cancel"))
        self.back.setAutoDefault(False)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.back)
        buttons.addWidget(self.export)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 14)
        layout.setSpacing(10)
        layout.addWidget(label(tr("Export HAR"), "verdict"))
        layout.addWidget(self.which)
        layout.addWidget(self.secrets)
        layout.addWidget(self.warning)
        layout.addSpacing(4)
        layout.addLayout(buttons)
        kept = self.warning.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self.warning.setSizePolicy(kept)
        self.warning.hide()
        self.secrets.toggled.connect(self.warning.setVisible)
        self.export.clicked.connect(self._choose)
        self.back.clicked.connect(self.reject)
        self.finished.connect(self.deleteLater)

    def _choose(self) -> None:
        self.chosen.emit(self.which.currentData(), self.secrets.isChecked())
        self.accept()
