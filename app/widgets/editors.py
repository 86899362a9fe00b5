"""The editors as tabs, and how what they hold comes to be served."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.server.site import TEMPLATES, Problem, Site, SiteError

from .as_you_type import AsYouType
from .card import Card
from .controls import Controls
from .dialogs import ask_discard, ask_folder, tell
from .editor_page import FilePage, Page
from .i18n import tr
from .in_turn import InTurn
from .routes_editor import KEY, RoutesPage
from .settings_child import DebugChild
from .settings_page import SETTINGS_KEY, SettingsPage
from .site_history import SiteHistory
from .static_page import STATIC_KEY, StaticPage
from .template_page import TemplatePage
from .theme import Theme


class Editors(QObject):
    """Opens editors in a card's tabs, applies and saves them."""

    failed = Signal(str)
    """Something could not be applied or saved; the text says why."""
    saved = Signal()
    edited = Signal()
    """Something was typed that is not saved."""
    said = Signal(str)
    """Good news about what was done."""

    def __init__(self, controls: Controls, card: Card, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._controls = controls
        self._card = card
        self._theme = theme
        self._window = parent
        self.pages: dict[str, Page] = {}
        self.unsaved = False
        """Whether something was applied since it was last saved."""
        self.history = SiteHistory(controls, self.apply_site, self)
        self.history.said.connect(self.said)
        self.history.failed.connect(self.failed)
        self._in_turn = InTurn(controls, self)
        self.as_you_type = AsYouType(theme.settings, self)
        self.as_you_type.due.connect(self._apply_typed)
        self.as_you_type.changed.connect(self._show_choice)
        for signal in (controls.server_changed, controls.projects.moved):
            signal.connect(self._site_changed)

    # -- Opening and closing ---------------------------------------------------------------

    def open_file(self, folder: str, name: str, line: int = 0, column: int = 0) -> None:
        """Open ``handlers/…`` or ``templates/…``, at a place when the line is not 0."""
        page = self._shown(f"{folder}/{name}", lambda: self._file_page(folder, name))
        if line and isinstance(page, FilePage):
            page.editor.go_to(line, column)

    def _file_page(self, folder: str, name: str) -> FilePage:
        site = self._controls.site
        if folder == TEMPLATES:
            text = site.templates.get(name, "")
            template = TemplatePage(name, text, self._theme, self._controls.templates)
            template.open_wanted.connect(lambda other, line: self.open_file(TEMPLATES, other, line))
            page: FilePage = template
        else:
            page = FilePage(folder, name, site.handlers.get(name, ""), self._theme)
        page.served(site)
        return page

    def can_open(self, file: str) -> bool:
        """Return whether the file of a frame is one of the site's."""
        path, site = PurePath(file), self._controls.site
        sources = {"handlers": site.handlers, "templates": site.templates}
        return self._controls.editable and path.name in sources.get(path.parent.name, {})

    def open_source(self, file: str, line: int) -> None:
        """Open the file of a frame, if it is one of the site's."""
        path = PurePath(file)
        if self.can_open(file):
            self.open_file(path.parent.name, path.name, line)

    def open_routes(self, row: int = -1) -> None:
        """Open the editor of the routes, at a row."""
        controls = self._controls
        page = self._shown(KEY, lambda: RoutesPage(controls.site, self._theme, controls.routing))
        if isinstance(page, RoutesPage) and row >= 0:
            page.go_to(row)

    def open_debug_child(self) -> None:
        """Run the site with debug on in a process of its own, and show what it says."""
        if self._controls.app.target:
            return
        DebugChild(self._controls, self._theme, self._window).open()

    def open_static(self, name: str = "") -> None:
        """Open the page of the static files, at one of them."""
        page = self._shown(STATIC_KEY, lambda: StaticPage(self._controls, self._theme))
        if name and isinstance(page, StaticPage):
            page.choose(name)

    def open_settings(self, name: str = "") -> None:
        """Open the editor of the settings, at one of them."""
        page = self._shown(SETTINGS_KEY, self._settings_page)
        if name and isinstance(page, SettingsPage):
            page.go_to(name)

    def _settings_page(self) -> SettingsPage:
        page = SettingsPage(self._controls, self._theme)
        page.open_source.connect(lambda file, line: self.open_file("handlers", file, line))
        page.child_wanted.connect(self.open_debug_child)
        return page

    def _shown(self, key: str, make: Callable[[], Page]) -> Page | None:
        """Show the editor *key*, made if need be; None of an application, which is only read."""
        if self._controls.app.target:
            return None
        if key not in self.pages:
            self._open(make())
        page = self.pages[key]
        self._card.show_page(page)
        page.setFocus()
        return page

    def _open(self, page: Page) -> None:
        self.pages[page.key] = page
        at = self._card.add(page, page.title, translate=False)
        self._card.tabs.setTabToolTip(at, page.key)
        self._card.make_closable(page, lambda: self.close(page))
        page.modified_changed.connect(lambda: self._show_title(page))
        page.apply_wanted.connect(lambda: self._apply_in_turn(page))
        page.as_you_type.setChecked(self.as_you_type.on)
        page.as_you_type.toggled.connect(self.as_you_type.choose)
        page.edited.connect(self.as_you_type.edited)
        for signal in (page.edited, page.modified_changed):
            signal.connect(self.edited)

    def _show_title(self, page: Page) -> None:
        self._card.set_title(page, f"• {page.title}" if page.modified else page.title)

    def current(self) -> Page | None:
        """The editor that is seen, if one is."""
        page = self._card.stack.currentWidget()
        return page if isinstance(page, Page) else None

    def close(self, page: Page) -> None:
        """Close an editor; ask first when it holds changes."""
        if not page.modified:
            self._really_close(page)
            return
        text = tr("{name} holds changes that were not applied.", name=page.title)
        ask_discard(self._window, text, lambda: self._really_close(page))

    def _really_close(self, page: Page) -> None:
        self.pages.pop(page.key, None)
        self._card.remove(page)
        page.deleteLater()

    def confirm_leaving(self, leave: Callable[[], None]) -> bool:
        """Return True when nothing would be lost; else ask, and call *leave* on Discard."""
        if not self.unsaved and not any(page.modified for page in self.pages.values()):
            return True
        ask_discard(self._window, tr("There are changes that were not saved."), leave)
        return False

    def forget_changes(self) -> None:
        """Close all editors, whatever they hold."""
        self.unsaved = False
        self._in_turn.clear()
        for page in list(self.pages.values()):
            self._really_close(page)

    # -- Serving and saving ----------------------------------------------------------------

    def _show_choice(self, on: bool) -> None:
        for page in self.pages.values():
            page.as_you_type.setChecked(on)

    def _apply_typed(self) -> None:
        if self._controls.busy:
            self.as_you_type.edited()
            return
        pages = [page for page in self.pages.values() if page.modified and page.parses]
        if pages:
            self.apply(pages, typed=True)

    def _apply_in_turn(self, page: Page) -> None:
        waits = bool(self._controls.busy)

        def apply() -> None:
            is_open = self.pages.get(page.key) is page
            if is_open and (page.modified or not waits):  # It may be served by now.
                self.apply([page])

        self._in_turn.do(page.key, apply)

    def written(self, pages: Iterable[Page] | None = None) -> Site:
        """Return the site with what *pages* hold, or all of them. Raises SiteError."""
        site = self._controls.site
        for page in self.pages.values() if pages is None else pages:
            if page.modified:
                site = page.into(site)
        return site

    def all_written(self) -> Site:
        """Return the site with what all editors hold, as far as it makes one."""
        site = self._controls.site
        for page in self.pages.values():
            with contextlib.suppress(SiteError):
                site = page.into(site) if page.modified else site
        return site

    def hold(self, site: Site, names: Iterable[str]) -> None:
        """Let editors hold the files *names* of *site*, as if that had been typed in them."""
        served = self._controls.site
        for name in names:
            folder, _, rest = name.partition("/")
            if rest:
                self.open_file(folder, rest)
                self.pages[name].hold(site)
                continue
            if site.routes != served.routes:
                self.open_routes()
                self.pages[KEY].hold(site)
            if (site.settings, site.server) != (served.settings, served.server):
                self.open_settings()
                self.pages[SETTINGS_KEY].hold(site)

    def let_go(self, name: str) -> None:
        """Let the editors of a file hold what is served; close that of one that is gone."""
        site = self._controls.site
        for key in (KEY, SETTINGS_KEY) if name == KEY else (name,):
            page = self.pages.get(key)
            if page is None:
                continue
            if name == KEY or name.partition("/")[2] in (*site.handlers, *site.templates):
                page.hold(site)
                page.served(site)
            else:
                self._really_close(page)

    def apply(self, pages: Iterable[Page], *, typed: bool = False) -> bool:
        """Serve what *pages* hold; return whether that went well.

        If not, the cursor goes to the first problem, unless somebody is typing (*typed*).
        """
        pages = list(pages)
        try:
            site = self.written(pages)
        except SiteError as error:
            problems = error.problems
        else:
            problems = self._controls.apply(site)
        # Some may be closed meanwhile.
        pages = [page for page in pages if self.pages.get(page.key) is page]
        for page in pages:
            page.show_problems(problems)
            if problems and not typed:
                page.go_to_problem()
        if not problems:
            self.unsaved = True
            for page in pages:
                page.served(site)
                page.update_note()
        return not problems

    def apply_site(self, site: Site) -> list[Problem]:
        """Serve a site that was changed elsewhere (a file added or removed)."""
        problems = self._controls.apply(site)
        if problems:
            self.failed.emit("\n".join(str(problem) for problem in problems[:3]))
        else:
            self.unsaved = True
        return problems

    def save_as(self) -> None:
        """Ask for a folder, write the site into it, and go on working there."""
        if not self._controls.editable:
            return
        ask_folder(self._window, tr("Save as"), tr("Save here"), self.save)

    def save(self, folder: Path | None = None) -> None:
        """Apply all editors, then write the site to its folder, or to another one."""
        self._in_turn.do("save", lambda: self._save(folder))

    def _save(self, folder: Path | None) -> None:
        if not self._controls.editable:
            return
        changed = [page for page in self.pages.values() if page.modified]
        if changed and not self.apply(changed):
            return
        try:
            self._controls.save(folder)
        except SiteError as error:
            tell(self._window, tr("Not saved"), str(error))
        except OSError as error:
            reason = error.strerror or str(error)
            tell(self._window, tr("Not saved"), f"{folder or self._controls.site.folder}: {reason}")
        else:
            self.unsaved = False
            self.saved.emit()

    def _site_changed(self) -> None:
        for page in self.pages.values():
            page.served(self._controls.site)
            page.update_note()

    def undo(self) -> None:
        """Undo in the editor that is seen."""
        page = self.current()
        if page is not None:
            page.undo()

    def redo(self) -> None:
        """Redo in the editor that is seen."""
        page = self.current()
        if page is not None:
            page.redo()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        for page in self.pages.values():
            page.retranslate()
            self._show_title(page)
