"""Python's logging as a table."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.recording.events import Row
from app.recording.mistakes import LOGGER
from app.recording.store import Store

from .i18n import tr
from .parts import EmptyState, IconButton, OrEmpty
from .rows_model import Column, RowsModel
from .selection import Selection
from .table import RowsView
from .theme import Theme
from .words import since

COLOURS = {"WARNING": "warn", "ERROR": "error", "CRITICAL": "error", "DEBUG": "faint"}
GLYPHS = {"WARNING": "▲", "ERROR": "✗", "CRITICAL": "✗", "INFO": "·", "DEBUG": "·"}


class LogPanel(QWidget):
    """All log records that are still known; a double click shows the whole text."""

    def __init__(self, store: Store, selection: Selection, theme: Theme) -> None:
        super().__init__()
        self._store = store
        self._theme = theme
        self._selection = selection
        self._cleared_before = 0
        self.model = RowsModel(
            [
                Column("Time", 96, self._time, lambda row: "dim", mono=True, right=True),
                Column("Level", 104, _level, _level_colour),
                Column("Logger", 150, lambda row: row[2], lambda row: "dim", mono=True, spare=2),
                Column(
                    "Request", 86, _request, dot=lambda row: int(row[3] or 0), mono=True, spare=1
                ),
                Column("Text", 320, _first_line, _level_colour, mono=True, stretch=True),
            ],
            lambda: store.log,
            lambda: store.log_forgotten,
            parent=self,
        )
        self.view = RowsView(self.model, theme, "Log")
        self._empty = EmptyState(
            "No log records yet", "What Tornado and the handlers write with logging appears here."
        )
        self._or_empty = OrEmpty(self.view, self._empty)
        self.search = QLineEdit()
        self.search.setClearButtonEnabled(True)
        self._clear = IconButton(theme, "trash", "Hide the records so far", self.clear)
        self._wait = QTimer(self, singleShot=True, interval=200)
        self._wait.timeout.connect(self._filter)
        self.search.textChanged.connect(lambda: self._wait.start())
        row = QHBoxLayout()
        row.setContentsMargins(8, 6, 8, 2)
        row.addWidget(self.search, 1)
        row.addWidget(self._clear)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self._or_empty, 1)
        self.view.activated_row.connect(self.open_record)
        self.view.current_row.connect(self._select)
        self.retranslate()

    def _select(self, row: Row) -> None:
        if row[3]:
            self._selection.select(row[3])

    def _time(self, row: Row) -> str:
        return since(row[0], self._store.origin_ns)

    def clear(self) -> None:
        """Hide the records so far. They stay in the recording."""
        log = self._store.log
        self._cleared_before = log[-1][0] + 1 if log else 0
        self._filter()

    def _filter(self) -> None:
        words, after = self.search.text().lower().split(), self._cleared_before

        def accept(row: Row) -> bool:
            if row[0] < after:
                return False
            text = f"{row[1]} {row[2]} {row[4]}".lower()
            return all(word in text for word in words)

        self.model.set_filter(accept if words or after else None)
        self.refresh()

    def open_record(self, row: Row) -> None:
        """Show a record's whole text."""
        dialog = QDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(f"{row[1]} · {row[2]}")
        text = QPlainTextEdit(_text(row).replace("\n", "\n\n") if _is_mistake(row) else row[4])
        text.setReadOnly(True)
        text.setProperty("mono", True)
        text.setAccessibleName(tr("Text"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(dialog.close)
        layout = QVBoxLayout(dialog)
        layout.addWidget(text)
        layout.addWidget(buttons)
        dialog.resize(self._theme.px(760), self._theme.px(420))
        dialog.open()

    def refresh(self) -> None:
        """Show what was recorded since the last call."""
        self.view.refresh()
        self._or_empty.show_empty(not self._store.log)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.search.setPlaceholderText(tr("Search the log"))
        self.search.setAccessibleName(tr("Search the log"))
        self._clear.retranslate()
        self.view.retranslate()
        self._empty.retranslate()


def _level(row: Row) -> str:
    return f"{GLYPHS.get(row[1], '·')} {row[1]}"


def _level_colour(row: Row) -> str:
    return COLOURS.get(row[1], "text")


def _request(row: Row) -> str:
    return f"#{row[3]}" if row[3] else ""


def _is_mistake(row: Row) -> bool:
    return str(row[2]).startswith(LOGGER)


def _text(row: Row) -> str:
    """Return a record's text; that of a mistake in the user's language."""
    if not _is_mistake(row):
        return str(row[4])
    what, *more = row[4].split("\n")
    title, colon, place = what.partition(": ")
    return "\n".join([tr(title) + colon + place, *map(tr, more)])


def _first_line(row: Row) -> str:
    first, more, rest = _text(row).partition("\n")
    if _is_mistake(row):
        return f"{first} · {rest.rpartition(chr(10))[2]}"
    if not more:
        return str(first)
    return f"{first} … {rest.strip().splitlines()[-1] if rest.strip() else ''}"
