"""The foot of the site's card: what a site has besides routes, handlers and templates."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from .editors import Editors
from .i18n import tr
from .icons import icon
from .theme import Theme


class SiteFoot(QWidget):
    """Opens the static files and the settings."""

    def __init__(self, editors: Editors, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.static, self.settings = QPushButton(), QPushButton()
        self.static.clicked.connect(lambda: editors.open_static())
        self.settings.clicked.connect(lambda: editors.open_settings())
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 2)
        row.setSpacing(6)
        row.addWidget(self.static, 1)
        row.addWidget(self.settings, 1)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.retranslate()

    def _restyle(self) -> None:
        for button, picture in ((self.static, "file"), (self.settings, "settings")):
            button.setIcon(icon(self._theme, picture, "dim"))
            button.setIconSize(QSize(self._theme.px(15), self._theme.px(15)))

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.static.setText(tr("Static files"))
        self.static.setToolTip(tr("What is served as it is: style sheets, scripts, pictures"))
        self.settings.setText(tr("Settings"))
        self.settings.setToolTip(tr("Every setting of Tornado, with its meaning (Ctrl+,)"))
