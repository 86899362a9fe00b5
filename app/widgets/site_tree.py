"""What the site consists of: lists of its routes, handlers and templates that open editors."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QInputDialog,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
)

from app.server.site import Route, SiteError

from .card import Card
from .controls import Controls
from .editors import Editors
from .i18n import tr
from .icons import icon
from .new_handler import NewHandler
from .parts import EmptyState, IconButton, OrEmpty
from .settings_foot import SiteFoot
from .site_routes import RouteRow, SiteRoutes
from .theme import ROW, Theme

PAGES = ("Routes", "Handlers", "Templates")
_EMPTY = (
    ("No routes", "Routes say which handler answers which path.", "Edit the routes"),
    ("No handlers", "Handlers are Python classes that answer requests.", "Add a handler"),
    ("No templates", "Templates are pages that handlers fill.", "Add a template"),
)
_ELSEWHERE = ("Nothing to edit here", "This application's files are edited elsewhere.")


def _row(route: Route) -> RouteRow:
    name = route.handler.rpartition(".")[2]
    return RouteRow(route.pattern, name, route.pattern, route.handler, route.enabled)


class SiteTree:
    """Fills a card with three lists and two buttons: add, remove."""

    def __init__(self, controls: Controls, editors: Editors, card: Card, theme: Theme) -> None:
        self._controls = controls
        self._editors = editors
        self._card = card
        self._theme = theme
        self._shown: object = None
        self.routes, self.handlers, self.templates = SiteRoutes(theme), self._list(), self._list()
        self._pages: list[OrEmpty] = []
        for title, tree, text in zip(PAGES, self._lists, _EMPTY, strict=True):
            empty = EmptyState(*text)
            empty.clicked.connect(self.add)
            page = OrEmpty(tree, empty)
            self._pages.append(page)
            card.add(page, title)
        self.add_button = IconButton(theme, "plus", "Add", self.add)
        self.remove_button = IconButton(theme, "trash", "Remove", self.remove)
        card.corner.addWidget(self.add_button)
        card.corner.addWidget(self.remove_button)
        self.foot = SiteFoot(editors, theme)
        card.add_foot(self.foot)
        self._connect()
        self.refresh()

    @property
    def _lists(self) -> tuple[SiteRoutes, QTreeWidget, QTreeWidget]:
        return self.routes, self.handlers, self.templates

    def _connect(self) -> None:
        open_file = self._editors.open_file
        self.routes.opened.connect(self._editors.open_routes)
        for tree, folder in ((self.handlers, "handlers"), (self.templates, "templates")):
            for signal in (tree.itemActivated, tree.itemClicked):
                signal.connect(lambda item, _=0, f=folder: open_file(f, item.text(0)))
        self._controls.server_changed.connect(self.refresh)
        self._theme.changed.connect(self._restyle)

    def _list(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setColumnCount(1)
        tree.setHeaderHidden(True)
        tree.setRootIsDecorated(False)
        tree.setUniformRowHeights(True)
        tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        tree.header().setStretchLastSection(True)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        return tree

    def _restyle(self) -> None:
        self._shown = None
        self.refresh()

    def refresh(self) -> None:
        """Show the site as it is served now."""
        site, editable = self._controls.site, self._controls.editable
        for button in (self.add_button, self.remove_button):
            button.setEnabled(editable)
        shown = (site.routes, list(site.handlers), list(site.templates), editable)
        if shown == self._shown:
            return
        self._shown = shown
        self.routes.routes.show_routes(site.routes, _row)
        self._fill(self.handlers, sorted(site.handlers))
        self._fill(self.templates, sorted(site.templates))
        for page, tree, text in zip(self._pages, self._lists, _EMPTY, strict=True):
            page.show_empty(tree.model().rowCount() == 0)
            page.empty.set_texts(*(text if editable else _ELSEWHERE))

    def show_list(self, at: int) -> None:
        """Show the list that was filled, or that there is nothing in it."""
        self._pages[at].show_empty(self._lists[at].model().rowCount() == 0)

    def _fill(self, tree: QTreeWidget, names: list[str]) -> None:
        tree.clear()
        for name in names:
            item = QTreeWidgetItem([name])
            item.setFont(0, self._theme.font(mono=True))
            item.setIcon(0, icon(self._theme, "file", "dim"))
            item.setSizeHint(0, QSize(10, self._theme.px(ROW)))
            tree.addTopLevelItem(item)

    def add(self) -> None:
        """Add a route, a handler module or a template, depending on the page."""
        if not self._controls.editable:
            return
        page = self._card.tabs.currentIndex()
        if page == 0:
            self._editors.open_routes()
            return
        if page == 1:
            NewHandler(self._controls, self._editors, self._theme, self._card.body).open()
            return
        dialog = QInputDialog(self._card.body)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Loopscope")
        dialog.setLabelText(tr("Name"))
        dialog.setTextValue("new.html")
        dialog.textValueSelected.connect(lambda name: self.add_template(name.strip()))
        dialog.open()
        field = dialog.findChild(QLineEdit)
        if field is not None:
            field.setSelection(0, len("new"))

    def add_template(self, name: str) -> None:
        """Add a template and open it."""
        site = self._controls.site
        if name in site.templates:
            self._editors.open_file("templates", name)
            return
        try:
            site = site.with_template(name, "<!doctype html>\n<title></title>\n")
        except SiteError as error:
            self._editors.failed.emit(str(error))
            return
        if not self._editors.apply_site(site):
            self._editors.open_file("templates", name)

    def remove(self) -> None:
        """Remove what is selected from the site; its file goes when the site is saved."""
        page = self._card.tabs.currentIndex()
        if page == 0:
            self._editors.open_routes(self.routes.currentIndex().row())
            return
        item = (self.handlers if page == 1 else self.templates).currentItem()
        if item is None or not self._controls.editable:
            return
        site, name = self._controls.site, item.text(0)
        without = site.without_handler(name) if page == 1 else site.without_template(name)
        if not self._editors.apply_site(without):
            key = f"{'handlers' if page == 1 else 'templates'}/{name}"
            if key in self._editors.pages:
                self._editors.close(self._editors.pages[key])

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        for tree, title in zip(self._lists, PAGES, strict=True):
            tree.setAccessibleName(tr(title))
        for page in self._pages:
            page.empty.retranslate()
        for button in (self.add_button, self.remove_button):
            button.retranslate()
        self.foot.retranslate()
