"""A signed cookie taken apart: its bytes, its fields, the ladder, and what the handler gets."""

from __future__ import annotations

import time

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.server.ladder import Field
from app.server.signed_cookies import Anatomy, Keys, signed_cookie, when

from .controls import Controls
from .i18n import tr
from .ladder_view import LadderView, said
from .parts import ElidedLabel, label
from .theme import Theme
from .utf16 import utf16_length

HUES = {
    "version": 3,
    "key version": 7,
    "timestamp": 2,
    "name": 4,
    "value": 1,
    "signature": 5,
}
"""The hue of each field, as a request's number."""


class CookieText(QPlainTextEdit):
    """The bytes of a cookie: a few lines that break anywhere."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("mono", True)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)

    def sizeHint(self) -> QSize:
        lines = QFontMetrics(self._theme.font(mono=True)).lineSpacing() * 4
        return QSize(self._theme.px(200), lines + self._theme.px(14))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(120), self.sizeHint().height())

    @property
    def value(self) -> str:
        """The cookie as it stands there; a cookie has no line breaks."""
        return self.toPlainText().replace("\n", "")

    def colour_fields(self, fields: tuple[Field, ...]) -> None:
        """Give each of *fields* its hue; offsets are bytes, places are characters."""
        raw, selections = self.toPlainText().encode("utf-8", "surrogatepass"), []
        for field in fields:
            before = (
                raw[:offset].decode("utf-8", "replace") for offset in (field.start, field.end)
            )
            start, end = map(utf16_length, before)
            selection = QTextEdit.ExtraSelection()
            selection.cursor = QTextCursor(self.document())
            selection.cursor.setPosition(start)
            selection.cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            format_ = QTextCharFormat()
            hue = self._theme.hue(HUES[field.name])
            format_.setForeground(hue)
            format_.setBackground(QColor(hue.red(), hue.green(), hue.blue(), 28))
            selection.format = format_
            selections.append(selection)
        self.setExtraSelections(selections)


class AnatomyView(QWidget):
    """The cookie can be edited here: the first rung that fails lights up. Nothing is signed by
    that; the button signs."""

    edited = Signal()
    """The cookie is another."""

    def __init__(self, controls: Controls, theme: Theme) -> None:
        super().__init__()
        self._controls = controls
        self._theme = theme
        self._name, self._now, self._keys = "", 0.0, Keys(None)
        self.anatomy: Anatomy | None = None
        self.text = CookieText(theme)
        self.verdict = label(role="verdict")
        self.verdict.setWordWrap(True)
        self.verdict.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.why = label(role="dim")
        self.why.setWordWrap(True)
        self._fields = _FieldList(theme)
        self.ladder = LadderView(theme)
        self.plain = QLineEdit()
        self.plain.setProperty("mono", True)
        self.sign = QPushButton()
        self._question, self._steps = label(role="head"), label(role="head")
        self._arrange()
        self.text.textChanged.connect(self._changed)
        self.sign.clicked.connect(self._sign)
        self.plain.returnPressed.connect(self._sign)
        self.retranslate()

    def _arrange(self) -> None:
        signing = QHBoxLayout()
        signing.setSpacing(6)
        signing.addWidget(self.plain, 1)
        signing.addWidget(self.sign)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.text)
        layout.addWidget(self._question)
        layout.addWidget(self.verdict)
        layout.addWidget(self.why)
        layout.addWidget(self._fields)
        layout.addWidget(self._steps)
        layout.addWidget(self.ladder)
        layout.addLayout(signing)

    def show_cookie(self, name: str, value: str, now: float, keys: Keys) -> None:
        """Show the cookie *name* as ``get_signed_cookie`` saw or sees it at *now* with *keys*.

        *now* is in seconds since the epoch.
        """
        self._name, self._now, self._keys = name, now, keys
        if self.text.toPlainText() == value:
            self._take_apart()
        else:
            self.text.setPlainText(value)
        if self.anatomy is not None and self.anatomy.payload is not None:
            self.plain.setText(self.anatomy.payload.decode("utf-8", "replace"))

    def _changed(self) -> None:
        self._take_apart()
        self.edited.emit()

    def _take_apart(self) -> None:
        secret = self._keys.secret
        value = self.text.value
        self.anatomy = signed_cookie(value, self._name, {} if secret is None else secret, self._now)
        self.text.colour_fields(self.anatomy.fields)
        self._fields.show_fields(self.anatomy)
        self.ladder.show_rungs(self.anatomy.rungs)
        self._tell(self.anatomy)

    def _tell(self, anatomy: Anatomy) -> None:
        good = anatomy.value is not None
        mark, token = ("✓", "ok") if good else ("✗", "error")
        self.verdict.setText(f'{mark} get_signed_cookie("{self._name}") → {anatomy.value!r}')
        self.verdict.setStyleSheet(f"color: {self._theme.colour(token).name()}")
        failed = anatomy.failed
        if failed is None:
            self.why.setText(tr("Signed, not encrypted: whoever has the cookie can read it."))
        elif self._keys.secret is None:
            self.why.setText(tr("The secret is not known here, so the signature is not checked."))
        else:
            self.why.setText(tr("{rung}: {seen}.", rung=tr(failed.name), seen=said(failed.seen)))

    def _sign(self) -> None:
        version = 1 if self.anatomy is not None and self.anatomy.version == 1 else 2
        try:
            value = self._controls.jars.sign(self._name, self.plain.text().encode(), version)
        except ValueError as error:
            self.why.setText(tr("Not signed: {reason}", reason=tr(str(error))))
            return
        self._keys = self._controls.jars.keys()
        self._now = time.time()
        self.text.setPlainText(value)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.text.setAccessibleName(tr("The cookie's bytes"))
        self.text.setToolTip(tr("Change any byte: the first check that fails lights up"))
        self._question.setText(tr("What does the handler get?"))
        self._steps.setText(tr("Tornado's checks, in order"))
        self.plain.setAccessibleName(tr("Value to sign"))
        self.plain.setToolTip(tr("The value that the button signs"))
        self.sign.setText(tr("Sign"))
        self.sign.setToolTip(tr("Sign this value with the server's secret, as only the server can"))
        if self.anatomy is not None:
            self._take_apart()


class _FieldList(QWidget):
    """The fields: their bytes, their values, and what they mean."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: list[tuple[QLabel, QLabel, ElidedLabel]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 2, 0, 2)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(2, 1)

    def show_fields(self, anatomy: Anatomy) -> None:
        """Show the fields that could be told apart."""
        while len(self._rows) < len(anatomy.fields):
            row = (label(), label(role="small"), ElidedLabel())
            row[2].setProperty("mono", True)
            for column, part in enumerate(row):
                self._grid.addWidget(part, len(self._rows), column)
            self._rows.append(row)
        for at, row in enumerate(self._rows):
            for part in row:
                part.setVisible(at < len(anatomy.fields))
            if at < len(anatomy.fields):
                self._fill(row, anatomy.fields[at], anatomy)

    def _fill(
        self, row: tuple[QLabel, QLabel, ElidedLabel], field: Field, anatomy: Anatomy
    ) -> None:
        name, where, value = row
        name.setText(tr(field.name))
        name.setStyleSheet(f"color: {self._theme.hue(HUES[field.name]).name()}")
        where.setText(f"{field.start}–{field.end}")
        where.setToolTip(tr("Bytes {start} to {end}", start=field.start, end=field.end))
        value.set_full(f"{field.text}{_meaning(field, anatomy)}")


def _meaning(field: Field, anatomy: Anatomy) -> str:
    """Return what a field stands for, to be put behind its text; empty where it is plain."""
    if field.name == "timestamp":
        try:
            return f" = {when(int(field.raw))}"
        except ValueError:
            return ""
    if field.name == "value" and anatomy.payload is not None:
        return f" = {anatomy.payload!r}"
    return ""
