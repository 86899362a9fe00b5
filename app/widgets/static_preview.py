"""What is in a static file: a picture, text, or bytes."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImageReader, QPixmap, QResizeEvent
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QStackedWidget, QVBoxLayout, QWidget

from .body_words import hex_dump
from .i18n import tr
from .parts import label

MOST = 256 * 1024
"""How much of a text is shown, in bytes."""
MOST_OF_A_PICTURE = 8 * 1024 * 1024
_MOST_PIXELS = 40_000_000


class StaticPreview(QWidget):
    """A line that says what it is, over the content."""

    def __init__(self) -> None:
        super().__init__()
        self.note = label(role="small")
        self.note.setContentsMargins(4, 0, 4, 0)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setProperty("mono", True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.picture = QLabel()
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setMinimumSize(40, 40)
        self._pixmap = QPixmap()
        self.stack = QStackedWidget()
        self.stack.addWidget(self.text)
        self.stack.addWidget(self.picture)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 10, 6)
        column.setSpacing(4)
        column.addWidget(self.note)
        column.addWidget(self.stack, 1)

    def show_content(self, name: str, kind: str, data: bytes, size: int) -> None:
        """Show *data*, the beginning of a file of *size* bytes and media type *kind*."""
        self.text.setAccessibleName(tr("Content of {name}", name=name))
        self.picture.setAccessibleName(tr("Picture {name}", name=name))
        if kind.startswith("image/") and len(data) == size and self._show_picture(data):
            return
        shown = data[:MOST]
        text = _decoded(shown, cut=len(shown) < size)
        if text is None:
            self.text.setPlainText(hex_dump(data))
            self._say(tr("bytes"), min(len(data), 4096), size)
        else:
            self.text.setPlainText(text)
            self._say(tr("text"), len(shown), size)
        self.stack.setCurrentWidget(self.text)

    def _say(self, what: str, shown: int, size: int) -> None:
        if shown < size:
            what = tr("{what}, the first {count} bytes", what=what, count=f"{shown:,}")
        self.note.setText(what)

    def _show_picture(self, data: bytes) -> bool:
        buffer = QBuffer()
        buffer.setData(QByteArray(data))
        buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        reader = QImageReader(buffer)
        size = reader.size()
        if size.width() * size.height() > _MOST_PIXELS:
            return False
        image = reader.read()
        if image.isNull():
            return False
        self._pixmap = QPixmap.fromImage(image)
        self.note.setText(f"{image.width()} × {image.height()}")
        self.stack.setCurrentWidget(self.picture)
        self._fit()
        return True

    def _fit(self) -> None:
        if self._pixmap.isNull():
            return
        room = self.stack.size() - QSize(8, 8)
        if self._pixmap.width() <= room.width() and self._pixmap.height() <= room.height():
            self.picture.setPixmap(self._pixmap)
            return
        ways = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        self.picture.setPixmap(self._pixmap.scaled(room, *ways))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def clear(self) -> None:
        """Show nothing."""
        self.note.clear()
        self.text.clear()
        self.stack.setCurrentWidget(self.text)


def _decoded(data: bytes, *, cut: bool) -> str | None:
    """Return *data* as text; None when it is none. *cut* text may end within a character."""
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if cut and error.start >= len(data) - 3:
            return data[: error.start].decode("utf-8")
        return None
