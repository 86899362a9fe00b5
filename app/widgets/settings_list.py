"""The rows of the settings, by group, with a search over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.server.settings import GROUPS, OWN_GROUP, SERVER_GROUP, Setting, setting

from .i18n import tr
from .parts import EmptyState, OrEmpty, label
from .settings_controls import Control
from .settings_rows import SettingRow
from .theme import Theme


class SettingsList(OrEmpty):
    """Builds its rows from what *control_of* makes for each setting.

    *extras* make what stands below the rows of some groups, by their titles.
    """

    reset_wanted = Signal(str)
    current_changed = Signal(str)
    """The focus went to this setting."""
    all_wanted = Signal()
    """Nothing was found: the search is to be ended."""

    def __init__(
        self,
        control_of: Callable[[Setting], Control],
        extras: Mapping[str, Callable[[], QWidget]],
        theme: Theme,
    ) -> None:
        self._area = QScrollArea()
        empty = EmptyState("Nothing found", "No setting has these words.", "Show all")
        super().__init__(self._area, empty)
        empty.clicked.connect(self.all_wanted)
        self._control_of, self._extras = control_of, extras
        self._theme = theme
        self._heads: list[tuple[QLabel, list[SettingRow]]] = []
        self.rows: dict[str, SettingRow] = {}
        self._page = QWidget()
        holder = QWidget()
        holder.setObjectName("scrolled")
        self._holder = QVBoxLayout(holder)
        self._holder.setContentsMargins(0, 0, 0, 0)
        self._holder.addWidget(self._page)
        self._area.setWidget(holder)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._focus_changed)

    def fill(self, own: Iterable[str], foreign: bool) -> None:
        """Make all rows: Tornado's and the *own* ones of the project, or of a *foreign* program.

        What a foreign program's server was given is not known.
        """
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(4, 4, 4, 10)
        column.setSpacing(0)
        self.empty.retranslate()
        self.rows.clear()
        self._heads.clear()
        for group in GROUPS:
            if not (foreign and group.title == SERVER_GROUP):
                self._add_group(column, group.title, group.settings, foreign)
        self._add_group(column, OWN_GROUP, map(setting, own), foreign)
        column.addStretch(1)
        self._holder.replaceWidget(self._page, page)
        self._page.hide()
        self._page.deleteLater()  # The signal of one of its widgets may be under way.
        self._page = page

    def _add_group(
        self, column: QVBoxLayout, title: str, settings: Iterable[Setting], foreign: bool
    ) -> None:
        head = label(tr(title), role="head")
        head.setContentsMargins(20, 14, 10, 4)
        column.addWidget(head)
        rows = [SettingRow(each, self._control_of(each), self._theme) for each in settings]
        for row in rows:
            column.addWidget(row)
            row.reset_wanted.connect(self.reset_wanted)
            if foreign:
                row.set_read_only()
            self.rows[row.setting.name] = row
        self._heads.append((head, rows))
        if title in self._extras and not foreign:
            extra = self._extras[title]()
            extra.setMinimumWidth(self._theme.px(240))
            column.addWidget(extra, 0, Qt.AlignmentFlag.AlignHCenter)

    def show_values(self, values: Mapping[str, Any], faults: Mapping[str, str]) -> None:
        """Show the values, and what is wrong with them."""
        for name, row in self.rows.items():
            row.show_value(values.get(name), faults.get(name, ""))

    def filter(self, words: list[str], among: Iterable[str] | None) -> None:
        """Show the rows that have all *words*, and only those *among* some names if given."""
        names = None if among is None else set(among)
        any_found = False
        for head, rows in self._heads:
            found = False
            for row in rows:
                fits = row.matches(words) and (names is None or row.setting.name in names)
                row.setVisible(fits)
                found = found or fits
            head.setVisible(found or (not words and names is None))
            any_found = any_found or found
        self.show_empty(not any_found)

    def go_to(self, name: str) -> None:
        """Put the focus on a setting."""
        row = self.rows[name]
        row.control.setFocus()
        QTimer.singleShot(0, row, lambda: self._area.ensureWidgetVisible(row, 0, 60))

    def current(self) -> str:
        """Return the name of the setting that has the focus, if one has."""
        row = self._row_of(QApplication.focusWidget())
        return "" if row is None else row.setting.name

    def _row_of(self, widget: QWidget | None) -> SettingRow | None:
        while widget is not None and not isinstance(widget, SettingRow):
            widget = widget.parentWidget()
        return widget if widget is not None and self.isAncestorOf(widget) else None

    def _focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        row = self._row_of(new)
        if row is None:
            return
        for each in self.rows.values():
            each.set_current(each is row)
        self._area.ensureWidgetVisible(row, 0, 24)
        self.current_changed.emit(row.setting.name)
