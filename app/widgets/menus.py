"""The menus and their keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from . import edit_menu
from .help import show_about, show_keys
from .i18n import LANGUAGES, language, tr
from .request_out import FORMS
from .theme import SCHEMES

if TYPE_CHECKING:
    from .main_window import MainWindow

BLOCK_LIMITS = (1, 2, 5, 10, 30, 60)
"""The choices of when a handler that blocks the loop is interrupted, in s."""


class Menus:
    """Every command of the window, with its key."""

    def __init__(self, window: MainWindow, bar: QMenuBar) -> None:
        self._window = window
        self._bar = bar
        self._titles: list[tuple[QMenu | QAction, str]] = []
        self._file()
        self._edit()
        self._request()
        self._view()
        self._server()
        self._help()
        self.retranslate()

    def _menu(self, title: str) -> QMenu:
        menu = self._bar.addMenu(tr(title))
        self._titles.append((menu, title))
        return menu

    def _add(
        self, menu: QMenu, title: str, slot: Callable[[], object], *keys: str | QKeySequence
    ) -> QAction:
        action = menu.addAction(tr(title))
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.triggered.connect(lambda: slot())
        self._window.addAction(action)
        self._titles.append((action, title))
        return action

    def _file(self) -> None:
        menu, projects = self._menu("&File"), self._window.projects
        self._add(menu, "&New project…", lambda: projects.ask_new(False), "Ctrl+N")
        self._add(menu, "New from the &demo…", lambda: projects.ask_new(True), "Ctrl+Shift+N")
        self._add(menu, "&Open project…", projects.ask_open, "Ctrl+O")
        app = "Open &application…"
        self._add(menu, app, lambda: self._window.app_site.open_application(), "Ctrl+Alt+A")
        recent = menu.addMenu(tr("Open &recent"))
        recent.setToolTipsVisible(True)
        recent.aboutToShow.connect(lambda: projects.fill_recent(recent))
        self._titles.append((recent, "Open &recent"))
        menu.addSeparator()
        self._add(menu, "&Save", self._window.editors.save, "Ctrl+S")
        self._add(menu, "Save &as…", self._window.editors.save_as, "Ctrl+Shift+S")
        self._add(menu, "Export as a &Tornado program…", projects.ask_export, "Ctrl+Alt+E")
        menu.addSeparator()
        in_out = self._window.in_out
        self._add(menu, "Import HAR…", in_out.import_har, "Ctrl+Alt+O")
        self._add(menu, "Import cURL…", in_out.import_curl, "Ctrl+Shift+O")
        self._add(menu, "Export HAR…", in_out.export_har, "Ctrl+Shift+E")
        menu.addSeparator()
        self._add(menu, "&Quit", self._window.close, "Ctrl+Q")

    def _edit(self) -> None:
        menu, editors = self._menu("&Edit"), self._window.editors
        self._add(menu, "&Undo", editors.undo, "Ctrl+Z")
        self._add(menu, "&Redo", editors.redo, "Ctrl+Shift+Z", "Ctrl+Y")
        menu.addSeparator()
        edit_menu.fill(self._add, menu, self._window)
        menu.addSeparator()
        self._add(menu, "Filter the requests", self._window.filter_requests, "F")

    def _request(self) -> None:
        menu, out = self._menu("&Request"), self._window.in_out.request
        selection = self._window.selection
        self._add(
            menu, "Copy as cURL", lambda: out.copy(selection.request_id, FORMS[0]), "Ctrl+Shift+C"
        )
        out.add_to(menu, lambda: selection.request_id)

    def _help(self) -> None:
        menu = self._menu("&Help")
        self._add(menu, "Keys", lambda: show_keys(self._window), "F1")
        self._add(menu, "About Loopscope", lambda: show_about(self._window))

    def _view(self) -> None:
        window, theme = self._window, self._window.theme
        menu = self._menu("&View")
        for dock in window.docks:
            menu.addAction(dock.toggleViewAction())
        charts = window.charts_dock.toggleViewAction()
        charts.setShortcut(QKeySequence("Ctrl+L"))
        window.addAction(charts)
        menu.addSeparator()
        alone = self._add(menu, "Only the centre", window.arrangement.toggle_alone, "F11")
        alone.setCheckable(True)
        window.arrangement.changed.connect(alone.setChecked)
        self._add(menu, "Reset layout", window.reset_layout)
        menu.addSeparator()
        self._add(menu, "Larger", theme.zoom_in, "Ctrl++", "Ctrl+=")
        self._add(menu, "Smaller", theme.zoom_out, "Ctrl+-")
        self._add(menu, "Original size", lambda: theme.set_zoom(1.0), "Ctrl+0")
        menu.addSeparator()
        looks = menu.addMenu(tr("Colours"))
        self._titles.append((looks, "Colours"))
        group = QActionGroup(looks)
        names = {"system": "Like the system", "dark": "Dark", "light": "Light"}
        actions = {}
        for scheme in SCHEMES:
            action = self._add(looks, names[scheme], partial(theme.set_scheme, scheme))
            action.setCheckable(True)
            group.addAction(action)
            actions[scheme] = action

        def mark() -> None:
            actions[theme.scheme].setChecked(True)

        theme.changed.connect(mark)
        mark()
        languages = menu.addMenu(tr("Language"))
        self._titles.append((languages, "Language"))
        for code, name in LANGUAGES.items():
            self._add(languages, name, partial(language.choose, code))

    def _server(self) -> None:
        menu, bar, window = self._menu("&Server"), self._window.top_bar, self._window
        self._add(menu, "Start or stop", bar.toggle_server, "Ctrl+Shift+L")
        self._add(menu, "Open in browser", bar.open_in_browser, "Ctrl+B")
        app = "Reload the application"
        self.reload_app = self._add(menu, app, lambda: window.app_site.reload(), "F5")
        app = "Restart Loopscope with the application"
        self.restart_app = self._add(menu, app, lambda: window.app_site.restart(), "Shift+F5")
        self._add(menu, "Attack range…", self._window.open_attack_range, "Ctrl+Shift+A")
        menu.addSeparator()
        hold = bar.hold
        self._add(menu, "Pause or resume", hold.toggle, "F8")
        self._add(menu, "Step: one run", hold.step_run, "F7")
        self._add(menu, "Step: one tick", hold.step_tick, "Shift+F7")
        self._add(menu, "Step: to the request's next stage", hold.step_stage, "Ctrl+F7")
        self._add(menu, "Slower", hold.slower, "Ctrl+[")
        self._add(menu, "Faster", hold.faster, "Ctrl+]")
        menu.addSeparator()
        self._block_limit(menu)

    def _block_limit(self, server: QMenu) -> None:
        menu = server.addMenu(tr("Interrupt blocked handlers after"))
        self._titles.append((menu, "Interrupt blocked handlers after"))
        controls = self._window.controls
        group = QActionGroup(menu)
        actions: dict[float | None, QAction] = {}
        for limit in (*BLOCK_LIMITS, None):
            action = menu.addAction("")
            action.setCheckable(True)
            action.triggered.connect(lambda _, limit=limit: controls.set_block_limit(limit))
            group.addAction(action)
            actions[limit] = action

        def show() -> None:
            # Here, since it is chosen elsewhere too, and to be read in the language of now.
            for limit, action in actions.items():
                action.setText(tr("never") if limit is None else tr("{count} s", count=limit))
                action.setChecked(limit == controls.block_limit)

        menu.aboutToShow.connect(show)

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        for item, title in self._titles:
            if isinstance(item, QMenu):
                item.setTitle(tr(title))
            else:
                item.setText(tr(title))
