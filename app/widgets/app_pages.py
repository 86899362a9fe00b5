"""Pages about the user's own application: a source read-only, its routes, why it did not start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.server.app_route import AppRoute

from .app_controls import Failure
from .app_words import explained
from .code_editor import CodeEditor
from .i18n import tr
from .icons import icon
from .parts import ElidedLabel, label
from .route_tester import RouteTester
from .routing_controls import RoutingControls
from .theme import ROW, Theme

PLACE = Qt.ItemDataRole.UserRole
"""The file and line that an item opens."""
_LONGEST = 4 << 20
"""A source longer than this is cut, in bytes."""


def reload_tip() -> str:
    """Say what reloading does, and what it cannot do."""
    does = tr("End the program and run it anew from its files (F5)")
    rest = tr("Installed packages stay as they are; Shift+F5 starts all in a fresh Python")
    return f"{does}\n{rest}"


class AppPage(QWidget):
    """A page with a line of text and a button over what it shows."""

    def __init__(self, theme: Theme, picture: str, pressed: Callable[[], object]) -> None:
        super().__init__()
        self._theme, self._picture = theme, picture
        self.note, self.button = ElidedLabel(), QPushButton()
        self.note.setProperty("role", "dim")
        self.button.clicked.connect(lambda: pressed())
        self.tools = QHBoxLayout()
        self.tools.setContentsMargins(12, 6, 10, 2)
        self.tools.setSpacing(8)
        self.tools.addWidget(self.note, 1)
        self.tools.addWidget(self.button)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(4)
        self.column.addLayout(self.tools)
        theme.changed.connect(self.restyle)

    def restyle(self) -> None:
        """Take icons and sizes from the theme."""
        self.button.setIcon(icon(self._theme, self._picture))
        self.button.setIconSize(QSize(self._theme.px(15), self._theme.px(15)))

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.button.setText(tr("Reload the application"))
        self.button.setToolTip(reload_tip())


class SourcePage(AppPage):
    """A source file, to be read. It follows the file, and says when that is not what runs."""

    def __init__(self, path: Path, theme: Theme, reload: Callable[[], object]) -> None:
        super().__init__(theme, "reset", reload)
        self.path = path
        self._changed = False
        self.editor = CodeEditor(theme, path.suffix.removeprefix(".") or "py")
        self.editor.setReadOnly(True)
        self.editor.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.column.addWidget(self.editor, 1)
        self.setFocusProxy(self.editor)
        self._watcher = QFileSystemWatcher([str(path)], self)
        self._watcher.fileChanged.connect(self._file_changed)
        self._read()
        self.restyle()
        self.retranslate()

    def _read(self) -> None:
        try:
            with self.path.open("rb") as file:
                text = file.read(_LONGEST).decode("utf-8", "replace")
        except OSError:
            return  # What was read before still tells most.
        if text != self.editor.toPlainText():
            line = self.editor.textCursor().blockNumber() + 1
            self.editor.setPlainText(text)
            self.editor.go_to(line)

    def _file_changed(self) -> None:
        self._changed = True
        if str(self.path) not in self._watcher.files():  # Editors put another file in its place.
            self._watcher.addPath(str(self.path))
        self._read()
        self.retranslate()

    def loaded(self) -> None:
        """The application runs what the file says now."""
        self._changed = False
        self._read()
        self.retranslate()

    def retranslate(self) -> None:
        super().retranslate()
        text = tr("read-only") if not self._changed else tr("changed since: reload to run it")
        self.note.set_full(f"{self.path} · {text}")
        self.editor.setAccessibleName(self.path.name)


class AppTable(QTreeWidget):
    """Rows that lead to a line of a source, by click or by Return."""

    open_source = Signal(str, int)

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.setColumnCount(columns)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.itemActivated.connect(self._open)
        self.itemClicked.connect(self._open)

    def _open(self, item: QTreeWidgetItem) -> None:
        place = item.data(0, PLACE)
        if place and place[0]:
            self.open_source.emit(*place)

    def fill(self, rows: list[tuple[list[str], tuple[str, int]]], theme: Theme) -> None:
        """Show texts, each row with the place that it leads to."""
        self.clear()
        for texts, place in rows:
            item = QTreeWidgetItem(texts)
            item.setData(0, PLACE, place)
            item.setSizeHint(0, QSize(10, theme.px(ROW)))
            for column, text in enumerate(texts):
                item.setFont(column, theme.font(mono=True))
                item.setToolTip(column, text)
            self.addTopLevelItem(item)
        self.setCurrentIndex(self.model().index(0, 0))


class AppRoutesPage(AppPage):
    """The rules of the application, to be read, each with what it does in words; a tester below."""

    def __init__(
        self,
        routes: Callable[[], list[AppRoute]],
        routing: RoutingControls,
        theme: Theme,
        reload: Callable[[], object],
    ) -> None:
        super().__init__(theme, "reset", reload)
        self._routes = routes
        self.table, self.tester = AppTable(6), RouteTester(theme, routing)
        header = self.table.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        both = QSplitter(Qt.Orientation.Vertical)
        both.addWidget(self.table)
        both.addWidget(self.tester)
        both.setSizes([300, 300])
        both.setChildrenCollapsible(False)
        self.column.addWidget(both, 1)
        self.setFocusProxy(self.table)
        test = QShortcut(QKeySequence("Ctrl+T"), self)
        test.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        test.activated.connect(self.tester.start_typing)
        self.restyle()
        self.retranslate()

    def restyle(self) -> None:
        super().restyle()
        for column, width in enumerate((34, 90, 190, 150, 90)):
            self.table.setColumnWidth(column, self._theme.px(width))
        self.loaded()

    def loaded(self) -> None:
        """Show the routes as they are now."""
        routes, c = self._routes(), self._theme.colours
        self.table.fill(
            [
                (
                    [str(at), r.host or "*", r.pattern, r.handler, r.name, explained(r)],
                    (r.file, r.line),
                )
                for at, r in enumerate(routes, 1)
            ],
            self._theme,
        )
        for at, route in enumerate(routes):
            item = self.table.topLevelItem(at)
            assert item is not None
            for column in (0, 1, 4):
                item.setForeground(column, c.dim)
            item.setFont(5, self._theme.font())
            item.setForeground(5, c.warn if route.shadowed or route.fault else c.dim)
        self.tester.show_served()

    def retranslate(self) -> None:
        super().retranslate()
        self.table.setAccessibleName(tr("Routes"))
        self.tester.retranslate()
        names = ("#", tr("Host"), tr("Pattern"), tr("Handler"), tr("Name"), tr("What it does"))
        self.table.setHeaderLabels(names)
        self.note.set_full(tr("Tried in this order; Return opens the handler's source"))
        self.loaded()


class FailurePage(AppPage):
    """Why the application did not start: the way to the line, and the whole traceback."""

    open_source = Signal(str, int)

    def __init__(self, failure: Failure, theme: Theme, reload: Callable[[], object]) -> None:
        super().__init__(theme, "reset", reload)
        self._failure = failure
        self.button.setProperty("primary", True)
        self.note.setProperty("role", "error")
        self.headline = label(failure.text.strip().splitlines()[-1], "verdict")
        self.headline.setWordWrap(True)
        self.headline.setContentsMargins(12, 0, 12, 4)
        self.headline.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.table, self.text = AppTable(3), QPlainTextEdit(failure.text)
        self.table.open_source.connect(self.open_source)
        self.text.setReadOnly(True)
        self.text.setProperty("bare", True)
        both = QSplitter(Qt.Orientation.Vertical)
        both.addWidget(self.table)
        both.addWidget(self.text)
        self.column.addWidget(self.headline)
        self.column.addWidget(both, 1)
        self.table.setVisible(bool(failure.places))
        self.setFocusProxy(self.table if failure.places else self.button)
        self.restyle()
        self.retranslate()

    def restyle(self) -> None:
        super().restyle()
        self.button.setIcon(icon(self._theme, "reset", "on_hue"))
        self.text.setFont(self._theme.font(mono=True))
        self.table.fill(
            [
                ([f"{Path(p.file).name}:{p.line}", p.function, p.source], (p.file, p.line))
                for p in self._failure.places
            ],
            self._theme,
        )
        last = self.table.topLevelItem(self.table.topLevelItemCount() - 1)
        if last is not None:
            self.table.setCurrentItem(last)
        for column, width in enumerate((170, 130)):
            self.table.setColumnWidth(column, self._theme.px(width))

    def retranslate(self) -> None:
        super().retranslate()
        self.note.set_full(tr("The application did not start, or ended"))
        self.table.setHeaderLabels((tr("Place"), tr("Function"), tr("Line of code")))
        self.table.setAccessibleName(tr("Traceback"))
        self.text.setAccessibleName(tr("Traceback"))
