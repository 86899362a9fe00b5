"""Who a client is: its name, its colour, and whether it is a browser or a script."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from .controls import Controls
from .firing_controls import KINDS, Person
from .i18n import tr
from .parts import ElidedLabel, label, set_property
from .theme import DARK_HUES, Theme

_WORDS = {
    "browser": (
        "Browser",
        "Sends Origin, Referer and Sec-Fetch headers; SameSite decides over its cookies",
    ),
    "script": ("Script with cookies", "Keeps cookies, and sends nothing of its own accord"),
    "bare": ("Script without cookies", "Keeps no cookies, and sends nothing of its own accord"),
}
_COLOURS = ("Blue", "Orange", "Violet", "Green", "Pink", "Yellow", "Cyan", "Lime")


class ClientDialog(QDialog):
    """Changes one client, or removes it. A refused change stays, with the reason."""

    def __init__(self, client: str, controls: Controls, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._client, self._controls = client, controls
        person = controls.firing.person(client)
        self.setWindowTitle(tr("Client {name}", name=client))
        self.resize(theme.px(480), theme.px(310))
        self.name, self.page = QLineEdit(person.name), QLineEdit(person.page)
        self.colour, self.kind = QComboBox(), QComboBox()
        for at, name in enumerate(_COLOURS, 1):
            self.colour.addItem(dot(theme, theme.hue(at)), tr(name))
        self.colour.setCurrentIndex((person.hue - 1) % len(DARK_HUES))
        for kind in KINDS:
            self.kind.addItem(tr(_WORDS[kind][0]))
        self.page.setPlaceholderText(tr("the site's own pages"))
        self.page.setProperty("mono", True)
        self.says, self.problem = label("", "small"), ElidedLabel()
        self.says.setWordWrap(True)
        self.problem.setProperty("role", "error")
        self.remove = QPushButton(tr("Remove"))
        self.remove.setToolTip(tr("Remove this client and its cookies"))
        self._arrange()
        self.kind.currentIndexChanged.connect(self._turn)
        self.kind.setCurrentIndex(KINDS.index(person.kind))
        self._turn()

    def _arrange(self) -> None:
        form = QFormLayout()
        form.setVerticalSpacing(9)
        for text, tip, field in (
            ("Name", "How it is called in all panels", self.name),
            ("Colour", "Its colour in the lists", self.colour),
            ("Kind", "What it sends of its own accord", self.kind),
            ("Page", "The URL of the page that its links, forms and scripts are on", self.page),
        ):
            field.setAccessibleName(tr(text))
            field.setToolTip(tr(tip))
            form.addRow(tr(text), field)
        form.addRow("", self.says)
        ok = QDialogButtonBox.StandardButton.Ok
        buttons = QDialogButtonBox(ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton(self.remove, QDialogButtonBox.ButtonRole.DestructiveRole)
        self.ok = buttons.button(ok)
        buttons.accepted.connect(self._apply)
        buttons.rejected.connect(self.reject)
        self.remove.clicked.connect(self._remove)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.setSpacing(10)
        layout.addLayout(form)
        layout.addStretch(1)
        layout.addWidget(self.problem)
        layout.addWidget(buttons)

    def _turn(self) -> None:
        kind = KINDS[self.kind.currentIndex()]
        self.page.setEnabled(kind == "browser")
        self.says.setText(tr(_WORDS[kind][1]))

    def _apply(self) -> None:
        kind = KINDS[self.kind.currentIndex()]
        page = self.page.text().strip() if kind == "browser" else ""
        hue = self.colour.currentIndex() + 1
        try:
            self._controls.firing.change(self._client, Person(self.name.text(), kind, page, hue))
        except ValueError as error:
            self.problem.set_full(f"✗ {tr(str(error))}")
            wrong = self.page if getattr(error, "field", "") == "page" else self.name
            for field in (self.name, self.page):
                set_property(field, "state", "error" if field is wrong else "")
            wrong.setFocus()
        else:
            self.accept()

    def _remove(self) -> None:
        self._controls.firing.remove(self._client)
        self.accept()


def dot(theme: Theme, colour: QColor) -> QIcon:
    """Return an icon that is a dot in *colour*."""
    side = theme.px(16)
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        theme.paint_dot(painter, pixmap.rect().toRectF().center(), colour)
    return QIcon(pixmap)
