"""Small dialogs that several commands ask with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from .i18n import tr


def _box(parent: QWidget, icon: QMessageBox.Icon, heading: str, text: str = "") -> QMessageBox:
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(icon)
    box.setWindowTitle("Loopscope")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(heading)
    box.setInformativeText(text)
    return box


def tell(parent: QWidget, heading: str, text: str) -> None:
    """Show in a dialog what could not be done, and why."""
    box = _box(parent, QMessageBox.Icon.Warning, heading, text)
    box.addButton(tr("OK"), QMessageBox.ButtonRole.AcceptRole)
    box.open()


def ask_folder(parent: QWidget, title: str, accept: str, chosen: Callable[[Path], None]) -> None:
    """Ask for a folder."""
    dialog = QFileDialog(parent, title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.setLabelText(QFileDialog.DialogLabel.Accept, accept)
    dialog.fileSelected.connect(lambda folder: chosen(Path(folder)))
    dialog.open()


def ask_trust(parent: QWidget, name: str, answered: Callable[[bool], None]) -> None:
    """Ask whether the code of *name* may be run; *answered* is called with the answer."""
    heading = tr("Do you trust {name}?", name=name)
    text = tr("To serve it, Loopscope runs its Python code with your rights on this computer.")
    box = _box(parent, QMessageBox.Icon.Question, heading, text)
    trust = box.addButton(tr("Trust and run"), QMessageBox.ButtonRole.AcceptRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(cancel)
    box.finished.connect(lambda: answered(box.clickedButton() is trust))
    box.open()


def ask_discard(parent: QWidget, text: str, discard: Callable[[], None]) -> None:
    """Say what would be lost, and call *discard* if it may be."""
    box = _box(parent, QMessageBox.Icon.Question, text)
    yes = box.addButton(tr("Discard"), QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(cancel)
    box.finished.connect(lambda: discard() if box.clickedButton() is yes else None)
    box.open()


def ask_recover(parent: QWidget, files: Iterable[str], answered: Callable[[bool], None]) -> None:
    """Ask whether what was not saved of *files* comes back; *answered* is called with the answer.

    Only a click on Discard says no.
    """
    text = tr(
        "Loopscope ended before it was saved: {files}. Recovered, it comes into the "
        "editors; nothing of it is served until you apply it.",
        files=", ".join(files),
    )
    heading = tr("Text that was not saved was found")
    box = _box(parent, QMessageBox.Icon.Question, heading, text)
    recover = box.addButton(tr("Recover"), QMessageBox.ButtonRole.AcceptRole)
    discard = box.addButton(tr("Discard"), QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(recover)
    box.setEscapeButton(recover)
    box.finished.connect(lambda: answered(box.clickedButton() is not discard))
    box.open()
