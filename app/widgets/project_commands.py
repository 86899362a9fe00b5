"""The commands of the File menu that open, make, keep and export projects."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from app.server.site import GivenUp, SiteError

from .dialogs import ask_folder, ask_recover, ask_trust, tell
from .disk_change import DiskChangeDialog
from .i18n import tr
from .project_controls import Draft, FileChange, Found

if TYPE_CHECKING:
    from .main_window import MainWindow

_DRAFT_MS = 1_000
"""So much of what was typed may be lost when the program is killed."""


class ProjectCommands(QObject):
    """Asks what must be asked before a project is opened, and keeps what is not saved."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._projects = window.controls.projects
        self._editors = window.editors
        self._draft_timer = QTimer(self, singleShot=True, interval=_DRAFT_MS)
        self._draft_timer.timeout.connect(self.keep_draft)
        self._recovering = False
        """Whether a draft waits for the user's decision, and must not be written over."""
        self._changes: list[FileChange] = []
        """What the dialog about changes on the disk shows."""
        self._editors.edited.connect(self._draft_timer.start)
        window.controls.server_changed.connect(self._draft_timer.start)
        self._projects.opened.connect(self._editors.forget_changes)
        for signal in (self._projects.opened, self._projects.moved):
            signal.connect(self._opened)
        self._projects.changed_on_disk.connect(self.show_disk_changes)

    # -- Opening ---------------------------------------------------------------------------

    def ask_open(self) -> None:
        """Ask which project to open."""
        ask_folder(self._window, tr("Open project"), tr("Open"), self.open)

    def open(self, folder: Path) -> None:
        """Open the project in *folder*, once nothing is lost by it and the user trusts it."""
        if not self._editors.confirm_leaving(partial(self._discard_and_open, folder)):
            return
        try:
            found = self._projects.read(folder)
        except SiteError as error:
            self._tell(tr("{name} cannot be opened", name=folder.name), error)
            return
        if found.trusted:
            self._really_open(found)
        else:
            ask_trust(self._window, str(folder), lambda yes: self._trusted(found, yes))

    def _discard_and_open(self, folder: Path) -> None:
        self.discard()
        self.open(folder)

    def discard(self) -> None:
        """Forget all that is not saved, also what would come back after a crash."""
        self._editors.forget_changes()
        self._draft_timer.stop()
        self._projects.forget_draft()

    def _trusted(self, found: Found, yes: bool) -> None:
        if yes:
            self._really_open(found._replace(trusted=True))

    def _really_open(self, found: Found) -> None:
        try:
            self._projects.open(found)
        except SiteError as error:
            self._tell(tr("{name} cannot be opened", name=found.site.folder.name), error)

    def _tell(self, heading: str, error: SiteError) -> None:
        if isinstance(error, GivenUp):
            return
        folder = f"{error.folder}\n" if error.folder is not None else ""
        lines = [str(problem) for problem in error.problems[:4]]
        more = "\n…" if len(error.problems) > 4 else ""
        tell(self._window, heading, folder + "\n".join(lines) + more)

    def _opened(self) -> None:
        self.show_title()
        if self._projects.notice:
            self._window.banner.say(self._projects.notice, "ok")
        else:
            self._window.banner.hide()
        draft = self._projects.draft()
        if draft is not None:
            self._ask_recover(draft)

    def show_title(self) -> None:
        """Name the project in the window's title."""
        site = self._window.controls.site
        name = site.name or site.folder.name
        self._window.setWindowTitle(f"{name} – Loopscope" if name else "Loopscope")

    # -- New ---------------------------------------------------------------------------------

    def ask_new(self, demo: bool) -> None:
        """Ask for an empty folder and make a project of it."""
        title = tr("New project from the demo") if demo else tr("New empty project")
        ask_folder(self._window, title, tr("Create here"), lambda folder: self.new(folder, demo))

    def new(self, folder: Path, demo: bool) -> None:
        """Write a new project into *folder* and open it."""
        try:
            self._projects.create(folder, demo)
        except SiteError as error:
            self._tell(tr("No project was made in {name}", name=folder.name), error)
        else:
            self.open(folder)

    # -- Recent ------------------------------------------------------------------------------

    def fill_recent(self, menu: QMenu) -> None:
        """List the projects that were open last."""
        menu.clear()
        for number, folder in enumerate(self._projects.recent(), 1):
            action = QAction(f"&{number % 10}  {folder.name.replace('&', '&&')}", menu)
            action.setToolTip(str(folder))
            action.setEnabled(folder.is_dir())
            action.triggered.connect(partial(self.open, folder))
            menu.addAction(action)
        menu.addSeparator()
        clear = menu.addAction(tr("Forget these projects"), self._projects.forget_recent)
        clear.setEnabled(bool(self._projects.recent()))

    # -- Dropped on the window -----------------------------------------------------------------

    def dropped(self, data: QMimeData) -> Path | None:
        """Return the folder that is dragged, if it is one."""
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        return paths[0] if len(paths) == 1 and paths[0].is_dir() else None

    # -- Export --------------------------------------------------------------------------------

    def ask_export(self) -> None:
        """Ask for an empty folder and write the program into it."""
        title = tr("Export as a Tornado program")
        ask_folder(self._window, title, tr("Export here"), self.export)

    def export(self, folder: Path) -> None:
        """Write what is in the editors as a plain Tornado program."""
        try:
            self._projects.export(self._editors.written(), folder)
        except SiteError as error:
            self._tell(tr("Nothing was exported"), error)
        else:
            text = tr("Exported: run python3 app.py in {folder}", folder=folder)
            self._window.banner.say(text, "ok")

    # -- Changed on the disk -------------------------------------------------------------------

    def show_disk_changes(self) -> None:
        """Show what somebody else changed, to keep mine or to take theirs."""
        try:
            changes = self._projects.changes(self._editors.all_written())
        except SiteError as error:
            self._tell(tr("The project was changed on the disk, and cannot be read"), error)
            return
        dialog = self._window.findChild(DiskChangeDialog)
        if not changes:
            if dialog is not None:
                dialog.reject()
            return
        if all(change.theirs == change.mine for change in changes):
            self._projects.keep(changes)
            return
        if dialog is None:
            dialog = DiskChangeDialog(self._window.theme, self._window)
            dialog.keep_mine.connect(self._keep_mine)
            dialog.take_theirs.connect(self._take_theirs)
            dialog.open()
        self._changes = changes
        dialog.show_changes(changes)

    def _keep_mine(self) -> None:
        self._projects.keep(self._changes)
        self._editors.unsaved = True

    def _take_theirs(self) -> None:
        texts = {change.name: change.theirs for change in self._changes}
        try:
            self._projects.take(self._changes)
        except SiteError as error:
            # Their files are in the editors, to be repaired; what was served goes on.
            self._hold(texts)
            self._projects.keep(self._changes)
            self._tell(tr("Not applied: the last good version goes on serving."), error)
        else:
            for name in texts:
                self._editors.let_go(name)

    def _hold(self, texts: Mapping[str, str | None]) -> bool:
        try:
            self._editors.hold(self._projects.merged(texts), texts)
        except SiteError as error:
            self._window.say(str(error))
            return False
        return True

    # -- Drafts --------------------------------------------------------------------------------

    def keep_draft(self) -> None:
        """Keep what is written and not saved, for the case that this program is killed."""
        if self._recovering:
            return
        try:
            self._projects.keep_draft(self._editors.all_written())
        except OSError as error:
            self._window.say(tr("Unsaved text cannot be kept: {reason}", reason=str(error)))

    def _ask_recover(self, draft: Draft) -> None:
        self._recovering = True
        ask_recover(self._window, draft.files, lambda yes: self._recover(draft, yes))

    def _recover(self, draft: Draft, yes: bool) -> None:
        if yes and not self._hold(draft.files):
            self._ask_recover(draft)
            return
        self._recovering = False
        self.keep_draft()
