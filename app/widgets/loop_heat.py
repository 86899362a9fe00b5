"""Many sockets at once: a cell for each, coloured by what it is busy with."""

from __future__ import annotations

from array import array

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QImage, QPainter

from app.recording.snapshot import Socket

from .i18n import tr
from .theme import Theme
from .timeline_ink import mix


class HeatMap:
    """Paints a grid of cells. One image with a pixel for each cell is drawn enlarged."""

    def __init__(self) -> None:
        self._sockets: list[Socket] = []
        self._area = QRect()
        self._columns = 1
        self._cell = 1
        self._numbers: dict[int, int] = {}
        self._counts = (0, 0)
        self._image = QImage()
        self._painted: tuple[object, ...] = ()
        """What the image shows."""

    def paint(self, p: QPainter, area: QRect, sockets: list[Socket], theme: Theme) -> str:
        """Paint *sockets* into *area* and return a line that sums them up."""
        if sockets is not self._sockets:
            self._sockets = sockets
            self._numbers = {socket.descriptor: at for at, socket in enumerate(sockets)}
            self._counts = _counts(sockets)
            self._painted = ()
        self._area = area
        width, height = max(1, area.width()), max(1, area.height())
        cell = theme.px(14)
        while cell > 2 and (width // cell) * (height // cell) < len(sockets):
            cell -= 1
        columns = max(1, width // cell)
        rows = -(-len(sockets) // columns)
        self._columns, self._cell = columns, cell
        busy, idle = self._counts
        if self._painted != (columns, rows, theme.dark):
            self._painted = (columns, rows, theme.dark)
            self._image = _image(sockets, columns, rows, theme)
        p.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        p.save()
        p.setClipRect(area)
        p.drawImage(QRect(area.left(), area.top(), columns * cell, rows * cell), self._image)
        if cell > 2:
            panel = theme.colour("panel")
            for column in range(1, columns + 1):
                p.fillRect(area.left() + column * cell - 1, area.top(), 1, rows * cell, panel)
            for row in range(1, rows + 1):
                p.fillRect(area.left(), area.top() + row * cell - 1, columns * cell, 1, panel)
        p.restore()
        return tr("{busy} busy with a request, {idle} idle", busy=f"{busy:,}", idle=f"{idle:,}")

    def socket_at(self, point: QPoint) -> Socket | None:
        """Return the socket whose cell is at *point*."""
        if not self._area.contains(point):
            return None
        place = point - self._area.topLeft()
        column, row = place.x() // self._cell, place.y() // self._cell
        number = row * self._columns + column
        inside = column < self._columns and number < len(self._sockets)
        return self._sockets[number] if inside else None

    def cell_of(self, descriptor: int) -> QRect:
        """Return the cell of a socket; an empty rectangle when it has none."""
        number = self._numbers.get(descriptor)
        if number is None:
            return QRect()
        row, column = divmod(number, self._columns)
        corner = self._area.topLeft() + QPoint(column, row) * self._cell
        return QRect(corner, QSize(self._cell, self._cell))

    def beside(self, descriptor: int, step: QPoint) -> Socket | None:
        """Return the socket in the next cell in the direction of *step*, if there is one."""
        cell = self.cell_of(descriptor)
        return self.socket_at(cell.center() + step * self._cell) if cell else None


def _counts(sockets: list[Socket]) -> tuple[int, int]:
    busy = sum(socket.owner > 0 for socket in sockets)
    return busy, sum(socket.role == "connection" for socket in sockets) - busy


def _image(sockets: list[Socket], columns: int, rows: int, theme: Theme) -> QImage:
    panel = theme.colour("panel")
    hues = [theme.hue(number + 1).rgb() for number in range(8)]
    roles = {
        "listen": theme.colour("ok").rgb(),
        "connection": mix(theme.colour("dim"), panel, 0.3).rgb(),
        "client": mix(theme.colour("faint"), panel, 0.6).rgb(),
    }
    other = theme.colour("faint").rgb()
    pixels = array("I", [panel.rgb()]) * (columns * rows)
    for number, socket in enumerate(sockets):
        owner = socket.owner
        pixels[number] = hues[(owner - 1) % 8] if owner > 0 else roles.get(socket.role, other)
    image = QImage(pixels.tobytes(), columns, rows, columns * 4, QImage.Format.Format_RGB32)
    return image.copy()
