"""The page of the static files: a list, a preview, and what can be done with them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QDragEnterEvent,
    QDropEvent,
    QHideEvent,
    QKeySequence,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QFileDialog,
    QLineEdit,
    QSplitter,
)

from app.server.site import Site, SiteError
from app.server.static_files import LARGEST, StaticFile, StaticFolder

from .controls import Controls
from .editor_page import Page
from .i18n import tr
from .parts import EmptyState, IconButton, OrEmpty
from .static_model import PATH, Contents, StaticModel
from .static_preview import MOST_OF_A_PICTURE, StaticPreview
from .static_table import StaticTable
from .theme import Theme

STATIC_KEY = "static/"
_LOOK_MS = 1000
"""How often the folder is looked at while somebody sees the page, in ms."""


def _hash(url: str) -> str:
    return url.partition("?v=")[2]


def _brief(text: str) -> str:
    return text if len(text) <= 16 else f"{text[:16]}…"


class StaticPage(Page):
    """Files are served from the disk: what is done here is served at once."""

    def __init__(self, controls: Controls, theme: Theme) -> None:
        super().__init__(STATIC_KEY, tr("Static files"), theme)
        self._controls = controls
        self.model = StaticModel(controls.static, theme, self)
        self.preview = StaticPreview()
        self._shown: StaticFile | None = None
        self._fault = ""
        self.url = QLineEdit()
        self.url.setReadOnly(True)
        self.url.setProperty("mono", True)
        self.browse = IconButton(theme, "browser", "Open in the browser", self.open_in_browser)
        self.add_button = IconButton(theme, "plus", "Add files", self.choose_files)
        self.replace_button = IconButton(theme, "reset", "Replace the content", self.choose_content)
        self.rename_button = IconButton(theme, "edit", "Rename (F2)", self.rename)
        self.remove_button = IconButton(theme, "trash", "Delete", self.remove)
        self.edit_buttons = (
            *(self.add_button, self.replace_button),
            *(self.rename_button, self.remove_button),
        )
        for at, button in enumerate(self.edit_buttons):
            self.tools.insertWidget(at, button)
        self.tools.addWidget(self.url, 2)
        self.tools.addWidget(self.browse)
        self.apply_button.hide()
        self.as_you_type.hide()
        self.view = StaticTable(self.model, theme)
        empty = EmptyState(
            "No static files",
            "Style sheets, scripts and pictures that are served as they are. Drop files here.",
            "Add files",
        )
        empty.clicked.connect(self.choose_files)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.view)
        split.addWidget(self.preview)
        split.setSizes([600, 400])
        split.setChildrenCollapsible(False)
        self.body = OrEmpty(split, empty)
        self.column.addWidget(self.body, 1)
        self.setFocusProxy(self.view)
        self.setAcceptDrops(True)
        self._look = QTimer(self, interval=_LOOK_MS)
        self._connect()
        self.retranslate()
        self._show_all()

    def _connect(self) -> None:
        self.view.selectionModel().selectionChanged.connect(self._show_chosen)
        self.view.doubleClicked.connect(self.open_in_browser)
        self.model.modelReset.connect(self._show_all)
        self.model.dataChanged.connect(self._show_chosen)
        self.model.failed.connect(self.banner.say)
        self._look.timeout.connect(self.look)
        for keys, slot in (("Delete", self.remove), ("Return", self.open_in_browser)):
            shortcut = QShortcut(QKeySequence(keys), self.view)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(slot)

    # -- Looking ---------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.look()
        self._look.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._look.stop()

    def look(self) -> None:
        """Look at the folder again; a large one less often."""
        start = time.perf_counter()
        if self.model.refresh():
            self._show_all()
        else:
            self.model.repaint()
        cost_ms = (time.perf_counter() - start) * 1000
        self._look.setInterval(max(_LOOK_MS, int(cost_ms * 40)))

    def choose(self, name: str) -> None:
        """Select a file, if it is there."""
        self.view.choose(name)

    def chosen(self) -> list[str]:
        """Return the names of the selected files."""
        return self.view.chosen()

    def _show_all(self) -> None:
        self.body.show_empty(not self.model.files)
        if self.model.files and not self.chosen():
            row = self.model.row_of(self._shown.name) if self._shown else 0
            self.view.choose_row(max(row, 0))
        self._show_chosen()

    def _show_chosen(self) -> None:
        names, editable = self.chosen(), not self._controls.static.fault()
        self.add_button.setEnabled(editable and self.model.folder is not None)
        self.replace_button.setEnabled(editable and len(names) == 1)
        self.rename_button.setEnabled(editable and len(names) == 1)
        self.remove_button.setEnabled(editable and bool(names))
        self.browse.setEnabled(len(names) == 1)
        if len(names) != 1 or self.model.folder is None:
            self.preview.clear()
            self.url.clear()
            self._shown = None
            return
        self.url.setText(self._controls.static.url(names[0]))
        self.url.setCursorPosition(0)
        file = self.model.files[self.model.row_of(names[0])]
        if file != self._shown:
            self._shown = file
            self._preview(self.model.folder, file)

    def _preview(self, folder: StaticFolder, file: StaticFile) -> None:
        try:
            data = folder.read(file.name, MOST_OF_A_PICTURE)
        except SiteError as error:
            self.banner.say(error.problems[0].text)
            return
        self.preview.show_content(file.name, file.type, data, file.size)

    def open_in_browser(self) -> None:
        """Open the selected file as the server serves it."""
        address, names = self._controls.address, self.chosen()
        if address and len(names) == 1:
            url = self._controls.static.url(names[0])
            QDesktopServices.openUrl(QUrl(address).resolved(QUrl(url)))

    # -- Changing --------------------------------------------------------------------------

    def _dialog(self, title: str, mode: QFileDialog.FileMode) -> QFileDialog:
        dialog = QFileDialog(self, title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        return dialog

    def choose_files(self) -> None:
        """Ask for files to be added."""
        if self._refuses():
            return
        dialog = self._dialog(tr("Add files"), QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda paths: self.add(map(Path, paths)))
        dialog.open()

    def choose_content(self) -> None:
        """Ask for a file whose content is to replace that of the selected one."""
        names = self.chosen()
        if self._refuses() or len(names) != 1:
            return
        dialog = self._dialog(
            tr("Replace {name}", name=names[0]), QFileDialog.FileMode.ExistingFile
        )
        dialog.fileSelected.connect(lambda path: self.replace(names[0], Path(path)))
        dialog.open()

    def _refuses(self) -> bool:
        """Say why nothing may be changed here, if so."""
        fault = self._controls.static.fault()
        if fault:
            self.banner.say(fault)
        return bool(fault)

    def add(self, paths: Iterable[Path]) -> None:
        """Copy files into the folder, one step; what has a name already is replaced."""
        contents: Contents = {path.name: self._read(path) for path in paths}
        self._put({name: data for name, data in contents.items() if data is not None})

    def replace(self, name: str, path: Path) -> None:
        """Give a file the content of another one."""
        data = self._read(path)
        if data is not None:
            self._put({name: data})

    def _put(self, contents: Contents) -> None:
        if not contents or self._refuses():
            return
        self.banner.hide()
        before = {name: self._controls.static.url(name) for name in contents}
        self.model.put(contents)
        self.choose(min(contents))
        changed = [
            f"{name}   ?v={_brief(old)} → ?v={_brief(new)}"
            for name, url in before.items()
            if (old := _hash(url)) and (new := _hash(self._controls.static.url(name))) != old
        ]
        if changed and self.banner.isHidden():
            self.banner.say("\n".join([tr("The hash is another one:"), *changed[:3]]), "ok")

    def _read(self, path: Path) -> bytes | None:
        try:
            if path.is_dir():
                self.banner.say(tr("{name} is a folder: add its files", name=path.name))
                return None
            with path.open("rb") as file:
                return file.read(LARGEST + 1)
        except OSError as error:
            self.banner.say(f"{path}: {(error.strerror or str(error)).lower()}")
            return None

    def rename(self) -> None:
        """Edit the name of the selected file; a slash puts it into a folder."""
        names = self.chosen()
        if len(names) == 1 and not self._refuses():
            self.view.edit(self.model.index(self.model.row_of(names[0]), PATH))

    def remove(self) -> None:
        """Delete the selected files; undo brings them back."""
        names = self.chosen()
        if names and not self._refuses():
            self.model.put(dict.fromkeys(names))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        self.add(paths)

    # -- The page --------------------------------------------------------------------------

    @property
    def modified(self) -> bool:
        return False

    def into(self, site: Site) -> Site:
        return site

    def served(self, site: Site) -> None:
        self.look()

    def undo(self) -> None:
        self.model.undo_stack.undo()

    def redo(self) -> None:
        self.model.undo_stack.redo()

    def update_note(self) -> None:
        """Say that there is nothing to apply here, or why nothing may be changed."""
        fault = self._controls.static.fault()
        self.note.setText(tr("To be read only") if fault else tr("Served from the disk, at once"))
        if fault != self._fault:
            self._fault = fault
            if fault:
                self.banner.say(fault, "note")
            else:
                self.banner.hide()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        super().retranslate()
        self.title = tr("Static files")
        self.view.setAccessibleName(tr("Static files"))
        self.url.setAccessibleName("static_url")
        self.url.setToolTip(tr("What static_url gives for this file: the hash is of its content"))
        self.url.setPlaceholderText("static_url")
        self.body.empty.retranslate()
        for button in (*self.edit_buttons, self.browse):
            button.retranslate()
