"""The user's own application in the window: what it consists of, and its sources to be read."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtWidgets import QTreeWidget, QTreeWidgetItem

from app.server.app_route import AppRoute

from .app_controls import AppState
from .app_dialog import OpenAppDialog
from .app_pages import PLACE, AppPage, AppRoutesPage, FailurePage, SourcePage, reload_tip
from .card import Card
from .dialogs import ask_trust
from .i18n import tr
from .icons import icon
from .parts import IconButton
from .site_routes import RouteRow
from .theme import ROW, Theme

if TYPE_CHECKING:
    from .main_window import MainWindow

_ROUTES, _FAILURE = "routes", "failure"
_OWN = str(Path(__file__).resolve().parents[1])


def _row(route: AppRoute) -> RouteRow:
    return RouteRow(route.pattern, route.handler, f"{route.host} {route.pattern}".strip(), "")


class AppSite(QObject):
    """Fills the lists of the site with an application's, and opens pages about it in the centre."""

    def __init__(self, window: MainWindow, centre: Card, theme: Theme) -> None:
        super().__init__(window)
        self._window, self._centre, self._theme = window, centre, theme
        self._app, self._tree = window.controls.app, window.tree
        self.pages: dict[str, AppPage] = {}
        self.reload_button = IconButton(theme, "reset", "Reload the application", self.reload)
        self.reload_button.hide()
        window.site.corner.insertWidget(0, self.reload_button)
        self._tree.routes.opened.connect(self._open_route)
        for tree in (self._tree.handlers, self._tree.templates):
            tree.itemActivated.connect(self._open_item)
            tree.itemClicked.connect(self._open_item)
        self._app.changed.connect(self._changed)
        window.controls.server_changed.connect(self.refresh)
        theme.changed.connect(self.refresh)
        self.refresh()

    # -- Commands ------------------------------------------------------------------------------

    def open_application(self) -> None:
        """Ask which application to open."""
        if self._window.editors.confirm_leaving(self._ask):
            self._ask()

    def _ask(self) -> None:
        dialog = OpenAppDialog(self._app, self._theme, self._window)
        dialog.chosen.connect(self._open)
        dialog.open()

    def _open(self, target: str, arguments: str) -> None:
        def answered(yes: bool) -> None:
            if yes:
                self._window.editors.forget_changes()
                self._app.open(target, arguments)

        name = self._app.ask_trust(target)
        if name:
            ask_trust(self._window, name, answered)
        else:
            answered(True)

    def reload(self) -> None:
        """Run the application anew."""
        self._app.reload()

    def restart(self) -> None:
        """Let Loopscope end and start anew with the application."""
        if self._app.target and self._window.close():
            self._app.restart()

    # -- What is shown -------------------------------------------------------------------------

    def _changed(self) -> None:
        state = self._app.state
        if state is AppState.NONE:
            for key in list(self.pages):
                self.close(key)
        if state is not AppState.FAILED and _FAILURE in self.pages:
            self.close(_FAILURE)
        if state is AppState.RUNNING:
            for page in self.pages.values():
                if isinstance(page, SourcePage | AppRoutesPage):
                    page.loaded()
        if state is AppState.FAILED and self._app.failure is not None:
            failed = FailurePage(self._app.failure, self._theme, self.reload)
            failed.open_source.connect(self.open_source)
            self._show(_FAILURE, failed, tr("Start failed"))
        self.refresh()

    def refresh(self) -> None:
        """Show the application's routes, sources and templates in the lists of the site."""
        app = self._app
        self.reload_button.setVisible(bool(app.target))
        self._tree.foot.setVisible(not app.target)
        for action in (self._window.menus.reload_app, self._window.menus.restart_app):
            action.setEnabled(bool(app.target))
        if not app.target:
            return
        self._tree.refresh()
        self.reload_button.setToolTip(reload_tip())
        self._tree.routes.routes.show_routes(app.routes(), _row)
        self._tree.show_list(0)
        self._fill(1, self._tree.handlers, self._files(app.sources()))
        self._fill(2, self._tree.templates, self._files(app.templates()))

    def _files(self, paths: list[Path]) -> list[QTreeWidgetItem]:
        items = []
        for path in paths:
            item = QTreeWidgetItem([path.name])
            item.setData(0, PLACE, (str(path), 1))
            item.setToolTip(0, str(path))
            item.setIcon(0, icon(self._theme, "file", "dim"))
            items.append(item)
        return items

    def _fill(self, at: int, tree: QTreeWidget, items: list[QTreeWidgetItem]) -> None:
        tree.clear()
        for item in items:
            item.setFont(0, self._theme.font(mono=True))
            item.setSizeHint(0, QSize(10, self._theme.px(ROW)))
        tree.addTopLevelItems(items)
        self._tree.show_list(at)

    def _open_item(self, item: QTreeWidgetItem) -> None:
        place = item.data(0, PLACE)
        if self._app.target and place:
            self.open_source(*place)

    def _open_route(self, row: int) -> None:
        if self._app.target:
            self.open_routes(row)

    # -- Pages ---------------------------------------------------------------------------------

    def open_routes(self, row: int = 0) -> None:
        """Open the table of routes, at a row."""
        page = self.pages.get(_ROUTES)
        if not isinstance(page, AppRoutesPage):
            routing = self._window.controls.routing
            page = AppRoutesPage(self._app.routes, routing, self._theme, self.reload)
            page.table.open_source.connect(self.open_source)
        self._show(_ROUTES, page, tr("Routes"))
        page.table.setCurrentIndex(page.table.model().index(row, 0))

    def can_open(self, file: str) -> bool:
        """Return whether the file of a frame can be shown."""
        if not self._app.target:
            return self._window.editors.can_open(file)
        return not file.startswith(_OWN) and Path(file).is_file()

    def open_source(self, file: str, line: int) -> None:
        """Open the file of a frame at a line: to be read, if it is not the open project's."""
        if not self._app.target:
            self._window.editors.open_source(file, line)
        elif self.can_open(file):
            page = self.pages.get(file)
            if not isinstance(page, SourcePage):
                page = SourcePage(Path(file), self._theme, self.reload)
            self._show(file, page, Path(file).name)
            page.editor.go_to(line)

    def open_handler(self, handler: str, route: str | None) -> None:
        """Open the source of a recorded request's handler."""
        place = self._app.source_of(handler, route)
        if place is not None:
            self.open_source(*place)

    def _show(self, key: str, page: AppPage, title: str) -> None:
        if key not in self.pages:
            self.pages[key] = page
            at = self._centre.add(page, title, translate=False)
            self._centre.tabs.setTabToolTip(at, key)
            self._centre.make_closable(page, partial(self.close, key))
        self._centre.show_page(page)
        page.setFocus(Qt.FocusReason.OtherFocusReason)

    def close(self, key: str) -> None:
        """Close a page."""
        page = self.pages.pop(key)
        self._centre.remove(page)
        page.deleteLater()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.reload_button.retranslate()
        self.reload_button.setToolTip(reload_tip())
        titles = {_ROUTES: tr("Routes"), _FAILURE: tr("Start failed")}
        for key, page in self.pages.items():
            page.retranslate()
            if key in titles:
                self._centre.set_title(page, titles[key])
