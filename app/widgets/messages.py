"""A request or a response as it was on the wire: start line, headers, body."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt
from PySide6.QtGui import QImageReader, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.recording.headers import pairs, start_line

from .body_words import SHOWN, body_text, hex_dump, image_of, pretty
from .header_words import meaning
from .i18n import tr
from .parts import label
from .theme import Theme
from .words import size

GONE = "There is none: the connection closed first."
MOST_PIXELS = 40_000_000
"""Larger pictures are not unpacked."""


class MessageView(QWidget):
    """Shows one head and body: as text, or a picture; nothing of a page is ever rendered.

    The meaning of the current header stands below them.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._message: tuple[bytes, bytes, int, bool] = (b"", b"", 0, False)
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
        self.headers.currentCellChanged.connect(lambda *_: self._show_meaning())
        self.meaning = label(role="small")
        self.meaning.setWordWrap(True)
        self._size = label(role="dim")
        self._raw = QPushButton()
        self._raw.setCheckable(True)
        self._raw.toggled.connect(self._show_body)
        self.body = QPlainTextEdit()
        self.body.setReadOnly(True)
        self.body.setProperty("mono", True)
        self.picture = QLabel()
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row = QHBoxLayout()
        row.addWidget(self._size, 1)
        row.addWidget(self._raw)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 6)
        layout.setSpacing(8)
        layout.addWidget(self._start)
        layout.addWidget(self.headers, 3)
        layout.addWidget(self.meaning)
        layout.addLayout(row)
        layout.addWidget(self.body, 2)
        layout.addWidget(self.picture, 2)
        self.retranslate()

    def show_message(self, head: bytes, body: bytes, whole: int, ended: bool = False) -> None:
        """Show a raw head and a body of which *whole* bytes there were.

        *ended* says that a head which is missing will not come any more.
        """
        if (head, body, whole, ended) == self._message:
            return
        self._message = (head, body, whole, ended)
        missing = tr(GONE) if ended else tr("Not there yet.")
        self._start.setText(start_line(head) if head else missing)
        found = pairs(head)
        self.headers.setRowCount(len(found))
        mono = self._theme.font(mono=True)
        for at, texts in enumerate(found):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                about = tr(meaning(texts[0])) if meaning(texts[0]) else ""
                item.setToolTip("\n".join(filter(None, (text if len(text) > 40 else "", about))))
                item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, about)
                item.setFont(mono)
                if column == 0:
                    item.setForeground(self._theme.colours.dim)
                item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
                self.headers.setItem(at, column, item)
        self.headers.resizeColumnToContents(0)
        self.headers.setColumnWidth(0, min(self.headers.columnWidth(0), self._theme.px(150)))
        self._show_meaning()
        self._show_body()

    def _show_meaning(self) -> None:
        item = self.headers.item(self.headers.currentRow(), 0)
        about = meaning(item.text()) if item is not None else ""
        self.meaning.setText(f"{item.text()}: {tr(about)}" if item is not None and about else "")
        self.meaning.setVisible(bool(about))

    def _show_body(self) -> None:
        head, body, whole, _ = self._message
        has_body = bool(body)
        self._raw.setVisible(has_body)
        image = None if self._raw.isChecked() else image_of(head, body)
        picture = None if image is None else read_picture(image, self._theme.px(320))
        self.picture.setPixmap(QPixmap() if picture is None else picture)
        self.picture.setVisible(picture is not None)
        self.body.setVisible(has_body and picture is None)
        words = tr("Body: {size}", size=size(whole)) if whole else tr("No body")
        if len(body) < whole:
            words += " · " + tr("the first {size} were kept", size=size(len(body)))
        self._size.setText(words)
        if self._raw.isChecked():
            text = body_text(head, body[:SHOWN])
            self.body.setPlainText(hex_dump(body) if text is None else text)
        else:
            self.body.setPlainText(pretty(head, body))

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self._raw.setText(tr("Raw"))
        self._raw.setToolTip(tr("Show the body as it was on the wire"))
        self.headers.setAccessibleName(tr("Headers"))
        self.body.setAccessibleName(tr("Body"))
        self.picture.setAccessibleName(tr("Body"))
        message, self._message = self._message, (b"", b"", -1, False)
        self.show_message(*message)

    def restyle(self) -> None:
        """Take colours and sizes from the theme."""
        self.retranslate()


def read_picture(data: bytes, side: int) -> QPixmap | None:
    """Return a picture no larger than *side*, or None for what is none or is huge."""
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    size = reader.size()
    if not size.isValid() or size.width() * size.height() > MOST_PIXELS:
        return None
    if max(size.width(), size.height()) > side:
        reader.setScaledSize(size.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return None if image.isNull() else QPixmap.fromImage(image)
