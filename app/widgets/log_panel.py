"""Python's logging as a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QIcon
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
from app.recording.store import Store

from .column import Column
from .i18n import tr
from .mistake import MistakeDialog, mistake_of
from .parts import EmptyState, IconButton, OrEmpty
from .rows_model import RowsModel
from .selection import Selection
from .table import RowsView
from .theme import Theme
from .words import since

COLOURS = {"WARNING": "warn", "ERROR": "error", "CRITICAL": "error", "DEBUG": "faint"}
_FRAME = re.compile(r'^ *File "(.+)", line (\d+)', re.MULTILINE)
GLYPHS = {"WARNING": "▲", "ERROR": "✗", "CRITICAL": "✗", "INFO": "·", "DEBUG": "·"}


class LogPanel(QWidget):
    """All log records that are still known; a double click shows the whole text.

    *can_open* says of a file whether `open_source` leads anywhere.
    """

    open_source = Signal(str, int)
    """The line of a mistake was chosen: its file and line."""

    def __init__(self, store: Store, selection: Selection, theme: Theme) -> None:
        super().__init__()
        self._store = store
        self._theme = theme
        self._selection = selection
        self._cleared_before = 0
        self.can_open: Callable[[str], bool] = lambda file: False
        self.model = RowsModel(
            [
                Column("Time", 96, self._time, lambda row: "dim", mono=True, right=True),
                Column("Level", 104, _level, _level_colour),
                Column("Logger", 150, _logger, lambda row: "dim", mono=True, spare=2),
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
            text = f"{row[1]} {row[2]} {row[4]} {_first_line(row)}".lower()
            return all(word in text for word in words)

        self.model.set_filter(accept if words or after else None)
        self.refresh()

    def open_record(self, row: Row) -> None:
        """Show a record's whole text; what is known of a mistake."""
        mistake = mistake_of(row)
        if mistake is None:
            self._text_dialog(row).open()
            return
        lead = None
        if mistake.line and self.can_open(mistake.file):
            lead = partial(self.open_source.emit, mistake.file, mistake.line)
        MistakeDialog(mistake, self._theme, self, lead).open()

    def _text_dialog(self, row: Row) -> QDialog:
        dialog = QDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(f"{row[1]} · {row[2]}")
        text = QPlainTextEdit(row[4])
        text.setReadOnly(True)
        text.setProperty("mono", True)
        text.setAccessibleName(tr("Text"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        buttons.rejected.connect(dialog.close)
        place = self._deepest(str(row[4]))
        if place is not None:
            lead = buttons.addButton(tr("Open the line"), QDialogButtonBox.ButtonRole.ActionRole)
            lead.setToolTip(tr("Open the innermost file of the traceback that is yours"))
            lead.setProperty("primary", True)
            lead.setDefault(True)
            lead.clicked.connect(dialog.close)
            lead.clicked.connect(lambda: self.open_source.emit(*place))
        layout = QVBoxLayout(dialog)
        layout.addWidget(text)
        layout.addWidget(buttons)
        dialog.resize(self._theme.px(760), self._theme.px(420))
        return dialog

    def _deepest(self, text: str) -> tuple[str, int] | None:
        """Return the innermost place of a traceback in *text* that can be opened."""
        for file, line in reversed(_FRAME.findall(text)):
            if self.can_open(file):
                return file, int(line)
        return None

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
    return COLOURS.get(row[1]) or ("accent" if mistake_of(row) else "text")


def _logger(row: Row) -> str:
    mistake = mistake_of(row)
    return mistake.kind if mistake else str(row[2])


def _request(row: Row) -> str:
    return f"#{row[3]}" if row[3] else ""


def _first_line(row: Row) -> str:
    mistake = mistake_of(row)
    if mistake is not None:
        return mistake.brief
    first, more, rest = str(row[4]).partition("\n")
    if not more:
        return first
    return f"{first} … {rest.strip().splitlines()[-1] if rest.strip() else ''}"
