"""Small dialogs that several commands ask with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from .i18n import tr


def tell(parent: QWidget, heading: str, text: str) -> None:
    """Show in a dialog what could not be done, and why."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("Loopscope")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(heading)
    box.setInformativeText(text)
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
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Loopscope")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(tr("Do you trust {name}?", name=name))
    box.setInformativeText(
        tr("To serve it, Loopscope runs its Python code with your rights on this computer.")
    )
    trust = box.addButton(tr("Trust and run"), QMessageBox.ButtonRole.AcceptRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(cancel)
    box.finished.connect(lambda: answered(box.clickedButton() is trust))
    box.open()
