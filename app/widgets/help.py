"""The windows of the Help menu."""

from __future__ import annotations

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QMessageBox, QWidget

from app import __version__

from .i18n import tr
from .icons import app_icon
from .parts import label

KEYS = (
    ("↑ ↓ J K", "Go to the request before or after"),
    ("Home End Space", "First, last, ten further"),
    ("F, Esc", "Filter the requests, all requests"),
    ("M, D, Z", "Mark the request, take it off the table, hide all so far"),
    ("A, Shift+A, X", "Resume the parked request, resume all; kill it"),
    ("< >, S", "Sort by the column beside; the other way, or not at all"),
    ("Shift+F", "Keep the newest request in sight, or not"),
    ("R, Shift+D, N", "Send the request again; show it in the form; a new one"),
    ("Ctrl+Return", "Fire the request; in an editor: apply"),
    ("Ctrl+S", "Apply all editors and save the site"),
    ("Ctrl+N, Ctrl+Shift+N", "New project: empty, from the demo"),
    ("Ctrl+O, Ctrl+Alt+E", "Open a project; export it as a Tornado program"),
    ("Ctrl+Alt+A, F5, Shift+F5", "Open your application, reload it, restart Loopscope with it"),
    ("Ctrl+Alt+O, Ctrl+Shift+O", "Import a HAR file; import a cURL command"),
    ("Ctrl+Shift+E", "Export requests to a HAR file"),
    ("Ctrl+Shift+C", "Copy the selected request as cURL"),
    ("Ctrl+Z, Ctrl+Shift+Z", "Undo, redo"),
    ("Ctrl+F, Ctrl+H, Ctrl+G", "Find in the editor, replace, go to a line of any file"),
    ("F6", "In a template: source, Python, output in turn"),
    ("Ctrl+/, Ctrl+Space, Ctrl+.", "In an editor: comment, complete, next problem"),
    ("Ctrl+Alt+Z, Ctrl+Alt+Shift+Z", "Undo the last apply, redo it"),
    ("Ctrl+D, Ctrl+Alt+D, Ctrl+Alt+H", "Difference from what is served, from the disk; versions"),
    ("Alt+↑ Alt+↓", "Move the route"),
    ("Ctrl+B", "Open in browser"),
    ("F8", "Pause or resume the server"),
    ("F7, Shift+F7, Ctrl+F7", "Step: one run, one tick, to the request's next stage"),
    ("Ctrl+[ Ctrl+]", "Slower, faster"),
    ("Ctrl+L", "Show or hide the charts of the last minute"),
    ("F11", "Give the centre all the room, or the other cards theirs again"),
    ("Ctrl++ Ctrl+- Ctrl+0", "Larger, smaller, original size"),
    ("Ctrl+Q", "Quit"),
    ("", "On the timeline:"),
    ("↑ ↓ Return", "Go from lane to lane; show or hide what is under it"),
    ("← → Home End", "Earlier, later; the first, the present"),
    ("+ - 0", "Less time, more time, all of it"),
    ("Shift+F, J", "Follow live; go to the selected request"),
    ("M, Shift+← Shift+→, Esc", "Measure by dragging; by keys; no longer"),
    ("/, L, S Shift+S", "Filter the lanes; which kinds; stages on or off"),
)


def show_keys(parent: QWidget) -> QDialog:
    """Show the keys."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(tr("Keys"))
    grid = QGridLayout(dialog)
    grid.setContentsMargins(22, 18, 22, 16)
    grid.setHorizontalSpacing(26)
    grid.setVerticalSpacing(9)
    half = (len(KEYS) + 1) // 2
    for at, (keys, meaning) in enumerate(KEYS):
        side, row = divmod(at, half)
        left = label(keys)
        left.setProperty("mono", True)
        grid.addWidget(left, row, 2 * side)
        grid.addWidget(label(tr(meaning), "" if keys else "head"), row, 2 * side + 1)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.close)
    grid.addWidget(buttons, half, 0, 1, 4)
    dialog.open()
    return dialog


def show_about(parent: QWidget) -> QMessageBox:
    """Say what this is, and which version."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle(tr("About Loopscope"))
    box.setIconPixmap(app_icon().pixmap(64, 64))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(f"Loopscope {__version__}")
    box.setInformativeText(
        tr("An oscilloscope for Tornado: what is shown is recorded from the real runtime.")
        + f"\n\nQt {qVersion()}"
    )
    box.open()
    return box
