"""The window of the attack range, which is open for as long as the window is."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.server.attack.attacks import ATTACKS, DEFENCES, Target
from app.server.attack.sightings import Place

from .attack_controls import AttackControls
from .attack_detail import AttackDetail
from .attack_matrix import MatrixView, agrees
from .i18n import language, tr
from .parts import Banner, ElidedLabel, label, set_property
from .theme import Theme

_LOOK_MS = 150


class AttackDialog(QDialog):
    """Opens the range, shows its matrix, and closes the range when it is closed."""

    request_selected = Signal(int)

    def __init__(self, controls: AttackControls, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._controls, self._theme = controls, theme
        self.heading, self.where = label("", "verdict"), ElidedLabel()
        self.where.setProperty("role", "dim")
        self.summary = label("", "head")
        self.banner = Banner(theme)
        self.matrix = MatrixView(controls, theme)
        self.detail = AttackDetail(controls, theme)
        self.fire_all, self.browse = QPushButton(), QPushButton()
        self.fire_all.setProperty("primary", True)
        target = controls.default_target()
        self.fields = [
            self._field(text)
            for text in (target.login_path, target.login_body, target.path, target.body)
        ]
        self.captions = [label("", "dim"), label("", "dim")]
        self._arrange()
        self._connect()
        self.retranslate()
        self.resize(theme.px(1180), theme.px(800))
        self.matrix.setFocus()
        controls.open_range(target)

    # -- Building --------------------------------------------------------------------------

    def _field(self, text: str) -> QLineEdit:
        field = QLineEdit(text)
        field.setProperty("mono", True)
        field.returnPressed.connect(self._open_anew)
        return field

    def _arrange(self) -> None:
        top = QHBoxLayout()
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(self.heading)
        words.addWidget(self.where)
        top.addLayout(words, 1)
        for widget in (self.summary, self.browse, self.fire_all):
            top.addWidget(widget)
            top.addSpacing(4)
        target = QHBoxLayout()
        for caption, path, body in (
            (self.captions[0], self.fields[0], self.fields[1]),
            (self.captions[1], self.fields[2], self.fields[3]),
        ):
            target.addWidget(caption)
            target.addWidget(path, 1)
            target.addWidget(body, 2)
            target.addSpacing(10)
        line = QFrame()
        line.setObjectName("repair")
        inside = QVBoxLayout(line)
        inside.setContentsMargins(14, 10, 14, 10)
        inside.addWidget(self.detail)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(10)
        layout.addLayout(top)
        layout.addLayout(target)
        layout.addWidget(self.banner)
        layout.addWidget(self.matrix, 1)
        layout.addWidget(line)

    def _connect(self) -> None:
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._controls.look)
        self._timer.start(_LOOK_MS)
        self._controls.changed.connect(self.refresh)
        self._controls.refused.connect(self._refuse)
        self.matrix.attacked.connect(self._controls.fire)
        self.matrix.moved.connect(self._show_current)
        self.detail.request_selected.connect(self.request_selected)
        self.fire_all.clicked.connect(self._fire_all)
        self.browse.clicked.connect(self._browse)
        language.changed.connect(self.retranslate)
        QShortcut(QKeySequence("Ctrl+Return"), self).activated.connect(self.fire_all.click)
        QShortcut(QKeySequence("Ctrl+B"), self).activated.connect(self.browse.click)
        for button in (self.fire_all, self.browse):
            button.setAutoDefault(False)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.setWindowTitle(tr("Attack range"))
        self.heading.setText(tr("Attack range"))
        self.matrix.setAccessibleName(tr("Defences against attacks"))
        self.matrix.matrix.retranslate()
        self.detail.retranslate()
        self.banner.retranslate()
        self.fire_all.setText(tr("Attack everywhere"))
        self.fire_all.setToolTip(
            tr("Try each attack against each defence with the built-in client (Ctrl+Enter)")
        )
        self.browse.setText(tr("Attack page in your browser"))
        self.browse.setToolTip(
            tr("Open the attacker's page; what your browser does appears here too (Ctrl+B)")
        )
        self.captions[0].setText(tr("The victim logs in"))
        self.captions[1].setText(tr("The form attacked"))
        names = ("Path of the login", "Body of the login", "Path of the form", "Body of the form")
        for field, name in zip(self.fields, names, strict=True):
            field.setAccessibleName(tr(name))
            field.setToolTip(tr("{what}; Enter opens the range anew with it", what=tr(name)))
        self.refresh()

    # -- Showing ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what is known by now."""
        address = self._controls.address
        self.where.set_full(
            tr("Attacker: {address} · all of it on this computer only", address=address)
            if address
            else tr("Opening …")
        )
        if address:
            self.banner.hide()
        self.fire_all.setEnabled(bool(address) and not self._controls.busy)
        self.browse.setEnabled(bool(address))
        self._show_summary()
        self._show_current()

    def _show_summary(self) -> None:
        cells = [self._controls.cell(place) for place in self._places()]
        fired = [cell for cell in cells if cell.fired is not None]
        wrong = sum(cell.fired is not None and not agrees(cell, cell.fired) for cell in fired)
        if not fired:
            text, role = "", "head"
        elif wrong:
            values = {"count": wrong, "fired": len(fired)}
            text, role = tr("✗ {count} of {fired} not as predicted", **values), "error"
        else:
            text, role = tr("✓ {fired} tried, all as predicted", fired=len(fired)), "head"
        self.summary.setText(text)
        set_property(self.summary, "role", role)

    def _show_current(self) -> None:
        self.detail.show_place(self.matrix.matrix.place(self.matrix.currentIndex()))

    def _refuse(self, text: str) -> None:
        self.banner.say(text)

    # -- Doing -----------------------------------------------------------------------------

    def _places(self) -> list[Place]:
        """The places at which something is served."""
        served = [each.key for each in DEFENCES if self._controls.origin_of(each.key)]
        return [Place(defence, attack.key) for defence in served for attack in ATTACKS]

    def _fire_all(self) -> None:
        self._controls.fire(self._places())

    def _browse(self) -> None:
        QDesktopServices.openUrl(QUrl(self._controls.address))

    def _open_anew(self) -> None:
        self._controls.open_range(Target(*(field.text().strip() for field in self.fields)))

    def done(self, result: int) -> None:
        """Close the window, by whatever way, and the range with it."""
        self._timer.stop()
        self._controls.close_range()
        super().done(result)
