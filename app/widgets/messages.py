"""A request or a response as it was on the wire: start line, headers, body."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.recording.headers import pairs, start_line, unpacked, value_of

from .i18n import tr
from .parts import label
from .theme import Theme
from .words import size

SHOWN = 64 << 10
"""How many bytes of a body are shown, at most."""


def hex_dump(data: bytes, limit: int = 4096) -> str:
    """Return *data* as offsets, hexadecimal and letters, up to *limit* bytes."""
    lines = []
    for at in range(0, min(len(data), limit), 16):
        part = data[at : at + 16]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in part)
        lines.append(f"{at:06x}  {part.hex(' '):<47}  {letters}")
    if len(data) > limit:
        lines.append("…")
    return "\n".join(lines)


def as_text(body: bytes) -> str | None:
    """Return *body* as text, or None when it is binary."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(body) - 4:
            return None
        text = body[: error.start].decode("utf-8")  # cut within a character
    return None if "\x00" in text else text


def pretty(head: bytes, body: bytes) -> str:
    """Return *body* as it is best read: JSON indented, forms decoded, binary as a dump."""
    body = unpacked(head, body, SHOWN)
    text = as_text(body)
    if text is None:
        return hex_dump(body)
    kind = (value_of(head, "Content-Type") or "").lower()
    if "json" in kind:
        try:
            return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return text
    if "x-www-form-urlencoded" in kind:
        fields = parse_qsl(text, keep_blank_values=True)
        width = min(max((len(name) for name, _ in fields), default=0), 24)
        return "\n".join(f"{name:<{width}} = {value}" for name, value in fields) or text
    return text


class MessageView(QWidget):
    """Shows one head and body; nothing in it is ever rendered, only shown as text."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._message: tuple[bytes, bytes, int] = (b"", b"", 0)
        self._start = label()
        self._start.setProperty("mono", True)
        self._start.setWordWrap(True)
        self._start.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.headers = QTableWidget(0, 2)
        self.headers.setShowGrid(False)
        self.headers.setWordWrap(True)
        self.headers.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.headers.setTabKeyNavigation(False)
        self.headers.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.headers.verticalHeader().hide()
        self.headers.horizontalHeader().hide()
        self.headers.horizontalHeader().setStretchLastSection(True)
        self.headers.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self._size = label(role="dim")
        self._raw = QPushButton()
        self._raw.setCheckable(True)
        self._raw.toggled.connect(self._show_body)
        self.body = QPlainTextEdit()
        self.body.setReadOnly(True)
        self.body.setProperty("mono", True)
        row = QHBoxLayout()
        row.addWidget(self._size, 1)
        row.addWidget(self._raw)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 6)
        layout.setSpacing(8)
        layout.addWidget(self._start)
        layout.addWidget(self.headers, 3)
        layout.addLayout(row)
        layout.addWidget(self.body, 2)
        self.retranslate()

    def show_message(self, head: bytes, body: bytes, whole: int) -> None:
        """Show a raw head and a body of which *whole* bytes there were."""
        if (head, body, whole) == self._message:
            return
        self._message = (head, body, whole)
        self._start.setText(start_line(head) if head else tr("Not there yet."))
        found = pairs(head)
        self.headers.setRowCount(len(found))
        mono = self._theme.font(mono=True)
        for at, texts in enumerate(found):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(text if len(text) > 40 else "")
                item.setFont(mono)
                if column == 0:
                    item.setForeground(self._theme.colours.dim)
                item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
                self.headers.setItem(at, column, item)
        self.headers.resizeColumnToContents(0)
        self.headers.setColumnWidth(0, min(self.headers.columnWidth(0), self._theme.px(150)))
        self._show_body()

    def _show_body(self) -> None:
        head, body, whole = self._message
        has_body = bool(body)
        self._raw.setVisible(has_body)
        self.body.setVisible(has_body)
        words = tr("Body: {size}", size=size(whole)) if whole else tr("No body")
        if len(body) < whole:
            words += " · " + tr("the first {size} were kept", size=size(len(body)))
        self._size.setText(words)
        if self._raw.isChecked():
            text = as_text(body[:SHOWN])
            self.body.setPlainText(hex_dump(body) if text is None else text)
        else:
            self.body.setPlainText(pretty(head, body))

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self._raw.setText(tr("Raw"))
        self._raw.setToolTip(tr("Show the body as it was on the wire"))
        self.headers.setAccessibleName(tr("Headers"))
        self.body.setAccessibleName(tr("Body"))
        message, self._message = self._message, (b"", b"", -1)
        self.show_message(*message)

    def restyle(self) -> None:
        """Take colours and sizes from the theme."""
        self.retranslate()
