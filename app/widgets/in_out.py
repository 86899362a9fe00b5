"""The commands that take requests out of the window and into it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.exchange.curl_import import Imported
from app.exchange.har_import import Har
from app.recording.store import Store

from .controls import Controls
from .curl_dialog import CurlDialog
from .har_export import HarExportDialog
from .i18n import tr
from .replay import ReplayDialog
from .request_out import RequestOut
from .requests import RequestsPanel
from .selection import Selection
from .theme import Theme

_FILTER = "HAR (*.har);;* (*)"


class InOut(QObject):
    """Exports and imports; `said` tells what came of it."""

    said = Signal(str, str)
    """A text, and ``ok`` or ``error``."""
    imported = Signal(Imported)
    """A request was imported: the form of the clients is to show it."""

    def __init__(
        self,
        store: Store,
        controls: Controls,
        selection: Selection,
        requests: RequestsPanel,
        theme: Theme,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._store = store
        self._controls = controls
        self._selection = selection
        self._requests = requests
        self._theme = theme
        self._window = window
        self.request = RequestOut(store, controls, window)
        self.request.said.connect(self.said)

    # -- In --------------------------------------------------------------------------------

    def import_curl(self) -> None:
        """Ask for a cURL command."""
        dialog = CurlDialog(self._theme, self._window)
        dialog.imported.connect(self.imported)
        dialog.imported.connect(self.tell_ignored)
        dialog.open()

    def tell_ignored(self, found: Imported) -> None:
        """Say which options of a command have no place in a request."""
        if found.ignored:
            words = tr("Imported, without {options}", options=" ".join(found.ignored))
            self.said.emit(words, "ok")

    def import_har(self) -> None:
        """Ask for a HAR file and show what it holds."""
        dialog = QFileDialog(self._window, tr("Import HAR"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(_FILTER)
        dialog.fileSelected.connect(lambda path: self.open_har(Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def open_har(self, path: Path) -> None:
        """Show the requests of the HAR file at *path*."""
        self._controls.read_har(path, lambda har: self._show(path, har))

    def _show(self, path: Path, har: Har) -> None:
        if not har.entries:
            self.said.emit(tr("There are no requests in {name}.", name=path.name), "error")
            return
        dialog = ReplayDialog(path.name, har, self._controls, self._theme, self._window)
        dialog.show()

    # -- Out -------------------------------------------------------------------------------

    def choices(self) -> dict[str, list[int]]:
        """Return the numbers of the requests that can be exported, by what they are."""
        self._requests.refresh()
        model, number = self._requests.model, self._selection.request_id
        everything = [row[0] for row in self._store.requests.rows]
        shown = [model.row(at)[0] for at in range(model.rowCount())]
        found = {tr("All requests ({count})", count=len(everything)): everything}
        if shown != everything:
            found[tr("Those shown in the table ({count})", count=len(shown))] = shown
        if self._store.request(number) is not None:
            found[tr("The selected request (#{number})", number=number)] = [number]
        return found

    def export_har(self) -> None:
        """Ask what to export, and where to."""
        if not self._store.requests.rows:
            self.said.emit(tr("There are no requests to export yet."), "error")
            return
        dialog = HarExportDialog(self.choices(), self._window)
        dialog.chosen.connect(self._ask_where)
        dialog.open()

    def _ask_where(self, numbers: list[int], secrets: bool) -> None:
        dialog = QFileDialog(self._window, tr("Export HAR"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("har")
        dialog.setNameFilter(_FILTER)
        dialog.selectFile("loopscope.har")
        dialog.fileSelected.connect(lambda path: self.write_har(Path(path), numbers, secrets))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def write_har(self, path: Path, numbers: list[int], secrets: bool) -> None:
        """Write requests to the HAR file at *path*."""

        def done(count: int) -> None:
            words = tr("{count} requests exported to {name}", count=count, name=path.name)
            self.said.emit(words, "ok")

        self._controls.write_har(path, numbers, secrets, done)
