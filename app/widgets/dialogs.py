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
